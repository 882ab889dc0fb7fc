/* SPDX-License-Identifier: Apache-2.0 */
/* test_shim_guards - what allowed calls and their results must pass: arguments, structuredContent */
#include "tests/unit/shim_play.h"
#include <errno.h>
#include "shim/arguments.h"

static struct shim_argument_rule rules[] = {
	{ WORDS("make_*"), WORDS("{\"properties\":{\"owner\":{\"const\":\"me\"}},\"required\":[\"owner\"]}"),
		WORDS("p:4 (tools.allow \"make_*\" arguments)"), false },
	{ WORDS("make_it"),
		WORDS("{\"properties\":{\"size\":{\"maximum\":9}},\"patternProperties\":{\"^may$\":{\"const\":1}}}"),
		WORDS("p:5"), false },
	{ WORDS("closed"), NULL, WORDS("p:6 (tools.allow \"closed\" strict)"), true },
};

static struct desk *desk_with_rules(bool strict)
{
	struct shim_config c = { .name = WORDS("demo"), .arguments = { .rules = rules, .n = ARRAY_LEN(rules) } };
	struct diag d = { 0 };

	c.arguments.strict = strict ? WORDS("p:2 (tools.strict)") : NULL;
	struct desk *t = desk_new(&c);
	assert_int_equal(arguments_prepare(&t->s, &d), 0);
	return t;
}

static void desk_end(struct desk **t)
{
	arguments_done(&(*t)->s);
	desk_cleanup(t);
}
#define _cleanup_end_ _cleanup_(desk_end)

#define CALL(id, tool, arguments)                                                                                      \
	ID(id) "\"method\":\"tools/call\",\"params\":{\"name\":\"" tool "\",\"arguments\":" arguments "}}"
#define BARE(id, tool)	 ID(id) "\"method\":\"tools/call\",\"params\":{\"name\":\"" tool "\"}}"
#define LIST(id)	 ID(id) "\"method\":\"tools/list\"}"
#define TOOLS(id, tools) ID(id) "\"result\":{\"tools\":[" tools "]}}"
#define DENIED(id)	 "~\"id\":" #id ",\"result\":{\"content\":~\"isError\":true"

static void arguments_must_fit_every_rule_of_the_profile_that_names_the_tool(void **state)
{
	_cleanup_end_ struct desk *t = desk_with_rules(false);

	PLAY(t, { C, CALL(1, "make_x", "{\"owner\":\"me\"}"), NULL, "=", "tool.call allow" },
		{ C, CALL(2, "make_x", "{\"owner\":\"you\"}"),
			DENIED(2) "~tool 'make_x' denied by p:4 (tools.allow \\\"make_*\\\" arguments): "
				  "arguments.owner must "
				  "be \\\"me\\\"~not passed to the server. Correct the arguments",
			NULL, "tool.call deny arguments.owner must be \"me\"$" },
		/* A server's default would stand in for what is not there. */
		{ C, CALL(3, "make_x", "{}"), DENIED(3) "~owner", NULL, "tool.call deny arguments" },
		{ C, BARE(4, "make_x"), DENIED(4) "~owner", NULL, "tool.call deny arguments" },
		{ C, CALL(5, "make_x", "null"), DENIED(5) "~owner", NULL, "tool.call deny arguments" },
		{ C, CALL(6, "make_it", "{\"owner\":\"me\",\"size\":10}"), DENIED(6) "~denied by p:5: arguments.size",
			NULL, "tool.call deny arguments.size must be at most 9" },
		{ C, CALL(7, "make_it", "{\"owner\":\"me\",\"size\":9}"), NULL, "=", "tool.call allow" },
		{ C, CALL(8, "other", "{\"owner\":\"you\",\"size\":10}"), NULL, "=", "tool.call allow" },
		/* A name is what it means, not how it was spelt. */
		{ C, CALL(9, "m\\u0061ke_x", "{}"), DENIED(9) "~owner", NULL, "tool.call deny arguments" });
	assert_int_equal(t->s.calls.n, 3);
}

