/* SPDX-License-Identifier: Apache-2.0 */
/* test_shim_lists - what is taken out of a message, to the byte, and which of two items of one name stays */
#include "tests/unit/shim_unit.h"
#include <errno.h>
#include "shim/lists.h"
#include "shim/offers.h"

#define RESULT(result) "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":" result "}"

static struct shim_rule no_b[] = { { false, WORDS("b*"), WORDS("p:1") } };
static struct shim_rule no_p[] = { { false, WORDS("p*"), WORDS("p:3") } };
static struct shim_rule only_files[] = { { true, WORDS("file:///data/*"), WORDS("p:2") } };

/* Tools but those that begin with b, prompts but those with p, resources below /data, roots below /home/u. */
static struct desk *desk_with_rules(void)
{
	struct shim_config c = { 0 };

	c.scope[SHIM_TOOLS] = (struct shim_rules){ false, NULL, no_b, ARRAY_LEN(no_b) };
	c.scope[SHIM_PROMPTS] = (struct shim_rules){ false, NULL, no_p, ARRAY_LEN(no_p) };
	c.scope[SHIM_RESOURCES] = (struct shim_rules){ true, WORDS("p:0"), only_files, ARRAY_LEN(only_files) };
	struct desk *t = desk_new(&c);
	assert_int_equal(strv_add(&t->s.config.roots, "/home/u"), 0);
	return t;
}

static struct slice result_of(struct desk *t, const char *text)
{
	assert_int_equal(json_parse(&t->s.doc, text, strlen(text)), 0);
	return (struct slice){ t->s.doc.out.data, t->s.doc.out.len };
}

/* What is left is that message (NULL: it was not touched), and so many were taken out. */
static void expect_left(struct desk *t, const char *text, int r, uint64_t hidden, const char *left)
{
	assert_int_equal(r, 0);
	if (!left ? hidden != 0 : hidden == 0 || strcmp(t->s.edited.data, left) != 0)
		fail_msg("%s: %ju hidden: %s", text, (uintmax_t)hidden, hidden ? t->s.edited.data : "as it was");
}

