/* SPDX-License-Identifier: Apache-2.0 */
/* filesystem - see filesystem.h */
#include "supervisor/filesystem.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fs.h"
#include "base/text.h"
#include "supervisor/base_view.h"

enum { SHOWN = 512 };

int fs_identify(const char *path, struct plan_mount *m)
{
	_cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	m->dev = st.st_dev;
	m->ino = st.st_ino;
	m->type = st.st_mode & S_IFMT;
	return 0;
}

/* What only a directory or a regular file can be: a device or a socket is never granted as a path. */
static int check_type(const struct profile_item *item, const struct stat *st, struct diag *d)
{
	char shown[SHOWN];

	if (S_ISDIR(st->st_mode) || S_ISREG(st->st_mode))
		return 0;
	return diag_fail(d, -EINVAL, "%s is %s; %s can grant only directories and regular files",
		text_escape_str(item->value, shown, sizeof(shown)),
		S_ISSOCK(st->st_mode) ? "a socket (ipc.unix grants those)" : "neither a directory nor a regular file",
		item->where);
}

static int open_grant(
	const struct paths *p, const struct profile_item *item, bool write, struct fs_grant *ret, struct diag *d)
{
	_cleanup_close_ int fd = open(item->value, O_PATH | O_CLOEXEC);
	char shown[SHOWN];
	struct stat st;
	int r;

	text_escape_str(item->value, shown, sizeof(shown));
	if (fd < 0)
		return diag_fail(d, -errno, "cannot grant %s (%s): %s%s", shown, item->where, strerror(errno),
			errno != ENOENT			     ? ""
			: strncmp(item->where, "--", 2) == 0 ? "; make it, or leave the option out"
							     : "; make it, or put '?' before it if it may be absent");
	if (fstat(fd, &st) < 0)
		return diag_fail(d, -errno, "cannot examine %s (%s): %s", shown, item->where, strerror(errno));
	r = check_type(item, &st, d);
	if (r < 0)
		return r;
	*ret = (struct fs_grant){ .where = item->where,
		.write = write,
		.directory = S_ISDIR(st.st_mode),
		.dev = st.st_dev,
		.ino = st.st_ino,
		.type = st.st_mode & S_IFMT };
	r = fs_path_clean(item->value, &ret->given);
	if (r == 0)
		r = fs_fd_path(fd, &ret->canonical);
	if (r < 0)
		return diag_fail(d, r, "cannot resolve %s (%s): %s", shown, item->where, strerror(-r));
	r = paths_check_grant(p, ret->canonical, d);
	if (r < 0)
		diag_prefix(d, "%s: ", item->where);
	return r;
}

static int add_grants(
	const struct paths *p, const struct profile_items *items, bool write, struct fs_grants *g, struct diag *d)
{
	for (size_t i = 0; i < items->n; i++) {
		if (items->v[i].optional && access(items->v[i].value, F_OK) < 0 && errno == ENOENT)
			continue;
		struct fs_grant *v = reallocarray(g->v, g->n + 1, sizeof(*v));
		if (!v)
			return -ENOMEM;
		g->v = v;
		v[g->n] = (struct fs_grant){ 0 };
		int r = open_grant(p, &items->v[i], write, &v[g->n], d);
		g->n++;
		if (r < 0)
			return r;
	}
	return 0;
}

int fs_grants_open(const struct paths *p, const struct profile *profile, struct fs_grants *ret, struct diag *d)
{
	int r = add_grants(p, &profile->fs_read, false, ret, d);

	return r < 0 ? r : add_grants(p, &profile->fs_write, true, ret, d);
}

static int compare_targets(const void *a, const void *b)
{
	const struct plan_mount *x = a, *y = b;
	int order = strcmp(x->target, y->target);

	/* At one place: the bind, then what hides it. */
	return order ? order : (int)x->kind - (int)y->kind;
}

void fs_sort_mounts(struct plan *plan, size_t first)
{
	if (plan->n_mounts > first)
		qsort(plan->mounts + first, plan->n_mounts - first, sizeof(*plan->mounts), compare_targets);
}

static int add_bind(struct plan *plan, const char *path, unsigned flags)
{
	struct plan_mount m = {
		.kind = PLAN_BIND, .flags = flags, .source = (char *)(uintptr_t)path, .target = (char *)(uintptr_t)path
	};
	int r = fs_identify(path, &m);

	return r < 0 ? r : plan_add_mount(plan, &m);
}

