/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target - mount points below the new root, by descriptor
 *
 * Resolution never leaves the new root and follows no symbolic link, so that what a granted directory holds cannot
 * move a mount (CVE-2026-34078). What is missing is created only on file systems made here: a mount point that is
 * missing in a granted directory would have to be created in the user's own files.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/fs.h"
#include "enter/enter.h"

#define RESOLVE_TARGET (RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)

enum { DIRECTORY_MODE = 0755, FILE_MODE = 0444 };

int target_open(const struct enter *e, const char *path, int *ret)
{
	int fd = fs_openat2(e->root, path, O_PATH, 0, RESOLVE_TARGET);

	if (fd < 0)
		return fd;
	*ret = fd;
	return 0;
}

bool target_is_own(const struct enter *e, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return false;
	for (size_t i = 0; i < e->n_own; i++)
		if (e->own[i] == st.st_dev)
			return true;
	return false;
}

/* Opens name in dir as a directory, made when missing. */
static int step(struct enter *e, int dir, const char *name, int *ret)
{
	int fd = fs_openat2(dir, name, O_PATH | O_DIRECTORY, 0, RESOLVE_TARGET);

	if (fd == -ENOENT) {
		if (!target_is_own(e, dir))
			return -ENOENT;
		if (mkdirat(dir, name, DIRECTORY_MODE) < 0)
			return -errno;
		fd = fs_openat2(dir, name, O_PATH | O_DIRECTORY, 0, RESOLVE_TARGET);
	}
	if (fd < 0)
		return fd;
	*ret = fd;
	return 0;
}

int target_parent(struct enter *e, const char *path, int *ret, const char **ret_name)
{
	_cleanup_close_ int dir = -1;
	const char *at = path + 1, *slash;
	char name[NAME_MAX + 1];

	dir = fcntl(e->root, F_DUPFD_CLOEXEC, 0);
	if (dir < 0)
		return -errno;
	while ((slash = strchr(at, '/'))) {
		_cleanup_close_ int from = steal_fd(&dir);
		size_t n = (size_t)(slash - at);
		int r;
		if (n == 0 || n > NAME_MAX)
			return -EINVAL;
		memcpy(name, at, n);
		name[n] = 0;
		r = step(e, from, name, &dir);
		if (r < 0)
			return r;
		at = slash + 1;
	}
	if (!*at || strcmp(at, ".") == 0 || strcmp(at, "..") == 0)
		return -EINVAL;
	*ret = steal_fd(&dir);
	*ret_name = at;
	return 0;
}

static int make_missing(struct enter *e, const char *path, bool directory)
{
	_cleanup_close_ int dir = -1, file = -1;
	const char *name;
	int r = target_parent(e, path, &dir, &name);

	if (r < 0)
		return r;
	if (!target_is_own(e, dir))
		return -ENOENT;
	if (directory)
		return mkdirat(dir, name, DIRECTORY_MODE) < 0 ? -errno : 0;
	file = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
	return file < 0 ? -errno : 0;
}

int target_make(struct enter *e, const char *path, bool directory, int *ret)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r = target_open(e, path, &fd);

	if (r == -ENOENT) {
		r = make_missing(e, path, directory);
		if (r == 0)
			r = target_open(e, path, &fd);
	}
	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode) != !directory)
		return directory ? -ENOTDIR : -EISDIR;
	*ret = steal_fd(&fd);
	return 0;
}

int target_attach(int tree, int target)
{
	return move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0 ? -errno : 0;
}
