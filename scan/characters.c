/* SPDX-License-Identifier: Apache-2.0 */
/*
 * characters - rules about single characters, and the folded form of a text
 *
 * Process:  shim, supervisor
 *
 * The folded form begins with a line feed, so that what stands at the beginning of a line can be told. Every run of
 * blanks is one blank, or one line feed when it holds any.
 */
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif
#include "base/text.h"
#include "scan/letters.h"
#include "scan/work.h"

enum {
	PAD_BLANKS = 80,    /* in a run within one line */
	PAD_LINES = 20,	    /* in a run */
	STYLED_LETTERS = 4, /* in a word */
	NO_CHARACTER = 0x20,
};

struct pass {
	struct scan *s;
	size_t at;	      /* in the text as it is */
	size_t blanks, lines; /* of the run that ends here */
	size_t blanks_most;   /* in one of its lines */
	size_t blanks_from;
	uint32_t before;   /* the character before, blanks and dropped ones not counted */
	bool selected;	   /* it has a variation selector already */
	bool latin, alien; /* letters of the word that ends here */
	unsigned styled;
	size_t word; /* where that word begins */
	bool low;    /* the last letter was a small one */
};

static void put(struct pass *p, const char *bytes, size_t n)
{
	struct scan *s = p->s;

	for (size_t i = 0; i < n && s->folded_len < FOLDED_MAX; i++) {
		s->from[s->folded_len] = (uint32_t)p->at;
		s->folded[s->folded_len++] = bytes[i];
	}
}

static void end_word(struct pass *p)
{
	if (p->latin && p->alien)
		found(p->s, RULE_UNICODE_MIXED, p->word, p->at - p->word);
	if (p->styled >= STYLED_LETTERS)
		found(p->s, RULE_UNICODE_STYLED, p->word, p->at - p->word);
	p->latin = p->alien = false;
	p->styled = 0;
	p->word = p->at;
}

static void end_blanks(struct pass *p)
{
	char blank = p->lines ? '\n' : ' ';

	if (p->blanks == 0 && p->lines == 0)
		return;
	if (p->blanks > p->blanks_most)
		p->blanks_most = p->blanks;
	if (p->blanks_most >= PAD_BLANKS || p->lines >= PAD_LINES)
		found(p->s, RULE_PAD_BLANK, p->blanks_from, p->at - p->blanks_from);
	if (p->s->folded[p->s->folded_len - 1] != '\n')
		put(p, &blank, 1);
	p->blanks = p->lines = p->blanks_most = 0;
}

static void add_blank(struct pass *p, uint32_t cp)
{
	if (p->alien || p->styled)
		end_word(p);
	p->latin = false;
	if (p->blanks == 0 && p->lines == 0)
		p->blanks_from = p->at;
	if (cp == '\n' || cp == 0x85 || cp == 0x2028 || cp == 0x2029) {
		p->lines++;
		if (p->blanks > p->blanks_most)
			p->blanks_most = p->blanks;
		p->blanks = 0;
	} else {
		p->blanks++;
	}
	p->before = ' ';
	p->low = false;
}

static bool has_right_to_left(const struct scan *s)
{
	uint32_t cp;

	for (size_t i = 0; i < s->raw_len;) {
		size_t n = utf8_decode(s->raw + i, s->raw_len - i, &cp);
		if (n > 1 && letter_is_right_to_left(cp))
			return true;
		i += n ? n : 1;
	}
	return false;
}

/* Joiners are at home in the scripts from Hebrew to Mongolian, and in emoji. */
static bool takes_joiner(uint32_t before)
{
	return before >= 0x590 && !(before >= 0x1d00 && before < 0x2190) && !letter_is_styled(before);
}

/* The plain and the coloured form of a sign, and variants of ideographs: one, and not after a letter. */
static bool takes_selector(const struct pass *p, uint32_t cp)
{
	if (p->selected || p->before == ' ')
		return false;
	if (cp == 0xfe0e || cp == 0xfe0f)
		return p->before >= 0x2000 || p->before == 0xa9 || p->before == 0xae ||
		       (p->before >= '0' && p->before <= '9') || p->before == '#' || p->before == '*';
	return p->before >= 0x2e80;
}

