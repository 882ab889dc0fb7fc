/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve_shim - shims of version managers, looked through without running them (resolve_internal.h)
 *
 * A shim is a script or program that stands in PATH for many and picks the version when it runs. Inside the sandbox it
 * would need the whole manager, and approving it would approve nothing of what it starts. So the choice is made here,
 * by the same files that the manager reads; its environment variables (PYENV_VERSION ...) are not the server's and do
 * not count. What cannot be decided is refused with the path to write instead.
 */
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <string.h>
#include "supervisor/resolve_internal.h"

int resolve_stand(struct resolve *c, const char *shim_dir, const char *real_dir)
{
	return strv_addf(&c->stands, "%s\t%s", shim_dir, real_dir);
}

int resolve_upwards(struct resolve *c, const char *name, resolve_up_fn *fn, void *arg)
{
	_cleanup_free_ char *at = strdup(c->cwd);
	int r = 0;

	while (r == 0 && at) {
		_cleanup_free_ char *file = resolve_join(at, name);
		if (!file)
			return -ENOMEM;
		if (resolve_is_file(file))
			r = fn(c, file, arg);
		if (strcmp(at, "/") == 0)
			break;
		char *up = resolve_dirname(at);
		free(at);
		at = up;
	}
	return at ? r : -ENOMEM;
}

static int say_unknown(struct resolve *c, const char *manager, const char *path, const char *example)
{
	return diag_fail(c->d, -ENOEXEC,
		"%s is a shim of %s, and %s's files do not say which version it would start here; write the absolute "
		"path of the program instead, e.g. %s",
		SHOWN(path), manager, manager, SHOWN(example));
}

/* --- pyenv and its kin --- */

struct env_manager {
	const char *name, *version_file;
};

static const struct env_manager env_managers[] = {
	{ "pyenv", ".python-version" },
	{ "rbenv", ".ruby-version" },
	{ "nodenv", ".node-version" },
	{ "jenv", ".java-version" },
	{ "goenv", ".go-version" },
	{ "plenv", ".perl-version" },
	{ "phpenv", ".php-version" },
};

struct env_search {
	const char *root, *shims, *name;
	char *ret;
};

/* The newest versions/PREFIX.* when "3.11" is no directory itself (pyenv's own rule since 2.3). */
static int newest_of(const char *root, const char *prefix, char **ret)
{
	char path[PATH_MAX];
	_cleanup_closedir_ DIR *list =
		snprintf(path, sizeof(path), "%s/versions", root) < (int)sizeof(path) ? opendir(path) : NULL;
	char best[NAME_MAX + 1] = "";
	size_t n = strlen(prefix);
	struct dirent *e;

	while (list && (e = readdir(list)))
		if (strncmp(e->d_name, prefix, n) == 0 && e->d_name[n] == '.' && strverscmp(e->d_name, best) > 0)
			memcpy(best, e->d_name, strlen(e->d_name) + 1);
	if (!*best)
		return 0;
	*ret = strdup(best);
	return *ret ? 1 : -ENOMEM;
}

/* 1 when ROOT/versions/VERSION/bin/NAME is there. */
static int try_version(struct resolve *c, struct env_search *s, const char *version)
{
	_cleanup_free_ char *newest = NULL, *path = NULL;
	char dir[PATH_MAX];

	if (strchr(version, '/'))
		return 0;
	if (strcmp(version, "system") == 0) {
		int r = resolve_lookup(c, s->name, s->shims, &s->ret);
		return r == 0 ? 1 : r == -ENOMEM ? r : 0;
	}
	if (snprintf(dir, sizeof(dir), "%s/versions/%s", s->root, version) >= (int)sizeof(dir))
		return 0;
	if (!resolve_is_dir(dir)) {
		int r = newest_of(s->root, version, &newest);
		if (r <= 0)
			return r;
		return try_version(c, s, newest);
	}
	if (asprintf(&path, "%s/bin/%s", dir, s->name) < 0)
		return -ENOMEM;
	if (!resolve_is_executable(path))
		return 0;
	s->ret = STEAL_PTR(path);
	return 1;
}

