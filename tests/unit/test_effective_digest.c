/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_effective_digest - what the digest of a launch binds, no more and no less
 *
 * Each row of the table changes one thing of the launch in launch_world.h. What the answer was about makes another
 * digest; what it was not about makes the same one, or a person would be asked until nobody reads the question.
 */
#include "tests/unit/launch_change.h"
#include "tests/unit/unprivileged.h"

struct row {
	const char *words;
	enum launch_change what;
	const char *a, *b;
	bool changes;
};

static const struct row rows[] = {
	{ "nothing changed", NOTHING, NULL, NULL, false },
	/* the command */
	{ "a word of the command", PROFILE, "--level=${level}", "--level=4", true },
	{ "one word more", PROFILE, "\"--level=${level}\"", "\"--level=${level}\", \"\"", true },
	{ "two words for one", PROFILE, "--level=${level}", "--level\", \"${level}", true },
	{ "a parameter's value", SET, "level=4", NULL, true },
	{ "a parameter's default, set by hand", SET, "level=3", NULL, false },
	{ "the interpreter", PROFILE, "\"sh\", ", "\"bash\", ", true },
	{ "the working directory", PROFILE, "\"cwd\": \"~/work\"", "\"cwd\": \"~/docs\"", true },
	{ "the directory in which the client started it", STARTED, "other", NULL, false },
	/* its code */
	{ "one byte of the code", CONTENT, "code/server", "#!/bin/sh\nexec true \n", true },
	{ "the same code, written again", CONTENT, "code/server", "#!/bin/sh\nexec true\n", false },
	{ "the mode of the code", MODE, "code/server", "644", true },
	{ "who else may read the code", MODE, "code/server", "700", false },
	{ "a file beside the code, which the command does not name", CONTENT, "code/copy", "other\n", false },
	{ "the link that the command goes through, to a copy", LINK, "bin/server", "../code/copy", true },
	{ "the text of the link, to the same file", LINK, "bin/server", "../bin/../code/server", true },
	/* the environment */
	{ "the value of a set variable", PROFILE, "\"MODE\": \"quiet\"", "\"MODE\": \"loud\"", true },
	{ "the name of a set variable", PROFILE, "\"MODE\": \"quiet\"", "\"MODES\": \"quiet\"", true },
	{ "one set variable more", PROFILE, "\"MODE\": \"quiet\"", "\"MODE\": \"quiet\", \"X\": \"\"", true },
	{ "the name of a passed variable", PROFILE, "\"API_TOKEN\", ", "\"API_TOKENS\", ", true },
	{ "one passed variable less", PROFILE, "\"API_TOKEN\", ", "", true },
	{ "the value of a passed variable that steers nothing", ENVIRON, "API_TOKEN=xyz", NULL, false },
	{ "the value of a passed variable that steers an interpreter", ENVIRON, "NODE_OPTIONS=--no-warnings", NULL,
		true },
	{ "a steering variable that is not passed", ENVIRON, "PYTHONPATH=/tmp", NULL, false },
	{ "a variable that is not passed", ENVIRON, "EXTRA=1", NULL, false },
	{ "the locale", ENVIRON, "LANG=C", NULL, false },
	/* files */
	{ "a directory that may be read", PROFILE, "\"read\": [\"~/docs\"]", "\"read\": [\"~/other\"]", true },
	{ "one directory more that may be read", PROFILE, "\"read\": [\"~/docs\"]",
		"\"read\": [\"~/docs\", \"~/other\"]", true },
	{ "a path that may be absent, and is", PROFILE, "\"read\": [\"~/docs\"]",
		"\"read\": [\"~/docs\", \"?~/absent\"]", false },
	{ "one directory more that may be written", PROFILE, "\"write\": [\"~/work\"]",
		"\"write\": [\"~/work\", \"~/other\"]", true },
	{ "reading that becomes writing", PROFILE, "\"read\": [\"~/docs\"],\n  \"write\": [",
		"\"read\": [], \"write\": [\"~/docs\", ", true },
	{ "the content of a granted directory", CONTENT, "docs/one", "two\n", false },
	{ "a new file in a writable directory", CONTENT, "work/new", "new\n", false },
	{ "a pattern of deny", PROFILE, "**/.env", "**/.envrc", true },
	{ "no pattern of deny", PROFILE, "\"deny\": [\"**/.env\"]", "\"deny\": []", true },
	{ "protect", PROFILE, "\"protect\": \"default\"", "\"protect\": \"none\"", true },
	{ "the kind of home", PROFILE, "\"home\": \"empty\"", "\"home\": \"private\"", true },
	{ "the size of /tmp", PROFILE, "\"tmp\": \"1MiB\"", "\"tmp\": \"2MiB\"", true },
	{ "the same size in other words", PROFILE, "\"tmp\": \"1MiB\"", "\"tmp\": \"1024KiB\"", false },
	/* the network */
	{ "a host", PROFILE, "\"host\": \"api.example.com\"", "\"host\": \"api.example.org\"", true },
	{ "a host, in capitals", PROFILE, "\"host\": \"api.example.com\"", "\"host\": \"API.example.com.\"", false },
	{ "every name below a domain", PROFILE, "\"host\": \"api.example.com\"", "\"host\": \"*.example.com\"", true },
	{ "a port", PROFILE, "\"ports\": [443]", "\"ports\": [444]", true },
	{ "one port more", PROFILE, "\"ports\": [443]", "\"ports\": [443, 444]", true },
	{ "names in TLS not compared", PROFILE, "\"sni\": true", "\"sni\": false", true },
	{ "private addresses as answers", PROFILE, "\"private\": false", "\"private\": true", true },
	{ "one host more", PROFILE, "\"private\": false}", "\"private\": false}, \"b.example.com\"", true },
	{ "a published port", PROFILE, "20123", "20124", true },
	{ "no published port", PROFILE, "[20123]", "[]", true },
	{ "the kind of addresses inside", PROFILE, "198.18.0.0/15", "240.0.0.0/4", true },
	{ "connections at once", PROFILE, "\"connections\": 10", "\"connections\": 9", true },
	{ "names below wildcards", PROFILE, "\"names\": 11", "\"names\": 9", true },
	{ "queries a second", PROFILE, "\"queries\": 12", "\"queries\": 9", true },
	{ "the time to connect", PROFILE, "13s", "9s", true },
	{ "the time for a hello", PROFILE, "14s", "9s", true },
	{ "the time to resolve", PROFILE, "15s", "9s", true },
	{ "the idle time", PROFILE, "16s", "9s", true },
	/* walls */
	{ "a unix socket that is there now", SOCKET, "absent.socket", NULL, true },
	{ "a unix socket that may be absent, and is", PROFILE, "?~/absent.socket", "?~/other.socket", false },
	{ "the set of system calls", PROFILE, "\"seccomp\": \"default\"", "\"seccomp\": \"browser\"", true },
	{ "processes", PROFILE, "\"processes\": 20", "\"processes\": 21", true },
	{ "open files", PROFILE, "\"files\": 64", "\"files\": 65", true },
	{ "bytes a message", PROFILE, "\"message\": \"1MiB\"", "\"message\": \"2MiB\"", true },
	/* the protocol */
	{ "an allowed tool", PROFILE, "read_*", "reads_*", true },
	{ "a denied tool", PROFILE, "delete_*", "deletes_*", true },
	{ "every tool allowed", PROFILE, "\"tools\": {\"allow\": [\"read_*\", " TOOL_PUT "], ", "\"tools\": {", true },
	{ "a rule on arguments", PROFILE, "\"minProperties\": 1", "\"minProperties\": 2", true },
	{ "no rule on arguments", PROFILE, ", \"arguments\": {\"minProperties\": 1}", "", true },
	{ "one rule on arguments more", PROFILE, "\"minProperties\": 1", "\"minProperties\": 1, \"maxProperties\": 9",
		true },
	{ "the same rule on another line", PROFILE, "\"arguments\": {\"minProp", "\n\"arguments\": {\"minProp", false },
	{ "a tool whose schema is closed", PROFILE, "{\"name\": \"put\"", "{\"strict\": true, \"name\": \"put\"",
		true },
	{ "all tools' schemas closed", PROFILE, "\"tools\": {", "\"tools\": {\"strict\": true, ", true },
	{ "no tool's schema closed", PROFILE, "\"tools\": {", "\"tools\": {\"strict\": false, ", false },
	{ "an allow that becomes a deny", PROFILE, "\"allow\": [\"ask\"]", "\"deny\": [\"ask\"]", true },
	{ "allowed resources", PROFILE, "file:*", "files:*", true },
	{ "allowed prompts", PROFILE, "[\"ask\"]", "[\"asks\"]", true },
	{ "allowed extensions", PROFILE, "x/*", "y/*", true },
	{ "what follows from a scan", PROFILE, "\"tools\": {", "\"tools\": {\"scan\": \"withhold\", ", true },
	{ "the same said in words", PROFILE, "\"tools\": {", "\"tools\": {\"scan\": \"record\", ", false },
	{ "what is taken out of text", PROFILE, "\"tools\": {", "\"tools\": {\"redact\": [\"mail\"], ", true },
	{ "a pattern that is taken out", PROFILE, "\"tools\": {",
		"\"tools\": {\"redact\": [{\"name\": \"x\", \"pattern\": \"y\"}], ", true },
	{ "text that passes as it is", PROFILE, "\"tools\": {", "\"tools\": {\"text\": \"pass\", ", true },
	{ "text in the way of the default", PROFILE, "\"tools\": {", "\"tools\": {\"text\": \"neutralise\", ", false },
	{ "sampling", PROFILE, "\"sampling\": false", "\"sampling\": true", true },
	{ "elicitation", PROFILE, "\"elicitation\": false", "\"elicitation\": true", true },
	{ "roots", PROFILE, "\"roots\": [\"~/work\"]", "\"roots\": []", true },
	{ "what the log keeps of arguments", PROFILE, "\"arguments\": \"keys\"", "\"arguments\": \"full\"", true },
	/* the profile's own words, which grant nothing */
	{ "the name, and with it the file's", NAME, "notices", NULL, true },
	{ "the version", PROFILE, "\"version\": 3", "\"version\": 4", false },
	{ "the description", PROFILE, "keeps notes", "keeps all notes", false },
	{ "the owner", PROFILE, "one@example.com", "two@example.com", false },
	{ "the day of review", PROFILE, "2026-01-01", "2026-01-02", false },
	{ "the end of its validity", PROFILE, "2999-01-01", "2999-01-02", false },
	{ "the ticket", PROFILE, "T-1", "T-2", false },
	{ "the classification", PROFILE, "internal", "public", false },
	{ "how long records shall be kept", PROFILE, "90d", "91d", false },
	{ "blanks and lines", PROFILE, "\"cwd\":", "\n\n  \"cwd\" :", false },
	{ "the directory of its file", FILE_NAME, "other/notes.json", NULL, false },
	/* the command line */
	{ "--ro", GRANT, "--ro", "other", true },
	{ "--ro of what the profile grants already", GRANT, "--ro", "docs/one", true },
	{ "--rw", GRANT, "--rw", "other", true },
	{ "--env", GRANT, "--env", "EXTRA", true },
	{ "--setenv", GRANT, "--setenv", "EXTRA=1", true },
	{ "--host", GRANT, "--host", "b.example.com", true },
	{ "--cwd", GRANT, "--cwd", "docs", true },
	{ "a command of its own", GRANT, "--", "sh", true },
};

