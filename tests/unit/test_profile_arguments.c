/* SPDX-License-Identifier: Apache-2.0 */
/* test_profile_arguments - what a profile demands of arguments: what is read, what is refused, what `check` says of a
 * call */
#include "tests/unit/profile_unit.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "supervisor/check_tool.h"
#include "supervisor/exit.h"

/* On the third line, so that a line can be told from a guess. */
#define TOOL(members) WITH("\"tools\": {\"allow\": [\"other\",\n{\"name\": \"make_*\", " members "}]}")

static void what_the_properties_name_must_be_there(void **state)
{
	static const struct {
		const char *written, *enforced;
	} cases[] = {
		{ "{}", "{}" },
		{ "{\"properties\": {\"a\": {\"const\": 1}, \"b\": true}}",
			"{\"properties\":{\"a\":{\"const\":1},\"b\":true},\"type\":\"object\",\"required\":[\"a\","
			"\"b\"]}" },
		{ "{\"required\": [\"b\"], \"properties\": {\"a\": {}, \"b\": {}}}",
			"{\"required\":[\"b\",\"a\"],\"properties\":{\"a\":{},\"b\":{}},\"type\":\"object\"}" },
		/* It may not be there: then it need not. */
		{ "{\"properties\": {\"force\": false}}",
			"{\"properties\":{\"force\":false},\"type\":\"object\",\"required\":[]}" },
		{ "{\"patternProperties\": {\"^a$\": {\"properties\": {\"b\": {}}}}}",
			"{\"patternProperties\":{\"^a$\":{\"properties\":{\"b\":{}}}}}" },
		{ "{\"properties\": {\"a\": {\"items\": {\"properties\": {\"b\": {}}}}}}",
			"{\"properties\":{\"a\":{\"items\":{\"properties\":{\"b\":{}},\"type\":\"object\",\"required\":"
			"[\"b\"]},"
			"\"type\":\"array\"}},\"type\":\"object\",\"required\":[\"a\"]}" },
		{ "{\"allOf\": [{\"properties\": {\"a\": {\"type\": [\"object\", \"null\"], \"properties\": {\"b\": "
		  "{}}}}}]}",
			"{\"allOf\":[{\"properties\":{\"a\":{\"type\":[\"object\",\"null\"],\"properties\":{\"b\":{}},"
			"\"required\":[\"b\"]}},\"type\":\"object\",\"required\":[\"a\"]}]}" },
		{ "{\"not\": {\"properties\": {\"a\": {\"const\": 1}}}}",
			"{\"not\":{\"properties\":{\"a\":{\"const\":1}}}}" },
		{ "{\"maxProperties\": 3, \"minProperties\": 0.0}", "{\"maxProperties\":3,\"minProperties\":0.0}" },
		{ "{\"propertyNames\": {\"maxLength\": 9}, \"description\": \"d\", \"title\": \"t\", \"$comment\": "
		  "\"c\"}",
			"{\"propertyNames\":{\"maxLength\":9},\"description\":\"d\",\"title\":\"t\",\"$comment\":"
			"\"c\"}" },
	};
	char text[1024];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_profile_ struct profile p = { 0 };
		snprintf(text, sizeof(text), TOOL("\"arguments\": %s"), cases[i].written);
		parse_ok(text, &p);
		assert_int_equal(p.arguments.n, 1);
		assert_string_equal(p.arguments.rules[0].schema, cases[i].enforced);
		assert_string_equal(p.arguments.rules[0].glob, "make_*");
		assert_string_equal(p.arguments.rules[0].where, "x.json:3 (tools.allow \"make_*\" arguments)");
		assert_false(p.arguments.rules[0].strict);
	}
}

static void decimals_stay_as_they_were_written(void **state)
{
	_cleanup_profile_ struct profile p = { 0 };

	parse_ok(TOOL("\"arguments\": {\"patternProperties\": {\"^a$\": {\"multipleOf\": 0.1, \"maximum\": 12.05}}}"),
		&p);
	assert_non_null(strstr(p.arguments.rules[0].schema, "\"multipleOf\":0.1,\"maximum\":12.05}"));
}

