/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve_tree - from a file to the tree that it needs (resolve_internal.h)
 *
 * As narrow as the ecosystem allows, since whatever is in a tree the server can read, and whatever changes in it asks
 * again. A directory that people share between projects is never a tree.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fs.h"
#include "supervisor/base_view.h"
#include "supervisor/code_digest.h"
#include "supervisor/resolve_internal.h"

/* --- what is too wide --- */

static const char *const wide_absolute[] = {
	"/",
	"/bin",
	"/boot",
	"/dev",
	"/etc",
	"/home",
	"/lib",
	"/media",
	"/mnt",
	"/nix",
	"/opt",
	"/proc",
	"/root",
	"/run",
	"/run/user",
	"/sbin",
	"/snap",
	"/srv",
	"/sys",
	"/tmp",
	"/usr",
	"/usr/local",
	"/usr/local/lib",
	"/usr/local/bin",
	"/usr/lib",
	"/usr/bin",
	"/var",
	"/var/lib",
	"/var/tmp",
};

static const char *const wide_in_home[] = {
	".aws",
	".cache",
	".cargo",
	".cargo/bin",
	".config",
	".gnupg",
	".local",
	".local/bin",
	".local/lib",
	".local/share",
	".local/state",
	".mozilla",
	".npm",
	".ssh",
	"Code",
	"Desktop",
	"Documents",
	"Downloads",
	"Projects",
	"bin",
	"code",
	"dev",
	"git",
	"go",
	"go/bin",
	"projects",
	"repos",
	"scripts",
	"src",
	"tmp",
	"work",
	"workspace",
};

static const char *const wide_within[] = { "/dev", "/proc", "/sys" };

static const char *own_place(const struct resolve *c, const char *path)
{
	const char *const own[] = { c->p->config, c->p->state, c->p->runtime };

	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (own[i] && (fs_path_within(path, own[i]) || fs_path_within(own[i], path)))
			return "it holds stockade's own files";
	for (size_t i = 0; i < ARRAY_LEN(wide_within); i++)
		if (fs_path_within(path, wide_within[i]))
			return "the kernel makes what is in it";
	return NULL;
}

const char *resolve_too_wide(const struct resolve *c, const char *path)
{
	const char *home = c->p->home;
	size_t n = strlen(home);

	if (fs_path_within(home, path))
		return "it is or holds the home directory";
	for (size_t i = 0; i < ARRAY_LEN(wide_absolute); i++)
		if (strcmp(path, wide_absolute[i]) == 0)
			return "it is a directory of the system";
	if (strncmp(path, "/home/", 6) == 0 && !strchr(path + 6, '/'))
		return "it is a home directory";
	if (strncmp(path, "/run/user/", 10) == 0 && !strchr(path + 10, '/'))
		return "it is a runtime directory";
	for (size_t i = 0; fs_path_within(path, home) && i < ARRAY_LEN(wide_in_home); i++)
		if (strcmp(path + n + 1, wide_in_home[i]) == 0)
			return "unrelated things share it";
	return own_place(c, path);
}

/* --- adding --- */

/* Can root alone replace this very path? Its tree is not looked at: that is code_is_root_only's work. */
static bool root_chain(const char *path)
{
	_cleanup_free_ char *at = strdup(path);
	struct stat st;

	while (at && stat(*at ? at : "/", &st) == 0 && st.st_uid == 0 && !(st.st_mode & (S_IWGRP | S_IWOTH))) {
		char *slash = strrchr(at, '/');
		if (!*at || !slash)
			return true;
		*slash = '\0';
	}
	return false;
}

/* Who installs things there; for the words about a tree. */
static const struct {
	const char *part, *who;
} managers[] = {
	{ "/.nvm/", "nvm" },
	{ "/fnm/node-versions/", "fnm" },
	{ "/.fnm/", "fnm" },
	{ "/.volta/", "volta" },
	{ "/.pyenv/", "pyenv" },
	{ "/uv/python/", "uv" },
	{ "/uv/tools/", "uv tool" },
	{ "/mise/", "mise" },
	{ "/.asdf/", "asdf" },
	{ "/.rbenv/", "rbenv" },
	{ "/.nodenv/", "nodenv" },
	{ "/.sdkman/", "SDKMAN" },
	{ "/.bun/", "bun" },
	{ "/pnpm/", "pnpm" },
	{ "/pipx/", "pipx" },
	{ "conda", "conda" },
	{ "/.linuxbrew/", "Homebrew" },
};

