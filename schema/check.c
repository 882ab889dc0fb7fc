/* SPDX-License-Identifier: Apache-2.0 */
/* check - a value against a compiled schema; see checker.h */
#include "schema/checker.h"
#include <errno.h>
#include <string.h>

enum { TRAIL_FIRST = 64 };

bool check_stop(struct check *k, int result, const char *why)
{
	if (!k->stop) {
		k->stop = result;
		k->stop_why = why;
	}
	k->steps = 0;
	return false;
}

bool check_spend(struct check *k, uint64_t steps)
{
	if (k->steps < steps || k->stop)
		return check_stop(k, SCHEMA_UNDECIDED, "to check it takes more work than is allowed");
	k->steps -= steps;
	return true;
}

/* Of several forms that were tried, the one is meant that the value was nearest to: the deeper it came, the nearer; and
 * where it has the wrong type, or the wrong word where one tells forms apart, it was hardly meant. */
static unsigned rank_of(const struct check *k, enum keyword keyword)
{
	unsigned kind = keyword == KEYWORD_TYPE ? 0 : keyword == KEYWORD_CONST || keyword == KEYWORD_ENUM ? 1 : 2;

	return k->level * 3 + kind;
}

bool check_fail(struct check *k, const struct rule *r, enum keyword keyword, uint32_t node, uint32_t detail)
{
	k->failure = (struct failure){
		.rule = r, .keyword = keyword, .node = node, .detail = detail, .rank = rank_of(k, keyword)
	};
	if (node == k->t->n)
		k->failure.name = k->t->nodes[node];
	return false;
}

static int grow_trail(struct schema_checker *c)
{
	uint32_t cap = c->cap_trail ? c->cap_trail * 2 : TRAIL_FIRST;
	uint32_t *trail = realloc(c->trail, cap * sizeof(*trail));

	if (!trail)
		return -ENOMEM;
	c->trail = trail;
	c->cap_trail = cap;
	return 0;
}

void check_mark(struct check *k, uint32_t child)
{
	if (k->n_trail == TRAIL_MAX)
		check_stop(k, SCHEMA_UNDECIDED, "it holds too many values for what is asked about them");
	else if (k->n_trail == k->c->cap_trail && grow_trail(k->c) < 0)
		check_stop(k, -ENOMEM, NULL);
	else
		k->c->trail[k->n_trail++] = child;
}

uint32_t check_look(struct check *k, uint32_t from)
{
	struct schema_checker *c = k->c;

	check_spend(k, k->n_trail - from);
	if (++c->look == 0) {
		memset(c->marks, 0, c->n_marks * sizeof(*c->marks));
		c->look = 1;
	}
	for (uint32_t i = from; i < k->n_trail; i++)
		c->marks[c->trail[i]] = c->look;
	return c->look;
}

bool check_marked(const struct check *k, uint32_t child, uint32_t look)
{
	return k->c->marks[child] == look;
}

static bool run_rules(struct check *k, const struct sub *s, uint32_t node, bool collect)
{
	const struct rule *r = k->s->rules + s->first, *end = r + s->n;
	unsigned type = 1u << k->t->nodes[node].type;

	for (; r < end; r++) {
		const struct keyword_row *row = &keyword_rows[r->keyword];
		if (!(row->types & type))
			continue;
		if (!check_spend(k, 1) || !row->check(k, r, node, collect))
			return false;
	}
	return !k->stop;
}

bool check_sub(struct check *k, uint32_t sub, uint32_t node, bool collect)
{
	const struct sub *s = &k->s->subs[sub];
	uint32_t outer_trail = k->own_trail, scopes = k->n_scopes;
	bool ok;

	if (s->never)
		return check_fail(k, NULL, KEYWORD_COUNT, node, 0);
	if (k->depth == SCHEMA_DEPTH_MAX)
		return check_stop(k, SCHEMA_UNDECIDED, "its schema refers to itself again and again");
	k->depth++;
	if (scopes == 0 || k->scopes[scopes - 1] != s->resource)
		k->scopes[k->n_scopes++] = s->resource;
	k->own_trail = k->n_trail;
	ok = run_rules(k, s, node, collect || s->collects);
	if (!ok)
		k->n_trail = k->own_trail;
	k->own_trail = outer_trail;
	k->n_scopes = scopes;
	k->depth--;
	return ok;
}

