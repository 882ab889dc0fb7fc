/* SPDX-License-Identifier: Apache-2.0 */
/* secrets_run - see secrets_run.h */
#include "shim/secrets_run.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/ascii.h"
#include "base/text.h"

enum {
	/* The longest unit is a pair of surrogates in canonical bytes, and may be turned back into characters. */
	UNIT_MAX = 2 * (2 + 5),
	BLOCK = 64,
};

/* Some bytes of the text, and what they stand for. */
struct unit {
	size_t len, n;
	char bytes[4];
};

/* --- percent-encoding --- */

static bool is_percent(const char *p, const char *end)
{
	return *p == '%' && end - p >= 3 && ascii_hex(p[1]) >= 0 && ascii_hex(p[2]) >= 0;
}

static unsigned char percent_byte(const char *p)
{
	return (unsigned char)((unsigned)ascii_hex(p[1]) << 4 | (unsigned)ascii_hex(p[2]));
}

/* May it be in the middle of something percent-encoded? */
static bool is_run(char c)
{
	return (unsigned char)c > 0x20 && c != '"' && c != '\\';
}

/* Do two bytes that a run stands for stand side by side in what is looked for? '+' may be a blank. */
static bool are_neighbours(const struct secrets_edges *e, unsigned char a, unsigned char b, bool plus_a, bool plus_b)
{
	return secrets_has_bit(e->pairs, (unsigned)a << 8 | b) ||
	       (plus_a && secrets_has_bit(e->pairs, (unsigned)' ' << 8 | b)) ||
	       (plus_b && secrets_has_bit(e->pairs, (unsigned)a << 8 | ' '));
}

/* May what is encoded there be part of what is looked for, by what is before and behind it? Most is not. */
static bool may_belong(const struct secrets *s, const char *from, const char *at, const char *end)
{
	const struct secrets_edges *e = s->edges;
	unsigned char b = percent_byte(at), before, behind;
	const char *next = at + 3;

	if (!s->bytes[b])
		return false;
	if (!secrets_has_bit(e->first, b)) {
		if (at == from || !is_run(at[-1]))
			return false;
		before = at - from >= 3 && is_percent(at - 3, end) ? percent_byte(at - 3) : (unsigned char)at[-1];
		if (!are_neighbours(e, before, b, at[-1] == '+', false))
			return false;
	}
	if (secrets_has_bit(e->last, b))
		return true;
	if (next >= end || !is_run(*next))
		return false;
	behind = is_percent(next, end) ? percent_byte(next) : (unsigned char)*next;
	return are_neighbours(e, b, behind, false, *next == '+');
}

static struct unit unit_percent(bool plus, const char *p, const char *end)
{
	if (is_percent(p, end))
		return (struct unit){ 3, 1, { (char)percent_byte(p) } };
	return (struct unit){ 1, 1, { plus && *p == '+' ? ' ' : *p } };
}

/* From there on: false when there is none. */
static bool open_percent(const struct secrets_walk *w, struct secrets_run *r, const char *from)
{
	const char *end = w->p + w->n, *at = from;

	if (r->coding == SECRETS_FORM && !w->s->bytes[' '])
		return false;
	for (; at < end && (at = memchr(at, '%', (size_t)(end - at))); at++) {
		/* What is encoded and in no value is in none that is encoded in part. */
		if (!is_percent(at, end) || !may_belong(w->s, from, at, end))
			continue;
		r->at = r->stop = at;
		while (r->at > from && is_run(r->at[-1]))
			r->at--;
		while (r->stop < end && is_run(*r->stop))
			r->stop++;
		if (r->coding != SECRETS_FORM || memchr(r->at, '+', (size_t)(r->stop - r->at)))
			return true;
		at = r->stop - 1;
	}
	return false;
}

/* --- JSON within a text --- */

/* A backslash of the text: one byte, and in canonical bytes two. 0: there is none. */
static size_t backslash(bool raw, const char *p, const char *end)
{
	size_t n = raw ? 1 : 2;

	return (size_t)(end - p) >= n && p[0] == '\\' && p[n - 1] == '\\' ? n : 0;
}

/* The number that follows "\u", or -1. */
static int32_t number(const char *p, const char *end)
{
	int32_t v = 0;

	if (end - p < 5 || *p != 'u')
		return -1;
	for (int i = 1; i < 5; i++) {
		int digit = ascii_hex(p[i]);
		if (digit < 0)
			return -1;
		v = v << 4 | digit;
	}
	return v;
}

