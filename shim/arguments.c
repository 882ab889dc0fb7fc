/* SPDX-License-Identifier: Apache-2.0 */
/* arguments - see arguments.h */
#include "shim/arguments.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "shim/pins.h"

static const char INPUT_SCHEMA[] = "the inputSchema of the tool";
static const char CALL_AGAIN[] = "Correct the arguments and call it again.";

/* Nobody else chooses these names, so their hash needs no secret. */
enum { NO_SECRET = 0 };

static int prepare(const struct shim_argument_rule *rule, struct argument_schema *ret, size_t *bytes, struct diag *d)
{
	const struct schema_options o = { .root = "arguments", .rule = true };
	struct slice text = { rule->schema, strlen(rule->schema) };
	int r = schema_compile(text.p, text.n, &o, &ret->compiled, d);

	if (r < 0)
		return r;
	r = schema_names_gather(&ret->names, NO_SECRET, bytes, text);
	if (r == 0 && !ret->names.known)
		r = -E2BIG;
	return r < 0 ? diag_fail(d, r, "%s: its arguments name more properties than can be kept", rule->where) : 0;
}

int arguments_prepare(struct shim *s, struct diag *d)
{
	const struct shim_arguments *a = &s->config.arguments;
	size_t bytes = 0;
	int r = 0;

	if (a->n == 0)
		return 0;
	s->rules = calloc(a->n, sizeof(*s->rules));
	if (!s->rules)
		return diag_fail(d, -ENOMEM, "out of memory");
	for (size_t i = 0; r == 0 && i < a->n; i++)
		if (a->rules[i].schema)
			r = prepare(&a->rules[i], &s->rules[i], &bytes, d);
	return r;
}

void arguments_done(struct shim *s)
{
	size_t bytes = SIZE_MAX;

	for (size_t i = 0; s->rules && i < s->config.arguments.n; i++) {
		schema_compiled_free(s->rules[i].compiled);
		schema_names_done(&s->rules[i].names, &bytes);
	}
	free(s->rules);
	s->rules = NULL;
}

int arguments_strict(struct shim *s, struct slice tool, bool *ret)
{
	const struct shim_arguments *a = &s->config.arguments;
	struct slice name;
	int r = policy_unescape(tool, &s->subject, &name);

	*ret = r == 0 && (a->strict || a->n) && shim_arguments_strict(a, name.p, name.n);
	return r;
}

bool arguments_imitated(struct shim *s, struct slice tool, struct slice value)
{
	const struct shim_arguments *a = &s->config.arguments;
	struct slice name, key;

	if (a->n == 0 || policy_unescape(tool, &s->subject, &name) < 0)
		return a->n > 0;
	for (size_t at = 0; shim_arguments_next(a, name.p, name.n, &at);)
		if (schema_names_imitated(&s->rules[at - 1].names, NO_SECRET, value, &key))
			return true;
	return false;
}

static int deny(struct decision *d, const char *rule, const char *reason, const char *advice)
{
	d->verdict = POLICY_DENY;
	d->rule = rule;
	d->reason = reason;
	d->advice = advice;
	return 0;
}

static int judge(struct shim *s, const struct schema_compiled *schema, struct schemas_value *value, const char *rule,
	struct decision *d)
{
	struct schema_error e;
	int r = schemas_judge(&s->schemas, schema, value, &e);

	if (r <= 0)
		return r;
	snprintf(s->words, sizeof(s->words), "%s", e.text);
	if (s->config.args != SHIM_ARGS_FULL)
		d->recorded = schema_error_without_value(&e);
	return deny(d, rule, s->words, CALL_AGAIN);
}

static int by_profile(struct shim *s, struct slice tool, struct schemas_value *value, struct decision *d)
{
	const struct shim_arguments *a = &s->config.arguments;
	const struct shim_argument_rule *rule;
	int r = 0;

	for (size_t at = 0;
		r == 0 && d->verdict == POLICY_ALLOW && (rule = shim_arguments_next(a, tool.p, tool.n, &at));)
		if (s->rules[at - 1].compiled)
			r = judge(s, s->rules[at - 1].compiled, value, rule->where, d);
	return r;
}

static int by_tool(struct shim *s, const struct schema_tool *tool, const char *strict, struct schemas_value *value,
	struct decision *d)
{
	const char *why = !tool ? NULL : tool->input.why ? tool->input.why : tool->output.why;

	if (why) {
		snprintf(s->words, sizeof(s->words), "its schemas cannot be used: %s", why);
		return deny(d, tool->input.why ? INPUT_SCHEMA : "the outputSchema of the tool", s->words,
			"Only the author of the server can change this; tell the user if it is needed.");
	}
	if (tool && tool->input.compiled)
		return judge(s, tool->input.compiled, value, strict ? strict : INPUT_SCHEMA, d);
	/* It may have been listed as it was pinned, and have given way to others. */
	if (!tool && (s->schemas.full || (s->config.pins.on && s->schemas.lost)))
		return deny(d, INPUT_SCHEMA, "the server lists more tools than stockade keeps the schemas of", NULL);
	return strict ? deny(d, strict, "no inputSchema of the tool is known that says which arguments it takes", NULL)
		      : 0;
}

/* Nobody knows yet what a strict rule closes: the server is asked for its list first, once as long as it is the same.
 */
static int await_schema(struct shim *s, const struct message *m, const char *strict, struct decision *d)
{
	const char *why = NULL;
	int r = s->schemas.whole ? 0 : pins_await_list(s, m, DEFINITION_TOOL, d, &why);

	if (d->verdict == POLICY_DENY)
		d->rule = strict;
	if (r || d->verdict != POLICY_ALLOW || !why)
		return r;
	return deny(d, strict, why, NULL);
}

static int judge_all(struct shim *s, struct message *m, struct schemas_value *value)
{
	struct decision *d = &m->d;
	const struct shim_arguments *a = &s->config.arguments;
	const struct schema_tool *tool;
	const char *strict;
	struct slice name;
	int r = policy_unescape(d->subject, &s->subject, &name);

	if (r == 0)
		r = by_profile(s, name, value, d);
	if (r || d->verdict != POLICY_ALLOW)
		return r;
	strict = shim_arguments_strict(a, name.p, name.n);
	tool = schemas_of_tool(&s->schemas, d->subject);
	if (strict && !tool && !s->schemas.full)
		r = await_schema(s, m, strict, d);
	return r || d->verdict != POLICY_ALLOW ? r : by_tool(s, tool, strict, value, d);
}

int arguments_guard(struct shim *s, struct message *m)
{
	struct schemas_value value = { .text = message_get(&s->doc, "arguments") };
	int r;

	/* Some clients write what is not there as null. */
	if (value.text.n == 0 || slice_is(value.text, "null"))
		value.text = SLICE("{}");
	if (!walk_is_object(value.text))
		return stages_refuse(m, "its arguments are not an object");
	r = judge_all(s, m, &value);
	schemas_let_go(&s->schemas, &value);
	return r;
}
