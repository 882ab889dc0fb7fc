/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words - why a value does not fit, as a sentence that a model can act on
 *
 * First where, then the rule, then what is there. What the server's schema or the client's value say is cut to a
 * length, and the whole is escaped once, at the end.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/text.h"
#include "schema/checker.h"

enum {
	VALUE_SHOWN_MAX = 60,
	PATTERN_SHOWN_MAX = 200,
	LIST_SHOWN_MAX = 12,
	NAMES_MAX = 64,
	NAME_MAX_BYTES = 64,
	NAMES_DEPTH_MAX = 8,
	WHERE_ROOM = TREE_BYTES_MAX + 4096, /* all keys on the way to a value, the root and the brackets */
};

/* Nothing of a value's own stands before the first of these in a sentence. */
static const char BUT_IS[] = ", but is ";

/* The names that an object may have, as far as they are collected. */
struct names {
	char bytes[NAMES_MAX][NAME_MAX_BYTES];
	const char *at[NAMES_MAX];
	size_t n;
};

static int put_cut(struct buf *b, const char *p, size_t n, size_t most)
{
	size_t keep = n > most ? most : n;
	int e;

	while (keep < n && keep > 0 && ((unsigned char)p[keep] & 0xc0) == 0x80)
		keep--;
	e = buf_append(b, p, keep);
	return e == 0 && keep < n ? buf_puts(b, "...") : e;
}

/* Keys are as long as a peer likes. */
static int put_where(struct buf *b, const struct check *k, uint32_t node)
{
	_cleanup_buf_ struct buf where = BUF_INIT(WHERE_ROOM);
	int e = tree_where(k->t, node, k->s->root, &where);

	return e ? e : put_cut(b, where.data, where.len, SCHEMA_WHERE_MAX);
}

static int put_quoted(struct buf *b, const char *p, size_t n, size_t most)
{
	int e = buf_putc(b, '"');

	if (e == 0)
		e = put_cut(b, p, n, most);
	return e ? e : buf_putc(b, '"');
}

static int put_value(struct buf *b, const struct tree *t, uint32_t node)
{
	const struct tree_node *n = &t->nodes[node];

	switch (n->type) {
	case TREE_NULL:
		return buf_puts(b, "null");
	case TREE_BOOLEAN:
		return buf_puts(b, n->count ? "true" : "false");
	case TREE_NUMBER:
		return put_cut(b, n->text, n->len, VALUE_SHOWN_MAX);
	case TREE_STRING:
		return put_quoted(b, n->text, n->len, VALUE_SHOWN_MAX);
	case TREE_ARRAY:
		return n->count == 0 ? buf_puts(b, "an empty array")
				     : buf_printf(b, "an array of %u element%s", n->count, n->count == 1 ? "" : "s");
	default:
		return buf_puts(b, n->count == 0 ? "an empty object" : "an object");
	}
}

/* What goes between the words of a list: commas, and the last word before the last. */
static int put_comma(struct buf *b, size_t i, size_t n, const char *last)
{
	if (i == 0)
		return 0;
	return i + 1 < n ? buf_puts(b, ", ") : buf_printf(b, " %s ", last);
}

static int put_types(struct buf *b, unsigned types)
{
	static const struct {
		unsigned type;
		const char *name;
	} rows[] = {
		{ TREE_IS(STRING), "a string" },
		{ TREE_IS(NUMBER), "a number" },
		{ TREE_IS(TYPE_COUNT), "a whole number" },
		{ TREE_IS(BOOLEAN), "true or false" },
		{ TREE_IS(ARRAY), "an array" },
		{ TREE_IS(OBJECT), "an object" },
		{ TREE_IS(NULL), "null" },
	};
	size_t n = (size_t)__builtin_popcount(types), shown = 0;
	int e = 0;

	for (size_t i = 0; e == 0 && i < ARRAY_LEN(rows); i++) {
		if (!(types & rows[i].type))
			continue;
		e = put_comma(b, shown++, n, "or");
		if (e == 0)
			e = buf_puts(b, rows[i].name);
	}
	return e;
}

