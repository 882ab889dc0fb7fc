/* SPDX-License-Identifier: Apache-2.0 */
/* test_shim_words - what the shim writes itself: answers, records of arguments, and their hash */
#include "tests/unit/unit.h"
#include <stdio.h>
#include <stdlib.h>
#include "shim/answers.h"
#include "shim/args.h"
#include "shim/blake2s.h"
#include "shim/json.h"
#include "shim/record.h"

static struct slice slice_of(const char *s)
{
	return (struct slice){ s, strlen(s) };
}

static void expect_hex(const uint8_t got[BLAKE2S_BYTES], const char *want)
{
	char hex[2 * BLAKE2S_BYTES + 1];

	for (size_t i = 0; i < BLAKE2S_BYTES; i++)
		snprintf(hex + 2 * i, 3, "%02x", got[i]);
	assert_string_equal(hex, want);
}

static void expect_hash(const void *key, size_t key_len, const void *p, size_t n, const char *want)
{
	uint8_t got[BLAKE2S_BYTES];

	blake2s(key, key_len, p, n, got);
	expect_hex(got, want);
}

static void the_hash_is_blake2s(void **state)
{
	/* "abc" is RFC 7693, appendix B; the keyed ones are from another implementation, key 00..0f, bytes i mod 251.
	 */
	static const struct {
		size_t n;
		const char *want;
	} keyed[] = {
		{ 0, "fcfc1128807d157b01adec1ebe0a0927e5ac0ea65000fcec0852218dbb147106" },
		{ 1, "55085f9908bf12258f944533b26cc7171c7b537b05562d87dd6021f597d2692b" },
		{ 63, "306025cb3c58ecf6f013cf53bb2f3ee0821d9e4bedbba529484d42cd2e57727b" },
		{ 64, "02ba5ce93a26f31312dd2226e48e522df956817d30e797fc3dd232f6bfb5d6a2" },
		{ 65, "663c663b0a34211816968d004d286d543fcb1707bdde93bbd485cb225436aeff" },
		{ 128, "ad40caaba7d52b5e44a472da2ba8b9a727afc4983db5d9989dd93c464c9e384a" },
		{ 129, "70986d3ec0651fecda68c120dc78d198a6a73d92bcced33d5a83f5122a6a3ba7" },
		{ 1000, "d18d59841221cdf46dc3d95d5a5c8207e3a33ff821bd13c2294f70c826cd1426" },
	};
	uint8_t key[16], bytes[1000], got[BLAKE2S_BYTES];
	struct blake2s_key k;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i % 251);
	memcpy(key, bytes, sizeof(key));
	expect_hash(NULL, 0, "abc", 3, "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982");
	expect_hash(NULL, 0, "", 0, "69217a3079908094e11121d042354a7c1f55b6482ca1a51e1b250dfd1ed0eef9");
	blake2s_key_init(&k, key, sizeof(key));
	for (size_t i = 0; i < ARRAY_LEN(keyed); i++) {
		expect_hash(key, sizeof(key), bytes, keyed[i].n, keyed[i].want);
		blake2s_keyed(&k, bytes, keyed[i].n, got);
		expect_hex(got, keyed[i].want);
	}
}

static void the_log_gets_keys_hash_or_everything_as_the_profile_says(void **state)
{
	static const char args[] = "{\"path\":\"/tmp\",\"a,b\":1,\"x\xe2\x80\xae\":2}";
	enum shim_args mode = SHIM_ARGS_KEYS;
	_cleanup_buf_ struct buf room = BUF_INIT(1 << 20);
	struct event keys = { 0 }, hash = { 0 }, full = { 0 };
	struct blake2s_key salt;
	uint8_t key[16];

	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)i;
	blake2s_key_init(&salt, key, sizeof(key));

	assert_int_equal(args_record(&keys, mode, NULL, slice_of(args), &room), 0);
	assert_string_equal(keys.arg_keys, "path,a\\u002cb,x\\u{202e}");
	assert_string_equal(keys.arg_hash, "");
	assert_int_equal(keys.args_len, 0);
	mode = SHIM_ARGS_HASH;
	assert_int_equal(args_record(&hash, mode, &salt, slice_of(args), &room), 0);
	/* By another implementation, key 00..0f. */
	assert_string_equal(hash.arg_hash, "58f2f7bd610945502baad38313e0814bc6d91e40ac8f50ab5a60852672a14c92");
	mode = SHIM_ARGS_FULL;
	assert_int_equal(args_record(&full, mode, NULL, slice_of(args), &room), 0);
	assert_int_equal(full.args_len, sizeof(args) - 1);
	assert_memory_equal(full.args, args, full.args_len);
}