static int add_link(struct plan *plan, const char *link, const char *target)
{
	struct plan_mount m = {
		.kind = PLAN_SYMLINK, .target = (char *)(uintptr_t)link, .content = (char *)(uintptr_t)target
	};

	return plan_add_mount(plan, &m);
}

static bool has_target(const struct plan *plan, size_t from, const char *target)
{
	for (size_t i = from; i < plan->n_mounts; i++)
		if (strcmp(plan->mounts[i].target, target) == 0)
			return true;
	return false;
}

static int mount_grant(const struct fs_grant *g, struct plan *plan, size_t first)
{
	struct plan_mount m = { .kind = PLAN_BIND,
		.flags = g->write ? PLAN_WRITE : 0,
		.source = g->canonical,
		.target = g->canonical,
		.dev = g->dev,
		.ino = g->ino,
		.type = g->type };

	/* The same path granted twice: writable wins, since the person saw both lines. */
	for (size_t i = first; i < plan->n_mounts; i++)
		if (plan->mounts[i].kind == PLAN_BIND && strcmp(plan->mounts[i].target, g->canonical) == 0) {
			plan->mounts[i].flags |= m.flags;
			return 0;
		}
	return plan_add_mount(plan, &m);
}

static int mount_code(const struct resolved *cmd, struct plan *plan, size_t first)
{
	for (size_t i = 0; i < cmd->n_trees; i++) {
		if (has_target(plan, first, cmd->trees[i].path) || base_view_covers(cmd->trees[i].path))
			continue;
		int r = add_bind(plan, cmd->trees[i].path, 0);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Is the place of a link inside something that is mounted from the host? Then the host's own link is there already. */
static bool within_bind(const struct plan *plan, const char *path)
{
	for (size_t i = 0; i < plan->n_mounts; i++)
		if (plan->mounts[i].kind == PLAN_BIND && fs_path_within(path, plan->mounts[i].target))
			return true;
	return false;
}

static int mount_links(const struct fs_grants *g, const struct resolved *cmd, struct plan *plan, size_t first)
{
	for (size_t i = 0; i < g->n; i++) {
		const struct fs_grant *x = &g->v[i];
		if (strcmp(x->given, x->canonical) == 0 || within_bind(plan, x->given) ||
			has_target(plan, first, x->given))
			continue;
		int r = add_link(plan, x->given, x->canonical);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < cmd->symlinks.n; i++) {
		_cleanup_free_ char *link = strdup(cmd->symlinks.v[i]);
		char *tab = link ? strchr(link, '\t') : NULL;
		if (!tab)
			return -ENOMEM;
		*tab = '\0';
		if (within_bind(plan, link) || has_target(plan, first, link))
			continue;
		int r = add_link(plan, link, tab + 1);
		if (r < 0)
			return r;
	}
	return 0;
}

int fs_grants_mount(const struct fs_grants *g, const struct resolved *cmd, struct plan *plan, struct diag *d)
{
	size_t first = plan->n_mounts;
	int r = 0;

	for (size_t i = 0; r == 0 && i < g->n; i++)
		r = mount_grant(&g->v[i], plan, first);
	if (r == 0)
		r = mount_code(cmd, plan, first);
	if (r == 0)
		r = mount_links(g, cmd, plan, first);
	if (r < 0)
		return diag_fail(d, r, "cannot lay out what is granted: %s", strerror(-r));
	return 0;
}

const struct fs_grant *fs_grants_writable_over(const struct fs_grants *g, const char *path)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->v[i].write &&
			(fs_path_within(path, g->v[i].canonical) || fs_path_within(g->v[i].canonical, path)))
			return &g->v[i];
	return NULL;
}

bool fs_grants_cover(const struct fs_grants *g, const char *path)
{
	for (size_t i = 0; i < g->n; i++)
		if (fs_path_within(path, g->v[i].canonical) || fs_path_within(path, g->v[i].given))
			return true;
	return false;
}

void fs_grants_done(struct fs_grants *g)
{
	for (size_t i = 0; i < g->n; i++) {
		free(g->v[i].given);
		free(g->v[i].canonical);
	}
	free(g->v);
	strv_done(&g->protected_paths);
	strv_done(&g->protected_links);
	strv_done(&g->denied_paths);
	*g = (struct fs_grants){ 0 };
}
