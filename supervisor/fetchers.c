/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fetchers - commands that download or choose what they run, told by their words alone (resolve.h)
 *
 * Wrapped in a sandbox, `npx -y X` waits for a network that is not there, and an approval of it binds npm's own program
 * and nothing of X. The same holds for what runs in a container (another daemon starts it, outside of this sandbox) and
 * for what picks a program from an environment of its own. So all are refused, each with what to do instead.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include "supervisor/resolve_internal.h"

enum fetcher_kind {
	KIND_NPM,
	KIND_PYPI,
	KIND_UV_RUN,
	KIND_DENO,
	KIND_GO,
	KIND_CARGO,
	KIND_DOTNET,
	KIND_NIX,
	KIND_CONTAINER,
	KIND_SCRIPT,
	KIND_ENVIRONMENT,
	KIND_MANAGER,
	KIND_COUNT,
};

/* %1$s: what was recognised, %2$s: the package or program. */
static const char *const advice[KIND_COUNT] = {
	[KIND_NPM] = "'%1$s' downloads what it runs: without a network it waits in vain, and approving it would "
		     "approve nothing of %2$s. Install that once: npm install --prefix ~/.local/share/mcp %2$s; "
		     "then run what it put into ~/.local/share/mcp/node_modules/.bin/, by its absolute path, "
		     "with the same arguments",
	[KIND_PYPI] = "'%1$s' downloads what it runs: without a network it waits in vain, and approving it would "
		      "approve nothing of %2$s. Install that once: uv tool install %2$s (or pipx install %2$s); "
		      "then run what it put into ~/.local/bin/, by its absolute path, with the same arguments",
	[KIND_UV_RUN] =
		"'%1$s' installs what is missing before it runs %2$s: without a network it waits in vain, and "
		"approving it would approve nothing of that. In the project, once: uv sync; then run the project's "
		".venv/bin/ program, or .venv/bin/python with the script, by its absolute path",
	[KIND_DENO] = "'%1$s' downloads what it runs: without a network it waits in vain, and approving it would "
		      "approve nothing of %2$s. Make a program of it once: deno compile -o ~/.local/bin/NAME %2$s "
		      "(with the permissions "
		      "it needs); then run ~/.local/bin/NAME by its absolute path",
	[KIND_GO] = "'%1$s' downloads and compiles what it runs, so approving it would approve nothing of %2$s. Build "
		    "it once: go install %2$s (go build -o for a directory); then run the program in ~/go/bin/, by its "
		    "absolute path",
	[KIND_CARGO] =
		"'%1$s' downloads and compiles what it runs, so approving it would approve nothing of %2$s. Build it "
		"once: cargo build --release; then run the program in target/release/, by its absolute path",
	[KIND_DOTNET] = "'%1$s' downloads or builds what it runs, so approving it would approve nothing of %2$s. "
			"Install it once: dotnet tool install --tool-path ~/.local/share/mcp %2$s (dotnet publish for "
			"a project); then run the "
			"program that this made, by its absolute path",
	[KIND_NIX] = "'%1$s' downloads or builds what it runs, so approving it would approve nothing of %2$s. Build it "
		     "once: nix build -o ~/.local/share/mcp %2$s; then run the program in ~/.local/share/mcp/bin/",
	[KIND_CONTAINER] =
		"'%1$s' asks another program to start the server outside of this sandbox, so nothing that stockade "
		"grants or denies would hold for %2$s. Install the server itself (most images are built from an "
		"npm or PyPI package) and run its program; or use the container without stockade",
	[KIND_SCRIPT] =
		"'%1$s' runs a command that is written in package.json, so approving it would approve nothing of it. "
		"Look up %2$s under \"scripts\" there, and use the command itself, e.g. node dist/index.js",
	[KIND_ENVIRONMENT] =
		"'%1$s' picks %2$s from an environment that it keeps, so approving it would approve nothing of that. "
		"Ask it where the environment is (poetry env info -p, conda env list), and run the "
		"program in its bin/ by the absolute path",
	[KIND_MANAGER] =
		"'%1$s' picks the version of %2$s when it runs, so approving it would approve nothing of that. Ask it "
		"for the program (mise which, volta which, pyenv which, nvm which), and run that absolute path",
};

struct fetcher {
	const char *program, *words; /* the words that must follow, blanks between them; "" for any */
	enum fetcher_kind kind;
};

