/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_ceilings - what a policy cuts from a launch, one row a rule (supervisor/policy/ceilings.h)
 *
 * Each row is the launch of launch_world.h under one policy. "@" in it is that launch's home.
 */
#include <sys/socket.h>
#include <sys/un.h>
#include "supervisor/filesystem.h"
#include "supervisor/policy/ceilings.h"
#include "tests/unit/launch_world.h"
#include "tests/unit/unprivileged.h"

static void set_policy(struct launch *l, const char *members)
{
	_cleanup_buf_ struct buf b = BUF_INIT(sizeof(l->policy) - 1);

	assert_int_equal(buf_puts(&b, "{\"stockade\": 1,\n"), 0);
	for (; *members; members++)
		assert_int_equal(*members == '@' ? buf_puts(&b, l->world->paths.home) : buf_putc(&b, *members), 0);
	assert_int_equal(buf_puts(&b, "}"), 0);
	snprintf(l->policy, sizeof(l->policy), "%s", b.data);
}

static void describe(struct launch *l)
{
	if (launch_build(l) < 0)
		fail_msg("%s: %s", l->policy, l->d.text);
}

/* What of a launch is cut, one row a rule. */
static const struct {
	const char *policy;	  /* its members */
	enum effective_kind kind; /* of a line that is there afterwards */
	const char *text, *where;
	const char *cut; /* of the line that says what is not granted; NULL: there is none */
} cuts[] = {
	{ "\"filesystem\": {\"read\": [\"@\"]}", LINE_READ, "/home/docs", "(filesystem.read)", NULL },
	{ "\"filesystem\": {\"read\": [\"@/docs/in\", \"@/work\"]}", LINE_READ, "/home/docs/in",
		"cut by @/policy.json:2 (filesystem.read)", "only what the policy allows in it" },
	{ "\"filesystem\": {\"read\": [\"@/work\"]}", LINE_WRITE, "/home/work", "(filesystem.write)",
		"/home/docs for reading" },
	{ "\"filesystem\": {\"write\": []}", LINE_READ, "/home/work", "cut by @/policy.json:2 (filesystem.write)",
		"/home/work for writing" },
	{ "\"filesystem\": {\"write\": [\"@/"
	  "work/in\"]}",
		LINE_WRITE, "/in", "cut by @/policy.json:2 (filesystem.write)", "/home/work for writing" },
	{ "\"filesystem\": {\"deny\": [\"**/*.pem\"]}", LINE_DENY, "**/*.pem", "@/policy.json:2 (filesystem.deny)",
		NULL },
	{ "\"filesystem\": {\"tmp\": \"512KiB\"}", LINE_TMP, "512 KiB of /tmp", NULL, "1048576 bytes of /tmp" },
	{ "\"filesystem\": {\"tmp\": \"2MiB\"}", LINE_TMP, "1 MiB of /tmp", NULL, NULL },
	{ "\"env\": {\"pass\": [\"NODE_*\"]}", LINE_ENV_PASS, "NODE_OPTIONS", "(env.pass)",
		"the variable API_TOKEN, passed by" },
	{ "\"env\": {\"set\": []}", LINE_ENV_PASS, "API_TOKEN", "(env.pass)", "the variable MODE, set by" },
	{ "\"network\": {\"allow\": [\"*.example.com:443\"]}", LINE_NETWORK, "api.example.com:443",
		"(network.allow \"api.example.com\")", NULL },
	{ "\"network\": {\"allow\": [\"*.example.com:8443\"]}", LINE_NETWORK, "nothing but its own loopback", NULL,
		"api.example.com:443, asked for by" },
	{ "\"network\": {\"publish\": false}", LINE_NETWORK, "api.example.com:443", "(network.allow",
		"its port 20123 at 127.0.0.1" },
	{ "\"limits\": {\"processes\": 7}", LINE_LIMIT, "7 processes and threads, 64 open files", NULL,
		"20 processes and threads: it is 7" },
	{ "\"limits\": {\"files\": 4096}", LINE_LIMIT, "64 open files", NULL, NULL },
	{ "\"limits\": {\"message_server\": \"64KiB\"}", LINE_LIMIT, "64 KiB a message of the server", NULL,
		"1048576 bytes a message of the server" },
	{ "\"tools\": {\"allow\": [\"read_a*\"]}", LINE_TOOLS, "policy: allow read_a*",
		"@/policy.json:2 (tools.allow \"read_a*\")", NULL },
	{ "\"tools\": {\"deny\": [\"put\"]}", LINE_TOOLS, "policy: deny put", "@/policy.json:2 (tools.deny \"put\")",
		NULL },
	{ "\"tools\": {\"rate\": \"30/min\"}", LINE_LIMIT, "30 calls a minute of each tool",
		"cut by @/policy.json:2 (tools.rate", "60 calls in 60 s of each tool: 30 in 60 s" },
	{ "\"tools\": {\"time\": \"9s\"}", LINE_LIMIT, "answered within 9 s", "@/policy.json:2 (tools.time", NULL },
	{ "\"resources\": {\"deny\": [\"file:*\"]}", LINE_RESOURCES, "policy: deny file:*",
		"@/policy.json:2 (resources.deny", NULL },
	{ "\"prompts\": {\"allow\": []}", LINE_PROMPTS, "policy: every other one is denied",
		"@/policy.json:2 (prompts.allow)", NULL },
	{ "\"client\": {\"roots\": []}", LINE_WRITE, "/home/work", "(filesystem.write)", "/home/work as a root" },
};

