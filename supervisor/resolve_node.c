/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve_node - where Node's package managers put things (resolve_internal.h)
 *
 * Node looks for a package in node_modules of each directory upwards (Node.js manual, "Loading from node_modules
 * folders").
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include "base/fs.h"
#include "supervisor/resolve_internal.h"

/* Length of the path up to the outermost component of one of the names, or 0. pnpm's global store is ".pnpm" itself. */
static size_t outermost(const char *path)
{
	static const char *const names[] = { "/node_modules/", "/.pnpm/" };
	size_t best = 0;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *at = strstr(path, names[i]);
		size_t n = at ? (size_t)(at - path) + strlen(names[i]) - 1 : 0;
		if (n && (!best || n < best))
			best = n;
	}
	return best;
}

/* A package that is a link out of the tree (npm workspaces, npm link) is code too. */
static int add_linked(struct resolve *c, const char *root, const char *link)
{
	static const char *const names[] = { "package.json" };
	_cleanup_free_ char *real = NULL, *dir = NULL;
	int r = resolve_walk(link, &real, &c->links);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	if (fs_path_within(real, root) || !resolve_is_dir(real))
		return 0;
	r = resolve_nearest(c, real, names, ARRAY_LEN(names), &dir);
	if (r < 0 || !dir)
		return r;
	return resolve_tree_dir(c, dir, "linked npm package");
}

static int scan_links(struct resolve *c, const char *root, const char *dir, bool scopes)
{
	_cleanup_closedir_ DIR *list = opendir(dir);
	struct dirent *e;
	int r = 0;

	while (r == 0 && list && (e = readdir(list))) {
		char path[PATH_MAX];
		if (*e->d_name == '.' || snprintf(path, sizeof(path), "%s/%s", dir, e->d_name) >= (int)sizeof(path))
			continue;
		if (e->d_type == DT_LNK)
			r = add_linked(c, root, path);
		else if (scopes && *e->d_name == '@')
			r = scan_links(c, root, path, false);
	}
	return r;
}

static int add_node_modules(struct resolve *c, const char *dir)
{
	static const char global[] = "/lib/node_modules";
	size_t n = strlen(dir);
	bool is_global = n > sizeof(global) && strcmp(dir + n - sizeof(global) + 1, global) == 0;
	int r = resolve_tree_dir(c, dir, is_global ? "global npm packages" : "npm packages");

	return r < 0 ? r : scan_links(c, dir, dir, true);
}

int resolve_node_modules(struct resolve *c, const char *real)
{
	_cleanup_free_ char *dir = NULL;
	size_t n = outermost(real);
	int r;

	if (n == 0)
		return 0;
	dir = strndup(real, n);
	r = dir ? add_node_modules(c, dir) : -ENOMEM;
	return r < 0 ? r : 1;
}

/* Packages of a directory further up (a workspace's root). */
static int add_modules_above(struct resolve *c, const char *dir)
{
	_cleanup_free_ char *at = strdup(dir);
	int r = 0;

	while (r == 0 && at && strcmp(at, "/") != 0) {
		_cleanup_free_ char *modules = resolve_join(at, "node_modules"), *real = NULL;
		if (!modules)
			return -ENOMEM;
		if (resolve_is_dir(modules) && resolve_walk(modules, &real, &c->links) == 0)
			r = add_node_modules(c, real);
		bool last = strcmp(at, c->p->home) == 0;
		char *up = resolve_dirname(at);
		free(at);
		at = up;
		if (last)
			break;
	}
	return at ? r : -ENOMEM;
}

/* Does the script load a file beside it? Then its directory is its code. */
static bool loads_neighbours(const char *file)
{
	static const char *const marks[] = { "'./", "\"./", "`./" };
	_cleanup_buf_ struct buf b = BUF_INIT(RESOLVE_TEXT_MAX);

	if (resolve_read(file, &b) < 0 || !b.data)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(marks); i++)
		if (strstr(b.data, marks[i]))
			return true;
	return false;
}

int resolve_node_project(struct resolve *c, const char *real)
{
	static const char *const names[] = { "package.json", "deno.json", "deno.jsonc" };
	_cleanup_free_ char *dir = resolve_dirname(real), *project = NULL;
	int r = dir ? resolve_nearest(c, dir, names, ARRAY_LEN(names), &project) : -ENOMEM;

	if (r < 0)
		return r;
	if (project)
		r = resolve_tree_dir(c, project, "project of the script");
	else if (loads_neighbours(real) && !resolve_too_wide(c, dir))
		r = resolve_tree_dir(c, dir, "directory of the script");
	else
		r = resolve_tree_file(c, real, "script");
	return r < 0 ? r : add_modules_above(c, project ? project : dir);
}
