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
	int records;				 /* pipe from the shim (wire/stream.h), never waited for in a read */
	int enter_pidfd, shim_pidfd, init_pidfd; /* init: PID 1, by REPORT_INIT; -1 before */
	pid_t enter_pid, shim_pid, init_pid;
	struct spawned_net gateway, dial;
	/* The server's ends of its pipes, held for it until spawn_behind; -1: none. */
	int server_in, server_out, server_err;
};
#define SPAWNED_NONE                                                                                                   \
	{                                                                                                              \
		-1, -1, -1, -1, -1, -1, 0, 0, 0, { -1, -1, 0 }, { -1, -1, 0 }, -1, -1, -1                              \
	}

int spawn_session(const struct effective *e, struct spawned *ret, struct diag *d) _must_check_;
/* The shim alone, for a launch that waits: it is told CONTROL_WAIT and answers the client. */
int spawn_waiting(const struct effective *e, struct spawned *ret, struct diag *d) _must_check_;
/* The rest of that session, behind the pipes of its shim. */
int spawn_behind(const struct effective *e, struct spawned *s, struct diag *d) _must_check_;
/* Its pins once more, for the shim of a launch that waited (CONTROL_PINS). */
int spawn_send_pins(const struct effective *e, const struct spawned *s) _must_check_;
void spawned_done(struct spawned *s);
#define _cleanup_spawned_ _cleanup_(spawned_done)
