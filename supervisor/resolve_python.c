/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve_python - virtual environments, installed Pythons and projects (resolve_internal.h)
 *
 * A virtual environment is a directory with pyvenv.cfg, whose key `home` names the interpreter's own directory (Python
 * manual, "venv" and "site"); *.pth files add directories.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include "base/fs.h"
#include "supervisor/base_view.h"
#include "supervisor/resolve_internal.h"

/* "3.11" from ".../python3.11", following the name of the file; NULL when it holds no version. */
const char *resolve_python_version(const char *real)
{
	const char *name = resolve_basename(real), *digits = strpbrk(name, "0123456789");

	return digits && strchr(digits, '.') ? digits : NULL;
}

/* Where a Python of the distribution, or one in /usr/local, finds packages beside its own library (Debian Python
 * Policy, "Module path"; Fedora's site-packages are in its library or below /usr/local). */
static int add_system_sites(struct resolve *c, const char *version)
{
	static const struct {
		const char *before, *after; /* of the version */
	} sites[] = {
		{ "/usr/lib/python3/dist-packages", NULL },
		{ "/usr/local/lib/python", "/dist-packages" },
		{ "/usr/local/lib/python", "/site-packages" },
		{ "/usr/local/lib64/python", "/site-packages" },
		{ "/usr/lib64/python", "" },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(sites); i++) {
		char site[PATH_MAX];
		snprintf(site, sizeof(site), "%s%s%s", sites[i].before, sites[i].after ? version : "",
			sites[i].after ? sites[i].after : "");
		if (!resolve_is_dir(site))
			continue;
		r = resolve_tree_dir(c, site, "Python packages of the system");
		if (r == 0)
			r = resolve_python_editable(c, site, site);
	}
	return r;
}

int resolve_python_prefix(struct resolve *c, const char *real)
{
	_cleanup_free_ char *bin = resolve_dirname(real), *prefix = bin ? resolve_dirname(bin) : NULL;
	const char *version = resolve_python_version(real);
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
	if (r == 0)
		r = resolve_tree_dir(c, lib, "Python's library");
	return r < 0 || c->no_system_site || !base_view_covers(lib) ? r : add_system_sites(c, version);
}

/* The value of `KEY = ...` in pyvenv.cfg, or NULL. */
static char *venv_value(const char *venv, const char *key)
{
	size_t n = strlen(key);
	_cleanup_free_ char *cfg = resolve_join(venv, "pyvenv.cfg");
	_cleanup_buf_ struct buf b = BUF_INIT(RESOLVE_TEXT_MAX);
	char *save = NULL;

	if (!cfg || resolve_read(cfg, &b) < 0 || !b.data)
		return NULL;
	for (char *line = strtok_r(b.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *value = strchr(line, '=');
		if (!value || strncasecmp(line, key, n) != 0 || line[n + strspn(line + n, " \t")] != '=')
			continue;
		value += 1 + strspn(value + 1, " \t");
		value[strcspn(value, "\r")] = '\0';
		return strdup(value);
	}
	return NULL;
}

/* A directory named in a *.pth file: a package installed with pip install -e, or a project under uv. */
static int add_pth_line(struct resolve *c, const char *venv, const char *site, const char *line)
{
	_cleanup_free_ char *real = NULL, *joined = NULL;
	int r;

	/* site.py: a line that begins with `import` is run as it stands, and its file is bound; others name a path
	 * below SITE. */
	if (!*line || *line == '#' || strncmp(line, "import ", 7) == 0 || strncmp(line, "import\t", 7) == 0)
		return 0;
	joined = *line == '/' ? strdup(line) : resolve_join(site, line);
	if (!joined)
		return -ENOMEM;
	r = resolve_walk(joined, &real, &c->links);
	if (r == -ENOMEM)
		return r;
	if (r < 0 || fs_path_within(real, venv) || !resolve_is_dir(real))
		return 0;
	return resolve_tree_dir(c, real, "package installed for editing");
}

/* setuptools writes the same as a table in Python: every quoted absolute path of the line that starts with MAPPING. */
static int add_finder(struct resolve *c, const char *venv, const char *site, char *text)
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
		r = add_pth_line(c, venv, site, at);
		at = stop + 1;
	}
	return r;
}

static int add_site_file(struct resolve *c, const char *venv, const char *site, const char *path, bool finder)
{
	_cleanup_buf_ struct buf b = BUF_INIT(RESOLVE_TEXT_MAX);
	char *save = NULL;
	int r = resolve_read(path, &b);

	if (r < 0 || !b.data)
		return r == -ENOMEM ? r : 0;
	if (finder)
		return add_finder(c, venv, site, b.data);
	for (char *line = strtok_r(b.data, "\r\n", &save); r == 0 && line; line = strtok_r(NULL, "\r\n", &save))
		r = add_pth_line(c, venv, site, line);
	return r;
}

int resolve_python_editable(struct resolve *c, const char *venv, const char *site)
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
			r = add_site_file(c, venv, site, path, finder);
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
			r = resolve_python_editable(c, venv, site);
	}
	return r;
}

/* The interpreter that the environment was made from: its bin directory must work as it is written in pyvenv.cfg. */
static int add_base_python(struct resolve *c, const char *venv)
{
	static const char *const names[] = { "python3", "python" };
	_cleanup_free_ char *home = venv_value(venv, "home"), *dir = NULL;
	int r;

	if (!home || *home != '/')
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
	if (r == 0) {
		_cleanup_free_ char *system = venv_value(venv, "include-system-site-packages");
		/* site.py: anything but "true" leaves them out. */
		c->no_system_site = !system || strncasecmp(system, "true", 4) != 0;
		r = add_base_python(c, venv);
	}
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
