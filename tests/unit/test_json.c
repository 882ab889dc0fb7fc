/* SPDX-License-Identifier: Apache-2.0 */
/* test_json - what the serialiser accepts, what it writes, what it refuses and why */
#include "tests/unit/unit.h"
#include <stdio.h>
#include <stdlib.h>
#include "shim/json.h"
#include "shim/walk.h"

enum { OUT_MAX = 1 << 20 };

static struct json_doc *doc_new(size_t max)
{
	struct json_doc *d = malloc(sizeof(*d));

	assert_non_null(d);
	json_doc_init(d, max, 0x0123456789abcdefULL);
	return d;
}

static void doc_free(struct json_doc **d)
{
	json_doc_done(*d);
	free(*d);
}
#define _cleanup_doc_ __attribute__((cleanup(doc_free)))

/* The bytes are put at the very end of a heap block, so that a sanitiser sees any read past the line feed. */
static int parse(struct json_doc *d, const char *text, size_t n)
{
	char *copy = malloc(n + 1);
	int r;

	assert_non_null(copy);
	memcpy(copy, text, n);
	copy[n] = '\n';
	r = json_parse(d, copy, n);
	free(copy);
	return r;
}

static int parse_text(struct json_doc *d, const char *text)
{
	return parse(d, text, strlen(text));
}

static void canonical_form_is_as_the_manual_says(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "{}", "{}" },
		{ " { } ", "{}" },
		{ "{ \"a\" : [ 1 , 2 , { } , [ ] ] , \"b\" : null }", "{\"a\":[1,2,{},[]],\"b\":null}" },
		{ "{\"b\":1,\"a\":2}", "{\"b\":1,\"a\":2}" },
		{ "{\"a\":true,\"b\":false}", "{\"a\":true,\"b\":false}" },
		{ "{\"n\":[0,-0,1.50,1e5,1E+05,-1.0e-07,123456789012345678901234567890]}",
			"{\"n\":[0,-0,1.50,1e5,1E+05,-1.0e-07,123456789012345678901234567890]}" },
		{ "{\"s\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "{\"s\":\"\\\"\\\\/\\b\\f\\n\\r\\t\"}" },
		{ "{\"s\":\"\\u0041\\u00e9\\u20ac\\ud83d\\ude00\"}",
			"{\"s\":\"A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"}" },
		{ "{\"s\":\"\\u0008\\u000A\\u0022\\u005C\\u002f\"}", "{\"s\":\"\\b\\n\\\"\\\\/\"}" },
		{ "{\"s\":\"\\u0000\\u001F\\u007F\\u0085\\u009f\\u00a0\"}",
			"{\"s\":\"\\u0000\\u001f\\u007f\\u0085\\u009f\xc2\xa0\"}" },
		{ "{\"s\":\"\x7f\xc2\x80\xc2\x9f\xc2\xa0\"}", "{\"s\":\"\\u007f\\u0080\\u009f\xc2\xa0\"}" },
		{ "{\"s\":\"\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa\"}", "{\"s\":\"\\u2028\\u2029\xe2\x80\xaa\"}" },
		{ "{\"s\":\"\\uD800\\uDC00\\uDbff\\udfff\"}", "{\"s\":\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"}" },
		{ "{\"s\":\"\\uD800x\\uDC00\\ud800\\ud800\\udc00\"}",
			"{\"s\":\"\\ud800x\\udc00\\ud800\xf0\x90\x80\x80\"}" },
		{ "{\"\\u006dethod\":1}", "{\"method\":1}" },
		{ "{\"\":0}", "{\"\":0}" },
		{ "{\"s\":\"\xef\xbb\xbf\xee\x80\x80\xef\xbf\xbf\"}",
			"{\"s\":\"\xef\xbb\xbf\xee\x80\x80\xef\xbf\xbf\"}" },
	};
	_cleanup_doc_ struct json_doc *d = doc_new(OUT_MAX);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(parse_text(d, cases[i].in), 0);
		assert_string_equal(d->out.data, cases[i].out);
		/* The canonical form of the canonical form is itself. */
		assert_int_equal(parse_text(d, cases[i].out), 0);
		assert_string_equal(d->out.data, cases[i].out);
	}
}

