/* SPDX-License-Identifier: Apache-2.0 */
/* test_shim_clarity - which keys give a message more than one meaning, in every place where the protocol has keys */
#include "tests/unit/shim_unit.h"
#include "shim/clarity.h"
#include "shim/policy.h"

#define COLLIDES "two keys of one object differ by upper and lower case alone"
#define IMITATES "a key differs from one of the protocol's by upper and lower case alone"
#define SCHEMA	 "a key differs from one of the tool's schema by upper and lower case alone"

/* A message in the doc of a desk, as the handlers have it. */
static struct envelope parsed(struct desk *t, const char *text)
{
	struct envelope e = { 0 };

	if (json_parse(&t->s.doc, text, strlen(text)) != 0 || envelope_read(&t->s.doc, &e) != 0)
		fail_msg("not a message: %s", text);
	return e;
}

static void expect(const char *text, const char *got_, const char *wanted)
{
	if (!got_ != !wanted || (got_ && strcmp(got_, wanted) != 0))
		fail_msg("%s: %s", text, got_ ? got_ : "clear");
}

#define REQUEST(params)	   "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":" params "}"
#define RESULT(result)	   "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":" result "}"
#define ERROR_OF(error)	   "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":" error "}"
#define WITH_META(meta)	   REQUEST("{\"_meta\":" meta "}")
#define RESPONSES(content) REQUEST("{\"inputResponses\":" content "}")

static void params_have_one_meaning(void **state)
{
	static const struct {
		const char *text, *unclear;
	} cases[] = {
		{ REQUEST("{\"name\":\"x\",\"arguments\":{\"Name\":1}}"), NULL },
		{ REQUEST("{\"Name\":\"x\"}"), IMITATES },
		{ REQUEST("{\"name\":\"x\",\"URI\":1}"), IMITATES },
		/* A message that has no params is as clear as can be. */
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"}", NULL },
		{ "{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"params\":{\"RequestId\":1}}", IMITATES },
		/* Keys of a result are none of params'. */
		{ REQUEST("{\"nextcursor\":1}"), NULL },
		{ WITH_META("{\"progresstoken\":1}"), IMITATES },
		{ WITH_META("{\"io.modelcontextprotocol/protocolversion\":1}"), IMITATES },
		{ WITH_META("{\"Name\":1}"), NULL },
		{ REQUEST("{\"task\":{\"TTL\":1}}"), IMITATES },
		{ REQUEST("{\"task\":{\"ttl\":1}}"), NULL },
		{ REQUEST("{\"notifications\":{\"ResourceSubscriptions\":[]}}"), IMITATES },
		{ REQUEST("{\"notifications\":{\"resourceSubscriptions\":[]}}"), NULL },
		{ RESPONSES("{\"r\":{\"Roots\":[]}}"), IMITATES },
		{ RESPONSES("{\"r\":{\"roots\":[{\"Uri\":\"file:///\"}]}}"), IMITATES },
		{ RESPONSES("{\"r\":{\"roots\":[{\"uri\":\"file:///\"},{\"NAME\":\"n\"}]}}"), IMITATES },
		{ RESPONSES("{\"r\":{\"roots\":[1,[{\"Uri\":1}],\"x\",{\"uri\":\"file:///\"}]}}"), NULL },
		{ RESPONSES("{\"first\":{\"roots\":[]},\"second\":{\"Action\":1}}"), IMITATES },
		{ RESPONSES("{\"r\":{\"roots\":{}}}"), NULL },
		/* The server chose the name of an answer. */
		{ RESPONSES("{\"Roots\":{\"action\":\"accept\"}}"), NULL },
		{ REQUEST("{\"x\":{\"a\":1,\"A\":2}}"), COLLIDES },
		{ REQUEST("{\"a\":1,\"A\":2}"), COLLIDES },
		{ REQUEST("{\"x\":{\"a\":1},\"y\":{\"A\":2}}"), NULL },
		{ REQUEST("{\"arguments\":{\"a\":1,\"A\":2}}"), COLLIDES },
		/* Where both are true, one is said. */
		{ REQUEST("{\"Name\":1,\"arguments\":{\"a\":1,\"A\":2}}"), IMITATES },
	};
	const struct shim_config c = { 0 };
	_cleanup_desk_ struct desk *t = desk_new(&c);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct envelope e = parsed(t, cases[i].text);
		expect(cases[i].text, clarity_of_params(&t->s, &e, slice_of(NULL)), cases[i].unclear);
	}
}

