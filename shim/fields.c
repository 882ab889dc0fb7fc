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

/* Appends the value without what is not defined; out NULL: only counts. The depth is that of the table. */
static int put_defined(struct buf *out, enum shape shape, struct slice value, uint64_t *dropped)
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
		if (object && !is_defined(shape, key, &is)) {
			*dropped += 1;
			continue;
		}
		if (out && !first)
			r = buf_putc(out, ',');
		first = false;
		if (r == 0 && out && object)
			r = buf_append(out, key.p - 1, key.n + 3);
		if (r == 0)
			r = put_defined(out, is, item, dropped);
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

int fields_filter(struct shim *s, enum method_result kind, struct buf *out, uint64_t *ret_dropped)
{
	struct slice all = { s->doc.out.data, s->doc.out.len }, result = walk_get(all, "result");
	uint64_t again = 0;
	int r;

	*ret_dropped = 0;
	r = put_defined(NULL, shape_of(kind), result, ret_dropped);
	if (r || *ret_dropped == 0)
		return r;
	buf_clear(out);
	r = buf_append(out, all.p, (size_t)(result.p - all.p));
	if (r == 0)
		r = put_defined(out, shape_of(kind), result, &again);
	return r ? r : buf_append(out, result.p + result.n, (size_t)(all.p + all.n - result.p - result.n));
}
