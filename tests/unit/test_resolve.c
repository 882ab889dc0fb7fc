/* SPDX-License-Identifier: Apache-2.0 */
/* From words to files: PATH, links, shebangs, arguments that are code, and each way in which that can fail. */
#include "tests/unit/resolve_unit.h"
#include <sched.h>
#include <sys/mount.h>
#include <sys/xattr.h>
#include <sys/wait.h>
#include <elf.h>

#define WORLD struct world *w = *state

static void a_program_of_the_system_needs_no_tree_and_keeps_its_name(void **state)
{
	WORLD;

	GOOD(w, "sh", "-c", "true");
	assert_int_equal(w->r.n_trees, 0);
	assert_int_equal(w->r.symlinks.n, 0);
	assert_string_equal(w->r.argv.v[0], "sh");
	assert_true(strncmp(w->r.program, "/usr/bin/", 9) == 0);
	assert_true(in_path(w, "/usr/bin"));
}

static void a_program_of_the_home_is_a_tree_of_one_file(void **state)
{
	WORLD;

	put_program(w, "~/.local/bin/server");
	put_text(w, "~/.local/bin/other", 0755, "secret");
	GOOD(w, "~/.local/bin/server", "/etc/passwd");
	assert_int_equal(w->r.n_trees, 1);
	TREE(w, "~/.local/bin/server");
	assert_string_equal(w->r.program, AT(w, "~/.local/bin/server"));
	assert_string_equal(w->r.subject, AT(w, "~/.local/bin/server"));
	assert_false(w->r.trees[0].root_only);
	assert_true(in_path(w, "~/.local/bin"));
}

static void a_link_leads_to_the_file_that_is_run(void **state)
{
	WORLD;

	put_program(w, "opt/tool/bin/server");
	put_link(w, "~/.local/bin/server", AT(w, "opt/tool/bin/server"));
	GOOD(w, "~/.local/bin/server");
	assert_string_equal(w->r.program, AT(w, "opt/tool/bin/server"));
	assert_string_equal(w->r.given, AT(w, "~/.local/bin/server"));
	TREE(w, "opt/tool/bin/server");
	assert_int_equal(w->r.symlinks.n, 0);
}

static void what_path_lacks_is_named_by_its_absolute_path(void **state)
{
	WORLD;

	put_program(w, "~/.nvm/versions/node/v20.11.0/bin/stockade-test-node");
	REFUSED(w, -ENOENT, AT(w, "~/.nvm/versions/node/v20.11.0/bin/stockade-test-node"), "stockade-test-node",
		"x.js");
	REFUSED(w, -ENOENT, "nor where such programs are usually installed", "stockade-test-nothing");
	REFUSED(w, -ENOENT, "first word is empty", "");
	strcpy(w->path, "bin:.:");
	put_program(w, "~/bin/stockade-test-here");
	REFUSED(w, -ENOENT, AT(w, "~/bin/stockade-test-here"), "stockade-test-here");
}

static void what_cannot_be_run_is_refused_with_the_reason(void **state)
{
	WORLD;

	put_text(w, "~/plain", 0644, "#!/bin/sh\n");
	put_dir(w, "~/dir");
	put_link(w, "~/gone", "nowhere");
	put_link(w, "~/a", "b");
	put_link(w, "~/b", "a");
	put_text(w, "~/empty", 0755, "");
	put_text(w, "~/words", 0755, "console.log(1)\n");
	assert_int_equal(mkfifo(AT(w, "~/fifo"), 0755), 0);
	REFUSED(w, -EACCES, "chmod +x", "~/plain");
	REFUSED(w, -EACCES, "is a directory", "~/dir");
	REFUSED(w, -EACCES, "is a directory", "~/dir/.");
	REFUSED(w, -ENOENT, "does not exist", "~/gone");
	REFUSED(w, -ENOENT, "does not exist", "~/nothing/at/all");
	REFUSED(w, -ENOENT, "does not exist", "~/plain/below");
	REFUSED(w, -EACCES, "in a circle", "~/a");
	REFUSED(w, -EACCES, "not a regular file", "~/fifo");
	REFUSED(w, -ENOEXEC, "neither a native program nor a script", "~/empty");
	REFUSED(w, -ENOEXEC, "put its interpreter before it", "~/words");
}

static void a_tilde_is_not_expanded_and_the_words_say_so(void **state)
{
	WORLD;
	_cleanup_strv_ struct strv command = { 0 };

	assert_int_equal(strv_add(&command, "~/bin/server"), 0);
	assert_int_equal(resolve_command(&w->p, &command, w->path, w->cwd, &w->r, &w->d), -ENOENT);
	assert_non_null(strstr(w->d.text, AT(w, "~/bin/server")));
}

