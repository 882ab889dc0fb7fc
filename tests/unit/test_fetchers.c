/* SPDX-License-Identifier: Apache-2.0 */
/* Fetchers are told by words alone, wherever they hide, and each refusal says what to do instead. */
#include "tests/unit/unit.h"
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include "base/io.h"
#include "supervisor/resolve.h"

enum { WORDS_MAX = 12 };

struct row {
	const char *words[WORDS_MAX];
	const char *what, *instead; /* NULL: not a fetcher */
};

static const struct row refused[] = {
	{ { "npx", "-y", "@modelcontextprotocol/server-filesystem", "/data" }, "'npx'",
		"npm install --prefix ~/.local/share/mcp @modelcontextprotocol/server-filesystem;" },
	{ { "/usr/bin/npx", "x@1.2.3" }, "'npx'", "npm install --prefix ~/.local/share/mcp x@1.2.3;" },
	{ { "npx", "-p", "pkg", "bin" }, "'npx'", " pkg;" },
	{ { "npx", "--package=pkg", "bin" }, "'npx'", " pkg;" },
	{ { "npx" }, "'npx'", " PACKAGE;" },
	{ { "npx", "-y", "x; rm -rf ~" }, "'npx'", " PACKAGE;" },
	{ { "npm", "exec", "--", "x" }, "'npm exec'", " x;" },
	{ { "npm", "--silent", "x", "x" }, "'npm x'", " x;" },
	{ { "npm", "--prefix", "/p", "exec", "x" }, "'npm exec'", " x;" },
	{ { "npm", "create", "x" }, "'npm create'", "npm install" },
	{ { "pnpm", "dlx", "x" }, "'pnpm dlx'", "npm install" },
	{ { "pnpx", "x" }, "'pnpx'", "npm install" },
	{ { "yarn", "dlx", "x" }, "'yarn dlx'", "npm install" },
	{ { "bunx", "x" }, "'bunx'", "npm install" },
	{ { "bun", "x", "x" }, "'bun x'", "npm install" },
	{ { "uvx", "mcp-server-git" }, "'uvx'", "uv tool install mcp-server-git" },
	{ { "uvx", "--from", "git+https://example.com/a", "b" }, "'uvx'", "uv tool install git+https://example.com/a" },
	{ { "uv", "tool", "run", "x" }, "'uv tool run'", "uv tool install x" },
	{ { "uv", "--directory", "/p", "run", "server.py" }, "'uv run'", "uv sync" },
	{ { "pipx", "run", "x" }, "'pipx run'", "pipx install x" },
	{ { "python3", "-m", "pipx", "run", "x" }, "'pipx run'", "pipx install x" },
	{ { "docker", "run", "-i", "--rm", "-e", "TOKEN", "mcp/github" }, "'docker run'", "outside of this sandbox" },
	{ { "docker", "--context", "x", "run", "mcp/github" }, "'docker run'", "mcp/github" },
	{ { "podman", "run", "x" }, "'podman run'", "outside of this sandbox" },
	{ { "nerdctl", "run", "x" }, "'nerdctl run'", "outside of this sandbox" },
	{ { "flatpak", "run", "org.x" }, "'flatpak run'", "outside of this sandbox" },
	{ { "dnx", "x" }, "'dnx'", "dotnet tool install" },
	{ { "dotnet", "run", "--project", "/p" }, "'dotnet run'", "dotnet publish" },
	{ { "deno", "run", "-A", "npm:x" }, "'deno run'", "deno compile" },
	{ { "deno", "https://example.com/x.ts" }, "'deno run'", "deno compile" },
	{ { "go", "run", "example.com/x@latest" }, "'go run'", "go install example.com/x@latest" },
	{ { "cargo", "run" }, "'cargo run'", "cargo build" },
	{ { "nix", "run", "nixpkgs#x" }, "'nix run'", "nix build" },
	{ { "npm", "start" }, "'npm start'", "package.json" },
	{ { "npm", "run", "serve" }, "'npm run'", "serve" },
	{ { "poetry", "run", "x" }, "'poetry run'", "environment" },
	{ { "conda", "run", "-n", "e", "x" }, "'conda run'", "environment" },
	{ { "mise", "exec", "--", "x" }, "'mise exec'", "mise which" },
	{ { "env", "X=Y", "npx", "x" }, "'npx'", " x;" },
	{ { "env", "-i", "-u", "A", "npx", "x" }, "'npx'", " x;" },
	{ { "env", "-S", "npx -y x" }, "'npx'", " x;" },
	{ { "/usr/bin/env", "env", "npx", "x" }, "'npx'", " x;" },
	{ { "nice", "-n", "5", "npx", "x" }, "'npx'", " x;" },
	{ { "timeout", "-k", "1", "10", "uvx", "x" }, "'uvx'", "uv tool install x" },
	{ { "sh", "-c", "npx -y x" }, "'npx'", " x;" },
	{ { "bash", "-lc", "cd /p && exec npx -y 'x'" }, "'npx'", " x;" },
	{ { "bash", "-c", "A=b npx x | cat" }, "'npx'", " x;" },
	{ { "sh", "-c", "echo $(npx x)" }, "'npx'", " x;" },
	{ { "sh", "-c", "sh -c 'npx x'" }, "'npx'", " x;" },
	{ { "busybox", "sh", "-c", "npx x" }, "'npx'", " x;" },
	{ { "/usr/lib/node_modules/npm/bin/npx-cli.js", "x" }, "'npx'", " x;" },
};

