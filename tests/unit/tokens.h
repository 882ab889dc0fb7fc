/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tokens - a reader of JSON for tests alone, which shares nothing with the shim's and forgets nothing: keys keep their
 * order, numbers their spelling, strings every code unit
 */
#pragma once
#include "tests/unit/unit.h"
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct token {
	char sort; /* one of {}[]:, or '"' (p and n are the inside), '0' (a number), 'a' (a word), '\0' at the end */
	const char *p;
	size_t n;
};

static inline struct token token_next(const char **at)
{
	const char *p = *at + strspn(*at, " \t\r\n"), *from = p;

	if (!*p || strchr("{}[]:,", *p)) {
		*at = p + (*p != '\0');
		return (struct token){ *p, p, *p != '\0' };
	}
	if (*p == '"') {
		for (p++; *p && *p != '"'; p++)
			p += *p == '\\' && p[1];
		*at = p + (*p == '"');
		return (struct token){ '"', from + 1, (size_t)(p - from) - 1 };
	}
	p += strcspn(p, "{}[]:,\" \t\r\n");
	*at = p;
	return (struct token){ strchr("-0123456789", *from) ? '0' : 'a', from, (size_t)(p - from) };
}

/* The inside of a string, read one UTF-16 code unit after the other. */
struct units {
	const char *p, *end;
	uint32_t low; /* the second half of a pair that is still to come */
};

static inline uint32_t units_escape(struct units *u)
{
	static const char short_forms[] = "bfnrt", meant[] = "\b\f\n\r\t";
	char c = *u->p++;
	uint32_t v = 0;

	if (c != 'u') {
		const char *known = strchr(short_forms, c);
		return known ? (unsigned char)meant[known - short_forms] : (unsigned char)c;
	}
	for (int i = 0; i < 4 && u->p < u->end; i++, u->p++)
		v = v << 4 | (uint32_t)(*u->p <= '9' ? *u->p - '0' : (*u->p | 0x20) - 'a' + 10);
	return v;
}

static inline uint32_t units_utf8(struct units *u)
{
	unsigned char c = (unsigned char)*u->p++;
	int more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
	uint32_t cp = more ? c & (0x3fU >> more) : c;

	for (; more && u->p < u->end; more--)
		cp = cp << 6 | ((unsigned char)*u->p++ & 0x3f);
	if (cp < 0x10000)
		return cp;
	u->low = 0xdc00 | ((cp - 0x10000) & 0x3ff);
	return 0xd800 | (cp - 0x10000) >> 10;
}

/* UINT32_MAX at the end. */
static inline uint32_t units_next(struct units *u)
{
	uint32_t low = u->low;

	u->low = 0;
	if (low)
		return low;
	if (u->p >= u->end)
		return UINT32_MAX;
	if (*u->p != '\\')
		return units_utf8(u);
	u->p++;
	return units_escape(u);
}

static inline bool token_same(struct token a, struct token b)
{
	struct units x = { a.p, a.p + a.n, 0 }, y = { b.p, b.p + b.n, 0 };

	if (a.sort != b.sort)
		return false;
	if (a.sort != '"')
		return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
	for (;;) {
		uint32_t c = units_next(&x);
		if (c != units_next(&y))
			return false;
		if (c == UINT32_MAX)
			return true;
	}
}

/* Do both mean the same to every reader? Blanks and how a string is escaped are no matter; all else is. */
static inline bool tokens_same(const char *a, const char *b)
{
	struct token x, y;

	do {
		x = token_next(&a);
		y = token_next(&b);
		if (!token_same(x, y))
			return false;
	} while (x.sort);
	return true;
}

/* Where the value that begins there ends. */
static inline const char *tokens_skip(const char *at)
{
	int depth = 0;

	do {
		struct token t = token_next(&at);
		depth += t.sort == '{' || t.sort == '[';
		depth -= t.sort == '}' || t.sort == ']';
		assert_true(t.sort != '\0');
	} while (depth > 0);
	return at;
}

/* Steps from '{' or from behind a member to the next one: its key, and where its value begins; *at is behind it. */
static inline bool tokens_member(const char **at, struct token *ret_key, const char **ret_value)
{
	struct token t = token_next(at);

	if (t.sort == '{' || t.sort == ',')
		t = token_next(at);
	if (t.sort != '"')
		return false;
	*ret_key = t;
	t = token_next(at);
	assert_int_equal(t.sort, ':');
	*ret_value = *at + strspn(*at, " ");
	*at = tokens_skip(*at);
	return true;
}

/* Where the value of that member of the object begins; NULL when it has none. */
static inline const char *tokens_get(const char *object, const char *name)
{
	struct token key;
	const char *value;

	if (!object || *object != '{')
		return NULL;
	while (tokens_member(&object, &key, &value))
		if (key.n == strlen(name) && memcmp(key.p, name, key.n) == 0)
			return value;
	return NULL;
}