static void each_list_loses_what_its_rules_deny(void **state)
{
	static const struct {
		enum method_result kind;
		const char *text, *left;
		uint64_t hidden;
	} cases[] = {
		{ RESULT_TOOLS, RESULT("{\"tools\":[{\"name\":\"a\"},{\"name\":\"b1\"},{\"name\":\"c\",\"x\":[1]}]}"),
			RESULT("{\"tools\":[{\"name\":\"a\"},{\"name\":\"c\",\"x\":[1]}]}"), 1 },
		{ RESULT_TOOLS, RESULT("{\"tools\":[{\"name\":\"b1\"},{\"name\":\"b2\"}],\"nextCursor\":\"n\"}"),
			RESULT("{\"tools\":[],\"nextCursor\":\"n\"}"), 2 },
		{ RESULT_TOOLS, RESULT("{\"x\":\"b\",\"tools\":[{\"name\":\"b\"},{\"name\":\"a\"}],\"y\":1}"),
			RESULT("{\"x\":\"b\",\"tools\":[{\"name\":\"a\"}],\"y\":1}"), 1 },
		{ RESULT_TOOLS, RESULT("{\"tools\":[{\"name\":\"a\"},{\"name\":\"c\"}]}"), NULL, 0 },
		{ RESULT_TOOLS, RESULT("{\"tools\":[]}"), NULL, 0 },
		{ RESULT_TOOLS, RESULT("{}"), NULL, 0 },
		/* What has no name, or one that two peers read differently, is no tool that a rule could speak of. */
		{ RESULT_TOOLS, RESULT("{\"tools\":[{\"title\":\"a\"},7,[{\"name\":\"a\"}],{\"name\":1}]}"),
			RESULT("{\"tools\":[]}"), 4 },
		{ RESULT_TOOLS, RESULT("{\"tools\":[{\"name\":\"a\\ud800\"},{\"name\":\"a\\u0000\"}]}"),
			RESULT("{\"tools\":[]}"), 2 },
		/* A rule sees what a peer sees, not how it was spelt. */
		{ RESULT_TOOLS, RESULT("{\"tools\":[{\"name\":\"\\u0062\"},{\"name\":\"a\"}]}"),
			RESULT("{\"tools\":[{\"name\":\"a\"}]}"), 1 },
		{ RESULT_PROMPTS, RESULT("{\"prompts\":[{\"name\":\"p\"},{\"name\":\"b\"}]}"),
			RESULT("{\"prompts\":[{\"name\":\"b\"}]}"), 1 },
		{ RESULT_RESOURCES,
			RESULT("{\"resources\":[{\"uri\":\"file:///data/x\"},{\"uri\":\"file:///etc/x\"}]}"),
			RESULT("{\"resources\":[{\"uri\":\"file:///data/x\"}]}"), 1 },
		{ RESULT_TEMPLATES,
			RESULT("{\"resourceTemplates\":[{\"uriTemplate\":\"file:///{x}\"},{\"uriTemplate\":\"file:///"
			       "data/{x}\"}]}"),
			RESULT("{\"resourceTemplates\":[{\"uriTemplate\":\"file:///data/{x}\"}]}"), 1 },
		/* Each kind looks at its own array alone. */
		{ RESULT_PROMPTS, RESULT("{\"tools\":[{\"name\":\"b\"}]}"), NULL, 0 },
		{ RESULT_PLAIN, RESULT("{\"tools\":[{\"name\":\"b\"}]}"), NULL, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_desk_ struct desk *t = desk_with_rules();
		uint64_t hidden = 99;
		result_of(t, cases[i].text);
		int r = lists_filter(&t->s, cases[i].kind, false, &t->s.edited, &hidden);
		expect_left(t, cases[i].text, r, hidden, cases[i].left);
		assert_int_equal(hidden, cases[i].hidden);
		assert_int_equal(t->s.doubles, 0);
	}
}

static void a_list_that_is_no_array_is_unreadable(void **state)
{
	static const char *const lists[] = { "{\"name\":\"b\"}", "null", "\"b\"", "7" };
	_cleanup_desk_ struct desk *t = desk_with_rules();
	uint64_t hidden;
	char text[256];

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		snprintf(text, sizeof(text), RESULT("{\"tools\":%s}"), lists[i]);
		result_of(t, text);
		assert_int_equal(lists_filter(&t->s, RESULT_TOOLS, false, &t->s.edited, &hidden), LISTS_UNREADABLE);
	}
}

/* One page of a list of tools; what was hidden, and how many of it for its name. */
static uint64_t page(struct desk *t, bool further, const char *text, uint64_t doubles, const char *left)
{
	uint64_t hidden = 0;

	result_of(t, text);
	int r = lists_filter(&t->s, RESULT_TOOLS, further, &t->s.edited, &hidden);
	expect_left(t, text, r, hidden, left);
	if (hidden)
		assert_int_equal(t->s.doubles, doubles);
	return hidden;
}

