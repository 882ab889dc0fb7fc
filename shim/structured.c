/* SPDX-License-Identifier: Apache-2.0 */
/* structured - see structured.h */
#include "shim/structured.h"
#include <stdio.h>
#include <string.h>

int structured_guard(struct shim *s, const struct pending_entry *e, const char **ret_refusal)
{
	struct slice value = message_get(&s->doc, "structuredContent");
	const struct schema_tool *tool =
		e->tool && value.n ? schemas_of_tool(&s->schemas, (struct slice){ e->tool, strlen(e->tool) }) : NULL;
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
