/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mounts - the new root and everything the plan puts into it
 *
 * The root is mounted over "/" itself, so that no directory of the host is needed to hold it: a path that starts at
 * "/" still begins below it, in the host's tree, until pivot_root. A staging file system inside holds the empty file
 * and directory that masks are copies of; it is taken away again before the server runs, the copies stay.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/io.h"
#include "enter/enter.h"

enum {
	OWN_ATTRIBUTES = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
	SEALED = OWN_ATTRIBUTES | MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC
};
/* A small file takes a page; the inodes of empty ones cost kernel memory too, so they are counted as pages. */
enum { TMPFS_PAGE = 4096, TMPFS_INODES_MIN = 1024 };

int mount_new(const char *type, const char *const *options, unsigned attributes, int *ret)
{
	_cleanup_close_ int fs = fsopen(type, FSOPEN_CLOEXEC);
	int fd;

	if (fs < 0)
		return -errno;
	for (; *options; options += 2)
		if (fsconfig(fs, FSCONFIG_SET_STRING, options[0], options[1], 0) < 0)
			return -errno;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	fd = fsmount(fs, FSMOUNT_CLOEXEC, attributes);
	if (fd < 0)
		return -errno;
	*ret = fd;
	return 0;
}

/* A tmpfs, remembered as one of ours. */
static int new_tmpfs(struct enter *e, uint64_t size, uint32_t mode, unsigned attributes, int *ret)
{
	char size_text[32], inodes[32], mode_text[16];
	const char *options[] = { "size", size_text, "nr_inodes", inodes, "mode", mode_text, NULL };
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	snprintf(size_text, sizeof(size_text), "%ju", (uintmax_t)size);
	snprintf(inodes, sizeof(inodes), "%ju", (uintmax_t)(size / TMPFS_PAGE + TMPFS_INODES_MIN));
	snprintf(mode_text, sizeof(mode_text), "%o", mode & 07777);
	if (e->n_own == ENTER_TMPFS_MAX)
		return -E2BIG;
	r = mount_new("tmpfs", options, attributes, &fd);
	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return -errno;
	e->own[e->n_own++] = st.st_dev;
	*ret = steal_fd(&fd);
	return 0;
}

int stage_propagation(struct enter *e)
{
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ? -errno : 0;
}

