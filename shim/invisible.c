/* SPDX-License-Identifier: Apache-2.0 */
/* invisible - see invisible.h */
#include "shim/invisible.h"
#include <string.h>
#include "base/ascii.h"
#include "base/text.h"

enum {
	ESC = 0x1b,
	BELL = 0x07,
	REPLACED = 0xfffd,
	ZWNJ = 0x200c,
	ZWJ = 0x200d,
	BLACK_FLAG = 0x1f3f4,
	TAG_END = 0xe007f,
	KEYCAP = 0x20e3,
	/* How often a variation selector may follow an ideograph: at once in a text, and then one in so many. */
	SELECTORS_AT_ONCE = 4,
	IDEOGRAPHS_A_SELECTOR = 8,
};

struct range {
	uint32_t first, last;
};

/* Scripts whose letters a joiner shapes (Unicode 15, Joining_Type and Indic_Syllabic_Category). */
static const struct range joined[] = {
	{ 0x0600, 0x07bf }, /* Arabic, Syriac, Thaana */
	{ 0x07c0, 0x085f }, /* N'Ko, Samaritan, Mandaic */
	{ 0x0860, 0x08ff },
	{ 0x0900, 0x0dff }, /* Devanagari to Sinhala */
	{ 0x0f00, 0x109f }, /* Tibetan, Myanmar */
	{ 0x1700, 0x18af }, /* Tagalog, Khmer, Mongolian */
	{ 0x1900, 0x1cff }, /* Limbu to Vedic extensions */
	{ 0xa800, 0xa8ff },
	{ 0xa930, 0xaadf },
	{ 0xabc0, 0xabff },
	{ 0xfb50, 0xfdcf },
	{ 0xfdf0, 0xfdff },
	{ 0xfe70, 0xfefe },
	{ 0x10a00, 0x10fff },
	{ 0x11000, 0x11fff },
	{ 0x1e900, 0x1e95f },
	{ 0x1ee00, 0x1eeff },
};

/* Written without blanks between words: a zero width space is where a line may be broken. */
static const struct range unspaced[] = {
	{ 0x0e00, 0x0eff },
	{ 0x1000, 0x109f },
	{ 0x1780, 0x17ff },
	{ 0x1950, 0x19ff },
	{ 0x1a20, 0x1aaf },
	{ 0xa9e0, 0xa9ff },
	{ 0xaa60, 0xaadf },
};

/* Letters that run from right to left. */
static const struct range right_to_left[] = {
	{ 0x0590, 0x08ff },
	{ 0xfb1d, 0xfdcf },
	{ 0xfdf0, 0xfdff },
	{ 0xfe70, 0xfefe },
	{ 0x10800, 0x10fff },
	{ 0x1e800, 0x1efff },
};

/* What is drawn as a picture, or can be. */
static const struct range pictures[] = {
	{ 0x00a9, 0x00a9 },
	{ 0x00ae, 0x00ae },
	{ 0x203c, 0x203c },
	{ 0x2049, 0x2049 },
	{ 0x2122, 0x2122 },
	{ 0x2139, 0x2139 },
	{ 0x2190, 0x21ff },
	{ 0x2300, 0x23ff },
	{ 0x24c2, 0x24c2 },
	{ 0x25a0, 0x27bf },
	{ 0x2900, 0x297f },
	{ 0x2b00, 0x2bff },
	{ 0x3030, 0x3030 },
	{ 0x303d, 0x303d },
	{ 0x3297, 0x3299 },
	{ 0x1f000, 0x1faff },
};

/* Ideographs and the like, which have registered variants (UTS 37; StandardizedVariants.txt). */
static const struct range ideographs[] = {
	{ 0x3001, 0x3002 },
	{ 0x3400, 0x4dbf },
	{ 0x4e00, 0x9fff },
	{ 0xf900, 0xfaff },
	{ 0xff01, 0xff1f },
	{ 0x20000, 0x3ffff },
};