static void what_is_wider_than_its_ceiling_becomes_the_ceilings_part_with_a_line_that_says_so(void **state)
{
	struct launch *l = *state;

	launch_mkdir(l, "docs/in");
	launch_mkdir(l, "work/in");
	for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
		char where[PATH_MAX];
		const char *at = cuts[i].where ? strchr(cuts[i].where, '@') : NULL;
		const struct effective_line *line;
		snprintf(where, sizeof(where), "%.*s%s%s", at ? (int)(at - cuts[i].where) : 0, at ? cuts[i].where : "",
			at ? l->world->paths.home : "",
			at		? at + 1
			: cuts[i].where ? cuts[i].where
					: "");
		set_policy(l, cuts[i].policy);
		describe(l);
		line = launch_line(l, cuts[i].kind, cuts[i].text);
		if (!line || (cuts[i].where && !(line->where && strstr(line->where, where))))
			fail_msg("row %zu: no line '%s' from '%s', but '%s'", i, cuts[i].text, where,
				line && line->where ? line->where : "none");
		line = launch_line(l, LINE_CUT, cuts[i].cut ? cuts[i].cut : "");
		if (!cuts[i].cut != !line)
			fail_msg("row %zu: '%s' of what is not granted, and not '%s'", i, line ? line->text : "none",
				cuts[i].cut ? cuts[i].cut : "none");
		if (line && !strstr(line->where, "policy.json:2 ("))
			fail_msg("row %zu: not granted by %s", i, line->where);
	}
}

/* Rights that the launch of launch_world.h does not use. */
static const struct {
	const char *from, *to; /* in its profile */
	const char *policy, *cut, *key;
} rarer[] = {
	{ "\"home\": \"empty\"", "\"home\": \"private\"", "\"filesystem\": {\"home\": \"empty\"}",
		"a home that is kept: it is empty", "filesystem.home" },
	{ "\"seccomp\": \"default\"", "\"seccomp\": \"browser\"", "\"seccomp\": [\"default\"]",
		"the system calls of the set \"browser\"", "seccomp" },
	{ "\"sampling\": false", "\"sampling\": true", "\"client\": {\"sampling\": false}", "asking the client's model",
		"client.sampling" },
	{ "\"elicitation\": false", "\"elicitation\": true", "\"client\": {\"elicitation\": false}",
		"asking the user through the client", "client.elicitation" },
	{ "\"private\": false", "\"private\": true", "\"network\": {\"private\": false}", "api.example.com",
		"network.private" },
	{ "\"sni\": true", "\"sni\": false", "\"network\": {\"sni\": true}",
		"another name in TLS than api.example.com:443", "network.sni" },
	{ "\"protect\": \"default\"", "\"protect\": \"none\"", "\"filesystem\": {\"protect\": \"default\"}",
		"writing what the user's own tools execute", "filesystem.protect" },
	{ "\"tools\": {", "\"tools\": {\"text\": \"pass\", ", "\"tools\": {\"text\": \"neutralise\"}",
		"invisible characters in what the server says", "tools.text" },
	{ "?~/absent.socket", "?~/docs/one", "\"ipc\": {\"unix\": []}", "docs/one", "ipc.unix" },
	{ "\"files\": 64", "\"files\": 64", "\"limits\": {\"files\": 32}", "64 open files: it is 32", "limits.files" },
	{ "\"message\": \"1MiB\"", "\"message\": \"2MiB\"", "\"limits\": {\"message\": \"1MiB\"}",
		"2097152 bytes a message: it is 1048576", "limits.message" },
	{ "\"message\": \"1MiB\"", "\"message\": \"2MiB\"", "\"limits\": {\"message_client\": \"64KiB\"}",
		"bytes a message of the client: it is 65536", "limits.message_client" },
	{ "\"message\": \"1MiB\"", "\"message\": \"1MiB\", \"calls\": 9", "\"limits\": {\"calls\": 2}",
		"9 calls of all tools at once: 2", "limits.calls" },
	{ "\"arguments\": \"keys\"", "\"arguments\": \"full\"", "\"audit\": {\"arguments\": \"hash\"}",
		"arguments of calls in the log, in full: names and salted hashes", "audit.arguments" },
	{ "\"arguments\": \"keys\"", "\"arguments\": \"hash\"", "\"audit\": {\"arguments\": \"keys\"}",
		"arguments of calls in the log, names and salted hashes: names only", "audit.arguments" },
};

