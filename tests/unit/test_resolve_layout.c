/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layouts of package and version managers, as those tools leave them on disk: npm and venv by running them (no
 * network), the others recorded from an installation.
 */
#include "tests/unit/resolve_unit.h"
#include <spawn.h>
#include <sys/wait.h>

#define WORLD struct world *w = *state

/* --- run for real --- */

static void run(const struct world *w, const char *dir, const char *const *words)
{
	char home[PATH_MAX];
	char *env[] = { (char *)(uintptr_t) "PATH=/usr/local/bin:/usr/bin:/bin", home,
		(char *)(uintptr_t) "npm_config_offline=true", (char *)(uintptr_t) "npm_config_update_notifier=false",
		NULL };
	posix_spawn_file_actions_t actions;
	int status = -1;
	pid_t pid;

	snprintf(home, sizeof(home), "HOME=%s", w->home);
	assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
	assert_int_equal(posix_spawn_file_actions_addchdir_np(&actions, AT(w, dir)), 0);
	assert_int_equal(posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0), 0);
	assert_int_equal(posix_spawnp(&pid, words[0], &actions, NULL, (char **)(uintptr_t)words, env), 0);
	posix_spawn_file_actions_destroy(&actions);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0)
		fail_msg("%s failed: %d", words[0], status);
}
#define RUN(w, dir, ...) run((w), (dir), (const char *const[]){ __VA_ARGS__, NULL })

static void npm_install_makes_one_tree_of_node_modules(void **state)
{
	WORLD;

	put_text(w, "pkg/package.json", 0644,
		"{\"name\":\"@x/server\",\"version\":\"1.0.0\",\"bin\":{\"mcp-x\":\"dist/index.js\"}}");
	put_text(w, "pkg/dist/index.js", 0755, "#!/usr/bin/env node\nconsole.log(1)\n");
	put_text(w, "~/proj/package.json", 0644, "{}");
	RUN(w, "pkg", "npm", "pack", "--silent");
	RUN(w, "~/proj", "npm", "install", "--silent", "--no-audit", "--no-fund", AT(w, "pkg/x-server-1.0.0.tgz"));
	GOOD(w, "~/proj/node_modules/.bin/mcp-x", "/data");
	assert_string_equal(w->r.program, AT(w, "~/proj/node_modules/@x/server/dist/index.js"));
	assert_true(has_role(w, "~/proj/node_modules", "npm packages"));
	assert_false(has_tree(w, "~/proj"));
	/* A package of a directory is a link out of node_modules; npm 9, which Debian 12 has, must be told. */
	RUN(w, "~/proj", "npm", "install", "--silent", "--no-audit", "--no-fund", "--install-links=false",
		AT(w, "pkg"));
	GOOD(w, "~/proj/node_modules/.bin/mcp-x");
	TREE(w, "pkg");
}

static void a_real_venv_keeps_the_path_that_its_configuration_hangs_on(void **state)
{
	WORLD;

	put_dir(w, "~/proj");
	RUN(w, "~/proj", "/usr/bin/python3", "-m", "venv", "--without-pip", "venv");
	put_text(w, "~/proj/venv/bin/server", 0755, "#!~/proj/venv/bin/python3\nimport server\n");
	GOOD(w, "~/proj/venv/bin/python", "-m", "server");
	assert_string_equal(w->r.program, AT(w, "~/proj/venv/bin/python"));
	assert_int_equal(w->r.n_trees, 1);
	assert_true(has_role(w, "~/proj/venv", "Python virtual environment"));
	assert_true(in_path(w, "~/proj/venv/bin"));
	GOOD(w, "~/proj/venv/bin/server");
	assert_string_equal(w->r.program, AT(w, "~/proj/venv/bin/server"));
	assert_string_equal(w->r.chain.v[1], AT(w, "~/proj/venv/bin/python3"));
	assert_int_equal(w->r.n_trees, 1);
	/* By PATH, as after "activate", and by a link to the directory. */
	snprintf(w->path, sizeof(w->path), "%s:/usr/bin", AT(w, "~/proj/venv/bin"));
	GOOD(w, "python3", "-m", "server");
	assert_string_equal(w->r.program, AT(w, "~/proj/venv/bin/python3"));
	assert_string_equal(w->r.argv.v[0], "python3");
	assert_string_equal(w->r.path.v[0], AT(w, "~/proj/venv/bin"));
	put_link(w, "~/current", "proj/venv");
	GOOD(w, "~/current/bin/python3", "-c", "1");
	assert_string_equal(w->r.program, AT(w, "~/proj/venv/bin/python3"));
	assert_string_equal(w->r.argv.v[0], AT(w, "~/proj/venv/bin/python3"));
}

