/* SPDX-License-Identifier: Apache-2.0 */
/* json_string - see json_string.h */
#include "shim/json_string.h"
#include <errno.h>
#include <string.h>
#include "base/ascii.h"
#include "base/text.h"
#include "shim/invisible.h"

enum { GROW = 4096 };

int json_cursor_grow(struct json_cursor *c, size_t room)
{
	size_t left = (size_t)(c->end - c->p);
	int r;

	c->out->len = (size_t)(c->o - (unsigned char *)c->out->data);
	r = buf_reserve(c->out, left + GROW);
	if (r == -E2BIG)
		r = buf_reserve(c->out, room);
	if (r < 0)
		return r == -E2BIG ? JSON_TOO_LONG : r;
	c->o = (unsigned char *)c->out->data + c->out->len;
	c->o_end = (unsigned char *)c->out->data + c->out->cap - 1;
	return 0;
}

#ifdef __SSE2__
/* What may follow a backslash, is canonical as it stands, and is nothing odd. */
static inline bool is_short_escape(unsigned char c)
{
	static const bool shorts[256] = { ['"'] = true, ['\\'] = true, ['n'] = true, ['t'] = true };

	return shorts[c];
}

/* Copies one block up to what needs a closer look. The count; *ret_stop says whether there is such a thing. */
static inline int copy_block(const unsigned char *p, unsigned char *o, bool *ret_stop)
{
	unsigned mask = json_block_special(p, o);

	*ret_stop = false;
	while (mask) {
		int i = __builtin_ctz(mask);
		if (p[i] != '\\' || !is_short_escape(p[i + 1])) {
			*ret_stop = true;
			return i;
		}
		if (i == 15) {
			o[16] = p[16];
			return 17;
		}
		mask &= ~(3u << i);
	}
	return 16;
}
#endif

/* Copies bytes that stand for themselves: printable ASCII but quote and backslash. Needs JSON_STRING_SLACK of room. */
static inline void copy_plain(struct json_cursor *c)
{
	/* A store through a byte pointer may alias the cursor itself: locals stay in registers. */
	const unsigned char *p = c->p, *end = c->end;
	unsigned char *o = c->o, *o_end = c->o_end;

#ifdef __SSE2__
	while (end - p >= 16 && o_end - o >= JSON_STRING_SLACK) {
		bool stop;
		int n = copy_block(p, o, &stop);
		p += n;
		o += n;
		if (stop) {
			c->p = p;
			c->o = o;
			return;
		}
	}
#endif
	for (int i = 0; i < 16 && *p >= 0x20 && *p < 0x7f && *p != '"' && *p != '\\'; i++)
		*o++ = *p++;
	c->p = p;
	c->o = o;
}

static void put_u(struct json_cursor *c, uint32_t unit)
{
	static const char hex[] = "0123456789abcdef";

	*c->o++ = '\\';
	*c->o++ = 'u';
	for (int shift = 12; shift >= 0; shift -= 4)
		*c->o++ = (unsigned char)hex[unit >> shift & 15];
}

/* Writes one character, escaped where the canonical form wants it. */
static void put_char(struct json_cursor *c, uint32_t cp, unsigned *flags)
{
	static const char shorts[32] = { ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r' };

	if (cp == 0)
		*flags |= JSON_STRING_NUL;
	if (invisible_is_candidate(cp))
		*flags |= JSON_STRING_ODD;
	if (cp == '"' || cp == '\\' || (cp < 0x20 && shorts[cp])) {
		*c->o++ = '\\';
		*c->o++ = cp < 0x20 ? (unsigned char)shorts[cp] : (unsigned char)cp;
	} else if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x2028 || cp == 0x2029) {
		put_u(c, cp);
	} else {
		c->o += utf8_encode(cp, (char *)c->o);
		if (cp >= 0x80)
			*flags |= JSON_STRING_NONASCII;
	}
}

/* At \u. A pair becomes one character; half a pair stays an escape. */
static int unicode_escape(struct json_cursor *c, unsigned *flags)
{
	int32_t high = ascii_hex4((const char *)c->p + 2), low;

	if (high < 0)
		return JSON_ESCAPE;
	c->p += 6;
	if (high < 0xd800 || high > 0xdfff) {
		put_char(c, (uint32_t)high, flags);
		return 0;
	}
	if (high < 0xdc00 && c->p[0] == '\\' && c->p[1] == 'u') {
		low = ascii_hex4((const char *)c->p + 2);
		if (low >= 0xdc00 && low <= 0xdfff) {
			c->p += 6;
			put_char(c, 0x10000 + (((uint32_t)high & 0x3ff) << 10) + ((uint32_t)low & 0x3ff), flags);
			return 0;
		}
	}
	*flags |= JSON_STRING_LONE | JSON_STRING_ODD;
	put_u(c, (uint32_t)high);
	return 0;
}

