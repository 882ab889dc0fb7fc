/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve_args - which arguments of an interpreter are code (resolve_internal.h)
 *
 * `node FILE`, `python -m NAME`, `java -jar FILE` and the like: the file is what the server is made of, and is mounted
 * and bound as such. Everything behind it is the server's own business: a path there is data and is not granted. The
 * options that take a value must be known, or the value would be taken for the script.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include "base/fs.h"
#include "base/glob.h"
#include "supervisor/resolve_internal.h"

struct interpreter {
	const char *name; /* a trailing version is ignored: python3.11 */
	enum family family;
	bool clustered;	      /* short options join: python -um NAME */
	const char *valued;   /* options whose value is the next word; each between blanks */
	const char *code;     /* options whose value is code: a file when it looks like a path */
	const char *inlined;  /* the program is the next word: no file */
	const char *commands; /* words before the file: deno run FILE */
	bool cwd;	      /* takes settings or modules from the working directory whatever the words: bunfig.toml,
				 tsconfig.json, .Rprofile */
};

static const struct interpreter interpreters[] = {
	{ "node", FAMILY_NODE, false,
		" -C --conditions --input-type --title --env-file --env-file-if-exists --icu-data-dir --openssl-config "
		"--max-http-header-size --stack-trace-limit --experimental-config-file --test-name-pattern ",
		" -r --require --import --loader --experimental-loader ", " -e --eval -p --print -pe -c --check ", "" },
	{ "nodejs", FAMILY_NODE, false,
		" -C --conditions --input-type --title --env-file --env-file-if-exists --openssl-config ",
		" -r --require --import --loader ", " -e --eval -p --print ", "" },
	{ "tsx", FAMILY_NODE, false, " --tsconfig --conditions --env-file ", " -r --require --import ",
		" -e --eval -p --print ", " watch ", true },
	{ "ts-node", FAMILY_NODE, false, " -P --project -O --compilerOptions -C --compiler ", " -r --require ",
		" -e --eval -p --print ", "", true },
	{ "python", FAMILY_PYTHON, true, " -W -X --check-hash-based-pycs ", "", " -c ", "" },
	{ "pypy", FAMILY_PYTHON, true, " -W -X ", "", " -c ", "" },
	{ "java", FAMILY_JAVA, false,
		" --add-modules --add-reads --add-exports --add-opens --limit-modules --source --enable-native-access ",
		" -jar -cp -classpath --class-path -p --module-path --upgrade-module-path --patch-module ", "", "" },
	{ "deno", FAMILY_DENO, false, " -c --config --import-map --lock -L --log-level --cert --location --seed ",
		" --preload ", " eval ", " run serve ", true },
	{ "bun", FAMILY_BUN, false, " -c --config --cwd --env-file --tsconfig-override ", " -r --preload --require ",
		" -e --eval -p --print ", " run ", true },
	{ "dotnet", FAMILY_DOTNET, false, " --fx-version --roll-forward ",
		" --depsfile --runtimeconfig --additionalprobingpath --additional-deps ", "", " exec " },
	{ "ruby", FAMILY_OTHER, false, " -C -E -W ", " -r -I ", " -e ", "" },
	{ "perl", FAMILY_OTHER, false, "", " -I ", " -e -E ", "" },
	{ "php", FAMILY_OTHER, false, " -d -c -z ", " -f ", " -r ", "", true },
	{ "lua", FAMILY_OTHER, false, "", "", " -e ", "", true },
	{ "Rscript", FAMILY_OTHER, false, "", "", " -e ", "", true },
	{ "bash", FAMILY_NONE, false, " --rcfile --init-file ", "", "", "" },
	{ "sh", FAMILY_NONE, false, "", "", "", "" },
	{ "dash", FAMILY_NONE, false, "", "", "", "" },
	{ "zsh", FAMILY_NONE, false, "", "", "", "" },
};

/* Options whose value is a file that steers the interpreter as its variables do: NODE_OPTIONS in an env file loads
 * code. */
