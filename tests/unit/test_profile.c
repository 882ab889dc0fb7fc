/* SPDX-License-Identifier: Apache-2.0 */
/* test_profile - every key taken or refused in words, files that are not believed, and what the curated profiles grant
 */
#include "tests/unit/unit.h"
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "supervisor/profile_parse.h"

#define HEAD "{\"stockade\": 1, \"name\": \"x\", \"command\": [\"prog\"]"
/* A profile with one more member, on its second line. */
#define WITH(member) HEAD ",\n" member "}"

static void parse_ok(const char *text, struct profile *ret)
{
	struct diag d = { 0 };

	if (profile_parse("x.json", text, strlen(text), NULL, ret, &d) < 0)
		fail_msg("%s", d.text);
}

struct bad {
	const char *text;
	const char *words; /* what the sentence must hold */
};

static void assert_bad(const struct bad *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_profile_ struct profile p = { 0 };
		struct diag d = { 0 };
		int r = profile_parse("x.json", cases[i].text, strlen(cases[i].text), NULL, &p, &d);

		if (r != -EINVAL)
			fail_msg("%d, not refused: %s", r, cases[i].text);
		if (!strstr(d.text, cases[i].words))
			fail_msg("'%s' is not in: %s", cases[i].words, d.text);
		if (strchr(d.text, '\n'))
			fail_msg("more than one line: %s", d.text);
	}
}
#define ASSERT_BAD(cases) assert_bad(cases, ARRAY_LEN(cases))

static void what_is_not_json_is_refused_with_its_line(void **state)
{
	static const struct bad cases[] = {
		{ "", "x.json:1: this is not JSON" },
		{ "\n\nhello", "x.json:3: this is not JSON" },
		{ "{\"stockade\": 1,\n}", "x.json:2: this is not JSON" },
		{ "{} {}", "this is not JSON" },
		{ "[]", "x.json:1: a profile is a JSON object, not a list" },
		{ "7", "a profile is a JSON object, not an integer" },
		{ "\xef\xbb\xbf{}", "x.json:1: begins with a byte order mark" },
		{ "{\n\"name\": \"\xff\"}", "x.json:2: is not valid UTF-8 (byte ff)" },
		{ "{\n\"name\": \"\xed\xa0\x80\"}", "x.json:2: is not valid UTF-8" },
		{ "{\"name\": \"a\\u0000b\"}", "this is not JSON" },
		{ "{// comment\n}", "this is not JSON" },
		{ "{\"a\": NaN}", "this is not JSON" },
		{ "{\"version\": 99999999999999999999999}", "this is not JSON" },
	};

	(void)state;
	ASSERT_BAD(cases);
}

static void a_nul_byte_is_refused(void **state)
{
	_cleanup_profile_ struct profile p = { 0 };
	struct diag d = { 0 };

	(void)state;
	assert_int_equal(profile_parse("x.json", "{\n\"a\0\": 1}", 10, NULL, &p, &d), -EINVAL);
	assert_string_equal(d.text, "x.json:2: holds a NUL byte; this is no text file");
}

static void deep_nesting_is_refused(void **state)
{
	static const int depths[] = { JSON_FILE_DEPTH_MAX, 1000, 100000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(depths); i++) {
		_cleanup_free_ char *text = calloc(1, (size_t)depths[i] * 2 + 32);
		_cleanup_profile_ struct profile p = { 0 };
		struct diag d = { 0 };
		size_t n = (size_t)depths[i], head = strlen("{\"pins\":");

		strcpy(text, "{\"pins\":");
		memset(text + head, '[', n);
		memset(text + head + n, ']', n);
		strcat(text, "}");
		assert_int_equal(profile_parse("x.json", text, strlen(text), NULL, &p, &d), -EINVAL);
		assert_non_null(strstr(d.text, "nested deeper than 32"));
	}
}

static void duplicate_keys_are_refused_at_any_depth(void **state)
{
	static const struct bad cases[] = {
		{ "{\"name\": \"a\",\n\"name\": \"b\"}", "x.json:2: the key \"name\" is given twice" },
		{ WITH("\"env\": {\"set\": {\"A\": \"1\",\n\"A\": \"2\"}}"), "x.json:3: the key \"A\" is given twice" },
		{ WITH("\"tools\": {}, \"t\\u006fols\": {}"), "is given twice" },
	};

	(void)state;
	ASSERT_BAD(cases);
}

static void unknown_keys_are_refused_with_line_and_suggestion(void **state)
{
	static const struct bad cases[] = {
		{ WITH("\"tool\": {}"), "x.json:2: unknown key 'tool', did you mean 'tools'?" },
		{ WITH("\"tools\": {\n\"alow\": []}"), "x.json:3: unknown key 'tools.alow', did you mean 'allow'?" },
		{ WITH("\"protect\": \"none\""), "unknown key 'protect', did you mean 'filesystem.protect'?" },
		{ WITH("\"limits.files\": 20"), "unknown key 'limits.files'" },
		{ WITH("\"zzzzzzzz\": 1"), "unknown key 'zzzzzzzz'; stockade's profile format has no such key" },
		{ WITH("\"Tools\": {}"), "unknown key 'Tools', did you mean 'tools'?" },
		{ WITH("\"\\u001b[2J\": 1"), "unknown key '\\x1b[2J'" },
		{ WITH("\"parameters\": {\"a\": {\"type\": \"string\", \"mny\": true}}"),
			"unknown key 'parameters.a.mny', did you mean 'many'?" },
		{ WITH("\"tools\": {\"allow\": [{\"name\": \"a\", \"confrm\": true}]}"),
			"unknown key 'tools.allow.confrm', did you mean 'confirm'?" },
	};

	(void)state;
	ASSERT_BAD(cases);
}

