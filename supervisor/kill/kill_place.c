/* SPDX-License-Identifier: Apache-2.0 */
/* kill_place - see kill_place.h */
#include "supervisor/kill/kill_place.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fs.h"
#include "base/io.h"
#include "base/text.h"

enum { TYPE_SIZE = 64 };

void kill_place_done(struct kill_place *p)
{
	if (p->top >= 0)
		close(p->top);
	*p = KILL_PLACE_NONE;
}

/* What is open here, by /proc: the file system itself is not asked. */
static int mount_of(int fd, uint64_t *ret)
{
	char path[64], line[128];
	_cleanup_fclose_ FILE *f = NULL;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "mnt_id: %" SCNu64, ret) == 1)
			return 0;
	return -ESRCH;
}

int kill_place_open(int users, const char *name, uid_t uid, struct kill_place *ret)
{
	static const unsigned long long within = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
	struct kill_place p = { .uid = uid };
	int r;

	p.top = fs_openat2(users, name, O_PATH | O_DIRECTORY, 0, within | RESOLVE_NO_XDEV);
	if (p.top == -EXDEV) {
		p.top = fs_openat2(users, name, O_PATH | O_DIRECTORY, 0, within);
		r = p.top < 0 ? p.top : mount_of(p.top, &p.mount);
	} else {
		r = p.top < 0 ? p.top : 0;
	}
	if (r < 0 && p.top >= 0)
		close(p.top);
	*ret = r < 0 ? KILL_PLACE_NONE : p;
	return r;
}

int kill_place_mounts(struct buf *ret)
{
	_cleanup_close_ int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);

	*ret = BUF_INIT(KILL_MOUNTS_BYTES);
	return fd < 0 ? -errno : io_read_all(fd, ret);
}

/* "36 35 98:0 /root /mount/point options ... - TYPE source options": the number first, the type behind the dash. */
static int type_of(const struct buf *mounts, uint64_t mount, char ret[TYPE_SIZE])
{
	for (const char *line = mounts->data; line && *line;) {
		const char *end = strchrnul(line, '\n'), *dash = strstr(line, " - ");
		char *rest;
		bool found = strtoull(line, &rest, 10) == mount && *rest == ' ';
		if (found && dash && dash < end && sscanf(dash, " - %63s", ret) == 1)
			return 0;
		line = *end ? end + 1 : end;
	}
	return -ESRCH;
}

/* May it be asked? */
static int check_mount(const struct kill_place *p, const struct buf *mounts, char why[KILL_PLACE_WORDS])
{
	char type[TYPE_SIZE], shown[TYPE_SIZE];

	if (!p->mount)
		return 0;
	if (type_of(mounts, p->mount, type) < 0) {
		snprintf(why, KILL_PLACE_WORDS, "something was mounted there just now");
		return -EXDEV;
	}
	if (strcmp(type, "tmpfs") == 0)
		return 0;
	snprintf(why, KILL_PLACE_WORDS, "a file system of type '%s' is mounted there",
		text_escape_str(type, shown, sizeof(shown)));
	return -EXDEV;
}

static bool is_private_dir(int fd, uid_t uid)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == uid && !(st.st_mode & (S_IWGRP | S_IWOTH));
}

int kill_place_sessions(const struct kill_place *p, const struct buf *mounts, int *ret, char why[KILL_PLACE_WORDS])
{
	_cleanup_close_ int dir = -1;
	int r = check_mount(p, mounts, why);

	if (r < 0)
		return r;
	dir = fs_openat2(p->top, "stockade/sessions", O_RDONLY | O_DIRECTORY, 0,
		RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
	if (dir < 0) {
		snprintf(why, KILL_PLACE_WORDS, "its stockade/sessions cannot be used: %s",
			dir == -EXDEV ? "something is mounted there" : strerror(-dir));
		return dir;
	}
	if (!is_private_dir(p->top, p->uid) || !is_private_dir(dir, p->uid)) {
		snprintf(why, KILL_PLACE_WORDS, "it is not that user's, or others can write it");
		return -EPERM;
	}
	*ret = steal_fd(&dir);
	return 0;
}
