/* SPDX-License-Identifier: Apache-2.0 */
/* versions - see versions.h */
#include "supervisor/signing/versions.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/fs.h"
#include "base/parse.h"

/* Is it the file of that profile, and of which version? "a.4.2" is version 2 of "a.4", none of "a". */
static bool is_of(const char *file, const char *name, uint64_t *ret)
{
	size_t n = strlen(name);

	return strncmp(file, name, n) == 0 && file[n] == '.' && parse_u64(file + n + 1, 1, INT64_MAX, ret) == 0;
}

static int seen_in(int dir, const char *name, uint64_t *ret, struct diag *d)
{
	_cleanup_closedir_ DIR *list = NULL;
	const struct dirent *e;
	int r = fs_list(dir, &list);

	*ret = 0;
	if (r < 0)
		return diag_fail(d, r, "the versions that were seen cannot be listed: %s", strerror(-r));
	for (errno = 0; (e = readdir(list)); errno = 0) {
		uint64_t v;
		if (is_of(e->d_name, name, &v) && v > *ret)
			*ret = v;
	}
	/* A list that breaks off may miss the highest. */
	return errno ? diag_fail(d, -errno, "the versions that were seen cannot be listed: %s", strerror(errno)) : 0;
}

int versions_seen(const struct paths *p, const char *name, uint64_t *ret, struct diag *d)
{
	_cleanup_close_ int dir = -1;
	int r = paths_open_seen(p, VERSIONS_DIR, &dir, d);

	return r < 0 ? r : seen_in(dir, name, ret, d);
}

static void remove_lower(int dir, const char *name, uint64_t version)
{
	_cleanup_closedir_ DIR *list = NULL;
	const struct dirent *e;

	if (fs_list(dir, &list) < 0)
		return;
	while ((e = readdir(list))) {
		uint64_t v;
		if (is_of(e->d_name, name, &v) && v < version)
			unlinkat(dir, e->d_name, 0);
	}
}

int versions_remember(const struct paths *p, const char *name, uint64_t version, struct diag *d)
{
	_cleanup_close_ int dir = -1, fd = -1;
	char file[256];
	uint64_t seen = 0;
	int r = paths_open_seen(p, VERSIONS_DIR, &dir, d);

	if (r == 0)
		r = seen_in(dir, name, &seen, d);
	if (r < 0 || version <= seen)
		return r;
	snprintf(file, sizeof(file), "%.200s.%llu", name, (unsigned long long)version);
	fd = openat(dir, file, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return diag_fail(d, -errno, "that version %llu of profile '%s' was started cannot be remembered: %s",
			(unsigned long long)version, name, strerror(errno));
	/* Lower ones go only when this one is there for good; a directory that cannot be synced keeps both. */
	if (fsync(dir) == 0)
		remove_lower(dir, name, version);
	return 0;
}
