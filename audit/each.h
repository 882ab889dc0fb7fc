/* SPDX-License-Identifier: Apache-2.0 */
/*
 * each - every whole record of every session's file, one after the other
 *
 * Process:  supervisor
 * Owns:     nothing; a record is the caller's until it returns
 * Returns:  0, -errno with words
 * Limits:   AUDIT_RECORD_MAX of one file at a time is in memory, however long the log is
 *
 * A line that does not parse, or whose hash is not that of its bytes, is counted as damaged and handed to nobody. The
 * chain is not checked: that is `audit verify`.
 */
#pragma once
#include "audit/line.h"
#include "base/diag.h"

struct each_totals {
	uint64_t files, records, damaged;
	char first[128]; /* "FILE:LINE" of the first that is damaged, escaped */
};

struct each_args {
	int (*record)(const struct line *l, void *arg); /* -errno ends it */
	void (*progress)(
		uint64_t bytes, uint64_t of_bytes, void *arg); /* after each file, and each few MiB; may be NULL */
	void *arg;
};

int audit_each(int dirfd, const struct each_args *a, struct each_totals *ret, struct diag *d) _must_check_;
