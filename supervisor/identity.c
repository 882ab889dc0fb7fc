/* SPDX-License-Identifier: Apache-2.0 */
/* identity - see identity.h */
#include "supervisor/identity.h"
#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>

/* /etc/passwd only: NSS is not linked, and a system user is local. */
static int find_user(const char *name, struct identity *ret)
{
	_cleanup_fclose_ FILE *f = fopen("/etc/passwd", "re");
	struct passwd *pw;

	if (!f)
		return -errno;
	while ((pw = fgetpwent(f))) {
		if (strcmp(pw->pw_name, name) != 0)
			continue;
		ret->uid = pw->pw_uid;
		ret->gid = pw->pw_gid;
		return 0;
	}
	return -ENOENT;
}

int identity_find(const struct paths *p, struct identity *ret, struct diag *d)
{
	*ret = (struct identity){ .uid = p->uid, .gid = p->gid };
	if (p->uid != 0) {
		snprintf(ret->login, sizeof(ret->login), "%.32s", p->user);
		if (p->gid == 0)
			return diag_fail(d, -EPERM,
				"your group is 0 (root), and a server never gets that: start stockade with your own "
				"group");
		return 0;
	}
	if (find_user(IDENTITY_USER, ret) < 0 || ret->uid == 0 || ret->gid == 0)
		return diag_fail(d, -EPERM,
			"started by root, but the user " IDENTITY_USER
			" that servers then run as does not exist: make it with 'useradd --system --user-group --shell "
			"/usr/sbin/nologin " IDENTITY_USER "'");
	ret->drop_root = true;
	snprintf(ret->login, sizeof(ret->login), "%s", IDENTITY_USER);
	return 0;
}

int identity_may_read(const struct identity *id, int fd, bool write)
{
	struct stat st;
	unsigned bits, want;

	if (fstat(fd, &st) < 0)
		return -errno;
	bits = st.st_uid == id->uid ? st.st_mode >> 6 : st.st_gid == id->gid ? st.st_mode >> 3 : st.st_mode;
	want = 4u | (S_ISDIR(st.st_mode) ? 1u : 0u) | (write ? 2u : 0u);
	return (bits & want) == want ? 0 : -EACCES;
}