static void strict_is_a_rule_of_one_item_or_of_all_tools(void **state)
{
	_cleanup_profile_ struct profile one = { 0 }, all = { 0 }, none = { 0 };

	parse_ok(TOOL("\"strict\": true, \"arguments\": {}"), &one);
	assert_int_equal(one.arguments.n, 2);
	assert_string_equal(
		shim_arguments_strict(&one.arguments, "make_x", 6), "x.json:3 (tools.allow \"make_*\" strict)");
	assert_null(shim_arguments_strict(&one.arguments, "other", 5));
	parse_ok(WITH("\"tools\": {\n\"strict\": true}"), &all);
	assert_string_equal(shim_arguments_strict(&all.arguments, "other", 5), "x.json:3 (tools.strict)");
	parse_ok(WITH("\"tools\": {\"strict\": false, \"allow\": [{\"name\": \"a\", \"strict\": false}]}"), &none);
	assert_null(shim_arguments_strict(&none.arguments, "a", 1));
	assert_int_equal(none.arguments.n, 0);
}

static void a_schema_that_nobody_could_keep_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *member, *words;
	} cases[] = {
		{ "\"arguments\": []", "x.json:3: tools.allow.arguments must be an object, not a list" },
		{ "\"arguments\": {\"propertes\": {}}", "x.json:3: tools.allow \"make_*\" has arguments that cannot be "
							"kept: schema.propertes is no keyword" },
		{ "\"arguments\": {\"properties\": {\"u\": {\"format\": \"uri\"}}}",
			"schema.properties.u.format is no keyword that is checked" },
		{ "\"arguments\": {\"properties\": {\"u\": {\"type\": \"text\"}}}", "schema.properties.u.type" },
		{ "\"arguments\": {\"properties\": {\"u\": {\"pattern\": \"(\"}}}", "schema.properties.u.pattern" },
		{ "\"arguments\": {\"properties\": [1]}", "schema.properties" },
		{ "\"arguments\": {\"properties\": {}, \"required\": 1}", "schema.required" },
		{ "\"arguments\": {\"$ref\": \"https://example.com/x\"}", "nothing is fetched" },
		{ "\"arguments\": {\"$schema\": \"http://json-schema.org/draft-04/schema#\"}", "dialect" },
		{ "\"arguments\": {\"$schema\": \"http://json-schema.org/draft-07/schema#\", \"definitions\": {\"x\": "
		  "{}}, \"properties\": {\"o\": {\"$ref\": "
		  "\"#/definitions/x\", \"const\": 1}}}",
			"schema.properties.o.const stands beside a $ref" },
		{ "\"arguments\": {\"$schema\": \"http://json-schema.org/draft-07/schema#\", \"items\": {}, "
		  "\"additionalItems\": false}",
			"additionalItems says nothing without" },
		{ "\"arguments\": {\"then\": false}", "schema.then says nothing without if" },
		{ "\"arguments\": {\"else\": false}", "schema.else says nothing without if" },
		{ "\"arguments\": {\"if\": false}", "schema.if says nothing without then or else" },
		{ "\"arguments\": {\"minContains\": 2}", "schema.minContains says nothing without contains" },
		{ "\"strict\": \"yes\"", "tools.allow.strict must be true or false" },
	};
	char text[1024];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct profile p = { 0 };
		struct diag d = { 0 };
		snprintf(text, sizeof(text), TOOL("%s"), cases[i].member);
		assert_int_equal(profile_parse("x.json", text, strlen(text), NULL, &p, &d), -EINVAL);
		if (!strstr(d.text, cases[i].words))
			fail_msg("'%s' does not hold '%s'", d.text, cases[i].words);
	}
}

