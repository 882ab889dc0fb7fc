/* SPDX-License-Identifier: Apache-2.0 */
/* operands - keywords whose operand is a number, a name, a type, a pattern or a value */
#include <errno.h>
#include <string.h>
#include "schema/compiler.h"
#include "schema/schema.h"

static const struct tree_node *operand(const struct compiler *c, const struct rule *r)
{
	return &c->s->tree.nodes[r->node];
}

int compile_number(struct compiler *c, struct rule *r)
{
	const struct tree_node *n = operand(c, r);

	if (n->type != TREE_NUMBER || number_read(n->text, n->len, &r->number) != NUMBER_OK)
		return compile_refuse(c, r->node, "must be a number");
	return 0;
}

int compile_divisor(struct compiler *c, struct rule *r)
{
	struct number number;
	const struct tree_node *n = operand(c, r);

	if (n->type != TREE_NUMBER || number_read(n->text, n->len, &number) != NUMBER_OK ||
		!number_to_divisor(&number, &r->divisor))
		return compile_refuse(c, r->node, "must be a number above 0 with at most 18 digits that count");
	return 0;
}

static int read_count(struct compiler *c, uint32_t node, uint64_t *ret)
{
	const struct tree_node *n = &c->s->tree.nodes[node];
	struct number number;

	if (n->type != TREE_NUMBER || number_read(n->text, n->len, &number) != NUMBER_OK ||
		!number_to_count(&number, ret))
		return compile_refuse(c, node, "must be a whole number from 0 up");
	return 0;
}

int compile_count(struct compiler *c, struct rule *r)
{
	return read_count(c, r->node, &r->count);
}

int compile_flag(struct compiler *c, struct rule *r)
{
	if (operand(c, r)->type != TREE_BOOLEAN)
		return compile_refuse(c, r->node, "must be true or false");
	r->count = operand(c, r)->count;
	return 0;
}

static int read_type(struct compiler *c, uint32_t node, unsigned *types)
{
	static const struct {
		const char *name;
		unsigned types;
	} rows[] = {
		{ "null", TREE_IS(NULL) },
		{ "boolean", TREE_IS(BOOLEAN) },
		{ "number", TREE_IS(NUMBER) },
		{ "integer", TREE_IS(TYPE_COUNT) },
		{ "string", TREE_IS(STRING) },
		{ "array", TREE_IS(ARRAY) },
		{ "object", TREE_IS(OBJECT) },
	};
	const struct tree_node *n = &c->s->tree.nodes[node];

	for (size_t i = 0; n->type == TREE_STRING && i < ARRAY_LEN(rows); i++)
		if (strlen(rows[i].name) == n->len && memcmp(rows[i].name, n->text, n->len) == 0) {
			*types |= rows[i].types;
			return 0;
		}
	return compile_refuse(c, node, "must be null, boolean, number, integer, string, array or object");
}

int compile_types(struct compiler *c, struct rule *r)
{
	int e = 0;

	r->types = 0;
	if (operand(c, r)->type != TREE_ARRAY)
		return read_type(c, r->node, &r->types);
	if (operand(c, r)->count == 0)
		return compile_refuse(c, r->node, "must name a type");
	TREE_EACH (&c->s->tree, child, r->node)
		e = e ? e : read_type(c, child, &r->types);
	return e;
}

int compile_const(struct compiler *c, struct rule *r)
{
	return 0;
}

int compile_enum(struct compiler *c, struct rule *r)
{
	return operand(c, r)->type == TREE_ARRAY ? 0 : compile_refuse(c, r->node, "must be an array of values");
}

/* The pattern in a string of the schema. */
static int add_pattern(struct compiler *c, uint32_t node, const char *p, size_t n, struct regex **ret)
{
	struct schema_compiled *s = c->s;
	struct diag why = { 0 };
	int e = program_grow(s, patterns, 1);

	if (e == 0)
		e = regex_compile(p, n, ret, &why);
	if (e == -EINVAL)
		return compile_refuse(c, node, why.text);
	if (e)
		return e;
	s->patterns[s->n_patterns++] = (struct pattern){ *ret };
	c->pattern_bytes += regex_size(*ret);
	if (c->pattern_bytes > SCHEMA_PATTERN_BYTES_MAX)
		return compile_refuse(c, node, "is a pattern too many: together they take too much memory");
	return 0;
}

