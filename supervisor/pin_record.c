/* SPDX-License-Identifier: Apache-2.0 */
/* pin_record - see pin_record.h */
#include "supervisor/pin_record.h"
#include <errno.h>
#include <string.h>
#include "base/text.h"

static bool has_word(const json_t *list, const char *word)
{
	const json_t *v;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)list, i, v) if (strcmp(json_string_value(v), word) == 0) return true;
	return false;
}

/* The rules of the findings that keep what is not accepted from being pinned (pin_gate.h): each was named. */
static json_t *accepted(const struct definitions *found)
{
	json_t *list = json_array();
	int r = list ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < found->n; i++)
		for (size_t k = 0; r == 0 && k < found->v[i].n_findings; k++) {
			const struct definition_finding *f = &found->v[i].findings[k];
			if (f->severity >= DEFINITION_HIGH && !has_word(list, f->rule))
				r = json_array_append_new(list, json_string(f->rule)) < 0 ? -ENOMEM : 0;
		}
	if (r == 0)
		return list;
	json_decref(list);
	return NULL;
}

int pin_record(const struct record_alone_args *a, const struct pin_set *before, const struct pin_set *made,
	const struct definitions *found, const char *output, struct diag *d)
{
	struct event e = { .type = EVENT_PIN_MADE, .count = made->definitions.n };
	json_t *extra;
	int r;

	snprintf(e.status, sizeof(e.status), "%s", output ? "written" : "pinned");
	if (output)
		text_escape_str(output, e.reason, sizeof(e.reason));
	extra = json_pack("{s:s, s:s*, s:o}", "pins", made->digest, "before", before ? before->digest : NULL,
		"accepted", accepted(found));
	if (!extra)
		return diag_fail(d, -ENOMEM, "out of memory");
	r = record_alone(a, &e, extra, d);
	json_decref(extra);
	return r;
}
