/* SPDX-License-Identifier: Apache-2.0 */
/* json_string - see json_string.h */
#include "shim/json_string.h"
#include <errno.h>
#include <string.h>
#include "base/text.h"
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { GROW = 4096 };

int json_cursor_grow(struct json_cursor *c)
{
	size_t left = (size_t)(c->end - c->p);
	int r;

	c->out->len = (size_t)(c->o - (unsigned char *)c->out->data);
	r = buf_reserve(c->out, left + GROW);
	if (r == -E2BIG)
		r = buf_reserve(c->out, JSON_STRING_SLACK);
	if (r < 0)
		return r == -E2BIG ? JSON_TOO_LONG : r;
	c->o = (unsigned char *)c->out->data + c->out->len;
	c->o_end = (unsigned char *)c->out->data + c->out->cap - 1;
	return 0;
}

/* Copies bytes that stand for themselves: printable ASCII but quote and backslash. Needs 16 bytes of room. */
static inline void copy_plain(struct json_cursor *c)
{
#ifdef __SSE2__
	while (c->end - c->p >= 16 && c->o_end - c->o >= JSON_STRING_SLACK) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)c->p);
		/* Signed: bytes from 0x80 up are negative, so one compare finds them and the controls. */
		__m128i bad = _mm_cmplt_epi8(v, _mm_set1_epi8(0x20));
		bad = _mm_or_si128(bad, _mm_cmpeq_epi8(v, _mm_set1_epi8('"')));
		bad = _mm_or_si128(bad, _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
		bad = _mm_or_si128(bad, _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f)));
		unsigned mask = (unsigned)_mm_movemask_epi8(bad);
		_mm_storeu_si128((__m128i *)(void *)c->o, v);
		if (mask) {
			int n = __builtin_ctz(mask);
			c->p += n;
			c->o += n;
			return;
		}
		c->p += 16;
		c->o += 16;
	}
#endif
	for (int i = 0; i < 16 && *c->p >= 0x20 && *c->p < 0x7f && *c->p != '"' && *c->p != '\\'; i++)
		*c->o++ = *c->p++;
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

/* Four hexadecimal digits at p, or -1. */
static int32_t hex4(const unsigned char *p)
{
	int32_t v = 0;

	for (int i = 0; i < 4; i++) {
		int d = p[i] >= '0' && p[i] <= '9' ? p[i] - '0' : -1;
		if (d < 0 && (p[i] | 32) >= 'a' && (p[i] | 32) <= 'f')
			d = (p[i] | 32) - 'a' + 10;
		if (d < 0)
			return -1;
		v = v << 4 | d;
	}
	return v;
}

/* At \u. A pair becomes one character; half a pair stays an escape. */
static int unicode_escape(struct json_cursor *c, unsigned *flags)
{
	int32_t high = hex4(c->p + 2), low;

	if (high < 0)
		return JSON_ESCAPE;
	c->p += 6;
	if (high < 0xd800 || high > 0xdfff) {
		put_char(c, (uint32_t)high, flags);
		return 0;
	}
	if (high < 0xdc00 && c->p[0] == '\\' && c->p[1] == 'u') {
		low = hex4(c->p + 2);
		if (low >= 0xdc00 && low <= 0xdfff) {
			c->p += 6;
			put_char(c, 0x10000 + (((uint32_t)high & 0x3ff) << 10) + ((uint32_t)low & 0x3ff), flags);
			return 0;
		}
	}
	*flags |= JSON_STRING_LONE;
	put_u(c, (uint32_t)high);
	return 0;
}

static int escape(struct json_cursor *c, unsigned *flags)
{
	unsigned char kind = c->p[1];

	switch (kind) {
	case '"':
	case '\\':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't':
		*c->o++ = '\\';
		*c->o++ = kind;
		c->p += 2;
		return 0;
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

/* One character beyond ASCII. What follows the input is below 0x20, so no continuation is looked for past it. */
static inline int beyond_ascii(struct json_cursor *c, unsigned *flags)
{
	const unsigned char *p = c->p;

	*flags |= JSON_STRING_NONASCII;
	if (p[0] >= 0xc3 && p[0] <= 0xdf && (p[1] & 0xc0) == 0x80) {
		memcpy(c->o, p, 2);
		c->p += 2;
		c->o += 2;
	} else if (p[0] >= 0xe3 && p[0] <= 0xec && (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80) {
		memcpy(c->o, p, 3);
		c->p += 3;
		c->o += 3;
	} else {
		uint32_t cp;
		size_t n = utf8_decode(p, (size_t)(c->end - p), &cp);
		if (n == 0)
			return JSON_UTF8;
		put_char(c, cp, flags);
		c->p += n;
	}
	return 0;
}

static inline int special(struct json_cursor *c, unsigned *flags)
{
	if (*c->p == '\\')
		return escape(c, flags);
	if (*c->p >= 0x80)
		return beyond_ascii(c, flags);
	if (*c->p == 0x7f) {
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
