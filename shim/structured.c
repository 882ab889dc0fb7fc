/* SPDX-License-Identifier: Apache-2.0 */
/* structured - see structured.h */
#include "shim/structured.h"
#include <stdio.h>
#include <string.h>

static int judge(struct shim *s, const struct schema_tool *tool, struct slice value, struct slice error,
	const char **ret_refusal)
{
	struct schema_error e;
	int r;

	if (*ret_refusal || !value.n || slice_is(error, "true") || !tool || !tool->output.compiled)
		return 0;
	r = schemas_check(&s->schemas, tool->output.compiled, value, &e);
	if (r <= 0)
		return r;
	/* The words are recorded, and values are not. */
	snprintf(s->words, sizeof(s->words), "it does not fit the outputSchema of the tool: %.*s",
		(int)schema_error_without_value(&e), e.text);
	*ret_refusal = s->words;
	return 0;
}

/* A result has its content in itself; in the modern era what a task came to is a member of its state. A client may look
 * at the one or the other, so both have to fit. */
static int judge_both(struct shim *s, const struct schema_tool *tool, const char **ret_refusal)
{
	struct slice inner = message_get(&s->doc, "result");
	int r = judge(s, tool, message_get(&s->doc, "structuredContent"), message_get(&s->doc, "isError"), ret_refusal);

	return r ? r : judge(s, tool, walk_get(inner, "structuredContent"), walk_get(inner, "isError"), ret_refusal);
}

int structured_judge_task(struct shim *s, struct slice tool, const char **ret_refusal)
{
	struct slice inner = walk_get(message_get(&s->doc, "result"), "structuredContent");

	*ret_refusal = NULL;
	if (tool.n)
		return judge_both(s, schemas_of_tool(&s->schemas, tool), ret_refusal);
	if (inner.n || message_get(&s->doc, "structuredContent").n)
		*ret_refusal =
			"its task is of no call that is known, so nobody can tell which outputSchema it should fit";
	return 0;
}

int structured_guard(struct shim *s, struct message *m)
{
	struct slice tool = { m->asked->tool, m->asked->tool ? strlen(m->asked->tool) : 0 };
	const char *refusal = NULL;
	int r = 0;

	if (m->method->result == RESULT_TASK)
		r = structured_judge_task(s, tool, &refusal);
	else if (tool.n)
		r = judge_both(s, schemas_of_tool(&s->schemas, tool), &refusal);
	return r == 0 && refusal ? stages_refuse(m, refusal) : r;
}
