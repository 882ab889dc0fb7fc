/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wrapped - see wrapped.h
 *
 * An entry is taken for wrapped only where nothing else can be meant: 'stockade run' as the command itself, behind env,
 * or as the one simple command of a shell's -c. A program of that name that is not ours is no wrapper.
 */
#include "supervisor/inventory/wrapped.h"
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

enum { SHELL_WORDS_MAX = 256 };

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool is_one_of(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(word, *list) == 0)
			return true;
	return false;
}

/* --- where it comes from --- */

/* A fetcher: the words before the package, options that take the next word, and what kind of package it is. */
static const struct fetcher {
	const char *program, *words[2], *kind;
	const char *with_value[24];
} fetchers[] = {
	{ "npx", { NULL }, "npm", { "-c", "--call", "-w", "--workspace" } },
	{ "bunx", { NULL }, "npm", { NULL } },
	{ "pnpx", { NULL }, "npm", { NULL } },
	{ "npm", { "exec" }, "npm", { NULL } },
	{ "pnpm", { "dlx" }, "npm", { NULL } },
	{ "yarn", { "dlx" }, "npm", { NULL } },
	{ "bun", { "x" }, "npm", { NULL } },
	{ "uvx", { NULL }, "pypi", { "--with", "--python", "-p", "--index-url", "--index" } },
	{ "uv", { "tool", "run" }, "pypi", { "--with", "--python", "-p" } },
	{ "pipx", { "run" }, "pypi", { "--python", "--pip-args" } },
	{ "docker", { "run" }, "docker",
		{ "-e", "--env", "-v", "--volume", "--mount", "--name", "--network", "--net", "-p", "--publish", "-w",
			"--workdir", "-u", "--user", "--env-file", "--entrypoint", "--platform", "--pull", "-m",
			"--memory", "--cpus", "--add-host", "-l" } },
	{ "podman", { "run" }, "docker",
		{ "-e", "--env", "-v", "--volume", "--mount", "--name", "--network", "-p", "--publish", "-w",
			"--workdir", "-u", "--user", "--env-file", "--entrypoint", "--platform", "--pull" } },
	{ "dnx", { NULL }, "nuget", { NULL } },
};

/* The package is what this option names: npx -p NAME COMMAND, uvx --from NAME COMMAND. */
static const char *const naming[] = { "-p", "--package", "--from", "--spec", NULL };

static const struct fetcher *find_fetcher(char *const *v, size_t n, size_t *ret_used)
{
	for (size_t i = 0; i < ARRAY_LEN(fetchers); i++) {
		const struct fetcher *f = &fetchers[i];
		size_t used = 1;
		if (strcmp(base_name(v[0]), f->program) != 0)
			continue;
		while (used - 1 < ARRAY_LEN(f->words) && f->words[used - 1] && used < n &&
			strcmp(v[used], f->words[used - 1]) == 0)
			used++;
		if (used - 1 < ARRAY_LEN(f->words) && f->words[used - 1])
			continue;
		*ret_used = used;
		return f;
	}
	return NULL;
}

static bool takes_value(const struct fetcher *f, const char *option)
{
	for (size_t i = 0; i < ARRAY_LEN(f->with_value) && f->with_value[i]; i++)
		if (strcmp(f->with_value[i], option) == 0)
			return true;
	return false;
}

/* docker run -e NAME[=VALUE] */
static int note_variable(struct found *f, const struct fetcher *by, const char *option, const char *value)
{
	_cleanup_free_ char *name = strndup(value, strcspn(value, "="));

	if (!name)
		return -ENOMEM;
	if (strcmp(by->kind, "docker") != 0 || (strcmp(option, "-e") != 0 && strcmp(option, "--env") != 0) ||
		strv_contains(&f->variables, name))
		return 0;
	return strv_add(&f->variables, name);
}