static const struct {
	const char *name, *options;
} settings[] = {
	{ "node", " --env-file --env-file-if-exists --openssl-config --experimental-config-file " },
	{ "nodejs", " --env-file --env-file-if-exists --openssl-config " },
	{ "tsx", " --env-file --tsconfig " },
	{ "ts-node", " -P --project " },
	{ "deno", " -c --config --import-map " },
	{ "bun", " -c --config --env-file --tsconfig-override " },
};

/* Options by which the code comes from where nothing here looks. Each: the beginning of the word, and what to do
 * instead. */
static const struct {
	const char *name, *option, *instead;
} refused[] = {
	{ "node", "--run", "it takes a command line from package.json; name that command itself" },
	{ "node", "--experimental-default-config-file",
		"it takes settings from the working directory; name the file with --experimental-config-file" },
	{ "java", "@", "it holds further options and class paths; write them out" },
	{ "java", "-XX:Flags=", "it holds further options; write them out" },
	{ "java", "-XX:VMOptionsFile=", "it holds further options; write them out" },
	{ "bun", "--cwd", "it moves the program to another directory; give --cwd to stockade" },
	{ "dotnet", "watch",
		"it builds the program at each start; publish it once (dotnet publish) and name its .dll" },
};

/* Java's options whose value is part of the same word and a class path or a library. */
static const char *const java_joined[] = { "-Xbootclasspath/a:", "-agentpath:", "--patch-module=", "--module-path=",
	"--class-path=", "--upgrade-module-path=" };

/* They run what their words name, and are not read any further here. */
static const char *const starters[] = { "*awk", "sed", "make", "gmake", "ninja", "cmake", "find", "xargs", "parallel",
	"busybox", "toybox", "ld.so", "ld-linux*", "ld-musl*", "setarch", "linux64", "taskset", "prlimit", "numactl",
	"choom", "flock", "script", "watch", "strace", "ltrace", "gdb", "valgrind*", "perf", "setpriv", "unshare",
	"chroot", "nsenter", "runuser", "tini*", "dumb-init", "catatonit", "xvfb-run", "dbus-run-session", "socat",
	"expect", "tclsh*", "wish*", "guile*", "racket", "julia", "R", "octave*", "sqlite3", "vi", "vim*", "nvim", "ex",
	"emacs*", "m4", "csh", "tcsh", "ksh*", "mksh", "fish", "ash", "yash", "nu", "pwsh", "erl", "escript", "elixir",
	"iex", "sbcl", "clisp", "ocaml*", "runghc*", "scala*", "groovy", "jshell", "kotlin*", "luajit*", "qjs",
	"electron*", "gjs*", "tar", "rsync" };

static bool is_starter(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(starters); i++)
		if (glob_match(starters[i], name, strlen(name)))
			return true;
	return false;
}

static const struct interpreter *find_interpreter(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(interpreters); i++) {
		size_t n = strlen(interpreters[i].name);
		if (strncmp(name, interpreters[i].name, n) != 0)
			continue;
		const char *rest = name + n;
		if (strspn(rest, "0123456789.") == strlen(rest))
			return &interpreters[i];
	}
	return NULL;
}

enum family resolve_family(const char *name)
{
	const struct interpreter *row = find_interpreter(name);

	/* tsx and ts-node are scripts of node: no family of native programs. */
	return !row || (row->family == FAMILY_NODE && strncmp(row->name, "node", 4) != 0) ? FAMILY_NONE : row->family;
}

static bool listed(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = strstr(list, word); n && at; at = strstr(at + 1, word))
		if (at > list && at[-1] == ' ' && at[n] == ' ')
			return true;
	return false;
}

/* --- wrappers --- */

static const struct {
	const char *name, *valued;
	size_t words; /* of its own before the program: timeout 10s PROGRAM */
} wrappers[] = {
	{ "nice", " -n --adjustment ", 0 },
	{ "nohup", "", 0 },
	{ "setsid", "", 0 },
	{ "stdbuf", " -i -o -e --input --output --error ", 0 },
	{ "timeout", " -k -s --kill-after --signal ", 1 },
	{ "ionice", " -c -n -p --class --classdata ", 0 },
	{ "chrt", "", 1 },
	{ "time", " -f -o ", 0 },
};

