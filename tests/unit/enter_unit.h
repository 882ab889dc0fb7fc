/* SPDX-License-Identifier: Apache-2.0 */
/* enter_unit - one stage of enter in a child of the test's own, where it can do no harm */
#pragma once
#include "tests/unit/unit.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "enter/enter.h"
#include "tests/unit/unprivileged.h"

static inline struct enter enter_nothing(void)
{
	return (struct enter){ .who = ENTER_OUTER,
		.announced = -1,
		.root = -1,
		.empty_file = -1,
		.empty_dir = -1,
		.staging = -1,
		.channel = -1,
		.signals = -1 };
}

/* 0: the child came to its end and found all as it should be; else the place where it did not. */
static inline int in_child(int (*fn)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(fn());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status))
		fail_msg("ended by signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

/* A user namespace (and others) in which we are who we are, with every capability. */
static inline bool own_namespaces(int others)
{
	unsigned uid = geteuid(), gid = getegid();
	char map[64];
	int fd;

	if (unshare(CLONE_NEWUSER | others) < 0)
		return false;
	fd = open("/proc/self/setgroups", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "deny", 4) != 4)
		return false;
	close(fd);
	for (int i = 0; i < 2; i++) {
		int n = snprintf(map, sizeof(map), "%u %u 1", i ? gid : uid, i ? gid : uid);
		fd = open(i ? "/proc/self/gid_map" : "/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, map, (size_t)n) != n)
			return false;
		close(fd);
	}
	return true;
}
