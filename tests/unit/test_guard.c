/* SPDX-License-Identifier: Apache-2.0 */
/* test_guard - deny patterns, dangers, protected names and pins, the environment, words for failed stages */
#include "tests/unit/unit.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/fs.h"
#include "supervisor/danger.h"
#include "supervisor/environment.h"
#include "supervisor/exit.h"
#include "supervisor/filesystem.h"
#include "supervisor/launch_words.h"
#include "supervisor/registry.h"

static void two_stars_cross_directories_and_one_does_not(void **state)
{
	static const struct {
		const char *pattern, *path;
		bool match;
	} cases[] = {
		{ "**/.env", ".env", true },
		{ "**/.env", "a/b/.env", true },
		{ "**/.env", "a/.env/x", false },
		{ "**/.env", "a/x.env", false },
		{ "*.pem", "k.pem", true },
		{ "*.pem", "a/k.pem", false },
		{ "secrets/**", "secrets/a/b", true },
		{ "secrets/**", "secret/a", false },
		{ "a/**/z", "a/z", true },
		{ "a/**/z", "a/b/c/z", true },
		{ "a/**/z", "a/b/c/y", false },
		{ ".env", ".env", true },
		{ ".env", "x/.env", false },
		{ "**/a*/b", "x/abc/b", true },
		{ "**", "anything/at/all", true },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (fs_pattern_match(cases[i].pattern, cases[i].path) != cases[i].match)
			fail_msg("%s against %s", cases[i].pattern, cases[i].path);
}

static void what_is_dangerous_in_a_command_is_seen_wherever_it_stands(void **state)
{
	static const struct {
		const char *words[5];
		unsigned danger;
	} cases[] = {
		{ { "node", "server.js" }, 0 },
		{ { "/usr/bin/sudo", "node", "x" }, DANGER_SUDO },
		{ { "env", "A=b", "bash", "-lc", "x" }, DANGER_SHELL },
		{ { "sh", "-c", "sudo rm -rf /" }, DANGER_SHELL | DANGER_SUDO | DANGER_DESTRUCTIVE },
		{ { "python3.11", "-c", "print()" }, DANGER_SHELL },
		{ { "node", "-e", "x" }, DANGER_SHELL },
		{ { "rm", "-rf", "x" }, DANGER_DESTRUCTIVE },
		{ { "python3", "-m", "mcp_server_git" }, 0 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_strv_ struct strv c = { 0 };
		for (size_t j = 0; j < 5 && cases[i].words[j]; j++)
			assert_int_equal(strv_add(&c, cases[i].words[j]), 0);
		assert_int_equal(danger_of_command(&c), cases[i].danger);
	}
}

static void home_keys_and_system_directories_are_marked(void **state)
{
	struct paths p = { .home = (char[]){ "/home/u" } };
	static const struct {
		const char *path;
		unsigned danger;
	} cases[] = {
		{ "/home/u", DANGER_HOME },
		{ "/home", DANGER_HOME },
		{ "/", DANGER_HOME },
		{ "/home/u/.ssh", DANGER_KEYS },
		{ "/home/u/.ssh/id_rsa", DANGER_KEYS },
		{ "/home/u/.sshx", 0 },
		{ "/home/u/src", 0 },
		{ "/etc/ssl", DANGER_SYSTEM },
		{ "/home/u/.config/gcloud", DANGER_KEYS },
		{ "/srv/data", 0 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (danger_of_path(&p, cases[i].path) != cases[i].danger)
			fail_msg("%s: %u", cases[i].path, danger_of_path(&p, cases[i].path));
}

static void what_steers_a_loader_is_known_by_name(void **state)
{
	static const char *const yes[] = { "LD_PRELOAD", "NODE_OPTIONS", "PYTHONSTARTUP", "BASH_ENV",
		"JAVA_TOOL_OPTIONS", "GIT_SSH_COMMAND", "DOTNET_STARTUP_HOOKS" };
	static const char *const no[] = { "GITHUB_TOKEN", "LOG_LEVEL", "HOME", "OLD_LD" };

	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		assert_true(danger_is_loader_variable(yes[i]));
	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		assert_false(danger_is_loader_variable(no[i]));
	assert_int_equal(danger_of_variable("GITHUB_TOKEN"), DANGER_SECRET);
}

static void the_environment_is_built_and_not_inherited(void **state)
{
	char *env[] = { (char[]){ "LD_PRELOAD=/x.so" }, (char[]){ "SECRET=1" }, (char[]){ "TOKEN=t" },
		(char[]){ "LANG=C.UTF-8" }, (char[]){ "TZ=/etc/shadow" }, (char[]){ "HOME=/evil" }, NULL };
	struct paths p = { .home = (char[]){ "/home/u" } };
	struct profile_item pass = { .value = (char[]){ "TOKEN" } }, set = { .value = (char[]){ "A=b=c" } };
	struct profile f = { .env_pass = { &pass, 1, true }, .env_set = { &set, 1, true } };
	_cleanup_strv_ struct strv path = { 0 }, got = { 0 };
	struct environment_args a = { .paths = &p, .environ = env, .profile = &f, .path = &path, .login = "u" };

	assert_int_equal(strv_add(&path, "/usr/bin"), 0);
	assert_int_equal(environment_build(&a, &got), 0);
	assert_null(strv_env_get(&got, "LD_PRELOAD"));
	assert_null(strv_env_get(&got, "SECRET"));
	assert_null(strv_env_get(&got, "TZ"));
	assert_string_equal(strv_env_get(&got, "TOKEN"), "t");
	assert_string_equal(strv_env_get(&got, "A"), "b=c");
	assert_string_equal(strv_env_get(&got, "HOME"), "/home/u");
	assert_string_equal(strv_env_get(&got, "PATH"), "/usr/bin");
	assert_string_equal(strv_env_get(&got, "LANG"), "C.UTF-8");
}

struct tree {
	char path[64];
};

static const char *const dirs[] = { "repo", "repo/.git", "repo/.git/hooks", "repo/sub", "repo/sub/.vscode",
	"repo/node_modules", "repo/node_modules/x", "repo/node_modules/x/.vscode", "repo/.git/worktrees",
	"repo/.git/worktrees/tree", "tree", "target", "target/.git", "target/.git/hooks", "repo/target",
	"repo/target/x", "repo/target/x/deps", "repo/target/x/deps/.vscode", "target/sub", "target/sub/.git",
	"target/sub/.git/hooks", "venv", "venv/sub", "venv/sub/.vscode", "venv/lib", "venv/lib/python3.11",
	"venv/lib/python3.11/site-packages", "venv/lib/python3.11/site-packages/x",
	"venv/lib/python3.11/site-packages/x/.vscode", "objects", "objects/sub", "objects/sub/.vscode",
	"repo/.git/objects", "repo/.git/objects/.vscode" };
static const char *const files[] = { "repo/.git/config", "repo/.env", "repo/sub/.env", "repo/a.txt",
	"repo/.git/worktrees/tree/commondir", "repo/.git/worktrees/tree/index", "tree/.git", "repo/target/CACHEDIR.TAG",
	"target/CACHEDIR.TAG", "venv/pyvenv.cfg", "HEAD" };

static int tree_make(void **state)
{
	struct tree *t = calloc(1, sizeof(*t));
	char full[256];

	snprintf(t->path, sizeof(t->path), "/tmp/stockade-guard-XXXXXX");
	if (!mkdtemp(t->path))
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		snprintf(full, sizeof(full), "%s/%s", t->path, dirs[i]);
		if (mkdir(full, 0700) < 0)
			return -1;
	}
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		snprintf(full, sizeof(full), "%s/%s", t->path, files[i]);
		close(open(full, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	}
	*state = t;
	return 0;
}

static int tree_drop(void **state)
{
	struct tree *t = *state;
	char full[256];

	snprintf(full, sizeof(full), "%s/repo/.mcp.json", t->path);
	unlink(full);
	for (size_t i = ARRAY_LEN(files); i-- > 0;) {
		snprintf(full, sizeof(full), "%s/%s", t->path, files[i]);
		unlink(full);
	}
	for (size_t i = ARRAY_LEN(dirs); i-- > 0;) {
		snprintf(full, sizeof(full), "%s/%s", t->path, dirs[i]);
		rmdir(full);
	}
	rmdir(t->path);
	free(t);
	return 0;
}

static const struct plan_mount *find(const struct plan *p, enum plan_mount_kind kind, const char *base, const char *sub)
{
	char full[256];

	snprintf(full, sizeof(full), "%s/%s", base, sub);
	for (size_t i = 0; i < p->n_mounts; i++)
		if (p->mounts[i].kind == kind && strcmp(p->mounts[i].target, full) == 0)
			return &p->mounts[i];
	return NULL;
}

static void grant(struct fs_grants *g, const char *path, bool write)
{
	g->v = calloc(1, sizeof(*g->v));
	g->n = 1;
	g->v[0] = (struct fs_grant){
		.given = strdup(path), .canonical = strdup(path), .where = "test", .write = write, .directory = true
	};
}

static void protected_names_are_mounted_read_only_and_their_ancestors_pinned(void **state)
{
	struct tree *t = *state;
	_cleanup_(fs_grants_done) struct fs_grants g = { 0 };
	_cleanup_plan_ struct plan p = { 0 };
	struct profile f = { .protect = true };
	struct diag d;

	grant(&g, t->path, true);
	assert_int_equal(fs_grants_guard(&g, &f, &p, &d), 0);
	assert_non_null(find(&p, PLAN_BIND, t->path, "repo/.git/config"));
	assert_int_equal(find(&p, PLAN_BIND, t->path, "repo/.git/config")->flags & PLAN_WRITE, 0);
	assert_non_null(find(&p, PLAN_BIND, t->path, "repo/.git/hooks"));
	assert_non_null(find(&p, PLAN_BIND, t->path, "repo/sub/.vscode"));
	assert_non_null(find(&p, PLAN_PIN, t->path, "repo"));
	assert_non_null(find(&p, PLAN_PIN, t->path, "repo/.git"));
	assert_non_null(find(&p, PLAN_PIN, t->path, "repo/sub"));
	assert_null(find(&p, PLAN_BIND, t->path, "repo/a.txt"));
	/* What a build made is passed over, a repository of such a name is not. */
	assert_null(find(&p, PLAN_BIND, t->path, "repo/node_modules/x/.vscode"));
	assert_null(find(&p, PLAN_BIND, t->path, "repo/target/x/deps/.vscode"));
	assert_null(find(&p, PLAN_BIND, t->path, "venv/lib/python3.11/site-packages/x/.vscode"));
	assert_null(find(&p, PLAN_BIND, t->path, "repo/.git/objects/.vscode"));
	assert_non_null(find(&p, PLAN_BIND, t->path, "target/.git/hooks"));
}

static void a_file_that_a_server_can_make_does_not_lift_protection_from_a_directory(void **state)
{
	struct tree *t = *state;
	_cleanup_(fs_grants_done) struct fs_grants g = { 0 };
	_cleanup_plan_ struct plan p = { 0 };
	struct profile f = { .protect = true };
	struct diag d;

	grant(&g, t->path, true);
	assert_int_equal(fs_grants_guard(&g, &f, &p, &d), 0);
	/* CACHEDIR.TAG, pyvenv.cfg and HEAD lie beside them. */
	assert_non_null(find(&p, PLAN_BIND, t->path, "target/sub/.git/hooks"));
	assert_non_null(find(&p, PLAN_BIND, t->path, "venv/sub/.vscode"));
	assert_non_null(find(&p, PLAN_BIND, t->path, "objects/sub/.vscode"));
}

static void what_leads_git_to_another_directory_is_protected(void **state)
{
	struct tree *t = *state;
	_cleanup_(fs_grants_done) struct fs_grants g = { 0 };
	_cleanup_plan_ struct plan p = { 0 };
	struct profile f = { .protect = true };
	struct diag d;

	grant(&g, t->path, true);
	assert_int_equal(fs_grants_guard(&g, &f, &p, &d), 0);
	assert_non_null(find(&p, PLAN_BIND, t->path, "tree/.git"));
	assert_non_null(find(&p, PLAN_PIN, t->path, "tree"));
	assert_non_null(find(&p, PLAN_BIND, t->path, "repo/.git/worktrees/tree/commondir"));
	assert_null(find(&p, PLAN_BIND, t->path, "repo/.git/worktrees/tree/index"));
	assert_null(find(&p, PLAN_BIND, t->path, "repo/.git"));
}

static void a_denied_name_is_masked_in_read_grants_too(void **state)
{
	struct tree *t = *state;
	_cleanup_(fs_grants_done) struct fs_grants g = { 0 };
	_cleanup_plan_ struct plan p = { 0 };
	struct profile_item deny = { .value = (char[]){ "**/.env" } };
	struct profile f = { .protect = true, .fs_deny = { &deny, 1, true } };
	struct diag d;

	grant(&g, t->path, false);
	assert_int_equal(fs_grants_guard(&g, &f, &p, &d), 0);
	assert_non_null(find(&p, PLAN_MASK, t->path, "repo/.env"));
	assert_non_null(find(&p, PLAN_MASK, t->path, "repo/sub/.env"));
	assert_null(find(&p, PLAN_PIN, t->path, "repo"));
	assert_int_equal(p.n_mounts, 2);
}

static void a_protected_name_that_appears_later_is_reported(void **state)
{
	struct tree *t = *state;
	_cleanup_(fs_grants_done) struct fs_grants g = { 0 };
	_cleanup_plan_ struct plan p = { 0 };
	_cleanup_strv_ struct strv before = { 0 }, after = { 0 };
	struct profile f = { .protect = true };
	struct diag d;
	char full[256];

	grant(&g, t->path, true);
	assert_int_equal(fs_grants_guard(&g, &f, &p, &d), 0);
	assert_int_equal(fs_grants_planted(&g, &before), 0);
	assert_int_equal(before.n, 0);
	snprintf(full, sizeof(full), "%s/repo/.mcp.json", t->path);
	close(open(full, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_int_equal(fs_grants_planted(&g, &after), 0);
	assert_int_equal(after.n, 1);
	assert_string_equal(after.v[0], full);
}

static void behind_a_link_called_git_what_git_executes_is_kept_and_a_new_link_is_reported(void **state)
{
	struct tree *t = *state;
	_cleanup_(fs_grants_done) struct fs_grants g = { 0 };
	_cleanup_plan_ struct plan p = { 0 };
	_cleanup_strv_ struct strv after = { 0 };
	struct profile f = { .protect = true };
	struct diag d;
	char old[256], new[256];

	snprintf(old, sizeof(old), "%s/repo/sub/.git", t->path);
	snprintf(new, sizeof(new), "%s/tree/.git", t->path);
	assert_int_equal(unlink(new), 0);
	assert_int_equal(symlink("../.git", old), 0);
	grant(&g, t->path, true);
	assert_int_equal(fs_grants_guard(&g, &f, &p, &d), 0);
	assert_non_null(find(&p, PLAN_BIND, t->path, "repo/.git/config"));
	assert_null(find(&p, PLAN_BIND, t->path, "repo/.git"));
	assert_int_equal(symlink("../repo/sub", new), 0);
	assert_int_equal(fs_grants_planted(&g, &after), 0);
	assert_int_equal(after.n, 1);
	assert_string_equal(after.v[0], new);
	assert_int_equal(unlink(old), 0);
}

static void a_protected_link_is_kept_where_it_leads_and_reported_when_it_leads_elsewhere(void **state)
{
	struct tree *t = *state;
	_cleanup_(fs_grants_done) struct fs_grants g = { 0 };
	_cleanup_plan_ struct plan p = { 0 };
	_cleanup_strv_ struct strv before = { 0 }, after = { 0 };
	struct profile f = { .protect = true };
	struct diag d;
	char link[256];

	snprintf(link, sizeof(link), "%s/repo/.mcp.json", t->path);
	assert_int_equal(symlink("a.txt", link), 0);
	grant(&g, t->path, true);
	assert_int_equal(fs_grants_guard(&g, &f, &p, &d), 0);
	assert_non_null(find(&p, PLAN_BIND, t->path, "repo/a.txt"));
	assert_non_null(find(&p, PLAN_PIN, t->path, "repo"));
	assert_int_equal(fs_grants_planted(&g, &before), 0);
	assert_int_equal(before.n, 0);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(symlink("sub/evil", link), 0);
	assert_int_equal(fs_grants_planted(&g, &after), 0);
	assert_int_equal(after.n, 1);
	assert_string_equal(after.v[0], link);
}

static void a_failed_exec_has_the_shells_statuses(void **state)
{
	static const struct {
		enum enter_stage stage;
		int error, status;
		const char *word;
	} cases[] = {
		{ ENTER_STAGE_EXEC, ENOENT, EXIT_NOT_FOUND, "loader" },
		{ ENTER_STAGE_EXEC, EACCES, EXIT_NOT_EXECUTABLE, "mode" },
		{ ENTER_STAGE_CLONE, EPERM, EXIT_REFUSED, "doctor" },
		{ ENTER_STAGE_LANDLOCK, EOPNOTSUPP, EXIT_REFUSED, "lsm=" },
		{ ENTER_STAGE_KEYRING, EIO, EXIT_REFUSED, "doctor" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct report r = { .type = REPORT_FAILED, .stage = cases[i].stage, .error = cases[i].error };
		struct diag d;
		assert_int_equal(launch_words(&r, &d), cases[i].status);
		assert_non_null(strstr(d.text, cases[i].word));
		assert_non_null(strstr(d.text, "Nothing was started"));
	}
}

static void a_start_time_belongs_to_a_living_process(void **state)
{
	uint64_t a = 0, b = 0;

	assert_int_equal(registry_start_time(getpid(), &a), 0);
	assert_int_equal(registry_start_time(getpid(), &b), 0);
	assert_true(a > 0 && a == b);
	assert_int_equal(registry_start_time(0x7ffffff0, &a), -ESRCH);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_stars_cross_directories_and_one_does_not),
		cmocka_unit_test(what_is_dangerous_in_a_command_is_seen_wherever_it_stands),
		cmocka_unit_test(home_keys_and_system_directories_are_marked),
		cmocka_unit_test(what_steers_a_loader_is_known_by_name),
		cmocka_unit_test(the_environment_is_built_and_not_inherited),
		cmocka_unit_test_setup_teardown(
			protected_names_are_mounted_read_only_and_their_ancestors_pinned, tree_make, tree_drop),
		cmocka_unit_test_setup_teardown(
			a_file_that_a_server_can_make_does_not_lift_protection_from_a_directory, tree_make, tree_drop),
		cmocka_unit_test_setup_teardown(what_leads_git_to_another_directory_is_protected, tree_make, tree_drop),
		cmocka_unit_test_setup_teardown(a_denied_name_is_masked_in_read_grants_too, tree_make, tree_drop),
		cmocka_unit_test_setup_teardown(a_protected_name_that_appears_later_is_reported, tree_make, tree_drop),
		cmocka_unit_test_setup_teardown(
			behind_a_link_called_git_what_git_executes_is_kept_and_a_new_link_is_reported, tree_make,
			tree_drop),
		cmocka_unit_test_setup_teardown(
			a_protected_link_is_kept_where_it_leads_and_reported_when_it_leads_elsewhere, tree_make,
			tree_drop),
		cmocka_unit_test(a_failed_exec_has_the_shells_statuses),
		cmocka_unit_test(a_start_time_belongs_to_a_living_process),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