static void a_broken_shebang_is_refused_with_the_reason(void **state)
{
	WORLD;
	char longline[400] = "#!/usr/bin/env ";

	memset(longline + 15, 'x', 300);
	strcpy(longline + 315, "\n");
	put_text(w, "~/crlf", 0755, "#!/usr/bin/env node\r\nx\r\n");
	put_text(w, "~/relative", 0755, "#!node\n");
	put_text(w, "~/long", 0755, longline);
	put_text(w, "~/bom", 0755, "\xef\xbb\xbf#!/bin/sh\n");
	put_text(w, "~/missing", 0755, "#!/opt/stockade-test/python\n");
	put_text(w, "~/unsplit", 0755, "#!/usr/bin/env node --x\n");
	put_text(w, "~/noword", 0755, "#!/usr/bin/env\n");
	put_text(w, "~/nointerp", 0755, "#!/usr/bin/env stockade-test-nothing\n");
	put_text(w, "~/uv", 0755, "#!/usr/bin/env -S uv run --script\n");
	REFUSED(w, -ENOEXEC, "carriage return", "~/crlf");
	REFUSED(w, -ENOEXEC, "not an absolute path", "~/relative");
	REFUSED(w, -ENOEXEC, "longer than", "~/long");
	REFUSED(w, -ENOEXEC, "byte order mark", "~/bom");
	REFUSED(w, -ENOENT, "names its interpreter", "~/missing");
	REFUSED(w, -ENOEXEC, "env -S node --x", "~/unsplit");
	REFUSED(w, -ENOEXEC, "no program for it", "~/noword");
	REFUSED(w, -ENOENT, "needs an interpreter", "~/nointerp");
	REFUSED(w, -EPERM, "uv sync", "~/uv");
}

static void env_in_a_shebang_finds_the_interpreter_in_path(void **state)
{
	WORLD;

	put_program(w, "~/.nvm/versions/node/v20.11.0/bin/node");
	put_text(w, "~/proj/package.json", 0644, "{}");
	put_text(w, "~/proj/cli.js", 0755, "#!/usr/bin/env node\n");
	put_text(w, "~/proj/split.js", 0755, "#!/usr/bin/env -S A=b node --x\n");
	snprintf(w->path, sizeof(w->path), "%s:/usr/bin", AT(w, "~/.nvm/versions/node/v20.11.0/bin"));
	GOOD(w, "~/proj/cli.js");
	assert_string_equal(w->r.program, AT(w, "~/proj/cli.js"));
	assert_int_equal(w->r.chain.n, 3);
	assert_string_equal(w->r.chain.v[1], "/usr/bin/env");
	assert_string_equal(w->r.chain.v[2], AT(w, "~/.nvm/versions/node/v20.11.0/bin/node"));
	TREE(w, "~/proj");
	assert_true(has_role(w, "~/.nvm/versions/node/v20.11.0/bin/node", "node of nvm"));
	assert_string_equal(w->r.path.v[0], AT(w, "~/.nvm/versions/node/v20.11.0/bin"));
	GOOD(w, "~/proj/split.js");
	assert_string_equal(w->r.chain.v[2], AT(w, "~/.nvm/versions/node/v20.11.0/bin/node"));
}

static void scripts_interpret_scripts_up_to_a_limit(void **state)
{
	WORLD;

	put_text(w, "opt/s0", 0755, "#!/bin/sh\n");
	for (int i = 1; i <= RESOLVE_DEPTH_MAX; i++) {
		char name[32], text[PATH_MAX];
		snprintf(name, sizeof(name), "opt/s%d", i);
		snprintf(text, sizeof(text), "#!@/opt/s%d\n", i - 1);
		put_text(w, name, 0755, text);
	}
	GOOD(w, AT(w, "opt/s5"));
	assert_int_equal(w->r.chain.n, 7);
	TREE(w, "opt/s0");
	TREE(w, "opt/s5");
	put_text(w, "opt/self", 0755, "#!@/opt/self\n");
	REFUSED(w, -ENOEXEC, "deep", AT(w, "opt/self"));
}

static void a_link_to_an_interpreter_exists_inside_as_well(void **state)
{
	WORLD;

	put_program(w, "opt/node-20/bin/node");
	put_link(w, "opt/node", "node-20");
	put_text(w, "~/one.js", 0755, "#!@/opt/node/bin/node\n");
	GOOD(w, "~/one.js");
	assert_true(has_link(w, "opt/node", "node-20"));
	TREE(w, "opt/node-20/bin/node");
	TREE(w, "~/one.js");
}

