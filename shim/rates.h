/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rates - a bucket of calls for each tool and one for all of them (wire/meters.h)
 *
 * Process:  shim
 * Owns:     its rows; free with rates_done
 * Returns:  0, -ENOMEM, RATES_*
 * Limits:   RATES_TOOLS_MAX tools that have a call to win back; a full bucket is no different from none and gives way;
 *           RATES_NAME_MAX bytes of a name
 *
 * The time is the caller's, in microseconds of CLOCK_MONOTONIC. Nothing is rounded: a bucket is counted in calls times
 * microseconds, so that n calls cost n periods and each microsecond brings calls.
 */
#pragma once
#include "shim/role.h"
#include <stdbool.h>
#include "shim/walk.h"
#include "wire/meters.h"

enum { RATES_TOOLS_MAX = 1024, RATES_NAME_MAX = 1024 };

enum rates_result {
	RATES_TOOL = 1, /* this tool has been called as often as it may be */
	RATES_TOTAL,	/* all of them together have */
	RATES_CROWDED,	/* there is no counting it: its name is too long, or too many others have been called */
};

struct rates_bucket {
	uint64_t level; /* calls times microseconds; a call costs a period */
	uint64_t at_us; /* when it was that */
	bool used;
};

struct rates_tool {
	char *name; /* the canonical inside */
	size_t len;
	struct meters_tool limits; /* borrowed from the config */
	struct rates_bucket bucket;
};

struct rates {
	struct rates_tool *tools;
	size_t n, cap;
	struct rates_bucket total;
};

void rates_done(struct rates *r);
/* The row of a tool, made when there is none. name is the canonical inside, text what it means. RATES_CROWDED. */
int rates_find(struct rates *r, const struct meters *m, struct slice name, struct slice text, uint64_t now_us,
	struct rates_tool **ret) _must_check_;
/* Takes n out of one bucket, or none: RATES_TOTAL with the seconds until there are as many; 0 seconds: there never are.
 */
int rates_take_all(struct rates_bucket *b, const struct meters_rate *rate, uint32_t n, uint64_t now_us,
	uint32_t *ret_retry_s) _must_check_;
/* Takes one call out of both buckets, or out of none: RATES_TOOL, RATES_TOTAL with the seconds until there is one. */
int rates_take(struct rates *r, const struct meters *m, struct rates_tool *t, uint64_t now_us,
	uint32_t *ret_retry_s) _must_check_;
