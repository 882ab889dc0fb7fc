/* SPDX-License-Identifier: Apache-2.0 */
/* private_home - see private_home.h */
#include "supervisor/private_home.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fs.h"
#include "base/text.h"

enum { SHOWN = 512 };

/* Below homes, which is the user's alone; the home itself is its server's. */
static int open_home(const struct paths *p, const struct identity *id, const char *name, int *ret, struct diag *d)
{
	_cleanup_close_ int homes = -1, fd = -1;
	struct stat st;
	int r = paths_open_state(p, "homes", &homes, d);

	if (r < 0)
		return r;
	if (name[0] == '.' || strchr(name, '/'))
		return diag_fail(d, -EINVAL, "the name '%s' cannot name a private home", name);
	bool made = mkdirat(homes, name, 0700) == 0;
	fd = openat(homes, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || (made && id->drop_root && fchown(fd, id->uid, id->gid) < 0) || fstat(fd, &st) < 0)
		return diag_fail(d, -errno, "cannot open the private home of '%s': %s", name, strerror(errno));
	if (st.st_uid != id->uid || (st.st_mode & 077))
		return diag_fail(d, -EPERM,
			"the private home of '%s' belongs to user %u with mode %04o, not to user %u alone: look at it, "
			"then remove it",
			name, st.st_uid, st.st_mode & 07777, id->uid);
	*ret = steal_fd(&fd);
	return 0;
}

int private_home_add(
	const struct paths *p, const struct identity *id, const char *name, struct plan *plan, struct diag *d)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *path = NULL;
	struct plan_mount m = { .kind = PLAN_BIND, .flags = PLAN_WRITE, .target = p->home, .type = S_IFDIR };
	struct stat st;
	int r = open_home(p, id, name, &fd, d);

	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0 || (r = fs_fd_path(fd, &path)) < 0)
		return diag_fail(
			d, r < 0 ? r : -errno, "cannot examine the private home: %s", strerror(r < 0 ? -r : errno));
	m.source = path;
	m.dev = st.st_dev;
	m.ino = st.st_ino;
	return plan_add_mount(plan, &m);
}

/* --- places --- */

struct places {
	int home;
	const struct identity *id;
};

static int give(const struct places *w, int dir, const char *name)
{
	if (!w->id->drop_root)
		return 0;
	return fchownat(dir, name, w->id->uid, w->id->gid, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int make_dir(const struct places *w, int dir, const char *name)
{
	if (mkdirat(dir, name, 0700) < 0)
		return errno == EEXIST ? 0 : -errno;
	return give(w, dir, name);
}

static int make_file(const struct places *w, int dir, const char *name)
{
	_cleanup_close_ int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno == EEXIST ? 0 : -errno;
	return give(w, dir, name);
}

/* What the server put there instead is its own and leads nobody but it astray; the link that the command needs wins. */
static int make_link(const struct places *w, int dir, const char *name, const char *text)
{
	if (unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		return -errno;
	if (symlinkat(text, dir, name) < 0)
		return -errno;
	return give(w, dir, name);
}

/* The directory that holds the last component of relative, each one made where missing and opened without links. */
static int parent_of(const struct places *w, char *relative, int *ret, char **ret_name)
{
	_cleanup_close_ int dir = fcntl(w->home, F_DUPFD_CLOEXEC, 0);
	char *name = relative, *slash;

	if (dir < 0)
		return -errno;
	for (; (slash = strchr(name, '/')); name = slash + 1) {
		*slash = '\0';
		int r = make_dir(w, dir, name);
		int next =
			r < 0 ? r
			      : fs_openat2(dir, name, O_RDONLY | O_DIRECTORY, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
		if (next < 0)
			return next;
		close(dir);
		dir = next;
	}
	*ret = steal_fd(&dir);
	*ret_name = name;
	return 0;
}

static int make_place(const struct places *w, const struct plan_mount *m, const char *home)
{
	_cleanup_free_ char *relative = strdup(m->target + strlen(home) + 1);
	_cleanup_close_ int dir = -1;
	char *name = NULL;
	int r = relative ? parent_of(w, relative, &dir, &name) : -ENOMEM;

	if (r < 0)
		return r;
	if (m->kind == PLAN_SYMLINK)
		return make_link(w, dir, name, m->content);
	return m->kind == PLAN_BIND && m->type != S_IFDIR ? make_file(w, dir, name) : make_dir(w, dir, name);
}

/* Below the home, and not inside of something else that is mounted there and has the place already. */
static bool needs_place(const struct plan *plan, size_t first, size_t at, const char *home)
{
	const char *target = plan->mounts[at].target;
	enum plan_mount_kind kind = plan->mounts[at].kind;

	if ((kind != PLAN_BIND && kind != PLAN_SYMLINK) || !fs_path_within(target, home) || strcmp(target, home) == 0)
		return false;
	for (size_t i = first; i < at; i++)
		if (plan->mounts[i].kind == PLAN_BIND && strcmp(plan->mounts[i].target, target) != 0 &&
			fs_path_within(target, plan->mounts[i].target) && fs_path_within(plan->mounts[i].target, home))
			return false;
	return true;
}

static void drop_mount(struct plan *plan, size_t at)
{
	free(plan->mounts[at].source);
	free(plan->mounts[at].target);
	free(plan->mounts[at].content);
	memmove(&plan->mounts[at], &plan->mounts[at + 1], (plan->n_mounts - at - 1) * sizeof(*plan->mounts));
	plan->n_mounts--;
}

int private_home_places(const struct paths *p, const struct identity *id, const char *name, struct plan *plan,
	size_t first, struct diag *d)
{
	_cleanup_close_ int home = -1;
	char shown[SHOWN];
	int r = open_home(p, id, name, &home, d);
	const struct places w = { home, id };

	for (size_t i = first; r == 0 && i < plan->n_mounts;) {
		if (!needs_place(plan, first, i, p->home)) {
			i++;
			continue;
		}
		r = make_place(&w, &plan->mounts[i], p->home);
		if (r < 0)
			return diag_fail(d, r,
				"cannot make a place for %s in the private home of '%s': %s; the server may have put "
				"something else there",
				text_escape_str(plan->mounts[i].target, shown, sizeof(shown)), name, strerror(-r));
		if (plan->mounts[i].kind == PLAN_SYMLINK)
			drop_mount(plan, i);
		else
			i++;
	}
	return r;
}
