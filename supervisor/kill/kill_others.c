/* SPDX-License-Identifier: Apache-2.0 */
/* kill_others - see kill_others.h */
#include "supervisor/kill/kill_others.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include "base/fs.h"
#include "base/io.h"
#include "base/parse.h"

void kill_others_done(struct kill_others *o)
{
	for (size_t i = 0; i < o->n; i++)
		kill_told_done(&o->v[i]);
	free(o->v);
	*o = (struct kill_others){ 0 };
}

static bool is_told(const struct kill_others *o, uid_t uid)
{
	for (size_t i = 0; i < o->n; i++)
		if (o->v[i].uid == uid)
			return true;
	return false;
}

static bool is_private_dir(int fd, uid_t uid)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == uid && !(st.st_mode & (S_IWGRP | S_IWOTH));
}

/* -errno: no session of theirs is to be found there. */
static int open_sessions(int users, const char *name, uid_t uid, int *ret)
{
	_cleanup_close_ int top =
		fs_openat2(users, name, O_PATH | O_DIRECTORY, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
	_cleanup_close_ int dir = -1;

	if (top < 0)
		return top;
	/* RESOLVE_NO_XDEV: whoever answers for a file system of the user's (FUSE) could let root wait. */
	dir = fs_openat2(top, "stockade/sessions", O_RDONLY | O_DIRECTORY, 0,
		RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
	if (dir < 0)
		return dir;
	if (!is_private_dir(top, uid) || !is_private_dir(dir, uid))
		return -EPERM;
	*ret = steal_fd(&dir);
	return 0;
}

static int tell_user(struct kill_others *o, int users, const char *name, struct diag *d)
{
	uint64_t uid;
	int dir, r;

	/* Root's own are told as any user's own are. */
	if (parse_u64(name, 1, UINT32_MAX - 1, &uid) < 0 || is_told(o, (uid_t)uid))
		return 0;
	if (open_sessions(users, name, (uid_t)uid, &dir) < 0)
		return 0;
	r = GROW(o->v, o->n, o->room);
	if (r < 0) {
		close(dir);
		return r;
	}
	o->v[o->n] = KILL_TOLD_NONE;
	return kill_tell_other(dir, (uid_t)uid, o->verb, o->entry, &o->v[o->n++], d);
}

/* Each user takes some, and each session that ends one. */
static void take_descriptors(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0)
		return;
	l.rlim_cur = l.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &l);
}

static int tell_users(struct kill_others *o, struct diag *d)
{
	_cleanup_close_ int users = open(KILL_USERS_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = NULL;
	int r;

	/* No login manager: there is no such place. */
	if (users < 0)
		return errno == ENOENT ? 0 : diag_fail(d, -errno, KILL_USERS_DIR ": %s", strerror(errno));
	r = fs_list(users, &dir);
	/* Who cannot be told keeps nobody else from being. */
	for (const struct dirent *e; dir && o->n < KILL_USERS_MAX && (e = readdir(dir));) {
		int x = tell_user(o, users, e->d_name, d);
		r = r < 0 ? r : x;
	}
	return r < 0 ? diag_fail(d, r, "cannot reach the sessions of every user: %s", strerror(-r)) : 0;
}

int kill_others_tell(enum kill_verb verb, const struct kill_entry *e, struct kill_others *ret, struct diag *d)
{
	*ret = (struct kill_others){ .verb = verb, .entry = e };
	take_descriptors();
	return tell_users(ret, d);
}

int kill_others_tell_rest(struct kill_others *o, struct diag *d)
{
	int r = o->entry ? tell_users(o, d) : 0;

	for (size_t i = 0; i < o->n; i++) {
		int x = kill_tell_rest(NULL, &o->v[i], d);
		r = r < 0 ? r : x;
	}
	return r;
}

void kill_others_wait(struct kill_others *o, struct kill_told *total)
{
	uint64_t until = io_now_us() + (uint64_t)KILL_GONE_MS * 1000;

	for (size_t i = 0; i < o->n; i++) {
		const struct kill_told *t = &o->v[i];
		kill_told_wait_until(&o->v[i], until);
		total->reached += t->reached;
		total->forced += t->forced;
		total->left += t->left;
		total->left_alive += t->left_alive;
		if (t->left)
			total->why = t->why;
	}
}