static void the_file_that_an_interpreter_runs_is_code_and_the_rest_is_not(void **state)
{
	WORLD;

	put_program(w, "~/bin/node");
	put_program(w, "~/bin/python3");
	put_text(w, "~/src/a/package.json", 0644, "{}");
	put_text(w, "~/src/a/dist/index.js", 0644, "x");
	put_text(w, "~/src/data/secret.js", 0644, "x");
	put_text(w, "~/src/hook/hook.js", 0644, "x");
	put_text(w, "~/src/hook/package.json", 0644, "{}");
	GOOD(w, "~/bin/node", "--max-old-space-size=64", "-C", "dev", "-r", "./src/hook/hook.js",
		"./src/a/dist/index.js", "src/data/secret.js");
	TREE(w, "~/src/a");
	TREE(w, "~/src/hook");
	assert_int_equal(w->r.n_trees, 3);
	assert_string_equal(w->r.subject, AT(w, "~/src/a/dist/index.js"));
	GOOD(w, "~/bin/node", "src/a/dist/index");
	TREE(w, "~/src/a");
	GOOD(w, "~/bin/node", "src/a");
	TREE(w, "~/src/a");
	GOOD(w, "~/bin/node", "-e", "src/a/dist/index.js");
	assert_int_equal(w->r.n_trees, 1);
	REFUSED(w, -ENOENT, "named in the command as the file to run", "~/bin/node", "src/a/nothing.js");
	put_text(w, "~/src/p/pyproject.toml", 0644, "");
	put_text(w, "~/src/p/app/main.py", 0644, "");
	GOOD(w, "~/bin/python3", "-u", "-W", "ignore", "-Xdev", "src/p/app/main.py", "src/data/secret.js");
	TREE(w, "~/src/p");
	assert_int_equal(w->r.n_trees, 2);
	GOOD(w, "~/bin/python3", "-Ic", "src/p/app/main.py");
	assert_int_equal(w->r.n_trees, 1);
	strcpy(w->cwd, AT(w, "~/src/p"));
	GOOD(w, "~/bin/python3", "-um", "app.main");
	TREE(w, "~/src/p");
	assert_string_equal(w->r.subject, AT(w, "~/src/p/app"));
}

static void a_shell_runs_the_file_behind_its_options(void **state)
{
	WORLD;

	put_text(w, "~/t/start.sh", 0644, "echo\n");
	GOOD(w, "bash", "-euo", "pipefail", "--norc", "t/start.sh", "t/other");
	TREE(w, "~/t/start.sh");
	assert_int_equal(w->r.n_trees, 1);
	GOOD(w, "sh", "-ec", "t/start.sh");
	assert_int_equal(w->r.n_trees, 0);
	REFUSED(w, -ENOENT, "does not exist", "sh", "-e", "t/nothing.sh");
}

static void a_file_of_settings_is_code_once_it_is_there(void **state)
{
	WORLD;

	put_text(w, "~/srv/package.json", 0644, "{}");
	put_text(w, "~/srv/i.js", 0644, "");
	GOOD(w, "node", "--env-file-if-exists=work/.env", "srv/i.js");
	assert_int_equal(w->r.n_trees, 1);
	put_text(w, "~/work/.env", 0644, "NODE_OPTIONS=--require=/x.js");
	GOOD(w, "node", "--env-file-if-exists=work/.env", "srv/i.js");
	TREE(w, "~/work/.env");
	GOOD(w, "node", "--env-file", "work/.env", "srv/i.js");
	TREE(w, "~/work/.env");
	TREE(w, "~/srv");
}

static void python_m_loads_from_the_working_directory_unless_told_not_to(void **state)
{
	WORLD;

	GOOD(w, "/usr/bin/python3", "-m", "json.tool");
	assert_true(w->r.loads_cwd);
	GOOD(w, "/usr/bin/python3", "-uc", "import json");
	assert_true(w->r.loads_cwd);
	GOOD(w, "/usr/bin/python3", "-P", "-m", "json.tool");
	assert_false(w->r.loads_cwd);
	GOOD(w, "/usr/bin/python3", "-Im", "json.tool");
	assert_false(w->r.loads_cwd);
	put_text(w, "~/srv/s.py", 0644, "");
	GOOD(w, "/usr/bin/python3", "srv/s.py", "-m", "x");
	assert_false(w->r.loads_cwd);
}

enum { ROOTS = 3 }; /* the last cases of the table: they make files of other users */

static void own_usr_local(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("tmpfs", "/usr/local", "tmpfs", 0, "mode=0755") < 0)
		_exit(2);
}

/* In a mount namespace of its own: below /usr, a package that somebody else than root can write, in a directory of
 * root's. */
