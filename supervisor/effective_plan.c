/* SPDX-License-Identifier: Apache-2.0 */
/* effective_plan - the sandbox of a launch: its mounts, environment, limits and identity (effective_steps.h) */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fs.h"
#include "base/text.h"
#include "supervisor/base_view.h"
#include "supervisor/effective_network.h"
#include "supervisor/effective_steps.h"
#include "supervisor/environment.h"
#include "supervisor/policy/ceilings.h"
#include "supervisor/private_home.h"
#include "supervisor/signing/home_code.h"
#include "supervisor/trust.h"

enum { ROOT_TMPFS_BYTES = 4 << 20 };

/* The server's own /tmp is empty but for the ways to what is mounted there. */
static bool exists_in_tmp(const struct plan *p, const char *path)
{
	bool found = strcmp(path, "/tmp") == 0;

	for (size_t i = 0; !found && i < p->n_mounts && fs_path_within(path, "/tmp"); i++)
		found = fs_path_within(p->mounts[i].target, path);
	return found;
}

/* The working directory must exist inside: covered by a grant, by code, by the base view, or the home. */
static int check_cwd(const struct effective_build *b, struct diag *d)
{
	const struct effective *e = b->e;
	char shown[SHOWN];

	if (strcmp(e->plan.cwd, b->args->paths->home) == 0 || strcmp(e->plan.cwd, "/") == 0 ||
		exists_in_tmp(&e->plan, e->plan.cwd) || fs_grants_cover(&b->grants, e->plan.cwd) ||
		base_view_covers(e->plan.cwd))
		return 0;
	for (size_t i = 0; i < e->cmd.n_trees; i++)
		if (fs_path_within(e->plan.cwd, e->cmd.trees[i].path))
			return 0;
	return diag_fail(d, -ENOENT,
		"the working directory %s (%s) is not granted, so it does not exist for the server: grant it, or name "
		"another",
		text_escape_str(e->plan.cwd, shown, sizeof(shown)),
		e->profile.cwd.where ? e->profile.cwd.where : "default");
}

/* Started by root, the server's user may not be able to read what was granted: said now, not by an empty answer later.
 */
static int check_readable(const struct effective_build *b, struct diag *d)
{
	char shown[SHOWN];

	for (size_t i = 0; b->identity.drop_root && i < b->grants.n; i++) {
		const struct fs_grant *g = &b->grants.v[i];
		_cleanup_close_ int fd = open(g->canonical, O_PATH | O_CLOEXEC);
		if (fd < 0 || identity_may_read(&b->identity, fd, g->write) < 0)
			return diag_fail(d, -EACCES,
				"%s (%s) cannot be %s by the user " IDENTITY_USER
				", as whom servers run when root starts them: change its owner or mode",
				text_escape_str(g->canonical, shown, sizeof(shown)), g->where,
				g->write ? "written" : "read");
	}
	return 0;
}

static int add_unix_sockets(struct effective_build *b, struct diag *d)
{
	const struct profile_items *u = &b->e->profile.unix_sockets;
	char shown[SHOWN];

	b->e->plan.allow_unix = u->n > 0;
	for (size_t i = 0; i < u->n; i++) {
		struct plan_mount m = {
			.kind = PLAN_BIND, .flags = PLAN_WRITE, .source = u->v[i].value, .target = u->v[i].value
		};
		int r = fs_identify(u->v[i].value, &m);
		if (r == -ENOENT && u->v[i].optional)
			continue;
		if (r < 0 || m.type != S_IFSOCK)
			return diag_fail(d, r < 0 ? r : -ENOTSOCK, "cannot grant the socket %s (%s): %s",
				text_escape_str(u->v[i].value, shown, sizeof(shown)), u->v[i].where,
				r < 0 ? strerror(-r) : "it is not a socket");
		r = plan_add_mount(&b->e->plan, &m);
		if (r < 0)
			return r;
	}
	return 0;
}

static int fill_identity(struct effective_build *b)
{
	struct plan *p = &b->e->plan;

	p->uid = b->identity.uid;
	p->gid = b->identity.gid;
	p->drop_root = b->identity.drop_root;
	p->name = strdup(b->e->name);
	p->exec_path = strdup(b->e->cmd.program);
	p->hostname = strdup("stockade");
	p->seccomp = strdup(b->e->profile.seccomp);
	p->root_size = ROOT_TMPFS_BYTES;
	p->limits = (struct plan_limits){ b->e->profile.limit_processes, b->e->profile.limit_files,
		b->e->profile.limit_memory };
	if (!p->name || !p->exec_path || !p->hostname || !p->seccomp)
		return -ENOMEM;
	return strv_extend(&p->argv, b->e->cmd.argv.v, b->e->cmd.argv.n);
}

int effective_step_plan(struct effective_build *b, struct diag *d)
{
	struct effective *e = b->e;
	const struct paths *paths = b->args->paths;
	struct base_view_args base = { .paths = paths,
		.tmp_size = e->profile.tmp_size,
		.user = b->identity.login,
		.uid = b->identity.uid,
		.gid = b->identity.gid,
		.home = paths->home,
		.name_server = effective_network_stub(&e->profile) };
	struct environment_args env = { .paths = paths,
		.environ = b->args->environ,
		.profile = &e->profile,
		.path = &e->cmd.path,
		.login = b->identity.login,
		.trusted = effective_network_trusts(e),
		.no_user_site = home_code_unheard(paths, e) };
	int r = check_readable(b, d);

	if (r == 0)
		r = fill_identity(b);
	if (r == 0)
		r = effective_network_plan(e, d);
	if (r == 0)
		r = base_view_add(&e->plan, &base, d);
	if (r == 0 && env.trusted)
		r = trust_add(&e->plan, &e->policy, d);
	if (r == 0 && e->profile.home == HOME_PRIVATE)
		r = private_home_add(paths, &b->identity, e->name, &e->plan, d);
	if (r < 0)
		return r;
	b->base_mounts = e->plan.n_mounts;
	r = fs_grants_mount(&b->grants, &e->cmd, &e->plan, d);
	if (r == 0)
		r = add_unix_sockets(b, d);
	if (r == 0)
		r = ceilings_check_sockets(paths, e, d);
	if (r == 0)
		r = fs_grants_guard(&b->grants, &e->profile, &e->plan, d);
	if (r < 0)
		return r;
	fs_sort_mounts(&e->plan, b->base_mounts);
	if (e->profile.home == HOME_PRIVATE)
		r = private_home_places(paths, &b->identity, e->name, &e->plan, b->base_mounts, d);
	if (r == 0)
		r = check_cwd(b, d);
	return r < 0 ? r : environment_build(&env, &e->plan.envp);
}
