/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill_report - what came of `stockade kill`, for people and for programs
 *
 * Process:  supervisor
 *
 * Sessions that were not looked at are named, each with why, and are no failure: what watches the entries hears of it.
 */
#pragma once
#include "supervisor/kill/kill_others.h"

struct kill_report {
	const struct kill_entry *entry;
	const char *path;	      /* where it lies; NULL: it does not hold, and not_written says why */
	const struct kill_told *told; /* the sum of all */
	const struct kill_others *others;
	const char *not_written, *not_told, *not_recorded; /* NULL or "": it was */
	uint64_t took_us;
};

/* EXIT_REFUSED when something was not done. */
int kill_report_status(const struct kill_report *r);
/* On stderr. */
void kill_report_say(const struct kill_report *r);
/* NULL: out of memory. */
json_t *kill_report_json(const struct kill_report *r);
