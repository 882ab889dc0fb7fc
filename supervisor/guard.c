/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard - protect and deny below the grants (filesystem.h)
 *
 * Theory: what the server plants in .git/hooks or .vscode, the user's own tools execute outside. So such names, where
 * they exist below a writable grant, are mounted read-only onto themselves, and every directory between the grant and
 * the name is pinned as a mount point: rename(2) of a mount point is EBUSY, and without the pins a rename of an
 * ancestor would carry the protection away and leave a free name. Masks of deny are pinned the same way. What does not
 * exist cannot be a mount; its creation is reported when the session ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fs.h"
#include "base/text.h"
#include "supervisor/filesystem.h"
#include "supervisor/tree_walk.h"

enum { GUARD_MAX = 2048, SHOWN = 512 };

/* A name, or the tail of a path, at any depth below a writable grant. */
const char *const fs_protected_names[] = {
	".git/config",
	".git/hooks",
	".git/config.worktree",
	".git/commondir",
	".git/info/attributes",
	".git/modules",
	".gitmodules",
	".hg/hgrc",
	".husky",
	".githooks",
	".vscode",
	".idea",
	".zed",
	".fleet",
	".devcontainer",
	".mcp.json",
	".cursor",
	".cursorrules",
	".claude",
	"CLAUDE.md",
	"AGENTS.md",
	"GEMINI.md",
	".codex",
	".gemini",
	".kiro",
	".windsurf",
	".windsurfrules",
	".continue",
	".roo",
	".clinerules",
	".opencode",
	"opencode.json",
	".crush.json",
	".amp",
	".copilot",
	".envrc",
	".direnv",
	".mise.toml",
	"mise.toml",
	".tool-versions",
	".npmrc",
	".yarnrc",
	".yarnrc.yml",
	".pnpmfile.cjs",
	".pre-commit-config.yaml",
	".github/workflows",
	".gitlab-ci.yml",
	".bashrc",
	".bash_profile",
	".bash_login",
	".profile",
	".zshrc",
	".zshenv",
	".zprofile",
	".config/fish",
	".config/autostart",
	".config/systemd",
	".ssh",
	".gitconfig",
	".config/git",
};
const size_t fs_protected_names_n = ARRAY_LEN(fs_protected_names);

/*
 * What leads git to another directory, whose config it then obeys: a work tree's own entry here, and (is_protected) the
 * .git of a work tree or a submodule, which is a file.
 */
static const char *const protected_patterns[] = { "**/.git/worktrees/*/commondir",
	"**/.git/worktrees/*/config.worktree" };

/* Big, regenerated, and holding nothing that a tool runs by the name alone. By name and place, never by a file in them:
 * a server can make such a file in one run, and the next would pass over a project that is merely called so. What is
 * kept cannot be moved to such a place, since its ancestors are pinned. */
static const struct {
	const char *name, *place; /* NULL: anywhere */
} passed_over[] = {
	{ "node_modules", NULL },
	{ "__pycache__", NULL },
	{ ".cache", NULL },
	{ ".tox", NULL },
	{ "objects", "**/.git/objects" },
	{ "site-packages", "**/lib/python*/site-packages" },
	{ "deps", "**/target/*/deps" },
	{ "deps", "**/target/*/*/deps" },
	{ "incremental", "**/target/*/incremental" },
	{ "incremental", "**/target/*/*/incremental" },
	{ ".fingerprint", "**/target/*/.fingerprint" },
	{ ".fingerprint", "**/target/*/*/.fingerprint" },
};

static bool holds(const struct fs_grant *grant, const char *relative, const char *name)
{
	char path[TREE_PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s/%s", grant->canonical, relative, name);

	return n < (int)sizeof(path) && faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* A repository never is, wherever it lies. */
static bool is_passed_over(const struct fs_grant *grant, const char *relative, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(passed_over); i++)
		if (strcmp(name, passed_over[i].name) == 0 &&
			(!passed_over[i].place || fs_pattern_match(passed_over[i].place, relative)))
			return !holds(grant, relative, ".git");
	return false;
}

static bool is_protected(const char *relative, const char *name, unsigned char type)
{
	size_t n = strlen(relative);

	if (type != DT_DIR && strcmp(name, ".git") == 0)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(protected_patterns); i++)
		if (fs_pattern_match(protected_patterns[i], relative))
			return true;
	for (size_t i = 0; i < fs_protected_names_n; i++) {
		size_t m = strlen(fs_protected_names[i]);
		if (n >= m && strcmp(relative + n - m, fs_protected_names[i]) == 0 &&
			(n == m || relative[n - m - 1] == '/'))
			return true;
	}
	return false;
}

