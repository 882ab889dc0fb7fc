/* SPDX-License-Identifier: Apache-2.0 */
/*
 * skim - finds the id of a message that was refused, so that it can be answered
 *
 * Process:  shim
 * Owns:     nothing; fixed size, so a line of any length can be fed in pieces
 * Limits:   SKIM_ID_MAX bytes an id, SKIM_KEY_MAX a key
 *
 * Nothing is decided by what this finds except which request gets an error. It looks at keys of the outermost object,
 * keeps track of strings and brackets, and takes no notice of anything else.
 */
#pragma once
#include "shim/role.h"
#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

enum { SKIM_ID_MAX = 256, SKIM_KEY_MAX = 8 };

struct skim {
	uint32_t depth;
	bool started;		      /* the outermost value has begun; at depth 0 it is no object, or is closed */
	bool in_string, escaped;      /* where we are */
	bool want_key, in_key, in_id; /* in the outermost object */
	char key[SKIM_KEY_MAX];
	uint32_t key_len;
	char id[SKIM_ID_MAX + 1];
	uint32_t id_len;
	bool id_too_long;
	uint32_t ids, methods, answers; /* how many of those keys: id; method; result or error */
};

void skim_init(struct skim *s);
void skim_feed(struct skim *s, const char *p, size_t n);
/* The id as it was spelt, trimmed, when there was exactly one; else NULL. */
const char *skim_id(const struct skim *s, size_t *ret_len);
