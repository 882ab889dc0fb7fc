/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve_layout - where Node's and Python's package managers put things (resolve_internal.h)
 *
 * Node looks for a package in node_modules of each directory upwards (Node.js manual, "Loading from node_modules
 * folders"). A virtual environment is a directory with pyvenv.cfg, whose key `home` names the interpreter's own
 * directory (Python manual, "venv" and "site"); *.pth files add directories.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fs.h"
#include "supervisor/resolve_internal.h"

/* --- Node --- */

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

/* --- Python --- */

/* "3.11" from ".../python3.11", following the name of the file; NULL when it holds no version. */
static const char *python_version(const char *real)
{
	const char *name = resolve_basename(real), *digits = strpbrk(name, "0123456789");

	return digits && strchr(digits, '.') ? digits : NULL;
}

int resolve_python_prefix(struct resolve *c, const char *real)
{
	_cleanup_free_ char *bin = resolve_dirname(real), *prefix = bin ? resolve_dirname(bin) : NULL;
	const char *version = python_version(real);
	char lib[PATH_MAX];
	int r;

	if (!prefix)
		return -ENOMEM;
	if (!version || snprintf(lib, sizeof(lib), "%s/lib/python%s", prefix, version) >= (int)sizeof(lib) ||
		!resolve_is_dir(lib))
		return resolve_tree_file(c, real, "Python");
	if (!resolve_too_wide(c, prefix))
		return resolve_tree_dir(c, prefix, "Python");
	r = resolve_tree_file(c, real, "Python");
	return r < 0 ? r : resolve_tree_dir(c, lib, "Python's library");
}

/* The value of `home = ...` in pyvenv.cfg, or NULL. */
static char *venv_home(const char *venv)
{
	_cleanup_free_ char *cfg = resolve_join(venv, "pyvenv.cfg");
	_cleanup_buf_ struct buf b = BUF_INIT(RESOLVE_TEXT_MAX);
	char *save = NULL;

	if (!cfg || resolve_read(cfg, &b) < 0 || !b.data)
		return NULL;
	for (char *line = strtok_r(b.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *value = strchr(line, '=');
		if (!value || strncmp(line, "home", 4) != 0 || line[4 + strspn(line + 4, " \t")] != '=')
			continue;
		value += 1 + strspn(value + 1, " \t");
		value[strcspn(value, "\r")] = '\0';
		return *value == '/' ? strdup(value) : NULL;
	}
	return NULL;
}

/* A directory named in a *.pth file: a package installed with pip install -e, or a project under uv. */
static int add_pth_line(struct resolve *c, const char *venv, const char *line)
{
	_cleanup_free_ char *real = NULL;
	int r;

	if (*line != '/')
		return 0;
	r = resolve_walk(line, &real, &c->links);
	if (r == -ENOMEM)
		return r;
	if (r < 0 || fs_path_within(real, venv) || !resolve_is_dir(real))
		return 0;
	return resolve_tree_dir(c, real, "package installed for editing");
}

/* setuptools writes the same as a table in Python: every quoted absolute path of the line that starts with MAPPING. */
static int add_finder(struct resolve *c, const char *venv, char *text)
{
	char *at = strstr(text, "\nMAPPING"), *end = at ? strchr(at + 1, '\n') : NULL;
	int r = 0;

	if (end)
		*end = '\0';
	while (r == 0 && at && (at = strstr(at, "'/"))) {
		char *stop = strchr(++at, '\'');
		if (!stop)
			break;
		*stop = '\0';
		r = add_pth_line(c, venv, at);
		at = stop + 1;
	}
	return r;
}

static int add_site_file(struct resolve *c, const char *venv, const char *path, bool finder)
{
	_cleanup_buf_ struct buf b = BUF_INIT(RESOLVE_TEXT_MAX);
	char *save = NULL;
	int r = resolve_read(path, &b);

	if (r < 0 || !b.data)
		return r == -ENOMEM ? r : 0;
	if (finder)
		return add_finder(c, venv, b.data);
	for (char *line = strtok_r(b.data, "\r\n", &save); r == 0 && line; line = strtok_r(NULL, "\r\n", &save))
		r = add_pth_line(c, venv, line);
	return r;
}

static int add_editable(struct resolve *c, const char *venv, const char *site)
{
	_cleanup_closedir_ DIR *list = opendir(site);
	struct dirent *e;
	int r = 0;

	while (r == 0 && list && (e = readdir(list))) {
		size_t n = strlen(e->d_name);
		bool pth = n > 4 && strcmp(e->d_name + n - 4, ".pth") == 0;
		bool finder =
			strncmp(e->d_name, "__editable__", 12) == 0 && n > 3 && strcmp(e->d_name + n - 3, ".py") == 0;
		char path[PATH_MAX];
		if ((pth || finder) && snprintf(path, sizeof(path), "%s/%s", site, e->d_name) < (int)sizeof(path))
			r = add_site_file(c, venv, path, finder);
	}
	return r;
}

/* Every VENV/lib/pythonX.Y/site-packages. */
static int add_editables(struct resolve *c, const char *venv)
{
	_cleanup_free_ char *lib = resolve_join(venv, "lib");
	_cleanup_closedir_ DIR *list = lib ? opendir(lib) : NULL;
	struct dirent *e;
	int r = 0;

	while (r == 0 && list && (e = readdir(list))) {
		char site[PATH_MAX];
		if (strncmp(e->d_name, "python", 6) == 0 &&
			snprintf(site, sizeof(site), "%s/%s/site-packages", lib, e->d_name) < (int)sizeof(site))
			r = add_editable(c, venv, site);
	}
	return r;
}

/* The interpreter that the environment was made from: its bin directory must work as it is written in pyvenv.cfg. */
static int add_base_python(struct resolve *c, const char *venv)
{
	static const char *const names[] = { "python3", "python" };
	_cleanup_free_ char *home = venv_home(venv), *dir = NULL;
	int r;

	if (!home)
		return diag_fail(c->d, -ENOENT,
			"%s/pyvenv.cfg does not say which Python it was made from (no line 'home = /...'); make the "
			"environment again",
			SHOWN(venv));
	r = resolve_walk(home, &dir, &c->links);
	if (r < 0)
		return diag_fail(c->d, r == -ENOMEM ? r : -ENOENT,
			"the Python that %s was made from is gone (%s, named in its pyvenv.cfg); make the environment "
			"again",
			SHOWN(venv), SHOWN(home));
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		_cleanup_free_ char *python = resolve_join(dir, names[i]), *real = NULL;
		if (!python)
			return -ENOMEM;
		r = resolve_walk(python, &real, NULL);
		if (r == 0)
			return resolve_tree_program(c, real, FAMILY_PYTHON);
		if (r == -ENOMEM)
			return r;
	}
	return 0;
}

int resolve_python_venv(struct resolve *c, const char *path)
{
	static const char *const names[] = { "pyvenv.cfg" };
	_cleanup_free_ char *dir = resolve_dirname(path), *venv = NULL;
	int r = dir ? resolve_nearest(c, dir, names, ARRAY_LEN(names), &venv) : -ENOMEM;

	if (r < 0 || !venv)
		return r;
	r = resolve_tree_dir(c, venv, "Python virtual environment");
	if (r == 0)
		r = add_base_python(c, venv);
	if (r == 0)
		r = add_editables(c, venv);
	return r < 0 ? r : 1;
}

/* Is NAME.py or NAME/ in dir? */
static bool has_module(const char *dir, const char *name, size_t n)
{
	char path[PATH_MAX];

	if (n == 0 || snprintf(path, sizeof(path), "%s/%.*s.py", dir, (int)n, name) >= (int)sizeof(path))
		return false;
	if (resolve_is_file(path))
		return true;
	path[strlen(path) - 3] = '\0';
	return resolve_is_dir(path);
}

/* Does a line `import X` or `from X` name a neighbour of the script? */
static bool imports_neighbours(const char *file, const char *dir)
{
	_cleanup_buf_ struct buf b = BUF_INIT(RESOLVE_TEXT_MAX);
	char *save = NULL;

	if (resolve_read(file, &b) < 0 || !b.data)
		return false;
	for (char *line = strtok_r(b.data, "\r\n", &save); line; line = strtok_r(NULL, "\r\n", &save)) {
		const char *word = line + strspn(line, " \t");
		size_t skip = strncmp(word, "import ", 7) == 0 ? 7 : strncmp(word, "from ", 5) == 0 ? 5 : 0;
		if (skip == 0)
			continue;
		word += skip + strspn(word + skip, " \t");
		if (has_module(
			    dir, word, strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")))
			return true;
	}
	return false;
}

int resolve_python_project(struct resolve *c, const char *real)
{
	static const char *const names[] = { "pyproject.toml", "setup.py", "setup.cfg", "requirements.txt" };
	_cleanup_free_ char *dir = resolve_dirname(real), *project = NULL;
	int r = dir ? resolve_nearest(c, dir, names, ARRAY_LEN(names), &project) : -ENOMEM;

	if (r < 0)
		return r;
	if (project)
		return resolve_tree_dir(c, project, "project of the script");
	if (!resolve_too_wide(c, dir) && imports_neighbours(real, dir))
		return resolve_tree_dir(c, dir, "directory of the script");
	return resolve_tree_file(c, real, "script");
}

int resolve_python_user_site(struct resolve *c, const char *interpreter)
{
	const char *version = python_version(interpreter);
	char site[PATH_MAX];

	if (!version ||
		snprintf(site, sizeof(site), "%s/.local/lib/python%s/site-packages", c->p->home, version) >=
			(int)sizeof(site) ||
		!resolve_is_dir(site))
		return 0;
	return resolve_tree_dir(c, site, "Python packages of the user (pip install --user)");
}

/* NAME.py or the package NAME/ in the working directory, which python -m looks at first. */
static int find_local_module(struct resolve *c, const char *name, size_t n, char **ret)
{
	static const char *const forms[] = { "%s/%.*s.py", "%s/%.*s/__init__.py", "%s/%.*s/__main__.py" };

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		_cleanup_free_ char *path = NULL;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		if (asprintf(&path, forms[i], c->cwd, (int)n, name) < 0)
			return -ENOMEM;
#pragma GCC diagnostic pop
		if (!resolve_is_file(path))
			continue;
		*ret = i == 0 ? STEAL_PTR(path) : resolve_dirname(path);
		return *ret ? 1 : -ENOMEM;
	}
	return 0;
}

/* a.b in a/b.py where a has no __init__.py (a namespace package). */
static int find_namespace_module(struct resolve *c, const char *module, char **ret)
{
	_cleanup_free_ char *name = strdup(module), *path = NULL;
	size_t n = strcspn(module, ".");

	if (!name)
		return -ENOMEM;
	for (char *dot = name; (dot = strchr(dot, '.'));)
		*dot = '/';
	if (!module[n] || strchr(module, '/') || asprintf(&path, "%s/%s.py", c->cwd, name) < 0)
		return 0;
	if (!resolve_is_file(path))
		return 0;
	name[n] = '\0';
	*ret = resolve_join(c->cwd, name);
	return *ret ? 1 : -ENOMEM;
}

/* The project when it has a directory of its own, else the module alone. */
static int add_local_module(struct resolve *c, const char *module)
{
	_cleanup_free_ char *real = NULL;
	int r = resolve_walk(module, &real, &c->links);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	if (!resolve_too_wide(c, c->cwd))
		return resolve_tree_dir(c, c->cwd, "working directory, which python -m loads from");
	return resolve_is_dir(real) ? resolve_tree_dir(c, real, "package in the working directory")
				    : resolve_tree_file(c, real, "module in the working directory");
}

/* Its first component, wherever python -m would look: the working directory, the environment, the user's packages. */
int resolve_python_module(struct resolve *c, const struct found *interpreter, const char *module)
{
	_cleanup_free_ char *venv = NULL, *local = NULL;
	int r = find_local_module(c, module, strcspn(module, "./"), &local);

	if (r == 0)
		r = find_namespace_module(c, module, &local);
	if (r != 0)
		return r < 0 ? r : add_local_module(c, local);
	r = resolve_venv_of(interpreter->path, &venv);
	if (r < 0 || venv)
		return r;
	return resolve_python_user_site(c, interpreter->real);
}