/* C# and Go take the last of "owner" and "Owner" for the property. */
static void arguments_have_no_other_spelling_of_what_the_profile_names(void **state)
{
	static const char *const unclear[] = { "{\"owner\":\"me\",\"Owner\":\"you\"}",
		"{\"owner\":\"me\",\"x\":{\"OWNER\":1}}", "{\"owner\":\"me\",\"Size\":10}",
		"{\"owner\":\"me\",\"\\u017fize\":10}", "{\"owner\":\"me\",\"May\":1}" };
	_cleanup_end_ struct desk *t = desk_with_rules(false);

	PLAY(t, { C, LIST(1), NULL, "=", "request allow" },
		{ S, TOOLS(1, "{\"name\":\"make_it\",\"inputSchema\":{\"type\":\"object\"}}"), "=", NULL,
			"response - ok" },
		{ C, CALL(2, "make_it", "{\"owner\":\"me\",\"size\":1,\"may\":1,\"a\":1,\"A\":2}"), NULL, "=",
			"tool.call allow" });
	for (size_t i = 0; i < ARRAY_LEN(unclear); i++) {
		char text[256];
		snprintf(text, sizeof(text), CALL(3, "make_it", "%s"), unclear[i]);
		const struct step step = { C, text,
			"~\"id\":3,\"error\":~a key differs from one that the profile names", NULL,
			"message.refused drop a key differs from one that the profile names" };
		play(t, &step, 1);
	}
}

static void arguments_that_are_no_object_are_refused(void **state)
{
	static const char *const values[] = { "[]", "[{\"owner\":\"me\"}]", "7", "\"x\"", "true" };
	_cleanup_end_ struct desk *t = desk_with_rules(false);

	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		char text[256];
		snprintf(text, sizeof(text), CALL(1, "make_x", "%s"), values[i]);
		const struct step step = { C, text, "~\"id\":1,\"error\":~4000~its arguments are not an object", NULL,
			"message.refused drop its arguments" };
		play(t, &step, 1);
	}
}

static void a_denied_call_that_wanted_a_task_gets_an_error(void **state)
{
	_cleanup_end_ struct desk *t = desk_with_rules(false);

	PLAY(t, { C, ID(1) "\"method\":\"tools/call\",\"params\":{\"name\":\"make_x\",\"arguments\":{},\"task\":{}}}",
			"~\"id\":1,\"error\":~4030~owner", NULL, "tool.call deny arguments" });
}

static void arguments_are_judged_by_the_inputschema_once_the_tool_was_listed(void **state)
{
	_cleanup_end_ struct desk *t = desk_with_rules(false);

	PLAY(t, { C, CALL(1, "t", "{\"n\":\"x\"}"), NULL, "=", "tool.call allow" },
		{ S, ID(1) "\"result\":{\"content\":[]}}", "=", NULL, "tool.result - ok" },
		{ C, LIST(2), NULL, "=", "request allow" },
		{ S,
			TOOLS(2, "{\"name\":\"t\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"n\":{\"type\":"
				 "\"integer\"}},\"required\":[\"n\"]}},{\"name\":\"u\"}"),
			"=", NULL, "response - ok" },
		{ C, CALL(3, "t", "{\"n\":\"x\"}"),
			DENIED(3) "~tool 't' denied by the inputSchema of the tool: arguments.n must be a whole "
				  "number, "
				  "but is \\\"x\\\"~Correct the arguments",
			NULL, "tool.call deny arguments.n must be a whole number$" },
		{ C, CALL(4, "t", "{\"n\":1,\"more\":2}"), NULL, "=", "tool.call allow" },
		{ C, BARE(5, "t"), DENIED(5) "~arguments.n must be there", NULL, "tool.call deny arguments" },
		{ C, CALL(6, "u", "{\"n\":\"x\"}"), NULL, "=", "tool.call allow" });
}

