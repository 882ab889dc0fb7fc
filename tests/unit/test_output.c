/* SPDX-License-Identifier: Apache-2.0 */
/* test_output - JSON that no terminal obeys, one sentence where there is none, and moments of any calendar */
#include "tests/unit/captured.h"
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include "supervisor/command.h"
#include "supervisor/exit.h"
#include "supervisor/json_list.h"
#include "supervisor/output.h"

static void an_object_is_indented_pure_ascii_and_ends_its_line(void **state)
{
	char *said = NULL;
	size_t n;
	FILE *f = open_memstream(&said, &n);

	(void)state;
	assert_int_equal(output_json(f, json_pack("{s:s}", "name", "\xc3\xa9\033[2J\xe2\x80\xae"), "it"), EXIT_OK);
	fclose(f);
	assert_string_equal(said, "{\n  \"name\": \"\\u00E9\\u001B[2J\\u202E\"\n}\n");
	free(said);
}

static void the_object_is_taken_over(void **state)
{
	json_t *o = json_object();
	FILE *f = fopen("/dev/null", "we");

	(void)state;
	json_incref(o);
	assert_int_equal(output_json(f, o, "it"), EXIT_OK);
	assert_int_equal(o->refcount, 1);
	json_decref(o);
	fclose(f);
}

static void an_object_that_could_not_be_made_is_one_sentence_and_nothing_printed(void **state)
{
	char said[256], *printed = NULL;
	size_t n;
	FILE *f = open_memstream(&printed, &n);
	struct captured c = capture(stderr);
	int status = output_json(f, NULL, "the list of sessions");

	(void)state;
	captured_read(&c, said, sizeof(said));
	fclose(f);
	assert_int_equal(status, EXIT_REFUSED);
	assert_string_equal(
		said, "stockade: cannot print the list of sessions: a name in it is not UTF-8, or memory ran out\n");
	assert_string_equal(printed, "");
	free(printed);
}

/* Nothing is said: command_main says it of standard output, and twice is once too often. */
static void refuses_silently(FILE *f)
{
	char said[256];
	struct captured c = capture(stderr);
	int status;

	setbuf(f, NULL);
	status = output_json(f, json_object(), "it");
	captured_read(&c, said, sizeof(said));
	fclose(f);
	assert_int_equal(status, EXIT_REFUSED);
	assert_string_equal(said, "");
}

static void a_stream_that_takes_nothing_is_a_refusal(void **state)
{
	char braces[2];

	(void)state;
	refuses_silently(fopen("/dev/full", "we"));
	refuses_silently(fmemopen(braces, sizeof(braces), "w"));
}

static void what_fails_for_another_reason_is_one_sentence(void **state)
{
	char said[256];
	FILE *f = fopen("/dev/null", "we");
	struct captured c = capture(stderr);
	/* No text of JSON in jansson's eyes. */
	int status = output_json(f, json_string(""), "it");

	(void)state;
	captured_read(&c, said, sizeof(said));
	fclose(f);
	assert_int_equal(status, EXIT_REFUSED);
	assert_string_equal(said, "stockade: cannot print it: memory ran out\n");
}

static void a_list_that_lacks_one_is_none(void **state)
{
	json_t *one = json_string("one"), *all = json_list_add(json_list_add(json_array(), json_string("a")), one);

	(void)state;
	assert_int_equal(json_array_size(all), 2);
	assert_ptr_equal(json_array_get(all, 1), one);
	assert_int_equal(one->refcount, 1);
	/* The leak sanitiser sees that the first two went with it. */
	assert_null(json_list_add(all, NULL));
	assert_null(json_list_add(NULL, json_string("b")));
}

static const struct {
	struct diag d;
	int error;
	const char *said;
} refusals[] = {
	{ { "the file is gone" }, -ENOENT, "stockade: the file is gone\n" },
	{ { "the file is gone" }, 0, "stockade: the file is gone\n" },
	{ { "" }, -ENOENT, "stockade: No such file or directory\n" },
	{ { "" }, 0, "stockade: Cannot allocate memory\n" },
};

static void a_command_that_could_not_says_why_even_where_nobody_found_words(void **state)
{
	char said[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		struct captured c = capture(stderr);
		int status = command_refuse(&refusals[i].d, refusals[i].error);
		captured_read(&c, said, sizeof(said));
		assert_int_equal(status, EXIT_REFUSED);
		assert_string_equal(said, refusals[i].said);
	}
}

static const struct {
	int64_t when;
	const char *said;
} moments[] = {
	{ 0, "1970-01-01T00:00:00Z" },
	{ 1, "1970-01-01T00:00:01Z" },
	{ -1, "1969-12-31T23:59:59Z" },
	{ 951782400, "2000-02-29T00:00:00Z" },
	{ 2147483648, "2038-01-19T03:14:08Z" },
	{ INT64_MAX, "?" },
	{ INT64_MIN, "?" },
};

static void a_moment_is_in_utc_wherever_the_reader_lives(void **state)
{
	char text[OUTPUT_TIME_SIZE];

	(void)state;
	setenv("TZ", "Asia/Kolkata", 1);
	tzset();
	for (size_t i = 0; i < ARRAY_LEN(moments); i++) {
		assert_ptr_equal(output_time(moments[i].when, text), text);
		assert_string_equal(text, moments[i].said);
	}
	unsetenv("TZ");
	tzset();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_object_is_indented_pure_ascii_and_ends_its_line),
		cmocka_unit_test(the_object_is_taken_over),
		cmocka_unit_test(an_object_that_could_not_be_made_is_one_sentence_and_nothing_printed),
		cmocka_unit_test(a_stream_that_takes_nothing_is_a_refusal),
		cmocka_unit_test(what_fails_for_another_reason_is_one_sentence),
		cmocka_unit_test(a_list_that_lacks_one_is_none),
		cmocka_unit_test(a_command_that_could_not_says_why_even_where_nobody_found_words),
		cmocka_unit_test(a_moment_is_in_utc_wherever_the_reader_lives),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