static void check_usr(struct world *w)
{
	own_usr_local();
	put_text(w, "/usr/local/lib/node_modules/srv/package.json", 0644, "{}");
	put_text(w, "/usr/local/lib/node_modules/srv/index.js", 0644, "");
	if (RESOLVE(w, "node", "/usr/local/lib/node_modules/srv/index.js") < 0 || w->r.n_trees != 0)
		_exit(3);
	if (chown("/usr/local/lib/node_modules/srv/index.js", 1000, 1000) < 0)
		_exit(2);
	if (RESOLVE(w, "node", "/usr/local/lib/node_modules/srv/index.js") < 0)
		_exit(4);
	_exit(w->r.n_trees == 1 && !w->r.trees[0].root_only && has_tree(w, "/usr/local/lib/node_modules") ? 0 : 5);
}

/* What root did not change but can be changed by others: a package beside the one that is named, one of its files, a
 * file that an access control list opens, what a link leads to, a package of the interpreter. Each: where it is, and
 * the tree. */
static void check_dependencies(struct world *w)
{
	static const char entry[] = "/usr/local/lib/node_modules/srv/index.js";
	static const char acl[] = "\2\0\0\0\1\0\6\0\377\377\377\377\2\0\6\0\350\3\0\0\4\0\4\0\377\377\377\377\20\0\6\0"
				  "\377\377\377\377\40\0\4\0\377\377\377\377";

	own_usr_local();
	put_text(w, entry, 0644, "");
	put_text(w, "/usr/local/lib/node_modules/dep/index.js", 0644, "");
	put_text(w, "/usr/local/share/shared/x.js", 0644, "");
	put_link(w, "/usr/local/lib/node_modules/srv/shared", "../../../share/shared");
	if (RESOLVE(w, "node", entry) < 0 || w->r.n_trees != 0)
		_exit(3);
	if (chown("/usr/local/lib/node_modules/dep", 1000, 1000) < 0 || RESOLVE(w, "node", entry) < 0 ||
		!has_tree(w, "/usr/local/lib/node_modules"))
		_exit(4);
	if (chown("/usr/local/lib/node_modules/dep", 0, 0) < 0 ||
		chown("/usr/local/lib/node_modules/dep/index.js", 1000, 1000) < 0 || RESOLVE(w, "node", entry) < 0 ||
		!has_tree(w, "/usr/local/lib/node_modules"))
		_exit(5);
	if (chown("/usr/local/lib/node_modules/dep/index.js", 0, 0) < 0 ||
		setxattr("/usr/local/lib/node_modules/dep/index.js", "system.posix_acl_access", acl, sizeof(acl) - 1,
			0) < 0 ||
		RESOLVE(w, "node", entry) < 0 || !has_tree(w, "/usr/local/lib/node_modules"))
		_exit(6);
	if (removexattr("/usr/local/lib/node_modules/dep/index.js", "system.posix_acl_access") < 0 ||
		chmod("/usr/local/lib/node_modules/dep/index.js", 0644) < 0 || RESOLVE(w, "node", entry) < 0 ||
		w->r.n_trees != 0)
		_exit(7);
	if (chown("/usr/local/share/shared/x.js", 1000, 1000) < 0 || RESOLVE(w, "node", entry) < 0 ||
		w->r.n_trees != 1 || !has_tree(w, "/usr/local/share/shared"))
		_exit(8);
	_exit(0);
}

static void check_packages_of_python(struct world *w)
{
	char site[PATH_MAX], file[PATH_MAX + 16];
	_cleanup_free_ char *python = realpath("/usr/bin/python3", NULL);

	own_usr_local();
	if (!python || snprintf(site, sizeof(site), "/usr/local/lib/%s/dist-packages", strrchr(python, '/') + 1) < 0)
		_exit(2);
	snprintf(file, sizeof(file), "%s/dep.py", site);
	put_text(w, file, 0644, "");
	put_text(w, "~/s.py", 0644, "");
	put_text(w, "~/proj/lib/x.py", 0644, "");
	if (RESOLVE(w, python, "s.py") < 0 || w->r.n_trees != 1)
		_exit(3);
	if (chown(file, 1000, 1000) < 0 || RESOLVE(w, python, "s.py") < 0 || !has_tree(w, site))
		_exit(4);
	snprintf(file, sizeof(file), "%s/p.pth", site);
	put_text(w, file, 0644, AT(w, "~/proj/lib"));
	if (RESOLVE(w, python, "s.py") < 0 || !has_tree(w, AT(w, "~/proj/lib")))
		_exit(5);
	_exit(0);
}

static void check_in_a_child(struct world *w, void (*check)(struct world *w))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		check(w);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void code_of_the_system_that_others_than_root_can_write_is_a_tree(void **state)
{
	WORLD;

	check_in_a_child(w, check_usr);
}

static void a_dependency_below_usr_that_others_than_root_can_write_makes_its_tree_bound(void **state)
{
	WORLD;

	check_in_a_child(w, check_dependencies);
}

static void a_package_of_the_systems_python_that_others_than_root_can_write_is_bound(void **state)
{
	WORLD;

	check_in_a_child(w, check_packages_of_python);
}