static void strict_closes_the_objects_of_the_inputschema_and_denies_what_has_none(void **state)
{
	static const struct {
		bool all;
		const char *tool, *rule;
	} cases[] = { { false, "closed", "p:6 (tools.allow \\\"closed\\\" strict)" },
		{ true, "t", "p:2 (tools.strict)" } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_end_ struct desk *t = desk_with_rules(cases[i].all);
		char early[256], listed[256], fits[256], more[256], denied[256], unknown[256];
		snprintf(early, sizeof(early), CALL(1, "%s", "{\"a\":1}"), cases[i].tool);
		snprintf(
			unknown, sizeof(unknown), DENIED(1) "~denied by %s: no inputSchema of the tool", cases[i].rule);
		snprintf(listed, sizeof(listed),
			TOOLS(2, "{\"name\":\"%s\",\"inputSchema\":{\"properties\":{\"a\":{}}}},{\"name\":\"none\"}"),
			cases[i].tool);
		snprintf(fits, sizeof(fits), CALL(3, "%s", "{\"a\":1}"), cases[i].tool);
		snprintf(more, sizeof(more), CALL(4, "%s", "{\"a\":1,\"b\":2}"), cases[i].tool);
		snprintf(denied, sizeof(denied), DENIED(4) "~denied by %s: arguments.b", cases[i].rule);
		const struct step steps[] = {
			{ C, LIST(9), NULL, "=", "request allow" },
			{ S, TOOLS(9, ""), "=", NULL, "response - ok" },
			{ C, early, unknown, NULL, "tool.call deny no inputSchema" },
			{ C, LIST(2), NULL, "=", "request allow" },
			{ S, listed, "=", NULL, "response - ok" },
			{ C, fits, NULL, "=", "tool.call allow" },
			{ C, more, denied, NULL, "tool.call deny arguments.b" },
			{ C, CALL(5, "none", "{}"), cases[i].all ? DENIED(5) "~no inputSchema of the tool" : NULL,
				cases[i].all ? NULL : "=",
				cases[i].all ? "tool.call deny no inputSchema" : "tool.call allow" },
		};
		play(t, steps, ARRAY_LEN(steps));
	}
}

static void a_tool_with_a_schema_that_cannot_be_used_is_withheld_and_not_callable(void **state)
{
	_cleanup_end_ struct desk *t = desk_with_rules(false);

	PLAY(t, { C, LIST(1), NULL, "=", "request allow" },
		{ S,
			TOOLS(1, "{\"name\":\"far\",\"inputSchema\":{\"$ref\":\"https://example.com/"
				 "s\"}},{\"name\":\"near\","
				 "\"inputSchema\":{}},{\"name\":\"odd\",\"inputSchema\":{},\"outputSchema\":{\"type\":"
				 "7}}"),
			TOOLS(1, "{\"name\":\"near\",\"inputSchema\":{}}"), NULL, "response - ok" },
		{ C, CALL(2, "far", "{}"),
			DENIED(2) "~denied by the inputSchema of the tool: its schemas cannot be used: schema~author "
				  "of the server",
			NULL, "tool.call deny its schemas cannot be used" },
		{ C, CALL(3, "odd", "{}"), DENIED(3) "~denied by the outputSchema of the tool", NULL,
			"tool.call deny its" },
		{ C, CALL(4, "near", "{}"), NULL, "=", "tool.call allow" });
}

static void what_is_withheld_for_its_schema_is_recorded_apart_with_the_reason(void **state)
{
	static struct shim_rule no_b[] = { { false, WORDS("b*"), WORDS("p:1") } };
	struct shim_config c = { .name = WORDS("demo") };
	struct event e;

	c.scope[SHIM_TOOLS] = (struct shim_rules){ false, NULL, no_b, ARRAY_LEN(no_b) };
	_cleanup_desk_ struct desk *t = desk_new(&c);
	assert_int_equal(give(t, C, LIST(1)), 0);
	forget(t);
	assert_int_equal(
		give(t, S,
			TOOLS(1, "{\"name\":\"x\",\"inputSchema\":{\"$ref\":\"y.json\"}},{\"name\":\"b\"},{\"name\":"
				 "\"z\",\"inputSchema\":7}")),
		0);
	for (int i = 0; i < 2; i++) {
		assert_true(recorded(t, &e));
		assert_int_equal(e.type, EVENT_LIST_FILTERED);
		assert_int_equal(e.count, 1);
		assert_string_equal(e.rule, "the schemas of the tool");
		assert_string_equal(e.tool, i ? "z" : "x");
		if (!strstr(e.reason, i ? "must be a schema" : "nothing is fetched"))
			fail_msg("%s", e.reason);
	}
	assert_true(recorded(t, &e));
	assert_int_equal(e.type, EVENT_LIST_FILTERED);
	assert_int_equal(e.count, 1);
	assert_string_equal(e.tool, "");
	assert_string_equal(e.reason, "");
	assert_true(recorded(t, &e));
	assert_int_equal(e.type, EVENT_RESPONSE);
}