static const struct fetcher fetchers[] = {
	{ "npx", "", KIND_NPM },
	{ "pnpx", "", KIND_NPM },
	{ "bunx", "", KIND_NPM },
	{ "npm", "exec", KIND_NPM },
	{ "npm", "x", KIND_NPM },
	{ "npm", "create", KIND_NPM },
	{ "npm", "init", KIND_NPM },
	{ "pnpm", "dlx", KIND_NPM },
	{ "pnpm", "create", KIND_NPM },
	{ "yarn", "dlx", KIND_NPM },
	{ "yarn", "create", KIND_NPM },
	{ "bun", "x", KIND_NPM },
	{ "bun", "create", KIND_NPM },
	{ "corepack", "", KIND_NPM },
	{ "uvx", "", KIND_PYPI },
	{ "uv", "tool run", KIND_PYPI },
	{ "pipx", "run", KIND_PYPI },
	{ "uv", "run", KIND_UV_RUN },
	{ "go", "run", KIND_GO },
	{ "cargo", "run", KIND_CARGO },
	{ "dnx", "", KIND_DOTNET },
	{ "dotnet", "run", KIND_DOTNET },
	{ "dotnet", "tool run", KIND_DOTNET },
	{ "dotnet", "tool exec", KIND_DOTNET },
	{ "nix", "run", KIND_NIX },
	{ "nix", "shell", KIND_NIX },
	{ "nix", "develop", KIND_NIX },
	{ "nix-shell", "", KIND_NIX },
	{ "docker", "run", KIND_CONTAINER },
	{ "docker", "exec", KIND_CONTAINER },
	{ "docker", "start", KIND_CONTAINER },
	{ "docker", "container", KIND_CONTAINER },
	{ "docker", "compose", KIND_CONTAINER },
	{ "docker", "mcp", KIND_CONTAINER },
	{ "docker-compose", "", KIND_CONTAINER },
	{ "podman", "run", KIND_CONTAINER },
	{ "podman", "exec", KIND_CONTAINER },
	{ "podman", "start", KIND_CONTAINER },
	{ "podman", "container", KIND_CONTAINER },
	{ "nerdctl", "run", KIND_CONTAINER },
	{ "nerdctl", "exec", KIND_CONTAINER },
	{ "distrobox", "enter", KIND_CONTAINER },
	{ "distrobox-enter", "", KIND_CONTAINER },
	{ "toolbox", "run", KIND_CONTAINER },
	{ "flatpak", "run", KIND_CONTAINER },
	{ "snap", "run", KIND_CONTAINER },
	{ "npm", "run", KIND_SCRIPT },
	{ "npm", "run-script", KIND_SCRIPT },
	{ "npm", "start", KIND_SCRIPT },
	{ "npm", "test", KIND_SCRIPT },
	{ "pnpm", "run", KIND_SCRIPT },
	{ "pnpm", "start", KIND_SCRIPT },
	{ "pnpm", "exec", KIND_SCRIPT },
	{ "yarn", "run", KIND_SCRIPT },
	{ "yarn", "start", KIND_SCRIPT },
	{ "yarn", "exec", KIND_SCRIPT },
	{ "poetry", "run", KIND_ENVIRONMENT },
	{ "pipenv", "run", KIND_ENVIRONMENT },
	{ "hatch", "run", KIND_ENVIRONMENT },
	{ "pdm", "run", KIND_ENVIRONMENT },
	{ "rye", "run", KIND_ENVIRONMENT },
	{ "conda", "run", KIND_ENVIRONMENT },
	{ "mamba", "run", KIND_ENVIRONMENT },
	{ "micromamba", "run", KIND_ENVIRONMENT },
	{ "pixi", "run", KIND_ENVIRONMENT },
	{ "bundle", "exec", KIND_ENVIRONMENT },
	{ "volta", "run", KIND_MANAGER },
	{ "fnm", "exec", KIND_MANAGER },
	{ "nvm", "exec", KIND_MANAGER },
	{ "nvm", "run", KIND_MANAGER },
	{ "mise", "exec", KIND_MANAGER },
	{ "mise", "x", KIND_MANAGER },
	{ "mise", "run", KIND_MANAGER },
	{ "asdf", "exec", KIND_MANAGER },
	{ "pyenv", "exec", KIND_MANAGER },
	{ "nodenv", "exec", KIND_MANAGER },
	{ "rbenv", "exec", KIND_MANAGER },
	{ "direnv", "exec", KIND_MANAGER },
};

/* The file that a name leads to, where it is called otherwise. */
static const struct {
	const char *file, *program;
} aliases[] = {
	{ "npx-cli.js", "npx" },
	{ "npm-cli.js", "npm" },
	{ "npx.cmd", "npx" },
	{ "npm.cmd", "npm" },
	{ "pnpm.cjs", "pnpm" },
	{ "pnpm.mjs", "pnpm" },
	{ "pnpx.cjs", "pnpx" },
	{ "pnpx.mjs", "pnpx" },
	{ "pnpm.js", "pnpm" },
	{ "pnpx.js", "pnpx" },
	{ "yarn.js", "yarn" },
	{ "yarn.cjs", "yarn" },
	{ "yarnpkg", "yarn" },
	{ "corepack.js", "corepack" },
};