static int read_version_file(struct resolve *c, const char *file, void *arg)
{
	_cleanup_buf_ struct buf b = BUF_INIT(RESOLVE_TEXT_MAX);
	char *line_save = NULL, *word_save = NULL;
	int r = resolve_read(file, &b);

	if (r < 0 || !b.data)
		return r == -ENOMEM ? r : 0;
	for (char *line = strtok_r(b.data, "\r\n", &line_save); line; line = strtok_r(NULL, "\r\n", &line_save)) {
		line[strcspn(line, "#")] = '\0';
		for (char *word = strtok_r(line, " \t:", &word_save); word; word = strtok_r(NULL, " \t:", &word_save)) {
			r = try_version(c, arg, word);
			if (r != 0)
				return r;
		}
	}
	/* The nearest file decides, even when no version of it has the program. */
	return -ENOENT;
}

static int look_env(struct resolve *c, const struct env_manager *m, const char *root, const char *path, char **ret)
{
	_cleanup_free_ char *shims = resolve_dirname(path), *global = resolve_join(root, "version");
	struct env_search s = { .root = root, .shims = shims, .name = resolve_basename(path) };
	char example[PATH_MAX];
	int r;

	if (!shims || !global)
		return -ENOMEM;
	r = resolve_upwards(c, m->version_file, read_version_file, &s);
	if (r == 0)
		r = resolve_is_file(global) ? read_version_file(c, global, &s) : try_version(c, &s, "system");
	if (r == 0 || r == -ENOENT) {
		snprintf(example, sizeof(example), "%s/versions/VERSION/bin/%s", root, s.name);
		return say_unknown(c, m->name, path, example);
	}
	*ret = s.ret;
	return r;
}

int resolve_installed(const char *root, const char *tool, const char *version, const char *name,
	const char *const *places, size_t n, char **ret)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *path = NULL;
		if (asprintf(&path, "%s/installs/%s/%s/%s/%s", root, tool, version, places[i], name) < 0)
			return -ENOMEM;
		if (resolve_is_executable(path)) {
			*ret = STEAL_PTR(path);
			return 1;
		}
	}
	return 0;
}

/* --- asdf --- */

/* The tools of a .tool-versions file: "nodejs 20.1.0 18.2.0". want: the plugins that the shim names. */
struct asdf_search {
	const struct strv *plugins;
	const char *root, *shims, *name;
	char *ret;
};

static int try_asdf(struct resolve *c, struct asdf_search *s, const char *plugin, const char *version)
{
	static const char *const places[] = { "bin", ".npm/bin", "go/bin", "packages/bin", "." };

	if (strcmp(version, "system") == 0) {
		int r = resolve_lookup(c, s->name, s->shims, &s->ret);
		return r == 0 ? 1 : r == -ENOMEM ? r : 0;
	}
	if (strchr(version, '/'))
		return 0;
	return resolve_installed(s->root, plugin, version, s->name, places, ARRAY_LEN(places), &s->ret);
}

static int read_tool_versions(struct resolve *c, const char *file, void *arg)
{
	_cleanup_buf_ struct buf b = BUF_INIT(RESOLVE_TEXT_MAX);
	char *line_save = NULL, *word_save = NULL;
	struct asdf_search *s = arg;
	int r = resolve_read(file, &b);

	if (r < 0 || !b.data)
		return r == -ENOMEM ? r : 0;
	for (char *line = strtok_r(b.data, "\r\n", &line_save); line; line = strtok_r(NULL, "\r\n", &line_save)) {
		line[strcspn(line, "#")] = '\0';
		const char *plugin = strtok_r(line, " \t", &word_save);
		if (!plugin || !strv_contains(s->plugins, plugin))
			continue;
		for (char *version = strtok_r(NULL, " \t", &word_save); version;
			version = strtok_r(NULL, " \t", &word_save)) {
			r = try_asdf(c, s, plugin, version);
			if (r != 0)
				return r;
		}
	}
	return 0;
}

