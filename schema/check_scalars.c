/* SPDX-License-Identifier: Apache-2.0 */
/* check_scalars - rules about a type, a value, a number, a string, and how many there are */
#include "schema/checker.h"

enum { BYTES_A_STEP = 64 };

static const struct tree_node *node_at(const struct check *k, uint32_t node)
{
	return &k->t->nodes[node];
}

/* Reading has shown that it is a number. */
static struct number number_at(const struct check *k, uint32_t node)
{
	struct number n;

	(void)number_read(node_at(k, node)->text, node_at(k, node)->len, &n);
	return n;
}

/* fail unless ok */
static bool must(struct check *k, bool ok, const struct rule *r, uint32_t node)
{
	return ok || check_fail(k, r, r->keyword, node, 0);
}

bool check_types(struct check *k, const struct rule *r, uint32_t node, bool collect)
{
	enum tree_type type = node_at(k, node)->type;

	if (r->types & 1u << type)
		return true;
	if (type == TREE_NUMBER && (r->types & TREE_IS(TYPE_COUNT))) {
		struct number n = number_at(k, node);
		return must(k, number_is_whole(&n), r, node);
	}
	return check_fail(k, r, r->keyword, node, 0);
}

bool check_const(struct check *k, const struct rule *r, uint32_t node, bool collect)
{
	return must(k, equal_nodes(k, k->t, node, &k->s->tree, r->node), r, node);
}

bool check_enum(struct check *k, const struct rule *r, uint32_t node, bool collect)
{
	TREE_EACH (&k->s->tree, child, r->node) {
		if (equal_nodes(k, k->t, node, &k->s->tree, child))
			return true;
		if (k->stop)
			return false;
	}
	return check_fail(k, r, r->keyword, node, 0);
}

static int against(const struct check *k, const struct rule *r, uint32_t node)
{
	struct number n = number_at(k, node);

	return number_compare(&n, &r->number);
}

bool check_maximum(struct check *k, const struct rule *r, uint32_t node, bool collect)
{
	return must(k, against(k, r, node) <= 0, r, node);
}

bool check_exclusive_maximum(struct check *k, const struct rule *r, uint32_t node, bool collect)
{
	return must(k, against(k, r, node) < 0, r, node);
}

bool check_minimum(struct check *k, const struct rule *r, uint32_t node, bool collect)
{
	return must(k, against(k, r, node) >= 0, r, node);
}

bool check_exclusive_minimum(struct check *k, const struct rule *r, uint32_t node, bool collect)
{
	return must(k, against(k, r, node) > 0, r, node);
}

bool check_multiple(struct check *k, const struct rule *r, uint32_t node, bool collect)
{
	struct number n = number_at(k, node);

	if (!check_spend(k, node_at(k, node)->len / 8))
		return false;
	return must(k, number_is_multiple(&n, &r->divisor), r, node);
}

/* Characters, not bytes: each has one byte that does not continue another. */
static uint64_t length(struct check *k, const struct tree_node *n)
{
	uint64_t count = 0;

	check_spend(k, n->len / BYTES_A_STEP);
	for (uint32_t i = 0; i < n->len; i++)
		count += ((unsigned char)n->text[i] & 0xc0) != 0x80;
	return count;
}

bool check_max_length(struct check *k, const struct rule *r, uint32_t node, bool collect)
{
	const struct tree_node *n = node_at(k, node);

	return must(k, n->len <= r->count || length(k, n) <= r->count, r, node);
}

bool check_min_length(struct check *k, const struct rule *r, uint32_t node, bool collect)
{
	const struct tree_node *n = node_at(k, node);

	return must(k, n->len >= r->count && (n->len / 4 >= r->count || length(k, n) >= r->count), r, node);
}

bool check_pattern(struct check *k, const struct rule *r, uint32_t node, bool collect)
{
	const struct tree_node *n = node_at(k, node);

	switch (regex_match(r->pattern, k->c->regex, n->text, n->len, &k->steps)) {
	case REGEX_MATCH:
		return true;
	case REGEX_NO_MATCH:
		return check_fail(k, r, r->keyword, node, 0);
	default:
		return check_stop(k, SCHEMA_UNDECIDED, "to match its pattern takes more work than is allowed");
	}
}

bool check_max_count(struct check *k, const struct rule *r, uint32_t node, bool collect)
{
	return must(k, node_at(k, node)->count <= r->count, r, node);
}

bool check_min_count(struct check *k, const struct rule *r, uint32_t node, bool collect)
{
	return must(k, node_at(k, node)->count >= r->count, r, node);
}