static const struct {
	const char *in;
	int error;
} refused_texts[] = {
	{ "", JSON_EMPTY },
	{ "  ", JSON_EMPTY },
	{ "[]", JSON_NOT_OBJECT },
	{ "[{\"jsonrpc\":\"2.0\"}]", JSON_NOT_OBJECT },
	{ "1", JSON_SYNTAX },
	{ "\"x\"", JSON_SYNTAX },
	{ "null", JSON_SYNTAX },
	{ "\xef\xbb\xbf{}", JSON_SYNTAX },
	{ "{} {}", JSON_TRAILING },
	{ "{}x", JSON_TRAILING },
	{ "{}\r", JSON_CONTROL },
	{ "{\t}", JSON_CONTROL },
	{ "{\"a\":\r1}", JSON_CONTROL },
	{ "{\"a\":1\x0b}", JSON_CONTROL },
	{ "{\"a\x01\":1}", JSON_CONTROL },
	{ "{\"a\":\"\t\"}", JSON_CONTROL },
	{ "{\"a\":\"\r\"}", JSON_CONTROL },
	{ "{\"a\":\x7f}", JSON_CONTROL },
	{ "{", JSON_SYNTAX },
	{ "{\"a", JSON_SYNTAX },
	{ "{\"a\"", JSON_SYNTAX },
	{ "{\"a\":", JSON_SYNTAX },
	{ "{\"a\":1", JSON_SYNTAX },
	{ "{\"a\":1,", JSON_SYNTAX },
	{ "{\"a\":1,}", JSON_SYNTAX },
	{ "{,}", JSON_SYNTAX },
	{ "{\"a\":[1,]}", JSON_SYNTAX },
	{ "{\"a\":[,1]}", JSON_SYNTAX },
	{ "{\"a\":[1 2]}", JSON_SYNTAX },
	{ "{\"a\":[1}", JSON_SYNTAX },
	{ "{\"a\":1]", JSON_SYNTAX },
	{ "{\"a\" 1}", JSON_SYNTAX },
	{ "{a:1}", JSON_SYNTAX },
	{ "{'a':1}", JSON_SYNTAX },
	{ "{1:1}", JSON_SYNTAX },
	{ "{\"a\":NaN}", JSON_SYNTAX },
	{ "{\"a\":Infinity}", JSON_SYNTAX },
	{ "{\"a\":-Infinity}", JSON_NUMBER },
	{ "{\"a\":+1}", JSON_SYNTAX },
	{ "{\"a\":undefined}", JSON_SYNTAX },
	{ "{\"a\":True}", JSON_SYNTAX },
	{ "{\"a\":tru", JSON_SYNTAX },
	{ "{\"a\":truex}", JSON_SYNTAX },
	{ "{\"a\":1}//", JSON_TRAILING },
	{ "{/**/\"a\":1}", JSON_SYNTAX },
	{ "{\"a\":01}", JSON_NUMBER },
	{ "{\"a\":-}", JSON_NUMBER },
	{ "{\"a\":1.}", JSON_NUMBER },
	{ "{\"a\":.1}", JSON_SYNTAX },
	{ "{\"a\":1e}", JSON_NUMBER },
	{ "{\"a\":1e+}", JSON_NUMBER },
	{ "{\"a\":0x1}", JSON_SYNTAX },
	{ "{\"a\":\"\\x41\"}", JSON_ESCAPE },
	{ "{\"a\":\"\\u12\"}", JSON_ESCAPE },
	{ "{\"a\":\"\\u12g4\"}", JSON_ESCAPE },
	{ "{\"a\":\"\\", JSON_ESCAPE },
	{ "{\"a\":\"\\u", JSON_ESCAPE },
	{ "{\"a\":\"\x80\"}", JSON_UTF8 },
	{ "{\"a\":\"\xc0\xaf\"}", JSON_UTF8 },
	{ "{\"a\":\"\xc1\x81\"}", JSON_UTF8 },
	{ "{\"a\":\"\xc3\"}", JSON_UTF8 },
	{ "{\"a\":\"\xe0\x9f\xbf\"}", JSON_UTF8 },
	{ "{\"a\":\"\xed\xa0\x80\"}", JSON_UTF8 },
	{ "{\"a\":\"\xf0\x8f\xbf\xbf\"}", JSON_UTF8 },
	{ "{\"a\":\"\xf4\x90\x80\x80\"}", JSON_UTF8 },
	{ "{\"a\":\"\xf5\x80\x80\x80\"}", JSON_UTF8 },
	{ "{\"a\":\"\xe2\x82", JSON_UTF8 },
	{ "{\"a\xff\":1}", JSON_UTF8 },
	{ "{\"a\\u0000\":1}", JSON_KEY_TEXT },
	{ "{\"\\ud800\":1}", JSON_KEY_TEXT },
	{ "{\"x\":{\"\\udfff\":1}}", JSON_KEY_TEXT },
	{ "{\"a\":1,\"a\":2}", JSON_DUPLICATE },
	{ "{\"a\":1,\"\\u0061\":2}", JSON_DUPLICATE },
	{ "{\"x\":{\"y\":[{\"a\":1,\"b\":2,\"a\":3}]}}", JSON_DUPLICATE },
	{ "{\"\xc3\xa9\":1,\"\\u00e9\":2}", JSON_DUPLICATE },
};

