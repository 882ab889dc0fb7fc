/* SPDX-License-Identifier: Apache-2.0 */
/* compile - a schema's text to rules; see compiler.h */
#include "schema/compiler.h"
#include <errno.h>
#include <string.h>
#include "base/text.h"
#include "schema/schema.h"

enum { PLACE_MAX = 4096, TABLE_FIRST = 16 };

int table_grow(void **table, uint32_t *cap, uint32_t used, uint32_t n, size_t size)
{
	uint32_t want = *cap ? *cap : TABLE_FIRST;
	void *p;

	if (used + n <= *cap)
		return 0;
	while (want < used + n)
		want *= 2;
	p = realloc(*table, want * size);
	if (!p)
		return -ENOMEM;
	*table = p;
	*cap = want;
	return 0;
}

int compile_refuse(struct compiler *c, uint32_t node, const char *why)
{
	_cleanup_buf_ struct buf place = BUF_INIT(PLACE_MAX);
	char shown[512];

	if (tree_where(&c->s->tree, node, "schema", &place) < 0)
		return diag_fail(c->d, -EINVAL, "somewhere deep in the schema: %s", why);
	return diag_fail(c->d, -EINVAL, "%s %s", text_escape_str(place.data, shown, sizeof(shown)), why);
}

int compile_spend(struct compiler *c, uint32_t node, uint64_t steps)
{
	if (c->steps < steps)
		return compile_refuse(c, node, "takes more work to compile than is allowed");
	c->steps -= steps;
	return 0;
}

/* Which keywords are there; in draft-07 nothing counts beside a $ref. */
static void find_keywords(struct compiler *c, uint32_t node, struct found *f)
{
	enum draft draft = c->s->resources[c->resource].draft;
	const struct tree *t = &c->s->tree;

	*f = (struct found){ 0 };
	TREE_EACH (t, child, node) {
		enum keyword id = keyword_find(t->nodes[child].key, t->nodes[child].key_len, draft);
		if (id == KEYWORD_COUNT)
			continue;
		f->node[id] = child;
		f->set |= 1ULL << keyword_rows[id].head;
	}
	if (draft == DRAFT_7 && f->node[KEYWORD_REF])
		*f = (struct found){ .set = 1ULL << KEYWORD_REF, .node[KEYWORD_REF] = f->node[KEYWORD_REF] };
}

/* Keywords that say nothing by themselves. */
static const struct {
	enum keyword keyword, beside[2];
	bool list; /* beside an array */
	const char *why;
} companions[] = {
	{ KEYWORD_IF, { KEYWORD_THEN, KEYWORD_ELSE },
		.why = "says nothing without then or else, so it would be a rule that nobody keeps" },
	{ KEYWORD_THEN, { KEYWORD_IF, KEYWORD_IF },
		.why = "says nothing without if, so it would be a rule that nobody keeps" },
	{ KEYWORD_ELSE, { KEYWORD_IF, KEYWORD_IF },
		.why = "says nothing without if, so it would be a rule that nobody keeps" },
	{ KEYWORD_MIN_CONTAINS, { KEYWORD_CONTAINS, KEYWORD_CONTAINS },
		.why = "says nothing without contains, so it would be a rule that nobody keeps" },
	{ KEYWORD_MAX_CONTAINS, { KEYWORD_CONTAINS, KEYWORD_CONTAINS },
		.why = "says nothing without contains, so it would be a rule that nobody keeps" },
	{ KEYWORD_ADDITIONAL_ITEMS, { KEYWORD_ITEMS, KEYWORD_ITEMS }, true,
		"says nothing without items that are an array, so it would be a rule that nobody keeps" },
};