static void wrong_types_are_refused_with_line_and_both_types(void **state)
{
	static const struct bad cases[] = {
		{ "{\"stockade\": \"1\"}", "x.json:1: stockade must be an integer, not a string" },
		{ WITH("\"version\": 1.0"), "x.json:2: version must be an integer, not a number with a fraction" },
		{ WITH("\"limits\": {\n\n\"files\": \"1024\"}"),
			"x.json:4: limits.files must be an integer, not a string" },
		{ WITH("\"filesystem\": []"), "filesystem must be an object, not a list" },
		{ WITH("\"filesystem\": {\"read\": \"/srv\"}"),
			"filesystem.read must be a list of strings, not a string" },
		{ WITH("\"filesystem\": {\"read\": [\n\"/srv\",\n7]}"),
			"x.json:4: filesystem.read must hold strings only, and item 2 is an integer" },
		{ WITH("\"client\": {\"sampling\": \"yes\"}"), "client.sampling must be true or false, not a string" },
		{ WITH("\"client\": {\"sampling\": null}"), "client.sampling must be true or false, not null" },
		{ WITH("\"env\": {\"set\": {\"A\": 1}}"),
			"env.set gives an integer to A; a variable's value is a string" },
		{ WITH("\"tools\": {\"allow\": [7]}"),
			"tools.allow must hold names (strings), and there is an integer" },
		{ WITH("\"tools\": {\"deny\": [{\"name\": \"a\"}]}"),
			"tools.deny must hold names (strings), and there is an object" },
		{ WITH("\"parameters\": {\"a\": \"string\"}"),
			"parameters.a must be an object with a \"type\", not a string" },
	};

	(void)state;
	ASSERT_BAD(cases);
}

static void wrong_values_are_refused_with_line_and_what_fits(void **state)
{
	static const struct bad cases[] = {
		{ "{\"stockade\": 2, \"new\": 1}",
			"x.json:1: stockade is 2: this version reads profiles of format 1 only" },
		{ "{\"name\": \"x\", \"command\": [\"a\"]}", "has no \"stockade\"" },
		{ "{\"stockade\": 1, \"command\": [\"a\"]}", "has no \"name\"" },
		{ "{\"stockade\": 1, \"name\": \"x\"}", "has no \"command\"" },
		{ "{\"stockade\": 1, \"name\": \"x\", \"command\": []}", "command names no program" },
		{ "{\"stockade\": 1, \"name\": \"x\", \"command\": [\"\"]}", "command names no program" },
		{ "{\"stockade\": 1, \"name\": \"../x\", \"command\": [\"a\"]}", "name must be made of" },
		{ "{\"stockade\": 1, \"name\": \"X\", \"command\": [\"a\"]}", "name must be made of" },
		{ WITH("\"version\": 0"), "version is 0; it must lie between 1 and" },
		{ WITH("\"limits\": {\"processes\": -1}"), "limits.processes is -1; it must lie between 1 and 65536" },
		{ WITH("\"limits\": {\"message\": \"11MiB\"}"),
			"limits.message must lie between 4096 and 10485760 bytes" },
		{ WITH("\"filesystem\": {\"tmp\": \"256MB\"}"), "filesystem.tmp must be a size" },
		{ WITH("\"filesystem\": {\"tmp\": \" 1MiB\"}"), "filesystem.tmp must be a size" },
		{ WITH("\"filesystem\": {\"home\": \"privat\"}"),
			"filesystem.home cannot be \"privat\"; did you mean \"private\"?" },
		{ WITH("\"filesystem\": {\"protect\": \"off\"}"),
			"filesystem.protect cannot be \"off\"; it is \"none\" or \"default\"" },
		{ WITH("\"seccomp\": \"unconfined\""),
			"seccomp cannot be \"unconfined\"; it is \"default\" or \"browser\"" },
		{ WITH("\"audit\": {\"arguments\": \"all\"}"), "audit.arguments cannot be \"all\"" },
		{ WITH("\"audit\": {\"delete_after\": \"90\"}"), "audit.delete_after must be a time" },
		{ WITH("\"env\": {\"pass\": [\"A=1\"]}"), "that belongs into env.set" },
		{ WITH("\"env\": {\"pass\": [\"1A\"]}"), "\"1A\", which is no name of an environment variable" },
		{ WITH("\"env\": {\"set\": {\"A B\": \"\"}}"), "\"A B\", which is no name of an environment variable" },
		{ WITH("\"env\": {\"pass\": [\"TOKEN\"],\n\"set\": {\"TOKEN\": \"\"}}"),
			"x.json:2 (env.pass): TOKEN is set by x.json:3 (env.set) as well" },
		{ WITH("\"tools\": {\"deny\": [\"delete_?\"]}"), "'*' is the only character that stands for others" },
		{ WITH("\"tools\": {\"deny\": [\"\"]}"), "has an empty name, which nothing matches" },
		{ WITH("\"tools\": {\"allow\": [{}]}"), "tools.allow has a rule without \"name\"" },
		{ WITH("\"reviewed\": \"yesterday\""), "reviewed must be a date or a UTC time" },
		{ WITH("\"reviewed\": \"2026-02-30\""), "reviewed must be a date or a UTC time" },
		{ WITH("\"expires\": \"2027-04-01T00:00:00+02:00\""), "expires must be a date or a UTC time" },
		{ WITH("\"expires\": \"2020-01-01T00:00:00Z\""),
			"expires is over (2020-01-01T00:00:00Z): an expired profile starts nothing" },
		{ WITH("\"package\": {\"version\": \"1\"}"), "package has neither \"npm\" nor \"pypi\"" },
		{ WITH("\"package\": {\"npm\": \"a\", \"pypi\": \"b\"}"), "is the second package of this profile" },
	};

	(void)state;
	ASSERT_BAD(cases);
}

