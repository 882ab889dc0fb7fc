/* SPDX-License-Identifier: Apache-2.0 */
/* names - see names.h */
#include "base/names.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/io.h"

enum { NAMES_FILE_MAX = 64 << 20 };

/* A stream of the file's bytes, which stand in b: fgetpwent(3) asks a file that it reads for its position at each line.
 * NULL: it is not there, or is empty. */
static FILE *open_read(const char *path, struct buf *b)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd >= 0 && io_read_all(fd, b) == 0 && b->len ? fmemopen(b->data, b->len, "r") : NULL;
}

int names_user(uid_t uid, char **ret_name, char **ret_home)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(NAMES_FILE_MAX);
	_cleanup_fclose_ FILE *f = open_read("/etc/passwd", &bytes);
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
	_cleanup_buf_ struct buf bytes = BUF_INIT(NAMES_FILE_MAX);
	_cleanup_fclose_ FILE *f = open_read("/etc/group", &bytes);
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