static int refuse_lonely(struct compiler *c)
{
	const uint32_t *at = c->found->node;

	for (size_t i = 0; i < ARRAY_LEN(companions); i++) {
		uint32_t one = at[companions[i].beside[0]], other = at[companions[i].beside[1]];
		bool kept = (one || other) && (!companions[i].list || tree_is(&c->s->tree, one, TREE_ARRAY));
		if (at[companions[i].keyword] && !kept)
			return compile_refuse(c, at[companions[i].keyword], companions[i].why);
	}
	return 0;
}

/* Each keyword of a rule is one that is kept. */
static int refuse_unkept(struct compiler *c, uint32_t node)
{
	enum draft draft = c->s->resources[c->resource].draft;
	const struct tree *t = &c->s->tree;

	bool alone = draft == DRAFT_7 && c->found->node[KEYWORD_REF];

	TREE_EACH (t, child, node) {
		const struct tree_node *n = &t->nodes[child];
		enum keyword id = keyword_find(n->key, n->key_len, draft);
		if (id == KEYWORD_COUNT && !keyword_describes(n->key, n->key_len))
			return compile_refuse(c, child,
				"is no keyword that is checked here, so it would be a rule that nobody keeps");
		if (alone && id != KEYWORD_COUNT && id != KEYWORD_REF && id != KEYWORD_SCHEMA &&
			id != KEYWORD_DEFINITIONS)
			return compile_refuse(c, child,
				"stands beside a $ref, where draft-07 reads nothing else, so it would be a rule that "
				"nobody keeps");
	}
	return refuse_lonely(c);
}

static uint32_t count_rules(const struct found *f)
{
	uint32_t n = 0;

	for (uint64_t set = f->set; set; set &= set - 1)
		n += keyword_rows[__builtin_ctzll(set)].check != NULL;
	return n;
}

/* Places for the rules are taken before they are made, so that those of one schema object stand side by side. */
static int make_rules(struct compiler *c, uint32_t sub)
{
	struct schema_compiled *s = c->s;
	uint32_t at = s->n_rules, n = count_rules(c->found);
	int e = program_grow(s, rules, n);

	if (e)
		return e;
	s->n_rules += n;
	s->subs[sub].first = at;
	s->subs[sub].n = n;
	for (uint64_t set = c->found->set; set && e == 0; set &= set - 1) {
		enum keyword id = (enum keyword)__builtin_ctzll(set);
		struct rule r = { .keyword = id, .node = c->found->node[id], .sub = SUB_NONE };
		c->rule = at;
		e = keyword_rows[id].compile ? keyword_rows[id].compile(c, &r) : 0;
		if (keyword_rows[id].check)
			s->rules[at++] = r;
	}
	return e;
}

static int compile_object(struct compiler *c, uint32_t node, uint32_t sub)
{
	struct found *outer = c->found, found;
	uint16_t resource = c->resource;
	int e;

	find_keywords(c, node, &found);
	c->found = &found;
	e = compile_identity(c, node, sub);
	if (e == 0 && c->resource != resource)
		find_keywords(c, node, &found);
	c->s->subs[sub].resource = c->resource;
	c->s->subs[sub].collects = (found.set >> KEYWORD_UNEVALUATED_ITEMS & 3) != 0;
	c->s->marks |= c->s->subs[sub].collects;
	if (e == 0 && c->rule_kept)
		e = refuse_unkept(c, node);
	if (e == 0)
		e = make_rules(c, sub);
	c->resource = resource;
	c->found = outer;
	return e;
}

int compile_sub(struct compiler *c, uint32_t node, uint32_t *ret)
{
	struct schema_compiled *s = c->s;
	const struct tree_node *n = &s->tree.nodes[node];
	int e;

	*ret = c->sub_of[node] - 1;
	if (c->sub_of[node])
		return 0;
	if (n->type != TREE_OBJECT && n->type != TREE_BOOLEAN)
		return compile_refuse(c, node, "must be a schema: an object, true or false");
	e = program_grow(s, subs, 1);
	if (e)
		return e;
	*ret = s->n_subs++;
	c->sub_of[node] = *ret + 1;
	s->subs[*ret] =
		(struct sub){ .node = node, .resource = c->resource, .never = n->type == TREE_BOOLEAN && !n->count };
	return n->type == TREE_OBJECT ? compile_object(c, node, *ret) : 0;
}