static void paths_that_cannot_become_absolute_are_refused(void **state)
{
	static const struct bad cases[] = {
		{ WITH("\"filesystem\": {\"read\": [\"src\"]}"), "filesystem.read has the relative path \"src\"" },
		{ WITH("\"filesystem\": {\"write\": [\"./src\"]}"),
			"filesystem.write has the relative path \"./src\"" },
		{ WITH("\"filesystem\": {\"read\": [\"\"]}"), "has the relative path \"\"" },
		{ WITH("\"filesystem\": {\"read\": [\"?\"]}"), "has the relative path \"?\"" },
		{ WITH("\"filesystem\": {\"read\": [\"/srv/../etc\"]}"), "\"/srv/../etc\" with '..' in it" },
		{ WITH("\"filesystem\": {\"read\": [\"~/..\"]}"), "with '..' in it" },
		{ WITH("\"filesystem\": {\"read\": [\"~root/x\"]}"), "the home of another user is not looked up" },
		{ WITH("\"filesystem\": {\"read\": [\"$HOME/x\"]}"), "has the relative path" },
		{ WITH("\"filesystem\": {\"read\": [\"/x/${dir}\"]}"),
			"x.json:2 (filesystem.read): ${dir} names nothing" },
		{ WITH("\"filesystem\": {\"read\": [\"${PATH}\"]}"), "variables of the environment are not put in" },
		{ WITH("\"filesystem\": {\"read\": [\"${workspac}\"]}"), "did you mean ${workspace}?" },
		{ WITH("\"filesystem\": {\"read\": [\"${workspace\"]}"), "a \"${\" has no \"}\"" },
		{ WITH("\"filesystem\": {\"deny\": [\"**/../x\"]}"), "which no file's path has the form of" },
		{ WITH("\"filesystem\": {\"deny\": [\"[a-z]\"]}"), "only '*' and '**' stand for something else" },
		{ WITH("\"cwd\": \"sub\""), "cwd has the relative path" },
		{ WITH("\"cwd\": \"?/srv\""), "cwd cannot be optional" },
		{ WITH("\"ipc\": {\"unix\": [\"@abstract\"]}"), "ipc.unix has the relative path" },
		{ WITH("\"client\": {\"roots\": [\"file:///srv\"]}"), "client.roots has the relative path" },
	};

	(void)state;
	ASSERT_BAD(cases);
}

static void what_this_version_does_not_enforce_is_refused_in_those_words(void **state)
{
	static const struct bad cases[] = {
		{ WITH("\"network\": {\"allow\": [\"api.github.com:443\"]}"),
			"x.json:2: network.allow cannot be kept: this version does not enforce egress by name" },
		{ WITH("\"network\": {\"publish\": [8080]}"), "network.publish cannot be kept" },
		{ WITH("\"limits\": {\"memory\": \"1GiB\"}"), "limits.memory cannot be kept" },
		{ WITH("\"limits\": {\"cpu\": \"200%\"}"), "limits.cpu cannot be kept" },
		{ WITH("\"tools\": {\"rate\": \"60/min\"}"),
			"tools.rate cannot be kept: this version does not enforce rates yet" },
		{ WITH("\"tools\": {\"allow\": [{\"name\": \"a\", \"rate\": \"1/min\"}]}"),
			"tools.allow.rate cannot be kept" },
		{ WITH("\"tools\": {\"allow\": [{\"name\": \"a\",\n\"confirm\": true}]}"),
			"x.json:3: tools.allow.confirm cannot be kept" },
		{ WITH("\"tools\": {\"allow\": [{\"name\": \"a\", \"arguments\": {}}]}"),
			"tools.allow.arguments cannot be kept" },
		{ WITH("\"package\": {\"npm\": \"a\", \"integrity\": \"sha512-x\"}"),
			"package.integrity cannot be kept" },
		{ WITH("\"pins\": {}"), "nothing is started with a rule that is not kept" },
	};

	(void)state;
	ASSERT_BAD(cases);
}

static void bad_parameters_are_refused(void **state)
{
#define PARAM(name, body) WITH("\"parameters\": {\"" name "\": {" body "}}")
	static const struct bad cases[] = {
		{ PARAM("a", ""), "parameters.a has no \"type\"" },
		{ PARAM("a", "\"type\": \"dir\""), "parameters.a.type cannot be \"dir\"" },
		{ PARAM("A", "\"type\": \"string\""), "has the name 'A'" },
		{ PARAM("workspace", "\"type\": \"string\""), "has the name 'workspace'" },
		{ PARAM("a", "\"type\": \"string\", \"within\": [\"/srv\"]"),
			"which only a directory or a file can have" },
		{ PARAM("a", "\"type\": \"integer\", \"choices\": [\"1\"]"), "which only a string can have" },
		{ PARAM("a", "\"type\": \"directory\", \"within\": []"), "is an empty list, which nothing fits" },
		{ PARAM("a", "\"type\": \"string\",\n\"default\": 7"),
			"x.json:3: parameters.a has a default that is an integer, for a parameter of type string" },
		{ PARAM("a", "\"type\": \"integer\", \"default\": \"7\""), "has a default that is a string" },
		{ PARAM("a", "\"type\": \"integer\", \"default\": -7"), "must be an integer from 0" },
		{ PARAM("a", "\"type\": \"boolean\", \"default\": \"true\""), "has a default that is a string" },
		{ PARAM("a", "\"type\": \"string\", \"choices\": [\"one\", \"two\"], \"default\": \"twoo\""),
			"did you mean \"two\"" },
		{ PARAM("a", "\"type\": \"string\", \"many\": true, \"default\": \"b\""),
			"takes many values, so its default is a list" },
		{ PARAM("a", "\"type\": \"directory\", \"within\": [\"${b}\"]"), "${b} names nothing" },
	};

	(void)state;
	ASSERT_BAD(cases);
}