/* The word that names the package; NULL in *ret: none does. */
static int find_package(struct found *f, const struct fetcher *by, char *const *v, size_t n, const char **ret)
{
	int r = 0;

	*ret = NULL;
	for (size_t i = 0; r == 0 && !*ret && i < n; i++) {
		const char *equals = strchr(v[i], '=');
		if (v[i][0] != '-') {
			*ret = v[i];
		} else if (strcmp(by->kind, "docker") != 0 && i + 1 < n && is_one_of(v[i], naming) &&
			   !takes_value(by, v[i])) {
			*ret = v[i + 1];
		} else if (strcmp(by->kind, "docker") != 0 && equals && strncmp(v[i], "--package=", 10) == 0) {
			*ret = equals + 1;
		} else if (takes_value(by, v[i]) && i + 1 < n) {
			r = note_variable(f, by, v[i], v[i + 1]);
			i++;
		}
	}
	return r;
}

/* "@scope/name@1.2", "name==1.2", "image:tag" or "image@sha256:...": name and version apart. */
static size_t name_length(const char *kind, const char *word)
{
	const char *at, *slash = strrchr(word, '/');

	if (strcmp(kind, "pypi") == 0)
		return strcspn(word, "=<>~!@[ ");
	if (strcmp(kind, "docker") == 0) {
		at = strchr(word, '@');
		at = at ? at : strchr(slash ? slash : word, ':');
		return at ? (size_t)(at - word) : strlen(word);
	}
	at = *word ? strchr(word + 1, '@') : NULL;
	return at ? (size_t)(at - word) : strlen(word);
}

static int set_package(struct found *f, const char *kind, const char *word)
{
	size_t n = name_length(kind, word);
	const char *extras = strcmp(kind, "pypi") == 0 && word[n] == '[' ? strchr(word + n, ']') : NULL;
	const char *rest = extras ? extras + 1 : word + n, *version = rest + strspn(rest, "=@:");

	if (asprintf(&f->package, "%s:%.*s", kind, (int)n, word) < 0) {
		f->package = NULL;
		return -ENOMEM;
	}
	if (!*version || version == rest)
		return 0;
	f->version = strdup(version);
	return f->version ? 0 : -ENOMEM;
}

static int set_path(struct found *f, const char *path)
{
	if (asprintf(&f->package, "path:%s", path) >= 0)
		return 0;
	f->package = NULL;
	return -ENOMEM;
}

/* What an interpreter runs, else the program. Words that begin with '-' are not looked into: they can hold secrets. */
static int judge_program(struct found *f, char *const *v, size_t n)
{
	static const char *const runners[] = { "node", "nodejs", "deno", "bun", "ruby", "java", NULL };
	const char *name = base_name(v[0]);
	bool python = strncmp(name, "python", 6) == 0;

	if (python && n > 2 && strcmp(v[1], "-m") == 0)
		return set_package(f, "pypi", v[2]);
	for (size_t i = 1; (python || is_one_of(name, runners)) && i < n; i++)
		if (v[i][0] != '-' && (strchr(v[i], '/') || strchr(v[i], '.')))
			return set_path(f, v[i]);
	return set_path(f, v[0]);
}

static int judge_source(struct found *f, char *const *v, size_t n)
{
	size_t used = 0;
	const struct fetcher *by = n > 0 ? find_fetcher(v, n, &used) : NULL;
	const char *word = NULL;
	int r;

	if (n == 0)
		return 0;
	if (!by)
		return judge_program(f, v, n);
	r = find_package(f, by, v + used, n - used, &word);
	return r < 0 || !word ? r : set_package(f, by->kind, word);
}

/* --- through stockade? --- */

/* env and shells: those of root's directories. A bare name is what the client's PATH finds, as with stockade's own. */
static bool is_of_system(const char *word)
{
	static const char *const dirs[] = { "/bin/", "/usr/bin/" };

	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++)
		if (strncmp(word, dirs[i], strlen(dirs[i])) == 0 && !strchr(word + strlen(dirs[i]), '/'))
			return true;
	return !strchr(word, '/');
}

/* By the letters alone: another user's path is not to be looked at with our rights. */
static bool is_own_path(const char *word)
{
	char own[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);

	own[n > 0 ? n : 0] = '\0';
	return strcmp(word, own) == 0 || strcmp(word, STOCKADE_BINDIR "/stockade") == 0;
}