/* The flags of England, Scotland and Wales are made of tag characters; there are no others. */
static size_t flag_at(const struct scan *s, size_t at)
{
	static const char *const flags[] = { "gbeng", "gbsct", "gbwls" };
	enum { FLAG = 4 * 7 };

	for (size_t i = 0; s->raw_len - at >= FLAG && i < ARRAY_LEN(flags); i++) {
		bool same = true;
		for (size_t j = 0; same && j < 6; j++) {
			uint32_t cp = 0, wanted = j < 5 ? 0xe0000u + (unsigned char)flags[i][j] : 0xe007f;
			same = utf8_decode(s->raw + at + 4 + 4 * j, 4, &cp) == 4 && cp == wanted;
		}
		if (same)
			return FLAG;
	}
	return 0;
}

static void judge_class(struct pass *p, enum letter_class class, uint32_t cp, size_t n)
{
	static const enum scan_rule_number rules[] = {
		[LETTER_INVISIBLE] = RULE_UNICODE_INVISIBLE,
		[LETTER_TAG] = RULE_UNICODE_TAG,
		[LETTER_BIDI] = RULE_UNICODE_BIDI,
		[LETTER_PRIVATE] = RULE_UNICODE_PRIVATE,
		[LETTER_BROKEN] = RULE_UNICODE_BROKEN,
		[LETTER_CONTROL] = RULE_CONTROL_OTHER,
		[LETTER_ESCAPE] = RULE_CONTROL_ESCAPE,
	};
	struct scan *s = p->s;

	if (class == LETTER_JOINER) {
		if (!takes_joiner(p->before))
			found(s, RULE_UNICODE_INVISIBLE, p->at, n);
	} else if (class == LETTER_SELECTOR) {
		if (!takes_selector(p, cp))
			found(s, RULE_UNICODE_SELECTOR, p->at, n);
		p->selected = true;
	} else if (class == LETTER_DIRECTION) {
		if (!s->reads_right_to_left && !(s->reads_right_to_left = has_right_to_left(s)))
			found(s, RULE_UNICODE_MARK, p->at, n);
	} else if (class != LETTER_MARK) {
		found(s, rules[class], p->at, n);
	}
}

static void add_letter(struct pass *p, uint32_t cp, size_t n)
{
	const char *to = letter_folded(cp);
	bool is_latin = to && ((to[0] >= 'a' && to[0] <= 'z'));

	end_blanks(p);
	p->alien |= is_latin && letter_is_alien(cp);
	if (is_latin && letter_is_styled(cp))
		p->styled++;
	if (!is_latin && !letter_is_alien(cp))
		end_word(p);
	if (to)
		put(p, to, strlen(to));
	else
		put(p, (const char *)p->s->raw + p->at, n);
}

static size_t add_foreign(struct pass *p)
{
	struct scan *s = p->s;
	uint32_t cp = 0;
	size_t n = utf8_decode(s->raw + p->at, s->raw_len - p->at, &cp);
	enum letter_class class = n ? letter_class(cp) : LETTER_BROKEN;

	if (cp == ' ') {
		add_blank(p, cp);
		return 1;
	}
	if (n == 0) {
		found(s, RULE_UNICODE_BROKEN, p->at, 1);
		return 1;
	}
	if (cp == '\r' && p->at + 1 < s->raw_len && s->raw[p->at + 1] == '\n')
		return 1;
	if (cp == 0x1f3f4 && flag_at(s, p->at))
		return flag_at(s, p->at);
	if (class == LETTER_SPACE) {
		add_blank(p, cp);
	} else if (class == LETTER_PLAIN) {
		add_letter(p, cp, n);
		p->before = cp;
		p->selected = false;
	} else {
		judge_class(p, class, cp, n);
	}
	p->low = false;
	return n;
}

static void add_ascii(struct pass *p, unsigned char c)
{
	struct scan *s = p->s;
	bool capital = c >= 'A' && c <= 'Z', small = c >= 'a' && c <= 'z';

	if (p->blanks || p->lines)
		end_blanks(p);
	if (capital && p->low && s->is_key)
		put(p, "_", 1);
	if (!capital && !small && (p->alien || p->styled))
		end_word(p);
	p->latin = capital || small;
	p->low = small;
	p->before = c;
	p->selected = false;
	if (s->folded_len < FOLDED_MAX) {
		s->from[s->folded_len] = (uint32_t)p->at;
		s->folded[s->folded_len++] = (char)(capital ? c + 32 : c);
	}
}

static bool is_plain(unsigned char c)
{
	return c > 0x20 && c < 0x7f;
}

