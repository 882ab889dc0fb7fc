/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_effective - what the digest of a launch binds, no more and no less; and that a person is shown all that is
 * granted
 *
 * Each row of the table changes one thing of the launch in launch_world.h. What the answer was about makes another
 * digest; what it was not about makes the same one, or a person would be asked until nobody reads the question.
 */
#include "tests/unit/launch_world.h"
#include <sys/socket.h>
#include <sys/un.h>
#include "supervisor/canonical.h"
#include "supervisor/danger.h"
#include "supervisor/exit.h"
#include "tests/unit/unprivileged.h"

#define PUT "{\"name\": \"put\", \"arguments\": {\"minProperties\": 1}}"

enum what {
	PROFILE,   /* a stands for b in the profile */
	ENVIRON,   /* a is NAME=VALUE in the caller's environment */
	CONTENT,   /* the file a holds b */
	MODE,	   /* the file a has the mode b, octal */
	LINK,	   /* the link a says b */
	GRANT,	   /* the command line has the option a with b */
	SET,	   /* --set a */
	SOCKET,	   /* there is a socket a */
	NAME,	   /* the profile is called a */
	FILE_NAME, /* the profile lies in a */
	STARTED,   /* the client started it in a */
	NOTHING,
};

struct row {
	const char *words;
	enum what what;
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
	{ "every tool allowed", PROFILE, "\"tools\": {\"allow\": [\"read_*\", " PUT "], ", "\"tools\": {", true },
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

static void put_socket(const struct launch *l, const char *relative)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", LAUNCH_AT(l, relative));
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	close(fd);
}

static void grant(struct launch *l, const char *option, const char *value)
{
	struct grants *g = &l->grants;
	const struct {
		const char *option;
		struct strv *list;
		bool path;
	} options[] = { { "--ro", &g->read, true }, { "--rw", &g->write, true }, { "--env", &g->env_pass, false },
		{ "--setenv", &g->env_set, false }, { "--host", &g->hosts, false }, { "--", &g->command, false } };

	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (strcmp(option, options[i].option) == 0) {
			assert_int_equal(strv_add(options[i].list, options[i].path ? LAUNCH_AT(l, value) : value), 0);
			return;
		}
	assert_string_equal(option, "--cwd");
	g->cwd = strdup(LAUNCH_AT(l, value));
}

static void apply(struct launch *l, const struct row *row)
{
	char name[64];

	switch (row->what) {
	case PROFILE:
		launch_edit(l, row->a, row->b);
		break;
	case ENVIRON:
		launch_setenv(l, row->a);
		break;
	case CONTENT:
		launch_put(l, row->a, 0755, row->b);
		break;
	case MODE:
		assert_int_equal(chmod(LAUNCH_AT(l, row->a), (mode_t)strtoul(row->b, NULL, 8)), 0);
		break;
	case LINK:
		launch_link(l, row->a, row->b);
		break;
	case GRANT:
		grant(l, row->a, row->b);
		break;
	case SET:
		assert_int_equal(strv_add(&l->grants.sets, row->a), 0);
		break;
	case SOCKET:
		put_socket(l, row->a);
		break;
	case NAME:
		snprintf(name, sizeof(name), "\"name\": \"%s\"", row->a);
		launch_edit(l, "\"name\": \"notes\"", name);
		snprintf(name, sizeof(name), "%s.json", row->a);
		launch_at(l, name, l->file);
		break;
	case FILE_NAME:
		launch_at(l, row->a, l->file);
		break;
	case STARTED:
		launch_at(l, row->a, l->workspace);
		break;
	case NOTHING:
		break;
	}
}

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
		apply(one, &rows[i]);
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

/* --- lines --- */

