/* SPDX-License-Identifier: Apache-2.0 */
/* policy_groups - see policy_groups.h */
#include "supervisor/policy/policy_groups.h"
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/glob.h"
#include "base/parse.h"
#include "base/text.h"
#include "supervisor/policy/policy_keys.h"

#define GROUP_FILE "/etc/group"
#define BY_NUMBER  "gid:"

enum { SHOWN = 256, KERNEL_GROUPS_MAX = 65536 };

/* --- what takes the key --- */

static int take_names(const struct key *k, const json_t *list, unsigned line, struct strv *ret)
{
	const json_t *v;
	size_t i;
	int r = 0;

	if (!json_is_array(list))
		return key_fail_at(k, line, "must hold lists of names, not %s", json_file_type(list));
	json_array_foreach((json_t *)(uintptr_t)list, i, v)
	{
		const char *name = json_string_value(v);
		if (!name || !*name || strpbrk(name, "?[]{}"))
			return key_fail_at(
				k, line, "must hold names, in which '*' is the only character that stands for others");
		r = strv_add(ret, name);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_tool(struct shim_rules *rules, const char *glob, const char *where)
{
	struct shim_rule *v = reallocarray(rules->rules, rules->n + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	rules->rules = v;
	v[rules->n++] = (struct shim_rule){ .allow = true, .glob = strdup(glob), .where = strdup(where) };
	return v[rules->n - 1].glob && v[rules->n - 1].where ? 0 : -ENOMEM;
}

static int take_tools(const struct key *k, const json_t *list, unsigned line, struct policy_group *g)
{
	_cleanup_strv_ struct strv names = { 0 };
	int r = take_names(k, list, line, &names);

	g->tools.restricted = true;
	for (size_t i = 0; r == 0 && i < names.n; i++)
		r = add_tool(&g->tools, names.v[i], g->where);
	return r;
}

/* What groupadd(8) makes, and the names that directories have besides. */
static bool name_valid(const char *name)
{
	uint64_t gid;

	if (strncmp(name, BY_NUMBER, strlen(BY_NUMBER)) == 0)
		return parse_u64(name + strlen(BY_NUMBER), 0, UINT32_MAX - 1, &gid) == 0;
	return *name && !strpbrk(name, ":,\n ") && strlen(name) < SHOWN;
}

static int take_group(const struct key *k, const char *name, const json_t *o, unsigned line, struct policy_group *g)
{
	char shown[SHOWN];
	const char *key;
	json_t *v;
	int r = 0;

	text_escape_str(name, shown, sizeof(shown));
	if (!name_valid(name))
		return key_fail_at(k, line,
			"has \"%s\", which is no name of a group; one that this machine knows by its number alone is "
			"\"" BY_NUMBER "70001\"",
			shown);
	g->name = strdup(name);
	if (!g->name || asprintf(&g->where, "%s:%u (%s.%s)", k->parse->file.name, line, k->shown, shown) < 0)
		return -ENOMEM;
	if (!json_is_object(o))
		return key_fail_at(
			k, line, "must hold \"servers\" and \"tools\" of a group, not %s", json_file_type(o));
	json_object_foreach((json_t *)(uintptr_t)o, key, v)
	{
		unsigned at = json_file_key_line(&k->parse->file, o, key);
		if (strcmp(key, "servers") == 0)
			r = take_names(k, v, at, &g->servers);
		else if (strcmp(key, "tools") == 0)
			r = take_tools(k, v, at, g);
		else
			r = key_fail_at(k, at, "has a group with more than \"servers\" and \"tools\"");
		if (r < 0)
			return r;
	}
	return g->servers.n ? 0
			    : key_fail_at(k, line, "has the group %s without \"servers\": it would have none", shown);
}

int policy_set_groups(const struct key *k)
{
	struct policy_groups *l = KEY_FIELD(k, struct policy_groups);
	const char *name;
	size_t i = 0;
	json_t *v;

	if (json_object_size(k->v) > POLICY_GROUPS_MAX)
		return key_fail(k, "names more than %d groups", POLICY_GROUPS_MAX);
	l->v = calloc(json_object_size(k->v) + 1, sizeof(*l->v));
	if (!l->v)
		return -ENOMEM;
	json_object_foreach((json_t *)(uintptr_t)k->v, name, v)
	{
		int r = take_group(k, name, v, key_item_line(k, i++), &l->v[l->n++]);
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- who is in one --- */

static bool kernel_has(gid_t gid)
{
	_cleanup_free_ gid_t *list = NULL;
	int n = getgroups(0, NULL);

	if (getgid() == gid)
		return true;
	if (n <= 0 || n > KERNEL_GROUPS_MAX || !(list = calloc((size_t)n, sizeof(*list))))
		return false;
	n = getgroups(n, list);
	for (int i = 0; i < n; i++)
		if (list[i] == gid)
			return true;
	return false;
}

/* The group that a user of this machine has by itself. */
static bool is_primary(uid_t uid, gid_t gid)
{
	_cleanup_fclose_ FILE *f = fopen("/etc/passwd", "re");
	const struct passwd *pw;

	while (f && (pw = fgetpwent(f)))
		if (pw->pw_uid == uid)
			return pw->pw_gid == gid;
	/* Of a user of a directory only the kernel knows it. */
	return getgid() == gid;
}

static bool is_listed(const struct group *gr, const char *user)
{
	for (char *const *m = gr->gr_mem; *m; m++)
		if (strcmp(*m, user) == 0)
			return true;
	return false;
}

bool policy_group_has(const char *group_file, const struct paths *p, const char *name)
{
	_cleanup_fclose_ FILE *f = fopen(group_file, "re");
	uint64_t number = UINT64_MAX;
	const struct group *gr;
	bool known = false, member = false;

	if (strncmp(name, BY_NUMBER, strlen(BY_NUMBER)) == 0)
		(void)!parse_u64(name + strlen(BY_NUMBER), 0, UINT32_MAX - 1, &number);
	/* Two lines of one group are one group, as for the rest of the system. */
	while (f && (gr = fgetgrent(f))) {
		if (number == UINT64_MAX ? strcmp(gr->gr_name, name) != 0 : gr->gr_gid != number)
			continue;
		known = true;
		member = member || is_listed(gr, p->user) || is_primary(p->uid, gr->gr_gid);
	}
	return known ? member : number != UINT64_MAX && kernel_has((gid_t)number);
}

/* --- what that means for a server --- */

static bool names_server(const struct policy_group *g, const char *server)
{
	for (size_t i = 0; i < g->servers.n; i++)
		if (glob_match(g->servers.v[i], server, strlen(server)))
			return true;
	return false;
}

static int refuse(const struct policy_groups *g, const char *server, struct diag *d)
{
	_cleanup_buf_ struct buf names = BUF_INIT(DIAG_MAX / 2);
	char shown[SHOWN];
	int r = 0;

	for (size_t i = 0; r == 0 && i < g->n; i++)
		if (names_server(&g->v[i], server))
			r = buf_printf(&names, "%s%s", names.len ? ", " : "", g->v[i].where);
	return diag_fail(d, -EPERM,
		"%s is not started: policy has it for members of groups, and you are in none of them (%s); ask who "
		"manages "
		"this machine to be added",
		text_escape_str(server, shown, sizeof(shown)), names.data ? names.data : "");
}

static int add_tools(struct shim_rules *above, const struct policy_group *g)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < g->tools.n; i++)
		r = add_tool(above, g->tools.rules[i].glob, g->where);
	if (r < 0 || above->otherwise)
		return r;
	above->otherwise = strdup(g->where);
	return above->otherwise ? 0 : -ENOMEM;
}

int policy_judge_groups(const struct policy_groups *g, const struct paths *p, const char *server,
	struct shim_rules *above, struct diag *d)
{
	bool named = false, member = false, all = false;
	int r = 0;

	for (size_t i = 0; r == 0 && i < g->n; i++) {
		if (!names_server(&g->v[i], server))
			continue;
		named = true;
		if (!policy_group_has(GROUP_FILE, p, g->v[i].name))
			continue;
		member = true;
		all = all || !g->v[i].tools.restricted;
		r = add_tools(above, &g->v[i]);
	}
	if (r == 0 && named && !member)
		r = refuse(g, server, d);
	above->restricted = member && !all;
	if (!above->restricted)
		shim_rules_done(above);
	return r;
}

void policy_groups_done(struct policy_groups *g)
{
	for (size_t i = 0; i < g->n; i++) {
		free(g->v[i].name);
		free(g->v[i].where);
		strv_done(&g->v[i].servers);
		shim_rules_done(&g->v[i].tools);
	}
	free(g->v);
	*g = (struct policy_groups){ 0 };
}
