/* SPDX-License-Identifier: Apache-2.0 */
/*
 * changes_names - names of tools, resources and prompts that are let through no more, or now (changes.h)
 *
 * Asked about is each name that is pinned, each pattern of either side as if it were a name, and "*" for every other
 * one where nothing restricts them. A pattern that is denied so stands for names that are.
 */
#include <stdlib.h>
#include <string.h>
#include "supervisor/policy_test/changes_parts.h"

static int add_once(struct strv *names, const char *name)
{
	return strv_contains(names, name) ? 0 : strv_add(names, name);
}

static int add_globs(struct strv *names, const struct shim_rules *r)
{
	int error = 0;

	for (; error == 0 && r; r = r->ceiling)
		for (size_t i = 0; error == 0 && i < r->n; i++)
			error = add_once(names, r->rules[i].glob);
	return error;
}

static int add_pinned(struct strv *names, const struct effective *e, enum definition_kind kind)
{
	const struct definitions *l = &e->pins.definitions;
	int r = 0;

	for (size_t i = 0; r == 0 && e->pinned && i < l->n; i++) {
		_cleanup_free_ char *plain = l->v[i].kind == kind ? pin_plain_name(l->v[i].name) : NULL;
		if (plain)
			r = add_once(names, plain);
	}
	return r;
}

static int compare(struct sides *s, const char *what, const struct strv *names, const struct shim_rules *now,
	const struct shim_rules *then)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < names->n; i++) {
		const char *name = names->v[i];
		struct shim_judgement a = shim_rules_judge(now, name, strlen(name));
		struct shim_judgement b = shim_rules_judge(then, name, strlen(name));
		if (a.allowed == b.allowed)
			continue;
		bool all = strcmp(name, "*") == 0;
		const char *end = !a.allowed ? "" : all ? ": only what is named" : ": no more";
		r = changes_add(s->ret, a.allowed, a.allowed ? b.where : a.where, "%s %s%s%s%s", all ? "every" : "the",
			what, all ? "" : " ", all ? "" : name, end);
	}
	return r;
}

static int find_names(const struct sides *s, enum definition_kind kind, const struct shim_rules *now,
	const struct shim_rules *then, struct strv *ret)
{
	int r = add_pinned(ret, s->now, kind);

	if (r == 0)
		r = add_globs(ret, now);
	if (r == 0)
		r = add_globs(ret, then);
	return r < 0 ? r : add_once(ret, "*");
}

int changes_tool_names(const struct sides *s, struct strv *ret)
{
	return find_names(s, DEFINITION_TOOL, &s->now->profile.tools, &s->then->profile.tools, ret);
}

int changes_names(struct sides *s)
{
	const struct {
		const char *what;
		size_t offset;
		enum definition_kind kind;
	} rows[] = {
		{ "tool", offsetof(struct profile, tools), DEFINITION_TOOL },
		{ "resource", offsetof(struct profile, resources), DEFINITION_KIND_COUNT },
		{ "prompt", offsetof(struct profile, prompts), DEFINITION_PROMPT },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(rows); i++) {
		const void *now = (const char *)&s->now->profile + rows[i].offset,
			   *then = (const char *)&s->then->profile + rows[i].offset;
		_cleanup_strv_ struct strv names = { 0 };
		r = find_names(s, rows[i].kind, now, then, &names);
		if (r == 0)
			r = compare(s, rows[i].what, &names, now, then);
	}
	return r;
}
