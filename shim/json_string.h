/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_string - copies the inside of a JSON string in canonical form
 *
 * Process:  shim
 * Limits:   the caller gives room; JSON_STRING_SLACK bytes are asked for before each step
 */
#pragma once
#include "shim/role.h"
#include "shim/json.h"
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { JSON_STRING_SLACK = 64 };

enum json_string_flags {
	JSON_STRING_LONE = 1 << 0,     /* has half a surrogate pair */
	JSON_STRING_NUL = 1 << 1,      /* has U+0000 */
	JSON_STRING_NONASCII = 1 << 2, /* the canonical bytes are not all ASCII */
	JSON_STRING_ODD = 1 << 3       /* has what invisible.h looks at */
};

/* Where the reader and the writer stand. */
struct json_cursor {
	const unsigned char *p, *end; /* input; *end is readable and below 0x20 */
	unsigned char *o, *o_end;     /* output */
	struct buf *out;	      /* what o points into */
};

#ifdef __SSE2__
/* Copies 16 bytes from p to o; the bit of each that does not stand for itself in a canonical string. */
static inline unsigned json_block_special(const unsigned char *p, unsigned char *o)
{
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
	/* Signed: bytes from 0x80 up are negative, so one compare finds them and the controls. */
	__m128i bad = _mm_cmplt_epi8(v, _mm_set1_epi8(0x20));

	bad = _mm_or_si128(bad, _mm_cmpeq_epi8(v, _mm_set1_epi8('"')));
	bad = _mm_or_si128(bad, _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
	bad = _mm_or_si128(bad, _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f)));
	_mm_storeu_si128((__m128i *)(void *)o, v);
	return (unsigned)_mm_movemask_epi8(bad);
}
#endif

/* Makes room for so many bytes more, but for JSON_STRING_SLACK no more than are left to read: 0, JSON_TOO_LONG,
 * -ENOMEM. */
int json_cursor_grow(struct json_cursor *c, size_t room) _must_check_;
/* From after the opening quote to after the closing one; writes the inside and the closing quote. */
int json_copy_string(struct json_cursor *c, unsigned *ret_flags) _must_check_;

/* Most strings are short and plain: those that end within 16 bytes are done here. False: nothing was consumed. */
static inline bool json_copy_short(struct json_cursor *c)
{
#ifdef __SSE2__
	const unsigned char *p = c->p;
	unsigned char *o = c->o;

	if (c->end - p < 16 || c->o_end - o < JSON_STRING_SLACK)
		return false;
	unsigned mask = json_block_special(p, o);
	if (mask == 0)
		return false;
	int n = __builtin_ctz(mask);
	if (p[n] != '"')
		return false;
	c->p = p + n + 1;
	c->o = o + n + 1;
	return true;
#else
	return false;
#endif
}

static inline int json_cursor_room(struct json_cursor *c)
{
	return c->o_end - c->o >= JSON_STRING_SLACK ? 0 : json_cursor_grow(c, JSON_STRING_SLACK);
}
