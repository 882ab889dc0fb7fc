/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys - a file of a format whose keys are rows of a table: profiles and the policy
 *
 * Process:  supervisor
 * Returns:  0, -errno with words
 * Limits:   PROFILE_ITEMS_MAX items of a list, PROFILE_STRING_MAX bytes of a string
 *
 * A key of the format is a row: its dotted path, its type, what takes it, where it goes. "*" in a path stands for any
 * name (parameters.*.type), "[]" for an item of a list. The walker looks a key up, checks the type and calls the row;
 * so a key that has no row is unknown, and a key whose rule is not kept yet has a row that refuses it in words.
 */
#pragma once
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include "supervisor/json_file.h"

enum {
	PROFILE_ITEMS_MAX = 1024,	   /* items of one list, members of one object */
	PROFILE_STRING_MAX = 4096,	   /* bytes of one string in the file, and of a parameter's value */
	PROFILE_EXPANDED_MAX = 64 << 10,   /* bytes of one string after expansion */
	PROFILE_EXPANDED_ITEMS_MAX = 4096, /* items of one list after expansion */
	PROFILE_SHOWN_MAX = 256,	   /* foreign text in a message */
};

enum key_type {
	KEY_SECTION, /* object whose members have rows */
	KEY_OBJECT,  /* object with names of the profile's own */
	KEY_STRING,
	KEY_STRINGS, /* list of strings */
	KEY_LIST,    /* list of anything */
	KEY_INTEGER,
	KEY_BOOLEAN,
	KEY_ANY,
	KEY_TYPE_COUNT,
};

struct key;

struct key_row {
	const char *path;
	enum key_type type;
	int (*set)(const struct key *k);
	size_t offset;	   /* in the format's struct, or in the target of a "*" or "[]" row */
	uint64_t min, max; /* integers and sizes */
	const char *words; /* rows that refuse: what this version does not enforce */
};

struct key_table {
	const struct key_row *rows;
	size_t n;
	const char *format; /* "profile": for "stockade's profile format has no such key" */
	/* What other files for the same purpose have below that section, and where it goes here; or NULL. */
	const char *(*foreign)(const char *section, const char *name);
};

struct places;
struct profile;
struct policy_take;

struct parse {
	struct json_file file;
	const struct key_table *table;
	struct profile *profile;    /* what a profile's keys fill */
	struct policy_take *policy; /* and what a policy's need besides (policy/policy_keys.h) */
	struct places *places;	    /* where each key that is taken stands; NULL: nobody asks */
	struct diag *d;
};

/* One member being taken. */
struct key {
	struct parse *parse;
	const struct key_row *row;
	const char *shown; /* its path for a person: "parameters.dirs.type" */
	const json_t *v;
	unsigned line;
	void *target; /* what row->offset is an offset in */
};

/* Takes every member of obj by the rows below prefix; shown is what stands for prefix in messages. */
int key_walk(struct parse *ps, const char *prefix, const char *shown, const json_t *obj, void *target) _must_check_;
/* -EINVAL and "FILE:LINE: SHOWN ..." for the member itself, or for an item of its list. */
int key_fail(const struct key *k, const char *fmt, ...) _printf_(2, 3) _must_check_;
int key_fail_at(const struct key *k, unsigned line, const char *fmt, ...) _printf_(3, 4) _must_check_;
/* The line of the i-th item of the member's list or object. */
unsigned key_item_line(const struct key *k, size_t i);
/* "FILE:LINE (SHOWN)" or "FILE:LINE (SHOWN "text")", heap. */
int key_where(const struct key *k, unsigned line, const char *text, char **ret) _must_check_;
/* One of n words: its index, else -EINVAL with a suggestion. */
int key_word(const struct key *k, const char *const *words, size_t n, size_t *ret) _must_check_;
#define KEY_FIELD(k, type) ((type *)((char *)(k)->target + (k)->row->offset))
