/* SPDX-License-Identifier: Apache-2.0 */
/* entries - see entries.h */
#include "inventory/entries.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/io.h"
#include "base/text.h"

/* One file, and what is being said of it. */
struct file {
	struct search *s;
	const struct place *place;
	const char *path, *project;
};

static int fact(FILE *out, char letter, const char *text)
{
	_cleanup_buf_ struct buf b = BUF_INIT(8 * ENTRY_TEXT_MAX);
	int r = text_escape(&b, text, strnlen(text, ENTRY_TEXT_MAX), TEXT_KEEP_BACKSLASH);

	if (r < 0)
		return r;
	return fprintf(out, "%c %s\n", letter, b.data) < 0 ? -EIO : 0;
}

static int begin(const struct file *f)
{
	int r = fact(f->s->out, 'E', f->place->client);

	r = r < 0 ? r : fact(f->s->out, 'F', f->path);
	return r < 0 || !f->project ? r : fact(f->s->out, 'P', f->project);
}

static int end(const struct file *f)
{
	return fputs(".\n", f->s->out) < 0 ? -EIO : 0;
}

static int say_unread(const struct file *f, const char *why)
{
	int r = begin(f);

	r = r < 0 ? r : fact(f->s->out, 'X', why);
	return r < 0 ? r : end(f);
}

/* --- one server --- */

/* A text, the texts of a list, or Zed's {"path", "args"}. */
static int words(const struct file *f, const struct node *n)
{
	int r = 0;

	if (!n)
		return 0;
	if (n->type == NODE_TEXT)
		return fact(f->s->out, 'W', n->text);
	if (n->type == NODE_MAP) {
		r = words(f, node_get(n, "path"));
		return r < 0 ? r : words(f, node_get(n, "args"));
	}
	for (size_t i = 0; r == 0 && i < n->n; i++)
		if (n->v[i]->type == NODE_TEXT)
			r = fact(f->s->out, 'W', n->v[i]->text);
	return r;
}

/* Names alone: members of a map, texts of a list ("NAME" or "NAME=VALUE"). */
static int variables(const struct file *f, const struct node *n)
{
	char name[256];
	int r = 0;

	for (size_t i = 0; n && r == 0 && i < n->n; i++) {
		const char *text = n->type == NODE_MAP ? n->v[i]->key : n->v[i]->text;
		if (!text)
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(text, "="), text);
		r = fact(f->s->out, 'V', name);
	}
	return r;
}

/* Scheme, host and port: user, path and query can hold secrets. */
static int address(const struct file *f, const char *url)
{
	const char *authority = strstr(url, "://"), *at, *last;
	char shown[512];
	size_t n;

	if (!authority)
		return fact(f->s->out, 'U', "(an address without a scheme)");
	authority += 3;
	n = strcspn(authority, "/?#");
	last = authority;
	for (at = authority; at < authority + n; at++)
		if (*at == '@')
			last = at + 1;
	snprintf(shown, sizeof(shown), "%.*s%.*s", (int)(authority - url), url, (int)(authority + n - last), last);
	return fact(f->s->out, 'U', shown);
}

static bool is_off(const struct node *n)
{
	const char *on = node_text(n, "enabled"), *off = node_text(n, "disabled");

	return (on && strcmp(on, "false") == 0) || (off && strcmp(off, "true") == 0);
}

static const char *const envs[] = { "env", "envs", "environment", "env_keys", "env_vars" };

static const struct node *command_of(const struct node *n)
{
	return node_get(n, "command") ? node_get(n, "command") : node_get(n, "cmd");
}

static size_t size_of(const struct node *n)
{
	return n ? n->n : 0;
}

/* No program takes so many words, and who reads the facts takes no more. */
static bool is_endless(const struct node *n)
{
	const struct node *command = command_of(n);
	size_t words = size_of(command) + size_of(node_get(command, "args")) + size_of(node_get(n, "args")), names = 0;

	for (size_t i = 0; i < ARRAY_LEN(envs); i++)
		names += size_of(node_get(n, envs[i]));
	return words > ENTRY_WORDS_MAX || names > ENTRY_WORDS_MAX;
}

static int details(const struct file *f, const struct node *n)
{
	static const char *const urls[] = { "url", "serverUrl", "httpUrl", "uri" };
	int r = words(f, command_of(n));

	r = r < 0 ? r : words(f, node_get(n, "args"));
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(urls); i++)
		if (node_text(n, urls[i]))
			r = address(f, node_text(n, urls[i]));
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(envs); i++)
		r = variables(f, node_get(n, envs[i]));
	return r;
}

/* What the client itself brings along is no server of anybody's: Goose's own extensions. */
static bool is_builtin(const struct node *n)
{
	const char *type = node_text(n, "type");

	return type && (strcmp(type, "builtin") == 0 || strcmp(type, "platform") == 0 || strcmp(type, "frontend") == 0);
}