#define CALL(arguments) REQUEST("{\"name\":\"tool\",\"arguments\":" arguments "}")

static void learn(struct desk *t)
{
	const char *why;

	assert_int_equal(schemas_learn(&t->s.schemas, slice_of("tool"),
				 slice_of("{\"properties\":{\"path\":{},\"b\":{},\"B\":{},\"deep\":{\"properties\":{"
					  "\"leaf\":{}}}}}"),
				 slice_of("{\"properties\":{\"sum\":{},\"c\":{},\"C\":{}}}"), false, &why),
		0);
	assert_int_equal(schemas_learn(&t->s.schemas, slice_of("plain"), slice_of("{\"type\":\"object\"}"),
				 slice_of(NULL), false, &why),
		0);
}

static void arguments_are_judged_by_the_schema_of_the_tool_that_is_called(void **state)
{
	static const struct {
		const char *text, *tool, *unclear;
	} cases[] = {
		{ CALL("{\"path\":1,\"other\":2}"), "tool", NULL },
		{ CALL("{\"Path\":1}"), "tool", SCHEMA },
		{ CALL("{\"x\":[{\"PATH\":1}]}"), "tool", SCHEMA },
		{ CALL("{\"deep\":{\"Leaf\":1}}"), "tool", SCHEMA },
		/* Both are names of the schema, so that two keys are two keys. */
		{ CALL("{\"b\":1,\"B\":2}"), "tool", NULL },
		/* Neither is: no peer that goes by the schema reads them. */
		{ CALL("{\"z\":1,\"Z\":2}"), "tool", NULL },
		/* Of a tool that nobody listed nothing is known. */
		{ CALL("{\"b\":1,\"B\":2}"), "another", COLLIDES },
		{ CALL("{\"Path\":1}"), "another", NULL },
		{ CALL("{\"b\":1,\"B\":2}"), NULL, COLLIDES },
		{ CALL("{\"Path\":1}"), NULL, NULL },
		/* The schema speaks for the arguments alone. */
		{ REQUEST("{\"name\":\"tool\",\"x\":{\"b\":1,\"B\":2}}"), "tool", COLLIDES },
		{ REQUEST("{\"name\":\"tool\",\"arguments\":{\"b\":1,\"B\":2},\"y\":{\"b\":1,\"B\":2}}"), "tool",
			COLLIDES },
		{ REQUEST("{\"name\":\"tool\",\"x\":{\"Path\":1}}"), "tool", NULL },
		{ REQUEST("{\"Name\":\"tool\",\"arguments\":{\"path\":1}}"), "tool", IMITATES },
	};
	const struct shim_config c = { 0 };
	_cleanup_desk_ struct desk *t = desk_new(&c);

	learn(t);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct envelope e = parsed(t, cases[i].text);
		expect(cases[i].text, clarity_of_params(&t->s, &e, slice_of(cases[i].tool)), cases[i].unclear);
	}
}

