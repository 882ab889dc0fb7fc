/* SPDX-License-Identifier: Apache-2.0 */
/* clarity - see clarity.h */
#include "shim/clarity.h"
#include "shim/arguments.h"
#include "shim/keys.h"
#include "shim/policy.h"

static const char COLLIDES[] = "two keys of one object differ by upper and lower case alone";
static const char IMITATES[] = "a key differs from one of the protocol's by upper and lower case alone";
static const char AGAINST_PROFILE[] = "a key differs from one that the profile names by upper and lower case alone";
static const char AGAINST_SCHEMA[] = "a key differs from one of the tool's schema by upper and lower case alone";

static bool within(const struct shim *s, uint32_t at, struct slice span)
{
	const char *p = s->doc.out.data + at;

	return span.n > 0 && p >= span.p && p < span.p + span.n;
}

/* Keys directly in params, result or error. */
static bool members_imitate(const struct shim *s, unsigned of)
{
	const struct json_doc *d = &s->doc;

	for (uint32_t i = 0; i < d->n_members; i++) {
		const struct json_member *m = &d->members[i];
		if (m->parent >= 0 && keys_imitated((struct slice){ json_at(d, m->key), m->key.len }, of))
			return true;
	}
	return false;
}

/* Two colliding keys are no matter inside open, where a schema decides. */
static bool collides_outside(const struct shim *s, struct slice open)
{
	for (uint32_t i = 0; i < s->doc.n_collisions; i++)
		if (!within(s, s->doc.collisions[i], open))
			return true;
	return false;
}

/* The keys of one item of a list and of the content in it. *p is at the item, then behind it. */
static bool item_imitates(const char **p)
{
	struct walk w = { *p + 1 };
	struct slice key, value;

	if (**p != '{') {
		*p = walk_skip(*p);
		return false;
	}
	while (walk_member(&w, &key, &value)) {
		if (keys_imitated(key, KEYS_OF_ITEM))
			return true;
		if ((slice_is(key, "resource") || slice_is(key, "content")) && keys_imitated_in(value, KEYS_OF_ITEM))
			return true;
	}
	*p = w.p + 1;
	return false;
}

static bool items_imitate(struct slice array)
{
	const char *p = array.p + 1;

	while (*p != ']') {
		if (item_imitates(&p))
			return true;
		p += *p == ',';
	}
	return false;
}

/* The answers of a modern retry: results under keys that the server chose. */
static bool responses_imitate(struct slice responses)
{
	struct walk w = walk_object(responses);
	struct slice key, value;

	while (walk_member(&w, &key, &value)) {
		struct slice roots = walk_get(value, "roots");
		if (keys_imitated_in(value, KEYS_OF_RESULT) || (walk_is_array(roots) && items_imitate(roots)))
			return true;
	}
	return false;
}

static bool requests_imitate(struct slice requests)
{
	struct walk w = walk_object(requests);
	struct slice key, value;

	while (walk_member(&w, &key, &value))
		if (keys_imitated_in(value, KEYS_OF_REQUEST))
			return true;
	return false;
}

/* The members of a result that are lists of the protocol's own objects. */
static const char *const item_lists[] = {
	"content",
	"contents",
	"tools",
	"resources",
	"resourceTemplates",
	"prompts",
	"messages",
	"roots",
	"tasks",
};

static bool list_imitates(struct slice list)
{
	return walk_is_array(list) ? items_imitate(list) : keys_imitated_in(list, KEYS_OF_ITEM) != NULL;
}

static bool lists_imitate(const struct shim *s)
{
	for (size_t i = 0; i < ARRAY_LEN(item_lists); i++)
		if (list_imitates(message_get(&s->doc, item_lists[i])))
			return true;
	return false;
}

/* What a task of the modern era came to is a member of its state, polled for or pushed. */
static bool outcome_imitates(const struct shim *s)
{
	struct slice outcome = message_get(&s->doc, "result");

	for (size_t i = 0; i < ARRAY_LEN(item_lists); i++)
		if (list_imitates(walk_get(outcome, item_lists[i])))
			return true;
	return keys_imitated_in(outcome, KEYS_OF_RESULT) != NULL;
}

