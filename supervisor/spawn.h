/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spawn - starts enter and shim, and with a network gateway and dial, side by side, wired to each other and to us
 *
 * Process:  supervisor
 * Owns:     the descriptors in struct spawned; free with spawned_done, which kills what still runs
 */
#pragma once
#include <sys/types.h>
#include "supervisor/effective.h"

/* Gateway or dial. */
struct spawned_net {
	int events; /* SOCK_SEQPACKET; -1: there is none, or it has ended */
	int pidfd;
	pid_t pid;
};

struct spawned {
	int report;				 /* SOCK_SEQPACKET to enter and PID 1 */
	int control;				 /* SOCK_SEQPACKET to the shim */
	int enter_pidfd, shim_pidfd, init_pidfd; /* init: PID 1, by REPORT_INIT; -1 before */
	pid_t enter_pid, shim_pid, init_pid;
	struct spawned_net gateway, dial;
};
#define SPAWNED_NONE                                                                                                   \
	{                                                                                                              \
		-1, -1, -1, -1, -1, 0, 0, 0, { -1, -1, 0 },                                                            \
		{                                                                                                      \
			-1, -1, 0                                                                                      \
		}                                                                                                      \
	}

int spawn_session(const struct effective *e, struct spawned *ret, struct diag *d) _must_check_;
/* Only a shim, for a launch that does not happen: it is told CONTROL_REFUSE and answers the client. */
int spawn_refusal(const struct shim_config *config, struct spawned *ret, struct diag *d) _must_check_;
void spawned_done(struct spawned *s);
#define _cleanup_spawned_ _cleanup_(spawned_done)