struct shown {
	enum effective_kind kind;
	const char *words;
	const char *where; /* what it ends with; NULL: nobody asked for it */
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
		if (!line)
			fail_msg("'%s' is not shown", v[i].words);
		if ((v[i].where && (!line->where || !ends_with(line->where, v[i].where))) ||
			(!v[i].where && line->where))
			fail_msg("'%s' is from %s", v[i].words, line->where ? line->where : "nowhere");
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
	SHOWN(l, { LINE_COMMAND, "/home/bin/server --level=3", NULL, 0 },
		{ LINE_PROGRAM, "/home/code/server", NULL, 0 }, { LINE_CODE, "/home/code/server", "script", 0 },
		{ LINE_CWD, "/home/work", "notes.json:5 (cwd)", 0 },
		{ LINE_READ, "/home/docs", "notes.json:7 (filesystem.read)", 0 },
		{ LINE_WRITE, "/home/work", "notes.json:8 (filesystem.write)", 0 },
		{ LINE_PROTECT, "on: nothing of what your own tools execute", NULL, 0 },
		{ LINE_DENY, "**/.env", "notes.json:8 (filesystem.deny)", 0 }, { LINE_HOME, "empty", NULL, 0 },
		{ LINE_TMP, "1 MiB", NULL, 0 }, { LINE_ENV_SET, "MODE=quiet", "notes.json:6 (env.set)", 0 },
		{ LINE_ENV_PASS, "API_TOKEN", "notes.json:6 (env.pass)", DANGER_SECRET },
		{ LINE_ENV_PASS, "NODE_OPTIONS", "notes.json:6 (env.pass)", DANGER_LOADER },
		{ LINE_NETWORK, "api.example.com:443", "notes.json:9 (network.allow \"api.example.com\")", 0 },
		{ LINE_NETWORK, "its port 20123 at 127.0.0.1:20123", "notes.json:10 (network.publish)", 0 },
		{ LINE_NOTE, "198.18.0.0/15", NULL, 0 },
		{ LINE_LIMIT,
			"10 connections at once, 11 names below wildcards, 12 queries a second; 13 s to connect, 15 s "
			"for a name, 14 s for a ClientHello, 16 s idle",
			NULL, 0 },
		{ LINE_SECCOMP, "default", NULL, 0 },
		{ LINE_LIMIT, "20 processes and threads, 64 open files, 1 MiB a message", NULL, 0 },
		{ LINE_AUDIT, "names only", NULL, 0 }, { LINE_TOOLS, "allow read_*", "(tools.allow \"read_*\")", 0 },
		{ LINE_TOOLS, "deny delete_*", "(tools.deny \"delete_*\")", 0 },
		{ LINE_TOOLS, "arguments of put must fit {\"minProperties\":1}", "(tools.allow \"put\" arguments)", 0 },
		{ LINE_TOOLS, "every other one is denied", "(tools.allow)", 0 },
		{ LINE_RESOURCES, "allow file:*", "(resources.allow \"file:*\")", 0 },
		{ LINE_PROMPTS, "allow ask", "(prompts.allow \"ask\")", 0 },
		{ LINE_CLIENT, "sampling denied, elicitation denied", NULL, 0 },
		{ LINE_CLIENT, "roots may name", NULL, 0 });
	assert_int_equal(l->e.danger, DANGER_SECRET | DANGER_LOADER);
	assert_false(l->e.never_remember);
}

/* What is so of every launch that says nothing else, what sums up other lines, and what is only told. */
static bool needs_no_place(enum effective_kind kind)
{
	static const enum effective_kind kinds[] = { LINE_SIGNED, LINE_COMMAND, LINE_PROGRAM, LINE_PROTECT, LINE_HOME,
		LINE_TMP, LINE_SECCOMP, LINE_LIMIT, LINE_CLIENT, LINE_TEXT, LINE_AUDIT, LINE_BASE, LINE_NOTE };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i] == kind)
			return true;
	return false;
}

/* Lines that every launch has, or whose other lines name the places. */
static bool is_said_of_all(const struct effective_line *line)
{
	return strstr(line->text, "not pinned: ") == line->text ||
	       strstr(line->text, "it can connect to any unix socket below any granted directory") == line->text;
}

