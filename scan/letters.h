/* SPDX-License-Identifier: Apache-2.0 */
/*
 * letters - what a character is to the scan, and which letter it is taken for
 *
 * Process:  shim
 *
 * The classes follow Unicode 15 (Cc, Cf, Co, Default_Ignorable_Code_Point, White_Space); which letter stands for which
 * is profiles/scan/letters.txt.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum letter_class {
	LETTER_PLAIN,
	LETTER_SPACE,
	LETTER_MARK, /* accents and the like: dropped, no finding */
	LETTER_INVISIBLE,
	LETTER_JOINER, /* at home in some scripts and in emoji */
	LETTER_SELECTOR,
	LETTER_TAG,
	LETTER_BIDI,
	LETTER_DIRECTION, /* marks that are at home beside right-to-left text */
	LETTER_PRIVATE,
	LETTER_BROKEN,
	LETTER_CONTROL,
	LETTER_ESCAPE,
};

enum letter_class letter_class(uint32_t cp);
/* What it is taken for (at most 4 bytes), or NULL: itself. Not for ASCII. */
const char *letter_folded(uint32_t cp);
/* Of a script that has letters drawn like Latin ones. */
bool letter_is_alien(uint32_t cp);
/* A letter in a style that is a character of its own: mathematical, circled, fullwidth, small capital. */
bool letter_is_styled(uint32_t cp);
bool letter_is_right_to_left(uint32_t cp);