static int put_values(struct buf *b, const struct tree *t, uint32_t array)
{
	uint32_t n = t->nodes[array].count, i = 0;
	int e = n == 0 ? buf_puts(b, "nothing at all") : 0;

	TREE_EACH (t, child, array) {
		if (e || i == LIST_SHOWN_MAX)
			break;
		e = put_comma(b, i++, n, "or");
		if (e == 0)
			e = put_value(b, t, child);
	}
	return e == 0 && n > LIST_SHOWN_MAX ? buf_printf(b, " or %u others", n - LIST_SHOWN_MAX) : e;
}

static int put_operand(struct buf *b, const struct check *k, const struct rule *r)
{
	const struct tree *t = &k->s->tree;
	const struct tree_node *n = &t->nodes[r->node];

	switch (r->keyword) {
	case KEYWORD_TYPE:
		return put_types(b, r->types);
	case KEYWORD_ENUM:
		return put_values(b, t, r->node);
	case KEYWORD_ANY_OF:
	case KEYWORD_ONE_OF:
		return buf_printf(b, "%u", r->n);
	case KEYWORD_PATTERN:
		return put_cut(b, n->text, n->len, PATTERN_SHOWN_MAX);
	default:
		return put_value(b, t, r->node);
	}
}

/* The rule's words with its operand in the place of %s. */
static int put_rule(struct buf *b, const struct check *k, const struct rule *r)
{
	const char *says = keyword_rows[r->keyword].says, *hole = strstr(says, "%s");
	int e = buf_putc(b, ' ');

	if (!hole)
		return e ? e : buf_puts(b, says);
	if (e == 0)
		e = buf_append(b, says, (size_t)(hole - says));
	if (e == 0)
		e = put_operand(b, k, r);
	return e ? e : buf_puts(b, hole + 2);
}

static uint32_t characters(const struct tree_node *n)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < n->len; i++)
		count += ((unsigned char)n->text[i] & 0xc0) != 0x80;
	return count;
}

static int put_found(struct buf *b, const struct check *k, uint32_t node)
{
	const struct tree_node *n = &k->t->nodes[node];
	int e;

	switch (k->failure.keyword) {
	case KEYWORD_MAX_LENGTH:
	case KEYWORD_MIN_LENGTH:
		return buf_printf(b, ", but has %u", characters(n));
	case KEYWORD_MAX_ITEMS:
	case KEYWORD_MIN_ITEMS:
	case KEYWORD_MAX_PROPERTIES:
	case KEYWORD_MIN_PROPERTIES:
		return buf_printf(b, ", but holds %u", n->count);
	case KEYWORD_NOT:
		return 0;
	default:
		e = buf_puts(b, BUT_IS);
		return e ? e : put_value(b, k->t, node);
	}
}

static void add_names(const struct schema_compiled *s, const struct rule *r, struct names *names)
{
	for (uint32_t i = r->first; i < r->first + r->n && names->n < NAMES_MAX; i++) {
		const struct entry *e = &s->entries[i];
		if (e->len == 0 || e->len >= NAME_MAX_BYTES || memchr(e->name, '\0', e->len))
			continue;
		memcpy(names->bytes[names->n], e->name, e->len);
		names->at[names->n] = names->bytes[names->n];
		names->n++;
	}
}