/* The staging file system never becomes one of ours for mount points: nothing of the plan lies in it. */
static int make_staging(struct enter *e)
{
	static const char *const options[] = { "size", "16m", "mode", "0755", NULL };
	_cleanup_close_ int target = -1, file = -1;
	int r;

	if (mkdirat(e->root, ENTER_STAGING, 0755) < 0)
		return -errno;
	r = mount_new("tmpfs", options, OWN_ATTRIBUTES | MOUNT_ATTR_NOEXEC, &e->staging);
	if (r == 0)
		r = target_open(e, "/" ENTER_STAGING, &target);
	if (r == 0)
		r = target_attach(e->staging, target);
	if (r < 0)
		return r;
	file = openat(e->staging, "empty", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	if (file < 0 || mkdirat(e->staging, "void", 0555) < 0)
		return -errno;
	e->empty_file = openat(e->staging, "empty", O_PATH | O_CLOEXEC);
	e->empty_dir = openat(e->staging, "void", O_PATH | O_CLOEXEC);
	return e->empty_file < 0 || e->empty_dir < 0 ? -errno : 0;
}

int stage_root(struct enter *e)
{
	_cleanup_close_ int root = -1;
	int r = new_tmpfs(e, e->plan.root_size, 0755, OWN_ATTRIBUTES, &root);

	if (r < 0)
		return r;
	if (move_mount(root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	e->root = steal_fd(&root);
	return make_staging(e);
}

/* Detached, what from shows (a file or directory of staging, or a target itself), with the attributes. */
static int copy_of(int from, unsigned recursive, unsigned long long attributes, int *ret)
{
	_cleanup_close_ int tree = open_tree(from, "", AT_EMPTY_PATH | recursive | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	int r = tree < 0 ? -errno : source_restrict(tree, attributes);

	if (r < 0)
		return r;
	*ret = steal_fd(&tree);
	return 0;
}

static int attach_copy(int from, unsigned recursive, unsigned long long attributes, int target)
{
	_cleanup_close_ int tree = -1;
	int r = copy_of(from, recursive, attributes, &tree);

	return r < 0 ? r : target_attach(tree, target);
}

int mount_mask(struct enter *e, int dir, const char *name, bool directory)
{
	_cleanup_close_ int tree = -1;
	int r = copy_of(directory ? e->empty_dir : e->empty_file, 0, SEALED, &tree);

	if (r < 0)
		return r;
	return move_mount(tree, "", dir, name, MOVE_MOUNT_F_EMPTY_PATH | (*name ? 0 : MOVE_MOUNT_T_EMPTY_PATH)) < 0
		       ? -errno
		       : 0;
}

static int mount_bind(struct enter *e, const struct plan_mount *m)
{
	_cleanup_close_ int tree = -1, target = -1;
	int r;

	if (e->trees)
		tree = steal_fd(&e->trees[m - e->plan.mounts]);
	else if ((r = source_clone(e, m, &tree)) < 0)
		return r;
	r = target_make(e, m->target, S_ISDIR(m->type), &target);
	return r < 0 ? r : target_attach(tree, target);
}

static int mount_tmpfs(struct enter *e, const struct plan_mount *m)
{
	_cleanup_close_ int tree = -1, target = -1;
	unsigned attributes = OWN_ATTRIBUTES | (m->flags & PLAN_NOEXEC ? MOUNT_ATTR_NOEXEC : 0);
	int r = target_make(e, m->target, true, &target);

	if (r == 0)
		r = new_tmpfs(e, m->size, m->mode, attributes, &tree);
	return r < 0 ? r : target_attach(tree, target);
}

static int write_new(int dir, const char *name, const char *content, mode_t mode)
{
	_cleanup_close_ int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

	return fd < 0 ? -errno : io_write_full(fd, content, strlen(content));
}

/* Over a file of a granted directory: the content lies in staging, a copy of it is mounted. */
static int cover_file(struct enter *e, const struct plan_mount *m)
{
	_cleanup_close_ int target = -1, file = -1;
	char name[32];
	int r = target_make(e, m->target, false, &target);

	snprintf(name, sizeof(name), "file-%u", e->n_files++);
	if (r == 0)
		r = write_new(e->staging, name, m->content, m->mode & 0555);
	if (r < 0)
		return r;
	file = openat(e->staging, name, O_PATH | O_CLOEXEC);
	return file < 0 ? -errno : attach_copy(file, 0, SEALED, target);
}

/* In the root, which turns read-only as a whole, a file needs no mount of its own. */
static int mount_file(struct enter *e, const struct plan_mount *m)
{
	_cleanup_close_ int dir = -1;
	const char *name;
	struct stat at, root;
	int r = target_parent(e, m->target, &dir, &name);

	if (r < 0)
		return r;
	if (fstat(dir, &at) < 0 || fstat(e->root, &root) < 0)
		return -errno;
	return at.st_dev == root.st_dev ? write_new(dir, name, m->content, m->mode & 0555) : cover_file(e, m);
}

static int mount_symlink(struct enter *e, const struct plan_mount *m)
{
	_cleanup_close_ int dir = -1;
	const char *name;
	int r = target_parent(e, m->target, &dir, &name);

	if (r < 0)
		return r;
	if (!target_is_own(e, dir))
		return -EXDEV;
	return symlinkat(m->content, dir, name) < 0 ? -errno : 0;
}

static int mount_dir(struct enter *e, const struct plan_mount *m)
{
	_cleanup_close_ int fd = -1, dir = -1;
	const char *name;
	int r = target_make(e, m->target, true, &fd);

	if (r == 0)
		r = target_parent(e, m->target, &dir, &name);
	if (r < 0)
		return r;
	if (!target_is_own(e, dir))
		return -EXDEV;
	return fchmodat(dir, name, m->mode & 07777, 0) < 0 ? -errno : 0;
}

static int mount_masked(struct enter *e, const struct plan_mount *m)
{
	_cleanup_close_ int target = -1;
	int r = target_open(e, m->target, &target);
	struct stat st;

	if (r == -ENOENT && (m->flags & PLAN_OPTIONAL))
		return 0;
	if (r < 0)
		return r;
	return fstat(target, &st) < 0 ? -errno : mount_mask(e, target, "", S_ISDIR(st.st_mode));
}

/* A mount point cannot be renamed or removed. Its flags stay: what protects is the mounts that the plan puts beneath.
 */
static int mount_pin(struct enter *e, const struct plan_mount *m)
{
	_cleanup_close_ int target = -1;
	int r = target_open(e, m->target, &target);

	if (r == -ENOENT && (m->flags & PLAN_OPTIONAL))
		return 0;
	if (r < 0)
		return r;
	return attach_copy(target, AT_RECURSIVE, OWN_ATTRIBUTES, target);
}

/* NULL: has a stage of its own. */
static int (*const kinds[])(struct enter *e, const struct plan_mount *m) = {
	[PLAN_BIND] = mount_bind,
	[PLAN_TMPFS] = mount_tmpfs,
	[PLAN_PROC] = NULL,
	[PLAN_DEV] = NULL,
	[PLAN_FILE] = mount_file,
	[PLAN_SYMLINK] = mount_symlink,
	[PLAN_DIR] = mount_dir,
	[PLAN_MASK] = mount_masked,
	[PLAN_PIN] = mount_pin,
};
_Static_assert(ARRAY_LEN(kinds) == PLAN_MOUNT_KIND_COUNT, "a row for every kind");

int stage_mounts(struct enter *e)
{
	for (size_t i = 0; i < e->plan.n_mounts; i++) {
		const struct plan_mount *m = &e->plan.mounts[i];
		int r = kinds[m->kind] ? kinds[m->kind](e, m) : 0;
		if (r < 0)
			return e->detail[0] ? r : enter_fail(e, r, m->target);
	}
	return 0;
}

int stage_pivot(struct enter *e)
{
	if (fchdir(e->root) < 0)
		return -errno;
	/* Both at ".": the old root lands on top of the new one, and is taken off (pivot_root(2), NOTES). */
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return -errno;
	if (umount2(".", MNT_DETACH) < 0)
		return -errno;
	return chdir("/") < 0 ? -errno : 0;
}