static const char *manager_of(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(managers); i++)
		if (strstr(path, managers[i].part))
			return managers[i].who;
	return NULL;
}

static int append_tree(struct resolve *c, const char *path, const char *role)
{
	struct resolved *r = c->ret;
	const char *who = manager_of(path);
	struct code_tree t = { .path = strdup(path) };
	struct code_tree *v = reallocarray(r->trees, r->n_trees + 1, sizeof(*v));

	if (v)
		r->trees = v;
	if (asprintf(&t.role, "%s%s%s", role, who ? " of " : "", who ? who : "") < 0)
		t.role = NULL;
	if (!v || !t.path || !t.role) {
		free(t.path);
		free(t.role);
		return -ENOMEM;
	}
	v[r->n_trees++] = t;
	return 0;
}

/* What only root can write below /usr is known by its path. That root owns a directory says nothing of a file in it. */
static bool holds_changeable(const struct resolve *c, const char *path)
{
	return c->changeable && fs_path_within(c->changeable, path);
}

int resolve_add_tree(struct resolve *c, const char *path, const char *role)
{
	for (size_t i = 0; i < c->ret->n_trees; i++)
		if (strcmp(c->ret->trees[i].path, path) == 0)
			return 0;
	if (base_view_covers(path) && !holds_changeable(c, path) && root_chain(path))
		return 0;
	if (c->ret->n_trees >= RESOLVE_TREES_MAX)
		return diag_fail(c->d, -EACCES,
			"the command is made of more than %d separate code trees, the last being %s; install it in one "
			"place",
			RESOLVE_TREES_MAX, SHOWN(path));
	return append_tree(c, path, role);
}

int resolve_tree_file(struct resolve *c, const char *real, const char *role)
{
	/* A store of one version a directory, whose programs name one another by absolute path: only the whole makes
	 * sense. */
	static const char *const stores[] = { "/nix/store", "/gnu/store", "/home/linuxbrew/.linuxbrew" };
	const char *why = own_place(c, real);

	for (size_t i = 0; i < ARRAY_LEN(stores); i++)
		if (fs_path_within(real, stores[i]))
			return resolve_add_tree(c, stores[i], "package store");
	if (why)
		return diag_fail(
			c->d, -EACCES, "%s cannot be the code of a server: %s; install it elsewhere", SHOWN(real), why);
	return resolve_add_tree(c, real, role);
}

int resolve_tree_dir(struct resolve *c, const char *dir, const char *role)
{
	const char *why = base_view_covers(dir) && !holds_changeable(c, dir) ? NULL : resolve_too_wide(c, dir);

	if (why)
		return diag_fail(c->d, -EACCES,
			"the code in %s cannot be mounted, since that directory is too wide (%s); install it in a "
			"directory of its own",
			SHOWN(dir), why);
	return resolve_add_tree(c, dir, role);
}

int resolve_nearest(const struct resolve *c, const char *dir, const char *const *names, size_t n, char **ret)
{
	_cleanup_free_ char *at = strdup(dir);

	*ret = NULL;
	while (at && !resolve_too_wide(c, at)) {
		for (size_t i = 0; i < n; i++) {
			_cleanup_free_ char *file = resolve_join(at, names[i]);
			if (!file)
				return -ENOMEM;
			if (access(file, F_OK) == 0) {
				*ret = STEAL_PTR(at);
				return 0;
			}
		}
		char *up = resolve_dirname(at);
		free(at);
		at = up;
	}
	return at ? 0 : -ENOMEM;
}

/* --- by kind --- */

/* PREFIX for PREFIX/bin/program, when PREFIX holds mark. */
static int tree_prefix(struct resolve *c, const char *real, const char *mark, const char *role)
{
	_cleanup_free_ char *bin = resolve_dirname(real), *prefix = bin ? resolve_dirname(bin) : NULL;
	_cleanup_free_ char *file = prefix ? resolve_join(prefix, mark) : NULL;

	if (!file)
		return -ENOMEM;
	if (strcmp(resolve_basename(bin), "bin") != 0 || access(file, F_OK) < 0 || resolve_too_wide(c, prefix))
		return resolve_tree_file(c, real, role);
	return resolve_tree_dir(c, prefix, role);
}

