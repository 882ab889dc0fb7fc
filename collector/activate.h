/* SPDX-License-Identifier: Apache-2.0 */
/*
 * activate - what systemd hands a service that it starts for a socket: the socket and the directories
 *
 * Process:  collector
 * Returns:  0, -errno with words
 *
 * The protocol is three variables (sd_listen_fds(3)) and two directories (systemd.exec(5), LogsDirectory= and
 * StateDirectory=): less than a library would bring.
 */
#pragma once
#include "base/diag.h"
#include "collector/role.h"

struct activation {
	int listener; /* AF_UNIX, SOCK_SEQPACKET, listening */
	int logs;     /* a directory for each user goes in here */
	int state;    /* the key that signs is here */
};

/* Closes every other descriptor. */
int activate(struct activation *ret, struct diag *d) _must_check_;
