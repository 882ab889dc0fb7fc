/* SPDX-License-Identifier: Apache-2.0 */
/* test_audit_line - lines that are no records, however long or deep */
#include "tests/unit/audit_unit.h"

#include "audit/line.h"

static void a_line_that_is_too_long_is_passed_over_and_the_next_one_read(void **state)
{
	const struct log_dir *l = *state;
	_cleanup_buf_ struct buf b = BUF_INIT(TEST_FILE_MAX), good;
	char name[256], *long_line = malloc(5 << 20);
	const char *text;
	size_t n;

	session_close(session_open(l, "github", 0));
	assert_true(session_file(l, 0, name));
	file_read(l, name, &good);
	assert_non_null(long_line);
	memset(long_line, '[', 5 << 20);
	assert_int_equal(buf_append(&b, long_line, 5 << 20), 0);
	assert_int_equal(buf_putc(&b, '\n'), 0);
	assert_int_equal(buf_append(&b, good.data, good.len), 0);
	file_write(l, "long", b.data, b.len);
	_cleanup_reader_ struct reader r = READER_INIT(openat(l->fd, "long", O_RDONLY | O_CLOEXEC));
	assert_int_equal(reader_next(&r, &text, &n), READER_TOO_LONG);
	assert_int_equal(reader_next(&r, &text, &n), READER_LINE);
	assert_int_equal(r.number, 2);
	_cleanup_line_ struct line first = { 0 };
	assert_int_equal(line_parse(text, n, &first), LINE_OK);
	assert_true(first.hash_ok);
	assert_int_equal(reader_next(&r, &text, &n), READER_LINE);
	assert_int_equal(reader_next(&r, &text, &n), READER_END);
	buf_done(&good);
	free(long_line);
}

static void a_line_of_nested_arrays_is_no_record(void **state)
{
	enum { DEEP = 60000 };
	char *text = malloc(DEEP);
	struct line l = { 0 };

	(void)state;
	assert_non_null(text);
	memset(text, '[', DEEP);
	assert_int_equal(line_parse(text, DEEP, &l), LINE_BAD);
	free(text);
}

#define LOG_TEST(f) cmocka_unit_test_setup_teardown(f, log_dir_setup, log_dir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOG_TEST(a_line_that_is_too_long_is_passed_over_and_the_next_one_read),
		LOG_TEST(a_line_of_nested_arrays_is_no_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