/* One name of a path against one name of a pattern: '*' within it. */
static bool name_matches(const char *pattern, size_t plen, const char *name, size_t nlen)
{
	size_t p = 0, n = 0, star = SIZE_MAX, resume = 0;

	while (n < nlen) {
		if (p < plen && pattern[p] == '*') {
			star = ++p;
			resume = n;
		} else if (p < plen && pattern[p] == name[n]) {
			p++;
			n++;
		} else if (star != SIZE_MAX) {
			p = star;
			n = ++resume;
		} else {
			return false;
		}
	}
	while (p < plen && pattern[p] == '*')
		p++;
	return p == plen;
}

/* Greedy from the last "**": as for single stars, only the last one needs to give way. */
bool fs_pattern_match(const char *pattern, const char *path)
{
	const char *star = NULL, *resume = NULL;

	for (;;) {
		size_t plen = strcspn(pattern, "/"), nlen = strcspn(path, "/");
		if (*pattern && plen == 2 && pattern[0] == '*' && pattern[1] == '*') {
			star = pattern + 2 + (pattern[2] == '/');
			if (!*star)
				return true;
			pattern = star;
			resume = path;
			continue;
		}
		if (*path && *pattern && name_matches(pattern, plen, path, nlen)) {
			pattern += plen + (pattern[plen] == '/');
			path += nlen + (path[nlen] == '/');
			if (!*pattern && !*path)
				return true;
			if (*pattern && *path)
				continue;
		}
		if (!star || !resume || !*resume)
			return false;
		resume += strcspn(resume, "/");
		resume += *resume == '/';
		if (!*resume)
			return false;
		path = resume;
		pattern = star;
	}
}

struct guard {
	const struct fs_grant *grant;
	const struct profile *profile;
	struct strv *found_protected, *found_denied, *found_links;
	int error;
};

static bool is_denied(const struct guard *g, const char *relative)
{
	const struct profile_items *deny = &g->profile->fs_deny;
	char full[TREE_PATH_MAX];

	for (size_t i = 0; i < deny->n; i++) {
		const char *pattern = deny->v[i].value;
		if (pattern[0] != '/') {
			if (fs_pattern_match(pattern, relative))
				return true;
			continue;
		}
		int n = snprintf(full, sizeof(full), "%s/%s", g->grant->canonical, relative);
		if (n < (int)sizeof(full) && fs_pattern_match(pattern + 1, full + 1))
			return true;
	}
	return false;
}

static enum tree_next note(struct guard *g, struct strv *list, const char *relative)
{
	int r = list->n < GUARD_MAX ? strv_addf(list, "%s/%s", g->grant->canonical, relative) : -E2BIG;

	if (r < 0)
		g->error = r;
	return TREE_SKIP;
}