static void digest_of(struct launch *l, char ret[65])
{
	launch_describe(l);
	memcpy(ret, l->e.digest, 65);
}

static void the_digest_binds_this_and_nothing_else(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		void *one;
		char before[65], after[65];
		assert_int_equal(launch_up(&one), 0);
		digest_of(one, before);
		launch_apply(one, rows[i].what, rows[i].a, rows[i].b);
		digest_of(one, after);
		if ((strcmp(before, after) != 0) != rows[i].changes) {
			print_error(
				"%s: the digest %s\n", rows[i].words, rows[i].changes ? "stays the same" : "changes");
			wrong++;
		}
		assert_int_equal(launch_down(&one), 0);
	}
	assert_int_equal(wrong, 0);
}

static void code_that_root_alone_can_change_is_bound_by_path(void **state)
{
	struct launch *l = *state;
	char before[65];

	launch_look(l);
	assert_int_equal(l->e.cmd.n_trees, 1);
	l->e.cmd.trees[0].root_only = true;
	launch_digest(l);
	assert_null(json_object_get(json_array_get(json_object_get(l->e.canonical, "code"), 0), "digest"));
	memcpy(before, l->e.digest, sizeof(before));
	launch_put(l, "code/server", 0755, "#!/bin/sh\nexec false\n");
	launch_digest(l);
	assert_string_equal(l->e.digest, before);
}

static void the_digest_is_that_of_what_an_approval_stores(void **state)
{
	struct launch *l = *state;
	char again[CANONICAL_DIGEST_HEX];

	launch_describe(l);
	assert_int_equal(canonical_digest(l->e.canonical, again), 0);
	assert_string_equal(again, l->e.digest);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, launch_up, launch_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_digest_binds_this_and_nothing_else),
		T(code_that_root_alone_can_change_is_bound_by_path),
		T(the_digest_is_that_of_what_an_approval_stores),
	};
	return become_unprivileged() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