/* What a runtime takes from the working directory beside the file that it is given. */
static void a_runtime_that_obeys_files_of_the_working_directory_says_so(void **state)
{
	WORLD;
	static const struct {
		const char *words[5];
		bool cwd;
	} cases[] = {
		{ { "~/bin/node", "srv/i.js" }, false },
		{ { "~/bin/node", "-r", "./srv/i.js", "srv/i.js" }, false },
		{ { "~/bin/node", "-r", "dotenv/config", "srv/i.js" }, true },
		{ { "~/bin/node", "--import=tsx", "srv/i.js" }, true },
		{ { "~/bin/bun", "srv/i.js" }, true },
		{ { "~/bin/bun", "run", "start" }, true },
		{ { "~/bin/deno", "run", "srv/i.js" }, true },
		{ { "~/bin/tsx", "srv/i.js" }, true },
		{ { "~/bin/ts-node", "srv/i.js" }, true },
		{ { "~/bin/java", "-cp", "srv", "Main" }, false },
		{ { "~/bin/java", "--class-path=srv", "Main" }, false },
		{ { "~/bin/java", "Main" }, true },
		{ { "~/.dotnet/dotnet", "srv/S.dll" }, false },
		{ { "~/.dotnet/dotnet", "tool" }, true },
		{ { "~/bin/php", "srv/i.php" }, true },
		{ { "~/bin/Rscript", "srv/i.R" }, true },
		{ { "sh", "srv/i.sh" }, false },
		{ { "sh", "-c", "node srv/i.js" }, true },
	};
	static const char *const programs[] = { "node", "bun", "deno", "tsx", "ts-node", "java", "php", "Rscript",
		"ruby", "perl" };
	static const char *const files[] = { "i.js", "S.dll", "i.php", "i.R", "i.sh" };

	put_program(w, "~/.dotnet/dotnet");
	for (size_t i = 0; i < ARRAY_LEN(programs); i++) {
		char name[64];
		snprintf(name, sizeof(name), "~/bin/%s", programs[i]);
		put_program(w, name);
	}
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		char name[64];
		snprintf(name, sizeof(name), "~/srv/%s", files[i]);
		put_text(w, name, 0644, "");
	}
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *const *v = cases[i].words;
		GOOD(w, v[0], v[1], v[2], v[3], v[4]);
		if (w->r.loads_cwd != cases[i].cwd)
			fail_msg("%s %s %s", v[0], v[1], v[2] ? v[2] : "");
	}
}

static void code_from_where_nothing_looks_is_refused_with_what_to_do_instead(void **state)
{
	WORLD;

	for (size_t i = 0; i < 5; i++)
		put_program(w, ((const char *const[]){ "~/bin/node", "~/bin/java", "~/bin/bun", "~/.dotnet/dotnet",
				       "~/bin/python3" })[i]);
	put_text(w, "~/opts", 0644, "-cp x");
	put_text(w, "~/srv/a.jar", 0644, "");
	put_text(w, "~/srv/i.ts", 0644, "");
	REFUSED(w, -ENOEXEC, "name that command", "~/bin/node", "--run=start");
	REFUSED(w, -ENOEXEC, "--experimental-config-file", "~/bin/node", "--experimental-default-config-file",
		"srv/i.ts");
	REFUSED(w, -ENOEXEC, "write them out", "~/bin/java", "@opts", "-jar", "srv/a.jar");
	REFUSED(w, -ENOEXEC, "write them out", "~/bin/java", "-XX:Flags=opts", "-jar", "srv/a.jar");
	REFUSED(w, -ENOEXEC, "--cwd to stockade", "~/bin/bun", "--cwd=srv", "i.ts");
	REFUSED(w, -ENOEXEC, "dotnet publish", "~/.dotnet/dotnet", "watch");
	REFUSED(w, -ENOEXEC, "pycache_prefix", "~/bin/python3", "-X", "pycache_prefix=srv", "srv/i.ts");
}

static void options_that_name_directories_of_code_bring_trees(void **state)
{
	WORLD;

	for (size_t i = 0; i < 4; i++)
		put_program(
			w, ((const char *const[]){ "~/bin/java", "~/bin/ruby", "~/bin/perl", "~/.dotnet/dotnet" })[i]);
	put_text(w, "~/srv/a.jar", 0644, "");
	put_text(w, "~/srv/s.rb", 0644, "");
	put_text(w, "~/net/S.dll", 0644, "");
	put_text(w, "~/more/x", 0644, "");
	GOOD(w, "~/bin/java", "--patch-module=m=more", "-jar", "srv/a.jar");
	TREE(w, "~/more");
	GOOD(w, "~/bin/java", "-Xbootclasspath/a:more", "-jar", "srv/a.jar");
	TREE(w, "~/more");
	GOOD(w, "~/bin/java", "-agentpath:more/x=y", "-jar", "srv/a.jar");
	TREE(w, "~/more/x");
	GOOD(w, "~/bin/ruby", "-I", "more", "srv/s.rb");
	TREE(w, "~/more");
	GOOD(w, "~/bin/perl", "-Imore", "srv/s.rb");
	TREE(w, "~/more");
	GOOD(w, "~/.dotnet/dotnet", "--additionalprobingpath", "more", "net/S.dll");
	TREE(w, "~/more");
}

