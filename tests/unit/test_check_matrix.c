/* SPDX-License-Identifier: Apache-2.0 */
/* test_check_matrix - scopes in a profile, and the row of each tool that comes of them */
#include "tests/unit/profile_unit.h"
#include <errno.h>
#include <stdio.h>
#include "supervisor/check_matrix.h"
#include "supervisor/check_tool.h"
#include "supervisor/effective_scopes.h"

#define SCOPES(more)                                                                                                   \
	WITH("\"tools\": {\"scopes\": {\"read\": [\"get_*\", \"list\"],\n"                                             \
	     "\"write\": [\"put_*\"], \"tickets\": [\"*_ticket\"]}" more "}")
#define ALLOWED ",\n\"allow_scopes\": [\"read\"]"

static const struct {
	const char *text, *words;
} refused[] = {
	{ SCOPES(""), "x.json:2 (tools.scopes): nothing says which scopes the server has" },
	{ SCOPES(",\n\"allow_scopes\": [\"reed\"]"), "x.json:4 (tools.allow_scopes): \"reed\" is no scope" },
	{ SCOPES(",\n\"allow_scopes\": [\"reed\"]"), "did you mean \"read\"?" },
	{ SCOPES(ALLOWED ",\n\"grant_scopes\": [\"rights\"]"),
		"x.json:5 (tools.grant_scopes): \"rights\" is no scope" },
	{ SCOPES(ALLOWED ",\n\"grant_scopes\": [\"read\"]"),
		"x.json:5 (tools.grant_scopes): \"read\" is in tools.allow_scopes" },
	{ SCOPES(ALLOWED ",\n\"grant_time\": \"1h\""), "names no scope that one may lift" },
	{ SCOPES(ALLOWED ",\n\"grant_scopes\": [\"write\"], \"grant_time\": \"25h\""),
		"must be a time from \"1s\" to \"1d\"" },
	{ SCOPES(ALLOWED ",\n\"grant_scopes\": [\"write\"], \"grant_time\": \"0s\""),
		"must be a time from \"1s\" to \"1d\": digits and s, min, h or d" },
	{ WITH("\"tools\": {\"allow_scopes\": [\"read\"]}"), "x.json:2 (tools.allow_scopes): there are no scopes" },
	{ WITH("\"tools\": {\"allow_scopes\": []}"), "go with tools.scopes" },
	{ WITH("\"tools\": {\"grant_time\": \"1h\"}"), "go with tools.scopes" },
	{ WITH("\"tools\": {\"scopes\": {}}"), "names no scope" },
	{ WITH("\"tools\": {\"scopes\": {\n\"Read\": [\"x\"]}}"),
		"x.json:3: tools.scopes has \"Read\": a scope's name" },
	{ WITH("\"tools\": {\"scopes\": {\"a.b\": [\"x\"]}}"), "a scope's name" },
	{ WITH("\"tools\": {\"scopes\": {\"read\": \"x\"}}"), "which must be a list of names of tools" },
	{ WITH("\"tools\": {\"scopes\": {\"read\": [\n7]}}"), "x.json:3: tools.scopes.read must hold names of tools" },
	{ WITH("\"tools\": {\"scopes\": {\"read\": [\"get_?\"]}}"), "'*' is the only character" },
	{ WITH("\"tools\": {\"scopes\": {\"read\": [\"\"]}}"), "has an empty name" },
};

static void what_a_profile_says_of_scopes_is_whole_or_refused_with_its_line(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		_cleanup_profile_ struct profile p = { 0 };
		struct diag d = { "" };
		if (profile_parse("x.json", refused[i].text, strlen(refused[i].text), NULL, &p, &d) != -EINVAL)
			fail_msg("%s is taken", refused[i].text);
		if (!strstr(d.text, refused[i].words))
			fail_msg("%s: '%s' is not said: %s", refused[i].text, refused[i].words, d.text);
	}
}

