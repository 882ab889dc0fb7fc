/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client_cache - what took long to find out of a file (client_parts.h)
 *
 * For records alone: whoever decides by a digest or a package finds it out anew, since the user can write this.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include "base/fs.h"
#include "supervisor/client/client_parts.h"
#include "supervisor/state_json.h"

enum { CACHE_FILE_MAX = 4096, NAME_SIZE = 64, SETTLE_S = 2 };

#define DPKG_INFO "/var/lib/dpkg/info"

static json_int_t ns_of(const struct timespec *t)
{
	return (json_int_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

static void name_of(const struct stat *st, char ret[NAME_SIZE])
{
	snprintf(ret, NAME_SIZE, "%" PRIx64 "-%" PRIx64 ".json", (uint64_t)st->st_dev, (uint64_t)st->st_ino);
}

/* Installing and removing makes and removes files there. */
static json_int_t packages_time(void)
{
	struct stat st;

	return stat(DPKG_INFO, &st) == 0 ? ns_of(&st.st_mtim) : 0;
}

static bool is_of(const json_t *root, const struct stat *st)
{
	json_int_t size, mtime, ctime, packages;

	return json_unpack((json_t *)(uintptr_t)root, "{s:I, s:I, s:I, s:I}", "size", &size, "mtime", &mtime, "ctime",
		       &ctime, "packages", &packages) == 0 &&
	       size == st->st_size && mtime == ns_of(&st->st_mtim) && ctime == ns_of(&st->st_ctim) &&
	       packages == packages_time();
}

static int take(const json_t *root, struct client_cached *ret)
{
	const char *digest = json_string_value(json_object_get(root, "digest"));
	const char *package = json_string_value(json_object_get(root, "package"));
	const char *version = json_string_value(json_object_get(root, "version"));

	if (digest && strlen(digest) < sizeof(ret->digest))
		memcpy(ret->digest, digest, strlen(digest) + 1);
	ret->package = package ? strdup(package) : NULL;
	ret->version = version ? strdup(version) : NULL;
	return (package && !ret->package) || (version && !ret->version) ? -ENOMEM : 0;
}

int client_cache_read(const struct paths *p, const struct stat *st, struct client_cached *ret)
{
	_cleanup_close_ int dir = -1;
	char name[NAME_SIZE];
	json_t *root = NULL;
	int r = paths_open_state(p, "clients", &dir, NULL);

	*ret = (struct client_cached){ "" };
	name_of(st, name);
	if (r == 0)
		r = state_json_read(dir, name, p->uid, CACHE_FILE_MAX, &root, NULL);
	if (r == 0 && is_of(root, st))
		r = take(root, ret);
	json_decref(root);
	return r == -ENOMEM ? r : 0;
}

void client_cache_write(const struct paths *p, const struct stat *st, const struct client_cached *c)
{
	time_t last = st->st_mtim.tv_sec > st->st_ctim.tv_sec ? st->st_mtim.tv_sec : st->st_ctim.tv_sec;
	_cleanup_close_ int dir = -1;
	_cleanup_free_ char *text = NULL;
	char name[NAME_SIZE];
	struct diag ignored;
	json_t *root;

	/* A change within the same tick of the file system's clock would not show in mtime and ctime. */
	if (last + SETTLE_S >= time(NULL) || paths_open_state(p, "clients", &dir, NULL) < 0)
		return;
	root = json_pack("{s:I, s:I, s:I, s:I, s:s, s:s*, s:s*}", "size", (json_int_t)st->st_size, "mtime",
		ns_of(&st->st_mtim), "ctime", ns_of(&st->st_ctim), "packages", packages_time(), "digest", c->digest,
		"package", c->package, "version", c->version);
	text = root ? json_dumps(root, JSON_COMPACT) : NULL;
	json_decref(root);
	name_of(st, name);
	/* One that cannot be written costs time only. */
	if (text && fs_write_atomic(dir, name, text, strlen(text), 0600, &ignored) < 0)
		return;
}

void client_cached_done(struct client_cached *c)
{
	free(c->package);
	free(c->version);
	*c = (struct client_cached){ "" };
}