static void java_runs_jars_and_class_paths(void **state)
{
	WORLD;

	put_program(w, "~/.sdkman/candidates/java/21.0.2-tem/bin/java");
	put_text(w, "~/.sdkman/candidates/java/21.0.2-tem/release", 0644, "");
	put_link(w, "~/.sdkman/candidates/java/current", "21.0.2-tem");
	put_text(w, "~/srv/app.jar", 0644, "PK");
	put_text(w, "~/srv/lib/dep.jar", 0644, "PK");
	GOOD(w, "~/.sdkman/candidates/java/current/bin/java", "-Xmx64m", "-jar", "srv/app.jar", "srv");
	assert_true(has_role(w, "~/.sdkman/candidates/java/21.0.2-tem", "Java of SDKMAN"));
	TREE(w, "~/srv/app.jar");
	TREE(w, "~/srv/lib");
	assert_int_equal(w->r.n_trees, 3);
	GOOD(w, "~/.sdkman/candidates/java/current/bin/java", "-cp", "srv/lib/*:srv/app.jar", "com.example.Main",
		"/etc/passwd");
	TREE(w, "~/srv/app.jar");
	TREE(w, "~/srv/lib");
	REFUSED(w, -ENOENT, "does not exist", "~/.sdkman/candidates/java/current/bin/java", "-jar", "nothing.jar");
}

static void a_dotnet_program_brings_the_assemblies_beside_it(void **state)
{
	WORLD;

	put_program(w, "~/apps/srv/Server");
	put_text(w, "~/apps/srv/Server.dll", 0644, "MZ");
	put_program(w, "~/.dotnet/dotnet");
	GOOD(w, "~/apps/srv/Server");
	TREE(w, "~/apps/srv");
	GOOD(w, "~/.dotnet/dotnet", "apps/srv/Server.dll");
	TREE(w, "~/apps/srv");
	TREE(w, "~/.dotnet");
}

static void programs_that_start_programs_are_looked_through(void **state)
{
	WORLD;

	put_program(w, "~/bin/node");
	put_text(w, "~/x/package.json", 0644, "{}");
	put_text(w, "~/x/i.js", 0644, "");
	GOOD(w, "env", "-u", "A", "B=c", AT(w, "~/bin/node"), "x/i.js");
	TREE(w, "~/x");
	TREE(w, "~/bin/node");
	assert_string_equal(w->r.program, "/usr/bin/env");
	assert_string_equal(w->r.subject, AT(w, "~/x/i.js"));
	GOOD(w, "nice", "-n", "5", "timeout", "10", AT(w, "~/bin/node"), "x/i.js");
	TREE(w, "~/x");
	REFUSED(w, -ENOENT, "not found", "env", "A=b", "stockade-test-nothing");
	REFUSED(w, -ENOEXEC, "does not know", "env", "--frobnicate", "sh");
}

static void a_fetcher_behind_another_name_is_refused(void **state)
{
	WORLD;

	put_text(w, "~/lib/node_modules/npm/bin/npx-cli.js", 0755, "#!/bin/sh\n");
	put_link(w, "~/bin/innocent", AT(w, "~/lib/node_modules/npm/bin/npx-cli.js"));
	put_program(w, "~/bin/node");
	REFUSED(w, -EPERM, "'npx' downloads", "~/bin/innocent", "-y", "x");
	REFUSED(w, -EPERM, "'npx' downloads", "~/bin/node", "lib/node_modules/npm/bin/npx-cli.js", "-y", "x");
}

static void a_directory_that_people_share_is_never_a_tree(void **state)
{
	WORLD;

	put_program(w, "~/bin/node");
	put_program(w, "~/bin/python3");
	put_text(w, "~/package.json", 0644, "{}");
	put_text(w, "~/server.js", 0644, "require('./lib')");
	put_text(w, "~/src/package.json", 0644, "{}");
	put_text(w, "~/src/server.js", 0644, "require('./lib')");
	put_text(w, "~/src/helper.py", 0644, "");
	put_text(w, "~/src/server.py", 0644, "import helper\n");
	GOOD(w, "~/bin/node", "server.js");
	TREE(w, "~/server.js");
	GOOD(w, "~/bin/node", "src/server.js");
	TREE(w, "~/src/server.js");
	GOOD(w, "~/bin/python3", "src/server.py");
	TREE(w, "~/src/server.py");
	assert_int_equal(w->r.n_trees, 2);
	strcpy(w->cwd, AT(w, "~/src"));
	GOOD(w, "~/bin/python3", "-m", "server");
	TREE(w, "~/src/server.py");
	assert_int_equal(w->r.n_trees, 2);
}