static void a_list_longer_than_its_limit_is_refused(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(PROFILE_BYTES_MAX);
	_cleanup_profile_ struct profile p = { 0 };
	struct diag d = { 0 };

	(void)state;
	assert_int_equal(buf_puts(&b, HEAD ", \"tools\": {\"allow\": [\"t\""), 0);
	for (int i = 0; i < PROFILE_ITEMS_MAX; i++)
		assert_int_equal(buf_puts(&b, ",\n\"t\""), 0);
	assert_int_equal(buf_puts(&b, "]}}"), 0);
	assert_int_equal(profile_parse("x.json", b.data, b.len, NULL, &p, &d), -EINVAL);
	assert_non_null(strstr(d.text, "tools.allow has more than 1024 items"));
}

static const char whole[] =
	"{\n"
	"  \"$schema\": \"https://example.com/schema.json\",\n"
	"  \"stockade\": 1, \"name\": \"whole\", \"version\": 4, \"description\": \"d\",\n"
	"  \"owner\": \"o@example.com\", \"reviewed\": \"2026-10-01\", \"expires\": \"2999-04-01T00:00:00Z\",\n"
	"  \"approval\": {\"by\": \"a@example.com\", \"ticket\": \"SEC-1\"},\n"
	"  \"data\": {\"classification\": \"internal\", \"residency\": [\"eu\"]},\n"
	"  \"package\": {\"npm\": \"p\", \"version\": \"1.2.3\"},\n"
	"  \"parameters\": {\"dirs\": {\"type\": \"directory\", \"many\": true}, \"n\": {\"type\": \"integer\", "
	"\"default\": 3}},\n"
	"  \"command\": [\"node\", \"--n=${n}\", \"${dirs}\"], \"cwd\": \"~\",\n"
	"  \"env\": {\"set\": {\"FILE\": \"~/f\"}, \"pass\": [\"TOKEN\"]},\n"
	"  \"filesystem\": {\"read\": [\"${dirs}\",\n"
	"     \"?~/absent\"], \"write\": [], \"protect\": \"none\", \"deny\": [\"**/.env\", \"~/no\"], \"home\": "
	"\"private\", \"tmp\": \"1MiB\"},\n"
	"  \"network\": {\"allow\": [], \"publish\": []}, \"ipc\": {\"unix\": []}, \"seccomp\": \"browser\",\n"
	"  \"limits\": {\"processes\": 9, \"files\": 99, \"message\": \"1MiB\"},\n"
	"  \"tools\": {\"allow\": [\"get_*\",\n"
	"      {\"name\": \"create_issue\"}],\n"
	"    \"deny\": [\n\"delete_*\"]},\n"
	"  \"resources\": {\"allow\": [\"file:///?x=[1]\"]}, \"prompts\": {\"deny\": [\"p\"]}, \"extensions\": "
	"{\"allow\": [\"x/*\"]},\n"
	"  \"client\": {\"sampling\": true, \"elicitation\": true, \"roots\": [\"${dirs}\"]},\n"
	"  \"audit\": {\"arguments\": \"hash\", \"delete_after\": \"90d\"}\n"
	"}\n";

static void every_key_of_the_format_goes_where_it_belongs(void **state)
{
	_cleanup_profile_ struct profile p = { 0 };

	(void)state;
	parse_ok(whole, &p);
	assert_string_equal(p.name, "whole");
	assert_int_equal(p.version, 4);
	assert_string_equal(p.owner, "o@example.com");
	assert_string_equal(p.classification, "internal");
	assert_string_equal(p.package_kind, "npm");
	assert_string_equal(p.package_version, "1.2.3");
	assert_int_equal(p.n_params, 2);
	assert_true(p.params[0].required && p.params[0].many);
	assert_string_equal(p.params[1].fallback.v[0], "3");
	assert_int_equal(p.command.n, 3);
	assert_string_equal(p.env_set.v[0].value, "FILE=~/f");
	assert_string_equal(p.env_pass.v[0].value, "TOKEN");
	assert_string_equal(p.fs_read.v[1].value, "~/absent");
	assert_true(p.fs_read.v[1].optional);
	assert_string_equal(p.fs_read.v[1].where, "x.json:12 (filesystem.read)");
	assert_true(p.fs_write.set);
	assert_false(p.protect);
	assert_int_equal(p.home, HOME_PRIVATE);
	assert_int_equal(p.tmp_size, 1 << 20);
	assert_string_equal(p.seccomp, "browser");
	assert_int_equal(p.limit_processes, 9);
	assert_int_equal(p.limit_files, 99);
	assert_int_equal(p.limit_message, 1 << 20);
	assert_true(p.sampling && p.elicitation);
	assert_int_equal(p.audit_args, SHIM_ARGS_HASH);
	assert_string_equal(p.delete_after, "90d");
}

static void rules_carry_the_words_that_name_them(void **state)
{
	_cleanup_profile_ struct profile p = { 0 };
	const struct shim_rule *rule;
	bool allowed = true;

	(void)state;
	parse_ok(whole, &p);
	assert_true(p.tools.restricted);
	assert_string_equal(p.tools.otherwise, "x.json:15 (tools.allow)");
	rule = shim_rules_match(&p.tools, "delete_repo", 11, &allowed);
	assert_false(allowed);
	assert_string_equal(rule->where, "x.json:18 (tools.deny \"delete_*\")");
	rule = shim_rules_match(&p.tools, "create_issue", 12, &allowed);
	assert_true(allowed);
	assert_string_equal(rule->where, "x.json:16 (tools.allow \"create_issue\")");
	assert_null(shim_rules_match(&p.tools, "push", 4, &allowed));
	assert_false(allowed);
	assert_false(p.prompts.restricted);
	assert_true(p.extensions.restricted);
}

