/* SPDX-License-Identifier: Apache-2.0 */
/* test_shim_envelope - the sorts of messages, ids, the cursor over canonical bytes, requests in flight */
#include "tests/unit/unit.h"
#include <stdio.h>
#include <stdlib.h>
#include "shim/envelope.h"
#include "shim/pending.h"
#include "shim/policy.h"

static struct json_doc doc;

static int open_doc(void **state)
{
	json_doc_init(&doc, 1 << 20, 7);
	return 0;
}

static int close_doc(void **state)
{
	json_doc_done(&doc);
	return 0;
}

static int read_text(const char *text, struct envelope *e)
{
	assert_int_equal(json_parse(&doc, text, strlen(text)), 0);
	return envelope_read(&doc, e);
}

static void each_sort_has_exactly_its_keys(void **state)
{
	static const struct {
		const char *text;
		int refusal;
		enum envelope_kind kind;
	} cases[] = {
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"}", 0, ENVELOPE_REQUEST },
		{ "{\"params\":{},\"method\":\"m\",\"id\":\"x\",\"jsonrpc\":\"2.0\"}", 0, ENVELOPE_REQUEST },
		{ "{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"params\":{}}", 0, ENVELOPE_NOTIFICATION },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", 0, ENVELOPE_RESULT },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":null}", 0, ENVELOPE_RESULT },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":\"\"}}", 0, ENVELOPE_ERROR },
		{ "{\"id\":1,\"method\":\"m\"}", ENVELOPE_BAD_KEYS, 0 },
		{ "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"m\"}", ENVELOPE_BAD_VERSION, 0 },
		{ "{\"jsonrpc\":2.0,\"id\":1,\"method\":\"m\"}", ENVELOPE_BAD_VERSION, 0 },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1}", ENVELOPE_BAD_KEYS, 0 },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"result\":{}}", ENVELOPE_BAD_KEYS, 0 },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{},\"error\":{}}", ENVELOPE_BAD_KEYS, 0 },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{},\"params\":{}}", ENVELOPE_BAD_KEYS, 0 },
		{ "{\"jsonrpc\":\"2.0\",\"result\":{}}", ENVELOPE_BAD_KEYS, 0 },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"Params\":{}}", ENVELOPE_BAD_KEYS, 0 },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"METHOD\":\"m\"}", ENVELOPE_BAD_KEYS, 0 },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"extra\":0}", ENVELOPE_BAD_KEYS, 0 },
		{ "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"m\"}", ENVELOPE_BAD_ID, 0 },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1.0,\"method\":\"m\"}", ENVELOPE_BAD_ID, 0 },
		{ "{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"m\"}", ENVELOPE_BAD_ID, 0 },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}", ENVELOPE_BAD_METHOD, 0 },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\"}", ENVELOPE_BAD_METHOD, 0 },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\\u0000\"}", ENVELOPE_BAD_METHOD, 0 },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\\udc00\"}", ENVELOPE_BAD_METHOD, 0 },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":[1]}", ENVELOPE_BAD_PARAMS, 0 },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":null}", ENVELOPE_BAD_PARAMS, 0 },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":\"no\"}", ENVELOPE_BAD_ERROR_FORM, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct envelope e;
		int r = read_text(cases[i].text, &e);
		if (r != cases[i].refusal)
			fail_msg("%s: %s", cases[i].text, r ? envelope_refusal_text(r) : "accepted");
		if (r == 0)
			assert_int_equal(e.kind, cases[i].kind);
	}
}

static void a_method_has_at_most_256_bytes(void **state)
{
	for (int n = ENVELOPE_METHOD_MAX; n <= ENVELOPE_METHOD_MAX + 1; n++) {
		char method[512], text[1024];
		struct envelope e;
		memset(method, 'm', (size_t)n);
		method[n] = '\0';
		snprintf(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\"}", method);
		assert_int_equal(read_text(text, &e), n > ENVELOPE_METHOD_MAX ? ENVELOPE_BAD_METHOD : 0);
	}
}