static void a_profile_has_so_many_scopes_and_no_more(void **state)
{
	char text[2048] = HEAD ",\n\"tools\": {\"allow_scopes\": [], \"scopes\": {\"s0\": [\"x\"]";
	_cleanup_profile_ struct profile p = { 0 }, q = { 0 };
	struct diag d = { "" };
	size_t n = strlen(text), before;

	for (int i = 1; i < SCOPES_MAX - SCOPE_KNOWN; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, ", \"s%d\": []", i);
	before = n;
	snprintf(text + n, sizeof(text) - n, "}}}");
	assert_int_equal(profile_parse("x.json", text, strlen(text), NULL, &p, &d), 0);
	assert_int_equal(p.scopes.n, SCOPES_MAX);
	snprintf(text + before, sizeof(text) - before, ", \"more\": []}}}");
	assert_int_equal(profile_parse("x.json", text, strlen(text), NULL, &q, &d), -EINVAL);
	assert_non_null(strstr(d.text, "more than 16 scopes"));
}

static void a_profile_becomes_what_the_shim_enforces(void **state)
{
	_cleanup_profile_ struct profile p = { 0 };
	struct scopes copy;

	parse_ok(SCOPES(ALLOWED ",\n\"grant_scopes\": [\"write\", \"tickets\"], \"grant_time\": \"90min\""), &p);
	assert_int_equal(scopes_copy(&p.scopes, &copy), 0);
	assert_string_equal(copy.where, "x.json:2 (tools.scopes)");
	assert_string_equal(copy.allowed_where, "x.json:4 (tools.allow_scopes)");
	assert_int_equal(copy.lift_max_s, 5400);
	assert_int_equal(copy.n, 4);
	assert_int_equal(scopes_allowed(&copy), 1 << SCOPE_READ);
	assert_int_equal(scopes_liftable(&copy), 1 << SCOPE_WRITE | 1 << 3);
	assert_string_equal(scopes_rule(&copy, "put_x", 5, SCOPE_WRITE), "x.json:3 (tools.scopes.write \"put_*\")");
	scopes_done(&copy);
}

static void a_policy_takes_away_what_a_person_might_lift(void **state)
{
	const struct policy forbids = { .persons.no_grants = (char *)(uintptr_t) "policy.json:3 (tools.grants)" },
			    silent = { 0 };
	_cleanup_profile_ struct profile p = { 0 };

	parse_ok(SCOPES(ALLOWED ",\n\"grant_scopes\": [\"write\"]"), &p);
	effective_scopes_forbid(&silent, &p.scopes);
	assert_int_equal(scopes_liftable(&p.scopes), 1 << SCOPE_WRITE);
	effective_scopes_forbid(&forbids, &p.scopes);
	assert_int_equal(scopes_liftable(&p.scopes), 0);
}

static json_t *matrix_of(const struct profile *p, const struct definitions *pinned, uint32_t lifted)
{
	const struct matrix_args a = {
		.tools = &p->tools, .meters = &p->meters, .scopes = &p->scopes, .pinned = pinned, .lifted = lifted
	};
	json_t *m = check_matrix(&a);

	assert_non_null(m);
	return m;
}

/* "scope decision grant rate confirm" of that row. */
static const char *row(const json_t *matrix, const char *tool)
{
	static char words[256];
	const json_t *v;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)matrix, i, v)
	{
		if (strcmp(json_string_value(json_object_get(v, "tool")), tool) != 0)
			continue;
		const char *scope = json_string_value(json_object_get(v, "scope"));
		const char *grant = json_string_value(json_object_get(v, "grant"));
		snprintf(words, sizeof(words), "%s %s %s %s %s", scope ? scope : "-",
			json_string_value(json_object_get(v, "decision")), grant ? grant : "-",
			json_string_value(json_object_get(v, "rate")),
			json_is_true(json_object_get(v, "confirm")) ? "asked" : "-");
		return words;
	}
	return "none";
}

