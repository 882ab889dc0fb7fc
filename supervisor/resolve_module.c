/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve_module - where `python -m NAME` finds NAME (resolve_internal.h)
 *
 * The working directory comes first (Python manual, "Command line", -m), then the environment, then what the user
 * installed. What a server plants in a writable working directory is seen here at the next launch: its code is then in
 * a granted tree, which the question says.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include "base/fs.h"
#include "supervisor/resolve_internal.h"

int resolve_python_user_site(struct resolve *c, const char *interpreter)
{
	const char *version = resolve_python_version(interpreter);
	char site[PATH_MAX];

	if (!version ||
		snprintf(site, sizeof(site), "%s/.local/lib/python%s/site-packages", c->p->home, version) >=
			(int)sizeof(site) ||
		!resolve_is_dir(site))
		return 0;
	int r = resolve_tree_dir(c, site, "Python packages of the user (pip install --user)");
	return r < 0 ? r : resolve_python_editable(c, site, site);
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
		*ret = i == 0 ? strdup(path) : resolve_dirname(path);
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

/* LIB/pythonX.Y/site-packages/NAME or the standard library's, for the words about the server; NULL in *ret: not there.
 */
static int find_installed(const char *lib, const char *version, const char *module, char **ret)
{
	static const char *const places[] = { "site-packages/", "" }, *const endings[] = { "", ".py" };
	size_t n = strcspn(module, "./");

	for (size_t i = 0; !*ret && i < ARRAY_LEN(places) * ARRAY_LEN(endings); i++) {
		_cleanup_free_ char *path = NULL;
		if (asprintf(&path, "%s/python%s/%s%.*s%s", lib, version, places[i / 2], (int)n, module,
			    endings[i % 2]) < 0)
			return -ENOMEM;
		if (access(path, F_OK) == 0)
			*ret = STEAL_PTR(path);
	}
	return 0;
}

/* The module is what the server is; its interpreter is the same for all. */
static int name_subject(struct resolve *c, const struct found *interpreter, const char *venv, const char *module)
{
	_cleanup_free_ char *bin = resolve_dirname(interpreter->real), *base = bin ? resolve_dirname(bin) : NULL;
	_cleanup_free_ char *own = base ? resolve_join(base, "lib") : NULL, *user = NULL, *envs = NULL, *found = NULL;
	const char *version = resolve_python_version(interpreter->real);
	int r = own ? 0 : -ENOMEM;

	user = resolve_join(c->p->home, ".local/lib");
	envs = venv ? resolve_join(venv, "lib") : NULL;
	if (r < 0 || !user || (venv && !envs))
		return -ENOMEM;
	const char *const libs[] = { envs, venv ? NULL : user, own };
	for (size_t i = 0; version && r == 0 && !found && i < ARRAY_LEN(libs); i++)
		if (libs[i])
			r = find_installed(libs[i], version, module, &found);
	return r < 0 || !found ? r : resolve_take_subject(c, found);
}

/* Its first component, wherever python -m would look. */
int resolve_python_module(struct resolve *c, const struct found *interpreter, const char *module)
{
	_cleanup_free_ char *venv = NULL, *local = NULL;
	int r = find_local_module(c, module, strcspn(module, "./"), &local);

	if (r == 0)
		r = find_namespace_module(c, module, &local);
	if (r > 0) {
		r = resolve_take_subject(c, local);
		return r < 0 ? r : add_local_module(c, local);
	}
	if (r == 0)
		r = resolve_venv_of(interpreter->path, &venv);
	if (r == 0)
		r = name_subject(c, interpreter, venv, module);
	return r < 0 || venv ? r : resolve_python_user_site(c, interpreter->real);
}