/* A .NET program is a small native file beside the assemblies that it loads. */
static int tree_native(struct resolve *c, const char *real)
{
	static const char *const beside[] = { ".dll", ".runtimeconfig.json", ".deps.json" };
	_cleanup_free_ char *dir = resolve_dirname(real);

	if (!dir)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_LEN(beside); i++) {
		_cleanup_free_ char *file = NULL;
		if (asprintf(&file, "%s%s", real, beside[i]) < 0)
			return -ENOMEM;
		if (access(file, F_OK) == 0)
			return resolve_tree_dir(c, dir, ".NET program");
	}
	return resolve_tree_file(c, real, "program");
}

static int add_program(struct resolve *c, const char *real, enum family family)
{
	int r = resolve_node_modules(c, real);

	if (r == 0 && family != FAMILY_PYTHON)
		r = resolve_python_venv(c, real);
	if (r != 0)
		return r < 0 ? r : 0;
	switch (family) {
	case FAMILY_NODE:
		return resolve_tree_file(c, real, "node");
	case FAMILY_PYTHON:
		return resolve_python_prefix(c, real);
	case FAMILY_JAVA:
		return tree_prefix(c, real, "release", "Java");
	case FAMILY_DOTNET: {
		_cleanup_free_ char *dir = resolve_dirname(real);
		return dir ? resolve_tree_dir(c, dir, ".NET") : -ENOMEM;
	}
	case FAMILY_OTHER:
		return tree_prefix(c, real, "lib", "interpreter");
	default:
		return tree_native(c, real);
	}
}

static int add_script(struct resolve *c, const char *real, enum family family)
{
	_cleanup_free_ char *dir = resolve_dirname(real);
	int r;

	if (!dir)
		return -ENOMEM;
	r = resolve_node_modules(c, real);
	if (r == 0)
		r = resolve_python_venv(c, real);
	if (r != 0)
		return r < 0 ? r : 0;
	switch (family) {
	case FAMILY_NODE:
	case FAMILY_DENO:
	case FAMILY_BUN:
		return resolve_node_project(c, real);
	case FAMILY_PYTHON:
		return resolve_python_project(c, real);
	case FAMILY_DOTNET:
		return resolve_tree_dir(c, dir, ".NET program");
	default:
		return resolve_tree_file(c, real, "script");
	}
}

typedef int add_fn(struct resolve *c, const char *real, enum family family);

/* The trees of one file; of none when only root can change it where it is. */
static int add_trees_of(struct resolve *c, const char *real, enum family family, add_fn *add)
{
	const char *outer = c->changeable;
	int r;

	if (base_view_covers(real) && root_chain(real))
		return 0;
	c->changeable = real;
	r = add(c, real, family);
	c->changeable = outer;
	return r;
}

int resolve_tree_program(struct resolve *c, const char *real, enum family family)
{
	return add_trees_of(c, real, family, add_program);
}

int resolve_tree_script(struct resolve *c, const char *real, enum family family)
{
	return add_trees_of(c, real, family, add_script);
}

/* --- the end --- */

bool resolve_is_visible(const struct resolve *c, const char *path)
{
	if (base_view_covers(path))
		return true;
	for (size_t i = 0; i < c->ret->n_trees; i++)
		if (fs_path_within(path, c->ret->trees[i].path))
			return true;
	return false;
}

static bool within_another(const struct resolved *r, size_t i)
{
	for (size_t k = 0; k < r->n_trees; k++)
		if (k != i && fs_path_within(r->trees[i].path, r->trees[k].path))
			return true;
	return false;
}

static void drop_nested(struct resolved *r)
{
	for (size_t i = 0; i < r->n_trees;) {
		if (!within_another(r, i)) {
			i++;
			continue;
		}
		free(r->trees[i].path);
		free(r->trees[i].role);
		memmove(&r->trees[i], &r->trees[i + 1], (r->n_trees - i - 1) * sizeof(*r->trees));
		r->n_trees--;
	}
}

static int keep_links(struct resolve *c)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->links.n; i++) {
		_cleanup_free_ char *link = strndup(c->links.v[i], strcspn(c->links.v[i], "\t"));
		if (!link)
			return -ENOMEM;
		if (!resolve_is_visible(c, link) && !strv_contains(&c->ret->symlinks, c->links.v[i]))
			r = strv_add(&c->ret->symlinks, c->links.v[i]);
	}
	return r;
}

int resolve_trees_finish(struct resolve *c)
{
	int r;

	drop_nested(c->ret);
	for (size_t i = 0; i < c->ret->n_trees; i++) {
		struct code_tree *t = &c->ret->trees[i];
		r = code_is_root_only(t->path, &t->root_only, c->d);
		if (r < 0)
			return r == -ENOMEM || r == -ENOENT ? r : -EACCES;
	}
	return keep_links(c);
}