#define RULES                                                                                                          \
	",\n\"grant_scopes\": [\"write\"], \"deny\": [\"get_secret\"], \"rate\": \"30/min\",\n"                        \
	"\"allow\": [\"*\", {\"name\": \"put_big\", \"confirm\": true, \"rate\": \"5/h\"}]"

static void a_row_says_scope_rate_confirmation_and_what_is_decided(void **state)
{
	_cleanup_profile_ struct profile p = { 0 };
	json_t *m, *lifted;

	parse_ok(SCOPES(ALLOWED RULES), &p);
	m = matrix_of(&p, NULL, 0);
	assert_string_equal(row(m, "get_*"), "read allow - 30/min -");
	assert_string_equal(row(m, "get_secret"), "read deny - 30/min -");
	assert_string_equal(row(m, "put_*"), "write deny may be lifted 30/min -");
	assert_string_equal(row(m, "put_big"), "write deny may be lifted 5/h asked");
	assert_string_equal(row(m, "*_ticket"), "tickets deny - 30/min -");
	assert_string_equal(row(m, "*"), "destructive deny - 30/min -");
	lifted = matrix_of(&p, NULL, 1 << SCOPE_WRITE);
	assert_string_equal(row(lifted, "put_*"), "write allow lifted now 30/min -");
	json_decref(m);
	json_decref(lifted);
}

static void pinned_tools_have_a_row_each_with_what_the_server_said_of_them(void **state)
{
	struct definition_field writes[] = { { (char *)(uintptr_t) "annotations/readOnlyHint",
		(char *)(uintptr_t) "false" } };
	struct definition_field reads[] = { { (char *)(uintptr_t) "annotations/readOnlyHint",
		(char *)(uintptr_t) "true" } };
	struct definition v[] = {
		{ .kind = DEFINITION_TOOL, .name = (char *)(uintptr_t) "get_a", .fields = reads, .n = 1 },
		{ .kind = DEFINITION_TOOL, .name = (char *)(uintptr_t) "get_b", .fields = writes, .n = 1 },
		{ .kind = DEFINITION_TOOL, .name = (char *)(uintptr_t) "put_a", .fields = reads, .n = 1 },
		{ .kind = DEFINITION_PROMPT, .name = (char *)(uintptr_t) "get_p" },
	};
	const struct definitions pinned = { .v = v, .n = ARRAY_LEN(v) };
	_cleanup_profile_ struct profile p = { 0 };
	json_t *m;

	parse_ok(SCOPES(ALLOWED), &p);
	m = matrix_of(&p, &pinned, 0);
	assert_int_equal(json_array_size(m), 3);
	assert_string_equal(row(m, "get_a"), "read allow - 60/min -");
	assert_string_equal(row(m, "get_b"), "read,write deny - 60/min -");
	assert_string_equal(row(m, "put_a"), "write deny - 60/min -");
	json_decref(m);
}

static void a_profile_without_scopes_has_its_rules_as_rows(void **state)
{
	_cleanup_profile_ struct profile p = { 0 };
	json_t *m;

	parse_ok(WITH("\"tools\": {\"allow\": [\"get_*\"], \"deny\": [\"get_x\"]}"), &p);
	m = matrix_of(&p, NULL, 0);
	assert_string_equal(row(m, "get_*"), "- allow - 60/min -");
	assert_string_equal(row(m, "get_x"), "- deny - 60/min -");
	json_decref(m);
}

/* Two patterns of two scopes: is there a name that both match? */
static const struct {
	const char *a, *b;
	bool both;
} pairs[] = {
	{ "get_*", "get_*", true },
	{ "get_*", "*_all", true },
	{ "get_*", "put_*", false },
	{ "*", "x", true },
	{ "get", "get", true },
	{ "get", "gets", false },
	{ "get_*", "get", false },
	{ "a*b", "ab", true },
	{ "a*b", "a", false },
	{ "*_x", "*_y", false },
	{ "a*c", "a*b*c", true },
	{ "ab*bc", "abc", false },
	{ "*a*", "b*c", true },
	{ "get_issue", "*_issue", true },
};

