/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile_arguments - what a profile demands of the arguments of calls (profile_parse.h, wire/shim_config.h)
 *
 * A property that the profile names must be there: left out, a default of the server's would stand in for it. So the
 * schema as it is written gets "required" for what its "properties" name, and the type without which they would say
 * nothing; a property whose schema is false is one that may not be there. The same below properties, items and allOf.
 * Under the other keywords (not, anyOf, if, $ref) it would mean something else, and nothing is added there.
 */
#include <errno.h>
#include <string.h>
#include "base/text.h"
#include "schema/schema.h"
#include "supervisor/profile_parse.h"

/* What a person writes has no more digits than a double keeps; with one more, 0.1 would be another number. */
enum { DECIMALS = 15 };

static bool has_string(const json_t *array, const char *text)
{
	const json_t *v;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)array, i,
		v) if (json_is_string(v) && !strcmp(json_string_value(v), text)) return true;
	return false;
}

static int set_type(json_t *schema, const char *type)
{
	return json_object_get(schema, "type") ? 0 : json_object_set_new(schema, "type", json_string(type));
}

/* A value that is not what the specification has there is left for the compiler to refuse. */
static int require_named(json_t *schema)
{
	json_t *properties = json_object_get(schema, "properties"), *required = json_object_get(schema, "required");
	json_t *items = json_object_get(schema, "items"), *all = json_object_get(schema, "allOf"), *sub;
	const char *name;
	size_t i;
	int r = 0;

	if (json_is_object(properties)) {
		r = set_type(schema, "object");
		if (r == 0 && !required)
			r = json_object_set_new(schema, "required", json_array());
		required = json_object_get(schema, "required");
	}
	json_object_foreach(properties, name, sub)
	{
		if (r == 0 && json_is_array(required) && !json_is_false(sub) && !has_string(required, name))
			r = json_array_append_new(required, json_string(name));
		r = r ? r : require_named(sub);
	}
	if (r == 0 && json_is_object(items))
		r = set_type(schema, "array");
	r = r ? r : json_is_object(items) ? require_named(items) : 0;
	json_array_foreach(all, i, sub) r = r ? r : require_named(sub);
	return r;
}

static int as_enforced(const json_t *written, char **ret)
{
	json_t *schema = json_deep_copy(written);
	int r = schema ? require_named(schema) : -1;

	*ret = r == 0 ? json_dumps(schema, JSON_COMPACT | JSON_REAL_PRECISION(DECIMALS)) : NULL;
	json_decref(schema);
	return *ret ? 0 : -ENOMEM;
}

/* By the code that the shim judges with: what passes here cannot be refused there. */
static int check_schema(const struct key *k, unsigned line, const char *glob, const char *schema)
{
	const struct schema_options o = { .root = "arguments", .rule = true };
	struct schema_compiled *compiled;
	char shown[PROFILE_SHOWN_MAX];
	struct diag d = { 0 };
	int r = schema_compile(schema, strlen(schema), &o, &compiled, &d);

	if (r == -EINVAL)
		return key_fail_at(k, line, "\"%s\" has arguments that cannot be kept: %s",
			text_escape_str(glob, shown, sizeof(shown)), d.text);
	if (r == 0)
		schema_compiled_free(compiled);
	return r;
}

/* Takes ownership of schema, even when it fails. */
static int rule_add(const struct key *k, unsigned line, const char *glob, const char *what, char *schema)
{
	struct shim_arguments *a = &k->parse->profile->arguments;
	struct shim_argument_rule rule = { .schema = schema, .strict = !schema };
	struct shim_argument_rule *more = reallocarray(a->rules, a->n + 1, sizeof(*more));
	char shown[PROFILE_SHOWN_MAX];

	if (more) {
		a->rules = more;
		rule.glob = strdup(glob);
		if (asprintf(&rule.where, "%s:%u (%s \"%s\" %s)", k->parse->file.name, line, k->shown,
			    text_escape_str(glob, shown, sizeof(shown)), what) < 0)
			rule.where = NULL;
		a->rules[a->n++] = rule;
		return rule.glob && rule.where ? 0 : -ENOMEM;
	}
	free(schema);
	return -ENOMEM;
}

int profile_arguments_take(const struct key *k, const json_t *item, const char *glob)
{
	const json_t *written = json_object_get(item, "arguments");
	const struct shim_arguments *a = &k->parse->profile->arguments;
	unsigned line = json_file_key_line(&k->parse->file, item, "arguments");
	char *schema = NULL;
	int r = 0;

	if (a->n + 2 > SHIM_ARGUMENTS_MAX)
		return key_fail(k, "has more than %d rules on arguments", SHIM_ARGUMENTS_MAX);
	if (written)
		r = as_enforced(written, &schema);
	if (r == 0 && written)
		r = check_schema(k, line, glob, schema);
	if (r < 0) {
		free(schema);
		return r;
	}
	if (written)
		r = rule_add(k, line, glob, "arguments", schema);
	if (r == 0 && json_is_true(json_object_get(item, "strict")))
		r = rule_add(k, json_file_key_line(&k->parse->file, item, "strict"), glob, "strict", NULL);
	return r;
}

int key_set_strict(const struct key *k)
{
	struct shim_arguments *a = &k->parse->profile->arguments;

	free(a->strict);
	a->strict = NULL;
	return json_is_true(k->v) ? key_where(k, k->line, NULL, &a->strict) : 0;
}