static void of_a_crowd_that_is_withheld_some_are_named_and_the_rest_is_counted(void **state)
{
	struct shim_config c = { .name = WORDS("demo") };
	char line[16384], tool[16];
	struct event e;
	int n = snprintf(line, sizeof(line), ID(1) "\"result\":{\"tools\":[{\"name\":\"fine\"}");

	for (int i = 0; i < SHIM_UNUSABLE_MAX + 5; i++)
		n += snprintf(line + n, sizeof(line) - (size_t)n, ",{\"name\":\"t%d\",\"inputSchema\":7}", i);
	assert_in_range(snprintf(line + n, sizeof(line) - (size_t)n, "]}}"), 1, sizeof(line) - (size_t)n - 1);
	_cleanup_desk_ struct desk *t = desk_new(&c);
	assert_int_equal(give(t, C, LIST(1)), 0);
	forget(t);
	assert_int_equal(give(t, S, line), 0);
	assert_string_equal(got(t, t->client), TOOLS(1, "{\"name\":\"fine\"}") "\n");
	for (int i = 0; i < SHIM_UNUSABLE_MAX; i++) {
		snprintf(tool, sizeof(tool), "t%d", i);
		assert_true(recorded(t, &e));
		assert_string_equal(e.tool, tool);
	}
	assert_true(recorded(t, &e));
	assert_int_equal(e.type, EVENT_LIST_FILTERED);
	assert_int_equal(e.count, 5);
	assert_string_equal(e.tool, "");
	assert_non_null(strstr(e.reason, "only so many tools are named"));
	assert_true(recorded(t, &e));
	assert_int_equal(e.type, EVENT_RESPONSE);
}

#define LEARN_OUTPUT(schema)                                                                                           \
	{ C, LIST(1), NULL, "=", "request allow" },                                                                    \
	{                                                                                                              \
		S, TOOLS(1, "{\"name\":\"t\",\"inputSchema\":{},\"outputSchema\":" schema "}"), "=", NULL,             \
			"response - ok"                                                                                \
	}

static void a_result_that_does_not_fit_the_outputschema_becomes_an_error(void **state)
{
	_cleanup_end_ struct desk *t = desk_with_rules(false);

	PLAY(t, LEARN_OUTPUT("{\"type\":\"object\",\"properties\":{\"sum\":{\"type\":\"number\"}}}"),
		{ C, BARE(2, "t"), NULL, "=", "tool.call allow" },
		{ S, ID(2) "\"result\":{\"content\":[],\"structuredContent\":{\"sum\":\"3\"}}}",
			"~\"id\":2,\"error\":{\"code\":5020~the server's answer was not passed on: it does not fit the "
			"outputSchema "
			"of the tool: structuredContent.sum must be a number.",
			NULL, "tool.result - refused" },
		{ C, BARE(3, "t"), NULL, "=", "tool.call allow" },
		{ S, ID(3) "\"result\":{\"content\":[],\"structuredContent\":{\"sum\":3}}}", "=", NULL,
			"tool.result - ok" });
	assert_int_equal(t->s.calls.n, 0);
}