static void names_that_stand_in_two_scopes_are_told_with_their_lines(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		struct scope v[] = { { .name = (char *)(uintptr_t) "read" }, { .name = (char *)(uintptr_t) "write" } };
		struct scope_glob globs[] = {
			{ 0, (char *)(uintptr_t)pairs[i].a, (char *)(uintptr_t) "p:3" },
			{ 1, (char *)(uintptr_t)pairs[i].b, (char *)(uintptr_t) "p:4" },
		};
		const struct scopes s = {
			.where = (char *)(uintptr_t) "p:2", .v = v, .n = 2, .globs = globs, .n_globs = 2
		};
		json_t *found = check_overlaps(&s);
		if (json_array_size(found) != pairs[i].both)
			fail_msg("%s and %s: %zu overlaps", pairs[i].a, pairs[i].b, json_array_size(found));
		if (pairs[i].both)
			assert_string_equal(json_string_value(json_array_get(found, 0)),
				"a tool that both p:3 and p:4 name needs both scopes, 'read' and 'write'");
		json_decref(found);
	}
}

static char *one_decision(const struct profile *p, const char *tool, uint32_t lifted, bool json, int *ret)
{
	const struct check_call c = { .tools = &p->tools,
		.arguments = &p->arguments,
		.meters = &p->meters,
		.scopes = &p->scopes,
		.tool = tool,
		.lifted = lifted };
	struct diag d = { "" };
	char *said = NULL;
	size_t n;
	FILE *f = open_memstream(&said, &n);

	assert_non_null(f);
	*ret = check_tool(f, &c, json, &d);
	fclose(f);
	return said;
}

static void one_decision_says_the_scope_and_the_grant(void **state)
{
	static const struct {
		const char *tool, *words;
		uint32_t lifted;
		int status;
	} rows[] = {
		{ "get_x", "It needs the scope read.", 0, 0 },
		{ "put_x",
			"denied: tool 'put_x' by x.json:3 (tools.scopes.write \"put_*\"): it needs the scope 'write'",
			0, 1 },
		{ "put_x", "a person may lift it for a while", 0, 1 },
		{ "put_x", "It needs the scope write; a grant lifts write now.", 1 << SCOPE_WRITE, 0 },
		{ "other",
			"denied: tool 'other' by x.json:2 (tools.scopes): it needs the scope 'destructive', since no "
			"list",
			0, 1 },
	};
	_cleanup_profile_ struct profile p = { 0 };

	parse_ok(SCOPES(ALLOWED ",\n\"grant_scopes\": [\"write\"]"), &p);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int status;
		_cleanup_free_ char *said = one_decision(&p, rows[i].tool, rows[i].lifted, false, &status);
		if (status != rows[i].status || !strstr(said, rows[i].words))
			fail_msg("%s: %d, and '%s' is not said: %s", rows[i].tool, status, rows[i].words, said);
	}
}

/* As the running server's calls are judged: the scope first. */
static void one_decision_names_the_scope_of_what_has_no_pin_either(void **state)
{
	const struct shim_pins none = { .on = true, .where = (char *)(uintptr_t) "the pins of 'x'" };
	_cleanup_profile_ struct profile p = { 0 };
	struct diag d = { "" };
	char said[1024] = "";
	FILE *f = fmemopen(said, sizeof(said), "w");

	parse_ok(SCOPES(ALLOWED), &p);
	const struct check_call c = { .tools = &p.tools,
		.arguments = &p.arguments,
		.meters = &p.meters,
		.scopes = &p.scopes,
		.pins = &none,
		.tool = "put_x" };
	assert_non_null(f);
	assert_int_equal(check_tool(f, &c, false, &d), 1);
	fclose(f);
	if (!strstr(said, "it needs the scope 'write'"))
		fail_msg("%s", said);
}

