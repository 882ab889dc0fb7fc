/* SPDX-License-Identifier: Apache-2.0 */
/* check_children - rules about the members of an object and the elements of an array */
#include <errno.h>
#include <string.h>
#include "schema/checker.h"

static bool entry_is(const struct entry *e, const struct tree_node *n)
{
	return e->hash == n->key_hash && e->len == n->key_len && memcmp(e->name, n->key, e->len) == 0;
}

static bool has_member(struct check *k, uint32_t node, const struct entry *e)
{
	return check_spend(k, k->t->nodes[node].count / 8) && tree_find(k->t, node, e->name, e->len, e->hash);
}

/* All those names of entries must be there. */
static bool must_have(struct check *k, const struct rule *r, uint32_t node, uint32_t first, uint32_t n)
{
	for (uint32_t i = first; i < first + n; i++)
		if (!has_member(k, node, &k->s->entries[i]))
			return check_fail(k, r, r->keyword, node, i);
	return true;
}

bool check_required(struct check *k, const struct rule *r, uint32_t node, bool collect)
{
	return must_have(k, r, node, r->first, r->n);
}

bool check_dependent_required(struct check *k, const struct rule *r, uint32_t node, bool collect)
{
	const struct entry *end = k->s->entries + r->first + r->n;

	for (const struct entry *e = end - r->n; e < end; e++)
		if (has_member(k, node, e) && !must_have(k, r, node, e->first, e->n))
			return false;
	return !k->stop;
}

bool check_dependent_schemas(struct check *k, const struct rule *r, uint32_t node, bool collect)
{
	const struct entry *end = k->s->entries + r->first + r->n;

	for (const struct entry *e = end - r->n; e < end; e++) {
		if (!has_member(k, node, e))
			continue;
		if (e->sub == SUB_NONE ? !must_have(k, r, node, e->first, e->n) : !check_sub(k, e->sub, node, collect))
			return false;
	}
	return !k->stop;
}

static const struct entry *find_property(struct check *k, const struct rule *r, const struct tree_node *n)
{
	const uint32_t *slots = k->s->slots + r->members.slots;

	for (uint32_t slot = n->key_hash & r->members.mask; slots[slot]; slot = (slot + 1) & r->members.mask) {
		const struct entry *e = &k->s->entries[slots[slot] - 1];
		if (entry_is(e, n))
			return e;
		if (!check_spend(k, 1))
			break;
	}
	return NULL;
}

/* The patterns that the name matches; *found says whether there is one. */
static bool check_patterns(struct check *k, const struct rule *r, uint32_t child, bool *found)
{
	const struct tree_node *n = &k->t->nodes[child];
	const struct entry *end = k->s->entries + r->members.patterns + r->members.n_patterns;

	for (const struct entry *e = end - r->members.n_patterns; e < end; e++) {
		int m = check_spend(k, 1) ? regex_match(e->pattern, k->c->regex, n->key, n->key_len, &k->steps)
					  : REGEX_TOO_COSTLY;
		if (m == REGEX_TOO_COSTLY)
			return check_stop(k, SCHEMA_UNDECIDED,
				"to match a name with its pattern takes more work than is allowed");
		if (m == REGEX_NO_MATCH)
			continue;
		*found = true;
		if (!check_value(k, e->sub, child))
			return false;
	}
	return true;
}

/* No other member may be there: the failure is the member, not what it holds. */
static bool check_other(struct check *k, const struct rule *r, uint32_t child, enum keyword keyword)
{
	if (k->s->subs[r->sub].never)
		return check_fail(k, r, keyword, child, 0);
	return check_value(k, r->sub, child);
}

bool check_members(struct check *k, const struct rule *r, uint32_t node, bool collect)
{
	TREE_EACH (k->t, child, node) {
		const struct entry *e = find_property(k, r, &k->t->nodes[child]);
		bool found = e != NULL;
		if (!check_spend(k, 1) || (e && !check_value(k, e->sub, child)))
			return false;
		if (r->members.n_patterns && !check_patterns(k, r, child, &found))
			return false;
		if (!found && r->sub == SUB_NONE)
			continue;
		if (!found && !check_other(k, r, child, KEYWORD_ADDITIONAL_PROPERTIES))
			return false;
		if (collect)
			check_mark(k, child);
	}
	return !k->stop;
}