/* Lines "# asdf-plugin: nodejs 20.1.0" of a shim. */
static int read_plugins(char *text, struct strv *ret)
{
	char *save = NULL;
	int r = 0;

	for (char *line = strtok_r(text, "\n", &save); r == 0 && line; line = strtok_r(NULL, "\n", &save)) {
		char plugin[NAME_MAX];
		if (sscanf(line, "# asdf-plugin: %254s", plugin) == 1 && !strchr(plugin, '/'))
			r = strv_add(ret, plugin);
	}
	return r;
}

static int look_asdf(struct resolve *c, const char *root, const char *path, char *text, char **ret)
{
	_cleanup_free_ char *shims = resolve_dirname(path), *global = resolve_join(c->p->home, ".tool-versions");
	_cleanup_strv_ struct strv plugins = { 0 };
	struct asdf_search s = { .plugins = &plugins, .root = root, .shims = shims, .name = resolve_basename(path) };
	char example[PATH_MAX];
	int r = shims && global ? read_plugins(text, &plugins) : -ENOMEM;

	if (r == 0)
		r = resolve_upwards(c, ".tool-versions", read_tool_versions, &s);
	if (r == 0 && resolve_is_file(global))
		r = read_tool_versions(c, global, &s);
	if (r == 0) {
		snprintf(example, sizeof(example), "%s/installs/%s/VERSION/bin/%s", root,
			plugins.n ? plugins.v[0] : "PLUGIN", s.name);
		return say_unknown(c, "asdf", path, example);
	}
	*ret = s.ret;
	return r;
}

/* --- volta --- */

static json_t *load_json(const char *file)
{
	_cleanup_buf_ struct buf b = BUF_INIT(RESOLVE_TEXT_MAX);

	if (resolve_read(file, &b) < 0 || !b.data)
		return NULL;
	return json_loadb(b.data, b.len, 0, NULL);
}

/* "18.2.0" as a part of a path. */
static bool is_plain(const char *version)
{
	return version && *version && *version != '.' && !strchr(version, '/');
}

static int take_version(const json_t *value, char **ret)
{
	const char *version = json_string_value(value);

	if (!is_plain(version))
		return 0;
	*ret = strdup(version);
	return *ret ? 1 : -ENOMEM;
}

static int read_volta_project(struct resolve *c, const char *file, void *arg)
{
	json_t *root = load_json(file);
	int r = take_version(json_object_get(json_object_get(root, "volta"), "node"), arg);

	json_decref(root);
	return r;
}

static int volta_node(struct resolve *c, const char *root, char **ret)
{
	_cleanup_free_ char *file = resolve_join(root, "tools/user/platform.json");
	int r = file ? resolve_upwards(c, "package.json", read_volta_project, ret) : -ENOMEM;

	if (r != 0)
		return r;
	json_t *platform = load_json(file);
	r = take_version(json_object_get(json_object_get(platform, "node"), "runtime"), ret);
	json_decref(platform);
	return r;
}

/* A program of a package: tools/user/bins/NAME.json names the package and the node that it was installed for. */
static int volta_package(struct resolve *c, const char *root, const char *bin, const char *name, char **ret)
{
	_cleanup_free_ char *file = NULL, *node = NULL, *node_dir = NULL, *path = NULL;
	int r = 0;

	if (asprintf(&file, "%s/tools/user/bins/%s.json", root, name) < 0)
		return -ENOMEM;
	json_t *json = load_json(file);
	const char *package = json_string_value(json_object_get(json, "package"));
	if (package && !strstr(package, "..") &&
		asprintf(&path, "%s/tools/image/packages/%s/bin/%s", root, package, name) < 0)
		r = -ENOMEM;
	if (r == 0)
		r = take_version(json_object_get(json_object_get(json, "platform"), "node"), &node);
	json_decref(json);
	if (r < 0 || !path || !resolve_is_executable(path))
		return r < 0 ? r : 0;
	/* Volta puts that node before everything else, so "env node" of the package means it. */
	if (node && asprintf(&node_dir, "%s/tools/image/node/%s/bin", root, node) < 0)
		return -ENOMEM;
	if (node_dir)
		r = resolve_stand(c, bin, node_dir);
	*ret = STEAL_PTR(path);
	return r < 0 ? r : 1;
}

