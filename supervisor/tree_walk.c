/* SPDX-License-Identifier: Apache-2.0 */
/* tree_walk - see tree_walk.h */
#include "supervisor/tree_walk.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct walk {
	tree_visit_fn *visit;
	void *arg;
	unsigned entries;
	char path[TREE_PATH_MAX];
};

/* File systems that leave d_type unknown. */
static unsigned char type_of(int dirfd, const struct dirent *e)
{
	struct stat st;

	if (e->d_type != DT_UNKNOWN)
		return e->d_type;
	if (fstatat(dirfd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return DT_UNKNOWN;
	return (unsigned char)IFTODT(st.st_mode);
}

/* An owner can always give himself back what the mode denies. */
static int unreadable(int dirfd, const char *name)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT || errno == EACCES ? 0 : -errno;
	return st.st_uid == geteuid() || faccessat(dirfd, name, X_OK, AT_EACCESS) == 0 ? -EACCES : 0;
}

static int walk_dir(struct walk *w, int fd, size_t len, unsigned depth);

static int walk_entry(struct walk *w, int dirfd, const struct dirent *e, size_t len, unsigned depth)
{
	unsigned char type = type_of(dirfd, e);
	int n, fd;

	if (++w->entries > TREE_ENTRIES_MAX || depth >= TREE_DEPTH_MAX)
		return -E2BIG;
	n = snprintf(w->path + len, sizeof(w->path) - len, "%s%s", len ? "/" : "", e->d_name);
	if (n >= (int)(sizeof(w->path) - len))
		return -E2BIG;
	if (w->visit(w->arg, w->path, e->d_name, type) == TREE_SKIP || type != DT_DIR)
		return 0;
	fd = openat(dirfd, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == EACCES)
		return unreadable(dirfd, e->d_name);
	if (fd < 0)
		/* Gone meanwhile. */
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : -errno;
	return walk_dir(w, fd, len + (size_t)n, depth + 1);
}

static int walk_dir(struct walk *w, int fd, size_t len, unsigned depth)
{
	_cleanup_closedir_ DIR *dir = fdopendir(fd);
	struct dirent *e;
	int r = 0;

	if (!dir) {
		r = -errno;
		close(fd);
		return r;
	}
	while (r == 0 && (errno = 0, e = readdir(dir)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = walk_entry(w, dirfd(dir), e, len, depth);
	w->path[len] = '\0';
	return r < 0 ? r : -errno;
}

int tree_walk(const char *root, tree_visit_fn *visit, void *arg)
{
	struct walk w = { .visit = visit, .arg = arg };
	int fd = open(root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return errno == EACCES ? unreadable(AT_FDCWD, root) : -errno;
	return walk_dir(&w, fd, 0, 0);
}
