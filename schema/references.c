/* SPDX-License-Identifier: Apache-2.0 */
/* references - $ref and $dynamicRef to the schemas that they mean, and which objects strict closes */
#include <errno.h>
#include <string.h>
#include "base/text.h"
#include "schema/compiler.h"
#include "schema/schema.h"
#include "schema/uri.h"

enum { SHOWN_MAX = 300, CLOSING_ROUNDS_MAX = 64 };

bool compile_is_reference(const struct tree_node *n)
{
	return n->type == TREE_STRING && n->len <= SCHEMA_URI_MAX && !memchr(n->text, '\0', n->len);
}

/* A reference is looked up when every schema object that keywords reach has said its names. */
int compile_reference(struct compiler *c, struct rule *r)
{
	const struct tree_node *n = &c->s->tree.nodes[r->node];
	int e;

	if (!compile_is_reference(n))
		return compile_refuse(c, r->node, "must be a URI reference of no great length");
	e = table_grow((void **)&c->references, &c->cap_references, c->n_references, 1, sizeof(*c->references));
	if (e)
		return e;
	c->references[c->n_references++] =
		(struct reference){ .rule = c->rule, .node = r->node, .resource = c->resource };
	r->anchor = SUB_NONE;
	return 0;
}

static int refuse_target(struct compiler *c, uint32_t node, const char *why)
{
	const struct tree_node *n = &c->s->tree.nodes[node];
	_cleanup_buf_ struct buf raw = BUF_INIT(SCHEMA_TEXT_MAX);
	char shown[SHOWN_MAX], words[SHOWN_MAX + 200];

	if (buf_append(&raw, n->text, n->len) < 0)
		return -ENOMEM;
	snprintf(words, sizeof(words), "refers to '%s', %s", text_escape_str(raw.data, shown, sizeof(shown)), why);
	return compile_refuse(c, node, words);
}

/* One name of a JSON pointer (RFC 6901, section 4), ~ undone in place. The length. */
static size_t unescape_token(char *p, size_t n)
{
	size_t to = 0;

	for (size_t i = 0; i < n; i++) {
		bool escaped = p[i] == '~' && i + 1 < n && (p[i + 1] == '0' || p[i + 1] == '1');
		p[to++] = !escaped ? p[i] : p[++i] == '0' ? '~' : '/';
	}
	return to;
}

static uint32_t element(const struct tree *t, uint32_t array, const char *p, size_t n)
{
	uint64_t index;
	struct number number;

	if (number_read(p, n, &number) != NUMBER_OK || n > 9 || !number_to_count(&number, &index))
		return 0;
	TREE_EACH (t, child, array)
		if (index-- == 0)
			return child;
	return 0;
}

/* Follows a JSON pointer from *node, which is 0 where it leads nowhere. On its way it may enter another resource. */
static int follow(struct compiler *c, const struct reference *ref, char *p, size_t n, uint32_t *node)
{
	const struct tree *t = &c->s->tree;
	int e = 0;

	while (e == 0 && n > 0) {
		char *next = n > 1 ? memchr(p + 1, '/', n - 1) : NULL;
		size_t step = next ? (size_t)(next - p) : n, len = unescape_token(p + 1, step - 1);
		e = compile_spend(c, ref->node, 1 + t->nodes[*node].count);
		*node = tree_is(t, *node, TREE_ARRAY) ? element(t, *node, p + 1, len)
						      : tree_find(t, *node, p + 1, len, tree_hash(p + 1, len));
		if (*node == 0)
			return 0;
		if (c->sub_of[*node])
			c->resource = c->s->subs[c->sub_of[*node] - 1].resource;
		p += step;
		n -= step;
	}
	return e;
}

static uint32_t find_anchor(const struct schema_compiled *s, uint16_t resource, const char *name, size_t n)
{
	uint32_t found = SUB_NONE;

	for (uint32_t i = 0; i < s->n_anchors; i++) {
		const struct anchor *a = &s->anchors[i];
		if (a->resource == resource && a->len == n && memcmp(a->name, name, n) == 0 &&
			(found == SUB_NONE || a->dynamic))
			found = i;
	}
	return found;
}

/* The resource that the part before the fragment means. */
static int find_resource(struct compiler *c, const struct reference *ref, size_t before, uint16_t *ret)
{
	struct schema_compiled *s = c->s;
	_cleanup_free_ char *uri = NULL;
	int e;

	*ret = ref->resource;
	if (before == 0)
		return 0;
	e = uri_resolve(s->resources[ref->resource].uri, s->tree.nodes[ref->node].text, before, &uri);
	if (e == 0)
		e = compile_spend(c, ref->node, s->n_resources * (1 + strlen(uri) / 8));
	if (e)
		return e;
	for (uint32_t i = 0; i < s->n_resources; i++)
		if (strcmp(s->resources[i].uri, uri) == 0) {
			*ret = (uint16_t)i;
			return 0;
		}
	return refuse_target(c, ref->node, "which is not in this schema; nothing is fetched from elsewhere");
}

