/* SPDX-License-Identifier: Apache-2.0 */
/* profile_scopes - tools.scopes, and which of them a server has and a person may lift (profile_parse.h, wire/scopes.h)
 */
#include <errno.h>
#include <string.h>
#include "base/parse.h"
#include "base/text.h"
#include "supervisor/profile_parse.h"

enum { LIFT_DEFAULT_S = 3600 };

static int take_globs(const struct key *k, const json_t *list, uint32_t scope, const char *name)
{
	char shown[PROFILE_SHOWN_MAX];
	struct key inner = *k;
	const json_t *item;
	size_t i;
	int r = 0;

	snprintf(shown, sizeof(shown), "%s.%s", k->shown, name);
	inner.shown = shown;
	inner.v = list;
	json_array_foreach((json_t *)(uintptr_t)list, i, item)
	{
		unsigned line = key_item_line(&inner, i);
		const char *glob = json_string_value(item);
		char *where;
		if (!glob)
			return key_fail_at(&inner, line, "must hold names of tools (strings), and there is %s",
				json_file_type(item));
		if (strlen(glob) > PROFILE_STRING_MAX)
			return key_fail_at(&inner, line, "has a name longer than %d bytes", PROFILE_STRING_MAX);
		r = profile_check_glob(&inner, glob, line);
		if (r == 0)
			r = key_where(&inner, line, glob, &where);
		if (r == 0)
			r = scopes_add_glob(KEY_FIELD(k, struct scopes), scope, glob, where);
		if (r == -E2BIG)
			return key_fail(k, "names more than %d tools", SCOPES_GLOBS_MAX);
		if (r < 0)
			return r;
	}
	return 0;
}

static int take_scope(const struct key *k, const char *name, const json_t *list, unsigned line)
{
	struct scopes *s = KEY_FIELD(k, struct scopes);
	char shown[PROFILE_SHOWN_MAX];
	int r;

	text_escape_str(name, shown, sizeof(shown));
	if (!scopes_name_valid(name))
		return key_fail_at(k, line,
			"has \"%s\": a scope's name is made of a-z, 0-9, '_' and '-', begins with a letter and has at "
			"most %d characters",
			shown, SCOPES_NAME_MAX);
	if (!json_is_array(list))
		return key_fail_at(k, line, "has \"%s\", which must be a list of names of tools, not %s", shown,
			json_file_type(list));
	r = scopes_add(s, name);
	if (r == -E2BIG)
		return key_fail_at(
			k, line, "has more than %d scopes (read, write and destructive are always there)", SCOPES_MAX);
	return r < 0 ? r : take_globs(k, list, (uint32_t)r, name);
}

static void swap(struct scopes *s, uint32_t a, uint32_t b)
{
	struct scope was = s->v[a];

	s->v[a] = s->v[b];
	s->v[b] = was;
	for (size_t i = 0; i < s->n_globs; i++) {
		uint32_t *scope = &s->globs[i].scope;
		*scope = *scope == a ? b : *scope == b ? a : *scope;
	}
}

/* A grant names a scope by its number (wire/control.h), and in which order a profile lists its own is bound by no
 * approval: so it decides nothing. */
static void sort_own(struct scopes *s)
{
	for (uint32_t i = SCOPE_KNOWN + 1; i < s->n; i++)
		for (uint32_t k = i; k > SCOPE_KNOWN && strcmp(s->v[k - 1].name, s->v[k].name) > 0; k--)
			swap(s, k - 1, k);
}

int key_set_scopes(const struct key *k)
{
	struct scopes *s = KEY_FIELD(k, struct scopes);
	json_t *o = (json_t *)(uintptr_t)k->v;
	size_t index = 0;
	int r = key_where(k, k->line, NULL, &s->where);

	if (r == 0 && json_object_size(o) == 0)
		return key_fail(k, "names no scope; leave it out where tools need none");
	for (void *i = json_object_iter(o); r == 0 && i; i = json_object_iter_next(o, i), index++)
		r = take_scope(k, json_object_iter_key(i), json_object_iter_value(i), key_item_line(k, index));
	sort_own(s);
	return r;
}