size_t resolve_wrapper(const struct strv *words, size_t at)
{
	const char *name = resolve_basename(words->v[at]);

	for (size_t i = 0; i < ARRAY_LEN(wrappers); i++) {
		if (strcmp(name, wrappers[i].name) != 0)
			continue;
		for (at++; at < words->n && *words->v[at] == '-'; at++) {
			if (strcmp(words->v[at], "--") == 0) {
				at++;
				break;
			}
			at += listed(wrappers[i].valued, words->v[at]);
		}
		at += wrappers[i].words;
		return at < words->n ? at : words->n;
	}
	return words->n;
}

/* --- the file --- */

static bool is_url(const char *word)
{
	static const char *const schemes[] = { "http:", "https:", "npm:", "jsr:", "file:", "node:", "data:" };

	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		if (strncmp(word, schemes[i], strlen(schemes[i])) == 0)
			return true;
	return false;
}

/* node takes "dist/index" for dist/index.js, and a directory for its package.json's main. */
static int find_file(struct resolve *c, const char *word, enum family family, char **ret)
{
	static const char *const endings[] = { "", ".js", ".json", ".node", ".cjs", ".mjs", ".ts" };
	size_t n = family == FAMILY_NODE || family == FAMILY_BUN ? ARRAY_LEN(endings) : 1;
	_cleanup_free_ char *path = NULL;
	int r = resolve_absolute(c, word, &path);

	for (size_t i = 0; r == 0 && i < n; i++) {
		_cleanup_free_ char *with = NULL;
		if (asprintf(&with, "%s%s", path, endings[i]) < 0)
			return -ENOMEM;
		if (access(with, F_OK) < 0 || (i > 0 && resolve_is_dir(with)))
			continue;
		return resolve_walk(with, ret, &c->links);
	}
	return r < 0 ? r : -ENOENT;
}

int resolve_take_subject(struct resolve *c, const char *real)
{
	char *copy = strdup(real);

	if (!copy)
		return -ENOMEM;
	free(c->ret->subject);
	c->ret->subject = copy;
	return strv_add(&c->ret->chain, real);
}

/* A directory with an entry file: node DIR (package.json), python DIR (__main__.py). */
static int add_code_dir(struct resolve *c, const char *real, enum family family)
{
	static const char *const entries[] = { "package.json", "index.js", "__main__.py" };
	_cleanup_free_ char *inner = NULL;

	for (size_t i = 0; !inner && i < ARRAY_LEN(entries); i++) {
		_cleanup_free_ char *file = resolve_join(real, entries[i]);
		if (!file)
			return -ENOMEM;
		if (access(file, F_OK) == 0)
			inner = STEAL_PTR(file);
	}
	if (!inner)
		return diag_fail(c->d, -ENOENT,
			"%s, named as the program to run, is a directory without package.json, index.js or "
			"__main__.py; name the file",
			SHOWN(real));
	return resolve_tree_script(c, inner, family);
}

static int say_missing(struct resolve *c, const char *word, int err)
{
	if (err == -ENOMEM)
		return err;
	if (err == -ENOENT || err == -ENOTDIR)
		return diag_fail(c->d, -ENOENT,
			"'%s', named in the command as the file to run, does not exist%s%s; install it or correct the "
			"path",
			SHOWN(word), *word == '/' ? "" : " in the working directory ",
			*word == '/' ? "" : SHOWN(c->cwd));
	return diag_fail(c->d, -EACCES, "cannot follow '%s', named in the command as the file to run: %s", SHOWN(word),
		strerror(-err));
}

/* A jar's libraries are where its manifest says, which is nearly always lib/ beside it. */
static int add_jar_libraries(struct resolve *c, const char *jar)
{
	static const char *const names[] = { "lib", "libs" };
	_cleanup_free_ char *dir = resolve_dirname(jar);
	int r = dir ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(names); i++) {
		_cleanup_free_ char *lib = resolve_join(dir, names[i]);
		if (!lib)
			return -ENOMEM;
		if (resolve_is_dir(lib) && !resolve_too_wide(c, lib))
			r = resolve_tree_dir(c, lib, "Java libraries");
	}
	return r;
}