static void a_script_that_loads_its_neighbours_brings_its_directory(void **state)
{
	WORLD;

	put_program(w, "~/bin/node");
	put_program(w, "~/bin/python3");
	put_text(w, "~/t/a.js", 0644, "import x from './b.js'");
	put_text(w, "~/t/alone.js", 0644, "1");
	put_text(w, "~/t/helper.py", 0644, "");
	put_text(w, "~/t/b.py", 0644, "  from helper import x\n");
	put_text(w, "~/t/alone.py", 0644, "import os, sys\n");
	GOOD(w, "~/bin/node", "t/a.js");
	TREE(w, "~/t");
	GOOD(w, "~/bin/node", "t/alone.js");
	TREE(w, "~/t/alone.js");
	GOOD(w, "~/bin/python3", "t/b.py");
	TREE(w, "~/t");
	GOOD(w, "~/bin/python3", "t/alone.py");
	TREE(w, "~/t/alone.py");
}

static void stockades_own_files_are_never_code(void **state)
{
	WORLD;

	put_program(w, "~/.local/state/stockade/x");
	put_program(w, "~/bin/node");
	put_text(w, "~/.config/stockade/package.json", 0644, "{}");
	put_text(w, "~/.config/stockade/x.js", 0644, "");
	REFUSED(w, -EACCES, "stockade's own files", "~/.local/state/stockade/x");
	REFUSED(w, -EACCES, "stockade's own files", "~/bin/node", "~/.config/stockade/x.js");
}

static void path_inside_keeps_the_callers_order_and_only_what_is_visible(void **state)
{
	WORLD;

	put_program(w, "~/tools/node");
	put_dir(w, "~/other");
	snprintf(w->path, sizeof(w->path), "%s:rel::/usr/bin:%s:/usr/bin/", AT(w, "~/other"), AT(w, "~/tools"));
	GOOD(w, "~/tools/node", "-v");
	assert_string_equal(w->r.path.v[0], "/usr/bin");
	assert_string_equal(w->r.path.v[1], AT(w, "~/tools"));
	assert_false(in_path(w, "~/other"));
	for (size_t i = 0; i < w->r.path.n; i++)
		assert_int_equal(*w->r.path.v[i], '/');
}

/* --- native programs made by hand --- */

struct made_elf {
	Elf64_Ehdr h;
	Elf64_Phdr ph[3];
	Elf64_Dyn dyn[4];
	char strings[64];
	char loader[64];
};

static struct made_elf make_elf(const char *run_path, const char *loader)
{
	struct made_elf e = { .h = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
				      .e_type = ET_DYN,
#ifdef __x86_64__
				      .e_machine = EM_X86_64,
#else
				      .e_machine = EM_AARCH64,
#endif
				      .e_phoff = sizeof(Elf64_Ehdr),
				      .e_phentsize = sizeof(Elf64_Phdr),
				      .e_phnum = 3 } };

	e.ph[0] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_filesz = sizeof(e), .p_memsz = sizeof(e) };
	e.ph[1] = (Elf64_Phdr){
		.p_type = PT_DYNAMIC, .p_offset = offsetof(struct made_elf, dyn), .p_filesz = sizeof(e.dyn)
	};
	e.ph[2] = (Elf64_Phdr){
		.p_type = PT_INTERP, .p_offset = offsetof(struct made_elf, loader), .p_filesz = sizeof(e.loader)
	};
	e.dyn[0] = (Elf64_Dyn){ .d_tag = DT_STRTAB, .d_un.d_ptr = offsetof(struct made_elf, strings) };
	e.dyn[1] = (Elf64_Dyn){ .d_tag = DT_RUNPATH, .d_un.d_val = 1 };
	snprintf(e.strings + 1, sizeof(e.strings) - 1, "%s", run_path);
	snprintf(e.loader, sizeof(e.loader), "%s", loader);
	return e;
}

static const char *real_loader(void)
{
	return access("/lib64/ld-linux-x86-64.so.2", F_OK) == 0 ? "/lib64/ld-linux-x86-64.so.2"
								: "/lib/ld-linux-aarch64.so.1";
}

