/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fence - Landlock over the finished tree: a second wall that says the mount table again
 *
 * TCP is left alone: the namespace has only its own loopback, which is the server's to use. Scopes for signals and
 * abstract sockets hold as far as this kernel's ABI goes; the ABI is reported.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <linux/landlock.h>
#include <unistd.h>
#include "base/landlock.h"
#include "enter/enter.h"
#include "wire/sandbox_tables.h"

/* ABI 3 and 5 are newer than the build machine's header may be. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif

enum { PATH_BYTES = 512 };

static const uint64_t fs_read = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
static const uint64_t fs_modify = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE;
/* Neither MAKE_CHAR nor MAKE_BLOCK: no device is made in any tree. */
static const uint64_t fs_create = LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
				  LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
				  LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
				  LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER;

/* 0: the rule of a mount around it says enough (or, for links and masks, there is nothing to allow). */
static uint64_t rights(const struct plan_mount *m)
{
	uint64_t execute = m->flags & PLAN_NOEXEC ? 0 : LANDLOCK_ACCESS_FS_EXECUTE;

	switch (m->kind) {
	case PLAN_BIND:
		return fs_read | execute | (m->flags & PLAN_WRITE ? fs_modify | fs_create : 0);
	case PLAN_TMPFS:
		return fs_read | execute | fs_modify | fs_create;
	case PLAN_PROC:
		return fs_read | fs_modify;
	case PLAN_DEV:
	case PLAN_DIR:
		return LANDLOCK_ACCESS_FS_READ_DIR;
	case PLAN_FILE:
		return LANDLOCK_ACCESS_FS_READ_FILE;
	case PLAN_SYMLINK:
	case PLAN_MASK:
	case PLAN_PIN:
	case PLAN_MOUNT_KIND_COUNT:
		return 0;
	}
	return 0;
}

static int allow(struct enter *e, int ruleset, const char *path, uint64_t access)
{
	_cleanup_close_ int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	int r = fd < 0 ? -errno : landlock_allow_path(ruleset, fd, access);

	return r < 0 ? enter_fail(e, r, path) : 0;
}

static int allow_devices(struct enter *e, int ruleset, const char *dev)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(sandbox_devices); i++) {
		char path[PATH_BYTES];
		snprintf(path, sizeof(path), "%s/%s", dev, sandbox_devices[i].name);
		/* IOCTL_DEV: isatty(3) on /dev/null must answer ENOTTY as it does outside. */
		r = allow(e, ruleset, path, LANDLOCK_ACCESS_FS_READ_FILE | fs_modify | LANDLOCK_ACCESS_FS_IOCTL_DEV);
	}
	return r;
}

static int allow_plan(struct enter *e, int ruleset)
{
	int r = allow(e, ruleset, "/", LANDLOCK_ACCESS_FS_READ_DIR);

	for (size_t i = 0; r == 0 && i < e->plan.n_mounts; i++) {
		const struct plan_mount *m = &e->plan.mounts[i];
		uint64_t access = rights(m);
		if (access)
			r = allow(e, ruleset, m->target, access);
		if (r == 0 && m->kind == PLAN_DEV)
			r = allow_devices(e, ruleset, m->target);
	}
	return r;
}

int stage_landlock(struct enter *e)
{
	_cleanup_close_ int ruleset = -1;
	int abi = landlock_abi();
	struct landlock_attr attr;
	int r;

	if (abi < 0)
		return abi;
	attr = landlock_all(abi);
	attr.net = 0;
	r = landlock_create(&attr, &ruleset);
	if (r == 0)
		r = allow_plan(e, ruleset);
	if (r == 0)
		r = landlock_restrict(ruleset);
	e->landlock = abi;
	return r;
}
