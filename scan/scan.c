/* SPDX-License-Identifier: Apache-2.0 */
/* scan - see scan.h */
#include "scan/scan.h"
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "scan/work.h"

enum {
	WORD_MAX = 20,
	LONG_TEXT = 8 << 10,
	VERY_LONG_TEXT = 24 << 10,
	VERY_LONG_TOTAL = 64 << 10,
	KEY_WORDS_MAX = 8, /* a name of more is a sentence */
	KEY_BYTES_MAX = 96,
	SHOWN_BEFORE = 72, /* bytes of text before the place of a finding that show how it came to it */
	SHOWN_BYTES = 110,
};

static const struct scan_rule rules[] = {
#define X(name, id, severity, title) { id, severity, title },
	SCAN_RULES(X)
#undef X
};
_Static_assert(ARRAY_LEN(rules) == RULE_COUNT, "a row for every rule");
_Static_assert((int)RULE_COUNT <= (int)SCAN_FINDINGS_MAX, "room for a finding of every rule");

static const char *const severities[] = {
	[SCAN_INFO] = "info",
	[SCAN_LOW] = "low",
	[SCAN_MEDIUM] = "medium",
	[SCAN_HIGH] = "high",
};

/* Parameters that attacks use to have something carried out, and that calls do not need. */
static const char *const sidenotes[] = { "sidenote", "side_note", "sidenotes", "hidden_note", "context_dump",
	"conversation_dump", "exfil", "exfil_data", "system_prompt_copy", "secret_note", "model_thoughts",
	"chain_of_thought", "full_conversation", "conversation_history_dump", "internal_context", "debug_context" };

const struct scan_rule *scan_rule_at(size_t i)
{
	return i < RULE_COUNT ? &rules[i] : NULL;
}

const char *scan_severity_name(enum scan_severity v)
{
	return (unsigned)v < ARRAY_LEN(severities) ? severities[v] : "unknown";
}

bool scan_severity_parse(const char *name, enum scan_severity *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(severities); i++)
		if (strcmp(name, severities[i]) == 0) {
			*ret = (enum scan_severity)i;
			return true;
		}
	return false;
}

struct scan *scan_new(void)
{
	return calloc(1, sizeof(struct scan));
}

void scan_free(struct scan *s)
{
	if (!s)
		return;
	others_done(&s->others);
	free(s);
}

/* Foreign bytes, made safe for a person and cut at a character. */
static void show(char *ret, size_t size, const unsigned char *p, size_t n)
{
	_cleanup_buf_ struct buf b = BUF_INIT(16 * SHOWN_BYTES + 2 * SCAN_PATH_MAX);
	size_t len;

	ret[0] = '\0';
	if (text_escape(&b, (const char *)p, n, TEXT_KEEP_BACKSLASH) < 0 || !b.data)
		return;
	len = b.len < size ? b.len : size - 1;
	while (len > 0 && len < b.len && ((unsigned char)b.data[len] & 0xc0) == 0x80)
		len--;
	memcpy(ret, b.data, len);
	ret[len] = '\0';
}

static size_t at_character(const unsigned char *p, size_t n, size_t at)
{
	while (at > 0 && at < n && (p[at] & 0xc0) == 0x80)
		at--;
	return at < n ? at : n;
}

/* The same rule in the same text, or in another of that path. */
static struct scan_finding *known(struct scan *s, const struct scan_rule *rule)
{
	for (size_t i = 0; i < s->findings.n; i++)
		if (s->findings.at[i].rule == rule &&
			(s->found_in[i] == s->texts || strcmp(s->findings.at[i].path, s->path) == 0))
			return &s->findings.at[i];
	return NULL;
}

static bool has_rule(const struct scan *s, const struct scan_rule *rule, size_t before)
{
	for (size_t i = 0; i < before; i++)
		if (s->findings.at[i].rule == rule)
			return true;
	return false;
}

/* The place of a new finding, or NULL. Nobody shall hide what one rule finds behind a crowd of what others do: for a
 * rule that has no place yet, the last finding gives way whose rule has another. */
static struct scan_finding *place(struct scan *s, const struct scan_rule *rule)
{
	struct scan_findings *f = &s->findings;
	size_t i = f->n;

	if (i == SCAN_FINDINGS_MAX) {
		f->more++;
		if (has_rule(s, rule, i))
			return NULL;
		while (i > 0 && !has_rule(s, f->at[i - 1].rule, i - 1))
			i--;
		if (i == 0)
			return NULL;
		i--;
	} else {
		f->n++;
	}
	s->found_in[i] = s->texts;
	f->at[i] = (struct scan_finding){ .rule = rule, .count = 1 };
	return &f->at[i];
}

static void add(struct scan *s, enum scan_rule_number number, size_t from, size_t end)
{
	const struct scan_rule *rule = &rules[number];
	struct scan_finding *f = known(s, rule);

	s->found++;
	if (rule->severity > s->findings.worst)
		s->findings.worst = rule->severity;
	if (f) {
		f->count++;
		return;
	}
	f = place(s, rule);
	if (!f)
		return;
	show(f->path, sizeof(f->path), (const unsigned char *)s->path, strnlen(s->path, SCAN_PATH_MAX));
	end = end - from > SHOWN_BYTES ? from + SHOWN_BYTES : end;
	from = at_character(s->raw, s->raw_len, from);
	end = at_character(s->raw, s->raw_len, end);
	show(f->shown, sizeof(f->shown), s->raw + from, end - from);
}