static int compile_all(struct compiler *c)
{
	struct schema_compiled *s = c->s;
	uint32_t root, dialect;
	int e;

	c->sub_of = calloc(s->tree.n, sizeof(*c->sub_of));
	e = c->sub_of ? program_grow(s, resources, 1) : -ENOMEM;
	if (e == 0)
		e = program_grow(s, rules, 1); /* a schema without any has an empty table, not none */
	if (e)
		return e;
	s->resources[s->n_resources++] = (struct resource){ .uri = strdup(""), .draft = DRAFT_2020 };
	if (!s->resources[0].uri)
		return -ENOMEM;
	dialect = tree_is(&s->tree, 0, TREE_OBJECT) ? tree_get(&s->tree, 0, "$schema") : 0;
	e = dialect ? compile_dialect(c, dialect, true) : 0;
	if (e == 0)
		e = compile_sub(c, 0, &root);
	if (e == 0)
		e = compile_references(c);
	return e == 0 && s->strict ? compile_closing(c) : e;
}

static int read_text(struct schema_compiled *s, const char *text, size_t n, struct diag *d)
{
	int e;

	if (n > SCHEMA_TEXT_MAX)
		return diag_fail(d, -EINVAL, "the schema is longer than %d bytes", SCHEMA_TEXT_MAX);
	s->text = malloc(n + 1);
	if (!s->text)
		return -ENOMEM;
	s->n_text = n;
	memcpy(s->text, text, n);
	e = tree_read(&s->tree, s->text, n);
	return e > 0 ? diag_fail(d, -EINVAL, "the schema cannot be read: %s", tree_error_text(e)) : e;
}

int schema_compile(
	const char *text, size_t n, const struct schema_options *options, struct schema_compiled **ret, struct diag *d)
{
	struct schema_compiled *s = calloc(1, sizeof(*s));
	struct compiler c = { .s = s, .d = d, .rule_kept = options->rule };
	int e;

	*ret = NULL;
	if (!s)
		return -ENOMEM;
	c.steps = options->steps ? *options->steps : SCHEMA_COMPILE_STEPS;
	tree_init(&s->tree);
	s->strict = options->strict;
	s->root = strdup(options->root);
	e = s->root ? read_text(s, text, n, d) : -ENOMEM;
	if (e == 0)
		e = compile_all(&c);
	if (options->steps)
		*options->steps = c.steps;
	free(c.sub_of);
	free(c.references);
	if (e)
		schema_compiled_free(s);
	else
		*ret = s;
	return e;
}

size_t schema_compiled_size(const struct schema_compiled *s)
{
	size_t size = sizeof(*s) + s->n_text + 1 + s->tree.cap * sizeof(*s->tree.nodes) + s->tree.unescaped.cap;

#define X(field, type) size += s->cap_##field * sizeof(type);
	PROGRAM_TABLES(X)
#undef X
	for (uint32_t i = 0; i < s->n_patterns; i++)
		size += regex_size(s->patterns[i].regex);
	for (uint32_t i = 0; i < s->n_resources; i++)
		size += strlen(s->resources[i].uri) + 1;
	return size;
}

bool schema_compiled_is(const struct schema_compiled *s, const char *text, size_t n)
{
	return s->n_text == n && memcmp(s->text, text, n) == 0;
}

void schema_compiled_free(struct schema_compiled *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; i < s->n_patterns; i++)
		regex_free(s->patterns[i].regex);
	for (uint32_t i = 0; i < s->n_resources; i++)
		free(s->resources[i].uri);
#define X(field, type) free(s->field);
	PROGRAM_TABLES(X)
#undef X
	tree_done(&s->tree);
	free(s->text);
	free(s->root);
	free(s);
}