/* --- Node --- */

static void a_global_package_of_nvm_is_its_global_packages_and_node(void **state)
{
	WORLD;

	put_program(w, "~/.nvm/versions/node/v20.11.0/bin/node");
	put_text(w, "~/.nvm/versions/node/v20.11.0/lib/node_modules/@x/server/dist/index.js", 0755,
		"#!/usr/bin/env node\n");
	put_link(w, "~/.nvm/versions/node/v20.11.0/bin/mcp-x", "../lib/node_modules/@x/server/dist/index.js");
	snprintf(w->path, sizeof(w->path), "%s:/usr/bin", AT(w, "~/.nvm/versions/node/v20.11.0/bin"));
	GOOD(w, "mcp-x");
	assert_true(has_role(w, "~/.nvm/versions/node/v20.11.0/lib/node_modules", "global npm packages of nvm"));
	assert_true(has_role(w, "~/.nvm/versions/node/v20.11.0/bin/node", "node of nvm"));
	assert_int_equal(w->r.n_trees, 2);
}

static void an_absolute_script_without_its_node_says_which_node_to_write(void **state)
{
	WORLD;

	put_text(w, "~/.nvm/versions/node/v99.0.0/bin/mcp-x", 0755, "#!/usr/bin/env stockade-test-node\n");
	put_program(w, "~/.nvm/versions/node/v99.0.0/bin/stockade-test-node");
	REFUSED(w, -ENOENT, AT(w, "~/.nvm/versions/node/v99.0.0/bin/stockade-test-node"),
		"~/.nvm/versions/node/v99.0.0/bin/mcp-x");
}

static void fnms_link_of_this_shell_leads_to_the_installation(void **state)
{
	WORLD;

	put_program(w, "~/.local/share/fnm/node-versions/v20.1.0/installation/bin/node");
	put_link(w, "run/fnm_multishells/123_456", "~/.local/share/fnm/node-versions/v20.1.0/installation");
	snprintf(w->path, sizeof(w->path), "%s:/usr/bin", AT(w, "run/fnm_multishells/123_456/bin"));
	GOOD(w, "node", "-v");
	assert_string_equal(w->r.program, AT(w, "~/.local/share/fnm/node-versions/v20.1.0/installation/bin/node"));
	assert_string_equal(w->r.path.v[0], AT(w, "~/.local/share/fnm/node-versions/v20.1.0/installation/bin"));
	assert_int_equal(w->r.symlinks.n, 0);
}

static void a_workspace_brings_the_packages_above_and_beside_it(void **state)
{
	WORLD;

	put_program(w, "~/bin/node");
	put_text(w, "~/mono/package.json", 0644, "{}");
	put_text(w, "~/mono/node_modules/dep/index.js", 0644, "");
	put_text(w, "~/mono/packages/util/package.json", 0644, "{}");
	put_link(w, "~/mono/node_modules/@me/util", "../../packages/util");
	put_text(w, "~/mono/packages/srv/package.json", 0644, "{}");
	put_text(w, "~/mono/packages/srv/dist/index.js", 0644, "");
	GOOD(w, "~/bin/node", "mono/packages/srv/dist/index.js");
	TREE(w, "~/mono/packages/srv");
	TREE(w, "~/mono/node_modules");
	TREE(w, "~/mono/packages/util");
	assert_int_equal(w->r.n_trees, 4);
}

