/* SPDX-License-Identifier: Apache-2.0 */
/* policy_servers - see policy_servers.h */
#include "supervisor/policy/policy_servers.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/glob.h"
#include "base/text.h"
#include "supervisor/policy/policy_keys.h"

enum { SHOWN = 256, NO_VERSION = 0 };

/* --- what takes the keys --- */

static int take_switch(const struct key *k, char **ret)
{
	static const char *const words[] = { "allow", "deny" };
	size_t i = 0;
	int r = key_word(k, words, ARRAY_LEN(words), &i);

	return r < 0 || i == 0 ? r : key_where(k, k->line, NULL, ret);
}

int policy_set_unprofiled(const struct key *k)
{
	return take_switch(k, &KEY_FIELD(k, struct policy_servers)->no_unprofiled);
}

int policy_set_user(const struct key *k)
{
	return take_switch(k, &KEY_FIELD(k, struct policy_servers)->no_user);
}

static struct policy_pattern *pattern_add(struct policy_patterns *l)
{
	struct policy_pattern *v = reallocarray(l->v, l->n + 1, sizeof(*v));

	if (!v)
		return NULL;
	l->v = v;
	v[l->n] = (struct policy_pattern){ .versions = VERSION_RANGE_ALL };
	return &v[l->n++];
}

/* A rule that names versions is about profiles that have one: one without is not among those before the ninth. */
static int take_versions(const char *text, struct version_range *ret)
{
	int r = text ? version_range_parse(text, ret) : -EINVAL;

	if (r == 0 && ret->first == NO_VERSION)
		ret->first = 1;
	return r;
}

static int check_glob(const struct key *k, const char *glob, unsigned line)
{
	char shown[SHOWN];

	text_escape_str(glob, shown, sizeof(shown));
	if (!*glob)
		return key_fail_at(k, line, "has an empty name, which nothing matches");
	if (strpbrk(glob, "?[]{}"))
		return key_fail_at(k, line, "has \"%s\"; '*' is the only character that stands for others", shown);
	return 0;
}

/* "db-*", or {"name": "db-*", "versions": "3..9"}. */
static int take_server(const struct key *k, const json_t *item, unsigned line, struct policy_pattern *ret)
{
	const char *name = json_string_value(json_is_object(item) ? json_object_get(item, "name") : item), *key;
	const json_t *v;
	int r;

	if (!name)
		return key_fail_at(k, line,
			"must hold names of servers: strings, or objects with \"name\" and \"versions\"; there is %s",
			json_is_object(item) ? "an object without \"name\"" : json_file_type(item));
	json_object_foreach((json_t *)(uintptr_t)item, key, v)
	{
		if (strcmp(key, "name") == 0)
			continue;
		if (strcmp(key, "versions") != 0)
			return key_fail_at(k, line, "has an item with more than \"name\" and \"versions\"");
		if (take_versions(json_string_value(v), &ret->versions) < 0)
			return key_fail_at(
				k, line, "has versions that are not written as \"3\", \"3..9\", \"3..\" or \"..9\"");
	}
	r = check_glob(k, name, line);
	if (r == 0)
		ret->glob = strdup(name);
	return r < 0 ? r : ret->glob ? key_where(k, line, name, &ret->where) : -ENOMEM;
}

static int take_package(const struct key *k, const json_t *item, unsigned line, struct policy_pattern *ret)
{
	const char *name = json_string_value(item);
	int r;

	if (!name || (strncmp(name, "npm:", 4) != 0 && strncmp(name, "pypi:", 5) != 0))
		return key_fail_at(k, line,
			"must hold packages with where they come from, such as \"npm:@scope/*\" or \"pypi:mcp-*\"");
	r = check_glob(k, name, line);
	if (r == 0)
		ret->glob = strdup(name);
	return r < 0 ? r : ret->glob ? key_where(k, line, name, &ret->where) : -ENOMEM;
}

static int take_patterns(const struct key *k,
	int (*take)(const struct key *k, const json_t *item, unsigned line, struct policy_pattern *ret))
{
	struct policy_patterns *l = KEY_FIELD(k, struct policy_patterns);
	const json_t *item;
	size_t i;
	int r = key_where(k, k->line, NULL, &l->where);

	json_array_foreach((json_t *)(uintptr_t)k->v, i, item)
	{
		struct policy_pattern *p = r < 0 ? NULL : pattern_add(l);
		if (!p)
			return r < 0 ? r : -ENOMEM;
		r = take(k, item, key_item_line(k, i), p);
	}
	return r;
}

int policy_set_servers(const struct key *k)
{
	return take_patterns(k, take_server);
}

int policy_set_packages(const struct key *k)
{
	return take_patterns(k, take_package);
}

/* --- what they say of a server --- */

static const struct policy_pattern *match(const struct policy_patterns *l, const char *name, uint64_t version)
{
	for (size_t i = 0; i < l->n; i++)
		if (glob_match(l->v[i].glob, name, strlen(name)) && version_range_has(&l->v[i].versions, version))
			return &l->v[i];
	return NULL;
}

/* Whatever version the rule is about. */
static const struct policy_pattern *match_name(const struct policy_patterns *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (glob_match(l->v[i].glob, name, strlen(name)))
			return &l->v[i];
	return NULL;
}

/* What says no version of its own may be any. */
static const struct policy_pattern *match_denied(const struct policy_patterns *l, const char *name, uint64_t version)
{
	return version == NO_VERSION ? match_name(l, name) : match(l, name, version);
}

