/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client - see client.h
 *
 * A look at one process: open its directory of /proc, see that it is the one that lineage saw, take what it executes,
 * and see at the end that it still is and still does. Whoever has its number later is not reached through that
 * directory.
 */
#include "supervisor/client/client.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include "supervisor/client/client_parts.h"
#include "supervisor/lineage_clients.h"

enum { STAT_MAX = 1024 };

/* What starts programs for others, and so is nobody's client: base names of executable or script. */
static const char *const launchers[] = { "sh", "bash", "dash", "zsh", "fish", "ksh", "ksh93", "mksh", "tcsh", "csh",
	"busybox", "env", "nice", "ionice", "nohup", "setsid", "timeout", "stdbuf", "xargs", "find", "time", "chrt",
	"taskset", "prlimit", "sudo", "su", "doas", "pkexec", "runuser", "setpriv", "unshare", "nsenter", "script",
	"strace", "ltrace", "systemd-run", "dbus-run-session", "xvfb-run", "npx", "npx-cli.js", "npm", "npm-cli.js",
	"pnpm", "pnpm.cjs", "yarn", "yarn.js", "uv", "uvx", "pipx", "direnv", "mise", "asdf", "make", "stockade" };

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool client_is_launcher(const struct ancestor *a)
{
	const char *exe = a->exe ? base_name(a->exe) : a->comm, *script = a->script ? base_name(a->script) : "";

	for (size_t i = 0; i < ARRAY_LEN(launchers); i++)
		if (strcmp(launchers[i], exe) == 0 || strcmp(launchers[i], script) == 0)
			return true;
	return false;
}

/* Not ->client, which lineage_mark_sessions writes to as well. */
static const char *known(const struct ancestor *a)
{
	return lineage_client_name(a->exe, a->script, a->comm);
}

static const struct ancestor *find(const struct lineage *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (known(&l->v[i]))
			return &l->v[i];
	for (size_t i = 0; i < l->n; i++)
		if (!client_is_launcher(&l->v[i]))
			return &l->v[i];
	return NULL;
}

static int cannot(struct client *c, const char *words)
{
	c->kind = CLIENT_UNKNOWN;
	free(c->why);
	c->why = strdup(words);
	return c->why ? 0 : -ENOMEM;
}

/* Is it still the process that lineage saw? */
static bool is_same_process(const struct client_look *l)
{
	_cleanup_buf_ struct buf b = BUF_INIT(STAT_MAX);
	struct lineage_stat st;

	return client_read_at(l->proc, "stat", STAT_MAX - 1, &b) == 0 && lineage_parse_stat(b.data, &st) == 0 &&
	       st.start == l->a->start;
}

static bool executes_the_same(const struct client_look *l)
{
	struct stat st;

	return fstatat(l->proc, "exe", &st, 0) == 0 && st.st_dev == l->st.st_dev && st.st_ino == l->st.st_ino;
}

/* 1: opened; 0: not, and why is said. */
static int open_process(struct client_look *l)
{
	char path[PATH_MAX + 16];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d", (int)l->a->pid);
	l->proc = open(path, O_DIRECTORY | O_PATH | O_CLOEXEC);
	if (l->proc < 0 || !is_same_process(l))
		return cannot(l->c, "the process that started this one has ended");
	n = readlinkat(l->proc, "exe", path, sizeof(path) - 1);
	l->exe = n > 0 ? openat(l->proc, "exe", O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) : -1;
	if (l->exe < 0 || fstat(l->exe, &l->st) < 0)
		return cannot(
			l->c, "what that process executes cannot be read: it is another user's, or protects itself");
	path[n] = '\0';
	l->c->exe.path = strdup(path);
	return l->c->exe.path ? 1 : -ENOMEM;
}

/* --- digest and package, which take long --- */

static int take_digest(const struct client_look *l, int fd, struct client_file *f, struct client_cached *c)
{
	int r = 0;

	if (c->digest[0] && !l->options->anew)
		memcpy(f->digest, c->digest, sizeof(f->digest));
	else
		r = client_file_digest(fd, f->digest);
	memcpy(c->digest, f->digest, sizeof(c->digest));
	return r == -ENOMEM ? r : 0;
}