/* Of a schema and, not too far, of those that apply with it. */
static void collect_names(const struct schema_compiled *s, uint32_t sub, int depth, struct names *names)
{
	const struct rule *r = sub == SUB_NONE ? NULL : s->rules + s->subs[sub].first;

	if (!r || depth == NAMES_DEPTH_MAX)
		return;
	for (const struct rule *end = r + s->subs[sub].n; r < end && names->n < NAMES_MAX; r++) {
		if (r->keyword == KEYWORD_PROPERTIES)
			add_names(s, r, names);
		else if (r->keyword == KEYWORD_REF || r->keyword == KEYWORD_DYNAMIC_REF)
			collect_names(s, r->sub, depth + 1, names);
		else if (r->keyword >= KEYWORD_ALL_OF && r->keyword <= KEYWORD_ONE_OF)
			for (uint32_t i = 0; i < r->n && names->n < NAMES_MAX; i++)
				collect_names(s, s->lists[r->first + i], depth + 1, names);
	}
}

/* Which name may have been meant, or those that there are. */
static int put_names(struct buf *b, const struct tree_node *wrong, const struct names *names)
{
	char word[NAME_MAX_BYTES] = "";
	const char *near;
	int e;

	if (wrong->key_len < sizeof(word))
		memcpy(word, wrong->key, wrong->key_len);
	near = text_nearest(word, names->at, names->n);
	if (near)
		return buf_printf(b, "; did you mean %s?", near);
	e = names->n > 0 ? buf_puts(b, "; known are ") : 0;
	for (size_t i = 0; e == 0 && i < names->n && i < LIST_SHOWN_MAX; i++) {
		e = put_comma(b, i, names->n, "and");
		if (e == 0)
			e = buf_puts(b, names->at[i]);
	}
	return e == 0 && names->n > LIST_SHOWN_MAX ? buf_puts(b, " and others") : e;
}

static int put_unknown(struct buf *b, const struct check *k, const struct failure *f)
{
	struct names names = { .n = 0 };
	int e = buf_puts(b, " is not known here");

	if (!f->rule)
		collect_names(k->s, f->detail, 0, &names);
	else if (f->keyword == KEYWORD_ADDITIONAL_PROPERTIES)
		add_names(k->s, f->rule, &names);
	return e ? e : put_names(b, &k->t->nodes[f->node], &names);
}

static int put_missing(struct buf *b, const struct check *k, const struct failure *f)
{
	const struct entry *name = &k->s->entries[f->detail];
	int e = buf_putc(b, '.');

	if (e == 0)
		e = put_cut(b, name->name, name->len, VALUE_SHOWN_MAX);
	if (e == 0)
		e = buf_puts(b, " must be there, but is missing");
	return e == 0 && f->keyword != KEYWORD_REQUIRED ? buf_puts(b, " beside another property that asks for it") : e;
}

static int put_twice(struct buf *b, const struct check *k, const struct failure *f)
{
	int e = buf_puts(b, " must not be there twice, but is the same as ");

	return e ? e : put_where(b, k, f->detail);
}

static int put_contained(struct buf *b, const struct failure *f)
{
	bool few = f->detail < f->rule->contains.min;

	return buf_printf(b, " must hold at %s %llu element%s of the form that is asked for, but holds %u",
		few ? "least" : "most", (unsigned long long)(few ? f->rule->contains.min : f->rule->contains.max),
		(few ? f->rule->contains.min : f->rule->contains.max) == 1 ? "" : "s", f->detail);
}

/* The types of all forms, where each form asks for one and the value has none of them; else 0. */
static unsigned types_of_forms(const struct check *k, const struct failure *f)
{
	unsigned all = 0, own = 1u << k->t->nodes[f->node].type;

	for (uint32_t i = 0; i < f->rule->n; i++) {
		const struct sub *s = &k->s->subs[k->s->lists[f->rule->first + i]];
		const struct rule *r = k->s->rules + s->first;
		if (s->n == 0 || r->keyword != KEYWORD_TYPE)
			return 0;
		all |= r->types;
	}
	return all & own ? 0 : all;
}

