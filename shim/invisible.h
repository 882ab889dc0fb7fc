/* SPDX-License-Identifier: Apache-2.0 */
/*
 * invisible - takes escape sequences and characters that nobody sees out of text that reaches a model
 *
 * Process:  shim
 * Owns:     nothing
 *
 * What goes becomes U+FFFD, one for each run. A name or a number in its place could be read back: text smuggled in tag
 * characters would still be there to be followed. Deleting joins what stood apart. U+FFFD carries nothing, is seen, and
 * stays as it is when the text comes by again.
 *
 * Sequences of ECMA-48 go whole, with the text that a terminal would not show. What the writing of a language needs
 * stays where it needs it: joiners in Arabic and Indic words, in emoji; bidirectional marks, embeddings and isolates in
 * lines with letters that run from right to left, when they are balanced; variation selectors after a base that has
 * variants; the flags of England, Scotland and Wales; breaks between words in Thai, Khmer, Lao and Burmese.
 */
#pragma once
#include "shim/role.h"
#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "shim/walk.h"

/* Is it looked at? Of all that reach beyond ASCII; controls are known by their escapes (json_string.c). */
static inline bool invisible_is_candidate(uint32_t cp)
{
	switch (cp >> 8) {
	case 0x00:
		return (cp < 0x20 && cp != '\n' && cp != '\t') || (cp >= 0x7f && cp < 0xa0) || cp == 0xad;
	case 0x03:
		return cp == 0x34f;
	case 0x06:
		return cp == 0x61c;
	case 0x11:
		return cp == 0x115f || cp == 0x1160;
	case 0x17:
		return cp == 0x17b4 || cp == 0x17b5;
	case 0x18:
		return cp >= 0x180b && cp <= 0x180f;
	case 0x20:
		return (cp >= 0x200b && cp <= 0x200f) || (cp >= 0x202a && cp <= 0x202e) ||
		       (cp >= 0x2060 && cp <= 0x206f);
	case 0x31:
		return cp == 0x3164;
	case 0xd8 ... 0xdf: /* half a surrogate pair */
		return true;
	case 0xfd:
		return cp >= 0xfdd0 && cp <= 0xfdef;
	case 0xfe:
		return cp <= 0xfe0f || cp == 0xfeff;
	case 0xff:
		return cp == 0xffa0 || (cp >= 0xfff0 && cp != 0xfffc && cp != 0xfffd);
	case 0x134:
		return cp >= 0x13430 && cp <= 0x13455;
	case 0x1bc:
		return cp >= 0x1bca0 && cp <= 0x1bca3;
	case 0x1d1:
		return cp >= 0x1d173 && cp <= 0x1d17a;
	case 0xe00 ... 0xe0f:
		return true;
	default:
		return (cp & 0xfffe) == 0xfffe;
	}
}

/* Would anything of the inside of a string be replaced? */
bool invisible_is_in(struct slice inside);
/* Appends the inside of a string with all of it replaced; adds how many runs were to *count. 0, -ENOMEM, -E2BIG. */
int invisible_replace(struct buf *out, struct slice inside, uint64_t *count) _must_check_;