static void every_grant_and_every_cut_names_the_file_that_it_is_from(void **state)
{
	struct launch *l = *state;
	size_t granted = 0, cut = 0;

	launch_edit(l, "\"message\": \"1MiB\"", "\"message\": \"1MiB\", \"message_server\": \"512KiB\", \"calls\": 9");
	launch_edit(l, "\"tools\": {", "\"tools\": {\"text\": \"pass\", \"rate\": \"600/min\", \"time\": \"90s\", ");
	snprintf(l->policy, sizeof(l->policy), "%s",
		"{\"stockade\": 1,\n\"filesystem\": {\"tmp\": \"512KiB\", \"deny\": [\"**/*.pem\"]},\n"
		"\"env\": {\"pass\": [\"API_*\"]}, \"network\": {\"publish\": true, \"sni\": true},\n"
		"\"limits\": {\"processes\": 7, \"files\": 32, \"message_server\": \"64KiB\", \"calls\": 2},\n"
		"\"tools\": {\"allow\": [\"*\"], \"deny\": [\"put\"], \"rate\": \"30/min\", \"time\": \"9s\", "
		"\"text\": "
		"\"neutralise\"},\n"
		"\"resources\": {\"allow\": [\"*\"], \"deny\": [\"file:/etc*\"]}, \"prompts\": {\"allow\": [\"a*\"]}}");
	launch_describe(l);
	for (size_t i = 0; i < l->e.n_lines; i++) {
		const struct effective_line *line = &l->e.lines[i];
		const char *file = line->kind == LINE_CUT ? "/policy.json:" : ".json:";
		if (needs_no_place(line->kind) || is_said_of_all(line))
			continue;
		/* Code is named by what it is of the command. */
		if (!line->where || (line->kind != LINE_CODE && !strstr(line->where, file)))
			fail_msg("'%s' is from %s", line->text, line->where ? line->where : "nowhere");
		granted += line->kind != LINE_CUT;
		cut += line->kind == LINE_CUT;
	}
	assert_in_range(granted, 15, l->e.n_lines);
	assert_in_range(cut, 9, l->e.n_lines);
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
	launch_edit(l, "\"tools\": {\"allow\": [\"read_*\", " PUT "], ", "\"tools\": {");
	launch_edit(l, "\"resources\": {\"allow\": [\"file:*\"]}, ", "");
	launch_edit(l, "\"sampling\": false, \"elicitation\": false", "\"sampling\": true, \"elicitation\": true");
	launch_edit(l, "\"arguments\": \"keys\"", "\"arguments\": \"full\"");
	launch_describe(l);
	SHOWN(l, { LINE_PROTECT, "off: the server may write .git/hooks", NULL, 0 },
		{ LINE_HOME, "private: kept for this server alone", NULL, 0 }, { LINE_TMP, "1000 KiB", NULL, 0 },
		{ LINE_CLIENT, "sampling allowed, elicitation allowed", NULL, 0 }, { LINE_AUDIT, "in full", NULL, 0 });
	assert_non_null(launch_line(l, LINE_TOOLS, "every other one is allowed"));
	assert_non_null(launch_line(l, LINE_RESOURCES, "all that the server offers"));
}

static void what_the_command_line_grants_says_so(void **state)
{
	struct launch *l = *state;

	grant(l, "--ro", "other");
	grant(l, "--rw", "docs");
	grant(l, "--env", "MY_PASSWORD");
	grant(l, "--setenv", "LD_PRELOAD=/x.so");
	grant(l, "--setenv", "PATH=/var/empty");
	grant(l, "--host", "*:443");
	launch_edit(l, ", \"cwd\": \"~/work\"", "");
	grant(l, "--cwd", "docs");
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
	grant(l, "--", "true");
	launch_describe(l);
	SHOWN(l, { LINE_NETWORK, "none: only its own loopback", NULL, 0 });
	assert_false(l->e.plan.network.on);
	assert_int_equal(json_array_size(json_object_get(json_object_get(l->e.canonical, "network"), "allow")), 0);
}

static void ports_that_are_published_alone_reach_nothing(void **state)
{
	struct launch *l = *state;

	launch_edit(l, "{\"host\": \"api.example.com\", \"ports\": [443], \"sni\": true, \"private\": false}", "");
	launch_describe(l);
	SHOWN(l, { LINE_NETWORK, "it reaches nothing but its own loopback", NULL, 0 },
		{ LINE_NETWORK, "its port 20123", "notes.json:10 (network.publish)", 0 });
	assert_true(l->e.plan.network.on);
}

static void a_socket_opens_every_socket_that_is_granted_and_says_so(void **state)
{
	struct launch *l = *state;

	put_socket(l, "absent.socket");
	launch_describe(l);
	SHOWN(l, { LINE_UNIX, "/home/absent.socket", "(ipc.unix)", DANGER_UNIX },
		{ LINE_UNIX, "any unix socket below any granted directory", NULL, DANGER_UNIX });
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

	grant(l, "--rw", "code");
	launch_describe(l);
	SHOWN(l, { LINE_CODE, "/home/code/server", "script", DANGER_OWN_CODE });
	assert_true(l->e.never_remember);
}

