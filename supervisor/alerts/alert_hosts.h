/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alert_hosts - the hosts that a server has been connected to: STATE/hosts/HASH, one a line
 *
 * Process:  supervisor
 * Owns:     the names and the directory; free with alert_hosts_done
 * Returns:  0, -errno with words
 * Limits:   HOSTS_MAX hosts of a server; beyond that each is new
 *
 * Made from the log where there is none yet, so that a rule that is new does not call every host new. HASH is that of
 * the server's name, which may hold anything.
 */
#pragma once
#include "base/diag.h"
#include "base/strv.h"
#include "supervisor/paths.h"

enum { HOSTS_MAX = 4096, HOSTS_BYTES_MAX = HOSTS_MAX * 256 };

struct alert_hosts {
	int dirfd;
	char name[65];
	struct strv known;
};

#define ALERT_HOSTS_NONE ((struct alert_hosts){ .dirfd = -1 })

int alert_hosts_open(const struct paths *p, const char *server, struct alert_hosts *ret, struct diag *d) _must_check_;
/* 1: it is new, and from now on it is known, to other sessions of the server as well; 0: it is known; -errno. */
int alert_hosts_take(struct alert_hosts *h, const char *host) _must_check_;
void alert_hosts_done(struct alert_hosts *h);