static void a_tool_that_no_list_names_is_told_so_whatever_its_server_says_of_it(void **state)
{
	static const struct {
		const char *tool, *words;
	} rows[] = {
		{ "other", "it needs the scope 'destructive', since no list there names it, which" },
		{ "get_x", "it needs the scope 'write' by what the server said of it when it was pinned, which" },
		{ "put_x", "it needs the scope 'write', which" },
	};
	struct definition_field says = { (char *)(uintptr_t) "annotations/readOnlyHint", (char *)(uintptr_t) "false" };
	_cleanup_profile_ struct profile p = { 0 };

	parse_ok(SCOPES(ALLOWED), &p);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct definition tool = { .name = (char *)(uintptr_t)rows[i].tool, .fields = &says, .n = 1 };
		const struct definitions pinned = { .v = &tool, .n = 1 };
		const struct check_call c = { .tools = &p.tools,
			.arguments = &p.arguments,
			.meters = &p.meters,
			.scopes = &p.scopes,
			.tool = rows[i].tool,
			.pinned = &pinned };
		_cleanup_free_ char *said = NULL;
		struct diag d = { "" };
		size_t n;
		FILE *f = open_memstream(&said, &n);
		assert_non_null(f);
		assert_int_equal(check_tool(f, &c, false, &d), 1);
		fclose(f);
		if (!strstr(said, rows[i].words))
			fail_msg("%s: %s", rows[i].tool, said);
	}
}

