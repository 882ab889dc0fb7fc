/* SPDX-License-Identifier: Apache-2.0 */
/* text - see text.h */
#include "base/text.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

size_t utf8_encode(uint32_t cp, char out[4])
{
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xc0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 0x3f));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (char)(0xe0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
		out[2] = (char)(0x80 | (cp & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | cp >> 18);
	out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
	out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
	out[3] = (char)(0x80 | (cp & 0x3f));
	return 4;
}

size_t utf8_decode(const unsigned char *p, size_t n, uint32_t *ret)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t cp;
	size_t len;

	if (n == 0)
		return 0;
	if (p[0] < 0x80) {
		*ret = p[0];
		return 1;
	}
	len = (p[0] & 0xe0) == 0xc0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : (p[0] & 0xf8) == 0xf0 ? 4 : 0;
	if (len == 0 || len > n)
		return 0;
	cp = p[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		cp = cp << 6 | (p[i] & 0x3f);
	}
	if (cp < smallest[len] || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		return 0;
	*ret = cp;
	return len;
}

bool utf8_valid(const char *p, size_t n)
{
	uint32_t cp;

	while (n > 0) {
		size_t len = utf8_decode((const unsigned char *)p, n, &cp);
		if (len == 0)
			return false;
		p += len;
		n -= len;
	}
	return true;
}

size_t utf8_cut(const char *p, size_t n, size_t max)
{
	if (n <= max)
		return n;
	while (max > 0 && ((unsigned char)p[max] & 0xc0) == 0x80)
		max--;
	return max;
}

/* Ranges that a person cannot see or that reorder what he sees (Unicode 15: Cc, Cf, Zl, Zp, default ignorables). */
static const struct {
	uint32_t first, last;
} deceptive[] = {
	{ 0x0000, 0x001f },
	{ 0x007f, 0x009f },
	{ 0x00ad, 0x00ad },
	{ 0x034f, 0x034f },
	{ 0x0600, 0x0605 },
	{ 0x061c, 0x061c },
	{ 0x06dd, 0x06dd },
	{ 0x070f, 0x070f },
	{ 0x0890, 0x0891 },
	{ 0x08e2, 0x08e2 },
	{ 0x115f, 0x1160 },
	{ 0x17b4, 0x17b5 },
	{ 0x180b, 0x180f },
	{ 0x200b, 0x200f },
	{ 0x2028, 0x202e },
	{ 0x2060, 0x206f },
	{ 0x2800, 0x2800 },
	{ 0x3164, 0x3164 },
	{ 0xe000, 0xf8ff },
	{ 0xfdd0, 0xfdef },
	{ 0xfe00, 0xfe0f },
	{ 0xfeff, 0xfeff },
	{ 0xffa0, 0xffa0 },
	{ 0xfff0, 0xffff },
	{ 0x110bd, 0x110bd },
	{ 0x110cd, 0x110cd },
	{ 0x13430, 0x1343f },
	{ 0x1bca0, 0x1bca3 },
	{ 0x1d173, 0x1d17a },
	{ 0xe0000, 0xe0fff },
	{ 0xf0000, 0x10ffff },
};

bool text_is_deceptive(uint32_t cp)
{
	/* Most of what there is. */
	if (cp >= 0x20 && cp < 0x7f)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(deceptive); i++)
		if (cp >= deceptive[i].first && cp <= deceptive[i].last)
			return true;
	return (cp & 0xfffe) == 0xfffe;
}

/* One character of n bytes at p: how many bytes it took, and its printable form in out (size 16). */
static size_t escape_one(const unsigned char *p, size_t n, unsigned flags, char out[16], size_t *out_len)
{
	uint32_t cp = 0;
	size_t len = utf8_decode(p, n, &cp);

	if (len == 0) {
		*out_len = (size_t)snprintf(out, 16, "\\x%02x", p[0]);
		return 1;
	}
	if ((cp == '\n' && (flags & TEXT_KEEP_NEWLINE)) || (cp == '\t' && (flags & TEXT_KEEP_TAB)) ||
		(cp != '\\' && !text_is_deceptive(cp)) || (cp == '\\' && (flags & TEXT_KEEP_BACKSLASH))) {
		memcpy(out, p, len);
		*out_len = len;
	} else if (cp == '\\') {
		*out_len = (size_t)snprintf(out, 16, "\\\\");
	} else if (cp < 0x80) {
		*out_len = (size_t)snprintf(out, 16, "\\x%02x", cp);
	} else {
		*out_len = (size_t)snprintf(out, 16, "\\u{%x}", cp);
	}
	return len;
}

