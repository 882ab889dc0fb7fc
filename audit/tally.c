/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tally - floods of events of low value become counts
 *
 * Process:  supervisor
 */
#include "audit/tally.h"

#include <string.h>

enum { TALLY_SECOND_US = 1000 * 1000 };

enum tally_rule {
	TALLY_NEVER, /* each one is written */
	TALLY_DROPS, /* only what was dropped may become a count */
	TALLY_LOOSE, /* what belongs to no call and no request */
	TALLY_MAY,   /* any but an allowed one */
};

static const unsigned char rules[EVENT_TYPE_COUNT] = {
	[EVENT_NOTIFICATION] = TALLY_MAY,
	[EVENT_REFUSED] = TALLY_MAY,
	[EVENT_SCAN] = TALLY_MAY,
	[EVENT_TEXT_REDACTED] = TALLY_LOOSE,
	[EVENT_UNMATCHED] = TALLY_MAY,
	[EVENT_STDERR] = TALLY_MAY,
	/* The gateway limits the rate of these, and counts; this is for a gateway that is no longer ours. */
	[EVENT_NET_NAME] = TALLY_MAY,
	[EVENT_NET_DENIED] = TALLY_MAY,
	[EVENT_RESPONSE] = TALLY_DROPS,
	[EVENT_LIST_FILTERED] = TALLY_DROPS,
};

bool tally_applies(const struct event *e)
{
	if (e->decision == EVENT_ALLOW)
		return false;
	switch ((enum tally_rule)rules[e->type]) {
	case TALLY_DROPS:
		return e->decision == EVENT_DROP;
	case TALLY_LOOSE:
		return e->call_id == 0;
	case TALLY_MAY:
		return true;
	case TALLY_NEVER:
		break;
	}
	return false;
}

static bool is_kind(const struct tally_row *row, enum event_source source, const struct event *e)
{
	return row->used && row->kind.type == e->type && row->source == source && row->kind.decision == e->decision &&
	       row->kind.side == e->side && strcmp(row->kind.tool, e->tool) == 0 &&
	       strcmp(row->kind.method, e->method) == 0 && strcmp(row->kind.reason, e->reason) == 0 &&
	       strcmp(row->kind.host, e->host) == 0 && row->kind.port == e->port &&
	       (e->type != EVENT_TEXT_REDACTED || strcmp(row->kind.subject, e->subject) == 0);
}

static void row_start(struct tally_row *row, enum event_source source, uint64_t now_us)
{
	row->used = true;
	row->source = source;
	row->window_us = now_us;
	row->in_window = 0;
	row->flooding = false;
}

/* A row of its own; or one that has been quiet for a second; or the row of the event. */
static struct tally_row *find_row(struct tally *t, enum event_source source, const struct event *e, uint64_t now_us)
{
	struct tally_row *free_row = NULL;

	for (size_t i = 0; i < TALLY_KINDS_MAX; i++) {
		struct tally_row *row = &t->rows[i];
		if (is_kind(row, source, e))
			return row;
		if (!free_row && (!row->used || (row->events == 0 && now_us - row->window_us >= 2 * TALLY_SECOND_US)))
			free_row = row;
	}
	if (free_row) {
		free_row->kind = *e;
		free_row->kind.args = NULL;
		free_row->kind.args_len = 0;
		row_start(free_row, source, now_us);
		return free_row;
	}
	struct tally_row *shared = &t->rows[TALLY_KINDS_MAX + e->type];
	if (!shared->used) {
		shared->kind = (struct event){ .type = e->type, .reason = "of many kinds" };
		row_start(shared, source, now_us);
	}
	return shared;
}

bool tally_take(struct tally *t, enum event_source source, const struct event *e, uint64_t now_us)
{
	struct tally_row *row;

	if (!tally_applies(e))
		return false;
	row = find_row(t, source, e, now_us);
	if (now_us - row->window_us >= TALLY_SECOND_US) {
		row->flooding = row->in_window > TALLY_PER_SECOND && now_us - row->window_us < 2 * TALLY_SECOND_US;
		row->window_us = now_us;
		row->in_window = 0;
	}
	row->in_window++;
	if (!row->flooding && row->in_window <= TALLY_PER_SECOND)
		return false;
	row->events++;
	row->count += e->count > 0 ? e->count : 1;
	row->bytes += e->bytes;
	return true;
}

struct tally_row *tally_next(struct tally *t)
{
	for (size_t i = 0; i < ARRAY_LEN(t->rows); i++) {
		if (t->rows[i].used && t->rows[i].events > 0)
			return &t->rows[i];
	}
	return NULL;
}

void tally_clear(struct tally_row *row, uint64_t now_us)
{
	row->events = 0;
	row->count = 0;
	row->bytes = 0;
	if (now_us - row->window_us >= 2 * TALLY_SECOND_US)
		row->used = false;
}
