/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve - see resolve.h
 *
 * Theory of operation
 *   1. Fetchers are refused by the words alone (fetchers.c).
 *      Must not touch a file: the answer comes within milliseconds whatever the disk does.
 *   2. Each program of the command is found (env, nice and their kin start another one), looked through when it is a
 *      version manager's shim, and followed through its shebangs to a native program.
 *      Must not run anything. Must not use a directory that the caller's PATH does not name.
 *   3. The arguments of the last program that are code are found (resolve_args.c).
 *   4. What was found becomes trees, links and a PATH in which every name that was looked up has the same meaning.
 */
#include "supervisor/resolve.h"
#include <errno.h>
#include <string.h>
#include "base/fs.h"
#include "supervisor/base_view.h"
#include "supervisor/resolve_internal.h"

#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

void resolved_done(struct resolved *r)
{
	for (size_t i = 0; i < r->n_trees; i++) {
		free(r->trees[i].path);
		free(r->trees[i].role);
		free(r->trees[i].stamp);
	}
	free(r->trees);
	free(r->given);
	free(r->program);
	free(r->subject);
	strv_done(&r->argv);
	strv_done(&r->chain);
	strv_done(&r->path);
	strv_done(&r->outward);
	strv_done(&r->symlinks);
	strv_done(&r->first_links);
	*r = (struct resolved){ 0 };
}

static void resolve_done(struct resolve *c)
{
	strv_done(&c->dirs);
	strv_done(&c->stands);
	strv_done(&c->links);
	strv_done(&c->bins);
	strv_done(&c->by_path);
}

/* Relative and empty entries mean the working directory, which the server may write: they are passed over. */
static int split_path(const char *path_env, struct strv *ret)
{
	_cleanup_free_ char *copy = strdup(path_env && *path_env ? path_env : DEFAULT_PATH);
	char *save = NULL;
	int r = copy ? 0 : -ENOMEM;

	for (char *dir = copy ? strtok_r(copy, ":", &save) : NULL; r == 0 && dir; dir = strtok_r(NULL, ":", &save)) {
		size_t n = strlen(dir);
		while (n > 1 && dir[n - 1] == '/')
			dir[--n] = '\0';
		if (*dir == '/' && ret->n < RESOLVE_PATH_DIRS_MAX && !strv_contains(ret, dir))
			r = strv_add(ret, dir);
	}
	return r;
}

/* --- one program and what interprets it --- */

static int add_native(struct resolve *c, const struct found *f, enum family family)
{
	_cleanup_free_ char *dir = resolve_dirname(f->path);
	int r = dir ? 0 : -ENOMEM;

	if (family == FAMILY_PYTHON)
		r = resolve_python_venv(c, f->path);
	/* A venv brings the tree of the interpreter that it was made from; the link may lead to another copy of it. */
	if (r >= 0)
		r = resolve_tree_program(c, f->real, family);
	if (r == 0)
		r = resolve_elf(c, f->real);
	return r < 0 || base_view_covers(dir) ? r : strv_add(&c->bins, dir);
}

/* pip install --user: the script is in ~/.local/bin, its packages are not beside it. */
static int add_user_packages(struct resolve *c, const char *script, const struct found *interpreter)
{
	_cleanup_free_ char *bin = resolve_join(c->p->home, ".local/bin"), *venv = NULL;
	int r = bin ? resolve_venv_of(interpreter->path, &venv) : -ENOMEM;

	if (r < 0 || venv || !fs_path_within(script, bin))
		return r;
	return resolve_python_user_site(c, interpreter->real);
}