static bool is_git_directory(const char *relative, const char *target)
{
	size_t n = strlen(relative);
	struct stat st;

	return n >= 4 && strcmp(relative + n - 4, ".git") == 0 && (n == 4 || relative[n - 5] == '/') &&
	       stat(target, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Behind a link called .git: what git executes, and not the whole, or nothing could be committed. */
static int note_git_parts(struct guard *g, const char *target)
{
	for (size_t i = 0; i < fs_protected_names_n; i++) {
		char full[TREE_PATH_MAX];
		if (strncmp(fs_protected_names[i], ".git/", 5) != 0)
			continue;
		int n = snprintf(full, sizeof(full), "%s/%s", target, fs_protected_names[i] + 5);
		if (n >= (int)sizeof(full))
			return -E2BIG;
		if (!fs_path_within(full, g->grant->canonical) || access(full, F_OK) < 0)
			continue;
		int r = g->found_protected->n < GUARD_MAX ? strv_add(g->found_protected, full) : -E2BIG;
		if (r < 0)
			return r;
	}
	return 0;
}

/* A link cannot be a mount point. What it leads to below the same grant is kept as the name itself would be; the link
 * and its text are remembered, so that one that leads elsewhere at the end is reported. */
static int note_link(struct guard *g, const char *relative)
{
	char full[TREE_PATH_MAX], text[TREE_PATH_MAX];
	_cleanup_free_ char *target = NULL;
	ssize_t n;
	int r;

	if (snprintf(full, sizeof(full), "%s/%s", g->grant->canonical, relative) >= (int)sizeof(full))
		return -E2BIG;
	n = readlink(full, text, sizeof(text) - 1);
	if (n < 0)
		return errno == ENOENT || errno == EINVAL ? 0 : -errno;
	text[n] = '\0';
	r = g->found_links->n < GUARD_MAX ? strv_addf(g->found_links, "%s\t%s", full, text) : -E2BIG;
	target = realpath(full, NULL);
	if (r == 0 && target && is_git_directory(relative, target))
		return note_git_parts(g, target);
	if (r < 0 || !target || !fs_path_within(target, g->grant->canonical) ||
		strcmp(target, g->grant->canonical) == 0)
		return r;
	return g->found_protected->n < GUARD_MAX ? strv_add(g->found_protected, target) : -E2BIG;
}

/* A link cannot be masked, what it leads to can, wherever a grant shows that. One that leads up to the grant itself
 * would hide all of it, which nobody can have meant. */
static int note_denied_link(struct guard *g, const char *relative)
{
	char full[TREE_PATH_MAX];
	_cleanup_free_ char *target = NULL;

	if (snprintf(full, sizeof(full), "%s/%s", g->grant->canonical, relative) >= (int)sizeof(full))
		return -E2BIG;
	target = realpath(full, NULL);
	if (!target)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : -errno;
	if (fs_path_within(g->grant->canonical, target))
		return -EPERM;
	return g->found_denied->n < GUARD_MAX ? strv_add(g->found_denied, target) : -E2BIG;
}

static enum tree_next visit(void *arg, const char *relative, const char *name, unsigned char type)
{
	struct guard *g = arg;

	if (g->error)
		return TREE_SKIP;
	if (is_denied(g, relative)) {
		if (type != DT_LNK)
			return note(g, g->found_denied, relative);
		g->error = note_denied_link(g, relative);
		return TREE_SKIP;
	}
	if (g->grant->write && g->profile->protect && is_protected(relative, name, type)) {
		if (type != DT_LNK)
			return note(g, g->found_protected, relative);
		g->error = note_link(g, relative);
		return TREE_SKIP;
	}
	return type == DT_DIR && g->profile->fs_deny.n == 0 && is_passed_over(g->grant, relative, name) ? TREE_SKIP
													: TREE_ENTER;
}

static int scan(const struct fs_grant *grant, const struct profile *profile, struct strv *found_protected,
	struct strv *found_denied, struct strv *found_links)
{
	struct guard g = { .grant = grant,
		.profile = profile,
		.found_protected = found_protected,
		.found_denied = found_denied,
		.found_links = found_links };
	int r;

	if (!grant->directory || (profile->fs_deny.n == 0 && !(grant->write && profile->protect)))
		return 0;
	r = tree_walk(grant->canonical, visit, &g);
	return r < 0 ? r : g.error;
}

static int add_once(struct plan *plan, const struct plan_mount *m)
{
	for (size_t i = 0; i < plan->n_mounts; i++)
		if (strcmp(plan->mounts[i].target, m->target) == 0 && plan->mounts[i].kind == m->kind)
			return 0;
	return plan_add_mount(plan, m);
}

/* Every directory between the grant and the path, outermost first. */
static int pin_ancestors(const struct fs_grant *grant, const char *path, struct plan *plan)
{
	_cleanup_free_ char *copy = strdup(path);

	if (!copy)
		return -ENOMEM;
	for (char *slash = copy + strlen(grant->canonical) + 1; (slash = strchr(slash, '/')); slash++) {
		struct plan_mount m = { .kind = PLAN_PIN, .target = copy };
		*slash = '\0';
		int r = add_once(plan, &m);
		*slash = '/';
		if (r < 0)
			return r;
	}
	return 0;
}

static int guard_path(const struct fs_grant *grant, const char *path, bool deny, struct plan *plan)
{
	struct plan_mount m = { .kind = deny ? PLAN_MASK : PLAN_BIND,
		.source = (char *)(uintptr_t)path,
		.target = (char *)(uintptr_t)path };
	int r = grant->write ? pin_ancestors(grant, path, plan) : 0;

	if (r == 0)
		r = fs_identify(path, &m);
	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : add_once(plan, &m);
}

static int guard_all(const struct fs_grant *grant, const struct strv *paths, bool deny, struct plan *plan)
{
	for (size_t i = 0; i < paths->n; i++) {
		if (!fs_path_within(paths->v[i], grant->canonical))
			continue;
		if (strcmp(paths->v[i], grant->canonical) == 0)
			return -EPERM;
		int r = guard_path(grant, paths->v[i], deny, plan);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Does the pattern name this path, or a directory that it lies in? */
static bool covers(const char *pattern, const char *path)
{
	char part[TREE_PATH_MAX];

	for (const char *end = path; *end;) {
		end += 1 + strcspn(end + 1, "/");
		int n = snprintf(part, sizeof(part), "%.*s", (int)(end - path), path);
		if (n < (int)sizeof(part) && fs_pattern_match(pattern + 1, part + 1))
			return true;
	}
	return false;
}

/* The pattern that hides the grant itself, or NULL. The walk looks below grants only, and deny comes before allow: a
 * parameter must not bring back what the profile hides. */
static const char *hidden_by(const struct fs_grant *grant, const struct profile *profile)
{
	const char *name = strrchr(grant->canonical, '/') + 1;

	for (size_t i = 0; i < profile->fs_deny.n; i++) {
		const char *pattern = profile->fs_deny.v[i].value;
		if (pattern[0] == '/' ? covers(pattern, grant->canonical)
				      : !grant->directory && fs_pattern_match(pattern, name))
			return pattern;
	}
	return NULL;
}

static int check_hidden(const struct fs_grant *grant, const struct profile *profile, struct diag *d)
{
	const char *pattern = hidden_by(grant, profile);
	char shown[SHOWN], rule[SHOWN];

	if (!pattern)
		return 0;
	return diag_fail(d, -EPERM,
		"%s (%s) cannot be granted: filesystem.deny \"%s\" hides it, and deny comes first; take one of the two "
		"out",
		text_escape_str(grant->canonical, shown, sizeof(shown)), grant->where,
		text_escape_str(pattern, rule, sizeof(rule)));
}

static int refuse_guard(const struct fs_grant *grant, int error, struct diag *d)
{
	char shown[SHOWN];

	text_escape_str(grant->canonical, shown, sizeof(shown));
	if (error == -E2BIG)
		return diag_fail(d, error,
			"%s (%s) holds more than filesystem.protect and filesystem.deny can be kept for (%d entries, "
			"%d matches): grant a smaller directory, or set \"protect\": \"none\" and no deny",
			shown, grant->where, TREE_ENTRIES_MAX, GUARD_MAX);
	if (error == -EPERM)
		return diag_fail(d, error,
			"%s (%s) is hidden as a whole: filesystem.deny names a symbolic link that leads to it; remove "
			"the link, or take one of the two out",
			shown, grant->where);
	return diag_fail(d, error, "cannot look for protected names below %s: %s", shown, strerror(-error));
}

/* All are looked through before any is guarded: a link in one can lead into another. */
int fs_grants_guard(struct fs_grants *g, const struct profile *profile, struct plan *plan, struct diag *d)
{
	int r;

	for (size_t i = 0; i < g->n; i++) {
		r = check_hidden(&g->v[i], profile, d);
		if (r < 0)
			return r;
		r = scan(&g->v[i], profile, &g->protected_paths, &g->denied_paths, &g->protected_links);
		if (r < 0)
			return refuse_guard(&g->v[i], r, d);
	}
	for (size_t i = 0; i < g->n; i++) {
		r = guard_all(&g->v[i], &g->protected_paths, false, plan);
		if (r == 0)
			r = guard_all(&g->v[i], &g->denied_paths, true, plan);
		if (r < 0)
			return refuse_guard(&g->v[i], r, d);
	}
	return 0;
}

/* Adds to ret what is in now and was not in before; of "path\ttext" only the path. */
static int add_new(const struct strv *now, const struct strv *before, struct strv *ret)
{
	for (size_t i = 0; i < now->n; i++) {
		if (strv_contains(before, now->v[i]))
			continue;
		int r = strv_addf(ret, "%.*s", (int)strcspn(now->v[i], "\t"), now->v[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

int fs_grants_planted(const struct fs_grants *g, struct strv *ret)
{
	struct profile only_protect = { .protect = true };
	int error = 0;

	for (size_t i = 0; i < g->n; i++) {
		_cleanup_strv_ struct strv found = { 0 }, none = { 0 }, links = { 0 };
		if (!g->v[i].write)
			continue;
		int r = scan(&g->v[i], &only_protect, &found, &none, &links);
		int l = add_new(&links, &g->protected_links, ret);
		int f = add_new(&found, &g->protected_paths, ret);
		/* What one grant hides must not hide what another shows. */
		error = error ? error : r < 0 ? r : l < 0 ? l : f;
	}
	return error;
}