static void defaults_are_the_narrow_ones(void **state)
{
	_cleanup_profile_ struct profile p = { 0 }, none = { 0 };
	bool allowed = true;

	(void)state;
	parse_ok(HEAD "}", &p);
	assert_int_equal(profile_init_unprofiled(&none), 0);
	for (int i = 0; i < 2; i++) {
		const struct profile *x = i ? &none : &p;

		assert_true(x->protect);
		assert_int_equal(x->home, HOME_EMPTY);
		assert_string_equal(x->seccomp, "default");
		assert_int_equal(x->limit_message, SHIM_LINE_DEFAULT);
		assert_false(x->tools.restricted || x->sampling || x->elicitation);
		assert_int_equal(x->audit_args, SHIM_ARGS_KEYS);
		assert_int_equal(x->fs_read.n + x->fs_write.n + x->unix_sockets.n + x->roots.n + x->env_pass.n, 0);
		assert_null(shim_rules_match(&x->extensions, "a/b", 3, &allowed));
		assert_false(allowed);
	}
	assert_null(none.file);
}

static bool says(const struct profile *p, const char *words)
{
	for (size_t i = 0; i < p->not_enforced.n; i++)
		if (strstr(p->not_enforced.v[i], words))
			return true;
	return false;
}

static void what_is_promised_and_not_enforced_is_said(void **state)
{
	_cleanup_profile_ struct profile p = { 0 }, none = { 0 };

	(void)state;
	parse_ok(whole, &p);
	assert_int_equal(profile_init_unprofiled(&none), 0);
	assert_true(says(&p, "60 a minute") && says(&none, "60 a minute"));
	assert_true(says(&p, "memory") && says(&p, "pinned") && says(&p, "signatures"));
	assert_true(says(&p, "package names") && says(&p, "deletes no records"));
	assert_false(says(&none, "signatures") || says(&none, "package names"));
}

/* --- expansion: a home with directories to grant --- */

struct world {
	char root[64], home[80];
	struct paths paths;
};

static char *at(const struct world *w, const char *rest, char ret[256])
{
	snprintf(ret, 256, "%s%s", w->home, rest);
	return ret;
}

static int set_up(void **state)
{
	static const char *const dirs[] = { "", "/src", "/src/a", "/src/b", "/other", "/.config", "/.config/stockade",
		"/.config/stockade/profiles" };
	static struct world w;
	struct diag d = { 0 };
	char path[256];

	w = (struct world){ .root = "/tmp/stockade-profile-XXXXXX" };
	assert_non_null(mkdtemp(w.root));
	assert_int_equal(chmod(w.root, 0755), 0);
	snprintf(w.home, sizeof(w.home), "%s/home", w.root);
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		assert_int_equal(mkdir(at(&w, dirs[i], path), 0700), 0);
	setenv("HOME", w.home, 1);
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("XDG_STATE_HOME");
	unsetenv("XDG_RUNTIME_DIR");
	if (paths_init(&w.paths, &d) < 0)
		fail_msg("%s", d.text);
	*state = &w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;
	char command[128];

	paths_done(&w->paths);
	snprintf(command, sizeof(command), "rm -rf %s", w->root);
	return system(command);
}

/* sets: words with a '+' for the home in front of them, NULL-terminated. */
static int expand(struct world *w, const char *text, const char *const *sets, const char *workspace, struct profile *p,
	struct diag *d)
{
	_cleanup_strv_ struct strv given = { 0 };
	struct profile_args a = { .paths = &w->paths, .sets = &given, .workspace = workspace };

	parse_ok(text, p);
	for (; sets && *sets; sets++) {
		const char *plus = strchr(*sets, '+');

		assert_int_equal(plus ? strv_addf(&given, "%.*s%s%s", (int)(plus - *sets), *sets, w->home, plus + 1)
				      : strv_add(&given, *sets),
			0);
	}
	return profile_expand(p, &a, d);
}

static void references_are_put_in_and_many_values_become_many_items(void **state)
{
	static const char *const sets[] = { "dirs=+/src/a", "dirs=~/src/./b/", NULL };
	_cleanup_profile_ struct profile p = { 0 };
	struct world *w = *state;
	struct diag d = { 0 };
	char path[256];

	if (expand(w, whole, sets, NULL, &p, &d) < 0)
		fail_msg("%s", d.text);
	assert_int_equal(p.command.n, 4);
	assert_string_equal(p.command.v[1].value, "--n=3");
	assert_string_equal(p.command.v[2].value, at(w, "/src/a", path));
	assert_string_equal(p.command.v[3].value, at(w, "/src/b", path));
	assert_int_equal(p.fs_read.n, 2);
	assert_string_equal(p.fs_read.v[1].value, at(w, "/src/b", path));
	assert_string_equal(p.fs_read.v[1].where, "x.json:11 (filesystem.read)");
	assert_string_equal(p.roots.v[0].value, at(w, "/src/a", path));
	assert_string_equal(p.cwd.value, w->home);
	assert_string_equal(p.env_set.v[0].value + strlen("FILE="), at(w, "/f", path));
	assert_string_equal(p.fs_deny.v[0].value, "**/.env");
	assert_string_equal(p.fs_deny.v[1].value, at(w, "/no", path));
}

