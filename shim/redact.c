/* SPDX-License-Identifier: Apache-2.0 */
/* redact - see redact.h */
#include "shim/redact.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/ascii.h"
#include "schema/regex.h"

enum { REPLACED_MAX = 2 * SHIM_LINE_MAX };

int redact_init(struct redact *r, const struct shim_text *config, struct diag *d)
{
	int e = 0;

	*r = (struct redact){ .config = config };
	if (config->n_patterns == 0)
		return 0;
	r->patterns = calloc(config->n_patterns, sizeof(struct regex *));
	r->memory = regex_memory_new();
	if (!r->patterns || !r->memory)
		return -ENOMEM;
	for (size_t i = 0; e == 0 && i < config->n_patterns; i++)
		e = regex_compile(config->patterns[i].pattern, strlen(config->patterns[i].pattern), &r->patterns[i], d);
	return e;
}

void redact_done(struct redact *r)
{
	for (size_t i = 0; r->patterns && i < r->config->n_patterns; i++)
		regex_free(r->patterns[i]);
	free(r->patterns);
	regex_memory_free(r->memory);
	*r = (struct redact){ 0 };
}

bool redact_is_on(const struct redact *r)
{
	return r->config && (r->config->sets || r->config->n_patterns);
}

const char *redact_name(const struct redact *r, unsigned kind)
{
	return kind < SHIM_SET_COUNT ? shim_set_name(kind) : r->config->patterns[kind - SHIM_SET_COUNT].name;
}

static int put_mark(const struct redact *r, struct buf *out, unsigned kind, uint64_t *counts)
{
	counts[kind]++;
	return buf_printf(out, "[stockade: %s removed]", redact_name(r, kind));
}

/* May a number or a word begin at p? Not within another, nor in the fraction of a decimal. */
static bool is_start(const char *text, const char *p)
{
	if (!ascii_is_word(*p))
		return false;
	if (p == text)
		return true;
	return !ascii_is_word(p[-1]) && !(p[-1] == '.' && p - text >= 2 && p[-2] >= '0' && p[-2] <= '9');
}

enum {
	OF_CAPITALS = (1 << SHIM_SET_IBAN) | (1 << SHIM_SET_UK_NINO) | (1 << SHIM_SET_ES_DNI) | (1 << SHIM_SET_IT_CF),
	OF_DIGITS = (((1 << SHIM_SET_COUNT) - 1) & ~((1 << SHIM_SET_MAIL) | OF_CAPITALS)) | (1 << SHIM_SET_ES_DNI),
};

/* What any of the sets knows at p. */
static size_t match_sets(
	const struct redact *r, const char *p, const char *end, const struct redact_ahead *a, unsigned *ret_kind)
{
	uint32_t sets = *p >= '0' && *p <= '9' ? OF_DIGITS : *p >= 'A' && *p <= 'Z' ? OF_CAPITALS : 0;

	if (a->mail && p >= a->mail)
		sets |= 1 << SHIM_SET_MAIL;
	for (sets &= r->config->sets; sets; sets &= sets - 1) {
		unsigned i = (unsigned)__builtin_ctz(sets);
		size_t n = redact_match(i, p, end);
		*ret_kind = i;
		if (n)
			return n;
	}
	return 0;
}

bool redact_may_find(const struct redact *r, const char *p, size_t n)
{
	struct redact_ahead a = { NULL, NULL };
	const char *end = p + n;
	unsigned kind;

	if (r->config->n_patterns || !r->config->sets)
		return r->config->n_patterns > 0;
	for (const char *at = p; (at = redact_next(r->config->sets, p, at, end, true, &a)) < end; at++)
		if (match_sets(r, at, end, &a, &kind))
			return true;
	return false;
}

int redact_replace_sets(const struct redact *r, struct buf *out, const char *text, size_t len, uint64_t *counts)
{
	const char *from = text, *end = text + len;
	struct redact_ahead a = { NULL, NULL };
	unsigned kind = 0;
	int e = 0, changed = 0;

	for (const char *p = text; e == 0 && (p = redact_next(r->config->sets, text, p, end, false, &a)) < end;) {
		size_t n = is_start(text, p) ? match_sets(r, p, end, &a, &kind) : 0;
		if (n) {
			changed = 1;
			e = buf_append(out, from, (size_t)(p - from));
			if (e == 0)
				e = put_mark(r, out, kind, counts);
			from = p + n;
		}
		p += n ? n : 1;
	}
	if (e == 0 && changed)
		e = buf_append(out, from, (size_t)(end - from));
	return e ? e : changed;
}

static int replace_pattern(const struct redact *r, size_t i, struct buf *out, const char *text, size_t len,
	uint64_t *steps, uint64_t *counts)
{
	unsigned kind = SHIM_SET_COUNT + (unsigned)i;
	struct regex_span here;
	size_t from = 0;
	int found, e = 0;

	while (e == 0 && from < len &&
		(found = regex_find(r->patterns[i], r->memory, text, len, from, steps, &here)) != REGEX_NO_MATCH) {
		if (found == REGEX_TOO_COSTLY) {
			buf_clear(out);
			e = put_mark(r, out, kind, counts);
			return e ? e : 1;
		}
		e = buf_append(out, text + from, here.at - from);
		if (e == 0)
			e = put_mark(r, out, kind, counts);
		from = here.at + here.len;
	}
	if (e || from == 0)
		return e;
	e = buf_append(out, text + from, len - from);
	return e ? e : 1;
}

/* Text as the last replacement left it. */
struct redaction {
	struct buf now, next;
	const char *p;
	size_t n;
	bool changed;
};

/* What redact_replace_sets or replace_pattern said of next. */
static int advance(struct redaction *t, int changed)
{
	if (changed <= 0)
		return changed;
	struct buf spare = t->now;
	t->now = t->next;
	t->next = spare;
	buf_clear(&t->next);
	t->p = t->now.data;
	t->n = t->now.len;
	t->changed = true;
	return 0;
}

int redact_replace(const struct redact *r, struct buf *out, const char *p, size_t n, uint64_t *steps, uint64_t *counts)
{
	struct redaction t = { .now = BUF_INIT(REPLACED_MAX), .next = BUF_INIT(REPLACED_MAX), .p = p, .n = n };
	int e = r->config->sets ? advance(&t, redact_replace_sets(r, &t.next, t.p, t.n, counts)) : 0;

	for (size_t i = 0; e == 0 && i < r->config->n_patterns; i++)
		e = advance(&t, replace_pattern(r, i, &t.next, t.p, t.n, steps, counts));
	if (e == 0 && t.changed)
		e = buf_append(out, t.p, t.n);
	buf_done(&t.now);
	buf_done(&t.next);
	return e ? e : t.changed;
}