static void what_is_not_one_plain_object_is_refused(void **state)
{
	_cleanup_doc_ struct json_doc *d = doc_new(OUT_MAX);

	for (size_t i = 0; i < ARRAY_LEN(refused_texts); i++) {
		int r = parse_text(d, refused_texts[i].in);
		if (r != refused_texts[i].error)
			fail_msg("%s: %s, expected %s", refused_texts[i].in, json_error_text(r),
				json_error_text(refused_texts[i].error));
	}
}

static void a_nul_byte_is_refused_wherever_it_stands(void **state)
{
	static const char between[] = "{\"a\":\0 1}", inside[] = "{\"a\":\"x\0y\"}";
	_cleanup_doc_ struct json_doc *d = doc_new(OUT_MAX);

	assert_int_equal(parse(d, between, sizeof(between) - 1), JSON_CONTROL);
	assert_int_equal(parse(d, inside, sizeof(inside) - 1), JSON_CONTROL);
	assert_int_equal(parse(d, "{}\0", 3), JSON_CONTROL);
}

/* Each special byte at each place of a string around the width of a vector register. */
static void special_bytes_are_seen_at_every_offset(void **state)
{
	static const struct {
		const char *in, *out;
		int error;
	} specials[] = {
		{ "\\n", "\\n", 0 },
		{ "\x7f", "\\u007f", 0 },
		{ "\xc3\xa9", "\xc3\xa9", 0 },
		{ "\x1f", NULL, JSON_CONTROL },
		{ "\xff", NULL, JSON_UTF8 },
		{ "\\q", NULL, JSON_ESCAPE },
		{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", 0 },
		{ "\xe2\x82\xac", "\xe2\x82\xac", 0 },
	};
	_cleanup_doc_ struct json_doc *d = doc_new(OUT_MAX);

	for (size_t s = 0; s < ARRAY_LEN(specials); s++)
		for (int before = 0; before < 40; before++)
			for (int after = 0; after < 40; after += 3) {
				char in[256], out[256];
				snprintf(in, sizeof(in), "{\"k\":\"%.*s%s%.*s\"}", before,
					"abcdefghijklmnopqrstuvwxyzabcdefghijklmnop", specials[s].in, after,
					"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOP");
				assert_int_equal(parse_text(d, in), specials[s].error);
				if (specials[s].error)
					continue;
				snprintf(out, sizeof(out), "{\"k\":\"%.*s%s%.*s\"}", before,
					"abcdefghijklmnopqrstuvwxyzabcdefghijklmnop", specials[s].out, after,
					"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOP");
				assert_string_equal(d->out.data, out);
			}
}

static void nesting_is_allowed_to_sixty_and_no_deeper(void **state)
{
	static const struct {
		int arrays;
		int error;
	} cases[] = { { 59, 0 }, { 60, JSON_DEPTH }, { 2000, JSON_DEPTH }, { 100000, JSON_DEPTH } };
	_cleanup_doc_ struct json_doc *d = doc_new(OUT_MAX);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT(1 << 20);
		int r = buf_puts(&b, "{\"a\":");
		for (int n = 0; r == 0 && n < cases[i].arrays; n++)
			r = buf_putc(&b, '[');
		for (int n = 0; r == 0 && n < cases[i].arrays; n++)
			r = buf_putc(&b, ']');
		assert_int_equal(r ? r : buf_putc(&b, '}'), 0);
		assert_int_equal(parse(d, b.data, b.len), cases[i].error);
	}
}