static void of_one_name_the_first_stays_through_all_pages(void **state)
{
	_cleanup_desk_ struct desk *t = desk_with_rules();

	page(t, false, RESULT("{\"tools\":[{\"name\":\"a\",\"v\":1},{\"name\":\"a\",\"v\":2},{\"name\":\"b\"}]}"), 1,
		RESULT("{\"tools\":[{\"name\":\"a\",\"v\":1}]}"));
	/* The same twice is one too many, too. */
	page(t, false, RESULT("{\"tools\":[{\"name\":\"a\"},{\"name\":\"a\"}],\"nextCursor\":\"2\"}"), 1,
		RESULT("{\"tools\":[{\"name\":\"a\"}],\"nextCursor\":\"2\"}"));
	page(t, true, RESULT("{\"tools\":[{\"name\":\"a\",\"v\":9},{\"name\":\"c\"}],\"nextCursor\":\"3\"}"), 1,
		RESULT("{\"tools\":[{\"name\":\"c\"}],\"nextCursor\":\"3\"}"));
	/* To the byte the same: the list moved while it was read. */
	page(t, true, RESULT("{\"tools\":[{\"name\":\"a\"},{\"name\":\"c\"}],\"nextCursor\":\"4\"}"), 0, NULL);
	page(t, true, RESULT("{\"tools\":[{\"name\":\"a\"},{\"name\":\"a\"}]}"), 1,
		RESULT("{\"tools\":[{\"name\":\"a\"}]}"));
	/* The last page was the end of that list: a new one may say anything. */
	page(t, false, RESULT("{\"tools\":[{\"name\":\"a\",\"v\":7}],\"nextCursor\":\"2\"}"), 0, NULL);
	page(t, false, RESULT("{\"tools\":[{\"name\":\"a\",\"v\":8}]}"), 0, NULL);
	page(t, true, RESULT("{\"tools\":[{\"name\":\"a\",\"v\":6}]}"), 0, NULL);
}

static void lists_of_different_kinds_share_no_names(void **state)
{
	_cleanup_desk_ struct desk *t = desk_with_rules();
	uint64_t hidden;

	page(t, false, RESULT("{\"tools\":[{\"name\":\"a\"}],\"nextCursor\":\"2\"}"), 0, NULL);
	result_of(t, RESULT("{\"prompts\":[{\"name\":\"a\"}]}"));
	assert_int_equal(lists_filter(&t->s, RESULT_PROMPTS, false, &t->s.edited, &hidden), 0);
	assert_int_equal(hidden, 0);
	page(t, true, RESULT("{\"tools\":[{\"name\":\"a\",\"v\":1}]}"), 1, RESULT("{\"tools\":[]}"));
}

static void schemas_are_learnt_of_the_tools_that_stay_and_of_no_others(void **state)
{
	_cleanup_desk_ struct desk *t = desk_with_rules();
	struct slice key;

	page(t, false,
		RESULT("{\"tools\":[{\"name\":\"a\",\"inputSchema\":{\"properties\":{\"p\":{}}},\"outputSchema\":{"
		       "\"properties\":{\"q\":{}}}},{\"name\":\"a\",\"inputSchema\":{\"properties\":{\"z\":{}}}},"
		       "{\"name\":\"b\",\"inputSchema\":{}}]}"),
		1,
		RESULT("{\"tools\":[{\"name\":\"a\",\"inputSchema\":{\"properties\":{\"p\":{}}},\"outputSchema\":{"
		       "\"properties\":{\"q\":{}}}}]}"));
	const struct schema_names *in = schemas_input(&t->s.schemas, slice_of("a"));
	const struct schema_names *out = schemas_output(&t->s.schemas, slice_of("a"));
	assert_true(in && out);
	assert_true(schema_names_imitated(in, 7, slice_of("{\"P\":1}"), &key));
	assert_false(schema_names_imitated(in, 7, slice_of("{\"Z\":1}"), &key));
	assert_true(schema_names_imitated(out, 7, slice_of("{\"Q\":1}"), &key));
	assert_null(schemas_input(&t->s.schemas, slice_of("b")));
}

