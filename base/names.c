/* SPDX-License-Identifier: Apache-2.0 */
/* names - see names.h */
#include "base/names.h"
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"

int names_user(uid_t uid, char **ret_name, char **ret_home)
{
	_cleanup_fclose_ FILE *f = fopen("/etc/passwd", "re");
	const struct passwd *pw;

	*ret_name = NULL;
	if (ret_home)
		*ret_home = NULL;
	while (f && (pw = fgetpwent(f))) {
		if (pw->pw_uid != uid)
			continue;
		*ret_name = strdup(pw->pw_name);
		if (ret_home)
			*ret_home = strdup(pw->pw_dir);
		return *ret_name && (!ret_home || *ret_home) ? 0 : -ENOMEM;
	}
	return 0;
}

bool names_id(const char *name, uid_t *ret)
{
	_cleanup_fclose_ FILE *f = fopen("/etc/passwd", "re");
	const struct passwd *pw;

	while (f && (pw = fgetpwent(f)))
		if (strcmp(pw->pw_name, name) == 0) {
			*ret = pw->pw_uid;
			return true;
		}
	return false;
}

static int group_append(struct buf *b, gid_t gid)
{
	_cleanup_fclose_ FILE *f = fopen("/etc/group", "re");
	const char *comma = b->len ? "," : "";
	const struct group *gr;

	while (f && (gr = fgetgrent(f)))
		if (gr->gr_gid == gid)
			return buf_printf(b, "%s%s", comma, gr->gr_name);
	return buf_printf(b, "%s%u", comma, gid);
}

int names_groups(gid_t primary, const gid_t *list, size_t n, bool more, char **ret)
{
	_cleanup_buf_ struct buf b = BUF_INIT(NAMES_GROUPS_BYTES);
	int r = group_append(&b, primary);

	for (size_t i = 0; r == 0 && i < n; i++)
		if (list[i] != primary)
			r = group_append(&b, list[i]);
	if (r == 0 && more)
		r = buf_puts(&b, ",...");
	if (r < 0)
		return r;
	*ret = buf_steal(&b);
	return *ret ? 0 : -ENOMEM;
}
