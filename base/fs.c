/* SPDX-License-Identifier: Apache-2.0 */
/* fs - see fs.h */
#include "base/fs.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/io.h"
#include "base/text.h"

/* FS_RETRIES: openat2(2) gives EAGAIN while someone renames along the path, and he may do so for ever. */
enum { FS_PATH_SHOWN = 512, FS_LINK_MAX = 4096, FS_RETRIES = 64 };

int fs_openat2(int dirfd, const char *path, int flags, mode_t mode, unsigned long long resolve)
{
	struct open_how how = { .flags = (unsigned)(flags | O_CLOEXEC), .mode = mode, .resolve = resolve };
	unsigned tries = 0;
	long fd;

	do
		fd = syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
	while (fd < 0 && (errno == EINTR || (errno == EAGAIN && ++tries < FS_RETRIES)));
	return fd < 0 ? -errno : (int)fd;
}

/* In a user namespace without uid 0 everything of root's looks as if it were of the user that stands for all who are
 * not mapped (user_namespaces(7)), and so does what anybody else outside owns. */
static bool may_be_roots(uid_t uid)
{
	_cleanup_fclose_ FILE *map = fopen("/proc/self/uid_map", "re");
	_cleanup_fclose_ FILE *overflow = fopen("/proc/sys/kernel/overflowuid", "re");
	unsigned first, above, n, stands_in;

	if (!map || !overflow || fscanf(overflow, "%u", &stands_in) != 1 || uid != stands_in)
		return false;
	while (fscanf(map, "%u %u %u", &first, &above, &n) == 3)
		if (first == 0)
			return false;
	return true;
}

int fs_check_trusted(int fd, const char *name, enum fs_trust trust, uid_t uid, struct diag *d)
{
	char shown[FS_PATH_SHOWN];
	struct stat st;

	if (fstat(fd, &st) < 0)
		return diag_fail(d, -errno, "cannot examine %s: %s", text_escape_str(name, shown, sizeof(shown)),
			strerror(errno));
	text_escape_str(name, shown, sizeof(shown));
	if (st.st_uid != 0 && (trust == FS_TRUST_ROOT || st.st_uid != uid) && may_be_roots(st.st_uid))
		return diag_fail(d, -EPERM,
			"nobody can tell whose %s is: in the user namespace that stockade runs in uid 0 is not mapped, "
			"so that "
			"root's files look like anybody's; start it outside of that container, or map uid 0 into it",
			shown);
	if (st.st_uid != 0 && (trust == FS_TRUST_ROOT || st.st_uid != uid))
		return diag_fail(d, -EPERM,
			"%s belongs to user %u, but what grants rights must belong to %s: chown it, or remove it",
			shown, st.st_uid, trust == FS_TRUST_ROOT ? "root" : "you or root");
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return diag_fail(d, -EPERM,
			"%s can be written by others (mode %04o), so it grants nothing: chmod go-w it after reading it",
			shown, st.st_mode & 07777);
	return 0;
}