static void an_optional_path_stays_when_it_is_there(void **state)
{
	static const char *const sets[] = { "dirs=+/src/a", NULL };
	_cleanup_profile_ struct profile p = { 0 };
	struct world *w = *state;
	struct diag d = { 0 };
	char path[256];

	assert_int_equal(mkdir(at(w, "/absent", path), 0700), 0);
	assert_int_equal(expand(w, whole, sets, NULL, &p, &d), 0);
	assert_int_equal(p.fs_read.n, 2);
	assert_string_equal(p.fs_read.v[1].value, path);
}

struct refusal {
	const char *text;
	const char *sets[3];
	const char *words;
};

static void assert_refusals(struct world *w, const struct refusal *cases, size_t n, const char *workspace)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_profile_ struct profile p = { 0 };
		struct diag d = { 0 };

		if (expand(w, cases[i].text, cases[i].sets, workspace, &p, &d) >= 0)
			fail_msg("not refused: %s", cases[i].text);
		if (!strstr(d.text, cases[i].words))
			fail_msg("'%s' is not in: %s", cases[i].words, d.text);
	}
}

static void sets_that_do_not_fit_are_refused_with_what_to_do(void **state)
{
#define DIRS	  WITH("\"parameters\": {\"dirs\": {\"type\": \"directory\", \"many\": true, \"within\": [\"~/src\"]}}")
#define ONE(body) WITH("\"parameters\": {\"one\": {" body "}}")
	static const struct refusal cases[] = {
		{ DIRS, { NULL },
			"the profile x needs its parameter 'dirs' (directory): give it with --set "
			"dirs=/path/of/a/directory" },
		{ DIRS, { "dir=/srv" }, "the profile x has no parameter 'dir'; did you mean 'dirs'?" },
		{ DIRS, { "dirs" }, "--set dirs gives no value; write --set dirs=VALUE" },
		{ DIRS, { "dirs=" }, "parameter 'dirs' is empty" },
		{ DIRS, { "dirs=src" }, "is a relative path" },
		{ DIRS, { "dirs=+/src/none" }, "there is no such file or directory" },
		{ DIRS, { "dirs=+/other" }, "does not lie within ~/src, as x.json:2 (parameters.dirs) demands" },
		{ DIRS, { "dirs=+/src/../other" }, "does not lie within ~/src" },
		{ DIRS, { "dirs=+/src/link" }, "does not lie within ~/src" },
		{ DIRS, { "dirs=+/src/file" }, "is not a directory" },
		{ HEAD "}", { "a=b" }, "the profile x takes no parameters" },
		{ ONE("\"type\": \"string\""), { "one=a", "one=b" }, "--set one is given twice" },
		{ ONE("\"type\": \"string\", \"choices\": [\"info\", \"debug\"]"), { "one=infoo" },
			"did you mean \"info\"" },
		{ ONE("\"type\": \"string\""), { "one=a\nb" }, "control characters" },
		{ ONE("\"type\": \"integer\""), { "one=1e3" }, "must be an integer from 0, not \"1e3\"" },
		{ ONE("\"type\": \"boolean\""), { "one=yes" }, "must be true or false, not \"yes\"" },
		{ ONE("\"type\": \"file\""), { "one=+/src" }, "is not a regular file" },
	};
	struct world *w = *state;
	char link[256], to[256];
	FILE *f = fopen(at(w, "/src/file", link), "we");

	assert_non_null(f);
	fclose(f);
	assert_int_equal(symlink(at(w, "/other", to), at(w, "/src/link", link)), 0);
	assert_refusals(w, cases, ARRAY_LEN(cases), NULL);
}

static void paths_that_are_not_there_or_not_absolute_are_refused_when_expanded(void **state)
{
#define STR(path) WITH("\"parameters\": {\"s\": {\"type\": \"string\"}}, \"filesystem\": {\"read\": [\n\"" path "\"]}")
	static const struct refusal cases[] = {
		{ WITH("\"filesystem\": {\"read\": [\"~/gone\"]}"), { NULL }, "x.json:2 (filesystem.read): " },
		{ WITH("\"filesystem\": {\"read\": [\"~/gone\"]}"), { NULL }, "put '?' before it if it may be absent" },
		{ STR("/srv/${s}"), { "s=../etc" },
			"x.json:3 (filesystem.read): \"/srv/../etc\" is a path with '..' in it" },
		{ STR("${s}"), { "s=etc" }, "\"etc\" is a relative path; it must be absolute" },
		{ WITH("\"filesystem\": {\"read\": [\"${package}/x\"]}"), { NULL }, "${package} is not known" },
		{ WITH("\"ipc\": {\"unix\": [\"/run/user\"]}"), { NULL }, "cannot be granted" },
	};
	static const struct refusal many[] = {
		{ "{\"stockade\": 1, \"name\": \"x\", \"command\": [\"a\", \"--d=${d}\"], \"parameters\": {\"d\": "
		  "{\"type\": \"string\", \"many\": true}}}",
			{ "d=1" }, "${d} takes many values, so it can only stand alone" },
		{ "{\"stockade\": 1, \"name\": \"x\", \"command\": [\"${d}\"], \"parameters\": {\"d\": {\"type\": "
		  "\"string\", \"many\": true, \"default\": []}}}",
			{ NULL }, "the command is empty once its parameters are put in" },
	};
	struct world *w = *state;
	bool runtime = access("/run/user", F_OK) == 0;

	assert_refusals(w, cases, ARRAY_LEN(cases) - (runtime ? 0 : 1), NULL);
	assert_refusals(w, many, ARRAY_LEN(many), NULL);
}

