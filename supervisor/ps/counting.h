/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counting - what a session counts of its records for `ps`: calls, denials, how many calls a minute, connections
 *
 * Process:  supervisor
 * Limits:   COUNTING_LINKS connections told apart; more of them at once are counted, and never as closed
 *
 * A connection is opened by dial's record and closed by the gateway's, which come through two sockets in any order; the
 * number that both carry ties them. A connection that dial could not make has no second record.
 */
#pragma once
#include "supervisor/registry.h"
#include "wire/event.h"

enum { COUNTING_LINKS = 1024, COUNTING_EARLY = 64 };

struct counting {
	struct registry_counters now;
	uint64_t open[COUNTING_LINKS];
	size_t n_open;
	uint64_t early[COUNTING_EARLY]; /* closed before their opening was heard of; the oldest is overwritten */
	size_t n_early;
};

/* wall_us: CLOCK_REALTIME. */
void counting_take(struct counting *c, const struct event *e, uint64_t wall_us);
