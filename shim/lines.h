/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lines - splits hostile input into bounded messages, at line feeds and nowhere else
 *
 * Process:  shim
 * Owns:     its buffer, never the descriptor
 * Returns:  0, -errno, or LINES_*
 * Limits:   the max given to lines_init bytes a line; a longer one is skipped in LINES_CHUNK bytes of memory
 *
 * One CR before the line feed is dropped; any other is part of the line, where the parser refuses it (.NET and Python
 * split there, and a hidden call would run).
 */
#pragma once
#include "shim/role.h"
#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "shim/skim.h"

enum { LINES_CHUNK = 64 << 10 };

enum lines_found {
	LINES_MESSAGE = 1, /* a line; the byte behind it is readable and below 0x20 */
	LINES_TOO_LONG,	   /* one was skipped: its length is in n, what can be known of its id in skim */
	LINES_TORN,	   /* at the end of input: bytes without a line feed */
};

struct line {
	const char *p;
	uint64_t n;
};

struct lines {
	struct buf buf;
	size_t start;	/* of the line that is being gathered */
	size_t scanned; /* up to where no line feed is */
	size_t max;
	bool skipping;
	uint64_t skipped;
	struct skim skim; /* of the line that is being skipped */
};

void lines_init(struct lines *l, size_t max);
void lines_done(struct lines *l);
/* Where the next bytes go, and how many fit. */
int lines_room(struct lines *l, char **ret, size_t *ret_n) _must_check_;
void lines_filled(struct lines *l, size_t n);
/* 0: no whole line yet. What it returns is valid until the next lines_room(). */
int lines_next(struct lines *l, struct line *ret) _must_check_;
/* At the end of input: 0, LINES_TOO_LONG or LINES_TORN for what is left. */
int lines_rest(struct lines *l, struct line *ret) _must_check_;
/* Gives memory back when little is held. */
void lines_trim(struct lines *l);
