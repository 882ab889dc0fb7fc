/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rare - one descriptor in the place of those that seldom have anything to say
 *
 * Process:  shim
 * Owns:     an epoll descriptor, never those that it looks at
 * Limits:   RARE_MAX descriptors
 *
 * The kernel takes poll(2)'s every entry by hand, twice in a call that passes: the supervisor, the server's stderr and
 * whether the client still reads are asked about as one. Who speaks, poll(2) is asked then. Filled before the lockdown,
 * which leaves no call to change it; what the kernel does not take (a file) stays outside.
 */
#pragma once
#include "shim/role.h"
#include <stdbool.h>
#include <stddef.h>
#include "base/cleanup.h"

enum { RARE_MAX = 4 };

struct rare {
	int fd; /* readable when one of them has something to say; -1: there is none */
	int members[RARE_MAX];
	size_t n;
};

/* Without it, or without one of them, all works too. */
void rare_init(struct rare *x);
/* events: POLLIN, or 0 for its end alone. */
void rare_add(struct rare *x, int fd, short events);
bool rare_has(const struct rare *x, int fd);
void rare_done(struct rare *x);