int compile_pattern(struct compiler *c, struct rule *r)
{
	const struct tree_node *n = operand(c, r);

	if (n->type != TREE_STRING)
		return compile_refuse(c, r->node, "must be a pattern");
	return add_pattern(c, r->node, n->text, n->len, &r->pattern);
}

static int add_name(struct compiler *c, uint32_t node)
{
	struct schema_compiled *s = c->s;
	const struct tree_node *n = &s->tree.nodes[node];
	int e;

	if (n->type != TREE_STRING)
		return compile_refuse(c, node, "must be the name of a property");
	e = program_grow(s, entries, 1);
	if (e == 0)
		s->entries[s->n_entries++] = (struct entry){
			.name = n->text, .len = n->len, .hash = tree_hash(n->text, n->len), .sub = SUB_NONE
		};
	return e;
}

/* All names of an array, one after the other. */
static int add_names(struct compiler *c, uint32_t node, uint32_t *ret_first, uint32_t *ret_n)
{
	int e = 0;

	*ret_first = c->s->n_entries;
	*ret_n = c->s->tree.nodes[node].count;
	if (c->s->tree.nodes[node].type != TREE_ARRAY)
		return compile_refuse(c, node, "must be an array of names of properties");
	TREE_EACH (&c->s->tree, child, node)
		e = e ? e : add_name(c, child);
	return e;
}

int compile_names(struct compiler *c, struct rule *r)
{
	return add_names(c, r->node, &r->first, &r->n);
}

/* How the value of a member becomes part of its entry. */
typedef int entry_fn(struct compiler *c, uint32_t node, struct entry *ret);

/* An entry for each member of an object. Their places are taken before what is in them takes its own. */
static int add_entries(struct compiler *c, uint32_t node, entry_fn *fill, uint32_t *ret_first, uint32_t *ret_n)
{
	struct schema_compiled *s = c->s;
	uint32_t at = s->n_entries;
	int e;

	if (s->tree.nodes[node].type != TREE_OBJECT)
		return compile_refuse(c, node, "must be an object");
	*ret_first = at;
	*ret_n = s->tree.nodes[node].count;
	e = program_grow(s, entries, *ret_n);
	s->n_entries += e ? 0 : *ret_n;
	TREE_EACH (&s->tree, child, node) {
		const struct tree_node *n = &s->tree.nodes[child];
		struct entry entry = { .name = n->key, .len = n->key_len, .hash = n->key_hash, .sub = SUB_NONE };
		e = e ? e : fill(c, child, &entry);
		if (e)
			return e;
		s->entries[at++] = entry;
	}
	return e;
}

static int fill_sub(struct compiler *c, uint32_t node, struct entry *ret)
{
	return compile_sub(c, node, &ret->sub);
}

static int fill_names(struct compiler *c, uint32_t node, struct entry *ret)
{
	return add_names(c, node, &ret->first, &ret->n);
}

static int fill_either(struct compiler *c, uint32_t node, struct entry *ret)
{
	return tree_is(&c->s->tree, node, TREE_ARRAY) ? fill_names(c, node, ret) : fill_sub(c, node, ret);
}

static int fill_pattern(struct compiler *c, uint32_t node, struct entry *ret)
{
	int e = add_pattern(c, node, ret->name, ret->len, &ret->pattern);

	return e ? e : fill_sub(c, node, ret);
}

int compile_dependent_names(struct compiler *c, struct rule *r)
{
	return add_entries(c, r->node, fill_names, &r->first, &r->n);
}

int compile_dependent_schemas(struct compiler *c, struct rule *r)
{
	return add_entries(c, r->node, fill_sub, &r->first, &r->n);
}

int compile_dependencies(struct compiler *c, struct rule *r)
{
	return add_entries(c, r->node, fill_either, &r->first, &r->n);
}

int compile_definitions(struct compiler *c, struct rule *r)
{
	return add_entries(c, r->node, fill_sub, &r->first, &r->n);
}

/* The names by their hash, in twice as many slots: each the entry's place + 1, or 0. */
static int index_names(struct compiler *c, struct rule *r)
{
	struct schema_compiled *s = c->s;
	uint32_t size = 2, *slots;
	int e;

	while (size < 2 * r->n)
		size *= 2;
	e = program_grow(s, slots, size);
	if (e)
		return e;
	r->members.slots = s->n_slots;
	r->members.mask = size - 1;
	slots = s->slots + s->n_slots;
	s->n_slots += size;
	memset(slots, 0, size * sizeof(*slots));
	for (uint32_t i = r->first; e == 0 && i < r->first + r->n; i++) {
		uint32_t slot = s->entries[i].hash & r->members.mask;
		for (; e == 0 && slots[slot]; slot = (slot + 1) & r->members.mask)
			e = compile_spend(c, r->node, 1);
		slots[slot] = i + 1;
	}
	return e;
}