static void keys_that_differ_by_case_alone_are_noted(void **state)
{
	static const struct {
		const char *in;
		uint32_t collisions;
	} cases[] = {
		{ "{\"a\":1,\"b\":2}", 0 },
		{ "{\"name\":1,\"Name\":2}", 1 },
		{ "{\"name\":1,\"NAME\":2,\"nAme\":3}", 2 },
		{ "{\"params\":1,\"param\xc5\xbf\":2}", 1 },
		{ "{\"kind\":1,\"\xe2\x84\xaaind\":2}", 1 },
		{ "{\"id\":1,\"\xc4\xb1"
		  "d\":2}",
			1 },
		{ "{\"\xc3\x84\":1,\"\xc3\xa4\":2}", 1 },
		{ "{\"@\":1,\"`\":2,\"[\":3,\"{\":4,\"_\":5}", 0 },
		{ "{\"a\":{\"x\":1},\"b\":{\"X\":1}}", 0 },
		{ "{\"x\":[{\"y\":1,\"Y\":2}]}", 1 },
		{ "{\"a_long_key_of_more_than_eight\":1,\"a_long_key_of_more_Than_eight\":2}", 1 },
		{ "{\"a_long_key_of_more_than_eight\":1,\"a_long_key_of_more_than_eighT_\":2}", 0 },
	};
	_cleanup_doc_ struct json_doc *d = doc_new(OUT_MAX);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(parse_text(d, cases[i].in), 0);
		assert_int_equal(d->n_collisions, cases[i].collisions);
	}
	assert_int_equal(
		parse_text(d,
			"{\"abcd\":1,\"Abcd\":1,\"aBcd\":1,\"abCd\":1,\"abcD\":1,\"ABcd\":1,\"aBCd\":1,\"abCD\":1,"
			"\"AbcD\":1,\"AbCd\":1}"),
		JSON_COLLISIONS);
}

/* n keys in one object, the last spelt like the first in some way. */
static int parse_many(struct json_doc *d, int n, const char *last)
{
	_cleanup_buf_ struct buf b = BUF_INIT(64 << 20);
	int r = buf_puts(&b, "{\"x\":[{");

	for (int i = 0; r == 0 && i < n; i++)
		r = buf_printf(&b, "\"key%d\":{\"inner%d\":[]},", i, i);
	if (r == 0)
		r = buf_printf(&b, "\"%s\":0}]}", last);
	assert_int_equal(r, 0);
	return parse(d, b.data, b.len);
}

static void duplicates_are_found_in_objects_of_any_size(void **state)
{
	static const int sizes[] = { 1, 15, 16, 17, 31, 32, 33, 64, 100, 1000, 100000 };
	_cleanup_doc_ struct json_doc *d = doc_new(32 << 20);

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		assert_int_equal(parse_many(d, sizes[i], "other"), 0);
		assert_int_equal(d->n_collisions, 0);
		assert_int_equal(parse_many(d, sizes[i], "key0"), JSON_DUPLICATE);
		assert_int_equal(parse_many(d, sizes[i], "KEY0"), 0);
		assert_int_equal(d->n_collisions, 1);
	}
	json_doc_trim(d);
	assert_int_equal(parse_many(d, 20, "key19"), JSON_DUPLICATE);
}

static void members_of_the_message_and_of_its_objects_are_found(void **state)
{
	_cleanup_doc_ struct json_doc *d = doc_new(OUT_MAX);
	static const struct {
		const char *key, *value;
		int parent;
	} expected[] = {
		{ "id", "1", -1 },
		{ "params", "{\"name\":\"x\",\"arguments\":{\"deep\":{\"er\":1}},\"e\":{}}", -1 },
		{ "name", "\"x\"", 1 },
		{ "arguments", "{\"deep\":{\"er\":1}}", 1 },
		{ "e", "{}", 1 },
		{ "list", "[{\"in\":1}]", -1 },
		{ "last", "null", -1 },
	};

	assert_int_equal(parse_text(d, "{ \"id\" : 1 , \"params\" : { \"n\\u0061me\" : \"x\" , \"arguments\" : "
				       "{\"deep\":{\"er\":1} } ,"
				       "\"e\":{ } }, \"list\" : [ {\"in\":1} ] , \"last\" : null }"),
		0);
	assert_int_equal(d->n_members, ARRAY_LEN(expected));
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		const struct json_member *m = &d->members[i];
		struct slice key = { json_at(d, m->key), m->key.len }, value = { json_at(d, m->value), m->value.len };
		assert_true(slice_is(key, expected[i].key));
		assert_true(slice_is(value, expected[i].value));
		assert_int_equal(m->parent, expected[i].parent);
	}
}

