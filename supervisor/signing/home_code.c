/* SPDX-License-Identifier: Apache-2.0 */
/* home_code - see home_code.h */
#include "supervisor/signing/home_code.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fs.h"
#include "base/glob.h"
#include "supervisor/effective_lines.h"

/* Below the home, and who loads from there without a word of the command saying so. */
static const struct place {
	const char *path, *program;
} places[] = {
	{ ".local/lib", "py*" },      /* python, pypy; "site": *.pth, usercustomize */
	{ ".node_modules", "node*" }, /* "Loading from the global folders" */
	{ ".node_libraries", "node*" },
	{ ".bunfig.toml", "bun" },
	{ ".bun", "bun" },
	{ ".cache/deno", "deno" },
	{ ".gem", "ruby*" },
	{ ".local/share/gem", "ruby*" },
	{ ".nuget", "dotnet" },
	{ ".zshenv", "zsh" },
	{ ".profile", "*sh" }, /* login shells */
	{ ".bash_profile", "bash" },
	{ ".bash_login", "bash" },
	{ ".config/fish/config.fish", "fish" },
	{ ".config/fish/conf.d", "fish" },
	{ ".Rprofile", "R*" },
	{ ".julia", "julia" },
	{ ".erlang", "erl" },
	{ ".cache/guile", "guile*" },
};

static bool others_answer(const struct effective *e)
{
	return e->policy.consent.by != CONSENT_BY_ASK && e->profile.managed;
}

static bool overlaps(const char *a, const char *b)
{
	return fs_path_within(a, b) || fs_path_within(b, a);
}

bool home_code_unheard(const struct paths *p, const struct effective *e)
{
	_cleanup_free_ char *lib = NULL;
	bool bound = false;

	if (!others_answer(e) || e->profile.home != HOME_PRIVATE || asprintf(&lib, "%s/.local/lib", p->home) < 0)
		return false;
	for (size_t i = 0; i < e->cmd.n_trees; i++)
		bound = bound || fs_path_within(e->cmd.trees[i].path, lib);
	return !bound;
}

/* A link on the way leads elsewhere inside than here: it counts as what it may lead to. */
static bool is_there(int home, const char *path)
{
	_cleanup_close_ int fd = fs_openat2(home, path, O_PATH | O_NOFOLLOW, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);

	return fd != -ENOENT && fd != -ENOTDIR;
}

enum advice { ADVICE_REMOVE, ADVICE_MOVE, ADVICE_BESIDE, ADVICE_GRANT };

static int say(struct effective *e, const char *path, enum advice advice)
{
	static const char *const words[] = {
		[ADVICE_REMOVE] = "'%s' in the home that is kept can hold code that an interpreter loads from there, "
				  "and no digest covers it: remove it, or let the profile say \"home\": \"empty\"",
		[ADVICE_MOVE] = "python looks for modules beside '%s', in the home that is kept, and no digest covers "
				"what lies there: python's own option -I, or \"home\": \"empty\", ends that",
		[ADVICE_BESIDE] =
			"python looks for modules beside '%s', which is granted, and no digest covers what lies "
			"there: python's own option -I, or a grant that leaves that directory out, ends that",
		[ADVICE_GRANT] = "'%s' in the home is granted and can hold code that an interpreter loads from there, "
				 "and no digest covers it: grant less, or have the interpreter told not to look there "
				 "(python's own option -I)",
	};
	int r;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	r = asprintf(&e->home_code, words[advice], path);
#pragma GCC diagnostic pop
	if (r >= 0)
		return effective_add_fact(e, LINE_NOTE, DANGER_OWN_CODE, EFFECTIVE_THIS_MACHINE, "%s", e->home_code);
	e->home_code = NULL;
	return -ENOMEM;
}

static bool is_run(const struct effective *e, const char *program)
{
	for (size_t i = 0; i < e->cmd.chain.n; i++) {
		_cleanup_free_ char *real = realpath(e->cmd.chain.v[i], NULL);
		const char *names[] = { e->cmd.chain.v[i], real };
		for (size_t k = 0; k < ARRAY_LEN(names); k++) {
			const char *name = names[k] ? strrchr(names[k], '/') : NULL;
			if (name && glob_match(program, name + 1, strlen(name + 1)))
				return true;
		}
	}
	return false;
}

static bool is_mounted(const struct plan *plan, const char *home, const char *path)
{
	for (size_t i = 0; i < plan->n_mounts; i++)
		if (strcmp(plan->mounts[i].target, home) != 0 && plan->mounts[i].kind == PLAN_BIND &&
			fs_path_within(plan->mounts[i].target, home) && overlaps(plan->mounts[i].target, path))
			return true;
	return false;
}