/* properties, patternProperties and additionalProperties: any of them, and what all say together. */
int compile_members(struct compiler *c, struct rule *r)
{
	uint32_t patterns = c->found->node[KEYWORD_PATTERN_PROPERTIES];
	uint32_t others = c->found->node[KEYWORD_ADDITIONAL_PROPERTIES];
	int e = 0;

	r->members.patterns = r->members.n_patterns = 0;
	if (r->node)
		e = add_entries(c, r->node, fill_sub, &r->first, &r->n);
	if (e == 0 && patterns)
		e = add_entries(c, patterns, fill_pattern, &r->members.patterns, &r->members.n_patterns);
	if (e == 0 && others)
		e = compile_sub(c, others, &r->sub);
	return e ? e : index_names(c, r);
}

int compile_schema(struct compiler *c, struct rule *r)
{
	return compile_sub(c, r->node, &r->sub);
}

static int add_list(struct compiler *c, uint32_t node, struct rule *r)
{
	struct schema_compiled *s = c->s;
	uint32_t at = s->n_lists, sub;
	int e;

	if (s->tree.nodes[node].type != TREE_ARRAY)
		return compile_refuse(c, node, "must be an array of schemas");
	r->first = at;
	r->n = s->tree.nodes[node].count;
	e = program_grow(s, lists, r->n);
	s->n_lists += e ? 0 : r->n;
	TREE_EACH (&s->tree, child, node) {
		e = e ? e : compile_sub(c, child, &sub);
		if (e)
			return e;
		s->lists[at++] = sub;
	}
	return e;
}

int compile_schemas(struct compiler *c, struct rule *r)
{
	if (operand(c, r)->type == TREE_ARRAY && operand(c, r)->count == 0)
		return compile_refuse(c, r->node, "must hold a schema");
	return add_list(c, r->node, r);
}

/* 2020-12: prefixItems, then items. draft-07: items as an array, then additionalItems; or items for all. */
int compile_elements(struct compiler *c, struct rule *r)
{
	bool old = c->s->resources[c->resource].draft == DRAFT_7;
	bool tuple = old && r->node && operand(c, r)->type == TREE_ARRAY;
	uint32_t first = tuple ? r->node : c->found->node[KEYWORD_PREFIX_ITEMS];
	uint32_t rest = tuple ? c->found->node[KEYWORD_ADDITIONAL_ITEMS] : r->node;
	int e = 0;

	if (!old && r->node && operand(c, r)->type == TREE_ARRAY)
		return compile_refuse(c, r->node, "is an array, which in JSON Schema 2020-12 is called prefixItems");
	if (first)
		e = add_list(c, first, r);
	return e == 0 && rest ? compile_sub(c, rest, &r->sub) : e;
}

int compile_contains(struct compiler *c, struct rule *r)
{
	uint32_t min = c->found->node[KEYWORD_MIN_CONTAINS], max = c->found->node[KEYWORD_MAX_CONTAINS];
	int e = 0;

	r->contains.min = 1;
	r->contains.max = UINT64_MAX;
	if (min)
		e = read_count(c, min, &r->contains.min);
	if (e == 0 && max)
		e = read_count(c, max, &r->contains.max);
	return e ? e : compile_sub(c, r->node, &r->sub);
}

/* Three subs, of which then and else may be SUB_NONE. */
int compile_if(struct compiler *c, struct rule *r)
{
	static const enum keyword parts[] = { KEYWORD_IF, KEYWORD_THEN, KEYWORD_ELSE };
	struct schema_compiled *s = c->s;
	int e = program_grow(s, lists, ARRAY_LEN(parts));

	if (e)
		return e;
	r->first = s->n_lists;
	r->n = ARRAY_LEN(parts);
	s->n_lists += r->n;
	for (uint32_t i = 0; e == 0 && i < r->n; i++) {
		uint32_t node = c->found->node[parts[i]], sub = SUB_NONE;
		e = node ? compile_sub(c, node, &sub) : 0;
		s->lists[r->first + i] = sub;
	}
	return e;
}