static int add_code(struct resolve *c, const char *word, enum family family, bool subject)
{
	_cleanup_free_ char *real = NULL;
	int r;

	if (is_url(word))
		return 0;
	r = find_file(c, word, family, &real);
	if (r < 0)
		return say_missing(c, word, r);
	if (access(real, R_OK) < 0)
		return diag_fail(c->d, -EACCES,
			"%s, named in the command as the file to run, cannot be read by this user", SHOWN(real));
	if (subject)
		r = resolve_take_subject(c, real);
	if (r == 0)
		r = resolve_is_dir(real) ? add_code_dir(c, real, family) : resolve_tree_script(c, real, family);
	if (r == 0 && family == FAMILY_JAVA)
		r = add_jar_libraries(c, real);
	return r;
}

/* Colon-separated files, directories and "DIR/\*". */
static int add_class_path(struct resolve *c, const char *value)
{
	_cleanup_free_ char *copy = strdup(value);
	char *save = NULL;
	int r = copy ? 0 : -ENOMEM;

	c->class_path = true;
	for (char *item = copy ? strtok_r(copy, ":", &save) : NULL; r == 0 && item; item = strtok_r(NULL, ":", &save)) {
		_cleanup_free_ char *path = NULL, *real = NULL;
		size_t n = strlen(item);
		if (n > 1 && strcmp(item + n - 2, "/*") == 0)
			item[n - 2] = '\0';
		r = resolve_absolute(c, strcmp(item, "*") == 0 ? "." : item, &path);
		if (r < 0 || resolve_walk(path, &real, &c->links) < 0)
			continue;
		r = resolve_is_dir(real) ? resolve_tree_dir(c, real, "Java classes")
					 : resolve_tree_file(c, real, "Java classes");
	}
	return r;
}

static int add_code_option(struct resolve *c, const struct interpreter *row, const char *option, const char *value)
{
	if (row->family == FAMILY_JAVA && strcmp(option, "--patch-module") == 0)
		return add_class_path(c, value + strcspn(value, "=") + (strchr(value, '=') != NULL));
	if ((row->family == FAMILY_JAVA && strcmp(option, "-jar") != 0) || strcmp(option, "-I") == 0 ||
		strncmp(option, "--additional", 12) == 0)
		return add_class_path(c, value);
	/* A bare name is a package, looked for in node_modules of the working directory and those above it. */
	if (*value != '/' && *value != '.' && strcmp(option, "-jar") != 0 && strcmp(option, "-f") != 0) {
		c->ret->loads_cwd = c->ret->loads_cwd || row->family == FAMILY_NODE || row->family == FAMILY_BUN;
		return 0;
	}
	return add_code(c, value, row->family, strcmp(option, "-jar") == 0 || strcmp(option, "-f") == 0);
}

/* --- the words --- */

/* STEP_END: what follows is the server's own; STEP_INLINED: the program is among the words, and they are its. */
enum step { STEP_NEXT, STEP_SKIP_VALUE, STEP_END, STEP_INLINED };

size_t resolve_python_flags(struct resolve *c, const char *word)
{
	size_t flags = strcspn(word, "cmWX");

	c->safe_path = c->safe_path || strcspn(word, "IP") < flags;
	c->ret->safe_path = c->safe_path;
	c->ret->no_user_site = c->ret->no_user_site || strcspn(word, "Is") < flags;
	c->ret->no_variables = c->ret->no_variables || strcspn(word, "IE") < flags;
	return flags;
}