/* c->resource is where the reference leads; the rest is the fragment. */
static int find_target(struct compiler *c, const struct reference *ref, struct buf *fragment, struct rule *rule)
{
	bool by_name = fragment->len > 0 && fragment->data[0] != '/';
	uint32_t node = c->s->resources[c->resource].node, anchor;
	int e = by_name ? 0 : follow(c, ref, fragment->data, fragment->len, &node);

	if (e)
		return e;
	if (by_name) {
		anchor = find_anchor(c->s, c->resource, fragment->data, fragment->len);
		if (anchor == SUB_NONE)
			return refuse_target(c, ref->node, "and no schema here has that name");
		node = c->s->anchors[anchor].node;
		rule->anchor =
			c->s->anchors[anchor].dynamic && rule->keyword == KEYWORD_DYNAMIC_REF ? anchor : SUB_NONE;
	} else if (node == 0 && fragment->len > 0) {
		return refuse_target(c, ref->node, "and there is nothing at that place");
	}
	return compile_sub(c, node, &rule->sub);
}

static int resolve(struct compiler *c, const struct reference *ref)
{
	const struct tree_node *n = &c->s->tree.nodes[ref->node];
	_cleanup_buf_ struct buf fragment = BUF_INIT(SCHEMA_TEXT_MAX);
	size_t before = uri_before_fragment(n->text, n->len), after = before + (before < n->len);
	struct rule rule = c->s->rules[ref->rule];
	int e = find_resource(c, ref, before, &c->resource);

	if (e == 0)
		e = uri_unescape(n->text + after, n->len - after, &fragment);
	if (e == 0)
		e = find_target(c, ref, &fragment, &rule);
	c->s->rules[ref->rule] = rule;
	return e;
}

int compile_references(struct compiler *c)
{
	int e = 0;

	for (uint32_t i = 0; e == 0 && i < c->n_references; i++) {
		/* What it refers to may bring references of its own, and the list then moves. */
		struct reference ref = c->references[i];
		e = resolve(c, &ref);
	}
	return e;
}

/* Does one of the schemas that a rule applies to the same object have properties? */
static bool rule_names(const struct schema_compiled *s, const struct rule *r)
{
	bool named = r->keyword == KEYWORD_DEPENDENT_SCHEMAS || r->keyword == KEYWORD_DEPENDENCIES;

	if (!keyword_rows[r->keyword].in_place)
		return false;
	if (r->sub != SUB_NONE && s->subs[r->sub].names)
		return true;
	for (uint32_t i = 0; r->sub == SUB_NONE && i < r->n; i++) {
		uint32_t sub = named ? s->entries[r->first + i].sub : s->lists[r->first + i];
		if (sub != SUB_NONE && s->subs[sub].names)
			return true;
	}
	return false;
}

/* A $dynamicRef may lead to any schema of that anchor's name. */
static bool dynamic_names(const struct schema_compiled *s, const struct rule *r)
{
	const struct anchor *wanted;

	if (r->keyword != KEYWORD_DYNAMIC_REF || r->anchor == SUB_NONE)
		return false;
	wanted = &s->anchors[r->anchor];
	for (const struct anchor *a = s->anchors; a < s->anchors + s->n_anchors; a++)
		if (a->dynamic && a->len == wanted->len && memcmp(a->name, wanted->name, a->len) == 0 &&
			s->subs[a->sub].names)
			return true;
	return false;
}

static bool sub_names(const struct schema_compiled *s, const struct sub *sub)
{
	for (const struct rule *r = s->rules + sub->first; r < s->rules + sub->first + sub->n; r++)
		if ((r->keyword == KEYWORD_PROPERTIES && r->node) || rule_names(s, r) || dynamic_names(s, r))
			return true;
	return false;
}

/* What a round looks at. */
static uint64_t round_work(const struct schema_compiled *s)
{
	uint64_t work = s->n_rules + s->n_lists + s->n_entries;

	for (uint32_t i = 0; i < s->n_rules; i++)
		work += s->rules[i].keyword == KEYWORD_DYNAMIC_REF ? s->n_anchors : 0;
	return work;
}

/* Each round carries the answer at least one reference further, in the order of the subs and against it. */
int compile_closing(struct compiler *c)
{
	struct schema_compiled *s = c->s;
	bool changed = true;

	for (int round = 0; changed; round++) {
		if (round == CLOSING_ROUNDS_MAX)
			return compile_refuse(c, 0, "has references that lead on and on");
		int e = compile_spend(c, 0, round_work(s));
		if (e)
			return e;
		changed = false;
		for (uint32_t i = 0; i < s->n_subs; i++) {
			struct sub *sub = &s->subs[round % 2 ? i : s->n_subs - 1 - i];
			bool names = sub->names || sub_names(s, sub);
			changed |= names != sub->names;
			sub->names = names;
		}
	}
	for (uint32_t i = 0; i < s->n_rules; i++)
		s->turns |= s->rules[i].keyword == KEYWORD_ONE_OF;
	s->marks = true;
	return 0;
}