static void the_workspace_is_never_the_home_or_a_directory_of_the_system(void **state)
{
#define WORKSPACE WITH("\"filesystem\": {\"read\": [\"${workspace}\"]}")
	static const struct refusal home[] = { { WORKSPACE, { NULL }, "the whole home is never granted that way" } };
	static const struct refusal system[] = { { WORKSPACE, { NULL },
		"a directory of the system is never granted that way" } };
	static const struct refusal own[] = { { WORKSPACE, { NULL }, "stockade's own configuration" } };
	static const struct refusal above[] = { { WORKSPACE, { NULL }, "it contains" } };
	static const struct refusal none[] = { { WORKSPACE, { NULL }, "${workspace} is not known" } };
	static const char *const systems[] = { "/", "/usr", "/usr/lib", "/etc", "/etc/ssl", "/tmp", "/home", "/run" };
	_cleanup_profile_ struct profile p = { 0 };
	struct world *w = *state;
	struct diag d = { 0 };
	char path[256];

	assert_refusals(w, home, 1, w->home);
	for (size_t i = 0; i < ARRAY_LEN(systems); i++)
		assert_refusals(w, system, 1, systems[i]);
	assert_refusals(w, own, 1, at(w, "/.config/stockade/profiles", path));
	assert_refusals(w, above, 1, w->root);
	assert_refusals(w, none, 1, NULL);
	assert_int_equal(expand(w, WORKSPACE, NULL, at(w, "/src", path), &p, &d), 0);
	assert_string_equal(p.fs_read.v[0].value, path);
}

static void a_workspace_that_nobody_names_is_not_looked_at(void **state)
{
	_cleanup_profile_ struct profile p = { 0 };
	struct diag d = { 0 };

	assert_int_equal(expand(*state, HEAD "}", NULL, "/", &p, &d), 0);
}

static void an_expansion_that_explodes_is_refused(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(PROFILE_BYTES_MAX);
	_cleanup_strv_ struct strv sets = { 0 };
	_cleanup_profile_ struct profile p = { 0 };
	struct world *w = *state;
	struct diag d = { 0 };
	const struct profile_args a = { .paths = &w->paths, .sets = &sets };
	char value[PROFILE_STRING_MAX];

	memset(value, 'a', sizeof(value));
	value[0] = 's', value[1] = '=', value[sizeof(value) - 1] = '\0';
	assert_int_equal(strv_add(&sets, value), 0);
	assert_int_equal(buf_puts(&b, HEAD ", \"parameters\": {\"s\": {\"type\": \"string\"}}, \"cwd\": \"/"), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(buf_puts(&b, "${s}"), 0);
	assert_int_equal(buf_puts(&b, "\"}"), 0);
	parse_ok(b.data, &p);
	assert_int_equal(profile_expand(&p, &a, &d), -E2BIG);
	assert_non_null(strstr(d.text, "becomes longer than"));
}

/* --- files --- */

static void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static void assert_load_fails(struct world *w, const char *name, int error, const char *words)
{
	_cleanup_profile_ struct profile p = { 0 };
	struct diag d = { 0 };
	int r = profile_load(&w->paths, name, &p, &d);

	if (r != error || !strstr(d.text, words))
		fail_msg("%d, '%s' is not in: %s", r, words, d.text);
}

static void a_profile_is_found_by_name_and_by_path(void **state)
{
	struct world *w = *state;
	char path[256];

	write_file(at(w, "/.config/stockade/profiles/x.json", path), HEAD "}", 0600);
	for (int i = 0; i < 2; i++) {
		_cleanup_profile_ struct profile p = { 0 };
		struct diag d = { 0 };

		if (profile_load(&w->paths, i ? path : "x", &p, &d) < 0)
			fail_msg("%s", d.text);
		assert_string_equal(p.file, path);
		assert_string_equal(p.name, "x");
	}
}

static void a_profile_that_is_not_there_is_refused_with_where_and_what_is_near(void **state)
{
	struct world *w = *state;
	char path[256];

	write_file(at(w, "/.config/stockade/profiles/githubs.json", path), HEAD "}", 0600);
	assert_load_fails(
		w, "gitlabber", -ENOENT, "there is no profile 'gitlabber' (looked in /etc/stockade/profiles, ");
	assert_load_fails(w, "github", -ENOENT, "did you mean 'githubs'?");
	assert_load_fails(w, "/nowhere/x.json", -ENOENT, "cannot be opened");
	assert_load_fails(w, "../x", -ENOENT, "cannot be opened");
	assert_load_fails(w, "GitHub", -EINVAL, "is no profile's name");
	assert_load_fails(w, "", -EINVAL, "is no profile's name");
	assert_load_fails(w, ".", -EINVAL, "is no profile's name");
}

static void the_name_inside_must_be_the_name_of_the_file(void **state)
{
	struct world *w = *state;
	char path[256];

	write_file(at(w, "/.config/stockade/profiles/y.json", path), HEAD "}", 0600);
	assert_load_fails(w, "y", -EINVAL, "y.json:1: the profile calls itself \"x\", but its file is \"y.json\"");
}

static void a_file_that_is_not_to_be_believed_is_refused_and_never_skipped(void **state)
{
	struct world *w = *state;
	char path[256], link[256];
	_cleanup_free_ char *huge = malloc(PROFILE_BYTES_MAX + 2);

	write_file(at(w, "/.config/stockade/profiles/x.json", path), HEAD "}", 0620);
	assert_load_fails(w, "x", -EPERM, "can be written by others");
	assert_load_fails(w, path, -EPERM, "can be written by others");
	assert_int_equal(chmod(path, 0602), 0);
	assert_load_fails(w, "x", -EPERM, "can be written by others");
	if (getuid() == 0) {
		assert_int_equal(chmod(path, 0600) + chown(path, 1, 1), 0);
		assert_load_fails(w, "x", -EPERM, "belongs to user 1");
	}
	assert_int_equal(rename(path, at(w, "/.config/stockade/real.json", link)), 0);
	assert_int_equal(symlink(link, path), 0);
	assert_load_fails(w, "x", -ELOOP, "it is a symbolic link");
	assert_int_equal(unlink(path) + mkdir(path, 0700), 0);
	assert_load_fails(w, "x", -EINVAL, "is not a regular file");
	assert_int_equal(rmdir(path), 0);
	memset(huge, ' ', PROFILE_BYTES_MAX + 1);
	huge[PROFILE_BYTES_MAX + 1] = '\0';
	write_file(path, huge, 0600);
	assert_load_fails(w, "x", -E2BIG, "is longer than 1048576 bytes");
}

/* --- what we ship --- */

struct curated {
	const char *name;
	const char *set;		    /* its required parameter, or NULL */
	const char *allowed[4], *denied[4]; /* real tools of the real server */
};

static const struct curated curated[] = {
	{ "server-filesystem", "dirs=~/src", { "read_text_file", "list_directory", "search_files" },
		{ "write_file", "edit_file", "move_file", "create_directory" } },
	{ "server-filesystem-rw", "dirs=~/src", { "read_text_file", "write_file", "move_file" }, { "unheard_of" } },
	{ "server-memory", NULL, { "read_graph", "create_entities", "delete_relations" }, { "unheard_of" } },
	{ "server-sequential-thinking", NULL, { "sequentialthinking" }, { "unheard_of" } },
	{ "server-everything", NULL, { "echo", "get-sum", "trigger-long-running-operation" }, { NULL } },
	{ "mcp-server-git", "repository=~/src", { "git_status", "git_diff_staged", "git_log" },
		{ "git_commit", "git_reset", "git_checkout", "git_add" } },
	{ "mcp-server-time", NULL, { "get_current_time", "convert_time" }, { "unheard_of" } },
};

static void assert_tools(const struct profile *p, const char *const *names, size_t n, bool wanted)
{
	for (size_t i = 0; i < n && names[i]; i++) {
		bool allowed = !wanted;

		shim_rules_match(&p->tools, names[i], strlen(names[i]), &allowed);
		if (allowed != wanted)
			fail_msg("%s: %s is %s", p->name, names[i], allowed ? "allowed" : "denied");
	}
}

static void every_curated_profile_loads_expands_and_grants_what_it_says(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(curated); i++) {
		const char *const sets[] = { curated[i].set, NULL };
		_cleanup_strv_ struct strv given = { 0 };
		_cleanup_profile_ struct profile p = { 0 };
		const struct profile_args a = { .paths = &w->paths, .sets = &given };
		struct diag d = { 0 };
		char file[256];

		snprintf(file, sizeof(file), STOCKADE_PROFILES "/%s.json", curated[i].name);
		if (profile_load(&w->paths, file, &p, &d) < 0)
			fail_msg("%s", d.text);
		assert_true(!sets[0] || strv_add(&given, sets[0]) == 0);
		if (profile_expand(&p, &a, &d) < 0)
			fail_msg("%s", d.text);
		assert_tools(&p, curated[i].allowed, 4, true);
		assert_tools(&p, curated[i].denied, 4, false);
		assert_int_equal(p.fs_write.n, !strcmp(curated[i].name, "server-filesystem-rw"));
		assert_true(p.protect);
	}
}