/* npm's and pnpm's scripts in node_modules/.bin: `exec node "$basedir/../pkg/index.js" "$@"`. 1: it was one. */
static int add_cmd_shim(struct resolve *c, const char *script)
{
	static const char mark[] = "exec node ";
	_cleanup_free_ char *dir = resolve_dirname(script), *path = NULL, *real = NULL;
	_cleanup_buf_ struct buf b = BUF_INIT(RESOLVE_TEXT_MAX);
	_cleanup_found_ struct found node = { 0 };
	int r = dir ? resolve_read(script, &b) : -ENOMEM;
	char *at, *end;

	at = r == 0 && b.data ? strstr(b.data, mark) : NULL;
	at = at ? strstr(at, "\"$basedir/") : NULL;
	end = at ? strchr(at + 10, '"') : NULL;
	if (!end)
		return r == -ENOMEM ? r : 0;
	*end = '\0';
	path = resolve_join(dir, at + 10);
	if (!path)
		return -ENOMEM;
	r = resolve_walk(path, &real, &c->links);
	if (r < 0)
		return diag_fail(c->d, r == -ENOMEM ? r : -ENOENT,
			"%s starts %s, which does not exist; install the package again", SHOWN(script), SHOWN(path));
	r = resolve_tree_script(c, real, FAMILY_NODE);
	if (r == 0)
		r = resolve_find(c, "node", false, &node);
	if (r == 0)
		r = strv_add(&c->ret->chain, node.path);
	if (r == 0)
		r = add_native(c, &node, FAMILY_NODE);
	return r < 0 ? r : 1;
}

static int follow(struct resolve *c, const struct found *f, int depth);

static int add_script(struct resolve *c, const struct found *script, const struct found *interpreter)
{
	enum family family = resolve_family(resolve_basename(interpreter->path));
	int r = 0;

	if (family == FAMILY_NONE)
		family = resolve_family(resolve_basename(interpreter->real));
	if (family == FAMILY_NONE) {
		r = add_cmd_shim(c, script->real);
		if (r < 0)
			return r;
	}
	r = resolve_tree_script(c, script->real, family);
	if (r == 0 && family == FAMILY_PYTHON)
		r = add_user_packages(c, script->real, interpreter);
	return r;
}

/* env in a shebang: env itself, then what it starts. */
static int follow_env(
	struct resolve *c, const struct found *script, const struct found *env, const char *argument, int depth)
{
	_cleanup_strv_ struct strv words = { 0 };
	_cleanup_found_ struct found inner = { 0 };
	int r = resolve_env_shebang(c, script->real, argument, &words);

	if (r == 0) {
		r = resolve_refuse_fetcher(&words, c->d);
		if (r == -EPERM)
			diag_prefix(c->d, "the first line of %s: ", SHOWN(script->path));
	}
	if (r == 0)
		r = strv_add(&c->ret->chain, env->path);
	if (r == 0)
		r = resolve_elf(c, env->real);
	if (r < 0)
		return r;
	r = resolve_find(c, words.v[0], true, &inner);
	if (r < 0) {
		if (r == -ENOENT || r == -EACCES)
			diag_prefix(c->d, "%s needs an interpreter: ", SHOWN(script->path));
		return r;
	}
	r = add_script(c, script, &inner);
	if (r == 0)
		r = resolve_args(c, &words, 0, &inner);
	return r < 0 ? r : follow(c, &inner, depth + 1);
}

/* A shim in a shebang has no place inside: the kernel's work is done here, with the program behind it. */
static int replace_shebang(
	struct resolve *c, const struct found *script, const struct found *interpreter, const char *argument, int depth)
{
	_cleanup_strv_ struct strv argv = { 0 };
	char *program = strdup(interpreter->path);
	int r;

	if (!program)
		return -ENOMEM;
	if (depth > 0) {
		free(program);
		return diag_fail(c->d, -ENOEXEC,
			"the first line of %s names a version manager's shim, and another script stands before it; "
			"write the absolute path of %s there",
			SHOWN(script->path), SHOWN(interpreter->path));
	}
	free(c->ret->program);
	c->ret->program = program;
	r = strv_add(&argv, interpreter->path);
	if (r == 0 && argument)
		r = strv_add(&argv, argument);
	if (r == 0)
		r = strv_add(&argv, script->path);
	if (r == 0 && c->ret->argv.n > 1)
		r = strv_extend(&argv, c->ret->argv.v + 1, c->ret->argv.n - 1);
	if (r < 0)
		return r;
	strv_done(&c->ret->argv);
	c->ret->argv = argv;
	argv = (struct strv){ 0 };
	return 0;
}