static struct unit unit_of_number(bool raw, const char *p, const char *end, size_t slash, int32_t v)
{
	struct unit u = { .len = slash + 5 };
	size_t again = v >= 0xd800 && v < 0xdc00 ? backslash(raw, p + u.len, end) : 0;
	int32_t low = again ? number(p + u.len + again, end) : -1;

	if (low >= 0xdc00 && low < 0xe000) {
		v = 0x10000 + ((v - 0xd800) << 10) + (low - 0xdc00);
		u.len += again + 5;
	}
	/* Half a pair is in no value. */
	u.n = utf8_encode(v >= 0xd800 && v < 0xe000 ? 0xfffd : (uint32_t)v, u.bytes);
	return u;
}

static char short_escape(char c)
{
	static const char from[] = "bfnrt/", to[] = "\b\f\n\r\t/";
	const char *at = c ? strchr(from, c) : NULL;

	return at ? to[at - from] : '\0';
}

static struct unit unit_escaped(bool raw, const char *p, const char *end, size_t slash)
{
	const char *q = p + slash;
	size_t quote = raw ? 1 : 2, again = backslash(raw, q, end);
	int32_t v = number(q, end);

	if (v >= 0)
		return unit_of_number(raw, p, end, slash, v);
	if (again)
		return (struct unit){ slash + again, 1, "\\" };
	if ((size_t)(end - q) >= quote && q[quote - 1] == '"' && (raw || *q == '\\'))
		return (struct unit){ slash + quote, 1, "\"" };
	if (q < end && short_escape(*q))
		return (struct unit){ slash + 1, 1, { short_escape(*q) } };
	return (struct unit){ slash, 1, "\\" };
}

static struct unit unit_json(bool raw, const char *p, const char *end)
{
	size_t slash = *p == '\\' ? backslash(raw, p, end) : 0;

	if (slash)
		return unit_escaped(raw, p, end, slash);
	if (*p != '\\' || end - p < 2)
		return (struct unit){ 1, 1, { *p } };
	/* What the text's own escape stands for, as values have it. */
	if (p[1] == '"')
		return (struct unit){ 2, 1, "\"" };
	return short_escape(p[1]) ? (struct unit){ 2, 1, { short_escape(p[1]) } } : (struct unit){ 1, 1, "\\" };
}

/* Is there a byte of that sort and another behind it? Plain, so that the compiler makes it many at once. */
static bool block_has_two(const char *p, char c)
{
	unsigned char any = 0;

	for (int i = 0; i < BLOCK; i++)
		any |= (unsigned char)((p[i] == c) & (p[i + 1] == c));
	return any;
}

/* The next backslash of the text that a number follows, or NULL. */
static const char *next_number(bool raw, const char *p, const char *end)
{
	while (p < end && (p = memchr(p, '\\', (size_t)(end - p)))) {
		while (!raw && end - p > BLOCK && !block_has_two(p, '\\'))
			p += BLOCK;
		size_t slash = backslash(raw, p, end);
		if (slash && number(p + slash, end) >= 0)
			return p;
		p++;
	}
	return NULL;
}

/* May that be in what is looked for, by its own bytes and by plain ones beside it? */
static bool unit_may_belong(const struct secrets_edges *e, const char *from, const char *at, const char *end, bool raw)
{
	struct unit u = unit_json(raw, at, end);
	const char *next = at + u.len;
	unsigned char first = (unsigned char)u.bytes[0], last = (unsigned char)u.bytes[u.n - 1];

	for (size_t i = 1; i < u.n; i++)
		if (!secrets_has_bit(
			    e->pairs, (unsigned)(unsigned char)u.bytes[i - 1] << 8 | (unsigned char)u.bytes[i]))
			return false;
	/* Digits and what stands for one character may be the end of another escape. */
	bool plain = at > from && at[-1] != '\\' && at[-1] != '"' && !(ascii_hex(at[-1]) >= 0 && at - from > 4) &&
		     !(at - from > 1 && at[-2] == '\\');
	if (!secrets_has_bit(e->first, first) &&
		(at == from || (plain && !secrets_has_bit(e->pairs, (unsigned)(unsigned char)at[-1] << 8 | first))))
		return false;
	if (secrets_has_bit(e->last, last))
		return true;
	return next < end && (*next == '\\' || secrets_has_bit(e->pairs, (unsigned)last << 8 | (unsigned char)*next));
}

