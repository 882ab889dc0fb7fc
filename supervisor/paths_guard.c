/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paths_guard - the places that no grant may equal, contain or lie within
 *
 * Process:  supervisor
 * Returns:  0, -EPERM with words
 *
 * A server that can write a client's configuration starts itself outside the next time; one that can read it has the
 * secrets of every other server; one that reaches stockade's own files approves itself. A whole directory is guarded
 * where a client keeps hooks, rules or settings that run commands beside the list of servers. Each place is guarded
 * under its plain name and under the name that its symbolic links lead to.
 */
#include "supervisor/paths.h"
#include <errno.h>
#include <string.h>
#include "base/fs.h"
#include "base/text.h"

enum { SHOWN = 512 }; /* of a path in a message */

enum guard_base {
	GUARD_ROOT,
	GUARD_HOME,
	GUARD_CONFIG_HOME,
	GUARD_ENV,
	GUARD_ENV_BELOW,
	GUARD_CONFIG,
	GUARD_STATE,
	GUARD_RUNTIME
};

struct guard_row {
	enum guard_base base;
	const char *rest; /* below the base; for GUARD_ENV the variable's name; ENV_BELOW: "stockade" in it */
	const char *what;
	bool own;
};

/* A client that honours XDG_CONFIG_HOME and one that does not are both served: CONFIG_HOME guards both. A launch with
 * another HOME or other XDG_* variables than usual must not reach what usual launches use: HOME is that of the
 * environment and that of /etc/passwd. */
static const struct guard_row guard_table[] = {
	{ GUARD_CONFIG, "", "stockade's own configuration", true },
	{ GUARD_CONFIG_HOME, "stockade", "stockade's own configuration", true },
	{ GUARD_STATE, "", "stockade's own state: approvals and the audit log", true },
	{ GUARD_HOME, ".local/state/stockade", "stockade's own state: approvals and the audit log", true },
	{ GUARD_HOME, ".local/share/stockade", "stockade's own data", true },
	{ GUARD_ENV_BELOW, "XDG_DATA_HOME", "stockade's own data", true },
	{ GUARD_RUNTIME, "", "the runtime directory of the user" },
	{ GUARD_ENV, "XDG_RUNTIME_DIR", "the runtime directory of the user" },
	{ GUARD_ROOT, "/run/user", "the runtime directories of users" },
	{ GUARD_ROOT, "/etc/stockade", "stockade's managed configuration", true },
	{ GUARD_ROOT, "/usr/share/stockade", "stockade's profiles" },
	{ GUARD_ROOT, STOCKADE_DATADIR, "stockade's profiles" },
	{ GUARD_ROOT, STOCKADE_LIBEXECDIR, "stockade's own programs" },
	{ GUARD_ROOT, STOCKADE_BINDIR "/stockade", "stockade itself" },
	{ GUARD_ROOT, "/var/log/stockade", "stockade's audit log", true },
	{ GUARD_ROOT, "/run/stockade", "where stockade's collector listens", true },
	{ GUARD_ROOT, "/var/lib/stockade", "the bundle that stockade keeps", true },
	{ GUARD_ROOT, "/var/lib/stockade-collector", "the key of stockade's collector", true },
	{ GUARD_CONFIG_HOME, "Claude", "the configuration of Claude Desktop" },
	{ GUARD_HOME, ".claude.json", "the configuration of Claude Code" },
	{ GUARD_HOME, ".claude", "the configuration of Claude Code" },
	{ GUARD_ENV, "CLAUDE_CONFIG_DIR", "the configuration of Claude Code" },
	{ GUARD_ROOT, "/etc/claude-code", "the managed configuration of Claude Code" },
	{ GUARD_HOME, ".cursor", "the configuration of Cursor" },
	{ GUARD_CONFIG_HOME, "Cursor/User", "the configuration of Cursor" },
	{ GUARD_CONFIG_HOME, "Code/User", "the configuration of VS Code" },
	{ GUARD_CONFIG_HOME, "Code - Insiders/User", "the configuration of VS Code Insiders" },
	{ GUARD_CONFIG_HOME, "VSCodium/User", "the configuration of VSCodium" },
	{ GUARD_HOME, ".vscode", "the configuration of VS Code" },
	{ GUARD_HOME, ".copilot", "the configuration of Copilot" },
	{ GUARD_HOME, ".codeium", "the configuration of Windsurf" },
	{ GUARD_CONFIG_HOME, "zed", "the configuration of Zed" },
	{ GUARD_HOME, ".codex", "the configuration of Codex" },
	{ GUARD_ENV, "CODEX_HOME", "the configuration of Codex" },
	{ GUARD_ROOT, "/etc/codex", "the managed configuration of Codex" },
	{ GUARD_HOME, ".gemini", "the configuration of Gemini CLI" },
	{ GUARD_CONFIG_HOME, "goose", "the configuration of Goose" },
	{ GUARD_HOME, ".lmstudio", "the configuration of LM Studio" },
	{ GUARD_HOME, ".continue", "the configuration of Continue" },
	{ GUARD_CONFIG_HOME, "opencode", "the configuration of OpenCode" },
	{ GUARD_HOME, ".kiro", "the configuration of Kiro" },
	{ GUARD_CONFIG_HOME, "crush", "the configuration of Crush" },
	{ GUARD_CONFIG_HOME, "amp", "the configuration of Amp" },
};

