/* SPDX-License-Identifier: Apache-2.0 */
/* names - the form of a definition's name, and other servers' tools that it imitates */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "scan/letters.h"
#include "scan/work.h"

enum { NAME_MAX_BYTES = 128, DRAWN_MAX = 256 };

static bool is_separator(char c)
{
	return c == '_' || c == '-' || c == '.' || c == '/' || c == ' ';
}

/* Small letters of ASCII, without separators. Returns its length; what does not fit is left out. */
static size_t make_plain(const char *name, size_t n, char ret[DRAWN_MAX])
{
	size_t len = 0;

	for (size_t i = 0; i < n && len < DRAWN_MAX - 1; i++)
		if (!is_separator(name[i]))
			ret[len++] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + 32) : name[i];
	ret[len] = '\0';
	return len;
}

static char drawn_digit(char c)
{
	return c == '0' ? 'o' : c == '1' || c == 'i' || c == '|' ? 'l' : c == '5' ? 's' : c;
}

static size_t put_drawn(const char *bytes, size_t n, char ret[DRAWN_MAX], size_t len)
{
	for (size_t i = 0; i < n && len < DRAWN_MAX - 1; i++)
		if (!is_separator(bytes[i]))
			ret[len++] = drawn_digit(bytes[i]);
	return len;
}

/* What it looks like. "rn" and "vv" are drawn like m and w. */
static size_t make_drawn(const char *name, size_t n, char ret[DRAWN_MAX])
{
	size_t len = 0, kept = 0;

	for (size_t i = 0; i < n;) {
		uint32_t cp = 0;
		size_t k = utf8_decode((const unsigned char *)name + i, n - i, &cp);
		const char *to = k > 1 ? letter_folded(cp) : NULL;
		char small = (char)(cp >= 'A' && cp <= 'Z' ? cp + 32 : cp);
		if (to)
			len = put_drawn(to, strlen(to), ret, len);
		else if (k == 1)
			len = put_drawn(&small, 1, ret, len);
		else if (letter_class(cp) == LETTER_PLAIN)
			len = put_drawn(name + i, k, ret, len);
		i += k ? k : 1;
	}
	for (size_t i = 0; i < len; i++) {
		bool pair =
			i + 1 < len && ((ret[i] == 'r' && ret[i + 1] == 'n') || (ret[i] == 'v' && ret[i + 1] == 'v'));
		ret[kept++] = pair ? (ret[i] == 'r' ? 'm' : 'w') : ret[i];
		i += pair;
	}
	ret[kept] = '\0';
	return kept;
}

static uint64_t hash(const char *p, size_t n)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)p[i]) * 0x100000001b3ULL;
	return h ^ h >> 29;
}

void others_done(struct others *o)
{
	for (size_t i = 0; i < o->n; i++) {
		free(o->at[i].name);
		free(o->at[i].plain);
		free(o->at[i].drawn);
	}
	free(o->at);
	free(o->by_name);
	free(o->by_drawn);
	*o = (struct others){ 0 };
}

static void enter(struct others *o, uint32_t *slots, const char *key, size_t place)
{
	size_t i = hash(key, strlen(key)) & (o->slots - 1);

	while (slots[i])
		i = (i + 1) & (o->slots - 1);
	slots[i] = (uint32_t)place + 1;
}

static size_t make_small(const char *name, size_t n, char ret[DRAWN_MAX])
{
	size_t len = n < DRAWN_MAX - 1 ? n : DRAWN_MAX - 1;

	for (size_t i = 0; i < len; i++)
		ret[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + 32) : name[i];
	ret[len] = '\0';
	return len;
}

static int add_other(struct others *o, const char *name)
{
	struct other *t = &o->at[o->n];
	char plain[DRAWN_MAX] = "", drawn[DRAWN_MAX] = "", folded[DRAWN_MAX] = "";

	make_plain(name, strlen(name), plain);
	make_drawn(name, strlen(name), drawn);
	make_small(name, strlen(name), folded);
	*t = (struct other){ strdup(name), strdup(plain), strdup(drawn), false };
	o->n++;
	if (!t->name || !t->plain || !t->drawn)
		return -ENOMEM;
	enter(o, o->by_name, folded, o->n - 1);
	enter(o, o->by_drawn, drawn, o->n - 1);
	return 0;
}

