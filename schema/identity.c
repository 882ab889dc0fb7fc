/* SPDX-License-Identifier: Apache-2.0 */
/* identity - by which names a schema object can be referred to, and which draft it is of */
#include <errno.h>
#include <string.h>
#include "schema/compiler.h"
#include "schema/schema.h"
#include "schema/uri.h"

static const struct {
	const char *name; /* after http:// or https://, without an empty fragment */
	enum draft draft;
} dialects[] = {
	{ "json-schema.org/draft/2020-12/schema", DRAFT_2020 },
	{ "json-schema.org/draft-07/schema", DRAFT_7 },
};

static bool names_dialect(const struct tree_node *n, const char *name)
{
	static const char *const heads[] = { "https://", "http://" };
	size_t len = n->len - (n->len > 0 && n->text[n->len - 1] == '#');

	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		size_t head = strlen(heads[i]);
		if (len == head + strlen(name) && memcmp(n->text, heads[i], head) == 0 &&
			memcmp(n->text + head, name, strlen(name)) == 0)
			return true;
	}
	return false;
}

static int read_dialect(struct compiler *c, uint32_t node, enum draft *ret)
{
	const struct tree_node *n = &c->s->tree.nodes[node];

	for (size_t i = 0; n->type == TREE_STRING && i < ARRAY_LEN(dialects); i++)
		if (names_dialect(n, dialects[i].name)) {
			*ret = dialects[i].draft;
			return 0;
		}
	return compile_refuse(
		c, node, "names a dialect that is not known here; known are JSON Schema 2020-12 and draft-07");
}

static int add_resource(struct compiler *c, uint32_t node, char *uri)
{
	struct schema_compiled *s = c->s;
	enum draft draft = s->resources[c->resource].draft;
	int e = 0;

	for (uint32_t i = 0; e == 0 && i < s->n_resources; i++)
		if (strcmp(s->resources[i].uri, uri) == 0)
			e = compile_refuse(c, node, "has the $id of another schema in this one");
	if (e == 0 && s->n_resources == SCHEMA_RESOURCES_MAX)
		e = compile_refuse(c, node, "is one schema too many with an $id");
	if (e == 0)
		e = program_grow(s, resources, 1);
	if (e) {
		free(uri);
		return e;
	}
	c->resource = (uint16_t)s->n_resources;
	s->resources[s->n_resources++] = (struct resource){ .uri = uri, .node = node, .draft = draft };
	return 0;
}

static int add_anchor(struct compiler *c, uint32_t node, uint32_t sub, const char *name, size_t len, bool dynamic)
{
	struct schema_compiled *s = c->s;
	int e;

	for (uint32_t i = 0; i < s->n_anchors; i++) {
		const struct anchor *a = &s->anchors[i];
		if (a->resource == c->resource && a->len == len && memcmp(a->name, name, len) == 0 && a->sub != sub)
			return compile_refuse(c, node, "has the name of another schema in this one");
	}
	if (s->n_anchors == SCHEMA_ANCHORS_MAX)
		return compile_refuse(c, node, "is one anchor too many");
	e = program_grow(s, anchors, 1);
	if (e)
		return e;
	s->anchors[s->n_anchors++] = (struct anchor){ .name = name,
		.len = (uint32_t)len,
		.node = s->subs[sub].node,
		.sub = sub,
		.resource = c->resource,
		.dynamic = dynamic };
	return 0;
}

/* The outermost schema's $id says where it is; any other makes a resource of its own. */
static int take_base(struct compiler *c, uint32_t node, const char *id, size_t n)
{
	char *uri;
	int e = uri_resolve(c->s->resources[c->resource].uri, id, n, &uri);

	if (e)
		return e;
	if (node != 0)
		return add_resource(c, node, uri);
	free(c->s->resources[0].uri);
	c->s->resources[0].uri = uri;
	return 0;
}

static int take_id(struct compiler *c, uint32_t node, uint32_t sub, uint32_t id)
{
	const struct tree_node *n = &c->s->tree.nodes[id];
	enum draft draft = c->s->resources[c->resource].draft;
	size_t before;
	int e = 0;

	if (!compile_is_reference(n))
		return compile_refuse(c, id, "must be a URI reference of no great length");
	before = uri_before_fragment(n->text, n->len);
	if (before > 0)
		e = take_base(c, node, n->text, before);
	if (e || before + 1 >= n->len)
		return e;
	if (draft != DRAFT_7)
		return compile_refuse(c, id, "holds a fragment, which $anchor is for");
	return add_anchor(c, id, sub, n->text + before + 1, n->len - before - 1, false);
}

static int take_anchor(struct compiler *c, uint32_t sub, enum keyword id)
{
	uint32_t node = c->found->node[id];
	const struct tree_node *n = &c->s->tree.nodes[node];

	if (!node)
		return 0;
	if (n->type != TREE_STRING || n->len == 0)
		return compile_refuse(c, node, "must be a name");
	return add_anchor(c, node, sub, n->text, n->len, id == KEYWORD_DYNAMIC_ANCHOR);
}

int compile_dialect(struct compiler *c, uint32_t node, bool own)
{
	struct resource *r = &c->s->resources[c->resource];
	enum draft draft = r->draft;
	int e = read_dialect(c, node, &draft);

	if (e || draft == r->draft)
		return e;
	if (!own)
		return compile_refuse(c, node, "names another draft, which takes an $id beside it");
	r->draft = draft;
	return 0;
}

int compile_identity(struct compiler *c, uint32_t node, uint32_t sub)
{
	uint32_t id = c->found->node[KEYWORD_ID], dialect = c->found->node[KEYWORD_SCHEMA];
	uint16_t outer = c->resource;
	int e = id ? take_id(c, node, sub, id) : 0;

	if (e == 0 && dialect)
		e = compile_dialect(c, dialect, node == 0 || c->resource != outer);
	if (e || c->s->resources[c->resource].draft == DRAFT_7)
		return e;
	e = take_anchor(c, sub, KEYWORD_ANCHOR);
	return e ? e : take_anchor(c, sub, KEYWORD_DYNAMIC_ANCHOR);
}
