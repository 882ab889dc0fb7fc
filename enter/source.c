/* SPDX-License-Identifier: Apache-2.0 */
/* source - detached copies of what the plan grants, each checked to be what was approved */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "base/fs.h"
#include "enter/enter.h"

int source_restrict(int tree, unsigned long long attributes)
{
	struct mount_attr attr = { .attr_set = attributes };

	return mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

static unsigned long long attributes(const struct plan_mount *m)
{
	unsigned long long a = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;

	if (!(m->flags & PLAN_WRITE))
		a |= MOUNT_ATTR_RDONLY;
	if (m->flags & PLAN_NOEXEC)
		a |= MOUNT_ATTR_NOEXEC;
	return a;
}

/* What was approved had this identity; a path that leads elsewhere by now is not it (CVE-2024-42472). */
static int check_identity(int fd, const struct plan_mount *m)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	return st.st_dev == m->dev && st.st_ino == m->ino && (st.st_mode & S_IFMT) == m->type ? 0 : -ESTALE;
}

int source_clone(struct enter *e, const struct plan_mount *m, int *ret)
{
	_cleanup_close_ int fd =
		fs_openat2(AT_FDCWD, m->source, O_PATH, 0, RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
	_cleanup_close_ int tree = -1;
	int r = fd < 0 ? fd : check_identity(fd, m);

	if (r < 0)
		goto failed;
	/* Recursive: a copy without the submounts would show what they cover, and is refused for that. */
	tree = open_tree(fd, "", AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	r = tree < 0 ? -errno : source_restrict(tree, attributes(m));
	if (r < 0)
		goto failed;
	*ret = steal_fd(&tree);
	return 0;
failed:
	e->stage = ENTER_STAGE_SOURCES;
	return enter_fail(e, r, m->source);
}

/* Only root takes copies out here: for others an early descriptor is of no use inside (EINVAL), and MOUNTS opens each.
 */
int stage_sources(struct enter *e)
{
	if (!e->privileged || e->plan.n_mounts == 0)
		return 0;
	e->trees = malloc(e->plan.n_mounts * sizeof(*e->trees));
	if (!e->trees)
		return -ENOMEM;
	for (size_t i = 0; i < e->plan.n_mounts; i++) {
		int r;
		e->trees[i] = -1;
		if (e->plan.mounts[i].kind != PLAN_BIND)
			continue;
		r = source_clone(e, &e->plan.mounts[i], &e->trees[i]);
		if (r < 0)
			return r;
	}
	return 0;
}