int fs_read_trusted_as(
	int dirfd, const char *name, const char *path, enum fs_trust trust, uid_t uid, struct buf *b, struct diag *d)
{
	/* O_NONBLOCK: a FIFO in the place of a file must not hang us; it has no effect on regular files. */
	_cleanup_close_ int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char shown[FS_PATH_SHOWN];
	struct stat st;
	int r;

	text_escape_str(path, shown, sizeof(shown));
	if (fd < 0)
		return diag_fail(d, -errno, "cannot open %s: %s", shown,
			errno == ELOOP ? "it is a symbolic link" : strerror(errno));
	if (fstat(fd, &st) < 0)
		return diag_fail(d, -errno, "cannot examine %s: %s", shown, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return diag_fail(d, -EINVAL, "%s is not a regular file", shown);
	r = fs_check_trusted(fd, path, trust, uid, d);
	if (r < 0)
		return r;
	r = io_read_all(fd, b);
	if (r == -E2BIG)
		return diag_fail(d, r, "%s is longer than %zu bytes, the limit for such a file", shown, b->max);
	return r < 0 ? diag_fail(d, r, "cannot read %s: %s", shown, strerror(-r)) : 0;
}

int fs_read_trusted(int dirfd, const char *path, enum fs_trust trust, uid_t uid, struct buf *b, struct diag *d)
{
	return fs_read_trusted_as(dirfd, path, path, trust, uid, b, d);
}

int fs_check_trusted_dir(int fd, const char *name, enum fs_trust trust, uid_t uid, struct diag *d)
{
	char shown[FS_PATH_SHOWN];
	struct stat st;

	text_escape_str(name, shown, sizeof(shown));
	if (fstat(fd, &st) < 0)
		return diag_fail(d, -errno, "cannot examine %s: %s", shown, strerror(errno));
	/* Not even with the sticky bit: others may not take a file away then, but they may put one there. */
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return diag_fail(d, -EPERM,
			"others can write the directory %s (mode %04o), and so choose what lies in it: nothing in it "
			"grants rights; look through "
			"it, then chmod go-w it",
			shown, st.st_mode & 07777);
	return fs_check_trusted(fd, name, trust, uid, d);
}

int fs_read_trusted_file(const char *path, enum fs_trust trust, uid_t uid, struct buf *b, struct diag *d)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *dir = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	_cleanup_close_ int fd = dir ? open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	char shown[FS_PATH_SHOWN];
	int r;

	if (!dir)
		return -ENOMEM;
	if (fd < 0)
		return diag_fail(
			d, -errno, "cannot open %s: %s", text_escape_str(dir, shown, sizeof(shown)), strerror(errno));
	r = fs_check_trusted_dir(fd, dir, trust, uid, d);
	return r < 0 ? r : fs_read_trusted_as(fd, slash ? slash + 1 : path, path, trust, uid, b, d);
}

static int temporary_name(const char *name, char *ret, size_t size)
{
	unsigned long long nonce;

	if (getrandom(&nonce, sizeof(nonce), 0) != sizeof(nonce))
		return -EIO;
	return snprintf(ret, size, ".%.180s.%016llx", name, nonce) < (int)size ? 0 : -ENAMETOOLONG;
}

