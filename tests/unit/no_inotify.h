/* SPDX-License-Identifier: Apache-2.0 */
/* no_inotify - a user namespace in which inotify instances have run out, for what must do without them */
#pragma once
#include "tests/unit/unit.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

static inline bool no_inotify_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* For a child: this user stays who it is. True when inotify_init is refused from here on. */
static inline bool no_inotify(void)
{
	unsigned uid = geteuid(), gid = getegid();
	char users[64], groups[64];

	snprintf(users, sizeof(users), "%u %u 1", uid, uid);
	snprintf(groups, sizeof(groups), "%u %u 1", gid, gid);
	if (unshare(CLONE_NEWUSER) < 0 || !no_inotify_write("/proc/self/uid_map", users) ||
		!no_inotify_write("/proc/self/setgroups", "deny") || !no_inotify_write("/proc/self/gid_map", groups) ||
		!no_inotify_write("/proc/sys/user/max_inotify_instances", "0"))
		return false;
	return inotify_init1(IN_CLOEXEC) < 0 && errno == EMFILE;
}
