/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ascii - which letters and digits a byte is, in no language but ours
 *
 * Process:  any
 *
 * ctype.h asks the locale, and takes an unsigned char alone.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

static inline bool ascii_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool ascii_is_capital(char c)
{
	return c >= 'A' && c <= 'Z';
}

static inline bool ascii_is_letter(char c)
{
	return (c | 32) >= 'a' && (c | 32) <= 'z';
}

/* Of what expressions take for a word. */
static inline bool ascii_is_word(char c)
{
	return ascii_is_digit(c) || ascii_is_letter(c) || c == '_';
}

/* The value of a hexadecimal digit in letters of either case, or -1. */
static inline int ascii_hex(char c)
{
	if (ascii_is_digit(c))
		return c - '0';
	return (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* The value of four of them, or -1; nothing behind the first that is none is read. */
static inline int32_t ascii_hex4(const char *p)
{
	int32_t v = 0;

	for (int i = 0; i < 4; i++) {
		int digit = ascii_hex(p[i]);
		if (digit < 0)
			return -1;
		v = v << 4 | digit;
	}
	return v;
}
