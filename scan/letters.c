/* SPDX-License-Identifier: Apache-2.0 */
/* letters - see letters.h */
#include "scan/letters.h"
#include <stddef.h>
#include "base/cleanup.h"

struct letter {
	uint32_t cp;
	char to[5];
};
#include "scan_letters.inc"

struct range {
	uint32_t first, last;
	enum letter_class class;
};

static const struct range classes[] = {
	{ 0x0080, 0x0084, LETTER_CONTROL },
	{ 0x0085, 0x0085, LETTER_SPACE },
	{ 0x0086, 0x009a, LETTER_CONTROL },
	{ 0x009b, 0x009b, LETTER_ESCAPE },
	{ 0x009c, 0x009f, LETTER_CONTROL },
	{ 0x00a0, 0x00a0, LETTER_SPACE },
	{ 0x00ad, 0x00ad, LETTER_INVISIBLE },
	{ 0x0300, 0x034e, LETTER_MARK },
	{ 0x034f, 0x034f, LETTER_INVISIBLE },
	{ 0x0350, 0x036f, LETTER_MARK },
	{ 0x061c, 0x061c, LETTER_DIRECTION },
	{ 0x0640, 0x0640, LETTER_MARK },
	{ 0x064b, 0x0652, LETTER_MARK },
	{ 0x115f, 0x1160, LETTER_INVISIBLE },
	{ 0x1680, 0x1680, LETTER_SPACE },
	{ 0x17b4, 0x17b5, LETTER_INVISIBLE },
	{ 0x180b, 0x180d, LETTER_JOINER },
	{ 0x180e, 0x180e, LETTER_INVISIBLE },
	{ 0x180f, 0x180f, LETTER_JOINER },
	{ 0x2000, 0x200a, LETTER_SPACE },
	{ 0x200b, 0x200b, LETTER_INVISIBLE },
	{ 0x200c, 0x200d, LETTER_JOINER },
	{ 0x200e, 0x200f, LETTER_DIRECTION },
	{ 0x2028, 0x2029, LETTER_SPACE },
	{ 0x202a, 0x202e, LETTER_BIDI },
	{ 0x202f, 0x202f, LETTER_SPACE },
	{ 0x205f, 0x205f, LETTER_SPACE },
	{ 0x2060, 0x2065, LETTER_INVISIBLE },
	{ 0x2066, 0x2069, LETTER_BIDI },
	{ 0x206a, 0x206f, LETTER_INVISIBLE },
	{ 0x2800, 0x2800, LETTER_INVISIBLE },
	{ 0x3000, 0x3000, LETTER_SPACE },
	{ 0x3164, 0x3164, LETTER_INVISIBLE },
	{ 0xd800, 0xdfff, LETTER_BROKEN },
	{ 0xe000, 0xf8ff, LETTER_PRIVATE },
	{ 0xfdd0, 0xfdef, LETTER_BROKEN },
	{ 0xfe00, 0xfe0f, LETTER_SELECTOR },
	{ 0xfeff, 0xfeff, LETTER_INVISIBLE },
	{ 0xffa0, 0xffa0, LETTER_INVISIBLE },
	{ 0xfff0, 0xfffb, LETTER_INVISIBLE },
	{ 0xfffd, 0xffff, LETTER_BROKEN },
	{ 0x13430, 0x1343f, LETTER_INVISIBLE },
	{ 0x1bca0, 0x1bca3, LETTER_INVISIBLE },
	{ 0x1d159, 0x1d159, LETTER_INVISIBLE },
	{ 0x1d173, 0x1d17a, LETTER_INVISIBLE },
	{ 0xe0000, 0xe00ff, LETTER_TAG },
	{ 0xe0100, 0xe01ef, LETTER_SELECTOR },
	{ 0xe01f0, 0xe0fff, LETTER_TAG },
	{ 0xf0000, 0x10ffff, LETTER_PRIVATE },
};

/* Greek and Coptic, Cyrillic, Armenian, Cherokee and those whose capitals are drawn like Latin ones. */
static const struct range aliens[] = {
	{ 0x0370, 0x03ff, 0 },
	{ 0x0400, 0x058f, 0 },
	{ 0x13a0, 0x13ff, 0 },
	{ 0x1c80, 0x1c8f, 0 },
	{ 0x1f00, 0x1fff, 0 },
	{ 0x2c80, 0x2cff, 0 },
	{ 0x2de0, 0x2dff, 0 },
	{ 0xa4d0, 0xa4ff, 0 },
	{ 0xa640, 0xa69f, 0 },
	{ 0xab70, 0xabbf, 0 },
};

static const struct range styles[] = {
	{ 0x1d00, 0x1dbf, 0 },
	{ 0x249c, 0x24e9, 0 },
	{ 0xff21, 0xff3a, 0 },
	{ 0xff41, 0xff5a, 0 },
	{ 0x1d400, 0x1d7ff, 0 },
	{ 0x1f110, 0x1f189, 0 },
};

static const struct range right_to_left[] = {
	{ 0x0590, 0x08ff, 0 },
	{ 0xfb1d, 0xfdcf, 0 },
	{ 0xfdf0, 0xfdff, 0 },
	{ 0xfe70, 0xfefc, 0 },
	{ 0x10800, 0x10fff, 0 },
	{ 0x1e800, 0x1efff, 0 },
};

static const struct range *find(const struct range *ranges, size_t n, uint32_t cp)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = (low + high) / 2;
		if (cp < ranges[mid].first)
			high = mid;
		else if (cp > ranges[mid].last)
			low = mid + 1;
		else
			return &ranges[mid];
	}
	return NULL;
}

enum letter_class letter_class(uint32_t cp)
{
	const struct range *r;

	if (cp < 0x80)
		return cp == 0x1b			       ? LETTER_ESCAPE
		       : cp == ' ' || cp == '\t' || cp == '\n' ? LETTER_SPACE
		       : cp == 0			       ? LETTER_BROKEN
		       : cp < 0x20 || cp == 0x7f	       ? LETTER_CONTROL
							       : LETTER_PLAIN;
	if ((cp & 0xfffe) == 0xfffe)
		return LETTER_BROKEN;
	r = find(classes, ARRAY_LEN(classes), cp);
	return r ? r->class : LETTER_PLAIN;
}

const char *letter_folded(uint32_t cp)
{
	size_t low = 0, high = ARRAY_LEN(letters);

	while (low < high) {
		size_t mid = (low + high) / 2;
		if (cp == letters[mid].cp)
			return letters[mid].to;
		if (cp < letters[mid].cp)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

bool letter_is_alien(uint32_t cp)
{
	return find(aliens, ARRAY_LEN(aliens), cp) != NULL;
}

bool letter_is_styled(uint32_t cp)
{
	return find(styles, ARRAY_LEN(styles), cp) != NULL;
}

bool letter_is_right_to_left(uint32_t cp)
{
	return find(right_to_left, ARRAY_LEN(right_to_left), cp) != NULL;
}
