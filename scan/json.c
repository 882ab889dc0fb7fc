/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json - the texts of a definition that is JSON
 *
 * Process:  shim, supervisor
 * Limits:   SCAN_DEPTH_MAX, SCAN_TEXT_MAX
 *
 * Every string is a text, and every key below which a schema has names. Other keys are the protocol's or a schema's,
 * and are looked at only when they are no such words. What is not JSON ends the walk and is found: half of a definition
 * was not read.
 */
#include <string.h>
#include "base/ascii.h"
#include "base/text.h"
#include "scan/work.h"

enum { KEY_PLAIN_MAX = 28 };

struct cursor {
	struct scan *s;
	const char *p, *end;
	int depth;
	bool broken;
};

/* Objects whose keys are names that the server chose. */
static const char *const named[] = { "properties", "patternProperties", "$defs", "definitions", "dependentSchemas",
	"dependentRequired", "_meta" };

static void blanks(struct cursor *c)
{
	while (c->p < c->end && (*c->p == ' ' || *c->p == '\t' || *c->p == '\n' || *c->p == '\r'))
		c->p++;
}

static bool take(struct cursor *c, char wanted)
{
	blanks(c);
	if (c->p < c->end && *c->p == wanted) {
		c->p++;
		return true;
	}
	return false;
}

static bool hex4(struct cursor *c, uint32_t *ret)
{
	int32_t v = c->end - c->p < 4 ? -1 : ascii_hex4(c->p);

	*ret = (uint32_t)v;
	c->p += v < 0 ? 0 : 4;
	return v >= 0;
}

/* The character behind "\u"; half a pair is U+FFFD. */
static bool unescape_u(struct cursor *c, uint32_t *ret)
{
	uint32_t low;

	if (!hex4(c, ret))
		return false;
	if (*ret >= 0xd800 && *ret < 0xdc00 && c->end - c->p >= 6 && c->p[0] == '\\' && c->p[1] == 'u') {
		const char *back = c->p;
		c->p += 2;
		if (!hex4(c, &low))
			return false;
		if (low >= 0xdc00 && low < 0xe000) {
			*ret = 0x10000 + ((*ret - 0xd800) << 10) + (low - 0xdc00);
			return true;
		}
		c->p = back;
	}
	if (*ret >= 0xd800 && *ret < 0xe000)
		*ret = 0xfffd;
	return true;
}

static bool unescape(struct cursor *c, char out[4], size_t *ret_len)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at;
	uint32_t cp;

	if (c->p == c->end)
		return false;
	if (*c->p == 'u') {
		c->p++;
		if (!unescape_u(c, &cp))
			return false;
		*ret_len = utf8_encode(cp, out);
		return true;
	}
	at = memchr(from, *c->p++, sizeof(from) - 1);
	if (!at)
		return false;
	out[0] = to[at - from];
	*ret_len = 1;
	return true;
}

struct text {
	const char *p;
	size_t n;
};

/* From the first escape on, a copy without them. Only as much is kept as is scanned; n is all of it. */
static bool read_escaped(struct cursor *c, const char *from, struct text *ret)
{
	char *out = c->s->unescaped;
	size_t n = (size_t)(c->p - from);

	memcpy(out, from, n < SCAN_TEXT_MAX ? n : SCAN_TEXT_MAX);
	while (c->p < c->end && *c->p != '"') {
		char piece[4];
		size_t len = 1;
		if (*c->p == '\\') {
			c->p++;
			if (!unescape(c, piece, &len))
				return false;
		} else {
			piece[0] = *c->p++;
		}
		if (n + len <= SCAN_TEXT_MAX)
			memcpy(out + n, piece, len);
		n += len;
	}
	*ret = (struct text){ out, n };
	return take(c, '"');
}

/* The text of a string, whose opening quote has been read. Valid until the next. */
static bool read_string(struct cursor *c, struct text *ret)
{
	const char *from = c->p, *quote = memchr(from, '"', (size_t)(c->end - from)), *end = quote ? quote : c->end;
	const char *back = memchr(from, '\\', (size_t)(end - from));

	c->p = back ? back : end;
	if (back)
		return read_escaped(c, from, ret);
	*ret = (struct text){ from, (size_t)(c->p - from) };
	return take(c, '"');
}

