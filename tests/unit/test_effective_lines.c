/* SPDX-License-Identifier: Apache-2.0 */
/* test_effective_lines - a person is shown all that is granted, where it is from, and what of it is dangerous */
#include "tests/unit/launch_change.h"
#include "supervisor/danger.h"
#include "tests/unit/unprivileged.h"

struct shown {
	enum effective_kind kind;
	const char *words;
	const char *where; /* what it ends with */
	unsigned danger;
};

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && strcmp(text + n - m, end) == 0;
}

static void expect_shown(const struct launch *l, const struct shown *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct effective_line *line = launch_line(l, v[i].kind, v[i].words);
		if (!line || !line->where || !ends_with(line->where, v[i].where))
			fail_msg("'%s' is %s from %s", v[i].words, line ? "shown" : "not shown, and",
				line && line->where ? line->where : "nowhere");
		if (line->danger != v[i].danger)
			fail_msg("'%s' has the danger %x", v[i].words, line->danger);
		assert_int_equal(l->e.danger & v[i].danger, v[i].danger);
	}
}
#define SHOWN(l, ...)                                                                                                  \
	expect_shown((l), (const struct shown[]){ __VA_ARGS__ }, ARRAY_LEN(((const struct shown[]){ __VA_ARGS__ })))

static void all_that_a_profile_grants_is_shown_with_its_place(void **state)
{
	struct launch *l = *state;

	launch_describe(l);
	SHOWN(l, { LINE_COMMAND, "/home/bin/server --level=3", "notes.json:5 (command)", 0 },
		{ LINE_PROGRAM, "/home/code/server", "notes.json:5 (command)", 0 },
		{ LINE_CODE, "/home/code/server", "script", 0 }, { LINE_CWD, "/home/work", "notes.json:5 (cwd)", 0 },
		{ LINE_READ, "/home/docs", "notes.json:7 (filesystem.read)", 0 },
		{ LINE_WRITE, "/home/work", "notes.json:8 (filesystem.write)", 0 },
		{ LINE_PROTECT, "on: nothing of what your own tools execute", "notes.json:8 (filesystem.protect)", 0 },
		{ LINE_DENY, "**/.env", "notes.json:8 (filesystem.deny)", 0 },
		{ LINE_HOME, "empty", "notes.json:8 (filesystem.home)", 0 },
		{ LINE_TMP, "1 MiB", "notes.json:8 (filesystem.tmp)", 0 },
		{ LINE_ENV_SET, "MODE=quiet", "notes.json:6 (env.set)", 0 },
		{ LINE_ENV_PASS, "API_TOKEN", "notes.json:6 (env.pass)", DANGER_SECRET },
		{ LINE_ENV_PASS, "NODE_OPTIONS", "notes.json:6 (env.pass)", DANGER_LOADER },
		{ LINE_NETWORK, "api.example.com:443", "notes.json:9 (network.allow \"api.example.com\")", 0 },
		{ LINE_NETWORK, "its port 20123 at 127.0.0.1:20123", "notes.json:10 (network.publish)", 0 },
		{ LINE_NOTE, "198.18.0.0/15", "notes.json:10 (network.addresses)", 0 },
		{ LINE_LIMIT,
			"10 connections at once, 11 names below wildcards, 12 queries a second; 13 s to connect, 15 s "
			"for a name, 14 s for a ClientHello, 16 s idle",
			"notes.json:11 (network.limits.idle)", 0 },
		{ LINE_SECCOMP, "default", "notes.json:12 (seccomp)", 0 },
		{ LINE_LIMIT, "20 processes and threads, 64 open files, 1 MiB a message",
			"notes.json:13 (limits.message)", 0 },
		{ LINE_AUDIT, "names only", "notes.json:17 (audit.arguments)", 0 },
		{ LINE_TOOLS, "allow read_*", "(tools.allow \"read_*\")", 0 },
		{ LINE_TOOLS, "deny delete_*", "(tools.deny \"delete_*\")", 0 },
		{ LINE_TOOLS, "arguments of put must fit {\"minProperties\":1}", "(tools.allow \"put\" arguments)", 0 },
		{ LINE_TOOLS, "every other one is denied", "(tools.allow)", 0 },
		{ LINE_RESOURCES, "allow file:*", "(resources.allow \"file:*\")", 0 },
		{ LINE_PROMPTS, "allow ask", "(prompts.allow \"ask\")", 0 },
		{ LINE_CLIENT, "sampling denied, elicitation denied", "notes.json:16 (client.elicitation)", 0 },
		{ LINE_CLIENT, "roots may name", "notes.json:16 (client.roots)", 0 });
	assert_int_equal(l->e.danger, DANGER_SECRET | DANGER_LOADER);
	assert_false(l->e.never_remember);
}