static void results_have_one_meaning(void **state)
{
	static const struct {
		const char *text, *unclear;
	} cases[] = {
		{ RESULT("{\"content\":[]}"), NULL },
		{ RESULT("null"), NULL },
		{ RESULT("[{\"Content\":1}]"), NULL },
		{ RESULT("{\"Content\":[]}"), IMITATES },
		{ RESULT("{\"nextcursor\":1}"), IMITATES },
		{ RESULT("{\"_meta\":{\"ProgressToken\":1}}"), IMITATES },
		{ RESULT("{\"task\":{\"TaskId\":1}}"), IMITATES },
		{ RESULT("{\"content\":[{\"type\":\"text\",\"TEXT\":\"x\"}]}"), IMITATES },
		{ RESULT("{\"content\":[{\"type\":\"resource\",\"resource\":{\"Uri\":\"x\"}}]}"), IMITATES },
		{ RESULT("{\"content\":{\"Text\":\"x\"}}"), IMITATES },
		{ RESULT("{\"contents\":[{\"URI\":1}]}"), IMITATES },
		{ RESULT("{\"tools\":[{\"Name\":1}]}"), IMITATES },
		{ RESULT("{\"tools\":[{\"name\":1},[],{\"inputschema\":1}]}"), IMITATES },
		{ RESULT("{\"resources\":[{\"Uri\":1}]}"), IMITATES },
		{ RESULT("{\"resourceTemplates\":[{\"uritemplate\":1}]}"), IMITATES },
		{ RESULT("{\"prompts\":[{\"Name\":1}]}"), IMITATES },
		{ RESULT("{\"messages\":[{\"Role\":1}]}"), IMITATES },
		{ RESULT("{\"messages\":[{\"role\":1,\"content\":{\"Text\":\"x\"}}]}"), IMITATES },
		{ RESULT("{\"roots\":[{\"Uri\":1}]}"), IMITATES },
		{ RESULT("{\"tasks\":[{\"taskid\":1}]}"), IMITATES },
		/* Who asked for the state of a task knows of which: the answer need not say it. */
		{ RESULT("{\"status\":\"completed\",\"result\":{\"StructuredContent\":1}}"), IMITATES },
		{ RESULT("{\"result\":{\"content\":[{\"Text\":1}]}}"), IMITATES },
		{ RESULT("{\"result\":{\"structuredContent\":{\"Name\":1}}}"), NULL },
		{ RESULT("{\"inputRequests\":{\"a\":{\"Method\":\"m\"}}}"), IMITATES },
		{ RESULT("{\"inputRequests\":{\"a\":{\"method\":\"m\"},\"b\":{\"PARAMS\":{}}}}"), IMITATES },
		{ RESULT("{\"inputRequests\":{\"Method\":{\"method\":\"m\"}}}"), NULL },
		/* Lists of the protocol's have its keys; others are the server's own. */
		{ RESULT("{\"mine\":[{\"Name\":1}]}"), NULL },
		{ RESULT("{\"structuredContent\":{\"Name\":1}}"), NULL },
		{ RESULT("{\"structuredContent\":{\"a\":1,\"A\":2}}"), COLLIDES },
		{ RESULT("{\"mine\":[{\"a\":1,\"A\":2}]}"), COLLIDES },
		{ ERROR_OF("{\"code\":1,\"message\":\"\"}"), NULL },
		{ ERROR_OF("{\"Code\":1}"), IMITATES },
		{ ERROR_OF("{\"code\":1,\"MESSAGE\":\"\"}"), IMITATES },
		{ ERROR_OF("{\"code\":1,\"data\":{\"Code\":1}}"), NULL },
		{ ERROR_OF("{\"code\":1,\"data\":{\"a\":1,\"A\":2}}"), COLLIDES },
		/* A key of results is none of an error's. */
		{ ERROR_OF("{\"code\":1,\"Content\":1}"), NULL },
	};
	const struct shim_config c = { 0 };
	_cleanup_desk_ struct desk *t = desk_new(&c);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct envelope e = parsed(t, cases[i].text);
		expect(cases[i].text, clarity_of_result(&t->s, &e, slice_of(NULL), false), cases[i].unclear);
	}
}

#define STRUCTURED(content) RESULT("{\"content\":[],\"structuredContent\":" content "}")