static size_t path_add(struct scan *s, const char *between, const char *p, size_t n)
{
	size_t before = s->where_len, room = SCAN_PATH_MAX - 1 - before, len = strlen(between);

	if (before > 0 && len <= room) {
		memcpy(s->where + before, between, len);
		s->where_len += len;
		room -= len;
	}
	n = n < room ? n : room;
	for (size_t i = 0; i < n; i++)
		s->where[s->where_len + i] = p[i] ? p[i] : ' ';
	s->where_len += n;
	s->where[s->where_len] = '\0';
	return before;
}

static void path_cut(struct scan *s, size_t to)
{
	s->where_len = to;
	s->where[to] = '\0';
}

static bool is_plain_key(const char *p, size_t n)
{
	if (n > KEY_PLAIN_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!((p[i] >= 'a' && p[i] <= 'z') || (p[i] >= 'A' && p[i] <= 'Z') || p[i] == '$' || p[i] == '_'))
			return false;
	return true;
}

static bool is_named(const char *key, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(named); i++)
		if (strlen(named[i]) == n && memcmp(named[i], key, n) == 0)
			return true;
	return false;
}

static bool walk(struct cursor *c, bool names, bool outermost);

static bool walk_member(struct cursor *c, bool names, bool outermost)
{
	struct scan *s = c->s;
	struct text t;
	size_t back;
	bool below, is_name;

	if (!take(c, '"') || !read_string(c, &t))
		return false;
	below = !names && is_named(t.p, t.n);
	is_name = outermost && t.n == 4 && memcmp(t.p, "name", 4) == 0;
	back = path_add(s, ".", t.p, t.n < SCAN_TEXT_MAX ? t.n : SCAN_TEXT_MAX);
	if (names || !is_plain_key(t.p, t.n))
		scan_key(s, s->where, t.p, t.n);
	if (!take(c, ':'))
		return false;
	blanks(c);
	if (is_name && c->p < c->end && *c->p == '"') {
		c->p++;
		if (!read_string(c, &t))
			return false;
		scan_name(s, t.p, t.n);
	} else if (!walk(c, below, false)) {
		return false;
	}
	path_cut(s, back);
	return true;
}

static bool walk_object(struct cursor *c, bool names, bool outermost)
{
	if (take(c, '}'))
		return true;
	do {
		if (!walk_member(c, names, outermost))
			return false;
	} while (take(c, ','));
	return take(c, '}');
}

static bool walk_array(struct cursor *c)
{
	size_t back = path_add(c->s, "[]", "", 0);

	if (!take(c, ']')) {
		do {
			if (!walk(c, false, false))
				return false;
		} while (take(c, ','));
		if (!take(c, ']'))
			return false;
	}
	path_cut(c->s, back);
	return true;
}

/* Numbers and the three words hold no text. */
static bool walk_other(struct cursor *c)
{
	const char *from = c->p;

	while (c->p < c->end && (*c->p == '-' || *c->p == '+' || *c->p == '.' || (*c->p >= '0' && *c->p <= '9') ||
					((*c->p | 0x20) >= 'a' && (*c->p | 0x20) <= 'z')))
		c->p++;
	return c->p > from;
}

static bool walk(struct cursor *c, bool names, bool outermost)
{
	struct text t;
	bool r;

	if (c->depth >= SCAN_DEPTH_MAX)
		return false;
	c->depth++;
	if (take(c, '{')) {
		r = walk_object(c, names, outermost);
	} else if (take(c, '[')) {
		r = walk_array(c);
	} else if (take(c, '"')) {
		r = read_string(c, &t);
		if (r)
			scan_text(c->s, c->s->where, t.p, t.n);
	} else {
		r = walk_other(c);
	}
	c->depth--;
	return r;
}

const struct scan_findings *scan_definition(struct scan *s, enum scan_kind kind, const char *json, size_t n)
{
	struct cursor c = { .s = s, .p = json, .end = json + n };
	bool whole;

	scan_begin(s, kind);
	path_cut(s, 0);
	if (kind == SCAN_INSTRUCTIONS)
		path_add(s, "", "instructions", 12);
	whole = walk(&c, false, true);
	blanks(&c);
	if (!whole || c.p != c.end) {
		s->path = s->where;
		s->raw_len = 0;
		found(s, RULE_SIZE_UNREAD, 0, 0);
	}
	return scan_end(s);
}
