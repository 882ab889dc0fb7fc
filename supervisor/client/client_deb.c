/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client_deb - which Debian package installed a file (client_parts.h)
 *
 * dpkg keeps a list of files for each package, INFO/NAME.list or INFO/NAME:ARCH.list (dpkg-query(1), --listfiles), and
 * what is installed in STATUS (deb-control(5)). Both are root's; nothing is run. What dpkg-divert(1) moved and what
 * other package systems installed (rpm, apk, pacman) is nobody's here.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "base/fs.h"
#include "base/io.h"
#include "supervisor/client/client_parts.h"

#define DPKG_INFO   "/var/lib/dpkg/info"
#define DPKG_STATUS "/var/lib/dpkg/status"

enum { LIST_MAX = 16 << 20, STATUS_MAX = 64 << 20, PACKAGE_MAX = 200 };

/* A whole line of the list. */
static bool has_line(const struct buf *b, const char *line, size_t n)
{
	for (const char *at = b->data, *end = b->data + b->len; at && (at = memmem(at, (size_t)(end - at), line, n));
		at++)
		if ((at == b->data || at[-1] == '\n') && (at + n == end || at[n] == '\n'))
			return true;
	return false;
}

/* Of a system that merged /bin and the like into /usr, packages may list the old name. */
bool client_deb_lists(const struct buf *b, const char *path)
{
	static const char *const merged[] = { "/usr/bin/", "/usr/sbin/", "/usr/lib" };

	if (!b->data)
		return false;
	if (has_line(b, path, strlen(path)))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(merged); i++)
		if (strncmp(path, merged[i], strlen(merged[i])) == 0)
			return has_line(b, path + strlen("/usr"), strlen(path) - strlen("/usr"));
	return false;
}

static bool list_has(int dir, const char *name, const char *path)
{
	_cleanup_buf_ struct buf b = BUF_INIT(LIST_MAX);

	return fs_read_trusted(dir, name, FS_TRUST_ROOT, 0, &b, NULL) == 0 && client_deb_lists(&b, path);
}

/* "code.list" or "libc6:amd64.list": of which package? false: another file. */
static bool package_of(const char *file, char ret[PACKAGE_MAX])
{
	size_t n = strlen(file), name = strcspn(file, ":");

	if (n < 6 || strcmp(file + n - 5, ".list") != 0)
		return false;
	name = name < n - 5 ? name : n - 5;
	if (name >= PACKAGE_MAX)
		return false;
	memcpy(ret, file, name);
	ret[name] = '\0';
	return true;
}

int client_deb_version(const char *status, const char *package, char **ret)
{
	char head[PACKAGE_MAX + 16];
	const char *at, *end, *version;

	*ret = NULL;
	snprintf(head, sizeof(head), "Package: %s\n", package);
	for (at = status; (at = strstr(at, head)) && at != status && at[-1] != '\n';)
		at++;
	end = at ? strstr(at, "\n\n") : NULL;
	version = at ? strstr(at, "\nVersion: ") : NULL;
	if (!version || (end && version > end))
		return 0;
	version += strlen("\nVersion: ");
	*ret = strndup(version, strcspn(version, "\n"));
	return *ret ? 0 : -ENOMEM;
}

static int find_version(const char *package, char **ret)
{
	_cleanup_buf_ struct buf b = BUF_INIT(STATUS_MAX);

	*ret = NULL;
	if (fs_read_trusted(AT_FDCWD, DPKG_STATUS, FS_TRUST_ROOT, 0, &b, NULL) < 0 || !b.data)
		return 0;
	return client_deb_version(b.data, package, ret);
}

static int open_info(DIR **ret)
{
	_cleanup_close_ int fd = open(DPKG_INFO, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return fs_check_trusted_dir(fd, DPKG_INFO, FS_TRUST_ROOT, 0, NULL) < 0 ? -EPERM : fs_list(fd, ret);
}

int client_deb_find(const char *path, char **ret, char **ret_version)
{
	_cleanup_closedir_ DIR *dir = NULL;
	char package[PACKAGE_MAX];

	*ret = NULL;
	*ret_version = NULL;
	if (open_info(&dir) < 0)
		return 0;
	for (struct dirent *e; (e = readdir(dir));) {
		if (!package_of(e->d_name, package) || !list_has(dirfd(dir), e->d_name, path))
			continue;
		*ret = strdup(package);
		return *ret ? find_version(package, ret_version) : -ENOMEM;
	}
	return 0;
}

bool client_deb_owns(const char *package, const char *path)
{
	_cleanup_closedir_ DIR *dir = NULL;
	char of[PACKAGE_MAX];

	if (open_info(&dir) < 0)
		return false;
	for (struct dirent *e; (e = readdir(dir));)
		if (package_of(e->d_name, of) && strcmp(of, package) == 0 && list_has(dirfd(dir), e->d_name, path))
			return true;
	return false;
}
