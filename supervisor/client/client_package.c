/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client_package - the package that a script belongs to (client_parts.h)
 *
 * npm: the nearest package.json above it that has a name. Python: the distribution whose RECORD names bin/SCRIPT (PyPA,
 * "Recording installed projects"). Where root alone can change script and file, the package is held.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include "base/fs.h"
#include "base/io.h"
#include "supervisor/client/client_parts.h"

enum { PACKAGE_JSON_MAX = 1 << 20, RECORD_MAX = 8 << 20, LEVELS_MAX = 16, SITES_MAX = 8, DISTS_MAX = 4096 };

static int take(struct client_look *l, const char *kind, const char *name, const char *version, size_t n_version)
{
	if (asprintf(&l->c->package, "%s:%s", kind, name) < 0) {
		l->c->package = NULL;
		return -ENOMEM;
	}
	l->c->version = version ? strndup(version, n_version) : NULL;
	return version && !l->c->version ? -ENOMEM : 0;
}

static int read_whole(const char *path, size_t max, struct buf *b, struct stat *st)
{
	_cleanup_close_ int fd = client_open_file(path, st);

	*b = BUF_INIT(max);
	return fd < 0 ? fd : io_read_all(fd, b);
}

/* 1: that is it; 0: look further up. */
static int try_package_json(struct client_look *l, const char *path)
{
	_cleanup_buf_ struct buf b = BUF_INIT(0);
	const char *name, *version;
	struct stat st;
	json_t *root;
	int r = read_whole(path, PACKAGE_JSON_MAX, &b, &st);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	root = json_loadb(b.data ? b.data : "", b.len, JSON_REJECT_DUPLICATES, NULL);
	name = json_string_value(json_object_get(root, "name"));
	version = json_string_value(json_object_get(root, "version"));
	r = name && *name ? take(l, "npm", name, version, version ? strlen(version) : 0) : 0;
	if (r == 0 && l->c->package) {
		l->c->package_held = l->c->script.held && client_file_held(path, &st);
		r = 1;
	}
	json_decref(root);
	return r;
}

static int find_npm(struct client_look *l)
{
	char dir[PATH_MAX], path[PATH_MAX + 16];
	char *slash;
	int r = 0;

	snprintf(dir, sizeof(dir), "%s", l->c->script.path);
	for (unsigned i = 0; r == 0 && i < LEVELS_MAX && (slash = strrchr(dir, '/')); i++) {
		*slash = '\0';
		snprintf(path, sizeof(path), "%s/package.json", dir);
		r = try_package_json(l, path);
	}
	return r < 0 ? r : 0;
}

/* SITE/NAME-VERSION.dist-info: does it say that it installed the script? */
static int try_dist(struct client_look *l, const char *site, const char *dist, const char *line)
{
	_cleanup_buf_ struct buf b = BUF_INIT(0);
	_cleanup_free_ char *path = NULL, *name = strndup(dist, strcspn(dist, "-"));
	const char *version = strchr(dist, '-'), *at;
	struct stat st;
	int r;

	if (!name || !version || asprintf(&path, "%s/%s/RECORD", site, dist) < 0)
		return name ? 0 : -ENOMEM;
	r = read_whole(path, RECORD_MAX, &b, &st);
	if (r < 0 || !b.data)
		return r == -ENOMEM ? r : 0;
	at = strstr(b.data, line);
	if (!at || (at != b.data && at[-1] != '\n'))
		return 0;
	r = take(l, "pypi", name, version + 1, strlen(version + 1) - strlen(".dist-info"));
	l->c->package_held = r == 0 && l->c->script.held && client_file_held(path, &st);
	return r < 0 ? r : 1;
}

static int look_in_site(struct client_look *l, const char *site, const char *line)
{
	_cleanup_closedir_ DIR *dir = opendir(site);
	struct dirent *e;
	int r = 0;

	for (unsigned i = 0; r == 0 && dir && i < DISTS_MAX && (e = readdir(dir)); i++) {
		size_t n = strlen(e->d_name);
		if (n > 10 && strcmp(e->d_name + n - 10, ".dist-info") == 0)
			r = try_dist(l, site, e->d_name, line);
	}
	return r;
}

/* PREFIX/bin/NAME belongs to a distribution in PREFIX/lib/pythonX.Y/site-packages. */
static int find_python(struct client_look *l)
{
	_cleanup_free_ char *prefix = strdup(l->c->script.path), *lib = NULL, *line = NULL;
	char *slash = prefix ? strrchr(prefix, '/') : NULL;
	struct dirent *e;
	int r = 0;

	if (!prefix)
		return -ENOMEM;
	if (!slash || slash - prefix < 4 || strncmp(slash - 4, "/bin", 4) != 0)
		return 0;
	if (asprintf(&line, "../../../bin/%s,", slash + 1) < 0) {
		line = NULL;
		return -ENOMEM;
	}
	slash[-4] = '\0';
	if (asprintf(&lib, "%s/lib", prefix) < 0) {
		lib = NULL;
		return -ENOMEM;
	}
	_cleanup_closedir_ DIR *dir = opendir(lib);
	for (unsigned i = 0; r == 0 && dir && i < SITES_MAX && (e = readdir(dir));) {
		char site[PATH_MAX];
		if (strncmp(e->d_name, "python3.", 8) != 0)
			continue;
		i++;
		snprintf(site, sizeof(site), "%s/%s/site-packages", lib, e->d_name);
		r = look_in_site(l, site, line);
	}
	return r < 0 ? r : 0;
}

int client_script_package(struct client_look *l)
{
	int r;

	if (!l->c->script.path || l->c->script.path[0] != '/')
		return 0;
	r = find_python(l);
	return r < 0 || l->c->package ? r : find_npm(l);
}