static int refuse(struct diag *d, const char *name, const char *why, const char *where, const char *what)
{
	char shown[SHOWN];

	return diag_fail(d, -EPERM, "%s is not started: %s (%s); %s", text_escape_str(name, shown, sizeof(shown)), why,
		where, what);
}

#define ASK "ask who manages this machine"

/* Whose word its name and its package are: root's, or that of who signed as policy demands. */
static bool is_vouched_for(const struct profile *f)
{
	return f->file && (f->managed || f->vouched.rule);
}

static int judge_name(
	const struct policy_servers *p, const char *name, uint64_t version, const struct profile *f, struct diag *d)
{
	const struct policy_pattern *deny = match_denied(&p->deny, name, version), *near;
	char why[SHOWN];

	if (deny)
		return refuse(d, name, "policy denies this server", deny->where, ASK);
	if (!p->allow.where || (is_vouched_for(f) && match(&p->allow, name, version)))
		return 0;
	if (!f->file)
		return refuse(d, name, "policy allows servers by the names of their profiles, and this one has none",
			p->allow.where, "start one of those that 'stockade check' lists, or " ASK);
	if (!is_vouched_for(f))
		return refuse(d, name,
			"policy allows servers by the names of their profiles, and this profile is a user's own, which "
			"has any name that its user likes",
			p->allow.where, "start one of those that 'stockade check' lists, or " ASK);
	near = match_name(&p->allow, name);
	if (!near)
		return refuse(d, name, "policy allows no server of this name", p->allow.where, ASK);
	snprintf(why, sizeof(why), "policy allows other versions of it, and its profile %s%.0llu",
		version == NO_VERSION ? "names none" : "is version ", (unsigned long long)version);
	return refuse(d, name, why, near->where, "wait for the version that is allowed to be installed, or " ASK);
}

static int judge_package(const struct policy_servers *p, const struct profile *f, const char *package, struct diag *d)
{
	const struct policy_pattern *deny = package ? match(&p->package_deny, package, 1) : NULL;
	const char *name = f->name ? f->name : "a command without a profile";

	if (deny)
		return refuse(d, name, "policy denies its package", deny->where, ASK);
	if (!p->package_allow.where || (package && is_vouched_for(f) && match(&p->package_allow, package, 1)))
		return 0;
	return refuse(d, name,
		!package	     ? "policy allows servers of named packages alone, and its profile names none"
		: !is_vouched_for(f) ? "policy allows servers of named packages alone, and what a user's own profile "
				       "names proves nothing"
				     : "policy does not allow its package",
		p->package_allow.where, ASK);
}

int policy_judge_profile(const struct policy_servers *p, const struct profile *f, struct diag *d)
{
	_cleanup_free_ char *package = NULL;
	int r;

	if (!f->file && p->no_unprofiled)
		return refuse(d, "a command without a profile", "policy allows only servers with one", p->no_unprofiled,
			"start one of those that 'stockade check' lists, or " ASK);
	if (f->file && !f->managed && p->no_user) {
		char words[2 * SHOWN], shown[SHOWN];
		snprintf(words, sizeof(words), "policy allows no profile of a user's own, and this one is %s",
			text_escape_str(f->file, shown, sizeof(shown)));
		return refuse(d, f->name, words, p->no_user,
			"profiles that count are in /etc/stockade/profiles; " ASK " for one");
	}
	/* What has no profile is judged when its command is known. */
	r = f->file ? judge_name(p, f->name, f->version, f, d) : 0;
	if (r < 0)
		return r;
	if (f->package_name && asprintf(&package, "%s:%s", f->package_kind, f->package_name) < 0) {
		package = NULL;
		return -ENOMEM;
	}
	return judge_package(p, f, package, d);
}

/* ".../node_modules/@scope/name/..." is that package, and one inside of another is both. */
static int judge_path(const struct policy_servers *p, const char *name, const char *path, struct diag *d)
{
	static const char modules[] = "/node_modules/";
	const struct policy_pattern *deny;

	for (const char *at = path; (at = strstr(at, modules));) {
		char package[SHOWN];
		at += strlen(modules);
		size_t n = strcspn(at, "/");
		if (*at == '@' && at[n])
			n += 1 + strcspn(at + n + 1, "/");
		snprintf(package, sizeof(package), "npm:%.*s", (int)n, at);
		deny = match(&p->package_deny, package, 1);
		if (deny)
			return refuse(d, name, "policy denies the package that its code lies in", deny->where, ASK);
		at--;
	}
	return 0;
}

int policy_judge_command(const struct policy_servers *p, const struct profile *f, const char *name,
	const struct resolved *cmd, struct diag *d)
{
	int r = f->file ? 0 : judge_name(p, name, NO_VERSION, f, d);

	if (r == 0)
		r = judge_path(p, name, cmd->program, d);
	for (size_t i = 0; r == 0 && i < cmd->argv.n; i++)
		r = judge_path(p, name, cmd->argv.v[i], d);
	for (size_t i = 0; r == 0 && i < cmd->n_trees; i++)
		r = judge_path(p, name, cmd->trees[i].path, d);
	return r < 0 ? r : judge_path(p, name, cmd->subject, d);
}

static void patterns_done(struct policy_patterns *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].glob);
		free(l->v[i].where);
	}
	free(l->v);
	free(l->where);
}

void policy_servers_done(struct policy_servers *p)
{
	free(p->no_unprofiled);
	free(p->no_user);
	patterns_done(&p->allow);
	patterns_done(&p->deny);
	patterns_done(&p->package_allow);
	patterns_done(&p->package_deny);
	*p = (struct policy_servers){ 0 };
}
