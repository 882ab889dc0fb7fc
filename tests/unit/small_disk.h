/* SPDX-License-Identifier: Apache-2.0 */
/* small_disk - a filesystem of few bytes over a log directory, in a namespace of the calling process's own */
#pragma once
#include "tests/unit/audit_unit.h"

#include <sched.h>
#include <sys/mount.h>

static inline void put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* A user or group that the namespace does not know may create nothing there (EOVERFLOW). */
static inline void map_ourselves(uid_t uid, gid_t gid)
{
	char map[32];

	snprintf(map, sizeof map, "%u %u 1", uid, uid);
	put_text("/proc/self/uid_map", map);
	put_text("/proc/self/setgroups", "deny");
	snprintf(map, sizeof map, "%u %u 1", gid, gid);
	put_text("/proc/self/gid_map", map);
}

/* A mount namespace of the child's own; of user namespaces, which it needs unless it is root's, 32 are in one another.
 */
static inline void own_mounts(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (unshare(uid == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) < 0) {
		print_error("namespaces: %s\n", strerror(errno));
		_exit(10);
	}
	if (uid != 0)
		map_ourselves(uid, gid);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		print_error("mounts of its own: %s\n", strerror(errno));
		_exit(10);
	}
}

/* In own_mounts a tmpfs over the directory, and over the one before. */
static inline void put_disk(struct log_dir *l, const char *options)
{
	if (mount("tmpfs", l->path, "tmpfs", 0, options) < 0) {
		print_error("a tmpfs in a namespace: %s\n", strerror(errno));
		_exit(10);
	}
	l->fd = open(l->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static inline void small_disk(struct log_dir *l, const char *options)
{
	own_mounts();
	put_disk(l, options);
}
