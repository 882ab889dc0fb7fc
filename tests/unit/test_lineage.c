/* SPDX-License-Identifier: Apache-2.0 */
/* test_lineage - who started us, however they call themselves */
#include "tests/unit/consent_world.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include "supervisor/lineage_clients.h"
#include "supervisor/registry.h"

static void test_stat_is_read_whatever_comm_holds(void **state)
{
	static const struct {
		const char *comm;
	} cases[] = { { "bash" }, { "a b" }, { ") S 1 2" }, { "((x" }, { "x)\n(y" }, { "" } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct lineage_stat s = { 0 };
		char text[512];
		snprintf(text, sizeof(text),
			"42 (%s) S 17 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 346846 5124096 907 1\n",
			cases[i].comm);
		assert_int_equal(lineage_parse_stat(text, &s), 0);
		assert_string_equal(s.comm, cases[i].comm);
		assert_int_equal(s.ppid, 17);
		assert_int_equal(s.start, 346846);
	}
}

static void test_stat_out_of_form_is_refused(void **state)
{
	static const char *const cases[] = { "", "42", "42 (bash", "42 bash) S 1", "42 (bash) S", "42 (bash) S -1 2 3",
		"42 (bash) S 17 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0", ")(" };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct lineage_stat s;
		if (lineage_parse_stat(cases[i], &s) == 0)
			fail_msg("'%s' was taken", cases[i]);
	}
}