/* Of what root alone can write, and was not installed some other way. */
static int take_deb(struct client_look *l, const struct client_file *f, struct client_cached *c)
{
	struct client *client = l->c;
	int r = 0;

	if (!f->held || client->package)
		return 0;
	/* A hint, where it is not to be believed: one list is quickly read, and a package that has the file is one. */
	if (l->options->anew && !(c->package && *c->package && client_deb_owns(c->package, f->path)))
		client_cached_done(c);
	if (!c->package)
		r = client_deb_find(f->path, &c->package, &c->version);
	if (r == 0 && !c->package)
		c->package = strdup("");
	if (r < 0 || !c->package)
		return -ENOMEM;
	if (!*c->package)
		return 0;
	client->version = c->version ? strdup(c->version) : NULL;
	client->package_held = true;
	if ((c->version && !client->version) || asprintf(&client->package, "deb:%s", c->package) < 0) {
		client->package = NULL;
		return -ENOMEM;
	}
	return 0;
}

static int look_at_file(struct client_look *l, int fd, const struct stat *st, struct client_file *f)
{
	_cleanup_client_cached_ struct client_cached c = { "" };
	int r = client_cache_read(l->paths, st, &c);
	bool cached = c.digest[0] && (!f->held || c.package);

	if (r == 0)
		r = take_deb(l, f, &c);
	if (r == 0)
		r = take_digest(l, fd, f, &c);
	if (r == 0 && !cached)
		client_cache_write(l->paths, st, &c);
	return r;
}

/* --- a script --- */

/* As the process says; one word of it that is no absolute path is meant from its working directory. */
static char *script_path(const struct client_look *l)
{
	_cleanup_free_ char *joined = NULL;
	char cwd[PATH_MAX];
	ssize_t n;

	if (l->a->script[0] == '/')
		return realpath(l->a->script, NULL);
	n = readlinkat(l->proc, "cwd", cwd, sizeof(cwd) - 1);
	if (n <= 0)
		return NULL;
	cwd[n] = '\0';
	return asprintf(&joined, "%s/%s", cwd, l->a->script) < 0 ? NULL : realpath(joined, NULL);
}

static int take_script(struct client_look *l)
{
	struct client_file *f = &l->c->script;
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	f->path = l->a->script ? script_path(l) : NULL;
	fd = f->path ? client_open_file(f->path, &st) : -1;
	if (fd < 0) {
		free(f->path);
		f->path = NULL;
		l->c->how = strdup("it is an interpreter, and which script it runs cannot be told");
		return l->c->how ? 0 : -ENOMEM;
	}
	l->c->how = strdup("the script by the words of its command line, which are its own");
	f->held = client_file_held(f->path, &st);
	r = l->c->how ? client_script_package(l) : -ENOMEM;
	return r < 0 ? r : look_at_file(l, fd, &st, f);
}

static int look(struct client_look *l)
{
	struct client *c = l->c;
	int r;

	c->exe.held = client_file_held(c->exe.path, &l->st);
	r = client_find_kind(l);
	if (r < 0)
		return r;
	if (c->kind == CLIENT_UNKNOWN)
		c->kind = lineage_is_interpreter(c->exe.path) ? CLIENT_SCRIPT : CLIENT_PROGRAM;
	/* Whose the interpreter is says nothing of the script. */
	return c->kind == CLIENT_SCRIPT ? take_script(l) : look_at_file(l, l->exe, &l->st, &c->exe);
}

static int identify(struct client_look *l)
{
	int r = open_process(l);

	if (r > 0)
		r = look(l);
	if (r == 0 && l->exe >= 0 && !(is_same_process(l) && executes_the_same(l)))
		return cannot(l->c, "it became another program while it was looked at");
	return r;
}

int client_identify(const struct paths *p, const struct lineage *l, const struct client_options *o, struct client *ret)
{
	struct client_look look_at = { .paths = p, .options = o, .a = find(l), .c = ret, .proc = -1, .exe = -1 };
	int r;

	*ret = (struct client){ 0 };
	if (!look_at.a)
		return cannot(ret, "nothing but shells and launchers stands above it");
	ret->name = known(look_at.a);
	ret->pid = look_at.a->pid;
	ret->start = look_at.a->start;
	r = identify(&look_at);
	if (look_at.exe >= 0)
		close(look_at.exe);
	if (look_at.proc >= 0)
		close(look_at.proc);
	if (r < 0)
		client_done(ret);
	return r;
}

const struct client_file *client_subject(const struct client *c)
{
	const struct client_file *f = c->kind == CLIENT_SCRIPT ? &c->script : &c->exe;

	return c->kind != CLIENT_UNKNOWN && f->path ? f : NULL;
}

void client_done(struct client *c)
{
	free(c->exe.path);
	free(c->script.path);
	free(c->image.path);
	free(c->package);
	free(c->version);
	free(c->how);
	free(c->why);
	*c = (struct client){ 0 };
}