static void the_order_in_which_a_profile_lists_its_own_scopes_decides_nothing(void **state)
{
	static const char *const texts[] = {
		WITH("\"tools\": {\"scopes\": {\"b\": [\"x\"], \"read\": [\"r\"], \"a\": [\"y\"]}, "
		     "\"allow_scopes\": [\"a\"], \"grant_scopes\": [\"b\"]}"),
		WITH("\"tools\": {\"scopes\": {\"a\": [\"y\"], \"b\": [\"x\"], \"read\": [\"r\"]}, "
		     "\"allow_scopes\": [\"a\"], \"grant_scopes\": [\"b\"]}"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		_cleanup_profile_ struct profile p = { 0 };
		parse_ok(texts[i], &p);
		assert_int_equal(scopes_find(&p.scopes, "a"), SCOPE_KNOWN);
		assert_int_equal(scopes_find(&p.scopes, "b"), SCOPE_KNOWN + 1);
		assert_int_equal(scopes_allowed(&p.scopes), UINT32_C(1) << SCOPE_KNOWN);
		assert_int_equal(scopes_need(&p.scopes, "y", 1, SCOPE_READ), UINT32_C(1) << SCOPE_KNOWN);
		assert_int_equal(scopes_need(&p.scopes, "x", 1, SCOPE_READ), UINT32_C(2) << SCOPE_KNOWN);
		assert_int_equal(scopes_need(&p.scopes, "r", 1, SCOPE_READ), UINT32_C(1) << SCOPE_READ);
	}
}

/* In a pin a name is the inside of its canonical JSON. */
static void a_pinned_name_with_an_escape_is_the_name_that_a_call_writes(void **state)
{
	struct definition tool = { .kind = DEFINITION_TOOL, .name = (char *)(uintptr_t) "say \\\"hi\\\"" };
	const struct definitions pinned = { .v = &tool, .n = 1 };
	struct shim_pin pin = { .kind = DEFINITION_TOOL, .name = tool.name };
	const struct shim_pins pins = { .on = true, .where = (char *)(uintptr_t) "the pins", .v = &pin, .n = 1 };
	_cleanup_profile_ struct profile p = { 0 };
	struct diag d = { "" };
	char *said = NULL;
	json_t *m;
	size_t n;

	parse_ok(WITH("\"tools\": {\"allow\": [\"say \\\"*\"]}"), &p);
	m = matrix_of(&p, &pinned, 0);
	assert_string_equal(row(m, "say \"hi\""), "- allow - 60/min -");
	json_decref(m);
	const struct check_call c = { .tools = &p.tools,
		.arguments = &p.arguments,
		.meters = &p.meters,
		.scopes = &p.scopes,
		.pins = &pins,
		.tool = "say \"hi\"" };
	FILE *f = open_memstream(&said, &n);
	assert_non_null(f);
	assert_int_equal(check_tool(f, &c, false, &d), 0);
	fclose(f);
	assert_non_null(strstr(said, "allowed: tool 'say \"hi\"'"));
	free(said);
	(void)state;
}

static void every_rule_has_its_row_and_what_overlaps_beyond_the_limit_is_said_to(void **state)
{
	enum { MANY = 4000 };
	struct scope v[] = { { .name = (char *)(uintptr_t) "read" }, { .name = (char *)(uintptr_t) "write" } };
	struct scope_glob *globs = calloc(MANY, sizeof(*globs));
	struct shim_rule *rules = calloc(MANY, sizeof(*rules));
	char(*names)[2][16] = calloc(MANY, sizeof(*names));
	struct meters meters = { 0 };

	(void)state;
	assert_true(globs && rules && names);
	for (size_t i = 0; i < MANY; i++) {
		snprintf(names[i][0], sizeof(names[i][0]), "s%zu", i / 2);
		snprintf(names[i][1], sizeof(names[i][1]), "t%zu", i);
		globs[i] = (struct scope_glob){ i % 2, names[i][0], (char *)(uintptr_t) "p:3" };
		rules[i] = (struct shim_rule){ true, names[i][1], (char *)(uintptr_t) "p:4" };
	}
	const struct scopes s = { .where = (char *)(uintptr_t) "p:2", .v = v, .n = 2, .globs = globs, .n_globs = MANY };
	const struct shim_rules tools = { .rules = rules, .n = MANY };
	const struct matrix_args a = { .tools = &tools, .meters = &meters, .scopes = &s };
	json_t *m = check_matrix(&a), *overlaps = check_overlaps(&s);
	assert_int_equal(json_array_size(m), MANY + MANY / 2);
	assert_int_equal(json_array_size(overlaps), CHECK_OVERLAPS_MAX + 1);
	assert_non_null(strstr(json_string_value(json_array_get(overlaps, CHECK_OVERLAPS_MAX)), "there are more"));
	json_decref(m);
	json_decref(overlaps);
	free(globs);
	free(rules);
	free(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_profile_says_of_scopes_is_whole_or_refused_with_its_line),
		cmocka_unit_test(a_profile_has_so_many_scopes_and_no_more),
		cmocka_unit_test(a_profile_becomes_what_the_shim_enforces),
		cmocka_unit_test(a_policy_takes_away_what_a_person_might_lift),
		cmocka_unit_test(a_row_says_scope_rate_confirmation_and_what_is_decided),
		cmocka_unit_test(pinned_tools_have_a_row_each_with_what_the_server_said_of_them),
		cmocka_unit_test(a_profile_without_scopes_has_its_rules_as_rows),
		cmocka_unit_test(names_that_stand_in_two_scopes_are_told_with_their_lines),
		cmocka_unit_test(one_decision_says_the_scope_and_the_grant),
		cmocka_unit_test(one_decision_names_the_scope_of_what_has_no_pin_either),
		cmocka_unit_test(a_tool_that_no_list_names_is_told_so_whatever_its_server_says_of_it),
		cmocka_unit_test(the_order_in_which_a_profile_lists_its_own_scopes_decides_nothing),
		cmocka_unit_test(a_pinned_name_with_an_escape_is_the_name_that_a_call_writes),
		cmocka_unit_test(every_rule_has_its_row_and_what_overlaps_beyond_the_limit_is_said_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