/* Options whose next word is their value, of whatever program: only what may stand before the package matters. */
static const char valued[] = " --prefix --registry --cache --cwd --dir -C --workspace -w --filter -F --python --index "
			     "--index-url --default-index --extra-index-url --directory --project "
			     "--config --config-file --cache-dir --env-file --with --with-editable --with-requirements "
			     "-c --call --context -H --host --log-level -l -L --node --using --constraint "
			     "-n --name --manifest-path --framework -e --env -v --volume --network --version --source "
			     "--add-source --verbosity --script ";
/* Options whose value is the package itself. */
static const char named[] = " -p --package --from --spec --bin --image ";

static bool listed(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = strstr(list, word); n && at; at = strstr(at + 1, word))
		if (at > list && at[-1] == ' ' && at[n] == ' ')
			return true;
	return false;
}

static const char *program_name(const char *word)
{
	const char *name = resolve_basename(word);

	for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
		if (strcmp(name, aliases[i].file) == 0)
			return aliases[i].program;
	return name;
}

/* The next word that is no option nor an option's value, from *at; *package is set by the way. */
static const char *next_operand(const struct strv *words, size_t *at, const char **package)
{
	for (; *at < words->n; (*at)++) {
		const char *w = words->v[*at], *equals = strchr(w, '=');
		if (*w != '-' || !w[1])
			return words->v[(*at)++];
		if (listed(named, w) && *at + 1 < words->n && !*package)
			*package = words->v[*at + 1];
		if (equals && strncmp(w, "--", 2) == 0 &&
			(strncmp(w, "--package=", 10) == 0 || strncmp(w, "--from=", 7) == 0) && !*package)
			*package = equals + 1;
		if (listed(named, w) || (listed(valued, w) && !equals))
			(*at)++;
	}
	return NULL;
}

/* Do the operands begin with the row's words? *at is then behind them. */
static bool row_matches(const struct fetcher *row, const struct strv *words, size_t *at, const char **package)
{
	const char *want = row->words;
	size_t i = 1;

	while (*want) {
		size_t n = strcspn(want, " ");
		const char *have = next_operand(words, &i, package);
		if (!have || strlen(have) != n || strncmp(have, want, n) != 0)
			return false;
		want += n + strspn(want + n, " ");
	}
	*at = i;
	return true;
}

/* What may stand in a line for a shell as it is; anything else is not repeated as a command. */
static bool is_package_name(const char *s)
{
	return s && *s && *s != '-' &&
	       strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@/._+-:=~[]") == strlen(s) &&
	       strlen(s) < 200;
}

static int refuse(const struct fetcher *row, const struct strv *words, size_t at, const char *package, struct diag *d)
{
	char what[64];
	const char *operand = next_operand(words, &at, &package);

	if (!package)
		package = operand;
	if (!is_package_name(package))
		package = row->kind == KIND_SCRIPT ? "it" : row->kind == KIND_CONTAINER ? "what is in it" : "PACKAGE";
	snprintf(what, sizeof(what), "%s%s%s", row->program, *row->words ? " " : "", row->words);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	diag_set(d, advice[row->kind], what, package);
#pragma GCC diagnostic pop
	return -EPERM;
}

/* --- commands inside commands --- */

static int check(const struct strv *words, int depth, struct diag *d);

static int check_from(const struct strv *words, size_t at, int depth, struct diag *d)
{
	if (at >= words->n)
		return 0;
	const struct strv rest = { .v = words->v + at, .n = words->n - at };
	return check(&rest, depth + 1, d);
}

static bool is_shell(const char *name)
{
	static const char *const shells[] = { "sh", "bash", "dash", "zsh", "ksh", "ash", "fish", "busybox" };

	for (size_t i = 0; i < ARRAY_LEN(shells); i++)
		if (strcmp(name, shells[i]) == 0)
			return true;
	return false;
}

static int end_command(struct strv *words, int depth, struct diag *d)
{
	static const char *const before[] = { "exec", "command", "builtin", "eval", "then", "do", "else", "if", "while",
		"!", "{", "(" };
	size_t at = 0;
	int r;

	while (at < words->n) {
		bool skip = strchr(words->v[at], '=') && words->v[at][0] != '-' &&
			    strcspn(words->v[at], "=") < strcspn(words->v[at], "/");
		for (size_t i = 0; !skip && i < ARRAY_LEN(before); i++)
			skip = strcmp(words->v[at], before[i]) == 0;
		if (!skip)
			break;
		at++;
	}
	r = check_from(words, at, depth, d);
	strv_done(words);
	*words = (struct strv){ 0 };
	return r;
}

