/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml - YAML by libyaml's events (node.h)
 *
 * An alias is a text that says its name: expanding it is how a small file becomes a huge one.
 */
#include <errno.h>
#include <string.h>
#include <yaml.h>
#include "inventory/reader.h"

struct build {
	yaml_parser_t parser;
	struct node_budget budget;
	struct node *stack[NODE_DEPTH_MAX];
	char *key; /* of the member that comes next */
	size_t depth;
	struct node *root;
	struct diag *d;
};

static int fail(const struct build *b, const yaml_event_t *e, const char *words)
{
	return diag_fail(b->d, -EINVAL, "line %zu: %s", e->start_mark.line + 1, words);
}

static struct node *parent_of(const struct build *b)
{
	return b->depth ? b->stack[b->depth - 1] : NULL;
}

static int begin(struct build *b, const yaml_event_t *e, enum node_type type, struct node **ret)
{
	struct node *parent = parent_of(b);

	if (parent && parent->type == NODE_MAP && !b->key)
		return fail(b, e, "a key is no text");
	if (!parent && b->root)
		return fail(b, e, "more than one document");
	*ret = node_add(&b->budget, parent, type, STEAL_PTR(b->key), (unsigned)e->start_mark.line + 1);
	if (!*ret)
		return fail(b, e, "it holds too much");
	if (!parent)
		b->root = *ret;
	return 0;
}

static int open_node(struct build *b, const yaml_event_t *e, enum node_type type)
{
	struct node *n = NULL;
	int r = begin(b, e, type, &n);

	if (r < 0)
		return r;
	if (b->depth == NODE_DEPTH_MAX)
		return fail(b, e, "it is nested too deeply");
	b->stack[b->depth++] = n;
	return 0;
}

static int text(struct build *b, const yaml_event_t *e, const char *value)
{
	struct node *parent = parent_of(b), *n = NULL;
	int r;

	if (parent && parent->type == NODE_MAP && !b->key) {
		b->key = strdup(value);
		return b->key ? 0 : -ENOMEM;
	}
	r = begin(b, e, NODE_TEXT, &n);
	if (r < 0)
		return r;
	n->text = strdup(value);
	return n->text ? 0 : -ENOMEM;
}

static int take(struct build *b, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_MAPPING_START_EVENT:
		return open_node(b, e, NODE_MAP);
	case YAML_SEQUENCE_START_EVENT:
		return open_node(b, e, NODE_LIST);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		b->depth--;
		return 0;
	case YAML_SCALAR_EVENT:
		return text(b, e, (const char *)e->data.scalar.value);
	case YAML_ALIAS_EVENT:
		return text(b, e, (const char *)e->data.alias.anchor);
	default:
		return 0;
	}
}

static int build(struct build *b)
{
	for (bool end = false; !end;) {
		yaml_event_t e;
		int r;
		if (!yaml_parser_parse(&b->parser, &e))
			return diag_fail(b->d, -EINVAL, "line %zu: %s", b->parser.problem_mark.line + 1,
				b->parser.problem ? b->parser.problem : "it cannot be read");
		end = e.type == YAML_STREAM_END_EVENT;
		r = take(b, &e);
		yaml_event_delete(&e);
		if (r < 0)
			return r;
	}
	return b->root ? 0 : diag_fail(b->d, -EINVAL, "line 1: it is empty");
}

int yaml_parse(const char *bytes, size_t n, struct node **ret, struct diag *d)
{
	struct build b = { .budget = { NODES_MAX }, .d = d };
	int r;

	if (!yaml_parser_initialize(&b.parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&b.parser, (const unsigned char *)bytes, n);
	r = build(&b);
	yaml_parser_delete(&b.parser);
	free(b.key);
	if (r < 0)
		node_free(b.root);
	else
		*ret = b.root;
	return r;
}