static void pnpms_script_brings_the_package_and_node(void **state)
{
	WORLD;

	put_program(w, "~/tools/node");
	put_text(w, "~/proj/node_modules/.pnpm/x@1/node_modules/x/index.js", 0755, "#!/usr/bin/env node\n");
	put_link(w, "~/proj/node_modules/x", ".pnpm/x@1/node_modules/x");
	put_text(w, "~/proj/node_modules/.bin/x", 0755,
		"#!/bin/sh\nbasedir=$(dirname \"$(echo \"$0\" | sed -e 's,\\\\,/,g')\")\nif [ -x \"$basedir/node\" ]; "
		"then\n"
		"  exec \"$basedir/node\"  \"$basedir/../x/index.js\" \"$@\"\nelse\n  exec node  "
		"\"$basedir/../x/index.js\" \"$@\"\nfi\n");
	snprintf(w->path, sizeof(w->path), "%s:/usr/bin", AT(w, "~/tools"));
	GOOD(w, "~/proj/node_modules/.bin/x");
	TREE(w, "~/proj/node_modules");
	TREE(w, "~/tools/node");
	/* Global: the store lies beside node_modules. */
	put_text(w, "~/.local/share/pnpm/global/5/.pnpm/y@1/node_modules/y/index.js", 0755, "#!/usr/bin/env node\n");
	put_link(w, "~/.local/share/pnpm/y", "global/5/.pnpm/y@1/node_modules/y/index.js");
	GOOD(w, "~/.local/share/pnpm/y");
	TREE(w, "~/.local/share/pnpm/global/5/.pnpm");
}

static void voltas_shim_is_looked_through_by_its_platform_file(void **state)
{
	WORLD;

	put_program(w, "~/.volta/bin/volta-shim");
	put_link(w, "~/.volta/bin/node", "volta-shim");
	put_program(w, "~/.volta/tools/image/node/18.2.0/bin/node");
	put_program(w, "~/.volta/tools/image/node/20.1.0/bin/node");
	snprintf(w->path, sizeof(w->path), "%s:/usr/bin", AT(w, "~/.volta/bin"));
	REFUSED(w, -ENOEXEC, "tools/image/node/VERSION/bin/node", "node");
	put_text(w, "~/.volta/tools/user/platform.json", 0644,
		"{\"node\":{\"runtime\":\"18.2.0\",\"npm\":null},\"yarn\":null}");
	GOOD(w, "node", "-v");
	assert_string_equal(w->r.program, AT(w, "~/.volta/tools/image/node/18.2.0/bin/node"));
	assert_string_equal(w->r.path.v[0], AT(w, "~/.volta/tools/image/node/18.2.0/bin"));
	put_text(w, "~/proj/package.json", 0644, "{\"volta\":{\"node\":\"20.1.0\"}}");
	strcpy(w->cwd, AT(w, "~/proj"));
	GOOD(w, "node", "-v");
	assert_string_equal(w->r.program, AT(w, "~/.volta/tools/image/node/20.1.0/bin/node"));
	put_text(w, "~/proj/package.json", 0644, "{\"volta\":{\"node\":\"../../../evil\"}}");
	GOOD(w, "node", "-v");
	assert_string_equal(w->r.program, AT(w, "~/.volta/tools/image/node/18.2.0/bin/node"));
}

static void a_package_of_volta_runs_on_the_node_it_was_installed_for(void **state)
{
	WORLD;

	put_program(w, "~/.volta/bin/volta-shim");
	put_link(w, "~/.volta/bin/node", "volta-shim");
	put_link(w, "~/.volta/bin/mcp-x", "volta-shim");
	put_program(w, "~/.volta/tools/image/node/18.2.0/bin/node");
	put_program(w, "~/.volta/tools/image/node/20.1.0/bin/node");
	put_text(w, "~/.volta/tools/user/platform.json", 0644, "{\"node\":{\"runtime\":\"18.2.0\"}}");
	put_text(w, "~/.volta/tools/user/bins/mcp-x.json", 0644,
		"{\"name\":\"mcp-x\",\"package\":\"@x/"
		"server\",\"version\":\"1.0.0\",\"platform\":{\"node\":\"20.1.0\",\"npm\":null}}");
	put_text(w, "~/.volta/tools/image/packages/@x/server/lib/node_modules/@x/server/i.js", 0755,
		"#!/usr/bin/env node\n");
	put_link(w, "~/.volta/tools/image/packages/@x/server/bin/mcp-x", "../lib/node_modules/@x/server/i.js");
	snprintf(w->path, sizeof(w->path), "%s:/usr/bin", AT(w, "~/.volta/bin"));
	GOOD(w, "mcp-x");
	TREE(w, "~/.volta/tools/image/packages/@x/server/lib/node_modules");
	TREE(w, "~/.volta/tools/image/node/20.1.0/bin/node");
	assert_string_equal(w->r.path.v[0], AT(w, "~/.volta/tools/image/node/20.1.0/bin"));
	assert_false(has_tree(w, "~/.volta/tools/image/node/18.2.0/bin/node"));
}

