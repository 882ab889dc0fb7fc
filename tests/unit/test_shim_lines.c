/* SPDX-License-Identifier: Apache-2.0 */
/* test_shim_lines - how bytes become messages, and what can be known of those that are refused */
#include "tests/unit/unit.h"
#include <stdio.h>
#include <stdlib.h>
#include "shim/lines.h"

static void feed(struct lines *l, const char *p, size_t n)
{
	char *to;
	size_t room;

	assert_int_equal(lines_room(l, &to, &room), 0);
	assert_true(n <= room);
	memcpy(to, p, n);
	lines_filled(l, n);
}

static void expect(struct lines *l, const char *text)
{
	struct line line;

	assert_int_equal(lines_next(l, &line), LINES_MESSAGE);
	assert_int_equal(line.n, strlen(text));
	assert_memory_equal(line.p, text, line.n);
	assert_true((unsigned char)line.p[line.n] < 0x20);
}

static void expect_none(struct lines *l)
{
	struct line line;

	assert_int_equal(lines_next(l, &line), 0);
}

/* The same input in pieces of every size gives the same lines. */
static void lines_do_not_depend_on_how_they_arrive(void **state)
{
	static const char input[] = "one\ntwo\r\n\n\r\nthr\ree\nfour\r\r\n";

	for (size_t step = 1; step < sizeof(input); step++) {
		static const char *const want[] = { "one", "two", "", "", "thr\ree", "four\r" };
		struct lines l;
		struct line line;
		size_t found = 0;
		lines_init(&l, 100);
		for (size_t at = 0; at < sizeof(input) - 1; at += step) {
			feed(&l, input + at, step < sizeof(input) - 1 - at ? step : sizeof(input) - 1 - at);
			while (lines_next(&l, &line) == LINES_MESSAGE) {
				assert_true(found < ARRAY_LEN(want));
				assert_int_equal(line.n, strlen(want[found]));
				assert_memory_equal(line.p, want[found], line.n);
				found++;
			}
		}
		assert_int_equal(found, ARRAY_LEN(want));
		assert_int_equal(lines_rest(&l, &line), 0);
		lines_done(&l);
	}
}

/* A line feed at every place below 200, so that what is left over has every length. */
static void reading_begins_at_an_address_that_is_copied_to_fast(void **state)
{
	for (size_t whole = 0; whole < 200; whole++) {
		struct lines l;
		struct line line;
		char *to, bytes[200];
		size_t room;

		lines_init(&l, 1 << 20);
		memset(bytes, 'x', sizeof(bytes));
		bytes[whole] = '\n';
		feed(&l, bytes, sizeof(bytes));
		assert_int_equal(lines_next(&l, &line), LINES_MESSAGE);
		assert_int_equal(line.n, whole);
		assert_int_equal(lines_room(&l, &to, &room), 0);
		if (whole >= 64 || whole == sizeof(bytes) - 1)
			assert_int_equal((uintptr_t)to % 64, 0);
		feed(&l, "\n", 1);
		assert_int_equal(lines_next(&l, &line), LINES_MESSAGE);
		assert_int_equal(line.n, sizeof(bytes) - whole - 1);
		assert_int_equal(lines_room(&l, &to, &room), 0);
		assert_int_equal((uintptr_t)to % 64, 0);
		lines_done(&l);
	}
}

static void a_line_of_the_limit_passes_and_one_byte_more_does_not(void **state)
{
	struct lines l;
	struct line line;

	lines_init(&l, 8);
	feed(&l, "12345678\n123456789\nok\n", 22);
	expect(&l, "12345678");
	assert_int_equal(lines_next(&l, &line), LINES_TOO_LONG);
	assert_int_equal(line.n, 9);
	expect(&l, "ok");
	expect_none(&l);
	lines_done(&l);
}

static void a_long_line_is_skipped_in_constant_memory(void **state)
{
	static char chunk[LINES_CHUNK];
	struct lines l;
	struct line line;
	size_t n;

	lines_init(&l, 1 << 20);
	memset(chunk, 'x', sizeof(chunk));
	feed(&l, "{\"id\":7,\"x\":\"", 13);
	for (int i = 0; i < 1024; i++) {
		feed(&l, chunk, sizeof(chunk));
		expect_none(&l);
		assert_true(l.buf.cap <= (2 << 20) + 3 * LINES_CHUNK);
	}
	assert_true(l.buf.cap <= 3 * LINES_CHUNK);
	feed(&l, "\"}\nnext\n", 8);
	assert_int_equal(lines_next(&l, &line), LINES_TOO_LONG);
	assert_int_equal(line.n, 13 + 1024 * sizeof(chunk) + 2);
	assert_memory_equal(skim_id(&l.skim, &n), "7", 1);
	expect(&l, "next");
	lines_done(&l);
}