static void what_an_older_landlock_lacks_is_named_and_not_bound(void **state)
{
	struct launch *l = *state;
	char before[sizeof(l->e.digest)];

	launch_describe(l);
	memcpy(before, l->e.digest, sizeof(before));
	assert_null(launch_line(l, LINE_NOTE, "lacks what ABI 4 brought"));
	assert_int_equal(effective_add_landlock(&l->e, 3), 0);
	assert_non_null(launch_line(l, LINE_NOTE, "(ABI 3) lacks what ABI 4 brought: TCP ports"));
	assert_non_null(launch_line(l, LINE_NOTE, "(ABI 3) lacks what ABI 6 brought: signals"));
	assert_null(launch_line(l, LINE_NOTE, "lacks what ABI 3 brought"));
	assert_string_equal(l->e.digest, before);
}

static void what_is_protected_is_counted_in_words(void **state)
{
	static const char *const words[] = {
		"on: 1 path of what your own tools execute (.git/hooks, .vscode and the like) stays read-only",
		"on: 2 paths of what your own tools execute (.git/hooks, .vscode and the like) stay read-only",
	};

	for (size_t n = 0; n < ARRAY_LEN(words); n++) {
		void *l = NULL;
		assert_int_equal(launch_up(&l), 0);
		for (size_t i = 0; i <= n; i++)
			launch_mkdir(l, i ? "work/.idea" : "work/.vscode");
		launch_describe(l);
		assert_non_null(launch_line(l, LINE_PROTECT, words[n]));
		assert_int_equal(launch_down(&l), 0);
	}
}

static void the_opposite_of_each_wall_is_shown_too(void **state)
{
	struct launch *l = *state;

	launch_edit(l, "\"protect\": \"default\"", "\"protect\": \"none\"");
	launch_edit(l, "\"home\": \"empty\"", "\"home\": \"private\"");
	launch_edit(l, "\"tmp\": \"1MiB\"", "\"tmp\": \"1000KiB\"");
	launch_edit(l, "\"tools\": {\"allow\": [\"read_*\", " TOOL_PUT "], ", "\"tools\": {");
	launch_edit(l, "\"resources\": {\"allow\": [\"file:*\"]}, ", "");
	launch_edit(l, "\"sampling\": false, \"elicitation\": false", "\"sampling\": true, \"elicitation\": true");
	launch_edit(l, "\"arguments\": \"keys\"", "\"arguments\": \"full\"");
	launch_describe(l);
	SHOWN(l, { LINE_PROTECT, "off: the server may write .git/hooks", "(filesystem.protect)", 0 },
		{ LINE_HOME, "private: kept for this server alone", "(filesystem.home)", 0 },
		{ LINE_TMP, "1000 KiB", "(filesystem.tmp)", 0 },
		{ LINE_CLIENT, "sampling allowed, elicitation allowed", "(client.elicitation)", 0 },
		{ LINE_AUDIT, "in full", "(audit.arguments)", 0 });
	assert_non_null(launch_line(l, LINE_TOOLS, "every other one is allowed"));
	assert_non_null(launch_line(l, LINE_RESOURCES, "all that the server offers"));
}

static void what_the_command_line_grants_says_so(void **state)
{
	struct launch *l = *state;

	launch_grant(l, "--ro", "other");
	launch_grant(l, "--rw", "docs");
	launch_grant(l, "--env", "MY_PASSWORD");
	launch_grant(l, "--setenv", "LD_PRELOAD=/x.so");
	launch_grant(l, "--setenv", "PATH=/var/empty");
	launch_grant(l, "--host", "*:443");
	launch_edit(l, ", \"cwd\": \"~/work\"", "");
	launch_grant(l, "--cwd", "docs");
	launch_describe(l);
	SHOWN(l, { LINE_READ, "/home/other", "--ro", 0 }, { LINE_WRITE, "/home/docs", "--rw", 0 },
		{ LINE_ENV_PASS, "MY_PASSWORD", "--env", DANGER_SECRET },
		{ LINE_ENV_SET, "LD_PRELOAD=/x.so", "--setenv", DANGER_LOADER },
		{ LINE_ENV_SET, "PATH=/var/empty", "--setenv", 0 },
		{ LINE_NETWORK, "*:443 (every name there is)", "--host", DANGER_NETWORK },
		{ LINE_CWD, "/home/docs", "--cwd", 0 });
}

static void hosts_are_marked_by_their_danger(void **state)
{
	struct launch *l = *state;

	launch_edit(l, "\"private\": false}",
		"\"private\": false}, \"localhost:5432\", \"10.0.0.0/8:443\", \"10.1.0.0/16:443\", \"*.example.net\", "
		"\"*.github.io\", {\"host\": \"x.example.net\", \"ports\": [443], \"sni\": false, \"private\": true}");
	launch_describe(l);
	SHOWN(l,
		{ LINE_NETWORK, "localhost:5432 (this machine's own loopback)", "(network.allow \"localhost:5432\")",
			DANGER_LOCALHOST },
		{ LINE_NETWORK, "10.0.0.0/8:443", "(network.allow \"10.0.0.0/8:443\")", DANGER_NETWORK },
		{ LINE_NETWORK, "10.1.0.0/16:443", "(network.allow \"10.1.0.0/16:443\")", 0 },
		{ LINE_NETWORK, "*.example.net:443 (every name below it;", "(network.allow \"*.example.net\")", 0 },
		{ LINE_NETWORK, "*.github.io:443", "(network.allow \"*.github.io\")", DANGER_NETWORK },
		{ LINE_NETWORK,
			"x.example.net:443 (the name in a TLS connection is not compared) (private addresses may "
			"answer for it)",
			"(network.allow \"x.example.net\")", 0 });
}

