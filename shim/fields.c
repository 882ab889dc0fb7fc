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
	{ of, "nextCursor", OPEN, ERA_BOTH }, { of, "_meta", OPEN, ERA_BOTH }, { of, "resultType", OPEN, ERA_MODERN }, \
		{ of, "ttlMs", OPEN, ERA_MODERN },                                                                     \
	{                                                                                                              \
		of, "cacheScope", OPEN, ERA_MODERN                                                                     \
	}
#define ITEM(of)                                                                                                       \
	{ of, "name", OPEN, ERA_BOTH }, { of, "title", OPEN, ERA_BOTH }, { of, "description", OPEN, ERA_BOTH },        \
		{ of, "icons", ICON, ERA_BOTH },                                                                       \
	{                                                                                                              \
		of, "_meta", OPEN, ERA_BOTH                                                                            \
	}

/* The schema files from 2024-11-05 to 2026-07-28; servers send a field of a later version to clients of an earlier one
 * of the same era, which is no offence. */
static const struct {
	enum shape of;
	const char *name;
	enum shape is;
	unsigned eras;
} rows[] = {
	RESULT(TOOLS_RESULT),
	{ TOOLS_RESULT, "tools", TOOL, ERA_BOTH },
	RESULT(RESOURCES_RESULT),
	{ RESOURCES_RESULT, "resources", RESOURCE, ERA_BOTH },
	RESULT(TEMPLATES_RESULT),
	{ TEMPLATES_RESULT, "resourceTemplates", TEMPLATE, ERA_BOTH },
	RESULT(PROMPTS_RESULT),
	{ PROMPTS_RESULT, "prompts", PROMPT, ERA_BOTH },
	ITEM(TOOL),
	{ TOOL, "inputSchema", OPEN, ERA_BOTH },
	{ TOOL, "outputSchema", OPEN, ERA_BOTH },
	{ TOOL, "annotations", HINTS, ERA_BOTH },
	{ TOOL, "execution", EXECUTION, ERA_BOTH },
	ITEM(RESOURCE),
	{ RESOURCE, "uri", OPEN, ERA_BOTH },
	{ RESOURCE, "mimeType", OPEN, ERA_BOTH },
	{ RESOURCE, "size", OPEN, ERA_BOTH },
	{ RESOURCE, "annotations", ANNOTATIONS, ERA_BOTH },
	ITEM(TEMPLATE),
	{ TEMPLATE, "uriTemplate", OPEN, ERA_BOTH },
	{ TEMPLATE, "mimeType", OPEN, ERA_BOTH },
	{ TEMPLATE, "annotations", ANNOTATIONS, ERA_BOTH },
	ITEM(PROMPT),
	{ PROMPT, "arguments", ARGUMENT, ERA_BOTH },
	{ ARGUMENT, "name", OPEN, ERA_BOTH },
	{ ARGUMENT, "title", OPEN, ERA_BOTH },
	{ ARGUMENT, "description", OPEN, ERA_BOTH },
	{ ARGUMENT, "required", OPEN, ERA_BOTH },
	{ ICON, "src", OPEN, ERA_BOTH },
	{ ICON, "mimeType", OPEN, ERA_BOTH },
	{ ICON, "sizes", OPEN, ERA_BOTH },
	{ ICON, "theme", OPEN, ERA_BOTH },
	{ HINTS, "title", OPEN, ERA_BOTH },
	{ HINTS, "readOnlyHint", OPEN, ERA_BOTH },
	{ HINTS, "destructiveHint", OPEN, ERA_BOTH },
	{ HINTS, "idempotentHint", OPEN, ERA_BOTH },
	{ HINTS, "openWorldHint", OPEN, ERA_BOTH },
	{ EXECUTION, "taskSupport", OPEN, ERA_BOTH },
	{ ANNOTATIONS, "audience", OPEN, ERA_BOTH },
	{ ANNOTATIONS, "priority", OPEN, ERA_BOTH },
	{ ANNOTATIONS, "lastModified", OPEN, ERA_BOTH },
};

static bool is_defined(enum shape of, unsigned era, struct slice key, enum shape *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].of == of && rows[i].eras & era && slice_is(key, rows[i].name)) {
			*ret = rows[i].is;
			return true;
		}
	return false;
}

/* Appends the value without what is not defined; out NULL: only counts. The depth is that of the table. */
static int put_defined(struct buf *out, enum shape shape, unsigned era, struct slice value, uint64_t *dropped)
{
	bool object = walk_is_object(value), first = true;
	struct walk w = object ? walk_object(value) : walk_array(value);
	struct slice key = { NULL, 0 }, item;
	int r = 0;

	if (shape == OPEN || (!object && !walk_is_array(value)))
		return out ? buf_append(out, value.p, value.n) : 0;
	if (out)
		r = buf_putc(out, object ? '{' : '[');
	while (r == 0 && (object ? walk_member(&w, &key, &item) : walk_element(&w, &item))) {
		enum shape is = shape;
		if (object && !is_defined(shape, era, key, &is)) {
			*dropped += 1;
			continue;
		}
		if (out && !first)
			r = buf_putc(out, ',');
		first = false;
		if (r == 0 && out && object)
			r = buf_append(out, key.p - 1, key.n + 3);
		if (r == 0)
			r = put_defined(out, is, era, item, dropped);
	}
	return r || !out ? r : buf_putc(out, object ? '}' : ']');
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

int fields_filter(struct shim *s, enum method_result kind, bool modern, struct buf *out, uint64_t *ret_dropped)
{
	struct slice all = { s->doc.out.data, s->doc.out.len }, result = walk_get(all, "result");
	unsigned era = modern ? ERA_MODERN : ERA_LEGACY;
	uint64_t again = 0;
	int r;

	*ret_dropped = 0;
	r = put_defined(NULL, shape_of(kind), era, result, ret_dropped);
	if (r || *ret_dropped == 0)
		return r;
	buf_clear(out);
	r = buf_append(out, all.p, (size_t)(result.p - all.p));
	if (r == 0)
		r = put_defined(out, shape_of(kind), era, result, &again);
	return r ? r : buf_append(out, result.p + result.n, (size_t)(all.p + all.n - result.p - result.n));
}