static void tools_hidden_in_capabilities_go(void **state)
{
	static const struct {
		const char *text, *left;
	} cases[] = {
		{ RESULT("{\"capabilities\":{\"tools\":{\"listChanged\":true,\"b\":{},\"a\":{}}}}"),
			RESULT("{\"capabilities\":{\"tools\":{\"listChanged\":true,\"a\":{}}}}") },
		{ RESULT("{\"capabilities\":{\"tools\":{\"b\":{}}},\"z\":1}"),
			RESULT("{\"capabilities\":{\"tools\":{}},\"z\":1}") },
		/* What is no object is no tool. */
		{ RESULT("{\"capabilities\":{\"tools\":{\"b\":true}}}"), NULL },
		{ RESULT("{\"capabilities\":{\"tools\":{\"b\":[]}}}"), NULL },
		{ RESULT("{\"capabilities\":{\"tools\":[]}}"), NULL },
		{ RESULT("{\"capabilities\":{\"resources\":{\"b\":{}}}}"), NULL },
		{ RESULT("{\"tools\":{\"b\":{}}}"), NULL },
		{ RESULT("{}"), NULL },
	};
	static const char *const unnamed[] = { RESULT("{\"capabilities\":{\"tools\":[{\"name\":\"a\"}]}}"),
		RESULT("{\"capabilities\":{\"tools\":{\"x\":[{\"name\":\"a\"}]}}}"),
		RESULT("{\"capabilities\":{\"tools\":{\"b\":{},\"x\":[1]}}}") };
	_cleanup_desk_ struct desk *t = desk_with_rules();
	uint64_t hidden;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		result_of(t, cases[i].text);
		int r = lists_filter_capabilities(&t->s, &t->s.edited, &hidden);
		expect_left(t, cases[i].text, r, hidden, cases[i].left);
	}
	for (size_t i = 0; i < ARRAY_LEN(unnamed); i++) {
		result_of(t, unnamed[i]);
		assert_int_equal(lists_filter_capabilities(&t->s, &t->s.edited, &hidden), LISTS_NO_CAPABILITY);
	}
}

#define OFFERS(offers)                                                                                                 \
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"capabilities\":" offers "}}"

static void a_client_offers_what_the_profile_lets_be_asked_for(void **state)
{
	static const struct {
		bool sampling, elicitation, roots;
		const char *left;
	} cases[] = {
		{ true, true, true, NULL },
		{ false, true, true, OFFERS("{\"elicitation\":{},\"roots\":{},\"x\":1}") },
		{ true, false, true, OFFERS("{\"sampling\":{},\"roots\":{},\"x\":1}") },
		{ true, true, false, OFFERS("{\"sampling\":{},\"elicitation\":{},\"x\":1}") },
		{ false, false, false, OFFERS("{\"x\":1}") },
	};
	static const char all[] = OFFERS("{\"sampling\":{},\"elicitation\":{},\"roots\":{},\"x\":1}");
	uint64_t hidden;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_desk_ struct desk *t = desk_with_rules();
		t->s.config.client.sampling.on = cases[i].sampling;
		t->s.config.client.elicitation.on = cases[i].elicitation;
		if (!cases[i].roots)
			strv_done(&t->s.config.roots);
		struct slice whole = result_of(t, all), params = walk_get(whole, "params");
		int r = offers_filter(&t->s, walk_get(params, "capabilities"), &t->s.edited, &hidden);
		expect_left(t, all, r, hidden, cases[i].left);
		/* However it is spelt: some servers take keys of any case. */
		whole = result_of(t, OFFERS("{\"Sampling\":{}}"));
		params = walk_get(whole, "params");
		r = offers_filter(&t->s, walk_get(params, "capabilities"), &t->s.edited, &hidden);
		expect_left(t, all, r, hidden, cases[i].sampling ? NULL : OFFERS("{}"));
	}
}

static void roots_that_are_not_granted_go(void **state)
{
	static const struct {
		const char *text, *left;
	} cases[] = {
		{ RESULT("{\"roots\":[{\"uri\":\"file:///home/u/x\"},{\"uri\":\"file:///etc\",\"name\":\"u\"}]}"),
			RESULT("{\"roots\":[{\"uri\":\"file:///home/u/x\"}]}") },
		{ RESULT("{\"roots\":[{\"uri\":\"file:///home/u/../v\"},{\"name\":\"u\"},1]}"),
			RESULT("{\"roots\":[]}") },
		{ RESULT("{\"roots\":[{\"uri\":\"file:///home/u\"}]}"), NULL },
		{ RESULT("{\"roots\":{\"uri\":\"file:///etc\"}}"), NULL },
	};
	_cleanup_desk_ struct desk *t = desk_with_rules();
	uint64_t hidden;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct slice result = walk_get(result_of(t, cases[i].text), "result");
		int r = lists_filter_roots(&t->s, walk_get(result, "roots"), &t->s.edited, &hidden);
		expect_left(t, cases[i].text, r, hidden, cases[i].left);
	}
}

