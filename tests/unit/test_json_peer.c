/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_json_peer - the serialiser beside jansson on generated input: who accepts what, and what the values are
 *
 * What the shim refuses beyond jansson is listed in json.h: white space other than blanks, duplicate keys, keys with
 * U+0000 or lone surrogates, depth, long numbers. jansson in turn refuses lone surrogates, U+0000 in keys and numbers
 * that overflow. Outside of these both must agree, and what both accept must be equal as values.
 */
#include "tests/unit/unit.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include "shim/json.h"

enum { ROUNDS = 20000, TEXT_MAX = 16 << 10, DEPTH = 7 };

static uint64_t state_of_random = 0x5eed5eed5eed5eedULL;

static unsigned random_below(unsigned n)
{
	state_of_random ^= state_of_random << 13;
	state_of_random ^= state_of_random >> 7;
	state_of_random ^= state_of_random << 17;
	return (unsigned)(state_of_random >> 33) % n;
}

static const char *const pieces[] = {
	"a",
	"b",
	"name",
	"Z",
	" ",
	"\\n",
	"\\\"",
	"\\\\",
	"\\/",
	"\\u0041",
	"\\u00e9",
	"\\u20AC",
	"\\ud83d\\ude00",
	"\\u001f",
	"\\u007f",
	"\xc3\xa9",
	"\xe2\x82\xac",
	"\xf0\x9f\x98\x80",
	"\xe2\x80\xa8",
	"\xc2\x85",
	"\x7f",
	"a rather long run of plain text, longer than a register",
};
static const char *const numbers[] = { "0", "-0", "1", "-17", "3.5", "1e3", "2E-2", "-0.25e+1", "9007199254740993",
	"123456.789" };

static void put(struct buf *b, const char *s)
{
	assert_int_equal(buf_puts(b, s), 0);
}

static void blank(struct buf *b)
{
	if (random_below(8) == 0)
		put(b, " ");
}

static void put_string(struct buf *b, int tag)
{
	put(b, "\"");
	for (unsigned n = random_below(5); n > 0; n--)
		put(b, pieces[random_below(ARRAY_LEN(pieces))]);
	if (tag >= 0)
		assert_int_equal(buf_printf(b, "%d", tag), 0);
	put(b, "\"");
}

static void put_value(struct buf *b, int depth);

static void put_container(struct buf *b, int depth, bool object)
{
	unsigned n = random_below(6);

	put(b, object ? "{" : "[");
	for (unsigned i = 0; i < n; i++) {
		blank(b);
		if (object) {
			put_string(b, (int)i);
			blank(b);
			put(b, ":");
		}
		put_value(b, depth - 1);
		if (i + 1 < n)
			put(b, ",");
	}
	put(b, object ? "}" : "]");
}

static void put_value(struct buf *b, int depth)
{
	static const char *const words[] = { "true", "false", "null" };
	unsigned kind = random_below(depth > 0 ? 8 : 5);

	blank(b);
	if (kind < 2)
		put_string(b, -1);
	else if (kind < 4)
		put(b, numbers[random_below(ARRAY_LEN(numbers))]);
	else if (kind == 4)
		put(b, words[random_below(3)]);
	else
		put_container(b, depth, kind < 7);
	blank(b);
}

static json_t *load(const char *p, size_t n, json_error_t *e)
{
	return json_loadb(p, n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, e);
}

static void values_are_equal_to_what_jansson_reads(void **state)
{
	struct json_doc d;
	json_error_t e;

	json_doc_init(&d, 1 << 20, 42);
	for (int i = 0; i < ROUNDS; i++) {
		_cleanup_buf_ struct buf b = BUF_INIT(1 << 20);
		put_container(&b, DEPTH, true);
		if (json_parse(&d, b.data, b.len) != 0)
			fail_msg("refused: %s", b.data);
		json_t *theirs = load(b.data, b.len, &e), *ours = load(d.out.data, d.out.len, &e);
		if (!theirs || !ours || !json_equal(theirs, ours))
			fail_msg("differs: %s and %s", b.data, d.out.data);
		assert_null(strpbrk(d.out.data, "\n\r\t\x7f"));
		json_decref(theirs);
		json_decref(ours);
	}
	json_doc_done(&d);
}

/* Refusals that are the shim's own, or a matter on which jansson is stricter. */
static bool excused(int error, const json_error_t *e, bool theirs)
{
	if (theirs)
		return error == JSON_CONTROL || error == JSON_KEY_TEXT || error == JSON_DEPTH || error == JSON_NUMBER ||
		       error == JSON_COLLISIONS;
	return strstr(e->text, "surrogate") || strstr(e->text, "\\u0000") || strstr(e->text, "overflow") ||
	       strstr(e->text, "too big") || strstr(e->text, "Unicode") || strstr(e->text, "NUL");
}

static void compare(struct json_doc *d, const struct buf *b)
{
	json_error_t e = { 0 };
	int r = json_parse(d, b->data, b->len);
	json_t *theirs = load(b->data, b->len, &e);
	/* An array is JSON, but no message. */
	bool object = theirs && json_is_object(theirs);

	if ((r == 0) != object && !(theirs && !object) && !excused(r, &e, object))
		fail_msg("%s: ours %d %s, theirs %s", b->data, r, json_error_text(r), theirs ? "accepted" : e.text);
	json_decref(theirs);
}

static void damage_is_judged_as_jansson_judges_it(void **state)
{
	static const char odd[] = "{}[]\",:\\\x80\xff\xc3\xed 0a.-e/u\x01";
	struct json_doc d;

	json_doc_init(&d, 1 << 20, 42);
	for (int i = 0; i < ROUNDS; i++) {
		_cleanup_buf_ struct buf b = BUF_INIT(1 << 20);
		put_container(&b, 3, true);
		for (unsigned n = 1 + random_below(3); n > 0; n--) {
			unsigned at = random_below((unsigned)b.len);
			if (random_below(3) == 0 && b.len > 2) {
				memmove(b.data + at, b.data + at + 1, b.len - at);
				b.len--;
			} else {
				b.data[at] = odd[random_below(sizeof(odd) - 1)];
			}
		}
		compare(&d, &b);
	}
	json_doc_done(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_equal_to_what_jansson_reads),
		cmocka_unit_test(damage_is_judged_as_jansson_judges_it),
	};

	return cmocka_run_group_tests_name("the serialiser beside jansson", tests, NULL, NULL);
}