static int write_temporary(int dirfd, const char *temp, const void *p, size_t n, mode_t mode)
{
	_cleanup_close_ int fd = openat(dirfd, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r;

	if (fd < 0)
		return -errno;
	r = io_write_full(fd, p, n);
	if (r < 0)
		return r;
	if (fchmod(fd, mode) < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

int fs_write_atomic(int dirfd, const char *name, const void *p, size_t n, mode_t mode, struct diag *d)
{
	char temp[256] = "", shown[FS_PATH_SHOWN];
	int r = temporary_name(name, temp, sizeof(temp));

	if (r == 0)
		r = write_temporary(dirfd, temp, p, n, mode);
	if (r == 0 && renameat(dirfd, temp, dirfd, name) < 0)
		r = -errno;
	if (r < 0) {
		/* Never a file that was there before: O_EXCL refused that one. */
		if (r != -EEXIST)
			unlinkat(dirfd, temp, 0);
		return diag_fail(
			d, r, "cannot write %s: %s", text_escape_str(name, shown, sizeof(shown)), strerror(-r));
	}
	/* A directory that cannot be synced (some FUSE) still holds the file: rename has taken effect. */
	if (fsync(dirfd) < 0 && errno != EINVAL && errno != EBADF)
		return diag_fail(d, -errno, "cannot sync the directory of %s: %s",
			text_escape_str(name, shown, sizeof(shown)), strerror(errno));
	return 0;
}

/* The mode is exact: what is for every user of a machine must not depend on the umask of whoever made it. */
static int make_dir(int dir, const char *name, mode_t mode)
{
	mode_t before = umask(0);
	int r = mkdirat(dir, name, mode) < 0 && errno != EEXIST ? -errno : 0;

	umask(before);
	return r;
}

/* The next component of the path below *dir, made if it is missing; *dir is replaced. */
static int enter_component(int *dir, const char *name, mode_t mode)
{
	int r = make_dir(*dir, name, mode);

	if (r < 0)
		return r;
	/* O_PATH: an ancestor such as /home may be searchable without being readable. */
	int next = openat(*dir, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (next < 0)
		return -errno;
	close(*dir);
	*dir = next;
	return 0;
}

int fs_mkdirs(const char *path, mode_t mode, int *ret, struct diag *d)
{
	_cleanup_close_ int dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *copy = strdup(path);
	char shown[FS_PATH_SHOWN], part[FS_PATH_SHOWN];
	char *rest, *name;
	int last;

	if (dir < 0 || !copy)
		return diag_fail(d, -ENOMEM, "cannot open / : %s", strerror(errno));
	if (path[0] != '/')
		return diag_fail(d, -EINVAL, "%s is not an absolute path", text_escape_str(path, shown, sizeof(shown)));
	for (rest = copy; (name = strsep(&rest, "/"));) {
		int r = *name ? enter_component(&dir, name, mode) : 0;
		if (r < 0)
			return diag_fail(d, r, "cannot make the directory %s (at '%s'): %s",
				text_escape_str(path, shown, sizeof(shown)), text_escape_str(name, part, sizeof(part)),
				strerror(-r));
	}
	last = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (last < 0)
		return diag_fail(
			d, -errno, "cannot open %s: %s", text_escape_str(path, shown, sizeof(shown)), strerror(errno));
	*ret = last;
	return 0;
}

int fs_fd_path(int fd, char **ret)
{
	static const char deleted[] = " (deleted)";
	char link[64], target[FS_LINK_MAX + 1];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, target, FS_LINK_MAX);
	if (n < 0)
		return -errno;
	if (n == FS_LINK_MAX)
		return -ENAMETOOLONG;
	target[n] = '\0';
	if (target[0] != '/')
		return -ENOENT;
	if ((size_t)n > sizeof(deleted) && strcmp(target + n - (sizeof(deleted) - 1), deleted) == 0) {
		struct stat st, named;
		/* A living file may really be called "x (deleted)"; so may another one, planted in its place. */
		if (fstat(fd, &st) < 0 || st.st_nlink == 0 || lstat(target, &named) < 0 || st.st_dev != named.st_dev ||
			st.st_ino != named.st_ino)
			return -ENOENT;
	}
	*ret = strdup(target);
	return *ret ? 0 : -ENOMEM;
}

bool fs_path_within(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	if (n == 1 && dir[0] == '/')
		return path[0] == '/';
	return strncmp(path, dir, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

int fs_path_clean(const char *path, char **ret)
{
	_cleanup_free_ char *copy = strdup(path);
	_cleanup_free_ char *out = malloc(strlen(path) + 2);
	size_t len = 0;
	char *rest, *name;

	if (!copy || !out)
		return -ENOMEM;
	if (path[0] != '/')
		return -EINVAL;
	for (rest = copy; (name = strsep(&rest, "/"));) {
		size_t n = strlen(name);
		if (n == 0 || strcmp(name, ".") == 0)
			continue;
		if (strcmp(name, "..") == 0)
			return -EINVAL;
		out[len++] = '/';
		memcpy(out + len, name, n);
		len += n;
	}
	if (len == 0)
		out[len++] = '/';
	out[len] = '\0';
	*ret = STEAL_PTR(out);
	return 0;
}

bool fs_is_locked(int dir, const char *name)
{
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

int fs_list(int dir, DIR **ret)
{
	_cleanup_close_ int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	*ret = fdopendir(fd);
	if (!*ret)
		return -errno;
	steal_fd(&fd);
	return 0;
}

int fs_watch(const int *dirs, size_t n, uint32_t mask)
{
	_cleanup_close_ int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char path[64];

	for (size_t i = 0; fd >= 0 && i < n; i++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", dirs[i]);
		if (inotify_add_watch(fd, path, mask) < 0)
			return -1;
	}
	return steal_fd(&fd);
}

bool fs_is_served(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) < 0 || fs.f_type == FUSE_SUPER_MAGIC;
}

bool fs_is_served_at(int dir, const char *name)
{
	_cleanup_close_ int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 || fs_is_served(fd);
}