static int server(const struct file *f, const char *name, const struct node *n)
{
	const struct node *inner = node_get(n, "config");
	unsigned at = n->line;
	char line[16];
	int r;

	if (inner && inner->type == NODE_MAP && !node_get(n, "command") && !node_get(n, "cmd"))
		n = inner;
	if (n->type != NODE_MAP || is_builtin(n))
		return 0;
	snprintf(line, sizeof(line), "%u", at);
	r = begin(f);
	r = r < 0 ? r : fact(f->s->out, 'L', line);
	r = r < 0 ? r : fact(f->s->out, 'N', name);
	if (r == 0)
		r = is_endless(n) ? fact(f->s->out, 'X', "it has more words or variables than any program takes")
				  : details(f, n);
	if (r == 0 && is_off(n))
		r = fact(f->s->out, 'D', "");
	return r < 0 ? r : end(f);
}

static int servers(const struct file *f, const struct node *n)
{
	int r = 0;

	for (size_t i = 0; n && r == 0 && i < n->n; i++) {
		const char *name = n->type == NODE_MAP ? n->v[i]->key : node_text(n->v[i], "name");
		if (n->type != NODE_TEXT)
			r = server(f, name ? name : "", n->v[i]);
	}
	return r;
}

/* --- one file --- */

static void add_project(struct search *s, const char *path)
{
	for (size_t i = 0; i < s->n_projects; i++)
		if (strcmp(s->projects[i], path) == 0)
			return;
	if (path[0] == '/' && s->n_projects < PROJECTS_MAX && (s->projects[s->n_projects] = strdup(path)))
		s->n_projects++;
}

/* Claude Code keeps servers of projects in its own file, by the paths of the projects. */
static int of_projects(const struct file *f, const struct node *root)
{
	const struct node *projects = node_get(root, "projects");
	int r = 0;

	if (f->place->base != PLACE_ENV || strcmp(f->place->path, ".claude.json") != 0 || !projects ||
		projects->type != NODE_MAP)
		return 0;
	for (size_t i = 0; r == 0 && i < projects->n; i++) {
		struct file of = *f;
		of.project = projects->v[i]->key;
		add_project(f->s, of.project);
		r = servers(&of, node_get(projects->v[i], "mcpServers"));
	}
	return r;
}

static int take(const struct file *f, const struct buf *b)
{
	_cleanup_node_ struct node *root = NULL;
	const struct node *n;
	struct diag d = { "" };
	int r = f->place->parse(b->data ? b->data : "", b->len, &root, &d);

	if (r < 0)
		return say_unread(f, d.text[0] ? d.text : strerror(-r));
	n = root;
	for (size_t i = 0; i < ARRAY_LEN(f->place->keys) && f->place->keys[i]; i++)
		n = node_get(n, f->place->keys[i]);
	r = servers(f, n);
	return r < 0 ? r : of_projects(f, root);
}

/* Symbolic links lead where this user may read, and no further. */
static int look_at(const struct file *f)
{
	_cleanup_close_ int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	_cleanup_buf_ struct buf b = BUF_INIT(ENTRIES_FILE_MAX);
	struct stat st;
	int r;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : say_unread(f, strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return say_unread(f, "it is no file");
	r = io_read_all(fd, &b);
	if (r == -E2BIG)
		return say_unread(f, "it is larger than 32 MiB");
	return r < 0 ? say_unread(f, strerror(-r)) : take(f, &b);
}

static const char *variable(const struct search *s, const char *name, size_t n)
{
	for (size_t i = 0; s->environ_names && s->environ_names[i]; i++)
		if (strncmp(s->environ_names[i], name, n) == 0 && s->environ_names[i][n] == '=' &&
			s->environ_names[i][n + 1] == '/')
			return s->environ_names[i] + n + 1;
	return NULL;
}

/* 0: there is no such place. */
static int path_of(const struct search *s, const struct place *p, const char *project, char ret[PATH_MAX])
{
	const char *config = variable(s, "XDG_CONFIG_HOME", 15), *fallback, *dir;
	int n = 0;

	switch (p->base) {
	case PLACE_HOME:
		n = snprintf(ret, PATH_MAX, "%s/%s", s->home, p->path);
		break;
	case PLACE_CONFIG:
		n = snprintf(ret, PATH_MAX, "%s%s/%s", config ? config : s->home, config ? "" : "/.config", p->path);
		break;
	case PLACE_ENV:
		fallback = strchr(p->dir, ':');
		dir = variable(s, p->dir, (size_t)(fallback - p->dir));
		n = dir ? snprintf(ret, PATH_MAX, "%s/%s", dir, p->path)
			: snprintf(ret, PATH_MAX, "%s/%s%s%s", s->home, fallback + 1, fallback[1] ? "/" : "", p->path);
		break;
	case PLACE_SYSTEM:
		n = s->system ? snprintf(ret, PATH_MAX, "%s", p->path) : 0;
		break;
	case PLACE_PROJECT:
		n = project ? snprintf(ret, PATH_MAX, "%s/%s", project, p->path) : 0;
		break;
	}
	return n > 0 && n < PATH_MAX;
}

static int look_in(struct search *s, const char *project)
{
	char path[PATH_MAX];
	int r = 0;

	for (size_t i = 0; r == 0 && i < places_n; i++) {
		const struct file f = { s, &places[i], path, project };
		if ((places[i].base == PLACE_PROJECT) != (project != NULL) || !path_of(s, &places[i], project, path))
			continue;
		r = look_at(&f);
	}
	return r;
}

int entries_find(struct search *s)
{
	int r = look_in(s, NULL);

	for (size_t i = 0; r == 0 && i < s->n_projects; i++)
		r = look_in(s, s->projects[i]);
	return r;
}
