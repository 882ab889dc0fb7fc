/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secrets - finds the values that the session was given, in the spellings in which a server might hand them on
 *
 * Process:  shim
 * Owns:     its copies of the values, wiped by secrets_done
 * Returns:  0, -ENOMEM, -E2BIG
 *
 * Spellings: as it is; escaped once more, as JSON within a text is (short, all ASCII, with \/, and with any characters
 * of it as numbers such as \u0026, in letters of either case); in base64, of both alphabets and wherever in the encoded
 * bytes it begins; with any bytes of it percent-encoded (RFC 3986), blanks as '+' too; a line of a value of several,
 * when it is as long as SECRETS_LINE_MIN and has no blanks.
 *
 * Not found: a value that is spread over several strings, has line feeds or anything else between its bytes, is
 * reversed, in hexadecimal, compressed, enciphered, or encoded twice. A server that means to hand out its secret can:
 * this is for those that do it by mistake.
 */
#pragma once
#include "shim/role.h"
#include "shim/finder.h"
#include "wire/shim_config.h"

enum {
	SECRETS_LINE_MIN = 20,
	SECRETS_MARK_MAX = 160,
	SECRETS_REACH_MAX = 128 << 10,
	/* A finder's tag: the secret's index, and what of base64 beside the hit belongs to it. */
	SECRETS_TAG_BASE64 = 1 << 16,
	SECRETS_TAG_BEFORE = 1 << 17,
	SECRETS_TAG_AFTER = 1 << 18,
	SECRETS_TAG_INDEX = SECRETS_TAG_BASE64 - 1,
};

/* Which bytes begin and end the strings that are looked for, and which two of them are neighbours: a bit each. */
struct secrets_edges {
	uint8_t first[256 / 8], last[256 / 8], pairs[256 * 256 / 8];
	size_t longest; /* of the strings */
};

static inline bool secrets_has_bit(const uint8_t *bits, unsigned at)
{
	return bits[at / 8] >> at % 8 & 1;
}

struct secrets {
	struct shim_secret *values; /* names only, borrowed from the config */
	size_t n;
	size_t reach;	 /* how many bytes of a text a value may take, in any spelling, at most SECRETS_REACH_MAX */
	bool bytes[256]; /* is it in any value? */
	struct secrets_edges *edges; /* of raw */
	struct finder *canonical;    /* in canonical strings; NULL: there is no secret */
	struct finder *raw;	     /* in bytes as they are */
};

struct secrets_hit {
	size_t at, len;
	uint32_t secret;
	bool base64;
};

/* Takes the values in; the caller may wipe them afterwards. Names are borrowed. */
int secrets_init(struct secrets *s, const struct shim_text *config) _must_check_;
void secrets_done(struct secrets *s);
/* The first in canonical bytes, or with raw in any others, from there on: 1, 0 for none, -ENOMEM. */
int secrets_find(
	const struct secrets *s, bool raw, const char *p, size_t n, size_t from, struct secrets_hit *ret) _must_check_;
/* Does a spelling of a value, other than percent-encoded, begin before that end and go on behind it, where the text was
 * cut? By FINDER_SHORTEST bytes at least. 1, 0. */
int secrets_begin_before(const struct secrets *s, const char *p, size_t end, struct secrets_hit *ret);
/* Appends the bytes with marks in the place of values: canonical bytes stay such. Adds to counts, one for each secret.
 * fill: base64 stays base64, and the value in it becomes As. */
int secrets_replace(const struct secrets *s, bool raw, bool fill, struct buf *out, const char *p, size_t n,
	uint64_t *counts) _must_check_;

/* From hit to hit: what the one before left is not looked for again. */
enum secrets_coding { SECRETS_PERCENT, SECRETS_FORM /* '+' is a blank */, SECRETS_JSON, SECRETS_RUNS };

/* A stretch of the text that is spelt otherwise, and what it stands for. */
struct secrets_run {
	enum secrets_coding coding;
	const char *at, *stop; /* what is left of it */
	const char *literal;   /* up to there every byte stands for itself: the unit's beginning is passed */
	char *room;
	size_t cap, passed, n;	/* in room: up to where it was passed, and its end */
	bool looked;		/* is hit the next? */
	struct secrets_hit hit; /* at SIZE_MAX: there is none any more */
};

struct secrets_walk {
	const struct secrets *s;
	const char *p;
	size_t n;
	bool raw, looked;
	struct secrets_hit plain; /* as secrets_run.hit */
	struct secrets_run runs[SECRETS_RUNS];
	uint64_t work; /* bytes that were looked at or decoded */
};

void secrets_walk_init(struct secrets_walk *w, const struct secrets *s, bool raw, const char *p, size_t n);
void secrets_walk_done(struct secrets_walk *w);
/* The first hit from there on, which must not go back: 1, 0 for none, -ENOMEM. */
int secrets_walk_next(struct secrets_walk *w, size_t from, struct secrets_hit *ret) _must_check_;