/* What is mounted there is code or a grant, and judged as such. */
static int look_at(const struct paths *p, struct effective *e, int home, const char *path)
{
	_cleanup_free_ char *full = NULL;

	if (asprintf(&full, "%s/%s", p->home, path) < 0) {
		full = NULL;
		return -ENOMEM;
	}
	if (e->home_code || is_mounted(&e->plan, p->home, full) || !is_there(home, path))
		return 0;
	e->never_remember = true;
	return say(e, path, ADVICE_REMOVE);
}

/* The directories between the home and code that is mounted below it, in which node looks for modules. */
static int look_above(const struct paths *p, struct effective *e, int home, const char *tree)
{
	_cleanup_free_ char *at = strdup(tree + strlen(p->home) + 1);
	char *slash;
	int r = at ? 0 : -ENOMEM;

	while (r == 0 && ((slash = strrchr(at, '/')) || *at)) {
		_cleanup_free_ char *modules = NULL;
		*(slash ? slash : at) = '\0';
		if (asprintf(&modules, "%s%snode_modules", at, *at ? "/" : "") < 0) {
			modules = NULL;
			return -ENOMEM;
		}
		r = look_at(p, e, home, modules);
	}
	return r;
}

static int look_around(const struct paths *p, struct effective *e, int home, const char *tree)
{
	struct stat st;

	if (!fs_path_within(tree, p->home) || strcmp(tree, p->home) == 0)
		return 0;
	if (is_run(e, "python*") && !e->cmd.safe_path && lstat(tree, &st) == 0 && S_ISREG(st.st_mode)) {
		e->never_remember = true;
		return say(e, tree + strlen(p->home) + 1, ADVICE_MOVE);
	}
	return look_above(p, e, home, tree);
}

static int look_private(const struct paths *p, struct effective *e, struct diag *d)
{
	_cleanup_close_ int homes = -1, home = -1;
	int r = paths_open_state(p, "homes", &homes, d);

	if (r < 0)
		return r;
	home = openat(homes, e->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (home < 0)
		return diag_fail(d, -errno, "cannot look into the private home of '%s': %s", e->name, strerror(errno));
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(places); i++)
		r = look_at(p, e, home, places[i].path);
	for (size_t i = 0; r == 0 && !e->home_code && i < e->cmd.n_trees; i++)
		r = look_around(p, e, home, e->cmd.trees[i].path);
	return r;
}

static bool is_told_not_to(const struct effective *e, const struct place *x)
{
	const char *value = strv_env_get(&e->plan.envp, "PYTHONNOUSERSITE");

	return strcmp(x->path, ".local/lib") == 0 && (e->cmd.no_user_site || (!e->cmd.no_variables && value && *value));
}

static bool is_opened(const struct effective *e, const char *dir, const char *except)
{
	for (size_t i = 0; i < e->grants.n; i++)
		if (overlaps(e->grants.v[i].canonical, dir) && strcmp(e->grants.v[i].canonical, except) != 0)
			return true;
	return false;
}

/* A script that is bound alone, in a directory of which a grant shows more. */
static int look_beside(struct effective *e)
{
	for (size_t i = 0; i < e->cmd.n_trees; i++) {
		const struct code_tree *t = &e->cmd.trees[i];
		_cleanup_free_ char *dir = strndup(t->path, (size_t)(strrchr(t->path, '/') - t->path));
		struct stat st;
		if (!dir)
			return -ENOMEM;
		if (!t->root_only && !e->cmd.safe_path && strcmp(t->path, e->cmd.subject) == 0 &&
			lstat(t->path, &st) == 0 && S_ISREG(st.st_mode) && is_opened(e, dir, t->path) &&
			is_run(e, "py*"))
			return say(e, t->path, ADVICE_BESIDE);
	}
	return 0;
}

/* The user's own, where it is granted. */
static int look_granted(const struct paths *p, struct effective *e)
{
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		_cleanup_free_ char *full = NULL;
		if (asprintf(&full, "%s/%s", p->home, places[i].path) < 0) {
			full = NULL;
			return -ENOMEM;
		}
		for (size_t k = 0; k < e->grants.n; k++)
			if (overlaps(e->grants.v[k].canonical, full) && access(full, F_OK) == 0 &&
				is_run(e, places[i].program) && !is_told_not_to(e, &places[i]))
				return say(e, places[i].path, ADVICE_GRANT);
	}
	return 0;
}

int home_code_look(const struct paths *p, struct effective *e, struct diag *d)
{
	int r = 0;

	free(e->home_code);
	e->home_code = NULL;
	if (!others_answer(e))
		return 0;
	if (e->profile.home == HOME_PRIVATE)
		r = look_private(p, e, d);
	if (r == 0 && !e->home_code)
		r = look_beside(e);
	return r < 0 || e->home_code ? r : look_granted(p, e);
}
