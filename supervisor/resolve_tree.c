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
	if (paths_is_own(c->p, path))
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

static int add_linked_to(struct resolve *c, const char *from, const struct strv *targets)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < targets->n; i++) {
		const char *target = targets->v[i];
		_cleanup_free_ char *role = NULL;
		/* Elsewhere it is there inside where it is granted. */
		if (!base_view_covers(target)) {
			r = strv_contains(&c->ret->outward, target) ? 0 : strv_add(&c->ret->outward, target);
			continue;
		}
		/* A link to /usr itself names no code. */
		if (resolve_too_wide(c, target))
			continue;
		if (asprintf(&role, "what a link in %s leads to", from) < 0)
			return -ENOMEM;
		r = resolve_add_tree(c, target, role);
	}
	return r;
}

/* 1: the base view holds it, and root alone can change any file of it: a distribution's, known by its path. That root
 * owns the file that was named, or the directory around it, says nothing of the package next to it. */
static int is_known_by_path(struct resolve *c, const char *path)
{
	_cleanup_strv_ struct strv outward = { 0 };
	bool root_only = false;
	int r = 0;

	if (!base_view_covers(path))
		return 0;
	for (size_t i = 0; i < c->by_path.n; i++)
		if (fs_path_within(path, c->by_path.v[i]))
			return 1;
	r = code_is_root_only(path, &root_only, &outward, c->d);
	if (r < 0)
		return r == -ENOMEM || r == -ENOENT ? r : -EACCES;
	if (!root_only)
		return 0;
	r = strv_add(&c->by_path, path);
	if (r == 0)
		r = add_linked_to(c, path, &outward);
	return r < 0 ? r : 1;
}

/* Seen before the tree that is taken for it: a project's, whose .git would not count. */
static void note_git(struct resolve *c, const char *real)
{
	size_t n = strlen(real);

	if (strstr(real, "/.git/") || (n >= 5 && strcmp(real + n - 5, "/.git") == 0))
		c->ret->git_is_code = true;
}

int resolve_add_tree(struct resolve *c, const char *path, const char *role)
{
	const char *why;
	int r;

	note_git(c, path);

	for (size_t i = 0; i < c->ret->n_trees; i++)
		if (strcmp(c->ret->trees[i].path, path) == 0)
			return 0;
	r = is_known_by_path(c, path);
	if (r != 0)
		return r < 0 ? r : 0;
	why = base_view_covers(path) && resolve_is_dir(path) ? resolve_too_wide(c, path) : NULL;
	if (why)
		return diag_fail(c->d, -EACCES,
			"the code in %s can be changed by others than root and is too wide to be bound (%s); install "
			"it in a "
			"directory of its own",
			SHOWN(path), why);
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
	const char *why = base_view_covers(dir) ? NULL : resolve_too_wide(c, dir);

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

/* Where an interpreter of the distribution finds libraries that are not below its own prefix's lib (perl -V, ruby
 * $LOAD_PATH, `node -p module.globalPaths` and Debian's nodejs). */
static const struct {
	const char *program, *site;
} system_sites[] = {
	{ "node", "/usr/lib/node" },
	{ "node", "/usr/lib/nodejs" },
	{ "node", "/usr/share/nodejs" },
	{ "node", "/usr/local/lib/node" },
	{ "perl", "/usr/local/share/perl" },
	{ "perl", "/usr/local/share/perl5" },
	{ "perl", "/usr/local/lib/site_perl" },
	{ "perl", "/usr/share/perl" },
	{ "perl", "/usr/share/perl5" },
	{ "ruby", "/usr/lib/ruby" },
	{ "ruby", "/usr/local/lib/site_ruby" },
	{ "ruby", "/usr/local/lib/ruby" },
	{ "ruby", "/usr/share/rubygems-integration" },
	{ "php", "/usr/share/php" },
	{ "php", "/usr/local/share/php" },
	{ "php", "/usr/local/share/pear" },
	{ "lua", "/usr/share/lua" },
	{ "lua", "/usr/local/share/lua" },
	{ "lua", "/usr/local/lib/lua" },
};

static int add_system_sites(struct resolve *c, const char *real)
{
	int r = base_view_covers(real) ? 0 : 1;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(system_sites); i++)
		if (strncmp(resolve_basename(real), system_sites[i].program, strlen(system_sites[i].program)) == 0 &&
			resolve_is_dir(system_sites[i].site))
			r = resolve_tree_dir(c, system_sites[i].site, "libraries of the system");
	return r < 0 ? r : 0;
}

int resolve_tree_program(struct resolve *c, const char *real, enum family family)
{
	int r = resolve_node_modules(c, real);

	note_git(c, real);
	if (r == 0 && family != FAMILY_PYTHON)
		r = resolve_python_venv(c, real);
	if (r == 0 && (family == FAMILY_NODE || family == FAMILY_OTHER))
		r = add_system_sites(c, real);
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

int resolve_tree_script(struct resolve *c, const char *real, enum family family)
{
	_cleanup_free_ char *dir = resolve_dirname(real);
	int r;

	note_git(c, real);
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
	drop_nested(c->ret);
	return keep_links(c);
}