/* How many bytes stand for themselves. */
static size_t plain(const char *p, size_t n, unsigned flags)
{
	size_t i = 0;

	while (i < n && p[i] >= 0x20 && p[i] < 0x7f && (p[i] != '\\' || flags & TEXT_KEEP_BACKSLASH))
		i++;
	return i;
}

int text_escape(struct buf *b, const char *p, size_t n, unsigned flags)
{
	char out[16];
	size_t out_len, len;
	int r = buf_append(b, "", 0);

	while (r == 0 && n > 0) {
		len = plain(p, n, flags);
		if (len > 0) {
			r = buf_append(b, p, len);
		} else {
			len = escape_one((const unsigned char *)p, n, flags, out, &out_len);
			r = buf_append(b, out, out_len);
		}
		p += len;
		n -= len;
	}
	return r;
}

const char *text_escape_str(const char *s, char *ret, size_t size)
{
	size_t n = strlen(s), at = 0, fits = 0;
	char out[16];
	size_t out_len;

	/* "fits" is the last place where "..." still has room. */
	while (n > 0) {
		size_t len = escape_one((const unsigned char *)s, n, 0, out, &out_len);
		if (at + out_len + 1 > size) {
			snprintf(ret + fits, size - fits, "...");
			return ret;
		}
		memcpy(ret + at, out, out_len);
		at += out_len;
		if (at + 4 <= size)
			fits = at;
		s += len;
		n -= len;
	}
	ret[at] = '\0';
	return ret;
}

static bool is_bare(const char *word)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";

	return *word && word[strspn(word, safe)] == '\0';
}

static bool needs_ansi_quotes(const char *word)
{
	size_t n = strlen(word);
	uint32_t cp;

	while (n > 0) {
		size_t len = utf8_decode((const unsigned char *)word, n, &cp);
		if (len == 0 || text_is_deceptive(cp))
			return true;
		word += len;
		n -= len;
	}
	return false;
}

/* $'...' : bash, zsh and ksh read back \xNN, \uNNNN, \UNNNNNNNN. */
static int quote_ansi(struct buf *b, const char *word)
{
	size_t n = strlen(word);
	uint32_t cp = 0;
	int r = buf_puts(b, "$'");

	while (r == 0 && n > 0) {
		size_t len = utf8_decode((const unsigned char *)word, n, &cp);
		if (len == 0)
			r = buf_printf(b, "\\x%02x", (unsigned char)*word);
		else if (cp == '\'' || cp == '\\')
			r = buf_printf(b, "\\%c", (char)cp);
		else if (text_is_deceptive(cp))
			r = buf_printf(b, cp < 0x80 ? "\\x%02x" : cp < 0x10000 ? "\\u%04x" : "\\U%08x", cp);
		else
			r = buf_append(b, word, len);
		len = len ? len : 1;
		word += len;
		n -= len;
	}
	return r < 0 ? r : buf_putc(b, '\'');
}

int text_quote_shell(struct buf *b, const char *word)
{
	int r;

	if (is_bare(word))
		return buf_puts(b, word);
	if (needs_ansi_quotes(word))
		return quote_ansi(b, word);
	r = buf_putc(b, '\'');
	for (; r == 0 && *word; word++)
		r = *word == '\'' ? buf_puts(b, "'\\''") : buf_putc(b, *word);
	return r < 0 ? r : buf_putc(b, '\'');
}

enum { NEAREST_WORD_MAX = 64 };

static size_t edit_distance(const char *a, size_t la, const char *b, size_t lb)
{
	size_t row[NEAREST_WORD_MAX + 1];

	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t substitute = diagonal + (a[i - 1] != b[j - 1]);
			size_t insert = row[j - 1] + 1, erase = row[j] + 1;
			diagonal = row[j];
			row[j] = insert < erase ? insert : erase;
			if (substitute < row[j])
				row[j] = substitute;
		}
	}
	return row[lb];
}

const char *text_nearest(const char *word, const char *const *candidates, size_t n)
{
	size_t len = strlen(word), best = 3;
	const char *found = NULL;

	if (len > NEAREST_WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t cl = strlen(candidates[i]);
		if (cl > NEAREST_WORD_MAX)
			continue;
		size_t d = edit_distance(word, len, candidates[i], cl);
		if (d < best && d * 2 < (len > cl ? len : cl)) {
			best = d;
			found = candidates[i];
		}
	}
	return found;
}
