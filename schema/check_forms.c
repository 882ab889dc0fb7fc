/* SPDX-License-Identifier: Apache-2.0 */
/* check_forms - rules that put further schemas to the same value */
#include <string.h>
#include "schema/checker.h"

/* The schema that a $dynamicRef means is the outermost one of its name among those that are at work. */
static uint32_t dynamic_target(struct check *k, const struct rule *r)
{
	const struct schema_compiled *s = k->s;
	const struct anchor *wanted = &s->anchors[r->anchor], *end = s->anchors + s->n_anchors;

	for (uint32_t i = 0; i < k->n_scopes && check_spend(k, 1 + s->n_anchors / 8); i++)
		for (const struct anchor *a = s->anchors; a < end; a++)
			if (a->dynamic && a->resource == k->scopes[i] && a->len == wanted->len &&
				memcmp(a->name, wanted->name, a->len) == 0)
				return a->sub;
	return r->sub;
}

bool check_reference(struct check *k, const struct rule *r, uint32_t node, bool collect)
{
	return check_sub(k, r->anchor == SUB_NONE ? r->sub : dynamic_target(k, r), node, collect);
}

bool check_all(struct check *k, const struct rule *r, uint32_t node, bool collect)
{
	for (uint32_t i = 0; i < r->n; i++)
		if (!check_sub(k, k->s->lists[r->first + i], node, collect))
			return false;
	return true;
}

/* The failures of the forms that were tried. */
struct tried {
	struct failure best;
	unsigned fits, failed, as_good; /* how many failed as narrowly as the best */
};

static void try_form(struct check *k, struct tried *t, uint32_t sub, uint32_t node, bool collect)
{
	if (check_sub(k, sub, node, collect)) {
		t->fits++;
		return;
	}
	if (t->failed++ == 0 || k->failure.rank > t->best.rank) {
		t->best = k->failure;
		t->as_good = 1;
	} else if (k->failure.rank == t->best.rank) {
		t->as_good++;
	}
}

/* One form that came nearer than all others is the one that was meant: what it lacks is said. */
static bool fail_tried(struct check *k, const struct tried *t, const struct rule *r, uint32_t node)
{
	check_fail(k, r, r->keyword, node, t->fits);
	if (t->fits == 0 && t->as_good == 1)
		k->failure = t->best;
	return false;
}

bool check_any(struct check *k, const struct rule *r, uint32_t node, bool collect)
{
	struct tried t = { 0 };

	for (uint32_t i = 0; i < r->n && (t.fits == 0 || collect); i++)
		try_form(k, &t, k->s->lists[r->first + i], node, collect);
	return t.fits > 0 ? !k->stop : fail_tried(k, &t, r, node);
}

bool check_one(struct check *k, const struct rule *r, uint32_t node, bool collect)
{
	struct tried t = { 0 };

	for (uint32_t i = 0; i < r->n && t.fits < 2; i++)
		try_form(k, &t, k->s->lists[r->first + i], node, collect);
	return t.fits == 1 ? !k->stop : fail_tried(k, &t, r, node);
}

/* What is asked only to decide something else is not closed by strict: it would turn a refusal into leave. */
static bool holds(struct check *k, uint32_t sub, uint32_t node, bool collect)
{
	bool closing = k->closing, ok;

	k->closing = false;
	ok = check_sub(k, sub, node, collect);
	k->closing = closing;
	return ok;
}

bool check_not(struct check *k, const struct rule *r, uint32_t node, bool collect)
{
	return !holds(k, r->sub, node, false) || check_fail(k, r, r->keyword, node, 0);
}

bool check_if(struct check *k, const struct rule *r, uint32_t node, bool collect)
{
	const uint32_t *subs = k->s->lists + r->first;
	uint32_t next = holds(k, subs[0], node, collect) ? subs[1] : subs[2];

	return next == SUB_NONE || check_sub(k, next, node, collect);
}