static void mises_shim_is_looked_through_by_its_files(void **state)
{
	WORLD;

	put_program(w, "~/.local/bin/mise");
	put_link(w, "~/.local/share/mise/shims/node", "~/.local/bin/mise");
	put_link(w, "~/.local/share/mise/shims/mcp-x", "~/.local/bin/mise");
	put_program(w, "~/.local/share/mise/installs/node/20.1.0/bin/node");
	put_link(w, "~/.local/share/mise/installs/node/20", "./20.1.0");
	put_program(w, "~/.local/share/mise/installs/node/18.2.0/bin/node");
	put_program(w, "~/.local/share/mise/installs/npm-x-server/1.0/bin/mcp-x");
	snprintf(w->path, sizeof(w->path), "%s:/usr/bin", AT(w, "~/.local/share/mise/shims"));
	REFUSED(w, -ENOEXEC, "installs/TOOL/VERSION/bin/node", "node");
	put_text(w, "~/.config/mise/config.toml", 0644,
		"[settings]\nnode = \"18.2.0\"\n[tools]\n# node = \"1\"\nnode = \"20\"\n\"npm:@x/server\" = { version "
		"= \"1.0\" }\n");
	GOOD(w, "node", "-v");
	assert_string_equal(w->r.program, AT(w, "~/.local/share/mise/installs/node/20.1.0/bin/node"));
	GOOD(w, "mcp-x");
	assert_string_equal(w->r.program, AT(w, "~/.local/share/mise/installs/npm-x-server/1.0/bin/mcp-x"));
	put_text(w, "~/proj/.tool-versions", 0644, "nodejs 18.2.0\n");
	put_dir(w, "~/proj/sub");
	strcpy(w->cwd, AT(w, "~/proj/sub"));
	GOOD(w, "node", "-v");
	assert_string_equal(w->r.program, AT(w, "~/.local/share/mise/installs/node/18.2.0/bin/node"));
	put_text(w, "~/proj/sub/mise.toml", 0644, "[tools]\nnode = [\"20\", \"18.2.0\"]\n");
	GOOD(w, "node", "-v");
	assert_string_equal(w->r.program, AT(w, "~/.local/share/mise/installs/node/20.1.0/bin/node"));
}

static void asdfs_shim_is_looked_through_by_tool_versions(void **state)
{
	WORLD;

	put_text(w, "~/.asdf/shims/node", 0755,
		"#!/usr/bin/env bash\n# asdf-plugin: nodejs 18.2.0\n# asdf-plugin: nodejs 20.1.0\nexec "
		"~/.asdf/bin/asdf exec \"node\" \"$@\" # asdf_allow: ' asdf '\n");
	put_program(w, "~/.asdf/installs/nodejs/18.2.0/bin/node");
	put_program(w, "~/.asdf/installs/nodejs/20.1.0/bin/node");
	snprintf(w->path, sizeof(w->path), "%s:/usr/bin", AT(w, "~/.asdf/shims"));
	REFUSED(w, -ENOEXEC, "installs/nodejs/VERSION/bin/node", "node");
	put_text(w, "~/.tool-versions", 0644, "python 3.11\nnodejs 99 18.2.0\n");
	GOOD(w, "node", "-v");
	assert_string_equal(w->r.program, AT(w, "~/.asdf/installs/nodejs/18.2.0/bin/node"));
	put_text(w, "~/proj/.tool-versions", 0644, "nodejs 20.1.0 # newer\n");
	strcpy(w->cwd, AT(w, "~/proj"));
	GOOD(w, "node", "-v");
	assert_string_equal(w->r.program, AT(w, "~/.asdf/installs/nodejs/20.1.0/bin/node"));
}

/* --- Python --- */

static void put_pyenv(const struct world *w, const char *name)
{
	char shim[64];

	snprintf(shim, sizeof(shim), "~/.pyenv/shims/%s", name);
	put_text(w, shim, 0755,
		"#!/usr/bin/env bash\nset -e\n[ -n \"$PYENV_DEBUG\" ] && set -x\n\nprogram=\"${0##*/}\"\n\nexport "
		"PYENV_ROOT=\"~/.pyenv\"\n"
		"exec \"~/.pyenv/libexec/pyenv\" exec \"$program\" \"$@\"\n");
}