static const struct row allowed[] = {
	{ { "node", "npx.js" }, NULL, NULL },
	{ { "npm", "install", "x" }, NULL, NULL },
	{ { "uv", "--version" }, NULL, NULL },
	{ { "uv", "tool", "list" }, NULL, NULL },
	{ { "deno", "run", "-A", "server.ts", "https://example.com" }, NULL, NULL },
	{ { "go", "version" }, NULL, NULL },
	{ { "sh", "-c", "echo npx" }, NULL, NULL },
	{ { "bash", "script.sh", "-c", "npx x" }, NULL, NULL },
	{ { "env", "A=npx", "node", "x.js" }, NULL, NULL },
	{ { "npxy", "x" }, NULL, NULL },
	{ { "python3", "-m", "server", "-m", "pipx", "run" }, NULL, NULL },
	{ { "python3", "server.py", "-m", "pipx", "run" }, NULL, NULL },
	{ { "docker-proxy" }, NULL, NULL },
	{ { "env" }, NULL, NULL },
};

static int check(const struct row *row, struct diag *d)
{
	_cleanup_strv_ struct strv words = { 0 };

	for (size_t i = 0; i < WORDS_MAX && row->words[i]; i++)
		assert_int_equal(strv_add(&words, row->words[i]), 0);
	*d->text = '\0';
	return resolve_refuse_fetcher(&words, d);
}

static void every_fetcher_is_refused_with_what_to_do_instead(void **state)
{
	struct diag d;

	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		if (check(&refused[i], &d) != -EPERM)
			fail_msg("row %zu (%s) is not refused", i, refused[i].words[0]);
		if (!strstr(d.text, refused[i].what) || !strstr(d.text, refused[i].instead))
			fail_msg("row %zu: no %s or '%s' in: %s", i, refused[i].what, refused[i].instead, d.text);
	}
}

static void what_only_looks_like_a_fetcher_is_let_through(void **state)
{
	struct diag d;

	for (size_t i = 0; i < ARRAY_LEN(allowed); i++)
		if (check(&allowed[i], &d) != 0)
			fail_msg("row %zu (%s) is refused: %s", i, allowed[i].words[0], d.text);
}

static void a_fetcher_nested_without_end_does_not_recurse_without_end(void **state)
{
	_cleanup_strv_ struct strv words = { 0 };
	struct diag d;

	for (int i = 0; i < 2000; i++)
		assert_int_equal(strv_add(&words, "env"), 0);
	assert_int_equal(resolve_refuse_fetcher(&words, &d), 0);
}

static void the_check_opens_no_file_and_takes_no_time(void **state)
{
	struct rlimit old, none;
	struct diag d;
	uint64_t start = unit_cpu_us();

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		assert_int_equal(check(&refused[i], &d), -EPERM);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	/* 50 ms is promised for one; here are dozens. */
	assert_true(unit_cpu_us() - start < 50000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_fetcher_is_refused_with_what_to_do_instead),
		cmocka_unit_test(what_only_looks_like_a_fetcher_is_let_through),
		cmocka_unit_test(a_fetcher_nested_without_end_does_not_recurse_without_end),
		cmocka_unit_test(the_check_opens_no_file_and_takes_no_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