/* python -um NAME, -BcCODE: the first letter that takes a value ends the cluster. */
static int python_cluster(struct resolve *c, const struct strv *words, size_t at, const struct found *interpreter)
{
	const char *word = words->v[at], *letter = word + resolve_python_flags(c, word), *value;

	if (!*letter)
		return STEP_NEXT;
	value = letter[1] ? letter + 1 : at + 1 < words->n ? words->v[at + 1] : NULL;
	if (*letter == 'X' && value && strncmp(value, "pycache_prefix", 14) == 0)
		return diag_fail(c->d, -ENOEXEC,
			"'%s' makes python run compiled code from a directory that no approval binds; leave it out",
			SHOWN(value));
	if (*letter != 'c' && *letter != 'm')
		return letter[1] ? STEP_NEXT : STEP_SKIP_VALUE;
	c->ret->loads_cwd = !c->safe_path;
	if (*letter == 'c')
		return STEP_INLINED;
	int r = value ? resolve_python_module(c, interpreter, value) : 0;
	return r < 0 ? r : STEP_END;
}

/* bash -euo pipefail FILE; -lc 'words', in which a relative name is one of the working directory. */
static enum step shell_cluster(struct resolve *c, const char *word)
{
	size_t n = strlen(word);

	if (strchr(word, 'c')) {
		c->ret->loads_cwd = true;
		return STEP_INLINED;
	}
	return word[n - 1] == 'o' || word[n - 1] == 'O' ? STEP_SKIP_VALUE : STEP_NEXT;
}

static bool is_setting(const struct interpreter *row, const char *option)
{
	for (size_t i = 0; i < ARRAY_LEN(settings); i++)
		if (strcmp(settings[i].name, row->name) == 0)
			return listed(settings[i].options, option);
	return false;
}

/* A file of settings is bound like code. Its absence is the interpreter's business; once it is there, the plan is
 * another. */
static int add_setting(struct resolve *c, const char *value)
{
	_cleanup_free_ char *path = NULL, *real = NULL;
	int r = resolve_absolute(c, value, &path);

	if (r == 0)
		r = resolve_walk(path, &real, &c->links);
	if (r < 0 || !resolve_is_file(real))
		return r == -ENOMEM ? r : 0;
	return resolve_tree_file(c, real, "settings of the interpreter");
}

/* 1: an option and a class path, a library or a directory of code in one word, which was added. */
static int read_joined(struct resolve *c, const struct interpreter *row, const char *word)
{
	int r;

	for (size_t i = 0; row->family == FAMILY_JAVA && i < ARRAY_LEN(java_joined); i++) {
		size_t n = strlen(java_joined[i]);
		if (strncmp(word, java_joined[i], n) != 0)
			continue;
		/* --patch-module=NAME=PATH, -agentpath:FILE=OPTIONS */
		const char *path = strncmp(word, "--patch", 7) == 0 ? strchr(word + n, '=') : NULL;
		_cleanup_free_ char *only = strdup(path ? path + 1 : word + n);
		if (only && strncmp(word, "-agent", 6) == 0)
			only[strcspn(only, "=")] = '\0';
		r = only ? add_class_path(c, only) : -ENOMEM;
		return r < 0 ? r : 1;
	}
	if (row->family != FAMILY_OTHER || strncmp(word, "-I", 2) != 0 || !word[2])
		return 0;
	r = add_class_path(c, word + 2);
	return r < 0 ? r : 1;
}

static int read_option(struct resolve *c, const struct interpreter *row, const struct strv *words, size_t at,
	const struct found *interpreter)
{
	const char *word = words->v[at], *equals = strchr(word, '=');
	_cleanup_free_ char *name = strndup(word, equals ? (size_t)(equals - word) : strlen(word));
	const char *value = equals ? equals + 1 : at + 1 < words->n ? words->v[at + 1] : NULL;
	int r = 0;

	if (!name)
		return -ENOMEM;
	if (row->family == FAMILY_NONE && word[1] != '-')
		return shell_cluster(c, word);
	if (row->clustered && word[1] != '-')
		return python_cluster(c, words, at, interpreter);
	if (listed(row->code, name)) {
		r = value ? add_code_option(c, row, name, value) : 0;
		if (r < 0)
			return r;
		if (strcmp(name, "-jar") == 0)
			return STEP_END;
		return equals ? STEP_NEXT : STEP_SKIP_VALUE;
	}
	r = read_joined(c, row, word);
	if (r != 0)
		return r < 0 ? r : STEP_NEXT;
	if (row->family == FAMILY_JAVA && strncmp(word, "-javaagent:", 11) == 0) {
		_cleanup_free_ char *jar = strndup(word + 11, strcspn(word + 11, "="));
		r = jar ? add_code(c, jar, FAMILY_JAVA, false) : -ENOMEM;
		return r < 0 ? r : STEP_NEXT;
	}
	if (value && is_setting(row, name)) {
		r = add_setting(c, value);
		if (r < 0)
			return r;
	}
	return !equals && listed(row->valued, word) ? STEP_SKIP_VALUE : STEP_NEXT;
}

