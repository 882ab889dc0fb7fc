/* SPDX-License-Identifier: Apache-2.0 */
/* fields - see fields.h */
#include "shim/fields.h"
#include <string.h>
#include "shim/policy.h"

/* What an object is; of an array, what each of its elements is. */
enum shape {
	OPEN,
	TOOLS_RESULT,
	RESOURCES_RESULT,
	TEMPLATES_RESULT,
	PROMPTS_RESULT,
	TOOL,
	RESOURCE,
	TEMPLATE,
	PROMPT,
	ARGUMENT,
	ICON,
	HINTS,
	EXECUTION,
	ANNOTATIONS,
};

#define RESULT(of)                                                                                                     \
	{ of, "nextCursor", OPEN }, { of, "_meta", OPEN }, { of, "resultType", OPEN }, { of, "ttlMs", OPEN },          \
	{                                                                                                              \
		of, "cacheScope", OPEN                                                                                 \
	}
#define ITEM(of)                                                                                                       \
	{ of, "name", OPEN }, { of, "title", OPEN }, { of, "description", OPEN }, { of, "icons", ICON },               \
	{                                                                                                              \
		of, "_meta", OPEN                                                                                      \
	}

/* The schema files from 2024-11-05 to 2026-07-28 together: servers send a field of a later version to clients of an
 * earlier one, of the other era too, which is no offence. */
static const struct {
	enum shape of;
	const char *name;
	enum shape is;
} rows[] = {
	RESULT(TOOLS_RESULT),
	{ TOOLS_RESULT, "tools", TOOL },
	RESULT(RESOURCES_RESULT),
	{ RESOURCES_RESULT, "resources", RESOURCE },
	RESULT(TEMPLATES_RESULT),
	{ TEMPLATES_RESULT, "resourceTemplates", TEMPLATE },
	RESULT(PROMPTS_RESULT),
	{ PROMPTS_RESULT, "prompts", PROMPT },
	ITEM(TOOL),
	{ TOOL, "inputSchema", OPEN },
	{ TOOL, "outputSchema", OPEN },
	{ TOOL, "annotations", HINTS },
	{ TOOL, "execution", EXECUTION },
	ITEM(RESOURCE),
	{ RESOURCE, "uri", OPEN },
	{ RESOURCE, "mimeType", OPEN },
	{ RESOURCE, "size", OPEN },
	{ RESOURCE, "annotations", ANNOTATIONS },
	ITEM(TEMPLATE),
	{ TEMPLATE, "uriTemplate", OPEN },
	{ TEMPLATE, "mimeType", OPEN },
	{ TEMPLATE, "annotations", ANNOTATIONS },
	ITEM(PROMPT),
	{ PROMPT, "arguments", ARGUMENT },
	{ ARGUMENT, "name", OPEN },
	{ ARGUMENT, "title", OPEN },
	{ ARGUMENT, "description", OPEN },
	{ ARGUMENT, "required", OPEN },
	{ ICON, "src", OPEN },
	{ ICON, "mimeType", OPEN },
	{ ICON, "sizes", OPEN },
	{ ICON, "theme", OPEN },
	{ HINTS, "title", OPEN },
	{ HINTS, "readOnlyHint", OPEN },
	{ HINTS, "destructiveHint", OPEN },
	{ HINTS, "idempotentHint", OPEN },
	{ HINTS, "openWorldHint", OPEN },
	{ EXECUTION, "taskSupport", OPEN },
	{ ANNOTATIONS, "audience", OPEN },
	{ ANNOTATIONS, "priority", OPEN },
	{ ANNOTATIONS, "lastModified", OPEN },
};

static bool is_defined(enum shape of, struct slice key, enum shape *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].of == of && slice_is(key, rows[i].name)) {
			*ret = rows[i].is;
			return true;
		}
	return false;
}

/* Past the value, in one pass; counts what is not defined. known: a value in which nothing is. */
static const char *count_undefined(const char *at, enum shape shape, struct slice known, uint64_t *dropped)
{
	bool object = *at == '{';

	if (at == known.p)
		return at + known.n;
	if (shape == OPEN || (!object && *at != '['))
		return walk_skip(at);
	for (at++; *at != '}' && *at != ']'; at += *at == ',') {
		enum shape is = shape;
		if (object) {
			const char *colon = walk_skip(at);
			struct slice key = { at + 1, (size_t)(colon - at) - 2 };
			at = colon + 1;
			if (!is_defined(shape, key, &is)) {
				*dropped += 1;
				is = OPEN;
			}
		}
		at = count_undefined(at, is, known, dropped);
	}
	return at + 1;
}

/* Appends the value without what is not defined. The depth is that of the table. */
static int put_defined(struct buf *out, enum shape shape, struct slice value)
{
	bool object = walk_is_object(value), first = true;
	struct walk w = object ? walk_object(value) : walk_array(value);
	struct slice key = { NULL, 0 }, item;
	int r;

	if (shape == OPEN || (!object && !walk_is_array(value)))
		return buf_append(out, value.p, value.n);
	r = buf_putc(out, object ? '{' : '[');
	while (r == 0 && (object ? walk_member(&w, &key, &item) : walk_element(&w, &item))) {
		enum shape is = shape;
		if (object && !is_defined(shape, key, &is))
			continue;
		if (!first)
			r = buf_putc(out, ',');
		first = false;
		if (r == 0 && object)
			r = buf_append(out, key.p - 1, key.n + 3);
		if (r == 0)
			r = put_defined(out, is, item);
	}
	return r ? r : buf_putc(out, object ? '}' : ']');
}

static enum shape shape_of(enum method_result kind)
{
	switch (kind) {
	case RESULT_TOOLS:
		return TOOLS_RESULT;
	case RESULT_RESOURCES:
		return RESOURCES_RESULT;
	case RESULT_TEMPLATES:
		return TEMPLATES_RESULT;
	case RESULT_PROMPTS:
		return PROMPTS_RESULT;
	default:
		return OPEN;
	}
}

/* Of a list that came before and had no other fields then: its array. */
static struct slice known_array(const struct shim *s, const struct listed_known *k, enum shape shape)
{
	for (size_t i = 0; k->here && k->defined && i < ARRAY_LEN(rows); i++)
		if (rows[i].of == shape && rows[i].is != OPEN)
			return message_get(&s->doc, rows[i].name);
	return (struct slice){ NULL, 0 };
}

int fields_filter(struct shim *s, enum method_result kind, struct slice result, struct buf *out, uint64_t *ret_dropped)
{
	struct slice all = { s->doc.out.data, s->doc.out.len };
	enum shape shape = shape_of(kind);
	struct listed_known *k;
	int r;

	*ret_dropped = 0;
	if (shape == OPEN || !walk_is_object(result))
		return 0;
	k = &s->known[kind - RESULT_TOOLS];
	count_undefined(result.p, shape, known_array(s, k, shape), ret_dropped);
	k->defined = *ret_dropped == 0;
	if (*ret_dropped == 0)
		return 0;
	buf_clear(out);
	r = buf_append(out, all.p, (size_t)(result.p - all.p));
	if (r == 0)
		r = put_defined(out, shape, result);
	return r ? r : buf_append(out, result.p + result.n, (size_t)(all.p + all.n - result.p - result.n));
}