static void put_python(const struct world *w, const char *prefix, const char *version)
{
	char path[256], name[64];

	snprintf(path, sizeof(path), "%s/bin/python%s", prefix, version);
	put_program(w, path);
	snprintf(name, sizeof(name), "python%s", version);
	snprintf(path, sizeof(path), "%s/bin/python3", prefix);
	put_link(w, path, name);
	snprintf(path, sizeof(path), "%s/lib/python%s/os.py", prefix, version);
	put_text(w, path, 0644, "");
}

static void pyenvs_shim_is_looked_through_by_its_version_files(void **state)
{
	WORLD;

	put_pyenv(w, "python3");
	put_pyenv(w, "mcp-x");
	put_python(w, "~/.pyenv/versions/3.11.7", "3.11");
	put_python(w, "~/.pyenv/versions/3.12.1", "3.12");
	put_python(w, "~/.pyenv/versions/3.12.10", "3.12");
	put_text(w, "~/.pyenv/versions/3.11.7/bin/mcp-x", 0755, "#!~/.pyenv/versions/3.11.7/bin/python3.11\n");
	snprintf(w->path, sizeof(w->path), "%s:/usr/bin", AT(w, "~/.pyenv/shims"));
	put_text(w, "~/.pyenv/version", 0644, "3.11.7\n");
	GOOD(w, "python3", "-c", "1");
	assert_string_equal(w->r.program, AT(w, "~/.pyenv/versions/3.11.7/bin/python3.11"));
	assert_string_equal(w->r.argv.v[0], "python3");
	assert_string_equal(w->r.path.v[0], AT(w, "~/.pyenv/versions/3.11.7/bin"));
	assert_true(has_role(w, "~/.pyenv/versions/3.11.7", "Python of pyenv"));
	GOOD(w, "mcp-x");
	assert_string_equal(w->r.program, AT(w, "~/.pyenv/versions/3.11.7/bin/mcp-x"));
	/* The nearest file; a prefix means the newest. */
	put_text(w, "~/proj/.python-version", 0644, "# comment\n3.12\n");
	strcpy(w->cwd, AT(w, "~/proj"));
	GOOD(w, "python3", "-c", "1");
	assert_string_equal(w->r.program, AT(w, "~/.pyenv/versions/3.12.10/bin/python3.12"));
	REFUSED(w, -ENOEXEC, AT(w, "~/.pyenv/versions/VERSION/bin/mcp-x"), "mcp-x");
	put_text(w, "~/proj/.python-version", 0644, "system\n");
	GOOD(w, "python3", "-c", "1");
	assert_true(strncmp(w->r.program, "/usr/", 5) == 0);
	put_text(w, "~/proj/.python-version", 0644, "../../evil\n");
	REFUSED(w, -ENOEXEC, "shim of pyenv", "python3");
}

static void a_shim_in_a_shebang_is_replaced_by_the_program_behind_it(void **state)
{
	WORLD;

	put_pyenv(w, "python3");
	put_python(w, "~/.pyenv/versions/3.11.7", "3.11");
	put_text(w, "~/.pyenv/version", 0644, "3.11.7\n");
	put_text(w, "~/t/direct.py", 0755, "#!~/.pyenv/shims/python3 -u\n");
	put_text(w, "~/t/env.py", 0755, "#!/usr/bin/env python3\n");
	GOOD(w, "~/t/direct.py", "--arg");
	assert_string_equal(w->r.program, AT(w, "~/.pyenv/versions/3.11.7/bin/python3.11"));
	assert_int_equal(w->r.argv.n, 4);
	assert_string_equal(w->r.argv.v[1], "-u");
	assert_string_equal(w->r.argv.v[2], AT(w, "~/t/direct.py"));
	assert_string_equal(w->r.argv.v[3], "--arg");
	assert_string_equal(w->r.subject, AT(w, "~/t/direct.py"));
	snprintf(w->path, sizeof(w->path), "%s:/usr/bin", AT(w, "~/.pyenv/shims"));
	GOOD(w, "~/t/env.py");
	assert_string_equal(w->r.program, AT(w, "~/t/env.py"));
	assert_string_equal(w->r.path.v[0], AT(w, "~/.pyenv/versions/3.11.7/bin"));
	GOOD(w, "env", AT(w, "~/.pyenv/shims/python3"), "-V");
	assert_string_equal(w->r.argv.v[1], AT(w, "~/.pyenv/versions/3.11.7/bin/python3.11"));
}