/* What a client reads from a project, wherever that is: a grant may not name it or what is in it. Inside a granted
 * directory it is `protect` that keeps it from being written. */
static const char *const project_names[] = {
	".mcp.json",
	".cursor",
	".vscode",
	".claude",
	".codex",
	".gemini",
	".kiro",
	".continue",
	".windsurf",
};

/* Resolves links as far as the path exists; the rest stays as it is written. */
static int resolve_prefix(const char *path, char **ret)
{
	_cleanup_free_ char *head = strdup(path);
	_cleanup_free_ char *real = NULL;
	size_t cut = strlen(path);

	if (!head)
		return -ENOMEM;
	for (;;) {
		real = realpath(cut ? head : "/", NULL);
		if (real || cut == 0)
			break;
		while (cut > 0 && head[cut - 1] != '/')
			cut--;
		while (cut > 0 && head[cut - 1] == '/')
			cut--;
		head[cut] = '\0';
	}
	if (!real)
		return -errno;
	while (path[cut] == '/')
		cut++;
	return asprintf(ret, "%s%s%s", real, strcmp(real, "/") && path[cut] ? "/" : "", path + cut) < 0 ? -ENOMEM : 0;
}

/* Takes ownership of path, even when it fails. */
static int guard_add_take(struct paths *p, char *path, const struct guard_row *row)
{
	struct path_guard *more = reallocarray(p->guards, p->n_guards + 1, sizeof(*more));

	if (!more) {
		free(path);
		return -ENOMEM;
	}
	p->guards = more;
	p->guards[p->n_guards++] = (struct path_guard){ .path = path, .what = row->what, .own = row->own };
	return 0;
}

static int guard_add(struct paths *p, const char *path, const struct guard_row *row)
{
	_cleanup_free_ char *clean = NULL;
	_cleanup_free_ char *real = NULL;
	int r = fs_path_clean(path, &clean);

	/* Not a path that anybody can use, so nobody's configuration. */
	if (r == -EINVAL)
		return 0;
	if (r == 0)
		r = resolve_prefix(clean, &real);
	if (r == 0 && strcmp(real, clean))
		r = guard_add_take(p, STEAL_PTR(real), row);
	if (r == 0)
		r = guard_add_take(p, STEAL_PTR(clean), row);
	return r;
}

static int guard_add_below(struct paths *p, const char *base, const char *rest, const struct guard_row *row)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s/%s", base, rest) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	return guard_add(p, path, row);
}

static bool has_other_home(const struct paths *p)
{
	return p->login_home && p->login_home[0] == '/' && strcmp(p->login_home, p->home) != 0 &&
	       strcmp(p->login_home, "/") != 0;
}

static int guard_add_home(struct paths *p, const struct guard_row *row)
{
	int r = guard_add_below(p, p->home, row->rest, row);

	return r < 0 || !has_other_home(p) ? r : guard_add_below(p, p->login_home, row->rest, row);
}

