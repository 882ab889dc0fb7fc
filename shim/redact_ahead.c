/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redact_ahead - see redact.h: past what none of the sets can know, several bytes at a time
 *
 * Every form but a mail address begins with a digit, or with a capital and then a digit or capital; a mail address has
 * an '@'. Most text has neither where a word begins, and most numbers are too short.
 */
#include <string.h>
#include "base/ascii.h"
#include "shim/redact.h"
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
	DIGITS_ALONE = 9, /* in the shortest form without letters */
	DIGITS_AND_LETTER = 8,
	DIGITS_BEFORE = 6, /* in the shortest that goes on with a capital */
	MAIL_LOCAL = 65,   /* before an '@', see redact_match */
	ESCAPE_MAX = 6,	   /* bytes of one, \u001b */
};

static bool is_between(char c)
{
	return c == '-' || c == ' ' || c == '.';
}

/* Enough digits, with no more than one sign between each two? */
static bool number_may_be(const char *p, const char *end)
{
	int digits = 0;

	while (p < end && digits < DIGITS_ALONE) {
		if (ascii_is_digit(*p))
			digits++;
		else if (!is_between(*p) || p + 1 == end || is_between(p[1]))
			break;
		p++;
	}
	if (digits == DIGITS_ALONE)
		return true;
	p += p < end && is_between(*p);
	if (digits < DIGITS_BEFORE || p >= end || !ascii_is_capital(*p))
		return false;
	/* Eight digits and a letter are a form, dates and times are not. */
	return digits != DIGITS_AND_LETTER || p + 1 == end || !ascii_is_word(p[1]);
}

/* A capital and digits, two capitals and digits, or six capitals. */
static bool capitals_may_be(const char *p, const char *end)
{
	if (end - p < 6)
		return false;
	if (ascii_is_digit(p[1]))
		return true;
	if (!ascii_is_capital(p[1]))
		return false;
	if (ascii_is_capital(p[2]))
		return ascii_is_capital(p[3]) && ascii_is_capital(p[4]) && ascii_is_capital(p[5]);
	return ascii_is_digit(p[2]) || is_between(p[2]);
}

static bool may_be(const char *p, const char *end)
{
	return ascii_is_digit(*p) ? number_may_be(p, end) : ascii_is_capital(*p) && capitals_may_be(p, end);
}

/* Is p within a word? With escaped, the bytes of an escape belong to none. */
static bool is_inside(const char *text, const char *p, bool escaped)
{
	if (p == text || !ascii_is_word(p[-1]))
		return false;
	for (int i = 2; escaped && i <= ESCAPE_MAX && p - i >= text; i++)
		if (p[-i] == '\\')
			return false;
	return true;
}

/* The first before stop where a form but a mail address may begin; else stop. */
static const char *next_bytewise(const char *text, const char *p, const char *stop, const char *end, bool escaped)
{
	for (; p < stop; p++)
		if (may_be(p, end) && !is_inside(text, p, escaped))
			return p;
	return stop;
}

#ifdef __SSE2__
enum { BLOCK = 16, BLOCK_ALL = 0xffff };

static inline __m128i within(__m128i v, char first, char count)
{
	__m128i from = _mm_sub_epi8(v, _mm_set1_epi8(first));

	return _mm_cmpeq_epi8(_mm_min_epu8(from, _mm_set1_epi8((char)(count - 1))), from);
}

static inline unsigned bits(__m128i v)
{
	return (unsigned)_mm_movemask_epi8(v);
}

static inline __m128i load(const char *p)
{
	return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* Digits, and what may stand between two of them. */
static inline unsigned of_number(__m128i v)
{
	/* Between '-' and '.' is nothing else. */
	return bits(_mm_or_si128(
		_mm_or_si128(within(v, '0', 10), within(v, '-', 2)), _mm_cmpeq_epi8(v, _mm_set1_epi8(' '))));
}

/* Where in the block a number can begin, whatever is before it: DIGITS_BEFORE at least, one after the other. What is
 * not known may be anything. */
static inline unsigned numbers(const char *p, const char *end, unsigned digits)
{
	unsigned next = end - p >= 2 * BLOCK ? of_number(load(p + BLOCK)) : BLOCK_ALL;
	unsigned number = of_number(load(p)) | next << BLOCK, two = number & number >> 1, four = two & two >> 2;

	return digits & four & two >> 4;
}

/* The same for a capital with a digit or a capital behind it. */
static inline unsigned of_capitals(const char *p, const char *end, unsigned digits, unsigned capitals)
{
	unsigned next = end - p > BLOCK && (ascii_is_digit(p[BLOCK]) || ascii_is_capital(p[BLOCK]));

	return capitals & ((digits | capitals) >> 1 | next << (BLOCK - 1));
}

static inline unsigned beginnings(const char *p, const char *end, unsigned digits, unsigned capitals)
{
	return (digits ? numbers(p, end, digits) : 0) | (capitals ? of_capitals(p, end, digits, capitals) : 0);
}

static const char *next_number(const char *text, const char *p, const char *stop, const char *end, bool escaped)
{
	for (; p < stop && end - p >= BLOCK; p += BLOCK) {
		__m128i v = load(p), digits = within(v, '0', 10), capitals = within(v, 'A', 26);
		if (!bits(_mm_or_si128(digits, capitals)))
			continue;
		for (unsigned found = beginnings(p, end, bits(digits), bits(capitals)); found; found &= found - 1) {
			const char *at = p + __builtin_ctz(found);
			if (at >= stop)
				return stop;
			if (!is_inside(text, at, escaped) && may_be(at, end))
				return at;
		}
	}
	return p < stop ? next_bytewise(text, p, stop, end, escaped) : stop;
}
#else
static const char *next_number(const char *text, const char *p, const char *stop, const char *end, bool escaped)
{
	return next_bytewise(text, p, stop, end, escaped);
}
#endif

/* Where the address of the next '@' from there on may begin at the earliest. */
static void look_for_mail(const char *text, const char *p, const char *end, struct redact_ahead *a)
{
	a->sign = memchr(p, '@', (size_t)(end - p));
	if (!a->sign)
		a->sign = end;
	a->mail = a->sign;
	while (a->sign < end && a->mail > text && a->sign - a->mail < MAIL_LOCAL && redact_is_local(a->mail[-1]))
		a->mail--;
}

const char *redact_next(
	uint32_t sets, const char *text, const char *p, const char *end, bool escaped, struct redact_ahead *a)
{
	const char *at;

	if (!(sets >> SHIM_SET_MAIL & 1))
		return next_number(text, p, end, end, escaped);
	if (!a->sign || a->sign < p)
		look_for_mail(text, p, end, a);
	at = p < a->mail ? next_number(text, p, a->mail, end, escaped) : p;
	if (at < a->mail)
		return at;
	for (; at < a->sign; at++)
		if (ascii_is_word(*at) && !is_inside(text, at, escaped))
			return at;
	/* An address without a word: what follows its '@' is not of it. */
	return a->sign == end ? end : a->sign + 1;
}