static void structured_content_is_judged_by_the_schema_of_what_was_called(void **state)
{
	static const struct {
		const char *text, *tool, *unclear;
	} cases[] = {
		{ STRUCTURED("{\"sum\":1}"), "tool", NULL },
		{ STRUCTURED("{\"Sum\":1}"), "tool", SCHEMA },
		{ STRUCTURED("{\"c\":1,\"C\":2}"), "tool", NULL },
		{ STRUCTURED("{\"c\":1,\"C\":2}"), "another", COLLIDES },
		{ STRUCTURED("{\"Sum\":1}"), "another", NULL },
		{ STRUCTURED("{\"Sum\":1}"), NULL, NULL },
		/* It was listed, and no schema names what it gives. */
		{ STRUCTURED("{\"Co\":1,\"CO\":{\"a\":1,\"A\":2}}"), "plain", NULL },
		{ RESULT("{\"mine\":{\"c\":1,\"C\":2},\"structuredContent\":{}}"), "plain", COLLIDES },
		/* The names of its input are no names of its output. */
		{ STRUCTURED("{\"Path\":1}"), "tool", NULL },
		{ RESULT("{\"mine\":{\"c\":1,\"C\":2},\"structuredContent\":{}}"), "tool", COLLIDES },
		{ RESULT("{\"mine\":{\"Sum\":1},\"structuredContent\":{}}"), "tool", NULL },
		/* Without structured content nothing is open. */
		{ RESULT("{\"mine\":{\"c\":1,\"C\":2}}"), "tool", COLLIDES },
		{ ERROR_OF("{\"code\":1,\"data\":{\"c\":1,\"C\":2}}"), "tool", COLLIDES },
	};
	const struct shim_config c = { 0 };
	_cleanup_desk_ struct desk *t = desk_new(&c);

	learn(t);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct envelope e = parsed(t, cases[i].text);
		expect(cases[i].text, clarity_of_result(&t->s, &e, slice_of(cases[i].tool), false), cases[i].unclear);
	}
}

#define TOOL(rest) RESULT("{\"tools\":[{\"name\":\"x\"},{\"name\":\"y\"," rest "}]}")

static void a_listed_schema_may_have_properties_that_differ_by_case(void **state)
{
	static const struct {
		const char *text;
		bool list;
		const char *unclear;
	} cases[] = {
		{ TOOL("\"inputSchema\":{\"properties\":{\"a\":{},\"A\":{}}}"), true, NULL },
		{ TOOL("\"outputSchema\":{\"properties\":{\"a\":{},\"A\":{}}}"), true, NULL },
		{ TOOL("\"annotations\":{\"a\":1,\"A\":2}"), true, COLLIDES },
		{ TOOL("\"inputSchema\":{\"properties\":{\"a\":{},\"A\":{}}},\"annotations\":{\"a\":1,\"A\":2}"), true,
			COLLIDES },
		{ RESULT("{\"tools\":[],\"mine\":{\"inputSchema\":{\"a\":1,\"A\":2}}}"), true, COLLIDES },
		{ TOOL("\"Title\":1"), true, IMITATES },
		/* In no other result. */
		{ TOOL("\"inputSchema\":{\"properties\":{\"a\":{},\"A\":{}}}"), false, COLLIDES },
	};
	const struct shim_config c = { 0 };
	_cleanup_desk_ struct desk *t = desk_new(&c);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct envelope e = parsed(t, cases[i].text);
		expect(cases[i].text, clarity_of_result(&t->s, &e, slice_of(NULL), cases[i].list), cases[i].unclear);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(params_have_one_meaning),
		cmocka_unit_test(arguments_are_judged_by_the_schema_of_the_tool_that_is_called),
		cmocka_unit_test(results_have_one_meaning),
		cmocka_unit_test(structured_content_is_judged_by_the_schema_of_what_was_called),
		cmocka_unit_test(a_listed_schema_may_have_properties_that_differ_by_case),
	};

	return cmocka_run_group_tests_name("clarity", tests, NULL, NULL);
}
