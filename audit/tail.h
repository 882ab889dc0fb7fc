/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tail - the last lines of a chained file, as a writer needs them to go on
 *
 * Process:  supervisor
 * Owns:     the bytes; free with tail_done
 * Returns:  0, -errno
 * Limits:   the window, TAIL_LINES_MAX lines of it
 *
 * A line that is no record, or whose hash is not that of its bytes, is passed over: a damaged neighbour must not stop a
 * session. `stockade audit verify` reports it.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "audit/record.h"

enum { TAIL_LINES_MAX = 512 };

struct tail_line {
	const char *text; /* without the newline */
	size_t len;
	const char *prev, *hash;
	uint64_t seq;
};

struct tail {
	char *bytes;
	uint64_t size;		 /* of the file */
	bool whole;		 /* the window holds the whole file */
	struct tail_line *lines; /* good ones, in the order of the file */
	size_t n_lines;
	const char *torn; /* what follows the last newline */
	size_t torn_bytes;
};

/* Reads at most window bytes from the end. */
int tail_read(int fd, size_t window, struct tail *ret) _must_check_;
/* Does any line name this hash, as prev or in merges? */
bool tail_names(const struct tail *t, const char *hash);
/* The value of a key of our own whose text needs no escapes; false when there is none, or it is longer. */
bool tail_value(const struct tail_line *l, const char *key, char *ret, size_t size);
/* The value of a key of our own that is a number, or 0. */
uint64_t tail_number(const struct tail_line *l, const char *key);
void tail_done(struct tail *t);
#define _cleanup_tail_ _cleanup_(tail_done)
