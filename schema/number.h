/* SPDX-License-Identifier: Apache-2.0 */
/*
 * number - decimal numbers as they are spelt, compared and divided without rounding
 *
 * Process:  shim, supervisor
 * Owns:     nothing; a number points into the text it was read from
 * Limits:   NUMBER_EXPONENT_DIGITS digits in an exponent, NUMBER_DIVISOR_DIGITS significant digits in a divisor
 *
 * A double would take 9007199254740993 for its neighbour, and 0.3 for no multiple of 0.1.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NUMBER_EXPONENT_DIGITS = 9, NUMBER_DIVISOR_DIGITS = 18 };

enum number_error { NUMBER_OK, NUMBER_SYNTAX, NUMBER_EXPONENT };

/* The value is the significant digits from first to last, a point among them skipped, times ten to the power of low. */
struct number {
	const char *first, *last; /* no zero at either end; both NULL for 0 */
	int64_t high, low;	  /* what the first and the last digit count: powers of ten */
	bool negative;
};

struct number_divisor {
	uint64_t digits; /* not 0 */
	int64_t low;
};

/* RFC 8259, section 6. */
enum number_error number_read(const char *text, size_t n, struct number *ret);
/* Below, at or above 0. */
int number_compare(const struct number *a, const struct number *b);
/* Equal numbers have equal hashes, however they are spelt. */
uint32_t number_hash(const struct number *a);
/* False: it has too many digits, or is not above 0. */
bool number_to_divisor(const struct number *a, struct number_divisor *ret);
bool number_is_multiple(const struct number *a, const struct number_divisor *d);
/* A whole number from 0 up; what is beyond 64 bits becomes UINT64_MAX. False: it is no such number. */
bool number_to_count(const struct number *a, uint64_t *ret);

static inline bool number_is_zero(const struct number *a)
{
	return !a->first;
}

static inline bool number_is_whole(const struct number *a)
{
	return !a->first || a->low >= 0;
}
