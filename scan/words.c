/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words - the folded text as words, and phrases among them
 *
 * Process:  shim, supervisor
 *
 * A trie says of each word which words of phrases it can stand for (its outcome). A phrase under way is a set of places
 * that have been reached, one bit each; a word moves all of them on at once. So the time is linear in the words,
 * whatever they are.
 */
#include <string.h>
#include "scan/work.h"

enum { OUTCOME_NONE, OUTCOME_URL, OUTCOME_MAIL, OUTCOME_SECRET, OUTCOME_OTHER };
enum { SPELT_MAX = 48, SPELT_LETTERS = 12 };

struct phrase {
	uint64_t optional, anything; /* places that may be missing; places for any word */
	uint8_t last;
	uint8_t rule;
};
struct outcome_row {
	uint64_t bits;
	uint16_t phrase;
};
#include "scan_phrases.inc"
_Static_assert((int)PHRASES <= (int)PHRASES_MAX && RULE_COUNT <= UINT8_MAX, "phrases and rules have room");

/* Letters that stand alone, joined: "i g n o r e". */
struct spelling {
	char text[SPELT_MAX];
	size_t n, letters; /* letters: in all of the words so spelt, one after another */
	size_t from;
	size_t last_end;
	char between;
};

/* Digits and "i" as the letters that they are drawn like; the words of phrases are spelt so too. 0: itself. */
static const unsigned char drawn[256] = {
	['0'] = 'o', ['1'] = 'l', ['3'] = 'e', ['4'] = 'a', ['5'] = 's', ['7'] = 't', ['i'] = 'l'
};

static size_t child(size_t node, unsigned char c)
{
	for (size_t i = trie_first[node]; i < trie_first[node + 1]; i++)
		if (trie_byte[i] == c)
			return trie_to[i];
	return 0;
}

static unsigned look_up(const char *p, size_t n)
{
	size_t node = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];
		size_t next;
		if (c == '\'')
			continue;
		c = drawn[c] ? drawn[c] : c;
		next = node ? child(node, c) : trie_root[c];
		if (next == 0)
			return trie_beyond[node];
		node = next;
	}
	return trie_end[node];
}

/* Most words of a text are short, and few in number. */
static unsigned outcome_of(struct scan *s, const char *p, size_t n)
{
	uint64_t a = 0, b = 0;

	if (n > sizeof(a) + sizeof(b))
		return look_up(p, n);
	memcpy(&a, p, n < sizeof(a) ? n : sizeof(a));
	if (n > sizeof(a))
		memcpy(&b, p + sizeof(a), n - sizeof(a));
	uint64_t h = (a ^ b * 0xff51afd7ed558ccdULL) * 0x9e3779b97f4a7c15ULL;
	struct known_word *k = &s->words[h >> (64 - WORDS_BITS)];
	if (k->a != a || k->b != b)
		*k = (struct known_word){ a, b, look_up(p, n) };
	return k->outcome;
}

/* All places that are next to those reached, over what may be missing. */
static uint64_t next_places(const struct phrase *f, uint64_t reached)
{
	uint64_t next = reached << 1, more;

	while ((more = (next & f->optional) << 1 & ~next))
		next |= more;
	return next;
}

/* One phrase that is under way, by one word. False when it has come to its end, or cannot. */
static bool step(struct scan *s, size_t n, size_t at)
{
	const struct phrase *f = &phrases[n];

	s->reached[n] = next_places(f, s->reached[n]) & (f->anything | s->fits[n]);
	if (s->reached[n] >> f->last & 1) {
		found_folded(s, f->rule, at, 1);
		s->reached[n] = 0;
	}
	return s->reached[n] != 0;
}

static void begin_phrase(struct scan *s, size_t n, size_t at)
{
	if (phrases[n].last == 0) {
		found_folded(s, phrases[n].rule, at, 1);
		return;
	}
	if (s->reached[n] == 0)
		s->active[s->n_active++] = (uint16_t)n;
	s->reached[n] |= 1;
}

static void add_word(struct scan *s, unsigned outcome, size_t at)
{
	const struct outcome_row *row = outcome_rows + outcome_first[outcome],
				 *end = outcome_rows + outcome_first[outcome + 1];
	size_t kept = 0;

	for (const struct outcome_row *r = row; r < end; r++)
		s->fits[r->phrase] = r->bits;
	for (size_t i = 0; i < s->n_active; i++)
		if (step(s, s->active[i], at))
			s->active[kept++] = s->active[i];
	s->n_active = kept;
	for (const struct outcome_row *r = row; r < end; r++) {
		s->fits[r->phrase] = 0;
		if (r->bits & 1)
			begin_phrase(s, r->phrase, at);
	}
}