static void no_profile_is_shipped_that_this_test_does_not_name(void **state)
{
	glob_t found;

	(void)state;
	assert_int_equal(glob(STOCKADE_PROFILES "/*server*.json", 0, NULL, &found), 0);
	assert_int_equal(found.gl_pathc, ARRAY_LEN(curated));
	globfree(&found);
}

int main(void)
{
#define T(f) cmocka_unit_test(f)
#define W(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(what_is_not_json_is_refused_with_its_line),
		T(a_nul_byte_is_refused),
		T(deep_nesting_is_refused),
		T(duplicate_keys_are_refused_at_any_depth),
		T(unknown_keys_are_refused_with_line_and_suggestion),
		T(wrong_types_are_refused_with_line_and_both_types),
		T(wrong_values_are_refused_with_line_and_what_fits),
		T(paths_that_cannot_become_absolute_are_refused),
		T(what_this_version_does_not_enforce_is_refused_in_those_words),
		T(bad_parameters_are_refused),
		T(a_list_longer_than_its_limit_is_refused),
		T(every_key_of_the_format_goes_where_it_belongs),
		T(rules_carry_the_words_that_name_them),
		T(defaults_are_the_narrow_ones),
		T(what_is_promised_and_not_enforced_is_said),
		W(references_are_put_in_and_many_values_become_many_items),
		W(an_optional_path_stays_when_it_is_there),
		W(sets_that_do_not_fit_are_refused_with_what_to_do),
		W(paths_that_are_not_there_or_not_absolute_are_refused_when_expanded),
		W(the_workspace_is_never_the_home_or_a_directory_of_the_system),
		W(a_workspace_that_nobody_names_is_not_looked_at),
		W(an_expansion_that_explodes_is_refused),
		W(a_profile_is_found_by_name_and_by_path),
		W(a_profile_that_is_not_there_is_refused_with_where_and_what_is_near),
		W(the_name_inside_must_be_the_name_of_the_file),
		W(a_file_that_is_not_to_be_believed_is_refused_and_never_skipped),
		W(every_curated_profile_loads_expands_and_grants_what_it_says),
		W(no_profile_is_shipped_that_this_test_does_not_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