static void what_need_not_fit_the_outputschema_passes(void **state)
{
	_cleanup_end_ struct desk *t = desk_with_rules(false);

	PLAY(t, LEARN_OUTPUT("{\"type\":\"object\",\"required\":[\"sum\"]}"),
		/* An error has none, or whatever the server left in it. */
		{ C, BARE(2, "t"), NULL, "=", "tool.call allow" },
		{ S, ID(2) "\"result\":{\"content\":[],\"isError\":true,\"structuredContent\":{}}}", "=", NULL,
			"tool.result - isError" },
		/* The specification demands it; servers leave it out, and clients know what they want. */
		{ C, BARE(3, "t"), NULL, "=", "tool.call allow" },
		{ S, ID(3) "\"result\":{\"content\":[]}}", "=", NULL, "tool.result - ok" },
		/* No schema is known of another tool. */
		{ C, BARE(4, "other"), NULL, "=", "tool.call allow" },
		{ S, ID(4) "\"result\":{\"structuredContent\":7}}", "=", NULL, "tool.result - ok" },
		{ C, BARE(5, "t"), NULL, "=", "tool.call allow" },
		{ S, ID(5) "\"error\":{\"code\":1,\"message\":\"\"}}", "=", NULL, "tool.result - error" });
}

static void structured_content_may_be_any_json_value(void **state)
{
	_cleanup_end_ struct desk *t = desk_with_rules(false);

	PLAY(t, LEARN_OUTPUT("{\"type\":[\"array\",\"null\"],\"maxItems\":1}"),
		{ C, BARE(2, "t"), NULL, "=", "tool.call allow" },
		{ S, ID(2) "\"result\":{\"content\":[],\"structuredContent\":[1],\"resultType\":\"complete\"}}", "=",
			NULL, "tool.result - ok" },
		{ C, BARE(3, "t"), NULL, "=", "tool.call allow" },
		{ S, ID(3) "\"result\":{\"content\":[],\"structuredContent\":null}}", "=", NULL, "tool.result - ok" },
		{ C, BARE(4, "t"), NULL, "=", "tool.call allow" },
		{ S, ID(4) "\"result\":{\"content\":[],\"structuredContent\":[1,2]}}", "~\"id\":4,\"error\":~5020",
			NULL, "tool.result - refused" },
		{ C, BARE(5, "t"), NULL, "=", "tool.call allow" },
		{ S, ID(5) "\"result\":{\"content\":[],\"structuredContent\":\"x\"}}", "~\"id\":5,\"error\":~5020",
			NULL, "tool.result - refused" });
}

