/* SPDX-License-Identifier: Apache-2.0 */
/* test_paths - where stockade keeps things, and the places that no grant may touch */
#include "tests/unit/unit.h"
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "supervisor/paths.h"
#include "tests/unit/tree.h"

struct world {
	char root[64];
	struct paths paths;
};

static char *at(const struct world *w, const char *rest, char ret[256])
{
	snprintf(ret, 256, "%s%s", w->root, rest);
	return ret;
}

static void make_dir(const struct world *w, const char *rest, mode_t mode)
{
	char path[256];

	assert_int_equal(mkdir(at(w, rest, path), mode), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static int set_up(void **state)
{
	static struct world w;
	char path[256];

	w = (struct world){ .root = "/tmp/stockade-paths-XXXXXX" };
	assert_non_null(mkdtemp(w.root));
	make_dir(&w, "/home", 0755);
	make_dir(&w, "/run", 0700);
	setenv("HOME", at(&w, "/home", path), 1);
	setenv("XDG_RUNTIME_DIR", at(&w, "/run", path), 1);
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("XDG_STATE_HOME");
	unsetenv("CLAUDE_CONFIG_DIR");
	*state = &w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	paths_done(&w->paths);
	return remove_tree(w->root);
}

static void init(struct world *w)
{
	struct diag d = { 0 };

	if (paths_init(&w->paths, &d) < 0)
		fail_msg("%s", d.text);
}

static void assert_refused(struct world *w, const char *path, const char *words)
{
	struct diag d = { 0 };

	if (paths_check_grant(&w->paths, path, &d) != -EPERM)
		fail_msg("%s is granted", path);
	if (!strstr(d.text, words))
		fail_msg("%s: '%s' is not in: %s", path, words, d.text);
}

static void assert_granted(struct world *w, const char *path)
{
	struct diag d = { 0 };

	if (paths_check_grant(&w->paths, path, &d) < 0)
		fail_msg("%s", d.text);
}

static void directories_follow_the_home_and_the_xdg_variables(void **state)
{
	struct world *w = *state;
	char path[256];

	init(w);
	assert_string_equal(w->paths.home, at(w, "/home", path));
	assert_string_equal(w->paths.config, at(w, "/home/.config/stockade", path));
	assert_string_equal(w->paths.state, at(w, "/home/.local/state/stockade", path));
	assert_string_equal(w->paths.runtime, at(w, "/run/stockade", path));
	assert_string_equal(w->paths.profile_dirs.v[0], "/etc/stockade/profiles");
	assert_string_equal(w->paths.profile_dirs.v[2], at(w, "/home/.config/stockade/profiles", path));
	assert_true(w->paths.user[0] && w->paths.groups[0]);

	paths_done(&w->paths);
	setenv("XDG_CONFIG_HOME", at(w, "//etc/.", path), 1);
	setenv("XDG_STATE_HOME", "relative/is/ignored", 1);
	init(w);
	assert_string_equal(w->paths.config, at(w, "/etc/stockade", path));
	assert_string_equal(w->paths.state, at(w, "/home/.local/state/stockade", path));
}

static void the_home_of_another_user_is_not_taken_from_the_environment(void **state)
{
	struct world *w = *state;
	char path[256];

	if (getuid() == 0) {
		assert_int_equal(chown(at(w, "/home", path), 1, 1), 0);
		init(w);
		assert_string_not_equal(w->paths.home, path);
	} else {
		setenv("HOME", "/", 1);
		init(w);
		assert_string_not_equal(w->paths.home, "/");
	}
}

static void a_runtime_directory_that_others_can_enter_is_not_used(void **state)
{
	struct world *w = *state;
	char path[256];

	assert_int_equal(chmod(at(w, "/run", path), 0755), 0);
	init(w);
	assert_null(strstr(w->paths.runtime, path));
}

static void state_directories_are_made_private(void **state)
{
	struct world *w = *state;
	struct diag d = { 0 };
	struct stat st;
	int fd = -1;

	umask(0);
	init(w);
	assert_int_equal(paths_open_state(&w->paths, "a/b", &fd, &d), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	close(fd);
	assert_int_equal(paths_open_runtime(&w->paths, "", &fd, &d), 0);
	close(fd);
}

static void a_state_directory_that_others_can_reach_is_refused(void **state)
{
	struct world *w = *state;
	struct diag d = { 0 };
	int fd = -1;

	init(w);
	assert_int_equal(paths_open_state(&w->paths, "", &fd, &d), 0);
	assert_int_equal(fchmod(fd, 0750), 0);
	close(fd);
	assert_int_equal(paths_open_state(&w->paths, "approvals", &fd, &d), -EPERM);
	assert_non_null(strstr(d.text, "chmod 700"));
}

static void a_directory_that_cannot_be_made_is_named_with_the_variable_that_names_it(void **state)
{
	struct world *w = *state;
	struct diag d = { 0 };
	int fd = -1;

	init(w);
	for (int runtime = 0; runtime < 2; runtime++) {
		char **top = runtime ? &w->paths.runtime : &w->paths.state;
		free(*top);
		*top = strdup("/proc/stockade");
		assert_int_equal(runtime ? paths_open_runtime(&w->paths, "x", &fd, &d)
					 : paths_open_state(&w->paths, "x", &fd, &d),
			-ENOENT);
		assert_non_null(strstr(d.text, "cannot make the directory /proc/stockade"));
		assert_non_null(strstr(d.text, runtime ? "set XDG_RUNTIME_DIR to" : "set XDG_STATE_HOME to"));
	}
}

static void stockades_own_places_cannot_be_granted(void **state)
{
	struct world *w = *state;
	char path[256];

	init(w);
	assert_refused(w, at(w, "/home/.config/stockade", path), "it is stockade's own configuration");
	assert_refused(w, at(w, "/home/.config/stockade/profiles/x.json", path), "it lies within");
	assert_refused(w, at(w, "/home/.local", path), "it contains");
	assert_refused(w, at(w, "/home", path), "it contains");
	assert_refused(w, "/", "it contains");
	assert_refused(w, at(w, "/run/bus", path), "the runtime directory of the user");
	assert_refused(w, "/run/user/1000/bus", "runtime");
	assert_refused(w, "/etc", "/etc/stockade");
	assert_refused(w, "/etc/stockade/policy.json", "managed configuration");
	assert_refused(w, "/usr/share/stockade/profiles", "stockade's profiles");
	assert_refused(w, "/var/log/stockade", "audit log");
	assert_refused(w, "/run/stockade", "collector listens");
	assert_refused(w, "/run/stockade/collector.sock", "collector listens");
	assert_refused(w, "/var/lib/stockade", "bundle");
	assert_refused(w, "/var/lib/stockade/bundle/current", "bundle");
	assert_refused(w, "/var/lib/stockade-collector", "key");
	assert_refused(w, "/var/lib", "it contains");
}

static void clients_configurations_cannot_be_granted(void **state)
{
	static const char *const refused[] = {
		"/.config/Claude/claude_desktop_config.json",
		"/.claude.json",
		"/.claude/settings.json",
		"/.cursor/mcp.json",
		"/.config/Code/User/mcp.json",
		"/.copilot/mcp-config.json",
		"/.codeium/windsurf/mcp_config.json",
		"/.config/zed/settings.json",
		"/.codex/config.toml",
		"/.gemini/settings.json",
		"/.config/goose/config.yaml",
		"/.lmstudio/mcp.json",
		"/.continue/config.yaml",
		"/.config/opencode/opencode.json",
		"/.kiro/settings/mcp.json",
		"/.config/crush/crush.json",
		"/.config/amp/settings.json",

		"/.config/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json",
	};
	struct world *w = *state;
	char path[256];

	init(w);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		char below_home[128];

		snprintf(below_home, sizeof(below_home), "/home%s", refused[i]);
		assert_refused(w, at(w, below_home, path), "the configuration of");
	}
	assert_refused(w, "/etc/claude-code/managed-mcp.json", "Claude Code");
	assert_refused(w, "/etc/codex", "Codex");
}

static void a_projects_client_configuration_cannot_be_granted_by_name(void **state)
{
	struct world *w = *state;
	char path[256];

	init(w);
	assert_refused(w, at(w, "/home/src/p/.mcp.json", path), "'.mcp.json'");
	assert_refused(w, at(w, "/home/src/p/.vscode/deep", path), "'.vscode'");
	assert_granted(w, at(w, "/home/src/p/.vscodes", path));
}

static void ordinary_directories_and_names_that_only_begin_alike_can_be_granted(void **state)
{
	struct world *w = *state;
	char path[256];

	init(w);
	assert_granted(w, at(w, "/home/src", path));
	assert_granted(w, at(w, "/home/.config/stockade-notes", path));
	assert_granted(w, at(w, "/home/.claude.json.d", path));
	assert_granted(w, "/srv/data");
	assert_granted(w, "/var/lib/stockade-notes");
}

static void a_configuration_behind_a_symbolic_link_is_guarded_where_it_really_is(void **state)
{
	struct world *w = *state;
	char from[256], to[256];

	make_dir(w, "/home/dotfiles", 0755);
	make_dir(w, "/home/dotfiles/cursor", 0755);
	assert_int_equal(symlink(at(w, "/home/dotfiles/cursor", to), at(w, "/home/.cursor", from)), 0);
	init(w);
	assert_refused(w, at(w, "/home/dotfiles/cursor", to), "the configuration of Cursor");
	assert_refused(w, at(w, "/home/dotfiles", to), "it contains");
	assert_refused(w, at(w, "/home/.cursor", to), "the configuration of Cursor");
}

static void a_configuration_directory_named_by_the_environment_is_guarded(void **state)
{
	struct world *w = *state;
	char path[256];

	setenv("CLAUDE_CONFIG_DIR", at(w, "/elsewhere", path), 1);
	setenv("XDG_CONFIG_HOME", at(w, "/xdg", path), 1);
	init(w);
	assert_refused(w, at(w, "/elsewhere/x", path), "Claude Code");
	assert_refused(w, at(w, "/xdg/Code/User", path), "VS Code");
	assert_refused(w, at(w, "/home/.config/Code/User", path), "VS Code");
}

static void paths_that_were_never_initialised_grant_nothing(void **state)
{
	struct paths empty = { 0 };
	struct diag d = { 0 };

	(void)state;
	assert_int_equal(paths_check_grant(&empty, "/srv", &d), -EINVAL);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(directories_follow_the_home_and_the_xdg_variables),
		T(the_home_of_another_user_is_not_taken_from_the_environment),
		T(a_runtime_directory_that_others_can_enter_is_not_used),
		T(state_directories_are_made_private),
		T(a_state_directory_that_others_can_reach_is_refused),
		T(a_directory_that_cannot_be_made_is_named_with_the_variable_that_names_it),
		T(stockades_own_places_cannot_be_granted),
		T(clients_configurations_cannot_be_granted),
		T(a_projects_client_configuration_cannot_be_granted_by_name),
		T(ordinary_directories_and_names_that_only_begin_alike_can_be_granted),
		T(a_configuration_behind_a_symbolic_link_is_guarded_where_it_really_is),
		T(a_configuration_directory_named_by_the_environment_is_guarded),
		cmocka_unit_test(paths_that_were_never_initialised_grant_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