void found(struct scan *s, enum scan_rule_number rule, size_t at, size_t n)
{
	add(s, rule, at, n < s->raw_len - at ? at + n : s->raw_len);
}

void found_folded(struct scan *s, enum scan_rule_number rule, size_t at, size_t n)
{
	size_t from = s->from[at], to = at + n < s->folded_len ? s->from[at + n] : s->raw_len;

	/* A phrase is found at its last word. */
	if (n == 1) {
		while (to < s->raw_len && to - from < 24 && s->raw[to] != ' ' && s->raw[to] != '\n')
			to++;
		from = from > SHOWN_BEFORE ? from - SHOWN_BEFORE : 0;
	}
	add(s, rule, from, to);
}

void scan_begin(struct scan *s, enum scan_kind kind)
{
	s->kind = kind;
	s->raw = (const unsigned char *)"";
	s->raw_len = 0;
	s->findings.n = 0;
	s->findings.more = 0;
	s->findings.worst = SCAN_INFO;
	s->total = 0;
	s->texts = 0;
}

/* Takes a text that is within the limits; false: it is not, and that has been found. */
static bool take(struct scan *s, const char *path, const char *text, size_t n)
{
	s->path = path;
	s->raw = (const unsigned char *)(n ? text : "");
	s->raw_len = n < SCAN_TEXT_MAX ? n : SCAN_TEXT_MAX;
	s->is_key = false;
	s->reads_right_to_left = false;
	s->total += n;
	/* Beyond that there are no texts: what is found there is one thing. */
	s->texts += s->total <= SCAN_TOTAL_MAX;
	if (n > SCAN_TEXT_MAX || s->total > SCAN_TOTAL_MAX || s->texts > SCAN_TEXTS_MAX) {
		found(s, RULE_SIZE_UNREAD, 0, 0);
		return s->total <= SCAN_TOTAL_MAX && s->texts <= SCAN_TEXTS_MAX;
	}
	if (n > VERY_LONG_TEXT)
		found(s, RULE_SIZE_LONG, 0, SHOWN_BYTES);
	else if (n > LONG_TEXT)
		found(s, RULE_SIZE_FIELD, 0, SHOWN_BYTES);
	return true;
}

/* One word of letters: no rule is about that, and half of what a schema holds is just it. */
static bool is_one_word(const struct scan *s)
{
	if (s->raw_len > WORD_MAX)
		return false;
	for (size_t i = 0; i < s->raw_len; i++)
		if (s->raw[i] < 'a' || s->raw[i] > 'z')
			return false;
	return true;
}

static void judge(struct scan *s)
{
	scan_characters(s);
	scan_shapes(s);
	scan_literals(s);
	scan_words(s);
}

void scan_text(struct scan *s, const char *path, const char *text, size_t n)
{
	uint64_t before = s->found;

	if (!take(s, path, text, n) || is_one_word(s) || known_is(s))
		return;
	judge(s);
	if (s->found == before)
		known_add(s);
}

void scan_name(struct scan *s, const char *name, size_t n)
{
	if (!take(s, "name", name, n))
		return;
	scan_name_rules(s);
	s->is_key = true;
	judge(s);
}

/* Words of a key: parted by '_', '-' and blanks, and where a capital follows a small letter. */
static size_t count_words(const struct scan *s)
{
	size_t words = 0;
	bool within = false;

	for (size_t i = 1; i < s->folded_len; i++) {
		char c = s->folded[i];
		bool part = c != '_' && c != '-' && c != ' ' && c != '.' && c != '/' && c != '$';
		words += part && !within;
		within = part;
	}
	return words;
}

static void judge_key(struct scan *s, size_t n)
{
	judge(s);
	if (n > KEY_BYTES_MAX || count_words(s) > KEY_WORDS_MAX)
		found(s, RULE_SCHEMA_SENTENCE, 0, n);
	for (size_t i = 0; i < ARRAY_LEN(sidenotes); i++)
		if (s->folded_len - 1 == strlen(sidenotes[i]) &&
			memcmp(s->folded + 1, sidenotes[i], s->folded_len - 1) == 0)
			found(s, RULE_SCHEMA_SIDENOTE, 0, n);
}

void scan_key(struct scan *s, const char *path, const char *key, size_t n)
{
	uint64_t before = s->found;

	if (!take(s, path, key, n))
		return;
	s->is_key = true;
	if (known_is(s))
		return;
	judge_key(s, n);
	if (s->found == before)
		known_add(s);
}

const struct scan_findings *scan_end(struct scan *s)
{
	if (s->total > VERY_LONG_TOTAL && s->texts > 1) {
		s->path = "";
		s->raw_len = 0;
		found(s, RULE_SIZE_LONG, 0, 0);
	}
	return &s->findings;
}