static void test_known_clients_are_recognised(void **state)
{
	static const struct {
		const char *exe, *script, *comm, *client;
	} cases[] = {
		{ "/usr/share/code/code", NULL, "code", "VS Code" },
		{ "/home/u/.vscode-server/cli/servers/x/server/node", NULL, "node", "VS Code" },
		{ "/home/u/.local/share/claude/versions/2.0.1", NULL, "claude", "Claude Code" },
		{ "/usr/bin/node", "/usr/lib/node_modules/@anthropic-ai/claude-code/cli.js", "node", "Claude Code" },
		{ "/usr/bin/node", "claude", "node", "Claude Code" },
		{ "/usr/bin/node", "/x/y.js", "claude", "Claude Code" },
		{ "/tmp/.mount_Cursor1/usr/share/cursor/cursor", NULL, "cursor", "Cursor" },
		{ "/opt/zed.app/libexec/zed-editor", NULL, "zed-editor", "Zed" },
		{ "/usr/bin/codex", NULL, "codex", "Codex" },
		{ NULL, NULL, "goosed", "Goose" },
		{ "/usr/bin/node", "/u/node_modules/@google/gemini-cli/dist/index.js", "node", "Gemini CLI" },
		{ "/usr/bin/bash", NULL, "bash", NULL },
		{ "/usr/bin/node", "/home/u/codebase/code.test.js", "node", NULL },
		{ "/usr/sbin/zed-daemon", NULL, "zed", NULL },
		{ "/usr/bin/gnome-terminal-server", NULL, "gnome-terminal-", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *client = lineage_client_name(cases[i].exe, cases[i].script, cases[i].comm);
		if (client != cases[i].client && (!client || !cases[i].client || strcmp(client, cases[i].client) != 0))
			fail_msg("case %zu: %s", i, client ? client : "none");
	}
}

/* Runs fn in a grandchild whose parent calls itself comm and is fork alone. */
static void below(const char *comm, void (*fn)(pid_t parent))
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		prctl(PR_SET_NAME, comm);
		pid_t parent = getpid(), grandchild = fork();
		if (grandchild == 0) {
			fn(parent);
			_exit(0);
		}
		waitpid(grandchild, &status, 0);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
	}
	waitpid(child, &status, 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void check_strange(pid_t parent)
{
	struct lineage l;
	_cleanup_free_ char *words = NULL;

	if (lineage_read(&l, NULL) < 0 || l.n < 2 || l.v[0].pid != parent || strcmp(l.v[0].comm, "a) S 1 (b \x1b") != 0)
		_exit(1);
	if (l.v[0].start == 0 || !l.v[0].exe || !strstr(l.v[0].exe, "test_lineage") || l.v[0].client)
		_exit(2);
	words = lineage_words(&l);
	if (!words || strchr(words, '\x1b') || !strstr(words, " < "))
		_exit(3);
	lineage_done(&l);
}

static void test_a_parent_with_a_strange_name_is_read(void **state)
{
	below("a) S 1 (b \x1b", check_strange);
}

/* A copy of a shell under another name, running a script: what an agent's own shell looks like. */
static int run_under(const char *interpreter, const char *name, const char *script)
{
	char dir[] = "/tmp/stockade-lineage-XXXXXX", exe[128], path[128], self[256], command[1024];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int status;

	assert_true(n > 0);
	self[n] = '\0';
	assert_non_null(mkdtemp(dir));
	snprintf(exe, sizeof(exe), "%s/%s", dir, name);
	snprintf(path, sizeof(path), "%s/%s", dir, script);
	snprintf(command, sizeof(command), "cp %s %s && printf '%%s\\n' '%s --find-client' 'exit $?' >%s && %s %s",
		interpreter, exe, self, path, exe, path);
	status = system(command);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	assert_int_equal(system(command), 0);
	return WEXITSTATUS(status);
}

enum { FOUND_NONE = 40, FOUND_CODEX = 41, FOUND_CLAUDE = 42, FOUND_OTHER = 43 };

static int find_client(void)
{
	_cleanup_lineage_ struct lineage l = { 0 };
	const struct ancestor *a;

	if (lineage_read(&l, NULL) < 0)
		return 1;
	a = lineage_find_client(&l);
	if (!a)
		return FOUND_NONE;
	if (strcmp(a->client, "Codex") == 0)
		return FOUND_CODEX;
	return strcmp(a->client, "Claude Code") == 0 ? FOUND_CLAUDE : FOUND_OTHER;
}

static void test_a_client_is_found_by_executable_or_script(void **state)
{
	int control = find_client();

	/* Whoever runs these tests under a client sees that one behind; the nearest is what counts. */
	assert_int_equal(run_under("/bin/dash", "plain", "x.sh"), control);
	assert_int_equal(run_under("/bin/dash", "codex", "x.sh"), FOUND_CODEX);
	assert_int_equal(run_under("/bin/dash", "dash", "claude"), FOUND_CLAUDE);
}

static void write_session(const struct world *w, json_int_t pid, json_int_t start, json_int_t own_start)
{
	char path[256];
	uint64_t mine;
	FILE *f;

	assert_int_equal(registry_start_time(getpid(), &mine), 0);
	snprintf(path, sizeof(path), "%s/sessions", w->paths.runtime);
	mkdir(w->paths.runtime, 0700);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/sessions/x.json", w->paths.runtime);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "{\"session\":\"x\",\"pid\":%d,\"start\":%lld,\"client_pid\":%lld,\"client_start\":%lld}\n",
		(int)getpid(), own_start ? (long long)own_start : (long long)mine, (long long)pid, (long long)start);
	fclose(f);
	chmod(path, 0600);
}

static void test_the_client_of_a_running_session_is_a_client(void **state)
{
	struct world *w = *state;
	struct ancestor *parent = &w->lineage.v[0];

	parent->client = NULL;
	write_session(w, parent->pid, (json_int_t)parent->start + 1, 0);
	assert_int_equal(lineage_mark_sessions(&w->lineage, &w->paths, NULL), 0);
	assert_null(parent->client); /* the number, but another process */
	write_session(w, parent->pid, (json_int_t)parent->start, 1);
	assert_int_equal(lineage_mark_sessions(&w->lineage, &w->paths, NULL), 0);
	assert_null(parent->client); /* a session that is gone */
	write_session(w, parent->pid, (json_int_t)parent->start, 0);
	assert_int_equal(lineage_mark_sessions(&w->lineage, &w->paths, NULL), 0);
	assert_ptr_equal(lineage_find_client(&w->lineage), parent);
	assert_non_null(strstr(parent->client, "running session"));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stat_is_read_whatever_comm_holds),
		cmocka_unit_test(test_stat_out_of_form_is_refused),
		cmocka_unit_test(test_known_clients_are_recognised),
		cmocka_unit_test(test_a_parent_with_a_strange_name_is_read),
		cmocka_unit_test(test_a_client_is_found_by_executable_or_script),
		cmocka_unit_test_setup_teardown(test_the_client_of_a_running_session_is_a_client, world_up, world_down),
	};

	if (argc > 1 && strcmp(argv[1], "--find-client") == 0)
		return find_client();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