/* Heap; the status must be that. */
static char *told_of(const struct check_call *c, bool json, int status)
{
	struct diag d = { "" };
	char *said = NULL;
	size_t n;
	FILE *f = open_memstream(&said, &n);
	int r = check_tool(f, c, json, &d);

	fclose(f);
	if (r != status)
		fail_msg("%s %s: %d %s %s", c->tool, c->args ? c->args : "", r, said, d.text);
	return said;
}

static char *told(const struct profile *p, const char *tool, const char *args, bool json, int status)
{
	const struct check_call c = { .tools = &p->tools,
		.arguments = &p->arguments,
		.meters = &p->meters,
		.scopes = &p->scopes,
		.tool = tool,
		.args = args };

	return told_of(&c, json, status);
}

static void check_denies_what_has_no_pin_and_says_who_is_asked(void **state)
{
	static const char text[] = "{\"stockade\": 1, \"name\": \"x\", \"command\": [\"x\"],"
				   " \"tools\": {\"allow\": [{\"name\": \"make_*\", \"confirm\": true}]}}";
	struct shim_pin one = { .kind = DEFINITION_TOOL, .name = (char *)(uintptr_t) "make_x" };
	const struct shim_pins pins = { .on = true, .where = (char *)(uintptr_t) "the pins of 'x'", .v = &one, .n = 1 };
	_cleanup_profile_ struct profile p = { 0 };
	struct diag d = { "" };

	if (profile_parse("x.json", text, strlen(text), NULL, &p, &d) < 0)
		fail_msg("%s", d.text);
	struct check_call c = { .tools = &p.tools,
		.arguments = &p.arguments,
		.meters = &p.meters,
		.scopes = &p.scopes,
		.pins = &pins,
		.tool = "make_x" };
	_cleanup_free_ char *pinned = told_of(&c, false, EXIT_OK), *pinned_json = told_of(&c, true, EXIT_OK);
	c.tool = "make_y";
	_cleanup_free_ char *unpinned = told_of(&c, false, EXIT_FINDINGS), *object = told_of(&c, true, EXIT_FINDINGS);
	c.pins = NULL;
	_cleanup_free_ char *unknown = told_of(&c, false, EXIT_OK);
	assert_non_null(strstr(pinned, "A person has to look at each call first (x.json:1"));
	assert_non_null(strstr(pinned_json, "\"confirm\": true"));
	assert_non_null(strstr(unpinned, "denied: tool 'make_y' by the pins of 'x': it was not there when"));
	assert_null(strstr(unpinned, "A person"));
	assert_non_null(strstr(object, "\"decision\": \"deny\""));
	assert_non_null(strstr(unknown, "allowed"));
	c.tool = "other";
	_cleanup_free_ char *unnamed = told_of(&c, false, EXIT_FINDINGS);
	assert_non_null(strstr(unnamed, "(tools.allow): no rule allows it"));
}

static void check_judges_arguments_and_names_the_rule(void **state)
{
	static const struct {
		const char *tool, *args;
		int status;
		const char *words, *absent;
	} cases[] = {
		{ "make_x", "{\"owner\":\"me\"}", EXIT_OK,
			"allowed: tool 'make_x' by x.json:3 (tools.allow \"make_*\")", "denied" },
		{ "make_x", "{\"owner\":\"you\"}", EXIT_FINDINGS,
			"denied: tool 'make_x' by x.json:3 (tools.allow \"make_*\" arguments): arguments.owner must be "
			"\"me\", "
			"but is \"you\"\n",
			"inputSchema" },
		{ "make_x", "{}", EXIT_FINDINGS, "arguments.owner must be there, but is missing", NULL },
		{ "make_x", "{ \"owner\" : \"me\", \"n\": 1 }", EXIT_OK, "tool's own inputSchema", NULL },
		{ "make_x", NULL, EXIT_OK,
			"Its arguments must keep to x.json:3 (tools.allow \"make_*\" arguments): --args",
			"inputSchema" },
		{ "other", "{\"owner\":\"you\"}", EXIT_OK, "allowed", "keep to" },
		{ "third", "{}", EXIT_FINDINGS, "denied: tool 'third' by x.json:2 (tools.allow): no rule allows it\n",
			"arguments" },
	};
	_cleanup_profile_ struct profile p = { 0 }, strict = { 0 };

	parse_ok(TOOL("\"arguments\": {\"properties\": {\"owner\": {\"const\": \"me\"}}}"), &p);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_free_ char *said = told(&p, cases[i].tool, cases[i].args, false, cases[i].status);
		if (!strstr(said, cases[i].words) || (cases[i].absent && strstr(said, cases[i].absent)))
			fail_msg("%zu: %s", i, said);
	}
	parse_ok(WITH("\"tools\": {\n\"strict\": true}"), &strict);
	_cleanup_free_ char *said = told(&strict, "t", NULL, false, EXIT_OK);
	assert_non_null(
		strstr(said, "No argument passes that its own schema does not name (x.json:3 (tools.strict))."));
}

