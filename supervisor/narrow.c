/* SPDX-License-Identifier: Apache-2.0 */
/* narrow - see narrow.h */
#include "supervisor/narrow.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/fs.h"
#include "base/text.h"
#include "supervisor/effective_grants.h"
#include "supervisor/network.h"

enum { SHOWN = 512 };

#define ASK "leave it out, or ask who manages the profile"

static int refuse(const struct profile *f, const char *option, const char *value, const char *why, struct diag *d)
{
	char shown[SHOWN];

	return diag_fail(d, -EPERM,
		"%s %s: %s is a managed profile, and %s; a command line chooses from what it grants, and cannot widen "
		"it: " ASK,
		option, text_escape_str(value, shown, sizeof(shown)), f->file, why);
}

static int refuse_others(const struct grants *g, const struct profile *f, struct diag *d)
{
	if (g->env_set.n)
		return refuse(f, "--setenv", g->env_set.v[0], "its variables have its own values", d);
	if (g->cwd)
		return refuse(f, "--cwd", g->cwd, "the directory that it starts in is its own", d);
	return g->command.n ? refuse(f, "--", g->command.v[0], "its command is its own", d) : 0;
}

static void items_done(struct profile_items *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].value);
		free(l->v[i].where);
	}
	free(l->v);
	*l = (struct profile_items){ 0 };
}

/* The grant that holds what the path leads to. */
static const struct profile_item *holder(const struct profile_items *l, const char *path)
{
	_cleanup_free_ char *to = realpath(path, NULL);

	for (size_t i = 0; i < l->n; i++) {
		_cleanup_free_ char *granted = realpath(l->v[i].value, NULL);
		if (to ? granted && fs_path_within(to, granted) : fs_path_within(path, l->v[i].value))
			return &l->v[i];
	}
	return NULL;
}

static int choose_path(const struct effective_args *a, const struct profile *f, const char *value, bool write,
	struct profile_items *out, struct diag *d)
{
	const char *option = write ? "--rw" : "--ro";
	int r = effective_path_item(out, value, option, a->workspace, d);
	const struct profile_item *by;
	char *where;

	if (r < 0)
		return r;
	by = holder(&f->fs_write, out->v[out->n - 1].value);
	if (!by && !write)
		by = holder(&f->fs_read, out->v[out->n - 1].value);
	if (!by)
		return refuse(f, option, value,
			write ? "grants no writing there (filesystem.write)"
			      : "grants nothing there (filesystem.read, filesystem.write)",
			d);
	if (asprintf(&where, "%s, of %s", option, by->where) < 0)
		return -ENOMEM;
	free(out->v[out->n - 1].where);
	out->v[out->n - 1].where = where;
	return 0;
}

static int choose_paths(const struct effective_args *a, struct profile *f, struct diag *d)
{
	const struct grants *g = a->grants;
	struct profile_items read = { .set = true }, write = { .set = true };
	int r = 0;

	if (!g->read.n && !g->write.n)
		return 0;
	for (size_t i = 0; r == 0 && i < g->read.n; i++)
		r = choose_path(a, f, g->read.v[i], false, &read, d);
	for (size_t i = 0; r == 0 && i < g->write.n; i++)
		r = choose_path(a, f, g->write.v[i], true, &write, d);
	if (r < 0) {
		items_done(&read);
		items_done(&write);
		return r;
	}
	items_done(&f->fs_read);
	items_done(&f->fs_write);
	f->fs_read = read;
	f->fs_write = write;
	/* Roots that are granted no more are none. */
	for (size_t i = 0; i < f->roots.n; i++)
		f->roots.v[i].optional = true;
	return 0;
}

/* The profile's grant that holds it whole: that of the very host before a wider one, as connections are judged. */
static int common(const struct profile *f, const struct net_grant *g, bool same, struct net_grant *ret)
{
	for (size_t i = 0; i < f->network.n_grants; i++) {
		int r;
		if (network_same_host(&f->network.grants[i], g) != same)
			continue;
		r = network_grant_common(&f->network.grants[i], g, ret);
		if (r < 0 || (r == 1 && network_same_host(ret, g) && ret->n_ports == g->n_ports))
			return r;
		if (r == 1)
			network_grant_done(ret);
	}
	return 0;
}

static int choose_host(const struct profile *f, const char *value, struct net_config *out, struct diag *d)
{
	struct net_grant g = { 0 }, part = { 0 };
	char *where = NULL;
	int r = network_grant_parse(value, "--host", &g, d);

	if (r < 0)
		return r;
	r = common(f, &g, true, &part);
	if (r == 0)
		r = common(f, &g, false, &part);
	network_grant_done(&g);
	if (r <= 0)
		return r < 0 ? r : refuse(f, "--host", value, "does not grant it (network.allow)", d);
	if (asprintf(&where, "--host, of %s", part.where) < 0) {
		network_grant_done(&part);
		return -ENOMEM;
	}
	free(part.where);
	part.where = where;
	return network_add(out, &part, d);
}

static void hosts_done(struct net_config *c)
{
	for (size_t i = 0; i < c->n_grants; i++)
		network_grant_done(&c->grants[i]);
	free(c->grants);
	c->grants = NULL;
	c->n_grants = 0;
}

/* What is left of that key was chosen by the option. */
static int place_chosen(struct profile *f, const char *key, const char *option)
{
	_cleanup_free_ char *was = NULL, *where = NULL;
	int r = places_words(&f->places, key, &was);

	if (r == 0 && asprintf(&where, "%s, of %s", option, was) < 0) {
		where = NULL;
		r = -ENOMEM;
	}
	return r < 0 ? r : places_set(&f->places, key, where);
}

static int choose_hosts(const struct grants *g, struct profile *f, struct diag *d)
{
	struct net_config out = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < g->hosts.n; i++)
		r = choose_host(f, g->hosts.v[i], &out, d);
	if (r < 0 || !g->hosts.n) {
		hosts_done(&out);
		return r;
	}
	hosts_done(&f->network);
	f->network.grants = out.grants;
	f->network.n_grants = out.n_grants;
	r = network_check(&f->network, d);
	return r < 0 ? r : place_chosen(f, "network.allow", "--host");
}

static int choose_variables(const struct grants *g, struct profile *f, struct diag *d)
{
	struct profile_items out = { .set = true };
	int r = 0;

	for (size_t i = 0; r == 0 && i < g->env_pass.n; i++) {
		const struct profile_item *by = NULL;
		_cleanup_free_ char *where = NULL;
		for (size_t k = 0; !by && k < f->env_pass.n; k++)
			if (strcmp(f->env_pass.v[k].value, g->env_pass.v[i]) == 0)
				by = &f->env_pass.v[k];
		if (!by)
			r = refuse(f, "--env", g->env_pass.v[i], "does not pass that variable (env.pass)", d);
		else if (asprintf(&where, "--env, of %s", by->where) < 0)
			r = -ENOMEM;
		else
			r = effective_add_item(&out, by->value, where, false);
	}
	if (r < 0 || !g->env_pass.n) {
		items_done(&out);
		return r;
	}
	items_done(&f->env_pass);
	f->env_pass = out;
	return 0;
}

int narrow(const struct effective_args *a, struct profile *f, struct diag *d)
{
	int r = refuse_others(a->grants, f, d);

	if (r == 0)
		r = choose_paths(a, f, d);
	if (r == 0)
		r = choose_hosts(a->grants, f, d);
	return r < 0 ? r : choose_variables(a->grants, f, d);
}