/* The simple commands of a shell line, split roughly: enough to see a fetcher's name where a command begins. */
static int check_shell_line(const char *line, int depth, struct diag *d)
{
	_cleanup_buf_ struct buf word = BUF_INIT(RESOLVE_TEXT_MAX);
	_cleanup_strv_ struct strv words = { 0 };
	char quote = 0;
	int r = 0;

	for (const char *s = line; r == 0; s++) {
		bool ends = !quote && (!*s || strchr(" \t\n;|&()`", *s));
		if (!*s || ends) {
			if (word.len > 0)
				r = strv_add(&words, word.data);
			buf_clear(&word);
			if (r == 0 && (!*s || strchr("\n;|&()`", *s)))
				r = end_command(&words, depth, d);
			if (!*s)
				break;
		} else if (*s == quote) {
			quote = 0;
		} else if (!quote && (*s == '"' || *s == '\'')) {
			quote = *s;
		} else if (*s != '\\') {
			r = buf_putc(&word, *s);
		}
	}
	return r;
}

static int check_shell(const struct strv *words, int depth, struct diag *d)
{
	for (size_t i = 1; i + 1 < words->n; i++) {
		const char *w = words->v[i];
		/* busybox sh -c */
		if (*w != '-' && !(i == 1 && is_shell(w)))
			break;
		if (*w == '-' && w[1] != '-' && strchr(w, 'c'))
			return check_shell_line(words->v[i + 1], depth + 1, d);
	}
	return 0;
}

static void done_dirs(struct resolve *c)
{
	strv_done(&c->dirs);
}

static int check_env(const struct strv *words, int depth, struct diag *d)
{
	_cleanup_(done_dirs) struct resolve quiet = { 0 };
	_cleanup_strv_ struct strv copy = { 0 };
	size_t at = 0;
	int r = strv_extend(&copy, words->v, words->n);

	if (r < 0)
		return r;
	/* What env would not understand is refused in its own words later. */
	r = resolve_env_words(&quiet, &copy, 1, &at);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	return check_from(&copy, at, depth, d);
}

/* deno [run] [options] npm:NAME. */
static int check_deno(const struct strv *words, struct diag *d)
{
	static const char *const schemes[] = { "npm:", "jsr:", "http:", "https:" };
	static const struct fetcher row = { "deno", "run", KIND_DENO };
	const char *package = NULL, *operand;
	size_t at = 1;

	operand = next_operand(words, &at, &package);
	if (operand && (strcmp(operand, "run") == 0 || strcmp(operand, "serve") == 0))
		operand = next_operand(words, &at, &package);
	for (size_t k = 0; operand && k < ARRAY_LEN(schemes); k++)
		if (strncmp(operand, schemes[k], strlen(schemes[k])) == 0)
			return refuse(&row, words, words->n, operand, d);
	return 0;
}

/* python -m pipx run NAME, python -m uv tool run NAME. */
static int check_python(const struct strv *words, int depth, struct diag *d)
{
	for (size_t i = 1; i + 1 < words->n && *words->v[i] == '-'; i++)
		if (strcmp(words->v[i], "-m") == 0) {
			const char *module = words->v[i + 1];
			return strcmp(module, "pipx") == 0 || strcmp(module, "uv") == 0
				       ? check_from(words, i + 1, depth, d)
				       : 0;
		}
	return 0;
}

static int check(const struct strv *words, int depth, struct diag *d)
{
	const char *name = program_name(words->v[0]);
	size_t at;

	if (depth > RESOLVE_DEPTH_MAX)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(fetchers); i++) {
		const char *package = NULL;
		if (strcmp(name, fetchers[i].program) == 0 && row_matches(&fetchers[i], words, &at, &package))
			return refuse(&fetchers[i], words, at, package, d);
	}
	if (strcmp(name, "deno") == 0)
		return check_deno(words, d);
	if (strcmp(name, "env") == 0)
		return check_env(words, depth, d);
	if (is_shell(name))
		return check_shell(words, depth, d);
	if (strncmp(name, "python", 6) == 0)
		return check_python(words, depth, d);
	return check_from(words, resolve_wrapper(words, 0), depth, d);
}

int resolve_refuse_fetcher(const struct strv *command, struct diag *d)
{
	int r = command->n ? check(command, 0, d) : 0;

	return r == -EPERM || r == 0 ? r : diag_fail(d, r, "cannot examine the command: %s", strerror(-r));
}