static int follow_script(struct resolve *c, const struct found *f, const struct head *head, int depth)
{
	_cleanup_found_ struct found interpreter = { 0 };
	int r;

	if (depth >= RESOLVE_DEPTH_MAX)
		return diag_fail(c->d, -ENOEXEC,
			"%s is interpreted by a script that is interpreted by a script, more than %d deep",
			SHOWN(f->path), RESOLVE_DEPTH_MAX);
	r = resolve_find(c, head->interpreter, true, &interpreter);
	if (r < 0) {
		diag_prefix(c->d, "%s names its interpreter in its first line: ", SHOWN(f->path));
		return r;
	}
	if (head->argument && resolve_family(resolve_basename(interpreter.real)) == FAMILY_PYTHON)
		resolve_python_flags(c, head->argument);
	if (strcmp(resolve_basename(head->interpreter), "env") == 0)
		return follow_env(c, f, &interpreter, head->argument, depth);
	if (interpreter.shim)
		r = replace_shebang(c, f, &interpreter, head->argument, depth);
	if (r == 0)
		r = add_script(c, f, &interpreter);
	return r < 0 ? r : follow(c, &interpreter, depth + 1);
}

static int follow(struct resolve *c, const struct found *f, int depth)
{
	_cleanup_head_ struct head head = { 0 };
	enum family family = resolve_family(resolve_basename(f->path));
	int r = strv_add(&c->ret->chain, f->path);

	if (r == 0)
		r = resolve_head(c, f->real, &head);
	if (r < 0)
		return r;
	if (head.kind == HEAD_SCRIPT)
		return follow_script(c, f, &head, depth);
	if (family == FAMILY_NONE)
		family = resolve_family(resolve_basename(f->real));
	return add_native(c, f, family);
}

/* --- the words of the command --- */

/* The name that it was called by stays, unless it leads elsewhere inside: Python finds its library by it. */
static int settle_argv0(struct resolve *c, const struct found *f)
{
	struct resolved *r = c->ret;
	enum family family = resolve_family(resolve_basename(f->path));

	if (family != FAMILY_PYTHON || !strchr(r->given, '/') || strcmp(r->argv.v[0], f->path) == 0)
		return 0;
	char *copy = strdup(f->path);
	if (!copy)
		return -ENOMEM;
	free(r->argv.v[0]);
	r->argv.v[0] = copy;
	return 0;
}

static int take_program(struct resolve *c, const struct found *f)
{
	free(c->ret->program);
	free(c->ret->subject);
	c->ret->program = strdup(f->path);
	c->ret->subject = strdup(f->real);
	return c->ret->program && c->ret->subject ? settle_argv0(c, f) : -ENOMEM;
}

/* A program that a wrapper starts: its word must mean the same inside. */
static int take_inner(struct resolve *c, const struct found *f, size_t at)
{
	char **word = &c->ret->argv.v[at], *subject = strdup(f->real), *path = NULL;

	if (!subject)
		return -ENOMEM;
	free(c->ret->subject);
	c->ret->subject = subject;
	if (!strchr(*word, '/') || !f->shim)
		return 0;
	path = strdup(f->path);
	if (!path)
		return -ENOMEM;
	free(*word);
	*word = path;
	return 0;
}

/* A name under which a fetcher is reached (a link to npx-cli.js) is one all the same. */
static int refuse_hidden_fetcher(struct resolve *c, const struct found *f, const struct strv *words, size_t at)
{
	_cleanup_strv_ struct strv real = { 0 };
	int r = strv_add(&real, f->real);

	if (r == 0)
		r = strv_extend(&real, words->v + at + 1, words->n - at - 1);
	return r < 0 ? r : resolve_refuse_fetcher(&real, c->d);
}

static int refuse_fetcher_subject(struct resolve *c, const struct found *f, size_t at)
{
	const struct strv *argv = &c->ret->argv;

	if (strcmp(c->ret->subject, f->real) == 0)
		return 0;
	/* node /usr/lib/node_modules/npm/bin/npx-cli.js -y x: the words behind the script are the fetcher's. */
	for (size_t i = at + 1; i < argv->n; i++)
		if (strcmp(resolve_basename(argv->v[i]), resolve_basename(c->ret->subject)) == 0) {
			struct found script = { .path = c->ret->subject, .real = c->ret->subject };
			return refuse_hidden_fetcher(c, &script, argv, i);
		}
	return 0;
}