static void a_link_to_the_code_that_the_server_may_write_is_never_remembered(void **state)
{
	struct launch *l = *state;

	grant(l, "--rw", "bin");
	launch_describe(l);
	SHOWN(l, { LINE_NOTE, "/home/bin/server, which the server may replace", NULL, DANGER_OWN_CODE });
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

/* --- what is made of it for enter and the shim --- */

/* What the plan has at HOME/relative: 'r', 'w', 'l' for a link, or ' '. */
static char mounted(const struct launch *l, const char *relative)
{
	const char *target = LAUNCH_AT(l, relative);
	char found = ' ';

	for (size_t i = 0; i < l->e.plan.n_mounts; i++) {
		const struct plan_mount *m = &l->e.plan.mounts[i];
		if (strcmp(m->target, target) == 0)
			found = m->kind == PLAN_SYMLINK ? 'l' : m->flags & PLAN_WRITE ? 'w' : 'r';
	}
	return found;
}

static void the_plan_holds_what_was_shown(void **state)
{
	struct launch *l = *state;

	launch_describe(l);
	assert_string_equal(l->e.name, "notes");
	assert_string_equal(l->e.subject, "profile:notes");
	assert_int_equal(l->e.plan.uid, geteuid());
	assert_false(l->e.plan.drop_root);
	assert_string_equal(l->e.plan.cwd, LAUNCH_AT(l, "work"));
	assert_string_equal(l->e.plan.argv.v[2], "--level=3");
	assert_int_equal(l->e.plan.limits.processes, 20);
	assert_int_equal(l->e.plan.limits.files, 64);
	assert_false(l->e.plan.allow_unix);
	assert_true(l->e.plan.network.on);
	assert_int_equal(mounted(l, "docs"), 'r');
	assert_int_equal(mounted(l, "work"), 'w');
	assert_int_equal(mounted(l, "code/server"), 'r');
	assert_int_equal(mounted(l, "bin/server"), 'l');
	assert_int_equal(mounted(l, "other"), ' ');
	assert_true(strv_contains(&l->e.plan.envp, "MODE=quiet"));
	assert_true(strv_contains(&l->e.plan.envp, "API_TOKEN=abc"));
}

static void the_shim_enforces_what_was_shown(void **state)
{
	struct launch *l = *state;
	const struct shim_config *c = &l->e.shim;
	bool allowed;

	launch_describe(l);
	assert_int_equal(c->line_max, 1 << 20);
	assert_int_equal(c->args, SHIM_ARGS_KEYS);
	assert_false(c->client.sampling.on || c->client.elicitation.on);
	assert_int_equal(c->roots.n, 1);
	assert_string_equal(c->roots.v[0], LAUNCH_AT(l, "work"));
	assert_string_equal(c->stderr_prefix, "[notes] ");
	(void)!shim_rules_match(&c->scope[SHIM_TOOLS], "read_one", 8, &allowed);
	assert_true(allowed);
	(void)!shim_rules_match(&c->scope[SHIM_TOOLS], "write_one", 9, &allowed);
	assert_false(allowed);
	(void)!shim_rules_match(&c->scope[SHIM_PROMPTS], "ask", 3, &allowed);
	assert_true(allowed);
	(void)!shim_rules_match(&c->scope[SHIM_EXTENSIONS], "y/z", 3, &allowed);
	assert_false(allowed);
}

static void without_a_list_the_roots_are_what_is_granted_by_both_of_its_names(void **state)
{
	struct launch *l = *state;

	launch_link(l, "alias", "other");
	launch_edit(l, ", \"roots\": [\"~/work\"]", "");
	grant(l, "--ro", "alias");
	launch_describe(l);
	assert_true(strv_contains(&l->e.shim.roots, LAUNCH_AT(l, "docs")));
	assert_true(strv_contains(&l->e.shim.roots, LAUNCH_AT(l, "work")));
	assert_true(strv_contains(&l->e.shim.roots, LAUNCH_AT(l, "other")));
	assert_true(strv_contains(&l->e.shim.roots, LAUNCH_AT(l, "alias")));
	assert_int_equal(l->e.shim.roots.n, 4);
}

static void without_a_profile_it_is_named_by_its_package(void **state)
{
	struct launch *l = *state;

	launch_mkdir(l, "node_modules/@scope/tool");
	launch_put(l, "node_modules/@scope/tool/index.sh", 0755, "#!/bin/sh\n");
	l->file[0] = '\0';
	grant(l, "--", "sh");
	grant(l, "--", LAUNCH_AT(l, "node_modules/@scope/tool/index.sh"));
	launch_describe(l);
	assert_string_equal(l->e.name, "tool");
	assert_string_equal(l->e.subject, LAUNCH_AT(l, "node_modules/@scope/tool/index.sh"));
}

static void without_a_profile_the_working_directory_is_where_it_was_started_if_that_is_granted(void **state)
{
	struct launch *l = *state;

	l->file[0] = '\0';
	grant(l, "--", "true");
	launch_describe(l);
	assert_string_equal(l->e.plan.cwd, l->world->paths.home);
	grant(l, "--ro", "work");
	launch_describe(l);
	assert_string_equal(l->e.plan.cwd, l->workspace);
}

static void a_profile_without_one_starts_in_the_home_wherever_the_client_stands(void **state)
{
	struct launch *l = *state;

	launch_edit(l, ", \"cwd\": \"~/work\"", "");
	launch_describe(l);
	assert_string_equal(l->e.plan.cwd, l->world->paths.home);
}

/* --- refusals --- */

struct refusal {
	const char *words; /* of the message */
	int error, exit_hint;
	enum what what;
	const char *a, *b;
};

static const struct refusal refusals[] = {
	{ "'..'; write the directory itself", -EINVAL, EXIT_USAGE, GRANT, "--ro", "docs/../work" },
	{ "absent (--ro): No such file or directory; make it, or leave the option out", -ENOENT, EXIT_REFUSED, GRANT,
		"--ro", "absent" },
	{ "--env 1X: not the name of a variable", -EINVAL, EXIT_USAGE, GRANT, "--env", "1X" },
	{ "--env A=B: not the name of a variable", -EINVAL, EXIT_USAGE, GRANT, "--env", "A=B" },
	{ "--env : not the name of a variable", -EINVAL, EXIT_USAGE, GRANT, "--env", "" },
	{ "--setenv NAME: write NAME=VALUE", -EINVAL, EXIT_USAGE, GRANT, "--setenv", "NAME" },
	{ "--setenv =VALUE: write NAME=VALUE", -EINVAL, EXIT_USAGE, GRANT, "--setenv", "=VALUE" },
	{ "--setenv A-B=C: write NAME=VALUE", -EINVAL, EXIT_USAGE, GRANT, "--setenv", "A-B=C" },
	{ "--host", -EINVAL, EXIT_USAGE, GRANT, "--host", "*.com" },
	{ "working directory", -ENOENT, EXIT_REFUSED, GRANT, "--cwd", "other" },
	{ "it is not a socket", -ENOTSOCK, EXIT_REFUSED, CONTENT, "absent.socket", "text" },
	{ "absent.socket: No such file", -ENOENT, EXIT_REFUSED, PROFILE, "?~/absent.socket", "~/absent.socket" },
	{ "npx", -EPERM, EXIT_REFUSED, PROFILE, "\"sh\", \"~/bin/server\"", "\"npx\", \"-y\", \"notes\"" },
	{ "names it so: put its directory into PATH", -ENOENT, EXIT_NOT_FOUND, PROFILE, "\"sh\", ",
		"\"no-such-program-here\", " },
	{ "", -EACCES, EXIT_NOT_EXECUTABLE, PROFILE, "\"sh\", \"~/bin/server\"", "\"~/docs/one\"" },
	{ "not UTF-8", -EILSEQ, EXIT_REFUSED, GRANT, "--setenv", "A=\xff" },
	{ "not UTF-8", -EILSEQ, EXIT_REFUSED, ENVIRON, "NODE_OPTIONS=\xff", NULL },
	{ "level", -EINVAL, EXIT_REFUSED, SET, "level=high", NULL },
};

static void what_cannot_be_launched_is_refused_in_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		const struct refusal *row = &refusals[i];
		void *one;
		assert_int_equal(launch_up(&one), 0);
		struct launch *l = one;
		apply(l, &(struct row){ "", row->what, row->a, row->b, false });
		int r = launch_build(l);
		if (r != row->error || l->e.exit_hint != row->exit_hint || !strstr(l->d.text, row->words) ||
			!*l->d.text)
			fail_msg("row %zu: %d, exit %d: %s", i, r, l->e.exit_hint, l->d.text);
		assert_int_equal(launch_down(&one), 0);
	}
}

