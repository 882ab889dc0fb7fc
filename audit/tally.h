/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tally - floods of events of low value become counts
 *
 * Process:  supervisor
 * Owns:     its table, inside the caller's memory
 * Limits:   TALLY_KINDS_MAX kinds at once; what comes beyond them is counted by event alone
 *
 * A kind is event, side, decision, tool, method, reason, name and port, and what was taken out of a text.
 * TALLY_PER_SECOND records of a kind are written in a second; the rest are counted, and so is all that follows until a
 * second passes with fewer. Decisions on calls and requests are never counted away: the table in tally.c says which
 * events may be.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "audit/role.h"
#include "wire/event.h"

enum { TALLY_KINDS_MAX = 32, TALLY_PER_SECOND = 20 };

struct tally_row {
	struct event kind; /* texts of the first event of the kind */
	enum event_source source;
	bool used;
	uint64_t window_us; /* when the second began */
	uint64_t in_window;
	bool flooding;
	uint64_t events; /* counted and not yet written */
	uint64_t count, bytes;
};

struct tally {
	/* The last EVENT_TYPE_COUNT rows take what finds no other: one an event. */
	struct tally_row rows[TALLY_KINDS_MAX + EVENT_TYPE_COUNT];
};

/* May floods of such events become counts? */
bool tally_applies(const struct event *e);
/* True: counted, write nothing. False: write the event. now_us is CLOCK_MONOTONIC. */
bool tally_take(struct tally *t, enum event_source source, const struct event *e, uint64_t now_us);
/* The next row with a count to write, NULL when there is none; tally_clear after it is written. */
struct tally_row *tally_next(struct tally *t);
/* Forgets what was written, and the kind too when its flood has ended. */
void tally_clear(struct tally_row *row, uint64_t now_us);