#define RETRY(responses)                                                                                               \
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":{\"inputResponses\":" responses ",\"z\":1}}"

static void every_answer_of_a_retry_keeps_granted_roots_alone(void **state)
{
	static const struct {
		const char *text, *left;
		uint64_t hidden;
	} cases[] = {
		{ RETRY("{\"a\":{\"roots\":[{\"uri\":\"file:///etc\"}]},\"b\":{\"action\":\"accept\"},\"c\":{\"roots\":"
			"[{\"uri\":\"file:///home/u\"},{\"uri\":\"file:///x\"},{\"uri\":\"file:///y\"}]}}"),
			RETRY("{\"a\":{\"roots\":[]},\"b\":{\"action\":\"accept\"},\"c\":{\"roots\":[{\"uri\":\"file:"
			      "///home/u\"}]}}"),
			3 },
		{ RETRY("{\"a\":{\"roots\":[{\"uri\":\"file:///home/u\"}]},\"b\":{\"roots\":[{\"uri\":\"file:///"
			"x\"}]}}"),
			RETRY("{\"a\":{\"roots\":[{\"uri\":\"file:///home/u\"}]},\"b\":{\"roots\":[]}}"), 1 },
		{ RETRY("{\"a\":{\"roots\":[{\"uri\":\"file:///home/u\"}]}}"), NULL, 0 },
		{ RETRY("{\"a\":{\"roots\":7},\"b\":1}"), NULL, 0 },
		{ RETRY("{}"), NULL, 0 },
	};
	_cleanup_desk_ struct desk *t = desk_with_rules();
	uint64_t hidden;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct slice params = walk_get(result_of(t, cases[i].text), "params");
		int r = lists_filter_responses(&t->s, walk_get(params, "inputResponses"), &t->s.edited, &hidden);
		expect_left(t, cases[i].text, r, hidden, cases[i].left);
		assert_int_equal(hidden, cases[i].hidden);
	}
}

static bool keeps(struct listed *l, const char *name, const char *item, uint32_t at)
{
	bool stays;

	assert_int_equal(listed_keep(l, 7, slice_of(name), slice_of(item), at, &stays), 0);
	return stays;
}

static void the_same_question_has_the_same_answer(void **state)
{
	struct listed l = { 0 };

	listed_begin(&l, true, false);
	for (int again = 0; again < 2; again++) {
		assert_true(keeps(&l, "a", "1", 10));
		assert_false(keeps(&l, "a", "1", 20));
		assert_true(keeps(&l, "b", "1", 30));
	}
	assert_int_equal(l.n, 2);
	listed_done(&l);
	assert_null(l.slots);
}

static void a_list_is_remembered_to_its_limit_and_no_further(void **state)
{
	for (int paged = 0; paged < 2; paged++) {
		uint32_t limit = paged ? LISTED_PAGED_MAX : LISTED_MAX;
		struct listed l = { 0 };
		char name[16];
		listed_begin(&l, true, paged);
		for (uint32_t i = 0; i < limit; i++) {
			snprintf(name, sizeof(name), "%u", i);
			assert_true(keeps(&l, name, "x", i + 1));
		}
		assert_int_equal(l.n, limit);
		assert_true(2 * l.n <= l.cap);
		assert_false(keeps(&l, "another", "x", limit + 1));
		/* What stays between messages is small. */
		assert_true(!paged || l.cap * sizeof(*l.slots) < 3 << 20);
		/* Those that are known are still known, wherever the table moved them. */
		for (uint32_t i = 0; i < limit; i += 4093) {
			snprintf(name, sizeof(name), "%u", i);
			assert_true(keeps(&l, name, "x", i + 1));
			assert_false(keeps(&l, name, "x", i + 2));
		}
		listed_done(&l);
	}
}