/* What strict adds: no property that no schema has said anything about. */
static bool check_closed(struct check *k, uint32_t sub, uint32_t node, uint32_t from)
{
	uint32_t look = check_look(k, from);

	TREE_EACH (k->t, child, node)
		if (!check_marked(k, child, look))
			return check_fail(k, NULL, KEYWORD_UNEVALUATED_PROPERTIES, child, sub);
	return !k->stop;
}

bool check_value(struct check *k, uint32_t sub, uint32_t node)
{
	/* The whole value is closed in any case: where no property is named, none is known. */
	bool close = k->closing && (node == 0 || k->s->subs[sub].names) && tree_is(k->t, node, TREE_OBJECT);
	uint32_t from = k->n_trail;
	bool ok;

	k->level++;
	ok = check_sub(k, sub, node, close) && (!close || check_closed(k, sub, node, from));
	k->level--;
	k->n_trail = from;
	return ok;
}

struct schema_checker *schema_checker_new(void)
{
	struct schema_checker *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	tree_init(&c->tree);
	c->regex = regex_memory_new();
	if (!c->regex) {
		schema_checker_free(c);
		return NULL;
	}
	return c;
}

void schema_checker_free(struct schema_checker *c)
{
	if (!c)
		return;
	tree_done(&c->tree);
	regex_memory_free(c->regex);
	free(c->marks);
	free(c->trail);
	free(c->hashed);
	free(c);
}

static int make_marks(struct schema_checker *c)
{
	uint32_t *marks;

	if (c->n_marks >= c->tree.n)
		return 0;
	marks = calloc(c->tree.cap, sizeof(*marks));
	if (!marks)
		return -ENOMEM;
	free(c->marks);
	c->marks = marks;
	c->n_marks = c->tree.cap;
	c->look = 0;
	return 0;
}

static int run(struct check *k, bool closing, struct schema_error *ret)
{
	k->closing = closing;
	k->steps = SCHEMA_STEPS;
	if (check_value(k, 0, 0))
		return SCHEMA_FITS;
	if (k->stop < 0)
		return k->stop;
	if (k->failure.node == k->t->n)
		k->c->tree.nodes[k->t->n] = k->failure.name;
	int e = words_of(k, ret);
	return e ? e : k->stop ? k->stop : SCHEMA_MISFIT;
}

/* Where closing an object in one of several forms could leave exactly one that fits, the value has to fit unclosed too.
 */
static int run_all(struct check *k, struct schema_error *ret)
{
	int e = k->s->strict && !k->s->turns ? 0 : run(k, false, ret);

	return e == 0 && k->s->strict ? run(k, true, ret) : e;
}

int schema_read(struct schema_checker *c, const char *text, size_t n)
{
	int e = tree_read(&c->tree, text, n);

	c->holds = e >= 0;
	c->unread = e;
	return e < 0 ? e : 0;
}

int schema_judge(const struct schema_compiled *s, struct schema_checker *c, struct schema_error *ret)
{
	struct check k = { .s = s, .c = c, .t = &c->tree };
	int e = 0;

	ret->where[0] = ret->text[0] = '\0';
	if (!c->holds)
		return -EINVAL;
	if (c->unread) {
		k.stop_why = tree_error_text(c->unread);
		e = words_of(&k, ret);
		return e ? e : SCHEMA_UNDECIDED;
	}
	if (s->marks)
		e = make_marks(c);
	return e ? e : run_all(&k, ret);
}

/* One large value must not make a checker large for good. */
void schema_let_go(struct schema_checker *c)
{
	c->holds = false;
	if (!tree_trim(&c->tree))
		return;
	free(STEAL_PTR(c->marks));
	free(STEAL_PTR(c->trail));
	free(STEAL_PTR(c->hashed));
	c->n_marks = c->cap_trail = c->cap_hashed = 0;
}

int schema_check(
	const struct schema_compiled *s, struct schema_checker *c, const char *text, size_t n, struct schema_error *ret)
{
	int e = schema_read(c, text, n);

	ret->where[0] = ret->text[0] = '\0';
	if (e == 0)
		e = schema_judge(s, c, ret);
	schema_let_go(c);
	return e;
}