/* The first word that is no option: the file, except that java takes a class name there. */
static int read_operand(struct resolve *c, const struct interpreter *row, const char *word)
{
	size_t n = strlen(word);

	if (strcmp(word, "-") == 0)
		return 0;
	if (row->family == FAMILY_JAVA && !(n > 5 && strcmp(word + n - 5, ".java") == 0)) {
		/* A class: of the class path, which is the working directory where none is given. */
		c->ret->loads_cwd = c->ret->loads_cwd || !c->class_path;
		return 0;
	}
	/* dotnet build, tool ...: only a file is code. */
	if (row->family == FAMILY_DOTNET && !(n > 4 && strcmp(word + n - 4, ".dll") == 0)) {
		c->ret->loads_cwd = true;
		return 0;
	}
	if (row->family == FAMILY_BUN && !strchr(word, '/') && !strchr(word, '.'))
		return 0;
	return add_code(c, word, row->family, true);
}

static int check_refused(struct resolve *c, const struct interpreter *row, const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		if (strcmp(refused[i].name, row->name) == 0 &&
			strncmp(word, refused[i].option, strlen(refused[i].option)) == 0 &&
			(*word == '-' || *word == '@' || strcmp(word, refused[i].option) == 0))
			return diag_fail(c->d, -ENOEXEC, "'%s' of %s cannot be bound to an approval: %s", SHOWN(word),
				row->name, refused[i].instead);
	return 0;
}

/* *end: the first word that is the server's own business. */
static int read_args(struct resolve *c, const struct interpreter *row, const struct strv *words, size_t at,
	const struct found *f, size_t *end)
{
	for (size_t i = at + 1; i < words->n; i++) {
		const char *word = words->v[i];
		int r = check_refused(c, row, word);
		if (r < 0)
			return r;
		if (listed(row->commands, word) && i == at + 1)
			continue;
		if (listed(row->inlined, word)) {
			c->ret->loads_cwd = row->cwd || row->family == FAMILY_NODE ||
					    (row->family == FAMILY_PYTHON && !c->safe_path);
			return 0;
		}
		*end = i + 1;
		if (*word != '-' || !word[1])
			return read_operand(c, row, word);
		if (strcmp(word, "--") == 0)
			return i + 1 < words->n ? read_operand(c, row, words->v[i + 1]) : 0;
		r = read_option(c, row, words, i, f);
		if (r < 0)
			return r;
		i += r == STEP_SKIP_VALUE;
		*end = r == STEP_END ? i + 2 : words->n;
		if (r == STEP_END || r == STEP_INLINED)
			return 0;
	}
	return 0;
}

int resolve_args(struct resolve *c, const struct strv *words, size_t at, const struct found *interpreter)
{
	const struct interpreter *row = find_interpreter(resolve_basename(words->v[at]));
	size_t end = words->n;
	int r;

	if (!row)
		row = find_interpreter(resolve_basename(interpreter->real));
	if (!row) {
		if (is_starter(resolve_basename(words->v[at])) || is_starter(resolve_basename(interpreter->real)))
			c->ret->interpreted = words->n;
		return 0;
	}
	c->ret->loads_cwd = c->ret->loads_cwd || row->cwd;
	r = read_args(c, row, words, at, interpreter, &end);
	if (words == &c->ret->argv)
		c->ret->interpreted = end < words->n ? end : words->n;
	return r;
}
