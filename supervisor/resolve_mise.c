/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve_mise - mise's shims, which are links to mise itself (resolve_internal.h)
 *
 * Its files, nearest first: mise.toml and its other names, .tool-versions, then the user's config.toml; the tools are
 * the keys of the table [tools]. Installed versions are ROOT/installs/TOOL/VERSION, where "20" and "latest" are links.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include "supervisor/resolve_internal.h"

struct mise_search {
	const char *root, *name;
	char *ret;
};

/* "npm:@scope/name" is installed as "npm-scope-name". */
static void install_name(const char *tool, char *ret, size_t size)
{
	size_t n = 0;

	for (; *tool && n + 1 < size; tool++) {
		bool plain = isalnum((unsigned char)*tool) || *tool == '_' || *tool == '.';
		if (plain)
			ret[n++] = (char)tolower((unsigned char)*tool);
		else if (n > 0 && ret[n - 1] != '-')
			ret[n++] = '-';
	}
	ret[n] = '\0';
}

static int try_tool(struct mise_search *s, const char *tool, const char *version)
{
	static const char *const places[] = { "bin", ".", ".npm/bin", "venv/bin" };
	char dir[NAME_MAX + 1];

	if (strchr(version, '/') || *version == '.')
		return 0;
	install_name(strcmp(tool, "nodejs") == 0   ? "node"
		     : strcmp(tool, "golang") == 0 ? "go"
						   : tool,
		dir, sizeof(dir));
	return resolve_installed(s->root, dir, version, s->name, places, ARRAY_LEN(places), &s->ret);
}

/* The quoted words of a value: "20", ["3.11", "3.12"], { version = "20" }. */
static int try_values(struct mise_search *s, const char *tool, char *value)
{
	for (char *at = strpbrk(value, "\"'"); at;) {
		char *end = strchr(at + 1, *at);
		if (!end)
			return 0;
		*end = '\0';
		int r = try_tool(s, tool, at + 1);
		if (r != 0)
			return r;
		at = strpbrk(end + 1, "\"'");
	}
	return 0;
}

/* One line of TOML inside [tools]: KEY = VALUE, where KEY may be quoted. */
static int read_tool_line(struct mise_search *s, char *line)
{
	char *key = line + strspn(line, " \t"), *end;

	if (*key == '"' || *key == '\'') {
		end = strchr(key + 1, *key);
		key++;
	} else {
		end = key + strcspn(key, " \t=");
	}
	if (!end || !*end)
		return 0;
	char *value = strchr(end, '=');
	if (!value)
		return 0;
	*end = '\0';
	return *key ? try_values(s, key, value + 1) : 0;
}

static int read_toml(struct resolve *c, const char *file, void *arg)
{
	_cleanup_buf_ struct buf b = BUF_INIT(RESOLVE_TEXT_MAX);
	bool tools = false;
	char *save = NULL;
	int r = resolve_read(file, &b);

	if (r < 0 || !b.data)
		return r == -ENOMEM ? r : 0;
	for (char *line = strtok_r(b.data, "\r\n", &save); line; line = strtok_r(NULL, "\r\n", &save)) {
		const char *text = line + strspn(line, " \t");
		if (*text == '[')
			tools = strncmp(text, "[tools]", 7) == 0;
		else if (tools && *text != '#' && (r = read_tool_line(arg, line)) != 0)
			return r;
	}
	return 0;
}

static int read_tool_versions(struct resolve *c, const char *file, void *arg)
{
	_cleanup_buf_ struct buf b = BUF_INIT(RESOLVE_TEXT_MAX);
	char *line_save = NULL, *word_save = NULL;
	int r = resolve_read(file, &b);

	if (r < 0 || !b.data)
		return r == -ENOMEM ? r : 0;
	for (char *line = strtok_r(b.data, "\r\n", &line_save); line; line = strtok_r(NULL, "\r\n", &line_save)) {
		line[strcspn(line, "#")] = '\0';
		const char *tool = strtok_r(line, " \t", &word_save);
		for (char *v = tool ? strtok_r(NULL, " \t", &word_save) : NULL; v;
			v = strtok_r(NULL, " \t", &word_save)) {
			r = try_tool(arg, tool, v);
			if (r != 0)
				return r;
		}
	}
	return 0;
}

static const struct {
	const char *name;
	resolve_up_fn *read;
} project_files[] = {
	{ "mise.local.toml", read_toml },
	{ "mise.toml", read_toml },
	{ ".mise.local.toml", read_toml },
	{ ".mise.toml", read_toml },
	{ "mise/config.toml", read_toml },
	{ ".config/mise.toml", read_toml },
	{ ".config/mise/config.toml", read_toml },
	{ ".tool-versions", read_tool_versions },
};

static int read_dir(struct resolve *c, const char *dir, struct mise_search *s)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(project_files); i++) {
		_cleanup_free_ char *file = resolve_join(dir, project_files[i].name);
		if (!file)
			return -ENOMEM;
		if (resolve_is_file(file))
			r = project_files[i].read(c, file, s);
	}
	return r;
}

static int read_upwards(struct resolve *c, struct mise_search *s)
{
	_cleanup_free_ char *at = strdup(c->cwd);
	int r = 0;

	while (r == 0 && at) {
		r = read_dir(c, at, s);
		if (strcmp(at, "/") == 0)
			break;
		char *up = resolve_dirname(at);
		free(at);
		at = up;
	}
	return at ? r : -ENOMEM;
}

int resolve_mise(struct resolve *c, const char *shims, const char *name, char **ret)
{
	_cleanup_free_ char *root = resolve_dirname(shims),
			    *global = resolve_join(c->p->home, ".config/mise/config.toml");
	struct mise_search s = { .root = root, .name = name };
	int r = root && global ? 0 : -ENOMEM;

	if (r == 0)
		r = read_upwards(c, &s);
	if (r == 0 && resolve_is_file(global))
		r = read_toml(c, global, &s);
	if (r == 0)
		return diag_fail(c->d, -ENOEXEC,
			"%s/%s is a shim of mise, and mise's files do not name an installed version that has it; write "
			"the absolute path of the program instead, e.g. %s/installs/TOOL/VERSION/bin/%s",
			SHOWN(shims), SHOWN(name), SHOWN(root), SHOWN(name));
	*ret = s.ret;
	return r;
}