static bool params_imitate(const struct shim *s)
{
	return members_imitate(s, KEYS_OF_PARAMS) || keys_imitated_in(message_get(&s->doc, "_meta"), KEYS_OF_META) ||
	       keys_imitated_in(message_get(&s->doc, "task"), KEYS_OF_TASK) ||
	       keys_imitated_in(message_get(&s->doc, "notifications"), KEYS_OF_PARAMS) ||
	       responses_imitate(message_get(&s->doc, "inputResponses")) ||
	       requests_imitate(message_get(&s->doc, "inputRequests")) ||
	       (message_get(&s->doc, "taskId").n && outcome_imitates(s));
}

const char *clarity_of_params(struct shim *s, const struct envelope *e, struct slice tool)
{
	struct slice arguments = tool.n ? message_get(&s->doc, "arguments") : (struct slice){ NULL, 0 }, key;
	const struct schema_names *schema = tool.n ? schemas_input(&s->schemas, tool) : NULL;

	/* The serialiser counts imitations of any protocol key anywhere: most messages have none, and no closer look is
	 * taken. */
	if (s->doc.keys.imitations > 0 && params_imitate(s))
		return IMITATES;
	if (collides_outside(s, schema ? arguments : (struct slice){ NULL, 0 }))
		return COLLIDES;
	if (schema && schema_names_imitated(schema, s->schemas.secret, arguments, &key))
		return AGAINST_SCHEMA;
	if (tool.n && arguments_imitated(s, tool, message_get(&s->doc, "arguments")))
		return AGAINST_PROFILE;
	return NULL;
}

static bool result_imitates(const struct shim *s)
{
	return members_imitate(s, KEYS_OF_RESULT) || keys_imitated_in(message_get(&s->doc, "_meta"), KEYS_OF_META) ||
	       keys_imitated_in(message_get(&s->doc, "task"), KEYS_OF_TASK) || lists_imitate(s) ||
	       requests_imitate(message_get(&s->doc, "inputRequests")) || outcome_imitates(s);
}

/* Is that place inside a schema of a listed tool, where properties are free to be called a and A? */
static bool in_listed_schema(const struct shim *s, uint32_t at)
{
	struct walk w = walk_array(message_get(&s->doc, "tools"));
	struct slice tool;

	while (walk_element(&w, &tool))
		if (within(s, at, tool))
			return within(s, at, walk_get(tool, "inputSchema")) ||
			       within(s, at, walk_get(tool, "outputSchema"));
	return false;
}

static bool collides_in_list(const struct shim *s)
{
	for (uint32_t i = 0; i < s->doc.n_collisions; i++)
		if (!in_listed_schema(s, s->doc.collisions[i]))
			return true;
	return false;
}

/* It was listed without one: no schema names a key of what it gives, so none can be taken for another. */
static bool has_no_output_schema(const struct shim *s, struct slice tool)
{
	const struct schema_tool *t = tool.n ? schemas_of_tool(&s->schemas, tool) : NULL;

	return t && !t->output.compiled && !t->output.why;
}

const char *clarity_of_result(const struct shim *s, const struct envelope *e, struct slice tool, bool tools_list)
{
	struct slice content = message_get(&s->doc, "structuredContent"), open = { NULL, 0 }, key;
	const struct schema_names *schema = tool.n && content.n ? schemas_output(&s->schemas, tool) : NULL;

	if (e->kind == ENVELOPE_ERROR)
		return members_imitate(s, KEYS_OF_ERROR) ? IMITATES : collides_outside(s, open) ? COLLIDES : NULL;
	if (s->doc.keys.imitations > 0 && result_imitates(s))
		return IMITATES;
	if (schema || has_no_output_schema(s, tool))
		open = content;
	if (tools_list ? collides_in_list(s) : collides_outside(s, open))
		return COLLIDES;
	if (schema && schema_names_imitated(schema, s->schemas.secret, content, &key))
		return AGAINST_SCHEMA;
	return NULL;
}
