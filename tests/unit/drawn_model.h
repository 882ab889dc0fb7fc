/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drawn_model - what the two files of root's say of a drawn launch (drawn_launch.h), and nothing else
 *
 * It shares no code with what is tested, but that a glob is one.
 */
#pragma once
#include "tests/unit/drawn_launch.h"

static inline bool fits(const char *glob, const char *name)
{
	if (*glob == '*')
		return fits(glob + 1, name) || (*name && fits(glob, name + 1));
	return *glob == *name && (!*glob || fits(glob + 1, name + 1));
}

static inline bool any_fits(const json_t *list, const char *name)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (fits(json_string_value(json_array_get(list, i)), name))
			return true;
	return false;
}

static inline bool says(const json_t *o, const char *section, const char *key, const char *word)
{
	const json_t *v = said(o, section, key);

	return json_is_string(v) && strcmp(json_string_value(v), word) == 0;
}

static inline bool below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return strncmp(path, dir, n) == 0 && (!path[n] || path[n] == '/');
}

/* "~" is the home that root's files give the user. */
static inline void whole_path(const char *text, char ret[PATH_MAX])
{
	static const char *const homes_of_root[] = { "~", "${HOME}" };

	for (size_t i = 0; i < ARRAY_LEN(homes_of_root); i++)
		if (strncmp(text, homes_of_root[i], strlen(homes_of_root[i])) == 0) {
			snprintf(ret, PATH_MAX, "%s%s", at("home"), text + strlen(homes_of_root[i]));
			return;
		}
	if (strncmp(text, "${workspace}", 12) == 0)
		snprintf(ret, PATH_MAX, "%s%s", at("work"), text + 12);
	else
		snprintf(ret, PATH_MAX, "%s", text);
}

/* --- parameters --- */

/* What the command line gives it, or the profile; NULL: nothing does. */
static inline const char *value_of(const struct draw *x, const char *parameter)
{
	const struct strv *sets = &x->grants.sets;
	size_t n = strlen(parameter);

	for (size_t i = 0; i < sets->n; i++)
		if (strncmp(sets->v[i], parameter, n) == 0 && sets->v[i][n] == '=')
			return sets->v[i] + n + 1;
	return json_string_value(json_object_get(said(x->profile, "parameters", parameter), "default"));
}

/* Where the parameter leads, and may: false where it may not. */
static inline bool value_leads(const struct draw *x, char ret[PATH_MAX])
{
	const json_t *within = json_object_get(said(x->profile, "parameters", "dir"), "within");
	const char *value = value_of(x, "dir");
	char whole[PATH_MAX];

	if (!value)
		return false;
	whole_path(value, whole);
	if (!realpath(whole, ret))
		return false;
	for (size_t i = 0; i < json_array_size(within); i++) {
		whole_path(json_string_value(json_array_get(within, i)), whole);
		if (below(ret, whole))
			return true;
	}
	return !within;
}

/* --- one of the two --- */

static inline bool any_holds(const struct draw *x, const json_t *list, const char *path)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));
		char whole[PATH_MAX];
		if (strcmp(text, "${dir}") == 0) {
			if (value_leads(x, whole) && below(path, whole))
				return true;
			continue;
		}
		whole_path(text, whole);
		if (below(path, whole))
			return true;
	}
	return false;
}

/* bounds: a list that is not there bounds nothing; in a profile it grants nothing. */
static inline bool one_writes(const struct draw *x, const json_t *o, bool bounds, const char *path)
{
	const json_t *list = said(o, "filesystem", "write");

	return bounds && !list ? true : any_holds(x, list, path);
}

static inline bool one_reads(const struct draw *x, const json_t *o, bool bounds, const char *path)
{
	return (bounds && !said(o, "filesystem", "read")) || any_holds(x, said(o, "filesystem", "read"), path) ||
	       any_holds(x, said(o, "filesystem", "write"), path);
}

static inline bool one_reaches(const json_t *o, bool bounds, const char *name, uint16_t port)
{
	const json_t *list = said(o, "network", "allow");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i)), *colon = strrchr(text, ':');
		char host[TEXT], want[16];
		snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
		snprintf(want, sizeof(want), "%u", port);
		if (fits(host, name) && strstr(colon, want))
			return true;
	}
	return bounds && !list;
}

static inline bool one_calls(const json_t *o, const char *tool)
{
	const json_t *allow = said(o, "tools", "allow");

	return !any_fits(said(o, "tools", "deny"), tool) && (!allow || any_fits(allow, tool));
}

static inline bool one_passes(const json_t *o, const char *name)
{
	const json_t *pass = said(o, "env", "pass");

	for (size_t i = 0; i < json_array_size(pass); i++)
		if (strcmp(json_string_value(json_array_get(pass, i)), name) == 0)
			return true;
	return false;
}

/* That root's profile sets the variable to this. */
static inline bool one_sets(const struct draw *x, const char *name, const char *value)
{
	const char *text = json_string_value(json_object_get(said(x->profile, "env", "set"), name));
	const json_t *choices = json_object_get(said(x->profile, "parameters", "mode"), "choices");

	if (!text || strcmp(text, "${mode}") != 0)
		return text && strcmp(text, value) == 0;
	return any_fits(choices, value) && strcmp(value, value_of(x, "mode")) == 0;
}

static inline const char *server_of(const struct draw *x)
{
	return x->how == BY_COMMAND ? "true" : x->how == BY_FILE ? "n" : "m";
}

/* --- groups --- */

static inline bool user_is_in(const char *group)
{
	for (size_t i = 0; i < ARRAY_LEN(machine_groups); i++)
		if (strcmp(machine_groups[i].name, group) == 0)
			return machine_groups[i].has_user;
	return false;
}

/* The server, or that tool of it. */
static inline bool groups_give(const struct draw *x, const char *tool)
{
	const char *server = server_of(x), *name;
	json_t *groups = json_object_get(x->policy, "groups"), *group;
	bool named = false, given = false;

	json_object_foreach(groups, name, group)
	{
		const json_t *of = json_object_get(group, "tools");
		if (!any_fits(json_object_get(group, "servers"), server))
			continue;
		named = true;
		given = given || (user_is_in(name) && (!tool || !of || any_fits(of, tool)));
	}
	return given || !named;
}

/* --- signatures --- */

/* By as many keys as the policy wants, each of which counts for that server now. */
static inline bool signed_enough(const struct draw *x)
{
	const json_t *rule = json_object_get(x->policy, "signatures");
	json_int_t count = 0;

	for (unsigned k = 0; k < KEY_USER; k++) {
		const json_t *of = said(rule, "keys", key_names[k]), *servers = json_object_get(of, "servers");
		const char *expires = json_string_value(json_object_get(of, "expires"));
		count += x->signers >> k & 1 && (!servers || any_fits(servers, server_of(x))) &&
			 (!expires || strncmp(expires, "2020", 4) != 0);
	}
	return !rule || count >= json_integer_value(json_object_get(rule, "need"));
}