int scan_set_others(struct scan *s, const char *const *names, size_t n)
{
	struct others *o = &s->others;
	int r = 0;

	others_done(o);
	known_forget(s);
	if (n > SCAN_OTHERS_MAX)
		n = SCAN_OTHERS_MAX;
	if (n == 0)
		return 0;
	for (o->slots = 64; o->slots < 2 * n; o->slots *= 2)
		;
	o->at = calloc(n, sizeof(*o->at));
	o->by_name = calloc(o->slots, sizeof(*o->by_name));
	o->by_drawn = calloc(o->slots, sizeof(*o->by_drawn));
	if (!o->at || !o->by_name || !o->by_drawn)
		r = -ENOMEM;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = add_other(o, names[i]);
	if (r < 0)
		others_done(o);
	return r;
}

/* A name of one word is a word of the language as well ("search"), so it says nothing in a text. */
static bool is_telling(const char *name, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (name[i] == '_' || name[i] == '-')
			return n > 5;
	return false;
}

bool others_have(const struct others *o, const char *name, size_t n)
{
	if (!is_telling(name, n))
		return false;
	for (size_t i = hash(name, n) & (o->slots - 1); o->by_name[i]; i = (i + 1) & (o->slots - 1)) {
		const struct other *t = &o->at[o->by_name[i] - 1];
		if (!t->own && strlen(t->name) == n && strncasecmp(t->name, name, n) == 0)
			return true;
	}
	return false;
}

void scan_note_own(struct scan *s, const char *name, size_t n)
{
	struct others *o = &s->others;
	char folded[DRAWN_MAX] = "";

	if (o->n == 0)
		return;
	n = make_small(name, n, folded);
	for (size_t i = hash(folded, n) & (o->slots - 1); o->by_name[i]; i = (i + 1) & (o->slots - 1)) {
		struct other *t = &o->at[o->by_name[i] - 1];
		t->own = t->own || strcasecmp(t->name, folded) == 0;
	}
}

/* Of the tools that are drawn like it, the closest. */
static void judge_imitation(struct scan *s, const char *name, size_t n)
{
	const struct others *o = &s->others;
	char plain[DRAWN_MAX] = "", drawn[DRAWN_MAX] = "";
	int rule = -1;

	if (o->n == 0)
		return;
	make_plain(name, n, plain);
	make_drawn(name, n, drawn);
	for (size_t i = hash(drawn, strlen(drawn)) & (o->slots - 1); o->by_drawn[i]; i = (i + 1) & (o->slots - 1)) {
		const struct other *t = &o->at[o->by_drawn[i] - 1];
		if (strcmp(t->drawn, drawn) != 0)
			continue;
		if (strlen(t->name) == n && memcmp(t->name, name, n) == 0) {
			rule = RULE_NAME_SHADOW;
			break;
		}
		rule = strcmp(t->plain, plain) != 0 ? RULE_NAME_TWIN : rule < 0 ? RULE_NAME_NEAR : rule;
	}
	if (rule >= 0)
		found(s, (enum scan_rule_number)rule, 0, n);
}

static bool has_form(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!((p[i] >= 'a' && p[i] <= 'z') || (p[i] >= 'A' && p[i] <= 'Z') || (p[i] >= '0' && p[i] <= '9') ||
			    p[i] == '_' || p[i] == '-' || p[i] == '.' || p[i] == '/' || (unsigned char)p[i] >= 0x80))
			return false;
	return n > 0 && n <= NAME_MAX_BYTES;
}

/* Letters of other alphabets are a name's right; letters that are drawn like Latin ones, beside Latin ones, are not. */
static bool has_lookalike(const unsigned char *p, size_t n)
{
	bool latin = false, alike = false, foreign = false;

	for (size_t i = 0; i < n;) {
		uint32_t cp = 0;
		size_t k = utf8_decode(p + i, n - i, &cp);
		const char *to = k > 1 ? letter_folded(cp) : NULL;
		if (k == 1)
			latin |= (cp | 0x20) >= 'a' && (cp | 0x20) <= 'z';
		else if (to && (unsigned char)to[0] < 0x80 && letter_is_styled(cp))
			return true;
		else if (to && (unsigned char)to[0] < 0x80 && letter_is_alien(cp))
			alike = true;
		else if (letter_is_alien(cp))
			foreign = true;
		i += k ? k : 1;
	}
	return alike && (latin || !foreign);
}

void scan_name_rules(struct scan *s)
{
	if (!has_form((const char *)s->raw, s->raw_len))
		found(s, RULE_NAME_FORM, 0, s->raw_len);
	if (has_lookalike(s->raw, s->raw_len))
		found(s, RULE_NAME_LOOKALIKE, 0, s->raw_len);
	if (s->kind == SCAN_TOOL)
		judge_imitation(s, (const char *)s->raw, s->raw_len);
}
