/* SPDX-License-Identifier: Apache-2.0 */
/* profile_rules - allow and deny lists become the rules that the shim enforces (profile_parse.h, wire/shim_config.h) */
#include <errno.h>
#include <string.h>
#include "base/text.h"
#include "supervisor/profile_parse.h"

/* Takes ownership of where, even when it fails. */
static int rule_add(struct shim_rules *rules, bool allow, const char *glob, char *where)
{
	_cleanup_free_ char *own = where;
	struct shim_rule *more;
	char *copy;

	if (rules->n >= SHIM_RULES_MAX)
		return -E2BIG;
	more = reallocarray(rules->rules, rules->n + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	rules->rules = more;
	copy = strdup(glob);
	if (!copy)
		return -ENOMEM;
	rules->rules[rules->n++] = (struct shim_rule){ .allow = allow, .glob = copy, .where = STEAL_PTR(own) };
	return 0;
}

/* A name of a tool or a prompt has none of these (2025-11-25, tool names); in a URI '?' and '[' are themselves. */
int profile_check_glob(const struct key *k, const char *glob, unsigned line)
{
	char shown[PROFILE_SHOWN_MAX];

	text_escape_str(glob, shown, sizeof(shown));
	if (!*glob)
		return key_fail_at(k, line, "has an empty name, which nothing matches");
	if (strncmp(k->row->path, "resources.", strlen("resources.")) && strpbrk(glob, "?[]{}"))
		return key_fail_at(k, line, "has \"%s\"; '*' is the only character that stands for others", shown);
	return 0;
}

/* {"name": ...}: the other members are rules on the calls that it lets through. */
static int rule_name(const struct key *k, const json_t *item, unsigned line, const char **ret)
{
	char prefix[PROFILE_SHOWN_MAX];
	int r;

	if (json_is_string(item)) {
		*ret = json_string_value(item);
		return 0;
	}
	if (!json_is_object(item) || strcmp(k->row->path, "tools.allow"))
		return key_fail_at(k, line, "must hold names (strings), and there is %s", json_file_type(item));
	snprintf(prefix, sizeof(prefix), "%s[]", k->row->path);
	r = profile_meters_open(k);
	if (r == 0)
		r = key_walk(k->parse, prefix, k->shown, item, k->target);
	if (r < 0)
		return r;
	*ret = json_string_value(json_object_get(item, "name"));
	return *ret ? profile_meters_close(k, *ret) : key_fail_at(k, line, "has a rule without \"name\"");
}

static int rules_take(const struct key *k, bool allow)
{
	const json_t *item;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)k->v, i, item)
	{
		unsigned line = key_item_line(k, i);
		const char *glob = NULL;
		char *where = NULL;
		int r = rule_name(k, item, line, &glob);

		if (r == 0)
			r = profile_check_glob(k, glob, line);
		if (r == 0 && json_is_object(item))
			r = profile_arguments_take(k, item, glob);
		if (r == 0)
			r = key_where(k, line, glob, &where);
		if (r == 0)
			r = rule_add(KEY_FIELD(k, struct shim_rules), allow, glob, where);
		if (r == -E2BIG)
			return key_fail(k, "has more than %d rules with its other list", SHIM_RULES_MAX);
		if (r < 0)
			return r;
	}
	return 0;
}

int key_set_allow(const struct key *k)
{
	struct shim_rules *rules = KEY_FIELD(k, struct shim_rules);
	char *where = NULL;
	int r = key_where(k, k->line, NULL, &where);

	if (r < 0)
		return r;
	rules->restricted = true;
	free(rules->otherwise);
	rules->otherwise = where;
	return rules_take(k, true);
}

int key_set_deny(const struct key *k)
{
	return rules_take(k, false);
}
