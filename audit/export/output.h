/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output - where an export goes: a stream, or a file whose length the cursor knows
 *
 * Process:  supervisor
 * Owns:     the file, not the stream it was given; free with output_done
 * Returns:  0, -errno with words
 *
 * The file and the cursor are committed together: bytes, fdatasync(2), cursor. What lies in the file beyond the length
 * in the cursor came from an export that was killed in between, and is cut off before anything is added. A file that
 * was renamed away (logrotate) is left as it is, and a new one begun.
 */
#pragma once
#include <stdio.h>
#include "audit/export/cursor.h"

struct output {
	FILE *stream; /* what is written to; also what is waited on */
	const char *path;
	bool ours;
};

/* Opens the file (path NULL: takes the stream), cuts it where the cursor says, and writes the cursor's first form. */
int output_open(struct output *o, const char *path, FILE *stream, struct cursor *c, struct diag *d) _must_check_;
/* Between two commits: was the file renamed away or removed by whoever rotates files? Then what comes now goes into a
 * new one. */
int output_follow_name(struct output *o, struct cursor *c, struct diag *d) _must_check_;
/* Writes the bytes, then the cursor. */
int output_commit(struct output *o, const void *p, size_t n, struct cursor *c, struct diag *d) _must_check_;
void output_done(struct output *o);