static void libraries_beside_a_program_are_its_code(void **state)
{
	WORLD;
	struct made_elf e = make_elf("$ORIGIN/../lib:/nowhere", real_loader());

	put_dir(w, "~/tool/lib");
	put_bytes(w, "~/tool/bin/server", 0755, &e, sizeof(e));
	GOOD(w, "~/tool/bin/server");
	TREE(w, "~/tool/lib");
	TREE(w, "~/tool/bin/server");
	assert_int_equal(w->r.n_trees, 2);
	/* The same in a shared directory is too wide. */
	e = make_elf("$ORIGIN", real_loader());
	put_bytes(w, "~/bin/server", 0755, &e, sizeof(e));
	REFUSED(w, -EACCES, "too wide", "~/bin/server");
}

static void a_program_for_another_machine_or_libc_is_refused(void **state)
{
	WORLD;
	struct made_elf e = make_elf("", "/lib/ld-musl-stockade-test.so.1");

	put_bytes(w, "~/musl", 0755, &e, sizeof(e));
	REFUSED(w, -ENOENT, "loader", "~/musl");
	e = make_elf("", real_loader());
	e.h.e_machine = EM_S390;
	put_bytes(w, "~/s390", 0755, &e, sizeof(e));
	REFUSED(w, -ENOEXEC, "another machine", "~/s390");
	put_bytes(w, "~/short", 0755, "\177ELF\2\1", 6);
	REFUSED(w, -ENOEXEC, "cut short", "~/short");
	e = make_elf("", real_loader());
	e.h.e_phoff = UINT64_MAX - 3;
	put_bytes(w, "~/wild", 0755, &e, sizeof(e));
	REFUSED(w, -ENOEXEC, "damaged", "~/wild");
	e = make_elf("x", real_loader());
	e.dyn[0].d_un.d_ptr = UINT64_MAX;
	e.dyn[1].d_un.d_val = UINT64_MAX;
	put_bytes(w, "~/odd", 0755, &e, sizeof(e));
	GOOD(w, "~/odd");
}

static void too_many_trees_are_refused(void **state)
{
	WORLD;
	_cleanup_buf_ struct buf b = BUF_INIT(1 << 20);

	put_program(w, "~/bin/java");
	for (int i = 0; i < RESOLVE_TREES_MAX + 1; i++) {
		char name[64];
		snprintf(name, sizeof(name), "~/j/%d.jar", i);
		put_text(w, name, 0644, "PK");
		assert_int_equal(buf_printf(&b, "j/%d.jar:", i), 0);
	}
	REFUSED(w, -EACCES, "separate code trees", "~/bin/java", "-cp", b.data, "Main");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_program_of_the_system_needs_no_tree_and_keeps_its_name),
		CASE(a_program_of_the_home_is_a_tree_of_one_file),
		CASE(a_link_leads_to_the_file_that_is_run),
		CASE(what_path_lacks_is_named_by_its_absolute_path),
		CASE(what_cannot_be_run_is_refused_with_the_reason),
		CASE(a_tilde_is_not_expanded_and_the_words_say_so),
		CASE(a_broken_shebang_is_refused_with_the_reason),
		CASE(env_in_a_shebang_finds_the_interpreter_in_path),
		CASE(scripts_interpret_scripts_up_to_a_limit),
		CASE(a_link_to_an_interpreter_exists_inside_as_well),
		CASE(the_file_that_an_interpreter_runs_is_code_and_the_rest_is_not),
		CASE(a_shell_runs_the_file_behind_its_options),
		CASE(a_file_of_settings_is_code_once_it_is_there),
		CASE(python_m_loads_from_the_working_directory_unless_told_not_to),
		CASE(a_runtime_that_obeys_files_of_the_working_directory_says_so),
		CASE(code_from_where_nothing_looks_is_refused_with_what_to_do_instead),
		CASE(options_that_name_directories_of_code_bring_trees),
		CASE(java_runs_jars_and_class_paths),
		CASE(a_dotnet_program_brings_the_assemblies_beside_it),
		CASE(programs_that_start_programs_are_looked_through),
		CASE(a_fetcher_behind_another_name_is_refused),
		CASE(a_directory_that_people_share_is_never_a_tree),
		CASE(a_script_that_loads_its_neighbours_brings_its_directory),
		CASE(stockades_own_files_are_never_code),
		CASE(path_inside_keeps_the_callers_order_and_only_what_is_visible),
		CASE(libraries_beside_a_program_are_its_code),
		CASE(a_program_for_another_machine_or_libc_is_refused),
		CASE(too_many_trees_are_refused),
		/* The last: only root can give a file away. The suite runs once more as root. */
		CASE(code_of_the_system_that_others_than_root_can_write_is_a_tree),
		CASE(a_dependency_below_usr_that_others_than_root_can_write_makes_its_tree_bound),
		CASE(a_package_of_the_systems_python_that_others_than_root_can_write_is_bound),
	};
	return _cmocka_run_group_tests("resolve", tests, ARRAY_LEN(tests) - (geteuid() != 0 ? ROOTS : 0), NULL, NULL);
}
