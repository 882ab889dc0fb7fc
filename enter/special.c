/* SPDX-License-Identifier: Apache-2.0 */
/* special - /dev, /proc and what has to be sealed in them, by the tables of wire/sandbox_tables.h */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "base/fs.h"
#include "enter/enter.h"
#include "wire/sandbox_tables.h"

enum { PATH_BYTES = 512 };

static const char userns_limit[] = "/proc/sys/user/max_user_namespaces";

static int bind_device(struct enter *e, const char *dev, const struct sandbox_device *d)
{
	char source[PATH_BYTES], path[PATH_BYTES];
	_cleanup_close_ int fd = -1, tree = -1, target = -1;
	struct stat st;
	int r;

	snprintf(source, sizeof(source), "/dev/%s", d->name);
	snprintf(path, sizeof(path), "%s/%s", dev, d->name);
	fd = fs_openat2(AT_FDCWD, source, O_PATH, 0, RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
	if (fd < 0)
		return enter_fail(e, fd, source);
	if (fstat(fd, &st) < 0)
		return -errno;
	/* Whoever can write the host's /dev must not be able to hand in another device (CVE-2025-31133). */
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(d->major, d->minor))
		return enter_fail(e, -ENODEV, source);
	tree = open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return enter_fail(e, -errno, source);
	/* Never NODEV here: opening it would be EACCES. Read-only keeps the host's inode as it is (its times could
	 * carry word from one sandbox to another) and no one from writing to the device. */
	r = source_restrict(tree, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	if (r == 0)
		r = target_make(e, path, false, &target);
	if (r == 0)
		r = target_attach(tree, target);
	return r < 0 ? enter_fail(e, r, path) : 0;
}

static int fill_dev(struct enter *e, const char *target)
{
	_cleanup_close_ int dir = -1;
	int r = target_make(e, target, true, &dir);

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(sandbox_devices); i++)
		r = bind_device(e, target, &sandbox_devices[i]);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(sandbox_dev_links); i++)
		if (symlinkat(sandbox_dev_links[i].text, dir, sandbox_dev_links[i].name) < 0)
			r = enter_fail(e, -errno, sandbox_dev_links[i].name);
	return r;
}

int stage_dev(struct enter *e)
{
	for (size_t i = 0; i < e->plan.n_mounts; i++) {
		const struct plan_mount *m = &e->plan.mounts[i];
		int r = m->kind == PLAN_DEV ? fill_dev(e, m->target) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

static bool proc_is_kept(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(sandbox_proc_kept); i++)
		if (strcmp(sandbox_proc_kept[i].name, name) == 0)
			return true;
	return isdigit((unsigned char)name[0]) || strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int mask_entry(struct enter *e, int proc, const struct dirent *d)
{
	switch (d->d_type) {
	case DT_LNK:
		/* self, thread-self, mounts, net: names for what stays visible or is hidden under its own name. */
		return 0;
	case DT_DIR:
		return mount_mask(e, proc, d->d_name, true);
	case DT_REG:
		return mount_mask(e, proc, d->d_name, false);
	default:
		return -EINVAL;
	}
}

/* What the kernel lists decides, not what an open answers: nothing is passed over because of an errno. */
static int mask_proc(struct enter *e, int proc)
{
	_cleanup_closedir_ DIR *dir = NULL;
	int fd = openat(proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	unsigned n = 0;

	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	for (;;) {
		struct dirent *d;
		int r;
		errno = 0;
		d = readdir(dir);
		if (!d)
			return -errno;
		if (++n > PROC_ENTRIES_MAX)
			return -E2BIG;
		r = proc_is_kept(d->d_name) ? 0 : mask_entry(e, proc, d);
		if (r < 0)
			return enter_fail(e, r, d->d_name);
	}
}

static int mount_proc(struct enter *e, const char *target)
{
	static const char *const options[] = { NULL };
	_cleanup_close_ int proc = -1, dir = -1;
	int r = target_make(e, target, true, &dir);

	/* Refused where the caller's own /proc is covered in places: a fresh one would reveal them. Never bound
	 * instead. */
	if (r == 0)
		r = mount_new("proc", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, &proc);
	if (r == 0)
		r = target_attach(proc, dir);
	return r < 0 ? r : mask_proc(e, proc);
}

int stage_proc(struct enter *e)
{
	for (size_t i = 0; i < e->plan.n_mounts; i++) {
		int r = e->plan.mounts[i].kind == PLAN_PROC ? mount_proc(e, e->plan.mounts[i].target) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

static int write_limit(void)
{
	_cleanup_close_ int fd = open(userns_limit, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "0", 1) != 1)
		return errno ? -errno : -EIO;
	return 0;
}

int stage_userns_limit(struct enter *e)
{
	_cleanup_close_ int fd = -1;
	char back[8] = { 0 };
	int r = write_limit();

	if (r < 0)
		return enter_fail(e, r, userns_limit);
	fd = open(userns_limit, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, back, sizeof(back) - 1) < 0)
		return enter_fail(e, -errno, userns_limit);
	return strcmp(back, "0\n") == 0 ? 0 : enter_fail(e, -EPERM, userns_limit);
}

static int seal_proc_sys(struct enter *e)
{
	_cleanup_close_ int target = -1, tree = -1;
	int r = target_open(e, "/proc/sys", &target);

	if (r < 0)
		return r;
	tree = open_tree(target, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return -errno;
	r = source_restrict(tree, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	return r < 0 ? r : target_attach(tree, target);
}

static int remove_staging(struct enter *e)
{
	close(steal_fd(&e->empty_file));
	close(steal_fd(&e->empty_dir));
	close(steal_fd(&e->staging));
	if (umount2("/" ENTER_STAGING, MNT_DETACH) < 0 || unlinkat(e->root, ENTER_STAGING, AT_REMOVEDIR) < 0)
		return enter_fail(e, -errno, ENTER_STAGING);
	return 0;
}

int stage_readonly(struct enter *e)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	int r = seal_proc_sys(e);

	if (r < 0)
		return enter_fail(e, r, "/proc/sys");
	r = remove_staging(e);
	if (r < 0)
		return r;
	/* Of the root's own mount alone: what is mounted in it has its own flags. */
	return mount_setattr(e->root, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0 ? -errno : 0;
}