/* Those that have variants by U+FE00 to U+FE06 beside ideographs: zero, operators, Myanmar, Phags-pa, hieroglyphs. */
static const struct range varied[] = {
	{ 0x0030, 0x0030 },
	{ 0x1000, 0x109f },
	{ 0x2205, 0x22ff },
	{ 0x2a00, 0x2aff },
	{ 0xa840, 0xa877 },
	{ 0xaa60, 0xaa7f },
	{ 0x10ac0, 0x10aff },
	{ 0x13000, 0x1345f },
};

#define IN(cp, table) in(cp, table, ARRAY_LEN(table))

static bool in(uint32_t cp, const struct range *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (cp >= r[i].first && cp <= r[i].last)
			return true;
	return false;
}

struct reader {
	const char *p, *end;
	const char *line, *line_end; /* the line around p; its end is known once it was looked at */
	bool line_is_mixed;	     /* it has bidirectional controls that belong there */
	uint32_t before;	     /* the character that was kept before this one */
	size_t ideographs, selected; /* so far; how many of them had a variation selector */
};

/* The character at p of canonical bytes: its length; 0 at the end. */
static size_t character(const char *p, const char *end, uint32_t *ret)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *at;

	*ret = 0;
	if (p >= end)
		return 0;
	if (*p != '\\')
		return utf8_decode((const unsigned char *)p, (size_t)(end - p), ret);
	if (p[1] == 'u') {
		*ret = (uint32_t)ascii_hex4(p + 2);
		return 6;
	}
	at = strchr(from, p[1]);
	*ret = (unsigned char)(at ? to[at - from] : p[1]);
	return 2;
}

/* The character that far ahead; a blank when the text ends there. */
static uint32_t peek(const struct reader *r, size_t skip)
{
	uint32_t cp;

	return character(r->p + skip, r->end, &cp) ? cp : ' ';
}

/* ECMA-48, 5.4: parameters, intermediates, one final character. From after the introducer; 0: it is none. */
static size_t control_sequence(const struct reader *r, size_t at)
{
	uint32_t cp;
	size_t n, from = at;

	while ((n = character(r->p + at, r->end, &cp)) && cp >= 0x30 && cp <= 0x3f)
		at += n;
	while ((n = character(r->p + at, r->end, &cp)) && cp >= 0x20 && cp <= 0x2f)
		at += n;
	return n && cp >= 0x40 && cp <= 0x7e && at + n > from ? at + n : 0;
}

/* ECMA-48, 5.6: a string for the terminal, to its terminator. Another control ends the search: nothing is read twice.
 */
static size_t control_string(const struct reader *r, size_t at)
{
	uint32_t cp;
	size_t n;

	while ((n = character(r->p + at, r->end, &cp))) {
		if (cp == BELL || cp == 0x9c)
			return at + n;
		if (cp == ESC)
			return peek(r, at + n) == '\\' ? at + n + 2 : 0;
		if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
			return 0;
		at += n;
	}
	return 0;
}

static size_t escape_sequence(const struct reader *r, size_t at)
{
	uint32_t cp;
	size_t n = character(r->p + at, r->end, &cp), found = 0;

	if (n && cp == '[')
		found = control_sequence(r, at + n);
	else if (n && strchr("]PX^_", (int)(cp < 0x80 ? cp : 'a')) && cp)
		found = control_string(r, at + n);
	else {
		while (n && cp >= 0x20 && cp <= 0x2f) {
			at += n;
			n = character(r->p + at, r->end, &cp);
		}
		found = n && cp >= 0x30 && cp <= 0x7e ? at + n : 0;
	}
	return found;
}

/* The length of the sequence that the control at r->p, n bytes long, begins; n when it stands for itself. */
static size_t sequence(const struct reader *r, uint32_t cp, size_t n)
{
	size_t found = 0;

	if (cp == ESC)
		found = escape_sequence(r, n);
	else if (cp == 0x9b)
		found = control_sequence(r, n);
	else if (cp == 0x90 || cp == 0x98 || (cp >= 0x9d && cp <= 0x9f))
		found = control_string(r, n);
	return found ? found : n;
}

