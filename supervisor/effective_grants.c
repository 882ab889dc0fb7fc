/* SPDX-License-Identifier: Apache-2.0 */
/* effective_grants - see effective_grants.h */
#include "supervisor/effective_grants.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/fs.h"
#include "base/text.h"
#include "supervisor/effective_network.h"
#include "supervisor/narrow.h"

enum { SHOWN = 512 };

int effective_add_item(struct profile_items *items, const char *value, const char *where, bool optional)
{
	struct profile_item *v = reallocarray(items->v, items->n + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	items->v = v;
	v[items->n] = (struct profile_item){ .value = strdup(value), .where = strdup(where), .optional = optional };
	items->n++;
	return v[items->n - 1].value && v[items->n - 1].where ? 0 : -ENOMEM;
}

/* --ro and --rw: relative ones are below the directory we were started in. */
int effective_path_item(
	struct profile_items *items, const char *value, const char *option, const char *workspace, struct diag *d)
{
	_cleanup_free_ char *joined = NULL, *clean = NULL;
	char shown[SHOWN];

	/* --ro "$UNSET" of a script: joined below, it would be the whole working directory. */
	if (!*value)
		return diag_fail(d, -EINVAL,
			"%s: the path is empty; write the directory or file (\".\" is the one you are in)", option);
	if (asprintf(&joined, "%s%s%s", value[0] == '/' ? "" : workspace, value[0] == '/' ? "" : "/", value) < 0)
		return -ENOMEM;
	if (fs_path_clean(joined, &clean) < 0)
		return diag_fail(d, -EINVAL, "%s %s: a granted path holds no '..'; write the directory itself", option,
			text_escape_str(value, shown, sizeof(shown)));
	return effective_add_item(items, clean, option, false);
}

static bool valid_name(const char *name, size_t n)
{
	if (n == 0 || (name[0] >= '0' && name[0] <= '9'))
		return false;
	for (size_t i = 0; i < n; i++)
		if (name[i] != '_' && !(name[i] >= '0' && name[i] <= '9') &&
			!((name[i] | 0x20) >= 'a' && (name[i] | 0x20) <= 'z'))
			return false;
	return true;
}

static int add_env_items(const struct grants *g, struct profile *f, struct diag *d)
{
	char shown[SHOWN];
	int r = 0;

	for (size_t i = 0; r == 0 && i < g->env_pass.n; i++) {
		if (!valid_name(g->env_pass.v[i], strlen(g->env_pass.v[i])))
			return diag_fail(d, -EINVAL,
				"--env %s: not the name of a variable; --env passes one by its name alone, --setenv "
				"NAME=VALUE sets one",
				text_escape_str(g->env_pass.v[i], shown, sizeof(shown)));
		r = effective_add_item(&f->env_pass, g->env_pass.v[i], "--env", false);
	}
	for (size_t i = 0; r == 0 && i < g->env_set.n; i++) {
		const char *eq = strchr(g->env_set.v[i], '=');
		if (!eq || !valid_name(g->env_set.v[i], (size_t)(eq - g->env_set.v[i])))
			return diag_fail(d, -EINVAL, "--setenv %s: write NAME=VALUE",
				text_escape_str(g->env_set.v[i], shown, sizeof(shown)));
		r = effective_add_item(&f->env_set, g->env_set.v[i], "--setenv", false);
	}
	return r;
}

static int take_command(const struct grants *g, struct profile *f)
{
	int r = 0;

	if (g->command.n == 0)
		return 0;
	for (size_t i = 0; i < f->command.n; i++) {
		free(f->command.v[i].value);
		free(f->command.v[i].where);
	}
	f->command.n = 0;
	for (size_t i = 0; r == 0 && i < g->command.n; i++)
		r = effective_add_item(&f->command, g->command.v[i], "the command line", false);
	return r < 0 ? r : places_set(&f->places, "command", "the command line");
}

/* What stands in the words of the command line; -EINVAL and -EEXIST are bad usage. */
static int merge_grants(const struct effective_args *a, struct profile *f, struct diag *d)
{
	const struct grants *g = a->grants;
	int r = effective_network_merge(g, f, d);

	for (size_t i = 0; r == 0 && i < g->read.n; i++)
		r = effective_path_item(&f->fs_read, g->read.v[i], "--ro", a->workspace, d);
	for (size_t i = 0; r == 0 && i < g->write.n; i++)
		r = effective_path_item(&f->fs_write, g->write.v[i], "--rw", a->workspace, d);
	if (r == 0)
		r = add_env_items(g, f, d);
	if (r == 0)
		r = take_command(g, f);
	if (r == 0 && g->cwd) {
		struct profile_items one = { 0 };
		r = effective_path_item(&one, g->cwd, "--cwd", a->workspace, d);
		if (r == 0) {
			free(f->cwd.value);
			free(f->cwd.where);
			f->cwd = one.v[0];
			r = places_set(&f->places, "cwd", "--cwd");
		}
		free(one.v);
	}
	return r;
}

int effective_take_grants(const struct effective_args *a, struct profile *f, struct diag *d)
{
	return f->managed ? narrow(a, f, d) : merge_grants(a, f, d);
}

const char *effective_added(const struct grants *g)
{
	const struct {
		const char *option;
		bool given;
	} rows[] = { { "--env", g->env_pass.n }, { "--setenv", g->env_set.n }, { "--ro", g->read.n },
		{ "--rw", g->write.n }, { "--host", g->hosts.n }, { "--cwd", g->cwd }, { "--", g->command.n } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].given)
			return rows[i].option;
	return NULL;
}