static bool is_letter(unsigned char c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* The state after characters of a plain run, from first on, as if each had been added by itself. */
static void end_plain(struct pass *p, size_t first, size_t end)
{
	const unsigned char *raw = p->s->raw;
	size_t word = end - 1;

	while (word > first && is_letter(raw[word - 1]))
		word--;
	if (word > first || !p->latin)
		p->word = word;
	p->before = raw[end - 1];
	p->latin = is_letter(raw[end - 1]);
	p->low = p->latin && raw[end - 1] >= 'a';
	p->selected = false;
	p->at = end;
}

enum { BLOCK = 16 };

#ifdef __SSE2__
static inline __m128i within(__m128i v, char first, char count)
{
	__m128i from = _mm_sub_epi8(v, _mm_set1_epi8(first));

	return _mm_cmpeq_epi8(_mm_min_epu8(from, _mm_set1_epi8((char)(count - 1))), from);
}

/* Where each byte of a block came from: its place, and a blank's is that of what follows it. */
static inline void note_places(uint32_t *from, size_t at, __m128i blank)
{
	const __m128i steps = _mm_set_epi32(3, 2, 1, 0);
	__m128i low = _mm_unpacklo_epi8(blank, blank), high = _mm_unpackhi_epi8(blank, blank);
	const __m128i more[] = { _mm_unpacklo_epi16(low, low), _mm_unpackhi_epi16(low, low),
		_mm_unpacklo_epi16(high, high), _mm_unpackhi_epi16(high, high) };

	for (int i = 0; i < 4; i++) {
		__m128i place = _mm_add_epi32(_mm_set1_epi32((int)at + 4 * i), steps);
		_mm_storeu_si128((__m128i *)(void *)(from + 4 * i), _mm_sub_epi32(place, more[i]));
	}
}

/* A block of plain characters with single blanks between, and one more byte behind it: false for a closer look. */
static inline bool add_block(struct scan *s, size_t at, size_t len)
{
	const unsigned char *raw = s->raw + at;
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)raw);
	__m128i blank = _mm_cmpeq_epi8(v, _mm_set1_epi8(' ')), capital = within(v, 'A', 26);
	unsigned blanks = (unsigned)_mm_movemask_epi8(blank);

	if (_mm_movemask_epi8(within(v, ' ', 0x7f - ' ')) != 0xffff || blanks & blanks << 1 ||
		(blanks & 1 && s->folded[len - 1] == '\n') || (blanks >> (BLOCK - 1) && !is_plain(raw[BLOCK])))
		return false;
	v = _mm_add_epi8(v, _mm_and_si128(capital, _mm_set1_epi8(32)));
	_mm_storeu_si128((__m128i *)(void *)(s->folded + len), v);
	note_places(s->from + len, at, blank);
	return true;
}
#else
static inline bool add_block(struct scan *s, size_t at, size_t len)
{
	return false;
}
#endif

/* The same byte by byte up to there: where it stops, and *len is what is folded. */
static inline size_t add_bytes(struct scan *s, size_t at, size_t stop, size_t *len)
{
	for (; at < stop; at++) {
		unsigned char c = s->raw[at];
		bool blank = c == ' ' && at + 1 < s->raw_len && is_plain(s->raw[at + 1]);
		if (!is_plain(c) && !blank)
			break;
		/* A blank is written when the word behind it begins, and none after a line feed. */
		if (blank && s->folded[*len - 1] == '\n')
			continue;
		s->from[*len] = (uint32_t)(at + blank);
		s->folded[(*len)++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
	}
	return at;
}

/* Most of every text: words of ASCII with one blank between, in which nothing can be found here. */
static void add_plain(struct pass *p)
{
	struct scan *s = p->s;
	size_t at = p->at, stop = at, len = s->folded_len;

	if (s->is_key || p->blanks || p->lines || p->alien || p->styled || FOLDED_MAX - len < s->raw_len - at)
		return;
	while (at == stop && at < s->raw_len) {
		bool whole = s->raw_len - at > BLOCK;
		stop = whole ? at + BLOCK : s->raw_len;
		if (whole && add_block(s, at, len)) {
			len += BLOCK;
			at = stop;
		} else {
			at = add_bytes(s, at, stop, &len);
		}
	}
	s->folded_len = len;
	if (at > p->at)
		end_plain(p, p->at, at);
}

void scan_characters(struct scan *s)
{
	struct pass p = { .s = s, .before = NO_CHARACTER };

	s->folded_len = 0;
	put(&p, "\n", 1);
	for (add_plain(&p); p.at < s->raw_len; add_plain(&p)) {
		unsigned char c = s->raw[p.at];
		if (!p.latin && !p.alien && p.styled == 0)
			p.word = p.at;
		if (c > 0x20 && c < 0x7f) {
			add_ascii(&p, c);
			p.at++;
		} else {
			p.at += add_foreign(&p);
		}
	}
	end_word(&p);
	end_blanks(&p);
}