static void what_is_rarely_granted_has_its_ceiling_as_well(void **state)
{
	struct launch *l = *state;
	char first[LAUNCH_TEXT_MAX];

	snprintf(first, sizeof(first), "%s", l->profile);
	for (size_t i = 0; i < ARRAY_LEN(rarer); i++) {
		const struct effective_line *line;
		snprintf(l->profile, sizeof(l->profile), "%s", first);
		launch_edit(l, rarer[i].from, rarer[i].to);
		set_policy(l, rarer[i].policy);
		describe(l);
		line = launch_line(l, LINE_CUT, rarer[i].cut);
		if (!line || !strstr(line->where, rarer[i].key))
			fail_msg("row %zu: '%s' by '%s'", i, line ? line->text : "nothing is cut",
				line ? line->where : "nothing");
	}
}

/* The other word of each lets through what the profile grants. */
static void what_a_switch_of_the_policy_allows_is_left_as_the_profile_has_it(void **state)
{
	struct launch *l = *state;
	const struct effective_line *line;

	launch_edit(l, "\"sni\": true", "\"sni\": false");
	launch_edit(l, "\"protect\": \"default\"", "\"protect\": \"none\"");
	launch_edit(l, "\"tools\": {", "\"tools\": {\"text\": \"pass\", ");
	set_policy(l, "\"network\": {\"sni\": false}, \"filesystem\": {\"protect\": \"none\"}, \"tools\": {\"text\": "
		      "\"pass\"}");
	describe(l);
	assert_null(launch_line(l, LINE_CUT, ""));
	assert_false(l->e.profile.network.grants[0].sni);
	assert_false(l->e.profile.protect);
	assert_true(l->e.shim.text.pass);
	set_policy(l, "\"network\": {\"sni\": true}, \"filesystem\": {\"protect\": \"default\"}, \"tools\": {\"text\": "
		      "\"neutralise\"}");
	describe(l);
	assert_true(l->e.profile.network.grants[0].sni);
	assert_true(l->e.profile.protect);
	assert_null(launch_line(l, LINE_PROTECT, "off"));
	assert_false(l->e.shim.text.pass);
	line = launch_line(l, LINE_NETWORK, "api.example.com:443");
	assert_true(line && line->where && strstr(line->where, "(network.sni)"));
}

static void what_is_enforced_and_what_is_bound_is_what_is_left(void **state)
{
	struct launch *l = *state;
	char first[65];

	launch_describe(l);
	snprintf(first, sizeof(first), "%s", l->e.digest);
	set_policy(l, "\"description\": \"bounds nothing\", \"limits\": {\"files\": 4096}");
	launch_describe(l);
	assert_string_equal(l->e.digest, first);
	launch_edit(l, "\"arguments\": \"keys\"", "\"arguments\": \"full\"");
	set_policy(l, "\"audit\": {\"arguments\": \"hash\"}");
	launch_describe(l);
	assert_int_equal(l->e.shim.args, SHIM_ARGS_HASH);
	set_policy(l,
		"\"tools\": {\"deny\": [\"read_secret\"]}, \"env\": {\"pass\": []}, \"filesystem\": {\"write\": []}, "
		"\"network\": {\"allow\": [], \"publish\": false}");
	launch_describe(l);
	assert_string_not_equal(l->e.digest, first);
	assert_null(strv_env_get(&l->e.plan.envp, "API_TOKEN"));
	assert_false(l->e.plan.network.on);
	for (size_t i = 0; i < l->e.plan.n_mounts; i++)
		assert_false(l->e.plan.mounts[i].kind == PLAN_BIND && l->e.plan.mounts[i].flags & PLAN_WRITE);
	assert_false(shim_rules_judge(&l->e.shim.scope[SHIM_TOOLS], "read_secret", 11).allowed);
	assert_true(shim_rules_judge(&l->e.shim.scope[SHIM_TOOLS], "read_secret", 11).by_ceiling);
	assert_true(shim_rules_judge(&l->e.shim.scope[SHIM_TOOLS], "read_notes", 10).allowed);
	_cleanup_free_ char *bound = json_dumps(l->e.canonical, 0);
	assert_non_null(strstr(bound, "read_secret"));
}