static void an_empty_path_is_no_grant_of_the_working_directory(void **state)
{
	struct launch *l = *state;

	assert_int_equal(strv_add(&l->grants.read, ""), 0);
	assert_int_equal(launch_build(l), -EINVAL);
	assert_non_null(strstr(l->d.text, "--ro: the path is empty"));
}

static void a_failure_without_words_of_its_own_does_not_borrow_those_of_another(void **state)
{
	struct launch *l = *state;
	size_t n = (1 << 20) + 1;
	char *word = malloc(n + 1);

	assert_non_null(word);
	memset(word, 'x', n);
	word[n] = '\0';
	l->file[0] = '\0';
	grant(l, "--", "sh");
	grant(l, "--", LAUNCH_AT(l, "code/server"));
	grant(l, "--", word);
	free(word);
	int r = launch_build(l);
	assert_true(r < 0 && r != -ENOMEM);
	assert_non_null(strstr(l->d.text, "cannot prepare the launch: "));
}

static void below_tmp_there_is_only_what_leads_to_a_grant(void **state)
{
	struct launch *l = *state;

	l->file[0] = '\0';
	grant(l, "--", "true");
	l->grants.cwd = strdup("/tmp");
	launch_describe(l);
	grant(l, "--ro", "docs");
	free(l->grants.cwd);
	l->grants.cwd = strdup(l->world->root);
	launch_describe(l);
	free(l->grants.cwd);
	l->grants.cwd = strdup(LAUNCH_AT(l, "other"));
	assert_int_equal(launch_build(l), -ENOENT);
	assert_non_null(strstr(l->d.text, "is not granted, so it does not exist for the server"));
}