static bool is_stockade(struct found *f, const char *word)
{
	if (strcmp(base_name(word), "stockade") != 0)
		return false;
	if (is_own_path(word))
		return true;
	/* A bare name is what the client's PATH finds: that cannot be seen from here. One that the entry brings along
	 * finds what its author likes. */
	if (!strchr(word, '/') && !strv_contains(&f->variables, "PATH"))
		return true;
	f->doubt = strchr(word, '/') ? "another program that is called stockade"
				     : "its entry sets PATH, which says what stockade is";
	return false;
}

/* Behind 'run': options, then NAME or -- COMMAND. */
static int judge_run(struct found *f, char *const *v, size_t n)
{
	static const char *const with_value[] = { "--set", "--env", "--setenv", "--ro", "--rw", "--host", "--cwd",
		NULL };
	size_t i = 0;

	f->state = FOUND_WRAPPED;
	for (; i < n && strcmp(v[i], "--") != 0; i++) {
		const char *file = strcmp(v[i], "--profile") == 0 && i + 1 < n ? v[++i]
				   : strncmp(v[i], "--profile=", 10) == 0      ? v[i] + 10
									       : NULL;
		if (!file && v[i][0] == '-') {
			i += is_one_of(v[i], with_value);
			continue;
		}
		if (f->profile)
			continue;
		f->profile = strdup(file ? file : v[i]);
		if (!f->profile)
			return -ENOMEM;
	}
	return i < n ? judge_source(f, v + i + 1, n - i - 1) : 0;
}

static int judge_words(struct found *f, char *const *v, size_t n);

/* One simple command is what it says; of more nobody knows which is the server. */
static int judge_shell(struct found *f, const char *text)
{
	_cleanup_free_ char *copy = strdup(text);
	char *words[SHELL_WORDS_MAX], *save = NULL;
	size_t n = 0;

	if (!copy)
		return -ENOMEM;
	for (char *w = strtok_r(copy, " \t", &save); w && n < ARRAY_LEN(words); w = strtok_r(NULL, " \t", &save))
		if (n > 0 || strcmp(w, "exec") != 0)
			words[n++] = w;
	if (!strpbrk(text, ";|&`$()<>\n\"'\\"))
		return judge_words(f, words, n);
	if (strstr(text, "stockade"))
		f->doubt = "more than one simple command in a shell";
	return n > 0 ? judge_source(f, words, n) : 0;
}

/* env, or NAME=VALUE before the command. */
static bool is_before(const char *word)
{
	const char *equals = strchr(word, '=');

	return equals ? !memchr(word, '/', (size_t)(equals - word))
		      : strcmp(base_name(word), "env") == 0 && is_of_system(word);
}

static int judge_words(struct found *f, char *const *v, size_t n)
{
	static const char *const shells[] = { "sh", "bash", "dash", "zsh", NULL };
	const char *name;
	int r = 0;

	for (; r == 0 && n > 0 && is_before(v[0]); v++, n--)
		if (strncmp(v[0], "PATH=", 5) == 0 && !strv_contains(&f->variables, "PATH"))
			r = strv_add(&f->variables, "PATH");
	if (r < 0 || n == 0)
		return r;
	if (n > 1 && strcmp(v[1], "run") == 0 && is_stockade(f, v[0]))
		return judge_run(f, v + 2, n - 2);
	name = base_name(v[0]);
	if (n > 2 && is_one_of(name, shells) && is_of_system(v[0]) &&
		(strcmp(v[1], "-c") == 0 || strcmp(v[1], "-lc") == 0))
		return judge_shell(f, v[2]);
	return judge_source(f, v, n);
}

int wrapped_judge(struct found *f)
{
	f->state = f->unread ? FOUND_UNREAD : f->words.n == 0 && f->url ? FOUND_REMOTE : FOUND_RAW;
	if (f->unread || f->words.n == 0)
		return 0;
	/* Clients that split a command at its blanks are told it in one word. */
	if (f->words.n == 1 && strchr(f->words.v[0], ' ') && f->words.v[0][0] != '/')
		return judge_shell(f, f->words.v[0]);
	return judge_words(f, f->words.v, f->words.n);
}
