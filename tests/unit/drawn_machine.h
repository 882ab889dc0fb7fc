/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drawn_machine - a machine of the test's own for launches that are drawn: in a mount namespace there are an /etc, in
 * which root says something, and an ordinary user, whose are all other files of the test
 *
 * Root becomes somebody else for what is tested; whoever is not root is root and user at once, in a user namespace, so
 * that only places tell the two apart.
 */
#pragma once
#include "tests/unit/unit.h"
#include "tests/unit/unprivileged.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include "supervisor/identity.h"

#define MACHINE_USER	 "launches"
#define MACHINE_STRANGER "stranger"

enum { MACHINE_TEXT = 512 };

static char base[64] = "/tmp/stockade-launches-XXXXXX";
static uid_t user; /* whose the launches are */

/* As whoever, 0 is root. */
static inline void become(uid_t uid)
{
	if (user == 0)
		return;
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(seteuid(uid), 0);
}

static inline void put(uid_t as, const char *path, const char *text)
{
	become(as);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	become(user);
}

static inline void put_json(uid_t as, const char *path, const json_t *o)
{
	_cleanup_free_ char *text = json_dumps(o, JSON_INDENT(1));

	put(as, path, text);
}

static inline const char *at(const char *rest)
{
	static char ring[16][PATH_MAX];
	static unsigned n;
	char *ret = ring[n++ % ARRAY_LEN(ring)];

	snprintf(ret, PATH_MAX, "%s/%s", base, rest);
	return ret;
}

static inline void make_dirs(uid_t as, const char *path, mode_t mode)
{
	char part[PATH_MAX];

	become(as);
	for (const char *slash = path; (slash = strchr(slash + 1, '/')) || *path;) {
		snprintf(part, sizeof(part), "%.*s", slash ? (int)(slash - path) : (int)strlen(path), path);
		if (mkdir(part, mode) < 0)
			assert_true(errno == EEXIST || errno == EACCES);
		if (!slash)
			break;
	}
	become(user);
}

static inline int put_line(const char *path, const char *fmt, ...) _printf_(2, 3);
static inline int put_line(const char *path, const char *fmt, ...)
{
	FILE *f = fopen(path, "we");
	va_list ap;

	if (!f)
		return -1;
	va_start(ap, fmt);
	(void)vfprintf(f, fmt, ap);
	va_end(ap);
	return fclose(f);
}

/* Groups of which the user is a member, and others. */
static const struct machine_group {
	const char *name;
	bool has_user;
} machine_groups[] = {
	{ "listed", true },    /* its line names the user */
	{ "own", true },       /* the user's own, by /etc/passwd */
	{ "gid:70001", true }, /* "listed" by its number */
	{ "strangers", false },
	{ "gid:70002", false }, /* that by its number */
	{ "gid:70009", false }, /* nobody knows it */
	{ "absent", false },
};

static inline int put_users(void)
{
	if (put_line(at("etc-up/passwd"),
		    MACHINE_USER ":x:%u:%u::%s/home:/bin/sh\n" MACHINE_STRANGER
				 ":x:992:992::%s/home2:/bin/sh\n%s:x:991:991::/:/bin/sh\n",
		    user, user, base, base, IDENTITY_USER) < 0)
		return -1;
	return put_line(at("etc-up/group"),
		"listed:x:70001:" MACHINE_USER "\nown:x:%u:\nstrangers:x:70002:" MACHINE_STRANGER "\n", user);
}

/* An /etc of our own, with what is root's in it. */
static inline int make_etc(void)
{
	char options[MACHINE_TEXT];

	static const char *const dirs[] = { "profiles", "kill.d", "keys", "approvals" };

	if (mkdir(at("etc-up"), 0755) < 0 || mkdir(at("etc-work"), 0755) < 0 || put_users() < 0)
		return -1;
	snprintf(options, sizeof(options), "lowerdir=/etc,upperdir=%s/etc-up,workdir=%s/etc-work", base, base);
	if (mount("overlay", "/etc", "overlay", 0, options) < 0)
		return -1;
	(void)mkdir("/etc/stockade", 0755);
	if (mount("tmpfs", "/etc/stockade", "tmpfs", 0, "mode=755") < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		snprintf(options, sizeof(options), "/etc/stockade/%s", dirs[i]);
		if (mkdir(options, 0755) < 0)
			return -1;
	}
	return 0;
}

static inline int make_namespaces(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	user = uid ? 0 : UNPRIVILEGED_ID;
	if (unshare(CLONE_NEWNS | (uid ? CLONE_NEWUSER : 0)) < 0)
		return -1;
	if (uid && (put_line("/proc/self/setgroups", "deny") < 0 || put_line("/proc/self/uid_map", "0 %u 1", uid) < 0 ||
			   put_line("/proc/self/gid_map", "0 %u 1", gid) < 0))
		return -1;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

static inline int machine_up(void)
{
	if (make_namespaces() < 0)
		return -1;
	umask(022);
	if (!mkdtemp(base) || mount("tmpfs", base, "tmpfs", 0, "mode=755") < 0)
		return -1;
	if (make_etc() < 0 || chown(base, user, user) < 0)
		return -1;
	if (user == 0)
		return 0;
	/* Root stays within reach, for what is his to write. */
	return setgroups(0, NULL) < 0 || setresgid(user, user, user) < 0 ? -1 : setresuid(user, user, 0);
}

static inline void machine_down(void)
{
	become(0);
	(void)umount2(base, MNT_DETACH);
	(void)rmdir(base);
}
