/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text - foreign bytes made safe for a person's terminal; UTF-8
 *
 * Process:  any
 *
 * Controls (C0, DEL, C1), bidirectional controls, zero-width and invisible characters, tag characters, variation
 * selectors, line and paragraph separators, noncharacters and invalid UTF-8 become visible escapes: \x1b for a byte
 * that is not a character, \u{202e} for a character. A backslash becomes \\ so that an escape cannot be forged.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"

enum text_flags {
	TEXT_KEEP_NEWLINE = 1 << 0,   /* \n stays (never for one-line output) */
	TEXT_KEEP_TAB = 1 << 1,	      /* \t stays */
	TEXT_KEEP_BACKSLASH = 1 << 2, /* free text where nothing hangs on telling an escape from its forgery */
};

/* Appends the escaped form of n bytes. Returns 0 or what buf_append returns. */
int text_escape(struct buf *b, const char *p, size_t n, unsigned flags) _must_check_;
/* The same into a fixed array, cut at a character and marked with "..." when it does not fit. Returns ret. */
const char *text_escape_str(const char *s, char *ret, size_t size);
/* A word as a shell would need it: bare when [A-Za-z0-9_@%+=:,./-]+, else in single quotes, controls escaped as
 * $'\x1b'. */
int text_quote_shell(struct buf *b, const char *word) _must_check_;
/* Decodes one UTF-8 character (RFC 3629: shortest form, no surrogates). Returns its length 1..4, or 0 when invalid. */
size_t utf8_decode(const unsigned char *p, size_t n, uint32_t *ret);
/* Writes the UTF-8 of cp (<= 0x10ffff, not a surrogate) to out[4]; returns the length. */
/* Its symbol has a name of its own: jansson's archive exports a utf8_encode with another signature. */
size_t utf8_encode(uint32_t cp, char out[4]) __asm__("stockade_utf8_encode");
bool utf8_valid(const char *p, size_t n);
/* The length, max at the most, to which valid UTF-8 of n bytes can be cut without parting a character. */
size_t utf8_cut(const char *p, size_t n, size_t max);
/* True for what text_escape makes visible. */
bool text_is_deceptive(uint32_t cp);
/* Edit distance for "did you mean"; the nearest of n candidates within 2 edits (and less than half the length), or
 * NULL. */
const char *text_nearest(const char *word, const char *const *candidates, size_t n);