static void what_has_no_line_feed_at_the_end_is_torn(void **state)
{
	struct lines l;
	struct line line;

	lines_init(&l, 4);
	feed(&l, "ab\ncd", 5);
	expect(&l, "ab");
	expect_none(&l);
	assert_int_equal(lines_rest(&l, &line), LINES_TORN);
	assert_int_equal(line.n, 2);
	assert_int_equal(lines_rest(&l, &line), 0);
	feed(&l, "123456", 6);
	expect_none(&l);
	assert_int_equal(lines_rest(&l, &line), LINES_TOO_LONG);
	assert_int_equal(line.n, 6);
	lines_done(&l);
}

static void memory_is_given_back_between_messages(void **state)
{
	struct lines l;

	lines_init(&l, 100);
	feed(&l, "a\nb", 3);
	expect(&l, "a");
	lines_trim(&l);
	feed(&l, "c\n", 2);
	expect(&l, "bc");
	lines_trim(&l);
	assert_null(l.buf.data);
	feed(&l, "d\n", 2);
	expect(&l, "d");
	lines_done(&l);
}

static void the_id_of_a_refused_message_is_found(void **state)
{
	static const struct {
		const char *text, *id;
		unsigned methods, answers;
	} cases[] = {
		{ "{\"id\":1,\"method\":\"x\"}", "1", 1, 0 },
		{ "{\"method\":\"x\",\"params\":{\"id\":5,\"method\":1},\"id\": \"a\\\"b\" }", "\"a\\\"b\"", 1, 0 },
		{ "{ \"id\" : 12 , \"result\":[{\"id\":3}]}", "12", 0, 1 },
		{ "{\"result\":\"}{\\\\\",\"id\":\"z\"", "\"z\"", 0, 1 },
		{ "{\"method\":\"x\",\"id\":4,}", "4", 1, 0 },
		{ "{\"a\":[[[[[[,\"id\":3", NULL, 0, 0 },
		{ "{\"id\":1,\"id\":2}", NULL, 0, 0 },
		{ "[{\"id\":1}]", NULL, 0, 0 },
		{ "garbage \"id\":1", NULL, 0, 0 },
		{ "{\"x\":\"\\\",\\\"id\\\":9,\"}", NULL, 0, 0 },
		{ "{\"error\":{},\"id\":null}", "null", 0, 1 },
		{ "{}{\"id\":1}", NULL, 0, 0 },
		{ "{\"idx\":1,\"i\":2}", NULL, 0, 0 },
		{ "", NULL, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (size_t step = 1; step < 8; step += 3) {
			struct skim s;
			size_t n = 0, len = strlen(cases[i].text);
			skim_init(&s);
			for (size_t at = 0; at < len; at += step)
				skim_feed(&s, cases[i].text + at, step < len - at ? step : len - at);
			const char *id = skim_id(&s, &n);
			if (!cases[i].id) {
				assert_null(id);
				continue;
			}
			if (!id)
				fail_msg("no id in %s", cases[i].text);
			assert_int_equal(n, strlen(cases[i].id));
			assert_memory_equal(id, cases[i].id, n);
			assert_int_equal(s.methods, cases[i].methods);
			assert_int_equal(s.answers, cases[i].answers);
		}
}

static void an_id_that_is_too_long_is_not_used(void **state)
{
	struct skim s;
	size_t n;

	skim_init(&s);
	skim_feed(&s, "{\"id\":\"", 7);
	for (int i = 0; i < SKIM_ID_MAX; i++)
		skim_feed(&s, "y", 1);
	skim_feed(&s, "\"}", 2);
	assert_null(skim_id(&s, &n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_do_not_depend_on_how_they_arrive),
		cmocka_unit_test(reading_begins_at_an_address_that_is_copied_to_fast),
		cmocka_unit_test(a_line_of_the_limit_passes_and_one_byte_more_does_not),
		cmocka_unit_test(a_long_line_is_skipped_in_constant_memory),
		cmocka_unit_test(what_has_no_line_feed_at_the_end_is_torn),
		cmocka_unit_test(memory_is_given_back_between_messages),
		cmocka_unit_test(the_id_of_a_refused_message_is_found),
		cmocka_unit_test(an_id_that_is_too_long_is_not_used),
	};

	return cmocka_run_group_tests_name("lines", tests, NULL, NULL);
}