static void nodenv_is_read_like_pyenv(void **state)
{
	WORLD;

	put_text(w, "~/.nodenv/shims/node", 0755,
		"#!/usr/bin/env bash\nexport NODENV_ROOT=\"~/.nodenv\"\nexec \"~/.nodenv/libexec/nodenv\" exec "
		"\"$program\" \"$@\"\n");
	put_program(w, "~/.nodenv/versions/20.1.0/bin/node");
	put_text(w, "~/.node-version", 0644, "20.1.0");
	snprintf(w->path, sizeof(w->path), "%s:/usr/bin", AT(w, "~/.nodenv/shims"));
	GOOD(w, "node", "-v");
	assert_string_equal(w->r.program, AT(w, "~/.nodenv/versions/20.1.0/bin/node"));
}

static void an_unknown_shim_and_a_snap_are_refused_in_words(void **state)
{
	WORLD;

	put_text(w, "~/.newenv/shims/node", 0755, "#!/bin/sh\nexec newenv run node \"$@\"\n");
	REFUSED(w, -ENOEXEC, "absolute path of that program", "~/.newenv/shims/node");
	put_program(w, "usr/bin/snap");
	put_link(w, "snap/bin/node", AT(w, "usr/bin/snap"));
	REFUSED(w, -ENOEXEC, "/snap/node/current", AT(w, "snap/bin/node"));
}

static void a_tool_of_uv_brings_its_environment_and_uvs_python(void **state)
{
	WORLD;

	put_python(w, "~/.local/share/uv/python/cpython-3.12.5-linux-x86_64-gnu", "3.12");
	put_link(w, "~/.local/share/uv/python/cpython-3.12-linux-x86_64-gnu",
		"~/.local/share/uv/python/cpython-3.12.5-linux-x86_64-gnu");
	put_text(w, "~/.local/share/uv/tools/mcp-server-git/pyvenv.cfg", 0644,
		"home = ~/.local/share/uv/python/cpython-3.12-linux-x86_64-gnu/bin\nimplementation = CPython\nuv = "
		"0.4.0\nversion_info = 3.12.5\n");
	put_link(w, "~/.local/share/uv/tools/mcp-server-git/bin/python",
		"~/.local/share/uv/python/cpython-3.12-linux-x86_64-gnu/bin/python3.12");
	put_text(w, "~/.local/share/uv/tools/mcp-server-git/bin/mcp-server-git", 0755,
		"#!~/.local/share/uv/tools/mcp-server-git/bin/python\n");
	put_link(w, "~/.local/bin/mcp-server-git", "~/.local/share/uv/tools/mcp-server-git/bin/mcp-server-git");
	snprintf(w->path, sizeof(w->path), "%s:/usr/bin", AT(w, "~/.local/bin"));
	GOOD(w, "mcp-server-git", "--repository", "/x");
	assert_string_equal(w->r.program, AT(w, "~/.local/share/uv/tools/mcp-server-git/bin/mcp-server-git"));
	assert_true(has_role(w, "~/.local/share/uv/tools/mcp-server-git", "Python virtual environment of uv tool"));
	assert_true(has_role(w, "~/.local/share/uv/python/cpython-3.12.5-linux-x86_64-gnu", "Python of uv"));
	assert_int_equal(w->r.n_trees, 2);
	assert_true(has_link(w, "~/.local/share/uv/python/cpython-3.12-linux-x86_64-gnu",
		"~/.local/share/uv/python/cpython-3.12.5-linux-x86_64-gnu"));
	assert_int_equal(w->r.symlinks.n, 1);
}

static void put_venv(const struct world *w, const char *venv, const char *home)
{
	char path[256], text[512];

	snprintf(path, sizeof(path), "%s/pyvenv.cfg", venv);
	snprintf(text, sizeof(text), "home = %s\ninclude-system-site-packages = false\n", home);
	put_text(w, path, 0644, text);
	snprintf(path, sizeof(path), "%s/bin/python", venv);
	snprintf(text, sizeof(text), "%s/python3", *home == '~' ? AT(w, home) : home);
	put_link(w, path, text);
}