static void a_command_without_a_profile_has_the_same_ceilings(void **state)
{
	struct launch *l = *state;

	*l->file = 0;
	assert_int_equal(strv_add(&l->grants.command, "/usr/bin/true"), 0);
	assert_int_equal(strv_add(&l->grants.write, "."), 0);
	assert_int_equal(strv_add(&l->grants.hosts, "api.example.com"), 0);
	assert_int_equal(strv_add(&l->grants.env_pass, "API_TOKEN"), 0);
	set_policy(l,
		"\"filesystem\": {\"read\": [\"@/docs\"]}, \"network\": {\"allow\": []}, \"env\": {\"pass\": [\"X\"]}");
	describe(l);
	assert_null(launch_line(l, LINE_WRITE, "work"));
	assert_non_null(launch_line(l, LINE_CUT, "/home/work for reading and writing, asked for by --rw"));
	assert_non_null(launch_line(l, LINE_CUT, "api.example.com:443, asked for by --host"));
	assert_non_null(launch_line(l, LINE_CUT, "the variable API_TOKEN, passed by --env"));
}

/* A directory of the policy that its user replaces by a link to elsewhere turns away the grant and not the ceiling. */
static void a_link_of_a_users_turns_no_ceiling(void **state)
{
	struct launch *l = *state;
	char *docs = LAUNCH_AT(l, "docs"), *was = LAUNCH_AT(l, "was"), *other = LAUNCH_AT(l, "other");

	set_policy(l, "\"filesystem\": {\"read\": [\"@/docs\", \"@/work\"], \"write\": []}");
	describe(l);
	assert_non_null(launch_line(l, LINE_READ, "/home/docs"));
	assert_int_equal(rename(docs, was), 0);
	assert_int_equal(symlink(other, docs), 0);
	describe(l);
	assert_null(launch_line(l, LINE_READ, "other"));
	assert_non_null(launch_line(l, LINE_CUT, "/home/docs for reading"));
}

