/* SPDX-License-Identifier: Apache-2.0 */
/* structured - see structured.h */
#include "shim/structured.h"
#include <stdio.h>
#include <string.h>

/* In the modern era what a task came to is a member of its state. */
static struct slice content_of(const struct shim *s)
{
	struct slice value = message_get(&s->doc, "structuredContent"), inner = message_get(&s->doc, "result");

	if (value.n || slice_is(walk_get(inner, "isError"), "true"))
		return value;
	return walk_get(inner, "structuredContent");
}

static int check(struct shim *s, struct slice name, const char **ret_refusal)
{
	struct slice value = content_of(s);
	const struct schema_tool *tool = name.n && value.n ? schemas_of_tool(&s->schemas, name) : NULL;
	struct schema_error error;
	int r;

	if (!tool || !tool->output.compiled)
		return 0;
	r = schemas_check(&s->schemas, tool->output.compiled, value, &error);
	if (r <= 0)
		return r;
	/* The words are recorded, and values are not. */
	snprintf(s->words, sizeof(s->words), "it does not fit the outputSchema of the tool: %.*s",
		(int)schema_error_without_value(&error), error.text);
	*ret_refusal = s->words;
	return 0;
}

int structured_guard(struct shim *s, const struct pending_entry *e, const char **ret_refusal)
{
	return check(s, (struct slice){ e->tool, e->tool ? strlen(e->tool) : 0 }, ret_refusal);
}

int structured_pushed(struct shim *s, const char **ret_refusal)
{
	return check(s, task_tools_find(&s->tasks, walk_string(message_get(&s->doc, "taskId"))), ret_refusal);
}