static void packages_installed_for_editing_are_code_too(void **state)
{
	WORLD;

	put_venv(w, "~/proj/.venv", "/usr/bin");
	put_text(w, "~/proj/.venv/lib/python3.12/site-packages/_proj.pth", 0644, "~/proj/src");
	put_text(w, "~/proj/.venv/lib/python3.12/site-packages/distutils-precedence.pth", 0644, "import os; x = 1\n");
	put_text(w, "~/proj/.venv/lib/python3.12/site-packages/__editable___other_1_finder.py", 0644,
		"x = 1\nMAPPING: dict[str, str] = {'other': '~/other/pkg'}\nNAMESPACES = {'a': '/usr'}\n");
	put_text(w, "~/proj/src/proj/__init__.py", 0644, "");
	put_text(w, "~/other/pkg/__init__.py", 0644, "");
	GOOD(w, "~/proj/.venv/bin/python", "-m", "proj");
	TREE(w, "~/proj/.venv");
	TREE(w, "~/proj/src");
	TREE(w, "~/other/pkg");
	assert_int_equal(w->r.n_trees, 3);
	put_text(w, "~/proj/.venv/lib/python3.12/site-packages/home.pth", 0644, "~/\n");
	REFUSED(w, -EACCES, "too wide", "~/proj/.venv/bin/python", "-m", "proj");
}

static void a_venv_whose_python_is_gone_is_refused(void **state)
{
	WORLD;

	put_venv(w, "~/v", "~/.pyenv/versions/3.9.1/bin");
	REFUSED(w, -ENOENT, "does not exist", "~/v/bin/python");
	put_program(w, "~/.pyenv/versions/3.9.1/bin/python3");
	put_text(w, "~/v/pyvenv.cfg", 0644, "version = 3\n");
	REFUSED(w, -ENOENT, "pyvenv.cfg does not say", "~/v/bin/python");
	put_text(w, "~/v/pyvenv.cfg", 0644, "home = ~/gone/bin\n");
	REFUSED(w, -ENOENT, "is gone", "~/v/bin/python");
}

static void pip_install_user_brings_the_users_packages(void **state)
{
	WORLD;
	char lib[128], module[160], python[32];
	ssize_t n = readlink("/usr/bin/python3", python, sizeof(python) - 1);

	assert_true(n > 0);
	python[n] = '\0';
	snprintf(lib, sizeof(lib), "~/.local/lib/%s/site-packages", python);
	put_dir(w, lib);
	put_text(w, "~/.local/bin/mcp-x", 0755, "#!/usr/bin/python3\n");
	GOOD(w, "~/.local/bin/mcp-x");
	TREE(w, "~/.local/bin/mcp-x");
	TREE(w, lib);
	snprintf(module, sizeof(module), "%s/mcp_x", lib);
	put_dir(w, module);
	GOOD(w, "/usr/bin/python3", "-m", "mcp_x.server");
	TREE(w, lib);
	assert_string_equal(w->r.subject, AT(w, module));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(npm_install_makes_one_tree_of_node_modules),
		CASE(a_real_venv_keeps_the_path_that_its_configuration_hangs_on),
		CASE(a_global_package_of_nvm_is_its_global_packages_and_node),
		CASE(an_absolute_script_without_its_node_says_which_node_to_write),
		CASE(fnms_link_of_this_shell_leads_to_the_installation),
		CASE(a_workspace_brings_the_packages_above_and_beside_it),
		CASE(pnpms_script_brings_the_package_and_node),
		CASE(voltas_shim_is_looked_through_by_its_platform_file),
		CASE(a_package_of_volta_runs_on_the_node_it_was_installed_for),
		CASE(mises_shim_is_looked_through_by_its_files),
		CASE(asdfs_shim_is_looked_through_by_tool_versions),
		CASE(pyenvs_shim_is_looked_through_by_its_version_files),
		CASE(a_shim_in_a_shebang_is_replaced_by_the_program_behind_it),
		CASE(nodenv_is_read_like_pyenv),
		CASE(an_unknown_shim_and_a_snap_are_refused_in_words),
		CASE(a_tool_of_uv_brings_its_environment_and_uvs_python),
		CASE(packages_installed_for_editing_are_code_too),
		CASE(a_venv_whose_python_is_gone_is_refused),
		CASE(pip_install_user_brings_the_users_packages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