static void limits_hold(void **state)
{
	_cleanup_doc_ struct json_doc *d = doc_new(100);
	_cleanup_doc_ struct json_doc *wide = doc_new(OUT_MAX);
	_cleanup_buf_ struct buf b = BUF_INIT(1 << 20);
	int r;

	assert_int_equal(
		parse_text(d, "{\"a\":\"\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\"}"),
		JSON_TOO_LONG);
	r = buf_puts(&b, "{\"n\":");
	for (int i = 0; r == 0 && i < JSON_NUMBER_MAX; i++)
		r = buf_putc(&b, '7');
	assert_int_equal(r, 0);
	assert_int_equal(buf_putc(&b, '}'), 0);
	assert_int_equal(parse(wide, b.data, b.len), 0);
	assert_memory_equal(wide->out.data, b.data, b.len);
	b.data[b.len - 1] = '7';
	assert_int_equal(buf_putc(&b, '}'), 0);
	assert_int_equal(parse(wide, b.data, b.len), JSON_NUMBER);
	buf_clear(&b);
	r = buf_puts(&b, "{\"m\":{");
	for (int i = 0; r == 0 && i < JSON_MEMBERS_MAX; i++)
		r = buf_printf(&b, "%s\"%d\":0", i ? "," : "", i);
	assert_int_equal(r ? r : buf_puts(&b, "}}"), 0);
	assert_int_equal(parse(wide, b.data, b.len), JSON_MANY_KEYS);
}

/* Every byte of the line grows by six: the output has to be made larger while it is written. */
static void growth_keeps_what_was_written(void **state)
{
	_cleanup_doc_ struct json_doc *d = doc_new(8 << 20);
	_cleanup_buf_ struct buf b = BUF_INIT(4 << 20), want = BUF_INIT(8 << 20);
	int r = buf_puts(&b, "{\"a\":\"");

	r = r ? r : buf_puts(&want, "{\"a\":\"");
	for (int i = 0; r == 0 && i < 1 << 20; i++) {
		r = buf_putc(&b, '\x7f');
		r = r ? r : buf_puts(&want, "\\u007f");
	}
	r = r ? r : buf_puts(&b, "\"}");
	assert_int_equal(r ? r : buf_puts(&want, "\"}"), 0);
	assert_int_equal(parse(d, b.data, b.len), 0);
	assert_int_equal(d->out.len, want.len);
	assert_memory_equal(d->out.data, want.data, want.len);
}

/* A message of which all but room bytes of the output are full when a number of so many digits is to be written. */
static void expect_too_long(struct json_doc *d, size_t room, size_t digits)
{
	static const char head[] = "{\"a\":\"", middle[] = "\",\"b\":";
	size_t all = d->out.max - room - strlen(head) - strlen(middle);
	_cleanup_buf_ struct buf b = BUF_INIT(1 << 20);
	int r = buf_puts(&b, head);

	/* What grows by six makes the output longer than what is left to read. */
	for (size_t i = 0; r == 0 && i < all / 6; i++)
		r = buf_putc(&b, '\x7f');
	for (size_t i = 0; r == 0 && i < all % 6; i++)
		r = buf_putc(&b, 'x');
	r = r ? r : buf_puts(&b, middle);
	for (size_t i = 0; r == 0 && i < digits; i++)
		r = buf_putc(&b, '1');
	assert_int_equal(r ? r : buf_putc(&b, '}'), 0);
	assert_int_equal(parse(d, b.data, b.len), JSON_TOO_LONG);
}

static void a_number_for_which_no_room_is_left_ends_the_message_however_little_that_is(void **state)
{
	_cleanup_doc_ struct json_doc *d = doc_new(4096);

	for (size_t room = 0; room <= 1200; room++) {
		expect_too_long(d, room, 17);
		expect_too_long(d, room, JSON_NUMBER_MAX);
		/* The next one finds a buffer that has not grown. */
		buf_done(&d->out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(canonical_form_is_as_the_manual_says),
		cmocka_unit_test(what_is_not_one_plain_object_is_refused),
		cmocka_unit_test(a_nul_byte_is_refused_wherever_it_stands),
		cmocka_unit_test(special_bytes_are_seen_at_every_offset),
		cmocka_unit_test(nesting_is_allowed_to_sixty_and_no_deeper),
		cmocka_unit_test(keys_that_differ_by_case_alone_are_noted),
		cmocka_unit_test(duplicates_are_found_in_objects_of_any_size),
		cmocka_unit_test(members_of_the_message_and_of_its_objects_are_found),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(growth_keeps_what_was_written),
		cmocka_unit_test(a_number_for_which_no_room_is_left_ends_the_message_however_little_that_is),
	};

	return cmocka_run_group_tests_name("the JSON serialiser", tests, NULL, NULL);
}
