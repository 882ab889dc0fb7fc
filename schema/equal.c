/* SPDX-License-Identifier: Apache-2.0 */
/* equal - values compared as JSON Schema means it (2020-12 core, section 4.2.2): 1 and 1.0 are one number */
#include <string.h>
#include "schema/checker.h"

enum { BYTES_A_STEP = 64 };

static bool equal_scalars(struct check *k, const struct tree_node *a, const struct tree_node *b)
{
	struct number x, y;

	switch (a->type) {
	case TREE_BOOLEAN:
		return a->count == b->count;
	case TREE_NUMBER:
		return check_spend(k, (a->len + b->len) / BYTES_A_STEP) &&
		       number_read(a->text, a->len, &x) == NUMBER_OK && number_read(b->text, b->len, &y) == NUMBER_OK &&
		       number_compare(&x, &y) == 0;
	case TREE_STRING:
		return a->len == b->len && check_spend(k, a->len / BYTES_A_STEP) &&
		       memcmp(a->text, b->text, a->len) == 0;
	default:
		return true;
	}
}

/* The member of the same name, looked for first where it is when both objects have the same order. */
static uint32_t counterpart(
	struct check *k, const struct tree *b, uint32_t y, uint32_t likely, const struct tree_node *m)
{
	const struct tree_node *n = &b->nodes[likely];

	if (likely < b->nodes[y].end && n->key_hash == m->key_hash && n->key_len == m->key_len &&
		memcmp(n->key, m->key, m->key_len) == 0)
		return likely;
	return check_spend(k, 1 + b->nodes[y].count / 8) ? tree_find(b, y, m->key, m->key_len, m->key_hash) : 0;
}

static bool equal_children(struct check *k, const struct tree *a, uint32_t x, const struct tree *b, uint32_t y)
{
	uint32_t likely = y + 1;

	TREE_EACH (a, child, x) {
		uint32_t other = tree_is(a, x, TREE_OBJECT) ? counterpart(k, b, y, likely, &a->nodes[child]) : likely;
		if (!other || !equal_nodes(k, a, child, b, other))
			return false;
		likely = b->nodes[other].end;
	}
	return true;
}

bool equal_nodes(struct check *k, const struct tree *a, uint32_t x, const struct tree *b, uint32_t y)
{
	const struct tree_node *p = &a->nodes[x], *q = &b->nodes[y];

	if (!check_spend(k, 1) || p->type != q->type)
		return false;
	if (p->type < TREE_ARRAY)
		return equal_scalars(k, p, q);
	return p->count == q->count && equal_children(k, a, x, b, y);
}

static uint32_t mix(uint32_t a, uint32_t b)
{
	uint64_t h = ((uint64_t)a << 32 | b) * 0x9e3779b97f4a7c15ULL;

	return (uint32_t)(h >> 32) ^ (uint32_t)h;
}

uint32_t equal_hash(struct check *k, uint32_t node)
{
	const struct tree_node *n = &k->t->nodes[node];
	uint32_t h = n->type;
	struct number number;

	if (!check_spend(k, 1 + n->len / BYTES_A_STEP))
		return 0;
	if (n->type == TREE_STRING)
		return mix(h, tree_hash(n->text, n->len));
	if (n->type == TREE_NUMBER)
		return number_read(n->text, n->len, &number) == NUMBER_OK ? mix(h, number_hash(&number)) : h;
	h = mix(h, n->count);
	TREE_EACH (k->t, child, node) {
		uint32_t value = equal_hash(k, child);
		/* Members in any order: a sum. */
		h = n->type == TREE_OBJECT ? h + mix(k->t->nodes[child].key_hash, value) : mix(h, value);
	}
	return h;
}
