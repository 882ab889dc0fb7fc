/* SPDX-License-Identifier: Apache-2.0 */
/* test_profile - every key of the format, taken or refused in words with its line
 */
#include "tests/unit/unit.h"
#include <errno.h>
#include <stdio.h>
#include "supervisor/profile_parse.h"
#include "tests/unit/profile_unit.h"

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
		{ " \n", "the file is empty" },
		{ "{\"stockade\": 1,\n}", "take away the comma before it" },
		{ "{\"a\": [1, 2 , ]}", "take away the comma before it" },
		{ "{\"a\": [1, {}]]}", "this is not JSON: '}' expected near ']'" },
		{ "{\"a\": 1, // comment\n}", "JSON has no comments" },
		{ "{'a': 1}", "strings stand in double quotes" },
		{ "{\"a\": \"\t\"}", "write a tab as \\t" },
		{ "{\"version\": 99999999999999999999999}", "this is not JSON" },
	};

	(void)state;
	ASSERT_BAD(cases);
}

static void what_only_a_shell_would_put_in_is_refused_outside_the_command(void **state)
{
	static const struct bad cases[] = {
		{ WITH("\"env\": {\"set\": {\"A\": \"$HOME/x\"}}"),
			"$HOME is taken as it is written here; did you mean ${HOME}?" },
		{ WITH("\"env\": {\"set\": {\"A\": \"a:$workspace\"}}"), "did you mean ${workspace}?" },
		{ WITH("\"filesystem\": {\"deny\": [\"$HOME/.ssh\"]}"), "did you mean ${HOME}?" },
		{ WITH("\"env\": {\"set\": {\"A\": \"/run/$USER/x\"}}"), "$USER is not put in" },
		{ WITH("\"parameters\": {\"d\": {\"type\": \"string\"}}, \"env\": {\"set\": {\"A\": \"$d\"}}"),
			"did you mean ${d}?" },
	};
	static const char *const good[] = {
		WITH("\"env\": {\"set\": {\"A\": \"pa$$word $HOMER $5 ${HOME}\"}}"),
		"{\"stockade\": 1, \"name\": \"x\", \"command\": [\"sh\", \"-c\", \"echo $HOME\"]}",
	};

	(void)state;
	ASSERT_BAD(cases);
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		_cleanup_profile_ struct profile p = { 0 };
		parse_ok(good[i], &p);
	}
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

		memcpy(text, "{\"pins\":", head);
		memset(text + head, '[', n);
		memset(text + head + n, ']', n);
		text[head + 2 * n] = '}';
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
		{ WITH("\"tools\": {\n\"alloww\": []}"),
			"x.json:3: unknown key 'tools.alloww', did you mean 'allow'?" },
		{ WITH("\"protect\": \"none\""), "unknown key 'protect', did you mean 'filesystem.protect'?" },
		{ WITH("\"limits.files\": 20"), "unknown key 'limits.files'" },
		{ WITH("\"args\": [\"x\"]"),
			"unknown key 'args'; arguments follow the program in the list of 'command'" },
		{ WITH("\"mcpServers\": {}"), "a profile holds one server" },
		{ WITH("\"env\": {\"MODE\": \"x\"}"), "unknown key 'env.MODE'; a variable goes into 'env.set'" },
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
		{ WITH("\"client\": {\"sampling\": \"yes\"}"),
			"client.sampling must be true, false or an object with limits, not a string" },
		{ WITH("\"client\": {\"sampling\": null}"),
			"client.sampling must be true, false or an object with limits, not null" },
		{ WITH("\"client\": {\"sampling\": {\"max_token\": 1}}"), "did you mean 'max_tokens'?" },
		{ WITH("\"client\": {\"sampling\": {\"max_tokens\": 0}}"),
			"client.sampling.max_tokens is 0; it must lie between 1 and" },
		{ WITH("\"client\": {\"sampling\": {\"context\": \"all\"}}"),
			"it is \"thisServer\", \"none\" or \"allServers\"" },
		{ WITH("\"client\": {\"elicitation\": {\"url\": true}}"),
			"client.elicitation.url must be false or a list of hosts" },
		{ WITH("\"client\": {\"elicitation\": {\"url\": []}}"), "must be false or a list of hosts" },
		{ WITH("\"client\": {\"elicitation\": {\"url\": [\"*\"]}}"), "must name hosts, such as" },
		{ WITH("\"client\": {\"elicitation\": {\"url\": [\"10.0.0.1\"]}}"), "must name hosts, such as" },
		{ WITH("\"client\": {\"elicitation\": {\"url\": [\"localhost\"]}}"), "must name hosts, such as" },
		{ WITH("\"client\": {\"elicitation\": {\"url\": [\"*.com\"]}}"), "*.com" },
		{ WITH("\"client\": {\"elicitation\": {\"url\": [\"https://a.example\"]}}"), "https://a.example" },
		{ WITH("\"client\": {\"elicitation\": {\"url\": [\"log\u0456n.example\"]}}"), "xn--" },
		{ WITH("\"client\": {\"elicitation\": {\"form\": false}}"), "allows neither forms nor a host" },
		{ WITH("\"client\": {\"logging\": {\"level\": \"warn\"}}"), "client.logging.level cannot be \"warn\"" },
		{ WITH("\"client\": {\"logging\": {\"rate\": \"often\"}}"),
			"client.logging.rate must be calls in a time" },
		{ WITH("\"env\": {\"set\": {\"A\": 1}}"),
			"env.set gives an integer to A; a variable's value is a string" },
		{ WITH("\"tools\": {\"allow\": [7]}"),
			"tools.allow must hold names (strings), and there is an integer" },
		{ WITH("\"tools\": {\"deny\": [{\"name\": \"a\"}]}"),
			"tools.deny must hold names (strings), and there is an object" },
		{ WITH("\"tools\": {\"text\": \"neutralize\"}"),
			"tools.text cannot be \"neutralize\"; did you mean \"neutralise\"?" },
		{ WITH("\"tools\": {\"redact\": [\"mail\", \"cards\"]}"),
			"tools.redact has no set \"cards\"; did you mean \"card\"?" },
		{ WITH("\"tools\": {\"redact\": [\"everything\"]}"),
			"has no set \"everything\"; there are national, mail" },
		{ WITH("\"tools\": {\"redact\": [7]}"), "tools.redact must hold names of sets" },
		{ WITH("\"tools\": {\"redact\": [{\"name\": \"x\"}]}"), "has a rule without \"pattern\", which says" },
		{ WITH("\"tools\": {\"redact\": [{\"pattern\": \"x\"}]}"),
			"has a rule without \"name\", which stands in the mark" },
		{ WITH("\"tools\": {\"redact\": [{\"name\": \"mail\", \"pattern\": \"x\"}]}"), "or is that of a set" },
		{ WITH("\"tools\": {\"redact\": [{\"name\": \"x\", \"pattern\": \"(\"}]}"),
			"the pattern '(', which cannot be used" },
		{ WITH("\"tools\": {\"redact\": [{\"name\": \"x\", \"pattern\": \"y\", \"z\": 1}]}"),
			"unknown key 'tools.redact.z'" },
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
		{ WITH("\"tools\": {\"rate\": \"60\"}"), "tools.rate must be calls in a time, such as \"10/min\"" },
		{ WITH("\"tools\": {\"rate\": \"60/m\"}"), "tools.rate must be calls in a time" },
		{ WITH("\"tools\": {\"rate\": \"010/s\"}"), "tools.rate must be calls in a time" },
		{ WITH("\"tools\": {\"rate\": \" 1/s\"}"), "tools.rate must be calls in a time" },
		{ WITH("\"tools\": {\"rate\": \"0/s\"}"), "tools.rate must name 1 to 1000000 calls" },
		{ WITH("\"tools\": {\"total\": \"1000001/s\"}"), "tools.total must name 1 to 1000000 calls" },
		{ WITH("\"tools\": {\"time\": \"0s\"}"), "tools.time must be a time from \"1s\" to \"1d\"" },
		{ WITH("\"tools\": {\"time\": \"2m\"}"),
			"tools.time must be a time from \"1s\" to \"1d\": digits and s, min, h or d" },
		{ WITH("\"tools\": {\"output\": \"1\"}"), "tools.output must lie between 4096 and" },
		{ WITH("\"tools\": {\"allow\": [{\"name\": \"a\",\n\"output\": \"1MB\"}]}"),
			"x.json:3: tools.allow.output must be a size" },
		{ WITH("\"tools\": {\"allow\": [{\"name\": \"a\",\n\"rate\": \"1/week\"}]}"),
			"x.json:3: tools.allow.rate must be calls in a time" },
		{ WITH("\"limits\": {\"calls\": 1025}"), "limits.calls is 1025; it must lie between 1 and 1024" },
		{ WITH("\"limits\": {\"calls\": 0}"), "limits.calls is 0; it must lie between" },
		{ WITH("\"limits\": {\"message_server\": \"11MiB\"}"), "limits.message_server must lie between" },
		{ WITH("\"reviewed\": \"yesterday\""), "reviewed must be a date or a UTC time" },
		{ WITH("\"reviewed\": \"2026-02-30\""), "reviewed must be a date or a UTC time" },
		{ WITH("\"expires\": \"2027-04-01T00:00:00+02:00\""), "expires must be a date or a UTC time" },
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
		{ WITH("\"limits\": {\"memory\": \"1GiB\"}"), "limits.memory cannot be kept" },
		{ WITH("\"limits\": {\"cpu\": \"200%\"}"), "limits.cpu cannot be kept" },
		{ WITH("\"package\": {\"npm\": \"a\", \"integrity\": \"sha512-x\"}"),
			"package.integrity cannot be kept" },
	};

	(void)state;
	ASSERT_BAD(cases);
}