/* Do the bidirectional controls of the line belong there? Overrides never do, nor what stands among other controls. */
static bool look_at_line(struct reader *r)
{
	const char *p = r->line;
	bool letters = false, clean = true;
	int depth = 0;
	uint32_t cp;
	size_t n;

	while ((n = character(p, r->end, &cp)) && cp != '\n') {
		letters = letters || (cp != 0x61c && IN(cp, right_to_left));
		if (cp == 0x202d || cp == 0x202e || (cp < 0x20 && cp != '\t' && cp != '\r') ||
			(cp >= 0x7f && cp < 0xa0))
			clean = false;
		depth += cp == 0x202a || cp == 0x202b || (cp >= 0x2066 && cp <= 0x2068);
		depth -= cp == 0x202c || cp == 0x2069;
		if (depth < 0)
			clean = false;
		p += n;
	}
	r->line_end = p;
	return letters && clean && depth == 0;
}

static bool belongs_to_line(struct reader *r)
{
	if (!r->line_end || r->p >= r->line_end)
		r->line_is_mixed = look_at_line(r);
	return r->line_is_mixed;
}

static bool joins(const struct reader *r, uint32_t cp, uint32_t next)
{
	bool picture = r->before >= 0x203c && (IN(r->before, pictures) || r->before == 0xfe0f);

	if (cp == ZWJ && picture)
		return next >= 0x2190 && IN(next, pictures);
	return IN(r->before, joined) && !invisible_is_candidate(next);
}

/* A tag spells the flag of a part of a country after a black flag; these are in use (RGI, emoji-sequences.txt). The
 * length of the whole sequence, else 0. */
static size_t tagged_flag(const struct reader *r)
{
	static const char *const flags[] = { "gbeng", "gbsct", "gbwls" };

	for (size_t i = 0; r->before == BLACK_FLAG && i < ARRAY_LEN(flags); i++) {
		const char *f = flags[i];
		size_t at = 0;
		for (; *f && peek(r, at) == 0xe0000 + (uint32_t)(unsigned char)*f; f++)
			at += 4;
		if (!*f && peek(r, at) == TAG_END)
			return at + 4;
	}
	return 0;
}

/* A name here and there is written with a form of its own. Where every other character is, bytes are hidden. */
static bool is_rare(struct reader *r)
{
	if (r->selected * IDEOGRAPHS_A_SELECTOR >= r->ideographs + SELECTORS_AT_ONCE * IDEOGRAPHS_A_SELECTOR)
		return false;
	r->selected++;
	return true;
}

/* n: how long it is. Of the selectors for ideographs those in use (StandardizedVariants.txt, IVD_Sequences.txt). */
static bool is_variation(struct reader *r, uint32_t cp, size_t n)
{
	bool key = r->before == '#' || r->before == '*' || (r->before >= '0' && r->before <= '9');

	if (cp == 0xfe0f && key)
		return peek(r, n) == KEYCAP;
	if (cp == 0xfe0e || cp == 0xfe0f)
		return !key && (IN(r->before, pictures) || (cp == 0xfe0e && IN(r->before, varied)));
	if (IN(r->before, ideographs))
		return (cp <= 0xfe02 || (cp >= 0xe0100 && cp <= 0xe011f)) && is_rare(r);
	if (r->before == '0')
		return cp == 0xfe00 && is_rare(r);
	return cp <= 0xfe06 && IN(r->before, varied);
}