static void check_says_the_same_as_json(void **state)
{
	_cleanup_profile_ struct profile p = { 0 };

	parse_ok(TOOL("\"arguments\": {\"properties\": {\"owner\": {\"const\": \"me\"}}}"), &p);
	_cleanup_free_ char *denied = told(&p, "make_x", "{}", true, EXIT_FINDINGS);
	_cleanup_free_ char *allowed = told(&p, "other", "{}", true, EXIT_OK);
	assert_non_null(strstr(denied, "\"decision\": \"deny\""));
	assert_non_null(strstr(denied, "\"reason\": \"arguments.owner must be there, but is missing\""));
	assert_non_null(strstr(denied, "\"arguments_matter\": true"));
	assert_non_null(strstr(allowed, "\"arguments_matter\": false"));
	assert_non_null(strstr(allowed, "\"reason\": null"));
}

static void check_takes_what_the_shim_would_judge_and_nothing_else(void **state)
{
	static const struct {
		const char *args;
		bool taken;
	} cases[] = {
		{ "{}", true },
		{ " { \"a\" : [1, -2.5e3, \"\\\"1e\\\\\"], \"b\": {\"\\ud83d\\ude00\": null} } ", true },
		{ "{\"a\":1e400,\"b\":-123456789012345678901234567890}", true },
		{ "{\"a\":\"\\ud800x\",\"b\":\"\\u0000\"}", true },
		{ "[]", false },
		{ "1", false },
		{ "", false },
		{ "{\"a\":1,\"a\":2}", false },
		{ "{\"a\":1,\"\\u0061\":2}", false },
		{ "{\"a\":01}", false },
		{ "{\"a\":1e}", false },
		{ "{\"a\":1} x", false },
		{ "{\"a\":\"\xff\"}", false },
		{ "{\"a\":\"\\ud8\"}", false },
		{ "{\"a\":\"\n\"}", false },
	};
	_cleanup_profile_ struct profile p = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (check_tool_takes(cases[i].args) != cases[i].taken)
			fail_msg("%s is %s", cases[i].args, cases[i].taken ? "refused" : "taken");
	parse_ok(TOOL("\"arguments\": {\"properties\": {\"owner\": {\"maximum\": 1}}}"), &p);
	_cleanup_free_ char *denied = told(&p, "make_x", "{\"owner\":1e400}", false, EXIT_FINDINGS);
	assert_non_null(strstr(denied, "must be at most 1, but is 1e400"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_properties_name_must_be_there),
		cmocka_unit_test(decimals_stay_as_they_were_written),
		cmocka_unit_test(strict_is_a_rule_of_one_item_or_of_all_tools),
		cmocka_unit_test(a_schema_that_nobody_could_keep_is_refused_with_its_line),
		cmocka_unit_test(check_judges_arguments_and_names_the_rule),
		cmocka_unit_test(check_takes_what_the_shim_would_judge_and_nothing_else),
		cmocka_unit_test(check_denies_what_has_no_pin_and_says_who_is_asked),
		cmocka_unit_test(check_says_the_same_as_json),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