static int put_forms(struct buf *b, const struct check *k, const struct failure *f)
{
	unsigned types = types_of_forms(k, f);
	int e;

	if (f->keyword == KEYWORD_ONE_OF && f->detail > 1)
		return buf_printf(b, " fits several of the %u forms of which it must fit exactly one", f->rule->n);
	if (!types)
		return buf_printf(b, " fits none of the %u forms that are allowed here", f->rule->n);
	e = buf_puts(b, " must be ");
	if (e == 0)
		e = put_types(b, types);
	return e ? e : put_found(b, k, f->node);
}

/* What follows the place. */
static int put_why(struct buf *b, const struct check *k, const struct failure *f)
{
	int e;

	switch (f->keyword) {
	case KEYWORD_COUNT:
		return buf_puts(b, " is not allowed here");
	case KEYWORD_UNEVALUATED_PROPERTIES:
	case KEYWORD_ADDITIONAL_PROPERTIES:
		return put_unknown(b, k, f);
	case KEYWORD_UNEVALUATED_ITEMS:
	case KEYWORD_ADDITIONAL_ITEMS:
		return buf_puts(b, " is an element more than is allowed");
	case KEYWORD_REQUIRED:
	case KEYWORD_DEPENDENT_REQUIRED:
	case KEYWORD_DEPENDENCIES:
		return put_missing(b, k, f);
	case KEYWORD_UNIQUE_ITEMS:
		return put_twice(b, k, f);
	case KEYWORD_CONTAINS:
		return put_contained(b, f);
	case KEYWORD_ANY_OF:
	case KEYWORD_ONE_OF:
		return put_forms(b, k, f);
	default:
		e = put_rule(b, k, f->rule);
		return e ? e : put_found(b, k, f->node);
	}
}

/* A name that propertyNames is about stands after the last node, and its count is the object that has it. */
static int put_place(struct buf *b, const struct check *k, uint32_t node)
{
	const struct tree_node *n = &k->t->nodes[node];
	int e;

	if (node < k->t->n)
		return put_where(b, k, node);
	e = buf_puts(b, "the name ");
	if (e == 0)
		e = put_quoted(b, n->text, n->len, VALUE_SHOWN_MAX);
	if (e == 0)
		e = buf_puts(b, " in ");
	return e ? e : put_where(b, k, n->count);
}

static int put_sentence(struct buf *b, const struct check *k, struct schema_error *ret)
{
	_cleanup_buf_ struct buf where = BUF_INIT(TREE_BYTES_MAX);
	int e;

	if (k->stop_why) {
		text_escape_str(k->s->root, ret->where, sizeof(ret->where));
		return buf_printf(b, "%s cannot be judged: %s", k->s->root, k->stop_why);
	}
	e = put_place(&where, k, k->failure.node);
	if (e)
		return e;
	text_escape_str(where.data, ret->where, sizeof(ret->where));
	e = put_cut(b, where.data, where.len, SCHEMA_WHERE_MAX);
	return e ? e : put_why(b, k, &k->failure);
}

int words_of(const struct check *k, struct schema_error *ret)
{
	_cleanup_buf_ struct buf raw = BUF_INIT(TREE_BYTES_MAX), escaped = BUF_INIT(TREE_BYTES_MAX);
	size_t keep;
	int e = put_sentence(&raw, k, ret);

	if (e == 0)
		e = text_escape(&escaped, raw.data, raw.len, TEXT_KEEP_BACKSLASH);
	if (e)
		return e;
	keep = escaped.len;
	if (keep >= sizeof(ret->text)) {
		keep = sizeof(ret->text) - 4;
		while (keep > 0 && ((unsigned char)escaped.data[keep] & 0xc0) == 0x80)
			keep--;
	}
	snprintf(ret->text, sizeof(ret->text), "%.*s%s", (int)keep, escaped.data, keep < escaped.len ? "..." : "");
	return 0;
}

size_t schema_error_without_value(const struct schema_error *e)
{
	const char *found = strstr(e->text, BUT_IS);

	return found ? (size_t)(found - e->text) : strlen(e->text);
}