static int guard_add_config_home(struct paths *p, const struct guard_row *row)
{
	const char *env = getenv("XDG_CONFIG_HOME");
	_cleanup_free_ char *plain = NULL;
	int r = 0;

	if (asprintf(&plain, "%s/.config", p->home) < 0) {
		plain = NULL;
		return -ENOMEM;
	}
	if (env && env[0] == '/' && strcmp(env, plain))
		r = guard_add_below(p, env, row->rest, row);
	if (r == 0)
		r = guard_add_below(p, plain, row->rest, row);
	if (r == 0 && has_other_home(p)) {
		_cleanup_free_ char *other = NULL;
		r = asprintf(&other, "%s/.config", p->login_home) < 0 ? -ENOMEM
								      : guard_add_below(p, other, row->rest, row);
	}
	return r;
}

static int guard_add_row(struct paths *p, const struct guard_row *row)
{
	const char *env;

	switch (row->base) {
	case GUARD_ROOT:
		return guard_add(p, row->rest, row);
	case GUARD_HOME:
		return guard_add_home(p, row);
	case GUARD_CONFIG_HOME:
		return guard_add_config_home(p, row);
	case GUARD_CONFIG:
		return guard_add(p, p->config, row);
	case GUARD_STATE:
		return guard_add(p, p->state, row);
	case GUARD_RUNTIME:
		return guard_add(p, p->runtime_root, row);
	case GUARD_ENV:
		env = getenv(row->rest);
		return env && env[0] == '/' ? guard_add(p, env, row) : 0;
	case GUARD_ENV_BELOW:
		env = getenv(row->rest);
		return env && env[0] == '/' ? guard_add_below(p, env, "stockade", row) : 0;
	}
	return -EINVAL;
}

int paths_guard_init(struct paths *p, struct diag *d)
{
	for (size_t i = 0; i < ARRAY_LEN(guard_table); i++) {
		int r = guard_add_row(p, &guard_table[i]);

		if (r < 0)
			return diag_fail(d, r, "the places that no grant may touch cannot be listed: %s", strerror(-r));
	}
	return 0;
}

static const char *project_name_in(const char *path)
{
	for (const char *at = path; at && *at; at = strchr(at, '/')) {
		size_t n;

		at += *at == '/';
		n = strcspn(at, "/");
		for (size_t i = 0; i < ARRAY_LEN(project_names); i++)
			if (strlen(project_names[i]) == n && !memcmp(at, project_names[i], n))
				return project_names[i];
	}
	return NULL;
}

static int guard_check(const struct path_guard *g, const char *path, const char *shown, struct diag *d)
{
	char place[SHOWN];

	text_escape_str(g->path, place, sizeof(place));
	if (!strcmp(path, g->path))
		return diag_fail(d, -EPERM, "%s cannot be granted: it is %s", shown, g->what);
	if (fs_path_within(path, g->path))
		return diag_fail(d, -EPERM, "%s cannot be granted: it lies within %s (%s)", shown, place, g->what);
	if (fs_path_within(g->path, path))
		return diag_fail(d, -EPERM,
			"%s cannot be granted: it contains %s (%s); grant only the directories inside it that the "
			"server needs",
			shown, place, g->what);
	return 0;
}

bool paths_is_own(const struct paths *p, const char *path)
{
	for (size_t i = 0; i < p->n_guards; i++)
		if (p->guards[i].own &&
			(fs_path_within(path, p->guards[i].path) || fs_path_within(p->guards[i].path, path)))
			return true;
	return false;
}

int paths_check_grant(const struct paths *p, const char *path, struct diag *d)
{
	const char *project;
	char shown[SHOWN];

	text_escape_str(path, shown, sizeof(shown));
	if (!p->n_guards)
		return diag_fail(d, -EINVAL, "%s cannot be granted: the places to keep it from are not known", shown);
	for (size_t i = 0; i < p->n_guards; i++) {
		int r = guard_check(&p->guards[i], path, shown, d);

		if (r < 0)
			return r;
	}
	project = project_name_in(path);
	if (project)
		return diag_fail(d, -EPERM,
			"%s cannot be granted: '%s' is a client's or an editor's configuration of a project; grant the "
			"directory around it, where `protect` keeps it from being written",
			shown, project);
	return 0;
}