/* Each name as if it were a value: in the place after the last node, which nothing else uses. Its count is its object.
 */
bool check_property_names(struct check *k, const struct rule *r, uint32_t node, bool collect)
{
	struct tree *t = &k->c->tree;

	TREE_EACH (t, child, node) {
		const struct tree_node *n = &t->nodes[child];
		t->nodes[t->n] = (struct tree_node){
			.text = n->key, .len = n->key_len, .end = t->n + 1, .count = node, .type = TREE_STRING
		};
		if (!check_spend(k, 1) || !check_value(k, r->sub, t->n))
			return false;
	}
	return true;
}

bool check_elements(struct check *k, const struct rule *r, uint32_t node, bool collect)
{
	uint32_t i = 0;

	TREE_EACH (k->t, child, node) {
		uint32_t at = i++;
		if (at >= r->n && r->sub == SUB_NONE)
			break;
		if (at < r->n ? !check_value(k, k->s->lists[r->first + at], child)
			      : !check_other(k, r, child, KEYWORD_ADDITIONAL_ITEMS))
			return false;
		if (collect)
			check_mark(k, child);
	}
	return !k->stop;
}

/* What is looked for is not closed by strict: with less that is found, more might be allowed. */
bool check_contains(struct check *k, const struct rule *r, uint32_t node, bool collect)
{
	bool closing = k->closing;
	uint64_t n = 0;

	k->closing = false;
	TREE_EACH (k->t, child, node) {
		if (!check_spend(k, 1))
			return false;
		bool fits = check_value(k, r->sub, child);
		n += fits;
		if (fits && collect)
			check_mark(k, child);
		if (n >= r->contains.min && r->contains.max == UINT64_MAX && !collect)
			break;
	}
	k->closing = closing;
	if (n >= r->contains.min && n <= r->contains.max)
		return !k->stop;
	return check_fail(k, r, r->keyword, node, (uint32_t)n);
}

static int by_hash(const void *a, const void *b)
{
	const struct hashed *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->node < y->node ? -1 : x->node > y->node;
}

static int grow_hashed(struct schema_checker *c, uint32_t n)
{
	struct hashed *hashed;

	if (n <= c->cap_hashed)
		return 0;
	hashed = realloc(c->hashed, n * sizeof(*hashed));
	if (!hashed)
		return -ENOMEM;
	c->hashed = hashed;
	c->cap_hashed = n;
	return 0;
}

/* Equal elements have equal hashes, and stand side by side when sorted. */
bool check_unique(struct check *k, const struct rule *r, uint32_t node, bool collect)
{
	uint32_t n = k->t->nodes[node].count, i = 0;
	struct hashed *h;

	if (!r->count || n < 2)
		return true;
	if (grow_hashed(k->c, n) < 0)
		return check_stop(k, -ENOMEM, NULL);
	h = k->c->hashed;
	TREE_EACH (k->t, child, node)
		h[i++] = (struct hashed){ equal_hash(k, child), child };
	if (!check_spend(k, n))
		return false;
	qsort(h, n, sizeof(*h), by_hash);
	for (i = 0; i < n; i++)
		for (uint32_t j = i + 1; j < n && h[j].hash == h[i].hash && !k->stop; j++)
			if (equal_nodes(k, k->t, h[i].node, k->t, h[j].node))
				return check_fail(k, r, r->keyword, h[j].node, h[i].node);
	return !k->stop;
}

/* What no other rule of this schema, nor of those that apply with it, has looked at. */
bool check_unevaluated(struct check *k, const struct rule *r, uint32_t node, bool collect)
{
	uint32_t look = check_look(k, k->own_trail);

	TREE_EACH (k->t, child, node) {
		if (!check_spend(k, 1))
			return false;
		if (check_marked(k, child, look))
			continue;
		if (!check_other(k, r, child, r->keyword))
			return false;
		check_mark(k, child);
	}
	return !k->stop;
}