static void pins_lie_beside_the_profile_under_a_name_that_no_profile_has(void **state)
{
	static const struct bad cases[] = {
		{ WITH("\"pins\": \"../x.pins\""), "pins is \"../x.pins\"; it takes the name of a file" },
		{ WITH("\"pins\": \"/etc/x.pins\""), "own directory" },
		{ WITH("\"pins\": \"x.json\""), "own directory" },
		{ WITH("\"pins\": \".pins\""), "own directory" },
		{ WITH("\"pins\": \"X.pins\""), "own directory" },
		{ WITH("\"pins\": [\"x.pins\"]"), "pins" },
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
		{ PARAM("a", "\"type\": \"directory\", \"within\": [\"src\"]"),
			"parameters.a.within has the relative path \"src\"" },
		{ PARAM("a", "\"type\": \"directory\", \"within\": [\"?/srv\"]"), "cannot be optional" },
		{ PARAM("a", "\"type\": \"directory\", \"within\": []"), "is an empty list, which nothing fits" },
		{ PARAM("a", "\"type\": \"string\",\n\"default\": 7"),
			"x.json:3: parameters.a has a default that is an integer, for a parameter of type string" },
		{ PARAM("a", "\"type\": \"integer\", \"default\": \"7\""), "has a default that is a string" },
		{ PARAM("a", "\"type\": \"integer\", \"default\": -7"), "must be an integer from 0" },
		{ PARAM("a", "\"type\": \"boolean\", \"default\": \"true\""), "has a default that is a string" },
		{ PARAM("a", "\"type\": \"string\", \"choices\": [\"one\", \"two\"], \"default\": \"twos\""),
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
	assert_true(p.client.sampling.on && p.client.elicitation.on);
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
		assert_false(x->tools.restricted || x->client.sampling.on || x->client.elicitation.on);
		assert_int_equal(x->audit_args, SHIM_ARGS_KEYS);
		assert_int_equal(x->meters.each.calls, 60);
		assert_int_equal(x->meters.each.period_s, 60);
		assert_non_null(strstr(x->meters.each.where, "the default (60 calls a minute and tool"));
		assert_int_equal(x->meters.total.calls, 0);
		assert_int_equal(x->fs_read.n + x->fs_write.n + x->unix_sockets.n + x->roots.n + x->env_pass.n, 0);
		assert_null(shim_rules_match(&x->extensions, "a/b", 3, &allowed));
		assert_false(allowed);
	}
	assert_null(none.file);
}

static void what_holds_calls_down_stands_under_its_tool_and_its_line(void **state)
{
	_cleanup_profile_ struct profile p = { 0 };
	struct meters_tool t;

	(void)state;
	parse_ok(WITH("\"limits\": {\"calls\": 8, \"message_client\": \"4KiB\", \"message_server\": \"1MiB\"},\n"
		      "\"tools\": {\"rate\": \"30/min\", \"total\": \"100/h\", \"time\": \"2min\", \"output\": "
		      "\"1MiB\",\n"
		      "\"allow\": [\"get_*\", { \"name\": \"plain\" },\n{ \"rate\": \"2/s\", \"name\": \"put_*\", "
		      "\"confirm\": true,\n"
		      "\"time\": \"5s\", \"output\": \"4KiB\" }, { \"name\": \"calm\", \"confirm\": false }]}"),
		&p);
	assert_int_equal(p.limit_message_client, 4096);
	assert_int_equal(p.limit_message_server, 1 << 20);
	assert_int_equal(p.meters.in_flight.value, 8);
	assert_string_equal(p.meters.in_flight.where, "x.json:2 (limits.calls)");
	assert_int_equal(p.meters.total.period_s, 3600);
	assert_int_equal(p.meters.n, 1);
	t = meters_of(&p.meters, "get_x", 5);
	assert_string_equal(t.rate.where, "x.json:3 (tools.rate \"30/min\")");
	assert_int_equal(t.time.value, 120);
	assert_int_equal(t.confirm.value, 0);
	t = meters_of(&p.meters, "put_x", 5);
	assert_int_equal(t.rate.calls, 2);
	assert_string_equal(t.rate.where, "x.json:5 (tools.allow.rate \"2/s\")");
	assert_string_equal(t.confirm.where, "x.json:5 (tools.allow.confirm)");
	assert_string_equal(t.time.where, "x.json:6 (tools.allow.time \"5s\")");
	assert_int_equal(t.output.value, 4096);
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
	assert_false(says(&p, "60 a minute") || says(&none, "60 a minute"));
	assert_true(says(&p, "memory"));
	assert_true(says(&p, "package names"));
	assert_false(says(&p, "delete"));
	assert_false(says(&none, "signatures") || says(&none, "package names"));
}

int main(void)
{
#define T(f) cmocka_unit_test(f)
	const struct CMUnitTest tests[] = {
		T(what_is_not_json_is_refused_with_its_line),
		T(what_only_a_shell_would_put_in_is_refused_outside_the_command),
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
		T(what_holds_calls_down_stands_under_its_tool_and_its_line),
		T(what_is_promised_and_not_enforced_is_said),
		T(pins_lie_beside_the_profile_under_a_name_that_no_profile_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