/* A list that came before is judged by the rules again, and by nothing else: a digest of what is under its names in
 * this session must not outlive what the session has seen since. */
static void a_list_that_comes_again_is_judged_by_the_rules_of_now(void **state)
{
	static const char text[] = RESULT("{\"tools\":[{\"name\":\"a\"},{\"name\":\"c\"}]}");
	static struct shim_rule no_c[] = { { false, WORDS("c"), WORDS("p:4") } };
	_cleanup_desk_ struct desk *t = desk_with_rules();
	uint64_t hidden;

	for (int i = 0; i < 2; i++) {
		result_of(t, text);
		assert_int_equal(lists_filter(&t->s, RESULT_TOOLS, false, &t->s.edited, &hidden), 0);
		assert_int_equal(hidden, 0);
		assert_true(t->s.known[0].is && t->s.known[0].here);
	}
	t->s.config.scope[SHIM_TOOLS].rules = no_c;
	result_of(t, text);
	int r = lists_filter(&t->s, RESULT_TOOLS, false, &t->s.edited, &hidden);
	expect_left(t, text, r, hidden, RESULT("{\"tools\":[{\"name\":\"a\"}]}"));
	assert_false(t->s.known[0].is);
}

/* Each of these must be told from a whole list with the same bytes: its names belong together with those of others. */
static void a_page_and_a_list_that_lost_something_are_not_known(void **state)
{
	static const struct {
		const char *text;
		bool further, known;
	} cases[] = {
		{ RESULT("{\"tools\":[{\"name\":\"a\"}]}"), false, true },
		{ RESULT("{\"tools\":[{\"name\":\"a\"}]}"), true, false },
		{ RESULT("{\"tools\":[{\"name\":\"a\"}],\"nextCursor\":\"n\"}"), false, false },
		{ RESULT("{\"tools\":[{\"name\":\"a\"},{\"name\":\"a\"}]}"), false, false },
		{ RESULT("{\"tools\":[{\"name\":\"b\"}]}"), false, false },
		{ RESULT("{\"tools\":[{\"name\":\"a\"}]}"), false, true },
		{ RESULT("{}"), false, true },
	};
	_cleanup_desk_ struct desk *t = desk_with_rules();
	uint64_t hidden;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		result_of(t, cases[i].text);
		assert_int_equal(lists_filter(&t->s, RESULT_TOOLS, cases[i].further, &t->s.edited, &hidden), 0);
		assert_int_equal(t->s.known[0].is, cases[i].known);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_that_comes_again_is_judged_by_the_rules_of_now),
		cmocka_unit_test(a_page_and_a_list_that_lost_something_are_not_known),
		cmocka_unit_test(each_list_loses_what_its_rules_deny),
		cmocka_unit_test(a_list_that_is_no_array_is_unreadable),
		cmocka_unit_test(of_one_name_the_first_stays_through_all_pages),
		cmocka_unit_test(lists_of_different_kinds_share_no_names),
		cmocka_unit_test(schemas_are_learnt_of_the_tools_that_stay_and_of_no_others),
		cmocka_unit_test(tools_hidden_in_capabilities_go),
		cmocka_unit_test(a_client_offers_what_the_profile_lets_be_asked_for),
		cmocka_unit_test(roots_that_are_not_granted_go),
		cmocka_unit_test(every_answer_of_a_retry_keeps_granted_roots_alone),
		cmocka_unit_test(the_same_question_has_the_same_answer),
		cmocka_unit_test(a_list_is_remembered_to_its_limit_and_no_further),
	};

	return cmocka_run_group_tests_name("lists", tests, NULL, NULL);
}
