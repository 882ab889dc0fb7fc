/* SPDX-License-Identifier: Apache-2.0 */
/*
 * finder - looks for many strings in one pass that touches few bytes
 *
 * Process:  shim
 * Owns:     copies of the strings, wiped by finder_done
 * Returns:  0, -ENOMEM, -E2BIG
 * Limits:   FINDER_BYTES_MAX of strings together; a string has FINDER_SHORTEST bytes at least
 *
 * Every string of n bytes holds, wherever it lies, a group of four bytes that begins at a multiple of stride, as long
 * as stride is at most n - 3. So only every stride-th group of the text is looked up, in a table that stays in the
 * first cache; what it lets through is compared. No instruction beyond plain C is needed for gigabytes a
 * second.
 */
#pragma once
#include "shim/role.h"
#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"

enum {
	FINDER_SHORTEST = 8,
	FINDER_STRIDE_MAX = 16,
	FINDER_BYTES_MAX = 8 << 20,
	FINDER_SEEN_BITS = 17,
	FINDER_HEAD_BITS = 12,
};

struct finder_string {
	uint32_t at, len; /* in bytes */
	uint32_t tag;	  /* the caller's */
};

struct finder_group {
	uint32_t next; /* index + 1, or 0 */
	uint32_t string, offset;
};

struct finder {
	struct buf bytes;
	struct finder_string *strings;
	size_t n, cap;
	struct finder_group *groups;
	size_t n_groups;
	uint32_t stride;
	uint32_t heads[1 << FINDER_HEAD_BITS];	   /* index + 1 into groups */
	uint8_t seen[1 << (FINDER_SEEN_BITS - 3)]; /* does any string have a group that hashes to it? A bit each */
};

struct finder_hit {
	size_t at, len;
	uint32_t tag;
};

void finder_init(struct finder *f);
void finder_done(struct finder *f);
/* Copies the string. */
int finder_add(struct finder *f, const char *p, size_t n, uint32_t tag) _must_check_;
/* After the last string, once. */
int finder_ready(struct finder *f) _must_check_;
/* The first hit from there on; of several that begin together the longest. */
bool finder_find(const struct finder *f, const char *p, size_t n, size_t from, struct finder_hit *ret);