static int look_volta(struct resolve *c, const char *path, char **ret)
{
	_cleanup_free_ char *bin = resolve_dirname(path), *root = bin ? resolve_dirname(bin) : NULL, *version = NULL,
			    *node = NULL;
	const char *name = resolve_basename(path);
	char example[PATH_MAX];
	int r;

	if (!root)
		return -ENOMEM;
	r = volta_package(c, root, bin, name, ret);
	if (r != 0)
		return r;
	r = volta_node(c, root, &version);
	if (r < 0)
		return r;
	if (version && asprintf(&node, "%s/tools/image/node/%s/bin/%s", root, version, name) < 0)
		return -ENOMEM;
	if (node && resolve_is_executable(node)) {
		*ret = STEAL_PTR(node);
		return 1;
	}
	snprintf(example, sizeof(example), "%s/tools/image/node/VERSION/bin/%s", root, name);
	return say_unknown(c, "volta", path, example);
}

/* --- which one is it --- */

/* Links to one program that looks at the name it was called by. */
static int look_linked(struct resolve *c, const char *path, const char *real, char **ret)
{
	const char *program = resolve_basename(real), *name = resolve_basename(path);
	_cleanup_free_ char *dir = resolve_dirname(path);

	if (!dir)
		return -ENOMEM;
	if (strcmp(name, program) == 0)
		return 0;
	if (strcmp(program, "volta-shim") == 0)
		return look_volta(c, path, ret);
	if (strcmp(program, "mise") == 0 || strcmp(program, "rtx") == 0)
		return resolve_mise(c, dir, name, ret);
	if (strcmp(program, "snap") == 0)
		return diag_fail(c->d, -ENOEXEC,
			"%s is started by snapd, which cannot work inside a sandbox; write the path of the program in "
			"/snap/%s/current instead",
			SHOWN(path), SHOWN(name));
	return 0;
}

/* Scripts in ROOT/shims. */
static int look_script(struct resolve *c, const char *shims, const char *path, char **ret)
{
	_cleanup_free_ char *root = resolve_dirname(shims);
	_cleanup_buf_ struct buf b = BUF_INIT(RESOLVE_TEXT_MAX);
	int r = root ? resolve_read(path, &b) : -ENOMEM;
	char program[64];

	if (r < 0 || !b.data || strncmp(b.data, "#!", 2) != 0)
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; i < ARRAY_LEN(env_managers); i++) {
		snprintf(program, sizeof(program), "%s\" exec", env_managers[i].name);
		if (strstr(b.data, program))
			return look_env(c, &env_managers[i], root, path, ret);
	}
	if (strstr(b.data, "asdf exec") || strstr(b.data, "asdf\" exec"))
		return look_asdf(c, root, path, b.data, ret);
	return diag_fail(c->d, -ENOEXEC,
		"%s looks like the shim of a version manager that stockade does not know, so the program behind it "
		"cannot be shown or bound; write the absolute path of that program",
		SHOWN(path));
}

int resolve_shim(struct resolve *c, const char *path, const char *real, char **ret)
{
	_cleanup_free_ char *dir = resolve_dirname(path), *behind_dir = NULL;
	int r;

	if (!dir)
		return -ENOMEM;
	r = look_linked(c, path, real, ret);
	if (r == 0 && strcmp(resolve_basename(dir), "shims") == 0)
		r = look_script(c, dir, path, ret);
	if (r <= 0)
		return r;
	behind_dir = resolve_dirname(*ret);
	r = behind_dir ? resolve_stand(c, dir, behind_dir) : -ENOMEM;
	return r < 0 ? r : 1;
}