/* What was spelt counts as one word; one or two letters that stand alone are words of their own. */
static void end_spelling(struct scan *s, struct spelling *sp)
{
	if (sp->n >= 3)
		add_word(s, outcome_of(s, sp->text, sp->n), sp->from);
	for (size_t i = 0; sp->n < 3 && i < sp->n; i++)
		add_word(s, outcome_of(s, sp->text + i, 1), sp->from + 2 * i);
	sp->n = 0;
}

static void add_whole(struct scan *s, struct spelling *sp, unsigned outcome, size_t at)
{
	end_spelling(s, sp);
	sp->letters = 0;
	add_word(s, outcome, at);
}

/* A letter that stands alone goes on with the word that is spelt so, or begins one. */
static void add_single(struct scan *s, struct spelling *sp, size_t at)
{
	char between = at > 0 ? s->folded[at - 1] : ' ';
	bool goes_on =
		sp->n > 0 && at == sp->last_end + 1 && (sp->n == 1 || between == sp->between) && sp->n < SPELT_MAX;

	if (!goes_on) {
		end_spelling(s, sp);
		if (at > sp->last_end + 1)
			sp->letters = 0;
		sp->from = at;
	}
	sp->text[sp->n++] = s->folded[at];
	sp->between = between;
	sp->last_end = at + 1;
	if (++sp->letters == SPELT_LETTERS)
		found_folded(s, RULE_PAD_SPELT, sp->from, at - sp->from + 1);
}

enum { BYTE_OF_WORD = 1, BYTE_OF_NAME = 2 };

static const unsigned char kinds[256] = { ['a' ... 'z'] = 3,
	['0' ... '9'] = 3,
	[0x80 ... 0xff] = 3,
	['_'] = BYTE_OF_NAME,
	['-'] = BYTE_OF_NAME,
	['\''] = BYTE_OF_NAME };

static bool is_word_byte(unsigned char c)
{
	return kinds[c] & BYTE_OF_WORD;
}

static bool is_name_byte(unsigned char c)
{
	return kinds[c] & BYTE_OF_NAME;
}

/* The words of a name, parted at '_' and '-'. */
static void add_parts(struct scan *s, struct spelling *sp, size_t at, size_t end)
{
	while (at < end) {
		size_t from = at;
		while (at < end && s->folded[at] != '_' && s->folded[at] != '-')
			at++;
		if (at - from == 1 && s->folded[from] != '\'') {
			add_single(s, sp, from);
		} else if (at > from) {
			add_whole(s, sp, outcome_of(s, s->folded + from, at - from), from);
		}
		at++;
	}
}

static size_t end_of_place(const struct scan *s, size_t at)
{
	while (at < s->folded_len && (unsigned char)s->folded[at] < 0x80 && !strchr(" \n\"'`)<>,;]}", s->folded[at]))
		at++;
	return at;
}

static bool is_mail(const struct scan *s, size_t at)
{
	return at + 1 < s->folded_len && s->folded[at] == '@' && is_word_byte((unsigned char)s->folded[at + 1]);
}

static bool is_link(const struct scan *s, size_t at)
{
	const char *p = s->folded + at;
	size_t n = s->folded_len - at;

	return (n > 7 && memcmp(p, "http://", 7) == 0) || (n > 8 && memcmp(p, "https://", 8) == 0);
}

static size_t add_name(struct scan *s, struct spelling *sp, size_t at)
{
	size_t end = at;

	while (end < s->folded_len && is_name_byte((unsigned char)s->folded[end]))
		end++;
	if (is_mail(s, end)) {
		add_whole(s, sp, OUTCOME_MAIL, at);
		return end_of_place(s, end);
	}
	if (s->others.n && others_have(&s->others, s->folded + at, end - at))
		add_whole(s, sp, OUTCOME_OTHER, at);
	else
		add_parts(s, sp, at, end);
	return end;
}

void scan_words(struct scan *s)
{
	struct spelling sp = { .n = 0 };
	size_t at = 0, secret = 0;

	s->n_active = 0;
	while (at < s->folded_len) {
		unsigned char c = (unsigned char)s->folded[at];
		while (secret < s->n_secrets && s->secrets[secret].at < at)
			secret++;
		if (secret < s->n_secrets && s->secrets[secret].at == at) {
			add_whole(s, &sp, OUTCOME_SECRET, at);
			at = end_of_place(s, s->secrets[secret].end);
		} else if (c == 'h' && is_link(s, at)) {
			add_whole(s, &sp, OUTCOME_URL, at);
			at = scan_link(s, at);
		} else if (is_word_byte(c)) {
			at = add_name(s, &sp, at);
		} else {
			if (c == '!')
				scan_image(s, at);
			at++;
		}
	}
	end_spelling(s, &sp);
	for (size_t i = 0; i < s->n_active; i++)
		s->reached[s->active[i]] = 0;
	s->n_active = 0;
}