static int short_escape(struct json_cursor *c)
{
	*c->o++ = '\\';
	*c->o++ = c->p[1];
	c->p += 2;
	return 0;
}

static int escape(struct json_cursor *c, unsigned *flags)
{
	switch (c->p[1]) {
	case 'b':
	case 'f':
	case 'r':
		*flags |= JSON_STRING_ODD;
		return short_escape(c);
	case '"':
	case '\\':
	case 'n':
	case 't':
		return short_escape(c);
	case '/':
		*c->o++ = '/';
		c->p += 2;
		return 0;
	case 'u':
		return unicode_escape(c, flags);
	default:
		return JSON_ESCAPE;
	}
}

/* A character that is neither valid in the short way below nor copied as it is: controls, and what is invalid. */
static int odd_character(struct json_cursor *c, unsigned *flags)
{
	uint32_t cp;
	size_t n = utf8_decode(c->p, (size_t)(c->end - c->p), &cp);

	if (n == 0)
		return JSON_UTF8;
	put_char(c, cp, flags);
	c->p += n;
	return 0;
}

/* Are these the first two bytes of a character that is escaped or that invisible.h looks at? A bit each for some first
 * bytes; of a second one, those after which it may be. */
static inline bool is_odd_pair(const unsigned char *p)
{
	enum { E1 = 1, E2 = 2, E3 = 4, EF = 8, CD = 16, D8 = 32 };
	static const uint8_t first[256] = {
		[0xe1] = E1, [0xe2] = E2, [0xe3] = E3, [0xef] = EF, [0xcd] = CD, [0xd8] = D8
	};
	static const uint8_t second[256] = { [0x80] = E2,
		[0x81] = E2,
		[0x85] = E1 | E3,
		[0x8f] = CD,
		[0x9c] = D8,
		[0x9e] = E1,
		[0xa0] = E1,
		[0xb7] = EF,
		[0xb8] = EF,
		[0xbb] = EF,
		[0xbe] = EF,
		[0xbf] = EF };

	return first[p[0]] & second[p[1]];
}

/* The length of the character at p when it is one of two or three bytes that is copied as it is; else 0. What follows
 * the input is below 0x20, so no continuation is looked for past it. */
static inline int plain_beyond_ascii(const unsigned char *p)
{
	if (is_odd_pair(p))
		return 0;
	if (p[0] >= 0xc3 && p[0] <= 0xdf)
		return (p[1] & 0xc0) == 0x80 ? 2 : 0;
	if (p[0] >= 0xe1 && p[0] <= 0xef && p[0] != 0xed)
		return (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80 ? 3 : 0;
	return 0;
}

/* A run of characters beyond ASCII. */
static int beyond_ascii(struct json_cursor *c, unsigned *flags)
{
	const unsigned char *p = c->p;
	unsigned char *o = c->o, *o_end = c->o_end;
	int n;

	*flags |= JSON_STRING_NONASCII;
	while (o_end - o >= 16 && *p >= 0x80 && (n = plain_beyond_ascii(p)) > 0) {
		/* Of a character of two bytes the third is written over by what follows. */
		memcpy(o, p, 2);
		o[2] = p[n - 1];
		p += n;
		o += n;
	}
	c->p = p;
	c->o = o;
	return *p >= 0x80 && o_end - o >= 16 ? odd_character(c, flags) : 0;
}

static inline int special(struct json_cursor *c, unsigned *flags)
{
	if (*c->p == '\\')
		return escape(c, flags);
	if (*c->p >= 0x80)
		return beyond_ascii(c, flags);
	if (*c->p == 0x7f) {
		*flags |= JSON_STRING_ODD;
		put_u(c, *c->p++);
		return 0;
	}
	if (*c->p < 0x20)
		return c->p == c->end ? JSON_SYNTAX : JSON_CONTROL;
	return 0;
}

int json_copy_string(struct json_cursor *c, unsigned *ret_flags)
{
	*ret_flags = 0;
	for (;;) {
		int r = json_cursor_room(c);
		if (r)
			return r;
		copy_plain(c);
		if (*c->p == '"') {
			*c->o++ = *c->p++;
			return 0;
		}
		r = special(c, ret_flags);
		if (r)
			return r;
	}
}