static void a_launch_without_network_has_its_own_loopback_alone(void **state)
{
	struct launch *l = *state;

	l->file[0] = '\0';
	launch_grant(l, "--", "true");
	launch_describe(l);
	SHOWN(l, { LINE_NETWORK, "none: only its own loopback", "the default (network.allow)", 0 });
	assert_false(l->e.plan.network.on);
	assert_int_equal(json_array_size(json_object_get(json_object_get(l->e.canonical, "network"), "allow")), 0);
}

static void ports_that_are_published_alone_reach_nothing(void **state)
{
	struct launch *l = *state;

	launch_edit(l, "{\"host\": \"api.example.com\", \"ports\": [443], \"sni\": true, \"private\": false}", "");
	launch_describe(l);
	SHOWN(l, { LINE_NETWORK, "it reaches nothing but its own loopback", "notes.json:9 (network.allow)", 0 },
		{ LINE_NETWORK, "its port 20123", "notes.json:10 (network.publish)", 0 });
	assert_true(l->e.plan.network.on);
}

static void a_socket_opens_every_socket_that_is_granted_and_says_so(void **state)
{
	struct launch *l = *state;

	launch_put_socket(l, "absent.socket");
	launch_describe(l);
	SHOWN(l, { LINE_UNIX, "/home/absent.socket", "(ipc.unix)", DANGER_UNIX },
		{ LINE_UNIX, "any unix socket below any granted directory", "(ipc.unix)", DANGER_UNIX });
	assert_true(l->e.plan.allow_unix);
	assert_true(json_is_true(json_object_get(l->e.canonical, "af_unix")));
}

static void keys_homes_and_systems_are_marked(void **state)
{
	struct launch *l = *state;

	launch_mkdir(l, ".ssh");
	launch_edit(l, "\"read\": [\"~/docs\"]", "\"read\": [\"~/.ssh\", \"/usr/sbin\"]");
	launch_describe(l);
	SHOWN(l, { LINE_READ, "/home/.ssh", "(filesystem.read)", DANGER_KEYS },
		{ LINE_READ, "/usr/sbin", "(filesystem.read)", DANGER_SYSTEM });
}

static void code_that_the_server_may_write_is_never_remembered(void **state)
{
	struct launch *l = *state;

	launch_grant(l, "--rw", "code");
	launch_describe(l);
	SHOWN(l, { LINE_CODE, "/home/code/server", "script", DANGER_OWN_CODE });
	assert_true(l->e.never_remember);
}

static void a_link_to_the_code_that_the_server_may_write_is_never_remembered(void **state)
{
	struct launch *l = *state;

	launch_grant(l, "--rw", "bin");
	launch_describe(l);
	SHOWN(l, { LINE_NOTE, "/home/bin/server, which the server may replace", "(command)", DANGER_OWN_CODE });
	assert_true(l->e.never_remember);
}

static void a_steering_variable_that_names_a_writable_place_is_never_remembered(void **state)
{
	struct launch *l = *state;
	char setting[PATH_MAX + 64];

	snprintf(setting, sizeof(setting), "NODE_OPTIONS=--require %s/hook.js", LAUNCH_AT(l, "work"));
	launch_setenv(l, setting);
	launch_describe(l);
	assert_true(l->e.never_remember);
	assert_true(l->e.danger & DANGER_OWN_CODE);
	snprintf(setting, sizeof(setting), "NODE_OPTIONS=--require %s/hook.js", LAUNCH_AT(l, "docs"));
	launch_setenv(l, setting);
	launch_describe(l);
	assert_false(l->e.never_remember);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, launch_up, launch_down)
	const struct CMUnitTest tests[] = {
		T(all_that_a_profile_grants_is_shown_with_its_place),
		T(what_an_older_landlock_lacks_is_named_and_not_bound),
		cmocka_unit_test(what_is_protected_is_counted_in_words),
		T(the_opposite_of_each_wall_is_shown_too),
		T(what_the_command_line_grants_says_so),
		T(hosts_are_marked_by_their_danger),
		T(a_launch_without_network_has_its_own_loopback_alone),
		T(ports_that_are_published_alone_reach_nothing),
		T(a_socket_opens_every_socket_that_is_granted_and_says_so),
		T(keys_homes_and_systems_are_marked),
		T(code_that_the_server_may_write_is_never_remembered),
		T(a_link_to_the_code_that_the_server_may_write_is_never_remembered),
		T(a_steering_variable_that_names_a_writable_place_is_never_remembered),
	};
	return become_unprivileged() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