static void no_two_sets_of_keys_read_alike_in_the_log(void **state)
{
	static const struct {
		const char *in, *keys;
	} cases[] = {
		{ "{\"a\":1,\"b\":2}", "a,b" },
		{ "{\"a,b\":1}", "a\\u002cb" },
		{ "{\"a\\\\u002cb\":1}", "a\\\\u002cb" },
		{ "{\",\":1,\"\":2}", "\\u002c,\"\"" },
		{ "{\"\":1,\"a\":2}", "\"\",a" },
		{ "{\"\\\"\\\"\":1}", "\\\"\\\"" },
		{ "{}", "" },
	};
	_cleanup_buf_ struct buf room = BUF_INIT(1 << 20), big = BUF_INIT(1 << 20);
	enum shim_args mode = SHIM_ARGS_KEYS;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct event e = { 0 };
		assert_int_equal(args_record(&e, mode, NULL, slice_of(cases[i].in), &room), 0);
		assert_string_equal(e.arg_keys, cases[i].keys);
	}
	/* One that is too long is cut for everyone to see. */
	for (char with = 'k'; with; with = with == 'k' ? ',' : '\0') {
		struct event e = { 0 };
		buf_clear(&big);
		assert_int_equal(buf_puts(&big, "{\""), 0);
		for (int i = 0; i < EVENT_KEYS_MAX; i++)
			assert_int_equal(buf_putc(&big, with), 0);
		assert_int_equal(buf_puts(&big, "\":1}"), 0);
		assert_int_equal(args_record(&e, mode, NULL, (struct slice){ big.data, big.len }, &room), 0);
		assert_int_equal(strlen(e.arg_keys), EVENT_KEYS_MAX - 1);
		assert_string_equal(e.arg_keys + EVENT_KEYS_MAX - 4, "...");
	}
}

static void secrets_do_not_reach_the_log(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "{\"password\":\"hunter2\",\"n\":1}", "{\"password\":\"[removed]\",\"n\":1}" },
		{ "{\"a\":[{\"API_Key\":{\"deep\":[1,2]}}],\"z\":0}", "{\"a\":[{\"API_Key\":\"[removed]\"}],\"z\":0}" },
		{ "{\"accessToken\":7}", "{\"accessToken\":\"[removed]\"}" },
		{ "{\"url\":\"https://me:pw@example.com/x?a=b\"}",
			"{\"url\":\"https://me:[removed]@example.com/x?a=b\"}" },
		{ "{\"t\":\"see http://a:b@c and ftp://d:e:f@g/h\"}",
			"{\"t\":\"see http://a:[removed]@c and ftp://d:[removed]@g/h\"}" },
		{ "{\"t\":\"https://example.com:8080/a@b\"}", "{\"t\":\"https://example.com:8080/a@b\"}" },
		{ "{\"t\":\"the password\"}", "{\"t\":\"the password\"}" },
	};
	enum shim_args mode = SHIM_ARGS_FULL;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct buf room = BUF_INIT(1 << 16);
		struct event e = { 0 };
		assert_int_equal(args_record(&e, mode, NULL, slice_of(cases[i].in), &room), 0);
		assert_int_equal(e.args_len, strlen(cases[i].out));
		assert_memory_equal(e.args, cases[i].out, e.args_len);
	}
}