static int read_words(struct resolve *c)
{
	struct resolved *ret = c->ret;

	for (size_t at = 0, depth = 0; at < ret->argv.n; depth++) {
		_cleanup_found_ struct found f = { 0 };
		_cleanup_free_ char *word = strdup(ret->argv.v[at]);
		size_t inner = 0, before = ret->argv.n;
		int r = word ? resolve_find(c, word, at > 0, &f) : -ENOMEM;
		if (r == 0)
			r = refuse_hidden_fetcher(c, &f, &ret->argv, at);
		if (r == 0)
			r = at == 0 ? take_program(c, &f) : take_inner(c, &f, at);
		if (r == 0)
			r = follow(c, &f, 0);
		if (r < 0)
			return r;
		if (depth < RESOLVE_DEPTH_MAX && strcmp(resolve_basename(word), "env") == 0)
			r = resolve_env_words(c, &ret->argv, at + 1, &inner);
		else
			inner = depth < RESOLVE_DEPTH_MAX ? resolve_wrapper(&ret->argv, at) : ret->argv.n;
		if (r < 0)
			return r;
		if (inner < ret->argv.n) {
			at = inner;
			continue;
		}
		/* A replaced shebang has already been read. */
		if (f.path && before == ret->argv.n)
			r = resolve_args(c, &ret->argv, at, &f);
		return r < 0 ? r : refuse_fetcher_subject(c, &f, at);
	}
	return 0;
}

/* --- PATH inside --- */

static int add_path_dir(struct resolve *c, const char *dir)
{
	_cleanup_free_ char *real = NULL;
	int r = resolve_walk(dir, &real, NULL);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	bool visible = resolve_is_visible(c, real);
	for (size_t i = 0; !visible && i < c->ret->n_trees; i++) {
		_cleanup_free_ char *parent = resolve_dirname(c->ret->trees[i].path);
		visible = parent && strcmp(parent, real) == 0;
	}
	if (!visible || strchr(real, ':') || strv_contains(&c->ret->path, real))
		return 0;
	return strv_add(&c->ret->path, real);
}

/* The caller's order stays, so that a name that was looked up outside means the same inside; what stands for a
 * directory of shims takes its place. */
static int build_path(struct resolve *c)
{
	static const char *const always[] = { "/usr/local/bin", "/usr/bin", "/bin" };
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->dirs.n; i++) {
		size_t n = strlen(c->dirs.v[i]);
		for (size_t k = 0; r == 0 && k < c->stands.n; k++)
			if (strncmp(c->stands.v[k], c->dirs.v[i], n) == 0 && c->stands.v[k][n] == '\t')
				r = add_path_dir(c, c->stands.v[k] + n + 1);
		if (r == 0)
			r = add_path_dir(c, c->dirs.v[i]);
	}
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(always); i++)
		r = add_path_dir(c, always[i]);
	for (size_t i = 0; r == 0 && i < c->bins.n; i++)
		r = add_path_dir(c, c->bins.v[i]);
	return r;
}

int resolve_command(const struct paths *p, const struct strv *command, const char *path_env, const char *cwd,
	struct resolved *ret, struct diag *d)
{
	_cleanup_(resolve_done) struct resolve c = { .p = p, .cwd = cwd, .ret = ret, .d = d };
	int r;

	*ret = (struct resolved){ 0 };
	if (command->n == 0)
		return diag_fail(d, -ENOENT, "there is no command; name the program to run");
	r = resolve_refuse_fetcher(command, d);
	if (r < 0)
		return r;
	ret->given = strdup(command->v[0]);
	r = ret->given ? strv_extend(&ret->argv, command->v, command->n) : -ENOMEM;
	if (r == 0)
		r = split_path(path_env, &c.dirs);
	if (r == 0)
		r = read_words(&c);
	if (r == 0)
		r = resolve_trees_finish(&c);
	if (r == 0)
		r = build_path(&c);
	if (r == -ENOMEM || r == -E2BIG)
		r = diag_fail(d, r, "cannot resolve the command: %s", strerror(-r));
	if (r < 0)
		resolved_done(ret);
	return r;
}