int key_set_allow_scopes(const struct key *k)
{
	struct profile *p = k->target;
	int r = key_set_items(k);

	return r < 0 ? r : key_where(k, k->line, NULL, &p->scopes.allowed_where);
}

int key_set_grant_time(const struct key *k)
{
	uint64_t *seconds = KEY_FIELD(k, uint64_t);

	if (parse_duration(json_string_value(k->v), 1, SCOPES_TIME_MAX, seconds) < 0)
		return key_fail(k, "must be a time from \"1s\" to \"1d\": digits and s, min, h or d");
	return 0;
}

static int unknown(const struct scopes *s, const struct profile_item *item, struct diag *d)
{
	const char *names[SCOPES_MAX], *near;
	char shown[PROFILE_SHOWN_MAX];

	for (size_t i = 0; i < s->n; i++)
		names[i] = s->v[i].name;
	near = text_nearest(item->value, names, s->n);
	text_escape_str(item->value, shown, sizeof(shown));
	return diag_fail(d, -EINVAL,
		"%s: \"%s\" is no scope: tools.scopes has no such list, and it is not read, write or "
		"destructive%s%s%s",
		item->where, shown, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

/* What needs tools.scopes and stands without it would be a rule that says nothing. */
static int without_scopes(const struct profile *p, struct diag *d)
{
	const struct profile_items *lists[] = { &p->allow_scopes, &p->grant_scopes };

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (lists[i]->n)
			return diag_fail(d, -EINVAL,
				"%s: there are no scopes: tools.scopes says which tools need which",
				lists[i]->v[0].where);
	if (p->allow_scopes.set || p->grant_scopes.set || p->scopes.lift_max_s)
		return diag_fail(d, -EINVAL,
			"tools.allow_scopes, tools.grant_scopes and tools.grant_time go with tools.scopes, which says "
			"which tools need which");
	return 0;
}

static int allow(struct profile *p, struct diag *d)
{
	struct scopes *s = &p->scopes;

	for (size_t i = 0; i < p->allow_scopes.n; i++) {
		int at = scopes_find(s, p->allow_scopes.v[i].value);
		if (at < 0)
			return unknown(s, &p->allow_scopes.v[i], d);
		s->v[at].allowed = true;
	}
	return 0;
}

static int let_lift(struct profile *p, struct diag *d)
{
	struct scopes *s = &p->scopes;

	for (size_t i = 0; i < p->grant_scopes.n; i++) {
		const struct profile_item *item = &p->grant_scopes.v[i];
		int at = scopes_find(s, item->value);
		if (at < 0)
			return unknown(s, item, d);
		if (s->v[at].allowed)
			return diag_fail(d, -EINVAL,
				"%s: \"%s\" is in tools.allow_scopes as well, so there is nothing to lift; keep one",
				item->where, item->value);
		if (s->v[at].lift)
			continue;
		s->v[at].lift = strdup(item->where);
		if (!s->v[at].lift)
			return -ENOMEM;
	}
	return 0;
}

int profile_scopes_check(struct profile *p, struct diag *d)
{
	struct scopes *s = &p->scopes;
	int r;

	if (!s->where)
		return without_scopes(p, d);
	if (!p->allow_scopes.set)
		return diag_fail(d, -EINVAL,
			"%s: nothing says which scopes the server has: add \"allow_scopes\" to tools, an empty list "
			"for "
			"none",
			s->where);
	if (s->lift_max_s && p->grant_scopes.n == 0)
		return diag_fail(d, -EINVAL,
			"%s: tools.grant_time limits grants, and tools.grant_scopes names no scope that one may lift",
			s->where);
	if (!s->lift_max_s)
		s->lift_max_s = LIFT_DEFAULT_S;
	r = allow(p, d);
	return r < 0 ? r : let_lift(p, d);
}