/* All that is left: in a text with one such character of a value, there may be more. */
static bool open_json(const struct secrets_walk *w, struct secrets_run *r, const char *from)
{
	const char *end = w->p + w->n;

	for (const char *at = from; (at = next_number(w->raw, at, end)); at++) {
		if (!unit_may_belong(w->s->edges, from, at, end, w->raw))
			continue;
		r->at = from;
		r->stop = end;
		return true;
	}
	return false;
}

/* --- both --- */

static struct unit unit_of(const struct secrets_walk *w, const struct secrets_run *r, const char *p)
{
	if (p < r->literal)
		return (struct unit){ 1, 1, { *p } };
	return r->coding == SECRETS_JSON ? unit_json(w->raw, p, r->stop)
					 : unit_percent(r->coding == SECRETS_FORM, p, r->stop);
}

void secrets_run_init(struct secrets_run *r, enum secrets_coding coding, const char *p)
{
	*r = (struct secrets_run){ .coding = coding, .at = p, .stop = p, .literal = p };
}

/* The room held what may be a value. */
void secrets_run_done(struct secrets_run *r)
{
	if (r->room)
		explicit_bzero(r->room, r->cap);
	free(STEAL_PTR(r->room));
}

static int grow(struct secrets_run *r, size_t n)
{
	if (n <= r->cap)
		return 0;
	secrets_run_done(r);
	r->room = malloc(n);
	r->cap = r->room ? n : 0;
	return r->room ? 0 : -ENOMEM;
}

/* The bytes that the run stands for: never more than it has. Before them is room for what step_to() turns back. */
static int decode(struct secrets_walk *w, struct secrets_run *r)
{
	int e = grow(r, UNIT_MAX + (size_t)(r->stop - r->at));

	r->literal = r->at;
	r->passed = r->n = UNIT_MAX;
	for (const char *p = r->at; e == 0 && p < r->stop;) {
		struct unit u = unit_of(w, r, p);
		memcpy(r->room + r->n, u.bytes, u.n);
		r->n += u.n;
		p += u.len;
	}
	w->work += (uint64_t)(r->stop - r->at);
	return e;
}

/* Past units that stand for that many bytes. */
static const char *step(const struct secrets_walk *w, const struct secrets_run *r, const char *p, size_t n)
{
	while (n > 0 && p < r->stop) {
		struct unit u = unit_of(w, r, p);
		n -= u.n < n ? u.n : n;
		p += u.len;
	}
	return p;
}

/* What was passed is passed: the rest of a unit whose beginning is, stands for itself. */
static void step_to(const struct secrets_walk *w, struct secrets_run *r, const char *from)
{
	while (r->at < from) {
		struct unit u = unit_of(w, r, r->at);
		r->at += u.len;
		r->passed += u.n;
	}
	if (r->at > from)
		r->literal = r->at;
	while (r->at > from)
		r->room[--r->passed] = *--r->at;
}

static bool find_in_run(struct secrets_walk *w, struct secrets_run *r)
{
	struct finder_hit h;
	bool found = finder_find(w->s->raw, r->room, r->n, r->passed, &h);

	w->work += (found ? h.at + h.len : r->n) - r->passed;
	if (!found)
		return false;
	/* To the unit that it begins in, which begins at none of its bytes where one stands for several. */
	while (r->passed < h.at) {
		struct unit u = unit_of(w, r, r->at);
		if (r->passed + u.n > h.at)
			break;
		r->at += u.len;
		r->passed += u.n;
	}
	size_t inside = h.at - r->passed;
	r->hit = (struct secrets_hit){ (size_t)(r->at - w->p), (size_t)(step(w, r, r->at, inside + h.len) - r->at),
		h.tag & SECRETS_TAG_INDEX, false };
	return true;
}

int secrets_run_next(struct secrets_walk *w, struct secrets_run *r, size_t from)
{
	const char *at = w->p + from;
	int e;

	if (r->looked && r->hit.at >= from)
		return 0;
	r->looked = true;
	for (;;) {
		if (r->at < r->stop && at < r->stop) {
			if (at > r->at)
				step_to(w, r, at);
			if (find_in_run(w, r))
				return 0;
		}
		at = r->stop > at ? r->stop : at;
		bool open = r->coding == SECRETS_JSON ? open_json(w, r, at) : open_percent(w, r, at);
		if (!open)
			break;
		e = decode(w, r);
		if (e < 0)
			return e;
		at = r->at;
	}
	r->at = r->stop = w->p + w->n;
	r->hit.at = SIZE_MAX;
	return 0;
}
