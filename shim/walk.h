/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walk - a cursor over canonical bytes (json.h): members, elements, text
 *
 * Process:  shim
 * Owns:     nothing; all slices point into the canonical bytes
 *
 * The bytes have been validated, so nothing here can fail on their form; a slice of the wrong sort simply has no
 * members.
 */
#pragma once
#include "shim/role.h"
#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"

struct slice {
	const char *p;
	size_t n;
};

#define SLICE(literal) ((struct slice){ (literal), sizeof(literal) - 1 })

struct walk {
	const char *p; /* at the next key or element, or at the closing bracket; NULL when there is nothing */
};

static inline bool slice_is(struct slice s, const char *text)
{
	return s.n == __builtin_strlen(text) && __builtin_memcmp(s.p, text, s.n) == 0;
}

static inline bool slice_equal(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || __builtin_memcmp(a.p, b.p, a.n) == 0);
}

/* What is not there, which some languages write as null. */
static inline bool walk_is_none(struct slice value)
{
	return value.n == 0 || slice_is(value, "null");
}

/* The first byte after the value that begins at p. */
const char *walk_skip(const char *p);
/* Walks the members of an object; any other value has none. */
struct walk walk_object(struct slice value);
bool walk_member(struct walk *w, struct slice *ret_key, struct slice *ret_value);
/* Walks the elements of an array; any other value has none. */
struct walk walk_array(struct slice value);
bool walk_element(struct walk *w, struct slice *ret_value);
/* The member of that name (canonical bytes of the key), or an empty slice. */
struct slice walk_get(struct slice object, const char *name);
/* The inside of a string; an empty slice for any other value (p NULL). */
struct slice walk_string(struct slice value);
/* Does the inside of a string hold U+0000 or half a surrogate pair? */
bool walk_is_broken(struct slice inside);
/* Appends the text of a string's inside, unescaped; half pairs become U+FFFD, U+0000 stays a NUL byte. */
int walk_text(struct buf *b, struct slice inside) _must_check_;
static inline bool walk_is_object(struct slice value)
{
	return value.n > 0 && value.p[0] == '{';
}
static inline bool walk_is_array(struct slice value)
{
	return value.n > 0 && value.p[0] == '[';
}
