/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lockdown - what a helper program gives up before the first foreign byte
 *
 * Process:  shim, gateway, dial
 * Returns:  0, -errno with words; on failure the program must end: it may be half locked
 *
 * In this order: no_new_privs, not dumpable, limits, Landlock (every right that the kernel knows, but for what allow()
 * adds), the system call filter. Each program's confine.c says what is left to it.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/diag.h"
#include "base/seccomp_load.h"

struct lockdown {
	const struct seccomp_filter *filter;
	uint64_t files;				    /* RLIMIT_NOFILE at the most; 0: as it is */
	int (*allow)(int ruleset, const void *ctx); /* adds Landlock rules; NULL: nothing is allowed */
	const void *ctx;
	bool dies_with_parent; /* SIGKILL when the program that started us ends, stopped or not (PR_SET_PDEATHSIG,
				  prctl(2)) */
};

/* The supervisor's end is the end of its helpers (the end of file on a socket); a terminal's keys and a group's signals
 * are not. */
void lockdown_ignore_signals(void);
int lockdown_apply(const struct lockdown *l, struct diag *d) _must_check_;