static void a_fetcher_is_told_of_the_profile_that_there_is(void **state)
{
	struct launch *l = *state;

	launch_mkdir(l, ".config/stockade/profiles");
	launch_put(l, ".config/stockade/profiles/server-notes.json", 0644, "{}");
	l->file[0] = '\0';
	grant(l, "--", "npx");
	grant(l, "--", "-y");
	grant(l, "--", "@scope/server-notes@1.2");
	assert_int_equal(launch_build(l), -EPERM);
	assert_non_null(strstr(l->d.text, "'stockade check server-notes' says what it grants"));
	free(l->grants.command.v[2]);
	l->grants.command.v[2] = strdup("@scope/server-others@1.2");
	assert_int_equal(launch_build(l), -EPERM);
	assert_null(strstr(l->d.text, "There is a profile for it"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, launch_up, launch_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_digest_binds_this_and_nothing_else),
		T(code_that_root_alone_can_change_is_bound_by_path),
		T(the_digest_is_that_of_what_an_approval_stores),
		T(all_that_a_profile_grants_is_shown_with_its_place),
		T(every_grant_and_every_cut_names_the_file_that_it_is_from),
		T(the_opposite_of_each_wall_is_shown_too),
		cmocka_unit_test(what_is_protected_is_counted_in_words),
		T(what_an_older_landlock_lacks_is_named_and_not_bound),
		T(what_the_command_line_grants_says_so),
		T(hosts_are_marked_by_their_danger),
		T(a_launch_without_network_has_its_own_loopback_alone),
		T(ports_that_are_published_alone_reach_nothing),
		T(a_socket_opens_every_socket_that_is_granted_and_says_so),
		T(keys_homes_and_systems_are_marked),
		T(code_that_the_server_may_write_is_never_remembered),
		T(a_link_to_the_code_that_the_server_may_write_is_never_remembered),
		T(a_steering_variable_that_names_a_writable_place_is_never_remembered),
		T(the_plan_holds_what_was_shown),
		T(the_shim_enforces_what_was_shown),
		T(without_a_list_the_roots_are_what_is_granted_by_both_of_its_names),
		T(without_a_profile_it_is_named_by_its_package),
		T(without_a_profile_the_working_directory_is_where_it_was_started_if_that_is_granted),
		T(a_profile_without_one_starts_in_the_home_wherever_the_client_stands),
		cmocka_unit_test(what_cannot_be_launched_is_refused_in_words),
		T(an_empty_path_is_no_grant_of_the_working_directory),
		T(a_failure_without_words_of_its_own_does_not_borrow_those_of_another),
		T(below_tmp_there_is_only_what_leads_to_a_grant),
		T(a_fetcher_is_told_of_the_profile_that_there_is),
	};
	return become_unprivileged() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