/* Does the candidate, n bytes long, belong where it stands? */
static bool is_honest(struct reader *r, uint32_t cp, size_t n)
{
	uint32_t next = peek(r, n);

	switch (cp) {
	case '\r':
		return next == '\n' || n == (size_t)(r->end - r->p) || (next == '\r' && peek(r, 2 * n) == '\n');
	case ZWNJ:
	case ZWJ:
		return joins(r, cp, next);
	case 0x200b:
		return !invisible_is_candidate(next) && (IN(r->before, unspaced) || IN(next, unspaced));
	case 0x61c:
	case 0x200e ... 0x200f:
	case 0x202a ... 0x202c:
	case 0x2066 ... 0x2069:
		return belongs_to_line(r);
	case 0xfe00 ... 0xfe0f:
	case 0xe0100 ... 0xe01ef:
		return is_variation(r, cp, n);
	case 0x180b ... 0x180f:
		return r->before >= 0x1820 && r->before <= 0x18aa;
	case 0x34f:
		return r->before >= 0x0591 && r->before <= 0x05f4;
	case 0x115f:
		return next >= 0x1160 && next <= 0x11a7;
	case 0x1160:
		return r->before >= 0x1100 && r->before <= 0x115f;
	case 0x13430 ... 0x13455:
		return r->before >= 0x13000 && r->before <= 0x1345f;
	default:
		return false;
	}
}

/* From r->p, where something may have to go: how many bytes do; 0 for none, and *ret_keep that stay. */
static size_t look(struct reader *r, size_t *ret_keep)
{
	uint32_t cp;
	size_t n = character(r->p, r->end, &cp), flag;

	*ret_keep = n ? n : 1;
	if (cp == '\n')
		r->line = r->p + n;
	if (!n || !invisible_is_candidate(cp)) {
		r->before = cp;
		return 0;
	}
	flag = cp >= 0xe0000 && cp < 0xe0100 ? tagged_flag(r) : 0;
	if (flag || is_honest(r, cp, n)) {
		*ret_keep = flag ? flag : n;
		r->before = flag ? TAG_END : cp;
		return 0;
	}
	r->before = REPLACED;
	return cp < 0xa0 ? sequence(r, cp, n) : n;
}

/* Past what stands for itself: printable ASCII. */
static void skip_plain(struct reader *r)
{
	const char *from = r->p;

	while (r->p < r->end && *r->p >= 0x20 && *r->p != '\\')
		r->p++;
	if (r->p > from)
		r->before = (unsigned char)r->p[-1];
}

static bool is_ideograph(uint32_t cp)
{
	return (cp >= 0x3400 && cp < 0xa000) || (cp >= 0x20000 && cp < 0x40000);
}

/* The next run that has to go: where it begins and how long it is; 0 when there is none. */
static size_t next_run(struct reader *r, const char **ret)
{
	size_t run = 0, keep;

	for (;;) {
		if (!run)
			skip_plain(r);
		if (r->p >= r->end)
			return run;
		size_t n = look(r, &keep);
		if (n && !run)
			*ret = r->p;
		/* A character that stays is looked at again when the run is dealt with: what was before it is known. */
		if (!n && run)
			return run;
		run += n;
		r->ideographs += !n && is_ideograph(r->before);
		r->p += n ? n : keep;
	}
}

bool invisible_is_in(struct slice inside)
{
	struct reader r = { .p = inside.p, .end = inside.p + inside.n, .line = inside.p };
	const char *at;

	return inside.n && next_run(&r, &at) > 0;
}

int invisible_replace(struct buf *out, struct slice inside, uint64_t *count)
{
	struct reader r = { .p = inside.p, .end = inside.p + inside.n, .line = inside.p };
	const char *from = inside.p, *at = NULL;
	size_t n;
	int e = 0;

	while (e == 0 && inside.n && (n = next_run(&r, &at))) {
		e = buf_append(out, from, (size_t)(at - from));
		if (e == 0)
			e = buf_puts(out, "\xef\xbf\xbd");
		from = at + n;
		r.before = REPLACED;
		*count += 1;
	}
	return e || !inside.n ? e : buf_append(out, from, (size_t)(inside.p + inside.n - from));
}
