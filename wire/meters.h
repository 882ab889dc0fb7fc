/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meters - how often, how many at once, how long and how large: what holds allowed calls down, and which ask a person
 *
 * Process:  supervisor (writes, as a section of the shim's config), shim (reads)
 * Owns:     all strings; free with meters_done
 * Limits:   METERS_TOOLS_MAX items; the bounds below, which the supervisor words and the shim checks once more
 *
 * A rate is a bucket that holds as many calls as the rate names and fills evenly over its period: "10/min" is ten at
 * once, then one each six seconds. calls 0 is no rate, value 0 no bound. where names the rule, for words and records.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "wire/codec.h"

enum {
	METERS_CALLS_DEFAULT = 60, /* a minute and tool */
	METERS_TOOLS_MAX = 1024,
	METERS_CALLS_MAX = 1000000, /* of a rate */
	METERS_PERIOD_MAX = 86400,  /* seconds */
	METERS_TIME_MAX = 86400,    /* seconds */
	METERS_INFLIGHT_MAX = 1024,
};

/* The words for the rule, which `audit show --denied` knows again. */
#define METERS_CALLS_DEFAULT_WORDS "the default (60 calls a minute and tool; tools.rate sets another)"

struct meters_rate {
	uint32_t calls, period_s;
	char *where;
};

struct meters_bound {
	uint64_t value;
	char *where;
};

/* What an item of tools.allow says besides its name. */
struct meters_tool {
	char *glob;
	struct meters_rate rate;
	struct meters_bound time;    /* seconds until the answer */
	struct meters_bound output;  /* bytes of the answer */
	struct meters_bound confirm; /* 1: a person says yes to each call */
};

struct meters {
	struct meters_rate each;  /* of a tool whose item has no rate */
	struct meters_rate total; /* of all tools together */
	struct meters_bound time, output;
	struct meters_bound in_flight; /* calls without an answer */
	struct meters_tool *tools;
	size_t n;
};

void meters_put(struct wire_writer *w, const struct meters *m);
/* The parts, for other sections of a config. */
void meters_put_rate(struct wire_writer *w, const struct meters_rate *r);
void meters_put_bound(struct wire_writer *w, const struct meters_bound *b);
void meters_get_rate(struct wire_reader *r, struct meters_rate *ret);
void meters_get_bound(struct wire_reader *r, uint64_t max, struct meters_bound *ret);
/* Errors stick in the reader; what is there of *ret is the caller's to free in any case. */
void meters_get(struct wire_reader *r, struct meters *ret);
int meters_copy(const struct meters *from, struct meters *ret) _must_check_;
void meters_done(struct meters *m);
void meters_tool_done(struct meters_tool *t);
/* What holds for one tool: of the items that match it the narrowest of each kind, else what is there for all. Borrowed;
 * glob is NULL. */
struct meters_tool meters_of(const struct meters *m, const char *name, size_t len);
