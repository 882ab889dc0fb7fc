/* SPDX-License-Identifier: Apache-2.0 */
/*
 * places - where each key of a format was set, a string for each row of its table
 *
 * Process:  supervisor
 * Owns:     its strings; free with places_done
 * Returns:  0, -EINVAL for what is no key of the table, -ENOMEM
 * Limits:   PLACES_WORDS_MAX bytes of words
 *
 * The walker (keys.h) notes each key that it takes, so that a new one has its place with its row. A key that nobody set
 * is the default. Items of a list and members of objects keep places of their own; of keys below them
 * ("tools.allow[].rate") the first is noted.
 */
#pragma once
#include "base/cleanup.h"
#include "supervisor/role.h"

enum { PLACES_WORDS_MAX = 256 << 10 };

struct key_row;
struct key_table;

struct places {
	const struct key_table *table; /* NULL: nothing is noted, and every key is the default */
	char **v;		       /* by row: "FILE:LINE (KEY)"; NULL: the default */
};

/* The key of that row stands there, unless it stood somewhere before. */
int places_note(struct places *p, const struct key_row *row, const char *where) _must_check_;
/* It has another place: an option of the command line. */
int places_set(struct places *p, const char *key, const char *where) _must_check_;
/* "WHERE, cut by BY" in its place; the same rule cuts once. */
int places_cut(struct places *p, const char *key, const char *by) _must_check_;
/* The same of a place that is kept elsewhere; NULL there: the default of key, which may be NULL. */
int place_cut(char **where, const char *key, const char *by) _must_check_;
/* Of a key, or of several with a blank between: "FILE:2 (a), cut by FILE:3 (b); the default (c, d)", heap. */
int places_words(const struct places *p, const char *keys, char **ret) _must_check_;
void places_done(struct places *p);