static void a_result_that_comes_through_a_task_is_judged_like_any_other(void **state)
{
	_cleanup_end_ struct desk *t = desk_with_rules(false);

	PLAY(t, LEARN_OUTPUT("{\"type\":\"object\"}"),
		{ C, ID(2) "\"method\":\"tools/call\",\"params\":{\"name\":\"t\",\"task\":{}}}", NULL, "=",
			"tool.call allow" },
		{ S, ID(2) "\"result\":{\"task\":{\"taskId\":\"k\",\"status\":\"working\"}}}", "=", NULL,
			"tool.result - task" },
		{ C, ID(3) "\"method\":\"tasks/result\",\"params\":{\"taskId\":\"k\"}}", NULL, "=", "request allow" },
		{ S, ID(3) "\"result\":{\"content\":[],\"structuredContent\":[7]}}",
			"~\"id\":3,\"error\":~5020~outputSchema", NULL, "response - refused" },
		{ C, ID(4) "\"method\":\"tasks/result\",\"params\":{\"taskId\":\"k\"}}", NULL, "=", "request allow" },
		{ S, ID(4) "\"result\":{\"content\":[],\"structuredContent\":{}}}", "=", NULL, "response - ok" },
		{ C, ID(5) "\"method\":\"tasks/result\",\"params\":{\"taskId\":\"other\"}}", NULL, "=",
			"request allow" },
		{ S, ID(5) "\"result\":{\"content\":[],\"structuredContent\":{}}}",
			"~\"id\":5,\"error\":~5020~of no call", NULL, "response - refused" },
		{ C, ID(5) "\"method\":\"tasks/result\",\"params\":{\"taskId\":\"other\"}}", NULL, "=",
			"request allow" },
		{ S, ID(5) "\"result\":{\"content\":[]}}", "=", NULL, "response - ok" });
	/* An id that stands for this tool's task does not come to stand for one of another, whose results nobody
	 * checks. */
	PLAY(t,
		{ C, ID(6) "\"method\":\"tools/call\",\"params\":{\"name\":\"u\",\"task\":{}}}", NULL, "=",
			"tool.call allow" },
		{ S, ID(6) "\"result\":{\"task\":{\"taskId\":\"k\",\"status\":\"working\"}}}",
			"~\"id\":6,\"error\":~of another tool", NULL, "tool.result - refused" },
		{ C, ID(3) "\"method\":\"tasks/result\",\"params\":{\"taskId\":\"k\"}}", NULL, "=", "request allow" },
		{ S, ID(3) "\"result\":{\"content\":[],\"structuredContent\":[7]}}",
			"~\"id\":3,\"error\":~5020~outputSchema", NULL, "response - refused" });
	/* The modern era: the task is the result, and its state holds what it came to. */
	PLAY(t, { C, BARE(6, "t"), NULL, "=", "tool.call allow" },
		{ S, ID(6) "\"result\":{\"resultType\":\"task\",\"taskId\":\"m\",\"status\":\"working\"}}", "=", NULL,
			"tool.result - ok" },
		{ C, ID(7) "\"method\":\"tasks/get\",\"params\":{\"taskId\":\"m\"}}", NULL, "=", "request allow" },
		{ S, ID(7) "\"result\":{\"taskId\":\"m\",\"result\":{\"structuredContent\":[7]}}}",
			"~\"id\":7,\"error\":~5020", NULL, "response - refused" },
		{ C, ID(8) "\"method\":\"tasks/get\",\"params\":{\"taskId\":\"m\"}}", NULL, "=", "request allow" },
		{ S, ID(8) "\"result\":{\"taskId\":\"m\",\"result\":{\"isError\":true,\"structuredContent\":[7]}}}",
			"=", NULL, "response - ok" },
		/* What stands outside does not speak for what the client looks at. */
		{ C, ID(9) "\"method\":\"tasks/get\",\"params\":{\"taskId\":\"m\"}}", NULL, "=", "request allow" },
		{ S,
			ID(9) "\"result\":{\"taskId\":\"m\",\"isError\":true,\"structuredContent\":{},\"result\":{"
			      "\"structuredContent\":[7]}}}",
			"~\"id\":9,\"error\":~5020", NULL, "response - refused" },
		/* The other answers that may give its state. */
		{ C, ID(10) "\"method\":\"tasks/cancel\",\"params\":{\"taskId\":\"m\"}}", NULL, "=", "request allow" },
		{ S, ID(10) "\"result\":{\"taskId\":\"m\",\"result\":{\"structuredContent\":[7]}}}",
			"~\"id\":10,\"error\":~5020~outputSchema", NULL, "response - refused" },
		{ C, ID(11) "\"method\":\"tasks/update\",\"params\":{\"taskId\":\"m\"}}", NULL, "=", "request allow" },
		{ S, ID(11) "\"result\":{\"taskId\":\"m\",\"result\":{\"structuredContent\":[7]}}}",
			"~\"id\":11,\"error\":~5020~outputSchema", NULL, "response - refused" });
	/* And pushed. */
	t->s.greeted = true;
#define PUSHED(id, content)                                                                                            \
	"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tasks\",\"params\":{\"taskId\":\"" id                         \
	"\",\"result\":{\"structuredContent\":" content "}}}"
	PLAY(t, { S, PUSHED("m", "[7]"), NULL, NULL, "message.refused drop it does not fit the outputSchema" },
		{ S, PUSHED("x", "{}"), NULL, NULL, "message.refused drop its task is of no call" },
		{ S, PUSHED("m", "{}"), "=", NULL, NULL });
}