static void long_arguments_are_cut_and_say_so(void **state)
{
	_cleanup_buf_ struct buf big = BUF_INIT(1 << 20), room = BUF_INIT(1 << 20);
	enum shim_args mode = SHIM_ARGS_FULL;
	struct event e = { 0 };
	struct wire_writer w;
	int r = buf_puts(&big, "{\"k\":0");

	for (int i = 0; r == 0 && i < 20000; i++)
		r = buf_printf(&big, ",\"key\xc3\xa9%d\":\"\xc3\xa9\"", i);
	assert_int_equal(r ? r : buf_puts(&big, "}"), 0);
	assert_int_equal(args_record(&e, mode, NULL, (struct slice){ big.data, big.len }, &room), 0);
	assert_true(e.args_len <= EVENT_ARGS_MAX && e.args_len > EVENT_ARGS_MAX - 4);
	assert_non_null(strstr(e.reason, "cut"));
	assert_string_equal(e.arg_keys + strlen(e.arg_keys) - 3, "...");
	assert_int_equal(event_encode(&e, &w), 0);
	wire_writer_done(&w);
}

static void answers_are_canonical_messages(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(1 << 16);
	struct json_doc d;

	json_doc_init(&d, 1 << 16, 1);
	assert_int_equal(answers_error(&b, slice_of("\"x\""), ANSWER_DENIED, "a \"quote\"\n\x1b \xff \xe2\x80\xa8"), 0);
	assert_string_equal(b.data,
		"{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"error\":{\"code\":4030,\"message\":\"a \\\"quote\\\"\\n\\u001b "
		"\xef\xbf\xbd \\u2028\"}}\n");
	buf_clear(&b);
	assert_int_equal(answers_tool_error(&b, slice_of("7"), "no", true), 0);
	assert_string_equal(b.data, "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"content\":[{\"type\":\"text\","
				    "\"text\":\"no\"}],\"isError\":true,"
				    "\"resultType\":\"complete\"}}\n");
	assert_int_equal(json_parse(&d, b.data, b.len - 1), 0);
	assert_memory_equal(d.out.data, b.data, b.len - 1);
	buf_clear(&b);
	assert_int_equal(answers_tool_error(&b, slice_of("7"), "no", false), 0);
	assert_null(strstr(b.data, "resultType"));
	json_doc_done(&d);
}

static void no_code_of_ours_is_one_that_json_rpc_keeps(void **state)
{
	static const int codes[] = { ANSWER_REJECTED, ANSWER_REFUSED, ANSWER_DENIED, ANSWER_BUSY, ANSWER_BAD_RESULT,
		ANSWER_GONE };

	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		assert_true(codes[i] < -32768 || codes[i] > -32000);
}

static void foreign_names_in_our_words_are_harmless(void **state)
{
	char name[ANSWER_NAME_MAX], field[16], wide[64];

	assert_string_equal(answers_name(slice_of("get\x1b[31m\n"), name), "get\\x1b[31m\\x0a");
	for (size_t n = 0; n < 400; n += 7) {
		_cleanup_buf_ struct buf b = BUF_INIT(4096);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(buf_puts(&b, "\xc3\xa9"), 0);
		answers_name((struct slice){ b.data ? b.data : "", b.len }, name);
		assert_true(strlen(name) < ANSWER_NAME_MAX);
		assert_null(strstr(name, "\\x"));
	}
	record_words(field, sizeof(field), "fourteen bytes\xc3\xa9");
	assert_string_equal(field, "fourteen bytes");
	record_words(field, sizeof(field), NULL);
	assert_string_equal(field, "");
	/* Wherever char is unsigned, too. */
	record_text(wide, sizeof(wide), slice_of("a\xe2\x80\xae"));
	assert_string_equal(wide, "a\\u{202e}");
	record_text(field, sizeof(field), slice_of("a\\n"));
	assert_string_equal(field, "a\\\\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hash_is_blake2s),
		cmocka_unit_test(the_log_gets_keys_hash_or_everything_as_the_profile_says),
		cmocka_unit_test(no_two_sets_of_keys_read_alike_in_the_log),
		cmocka_unit_test(secrets_do_not_reach_the_log),
		cmocka_unit_test(long_arguments_are_cut_and_say_so),
		cmocka_unit_test(answers_are_canonical_messages),
		cmocka_unit_test(no_code_of_ours_is_one_that_json_rpc_keeps),
		cmocka_unit_test(foreign_names_in_our_words_are_harmless),
	};

	return cmocka_run_group_tests_name("the shim's own words", tests, NULL, NULL);
}
