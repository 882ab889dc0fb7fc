/* SPDX-License-Identifier: Apache-2.0 */
/* client_rule - see client_rule.h */
#include "supervisor/client/client_rule.h"
#include <errno.h>
#include <string.h>
#include "base/glob.h"
#include "supervisor/client/client_parts.h"

static const char *const kind_names[] = {
	[CLIENT_RULE_PATH] = "path",
	[CLIENT_RULE_DIGEST] = "digest",
	[CLIENT_RULE_PACKAGE] = "package",
	[CLIENT_RULE_NAME] = "name",
};
_Static_assert(ARRAY_LEN(kind_names) == CLIENT_RULE_KIND_COUNT, "a name for every kind");

const char *client_rule_kind_name(enum client_rule_kind kind)
{
	return kind_names[kind];
}

int client_rules_add(struct client_rules *r, enum client_rule_kind kind, bool deny, char *text, char *where)
{
	int x = !text || !where ? -ENOMEM : r->n >= CLIENT_RULES_MAX ? -E2BIG : GROW(r->v, r->n, r->room);

	if (x == 0) {
		r->v[r->n++] = (struct client_rule){ kind, deny, text, where };
		return 0;
	}
	free(text);
	free(where);
	return x;
}

bool client_rules_need_anew(const struct client_rules *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].kind == CLIENT_RULE_DIGEST || r->v[i].kind == CLIENT_RULE_PACKAGE)
			return true;
	return false;
}

static bool matches(const char *pattern, const char *text)
{
	return text && glob_match(pattern, text, strlen(text));
}

/* A rule on a path that fits, but for a file that is not root's: said, since it looks like a mistake. */
struct near {
	const char *why;
	const char *where;
};

static bool held(const struct client_rule *rule, bool is_held, const char *why, struct near *near)
{
	if (rule->deny || is_held)
		return true;
	*near = (struct near){ why, rule->where };
	return false;
}

static bool path_fits(const struct client_rule *rule, const struct client *c, struct near *near)
{
	static const char why[] =
		"the user, or a process of his, can change that file or a directory above it, so that "
		"its path says nothing: a digest would";
	const struct client_file *f = client_subject(c);

	if (f && matches(rule->text, f->path))
		return held(rule, f->held, why, near);
	if (matches(rule->text, c->image.path))
		return held(rule, c->image.held, why, near);
	/* To deny an interpreter is to deny what it runs. */
	return rule->deny && matches(rule->text, c->exe.path);
}

static bool digest_fits(const struct client_rule *rule, const struct client *c)
{
	const struct client_file *f = client_subject(c);

	return (f && strcmp(rule->text, f->digest) == 0) ||
	       (c->image.path && c->image.digest[0] && strcmp(rule->text, c->image.digest) == 0);
}

static bool package_fits(const struct client_rule *rule, const struct client *c, struct near *near)
{
	return matches(rule->text, c->package) &&
	       held(rule, c->package_held, "not root alone says that it is of that package", near);
}

static bool fits(const struct client_rule *rule, const struct client *c, struct near *near)
{
	switch (rule->kind) {
	case CLIENT_RULE_PATH:
		return path_fits(rule, c, near);
	case CLIENT_RULE_DIGEST:
		return digest_fits(rule, c);
	case CLIENT_RULE_PACKAGE:
		return package_fits(rule, c, near);
	case CLIENT_RULE_NAME:
		return matches(rule->text, c->name);
	case CLIENT_RULE_KIND_COUNT:
		break;
	}
	return false;
}

static const struct client_rule *find(
	const struct client_rules *r, bool deny, const struct client *c, struct near *near)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].deny == deny && fits(&r->v[i], c, near))
			return &r->v[i];
	return NULL;
}

static int refuse(const struct client *c, const char *how, const char *where, const struct near *near, struct diag *d)
{
	_cleanup_free_ char *words = client_words(c);

	if (!words)
		return -ENOMEM;
	return diag_fail(d, -EPERM,
		"nothing was started: the client (%.1000s) %s by %s%s%s%s%s. Ask who manages this machine", words, how,
		where, near->where ? "; " : "", near->where ? near->where : "",
		near->where ? " names its path or package, but " : "", near->where ? near->why : "");
}

int client_rules_check(const struct client_rules *r, const struct client *c, const char **ret_rule, struct diag *d)
{
	struct near near = { 0 };
	const struct client_rule *rule = find(r, true, c, &near);

	*ret_rule = NULL;
	if (rule)
		return refuse(c, "is denied", rule->where, &near, d);
	if (!r->allow_where)
		return 0;
	rule = c->kind == CLIENT_UNKNOWN ? NULL : find(r, false, c, &near);
	if (!rule)
		return refuse(c,
			c->kind == CLIENT_UNKNOWN ? "cannot be identified, and is not allowed"
						  : "is not among those allowed",
			r->allow_where, &near, d);
	*ret_rule = rule->where;
	return 0;
}

void client_rules_done(struct client_rules *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->v[i].text);
		free(r->v[i].where);
	}
	free(r->v);
	free(r->allow_where);
	*r = (struct client_rules){ 0 };
}