static void an_id_is_a_string_or_an_integer_below_2_to_the_53(void **state)
{
	static const struct {
		const char *lexeme;
		bool ok;
	} cases[] = {
		{ "0", true },
		{ "7", true },
		{ "-7", true },
		{ "9007199254740991", true },
		{ "9007199254740992", false },
		{ "-9007199254740991", true },
		{ "-9007199254740992", false },
		{ "99999999999999999999", false },
		{ "-0", false },
		{ "1.0", false },
		{ "1e3", false },
		{ "null", false },
		{ "true", false },
		{ "{}", false },
		{ "\"\"", true },
		{ "\"2\"", true },
		{ "\"\\ud800\"", false },
		{ "\"\\u0000\"", false },
		{ "\"\\n\"", true },
		{ "", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(
			envelope_is_id((struct slice){ cases[i].lexeme, strlen(cases[i].lexeme) }), cases[i].ok);
}

static void the_cursor_finds_members_elements_and_text(void **state)
{
	_cleanup_buf_ struct buf text = BUF_INIT(1000);
	struct slice key, value, all;
	int n = 0;

	assert_int_equal(json_parse(&doc, "{\"a\":\"x\\\"}\",\"b\":[1,[],{\"c\":\"]\"}],\"d\":-1.5,\"e\":{}}", 49), 0);
	all = (struct slice){ doc.out.data, doc.out.len };
	assert_true(slice_is(walk_get(all, "a"), "\"x\\\"}\""));
	assert_true(slice_is(walk_get(all, "b"), "[1,[],{\"c\":\"]\"}]"));
	assert_true(slice_is(walk_get(all, "d"), "-1.5"));
	assert_true(slice_is(walk_get(all, "e"), "{}"));
	assert_int_equal(walk_get(all, "c").n, 0);
	assert_int_equal(walk_get(walk_get(all, "d"), "c").n, 0);
	struct walk w = walk_array(walk_get(all, "b"));
	while (walk_element(&w, &value))
		n++;
	assert_int_equal(n, 3);
	w = walk_object(walk_get(all, "e"));
	assert_false(walk_member(&w, &key, &value));
	assert_int_equal(walk_text(&text, SLICE("a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u001f\\ud800z")), 0);
	assert_string_equal(text.data, "a\"\\/\b\f\n\r\t\x1f\xef\xbf\xbdz");
	assert_true(walk_is_broken(SLICE("x\\u0000")));
	assert_true(walk_is_broken(SLICE("\\\\\\udfff")));
	assert_false(walk_is_broken(SLICE("\\\\u0000\\u001f")));
}

static void requests_in_flight_are_told_apart_by_typed_id(void **state)
{
	struct pending p = { 0 };
	struct pending_entry *e;
	const struct slice name = SLICE("ping"), none = { NULL, 0 };
	char id[32];

	assert_int_equal(pending_add(&p, SLICE("2"), name, none, &e), 0);
	assert_int_equal(pending_add(&p, SLICE("\"2\""), name, SLICE("tool"), &e), 0);
	assert_string_equal(e->tool, "tool");
	assert_int_equal(pending_add(&p, SLICE("2"), name, none, &e), PENDING_TAKEN);
	e = pending_find(&p, SLICE("2"));
	assert_non_null(e);
	pending_remove(&p, e);
	assert_null(pending_find(&p, SLICE("2")));
	assert_non_null(pending_find(&p, SLICE("\"2\"")));
	for (int i = 0; p.n < SHIM_INFLIGHT_MAX; i++) {
		snprintf(id, sizeof(id), "%d", 100 + i);
		assert_int_equal(pending_add(&p, (struct slice){ id, strlen(id) }, name, none, &e), 0);
		e->call_id = (uint64_t)i;
	}
	assert_int_equal(pending_add(&p, SLICE("1"), name, none, &e), PENDING_FULL);
	assert_null(pending_oldest_given_up(&p));
	pending_find(&p, SLICE("150"))->cancelled = true;
	pending_find(&p, SLICE("120"))->cancelled = true;
	assert_string_equal(pending_oldest_given_up(&p)->id, "120");
	pending_find(&p, SLICE("110"))->expired = true;
	assert_string_equal(pending_oldest_given_up(&p)->id, "110");
	pending_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_sort_has_exactly_its_keys),
		cmocka_unit_test(a_method_has_at_most_256_bytes),
		cmocka_unit_test(an_id_is_a_string_or_an_integer_below_2_to_the_53),
		cmocka_unit_test(the_cursor_finds_members_elements_and_text),
		cmocka_unit_test(requests_in_flight_are_told_apart_by_typed_id),
	};

	return cmocka_run_group_tests_name("envelopes", tests, open_doc, close_doc);
}