static void nothing_that_a_result_says_of_itself_keeps_it_from_the_outputschema(void **state)
{
	static const char *const claims[] = { "\"task\":null", "\"task\":{}", "\"resultType\":\"input_required\"",
		"\"inputRequests\":{}", "\"resultType\":\"task\",\"taskId\":\"k\"", "\"isError\":\"true\"" };
	_cleanup_end_ struct desk *t = desk_with_rules(false);

	PLAY(t, LEARN_OUTPUT("{\"type\":\"object\"}"));
	for (size_t i = 0; i < ARRAY_LEN(claims); i++) {
		char text[256];
		snprintf(text, sizeof(text), ID(2) "\"result\":{\"content\":[],\"structuredContent\":[7],%s}}",
			claims[i]);
		const struct step steps[] = { { C, BARE(2, "t"), NULL, "=", "tool.call allow" },
			{ S, text, "~\"id\":2,\"error\":~5020~outputSchema", NULL, "tool.result - refused" } };
		play(t, steps, 2);
	}
}

static void of_many_tasks_the_newest_are_known(void **state)
{
	struct task_tools t = { 0 };
	char id[32], tool[32];

	for (int i = 0; i < 2 * TASK_TOOLS_MAX; i++) {
		snprintf(id, sizeof(id), "id%d", i);
		snprintf(tool, sizeof(tool), "tool%d", i);
		assert_int_equal(task_tools_note(&t, slice_of(id), tool), 0);
		assert_int_equal(task_tools_note(&t, slice_of(id), tool), 0);
	}
	assert_true(slice_is(task_tools_find(&t, slice_of("id511")), "tool511"));
	assert_true(slice_is(task_tools_find(&t, slice_of("id256")), "tool256"));
	assert_int_equal(task_tools_find(&t, slice_of("id255")).n, 0);
	assert_int_equal(task_tools_find(&t, slice_of("")).n, 0);
	assert_int_equal(task_tools_note(&t, slice_of("id300"), "newer"), TASK_TOOLS_TAKEN);
	assert_true(slice_is(task_tools_find(&t, slice_of("id300")), "tool300"));
	assert_true(slice_is(task_tools_find(&t, slice_of("id256")), "tool256"));
	task_tools_done(&t);
}

static void a_bad_rule_of_the_profile_is_refused_before_anything_is_read(void **state)
{
	static const char *const bad[] = { "{\"type\":7}", "{\"propertes\":{}}", "{\"format\":\"uri\"}", "{" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct shim_argument_rule rule = { WORDS("x"), WORDS(bad[i]), WORDS("p:1"), false };
		struct shim_config c = { .name = WORDS("demo"), .arguments = { .rules = &rule, .n = 1 } };
		_cleanup_end_ struct desk *t = desk_new(&c);
		struct diag d = { 0 };
		assert_int_equal(arguments_prepare(&t->s, &d), -EINVAL);
		assert_true(d.text[0] != '\0');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments_must_fit_every_rule_of_the_profile_that_names_the_tool),
		cmocka_unit_test(arguments_have_no_other_spelling_of_what_the_profile_names),
		cmocka_unit_test(arguments_that_are_no_object_are_refused),
		cmocka_unit_test(a_denied_call_that_wanted_a_task_gets_an_error),
		cmocka_unit_test(arguments_are_judged_by_the_inputschema_once_the_tool_was_listed),
		cmocka_unit_test(strict_closes_the_objects_of_the_inputschema_and_denies_what_has_none),
		cmocka_unit_test(a_tool_with_a_schema_that_cannot_be_used_is_withheld_and_not_callable),
		cmocka_unit_test(what_is_withheld_for_its_schema_is_recorded_apart_with_the_reason),
		cmocka_unit_test(of_a_crowd_that_is_withheld_some_are_named_and_the_rest_is_counted),
		cmocka_unit_test(a_result_that_does_not_fit_the_outputschema_becomes_an_error),
		cmocka_unit_test(what_need_not_fit_the_outputschema_passes),
		cmocka_unit_test(structured_content_may_be_any_json_value),
		cmocka_unit_test(nothing_that_a_result_says_of_itself_keeps_it_from_the_outputschema),
		cmocka_unit_test(a_result_that_comes_through_a_task_is_judged_like_any_other),
		cmocka_unit_test(of_many_tasks_the_newest_are_known),
		cmocka_unit_test(a_bad_rule_of_the_profile_is_refused_before_anything_is_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