static void make_socket(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	assert_int_equal(bind(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	close(fd);
}

/* As somebody does who turns a directory between the look and the opening. */
static void a_socket_that_is_elsewhere_when_it_is_opened_is_not_mounted(void **state)
{
	struct launch *l = *state;
	char *allowed = LAUNCH_AT(l, "allowed"), *was = LAUNCH_AT(l, "was"), *other = LAUNCH_AT(l, "other");

	launch_mkdir(l, "allowed");
	make_socket(LAUNCH_AT(l, "allowed/s"));
	make_socket(LAUNCH_AT(l, "other/s"));
	launch_edit(l, "?~/absent.socket", "~/allowed/s");
	set_policy(l, "\"ipc\": {\"unix\": [\"@/allowed\"]}");
	describe(l);
	assert_int_equal(ceilings_check_sockets(&l->world->paths, &l->e, &l->d), 0);
	assert_int_equal(rename(allowed, was), 0);
	assert_int_equal(symlink(other, allowed), 0);
	/* What the plan has is what was opened then, what is at its path now is another. */
	for (size_t i = 0; i < l->e.plan.n_mounts; i++)
		if (l->e.plan.mounts[i].type == S_IFSOCK)
			assert_int_equal(fs_identify(l->e.plan.mounts[i].source, &l->e.plan.mounts[i]), 0);
	assert_int_equal(ceilings_check_sockets(&l->world->paths, &l->e, &l->d), -EPERM);
	assert_non_null(strstr(l->d.text, "policy.json:2 (ipc.unix)"));
}

/* A user whom /etc/passwd does not name says himself, by HOME, where ~ is. */
static void what_policy_hides_in_a_home_that_nobody_knows_is_not_shown_instead(void **state)
{
	struct launch *l = *state;
	_cleanup_free_ char *home = NULL;
	struct paths of = { .user = (char *)(uintptr_t) "4711", .home = (char *)(uintptr_t) "/proc/self" };

	free(l->world->paths.login_home);
	l->world->paths.login_home = NULL;
	set_policy(l, "\"filesystem\": {\"deny\": [\"**/*.pem\", \"/etc/hidden\"]}");
	describe(l);
	set_policy(l, "\"filesystem\": {\"deny\": [\"~/docs/hidden\"]}");
	assert_int_equal(launch_build(l), -EPERM);
	assert_non_null(strstr(l->d.text, "policy hides ~/docs/hidden ("));
	assert_non_null(strstr(l->d.text, "set HOME to the user's home"));
	/* The directory above is root's, and it is no home. */
	assert_int_equal(ceilings_home(&of, &home), 0);
	assert_null(home);
}

static void what_is_no_ceiling_denies_every_launch_in_words(void **state)
{
	static const char *const rows[][2] = {
		{ "\"filesystem\": {\"read\": [\"src\"]}", "relative path" },
		{ "\"filesystem\": {\"read\": [\"?/src\"]}", "what is not there bounds nothing" },
		{ "\"filesystem\": {\"write\": [\"${workspace}\"]}", "each launch chooses for itself" },
		{ "\"filesystem\": {\"write\": [\"/x/${HOME}\"]}", "each launch chooses for itself" },
		{ "\"filesystem\": {\"home\": \"full\"}", "filesystem.home cannot be" },
		{ "\"filesystem\": {\"reed\": []}", "did you mean 'read'?" },
		{ "\"env\": {\"pass\": [\"A=1\"]}", "is no name of a variable" },
		{ "\"env\": {\"set\": {\"A\": \"1\"}}", "env.set must be a list" },
		{ "\"network\": {\"allow\": [{\"host\": \"a.example\"}]}", "must hold hosts with their ports" },
		{ "\"network\": {\"allow\": [\"${host}\"]}", "must hold hosts with their ports" },
		{ "\"network\": {\"allow\": [\"*.com\"]}", "network.allow" },
		{ "\"network\": {\"private\": \"no\"}", "must be true or false" },
		{ "\"network\": {\"sni\": \"default\"}", "must be true or false" },
		{ "\"filesystem\": {\"protect\": true}", "must be a string" },
		{ "\"tools\": {\"text\": \"clean\"}", "tools.text cannot be" },
		{ "\"seccomp\": [\"none\"]", "\\\"default\\\" and \\\"browser\\\"" },
		{ "\"limits\": {\"memory\": \"1GiB\"}", "is not enforced by this version" },
		{ "\"audit\": {\"arguments\": \"values\"}", "audit.arguments cannot be" },
		{ "\"limits\": {\"processes\": 0}", "must lie between" },
		{ "\"tools\": {\"allow\": [{\"name\": \"x\"}]}", "must hold names" },
		{ "\"tools\": {\"rate\": \"often\"}", "calls in a time" },
		{ "\"client\": {\"sampling\": {}}", "must be true or false" },
	};
	struct launch *l = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_free_ char *words = strdup(rows[i][1]);
		for (char *at = words; (at = strchr(at, '\\'));)
			memmove(at, at + 1, strlen(at));
		set_policy(l, rows[i][0]);
		if (launch_build(l) >= 0 || !strstr(l->d.text, words) || !strstr(l->d.text, "nothing is started"))
			fail_msg("row %zu: %s", i, l->d.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_is_wider_than_its_ceiling_becomes_the_ceilings_part_with_a_line_that_says_so, launch_up,
			launch_down),
		cmocka_unit_test_setup_teardown(what_is_rarely_granted_has_its_ceiling_as_well, launch_up, launch_down),
		cmocka_unit_test_setup_teardown(
			what_a_switch_of_the_policy_allows_is_left_as_the_profile_has_it, launch_up, launch_down),
		cmocka_unit_test_setup_teardown(
			what_is_enforced_and_what_is_bound_is_what_is_left, launch_up, launch_down),
		cmocka_unit_test_setup_teardown(
			a_command_without_a_profile_has_the_same_ceilings, launch_up, launch_down),
		cmocka_unit_test_setup_teardown(a_link_of_a_users_turns_no_ceiling, launch_up, launch_down),
		cmocka_unit_test_setup_teardown(
			a_socket_that_is_elsewhere_when_it_is_opened_is_not_mounted, launch_up, launch_down),
		cmocka_unit_test_setup_teardown(
			what_policy_hides_in_a_home_that_nobody_knows_is_not_shown_instead, launch_up, launch_down),
		cmocka_unit_test_setup_teardown(
			what_is_no_ceiling_denies_every_launch_in_words, launch_up, launch_down),
	};

	return become_unprivileged() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
