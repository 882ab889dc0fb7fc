/* SPDX-License-Identifier: Apache-2.0 */
/* test_audit_verify - whatever is done to a log afterwards, verify finds it and says which record */
#include "tests/unit/audit_unit.h"

enum { LINES_MAX = 32 };

/* A file's bytes and where its lines begin; lines[n] is the end. */
struct text {
	char name[256];
	struct buf b;
	size_t start[LINES_MAX + 1], n;
};

static void text_split(struct text *t)
{
	t->n = 0;
	t->start[0] = 0;
	for (size_t i = 0; i < t->b.len; i++) {
		if (t->b.data[i] == '\n') {
			assert_true(t->n < LINES_MAX);
			t->start[++t->n] = i + 1;
		}
	}
}

/* Two closed sessions, one with a checkpoint; the first one's file and the index. */
static void two_sessions(const struct log_dir *l, struct text *file, struct text *index)
{
	struct diag d;
	struct audit *a = session_open(l, "github", 0);

	assert_true(session_file(l, 0, file->name));
	session_call(a, "create_issue");
	session_call(a, "get_me");
	assert_int_equal(audit_checkpoint(a, &d), 0);
	session_call(a, "get_me");
	session_close(a);
	a = session_open(l, "files", 0);
	session_close(a);
	strcpy(index->name, INDEX_FILE);
	file_read(l, file->name, &file->b);
	file_read(l, INDEX_FILE, &index->b);
	text_split(file);
	text_split(index);
	assert_int_equal(file->n, 6);
	assert_int_equal(index->n, 5);
}

static void texts_done(struct text *file, struct text *index)
{
	buf_done(&file->b);
	buf_done(&index->b);
}

/* Writes the lines in the given order; a line may come twice or never. */
static void write_lines(const struct log_dir *l, const struct text *t, const size_t *order, size_t n)
{
	_cleanup_buf_ struct buf b = BUF_INIT(TEST_FILE_MAX);

	for (size_t i = 0; i < n; i++)
		assert_int_equal(
			buf_append(&b, t->b.data + t->start[order[i]], t->start[order[i] + 1] - t->start[order[i]]), 0);
	file_write(l, t->name, b.data ? b.data : "", b.len);
}

static void text_restore(const struct log_dir *l, const struct text *t)
{
	file_write(l, t->name, t->b.data, t->b.len);
}

static void untouched_sessions_are_whole(void **state)
{
	const struct log_dir *l = *state;
	struct text file, index;

	assert_whole(l);
	two_sessions(l, &file, &index);
	assert_whole(l);
	texts_done(&file, &index);
}

static void an_empty_directory_is_called_empty_and_not_whole(void **state)
{
	const struct log_dir *l = *state;
	char *text = NULL;

	assert_int_equal(verify_log(l, true, &text), AUDIT_WHOLE);
	assert_null(strstr(text, "whole"));
	assert_non_null(strstr(text, "empty: no session and no index"));
	free(text);
}

static void an_index_that_names_sessions_whose_files_are_gone_is_damage(void **state)
{
	const struct log_dir *l = *state;
	struct text file, index;
	char *text = NULL;

	two_sessions(l, &file, &index);
	for (char name[256]; session_file(l, 0, name);)
		assert_int_equal(unlinkat(l->fd, name, 0), 0);
	assert_int_equal(verify_log(l, true, &text), AUDIT_DAMAGED);
	assert_null(strstr(text, "whole"));
	assert_non_null(strstr(text, "missing file"));
	assert_non_null(strstr(text, "2 findings in 2 sessions"));
	free(text);
	texts_done(&file, &index);
}

static void a_running_session_is_no_damage(void **state)
{
	const struct log_dir *l = *state;
	struct audit *a = session_open(l, "github", 0);
	struct diag d;

	assert_whole(l);
	session_call(a, "x");
	assert_whole(l);
	assert_int_equal(audit_checkpoint(a, &d), 0);
	assert_int_equal(verify_log(l, false, NULL), AUDIT_WHOLE);
	session_close(a);
	assert_whole(l);
}

static void delete_each(const struct log_dir *l, const struct text *t)
{
	for (size_t gone = 0; gone < t->n; gone++) {
		size_t order[LINES_MAX], n = 0;
		for (size_t i = 0; i < t->n; i++) {
			if (i != gone)
				order[n++] = i;
		}
		write_lines(l, t, order, n);
		assert_int_equal(verify_log(l, true, NULL), AUDIT_DAMAGED);
		text_restore(l, t);
	}
	assert_whole(l);
}

static void every_deleted_record_is_found(void **state)
{
	const struct log_dir *l = *state;
	struct text file, index;

	two_sessions(l, &file, &index);
	delete_each(l, &file);
	delete_each(l, &index);
	write_lines(l, &file, (size_t[]){ 0, 1, 3, 4, 5 }, 5);
	assert_damaged(l, ":3: seq 4: missing: record 3 before it");
	write_lines(l, &file, (size_t[]){ 0, 4, 5 }, 3);
	assert_damaged(l, ":2: seq 5: missing: 3 of the records 2 to 4");
	text_restore(l, &file);
	write_lines(l, &index, (size_t[]){ 0, 2, 3, 4 }, 4);
	assert_damaged(l, INDEX_FILE ":2: seq 3: missing");
	texts_done(&file, &index);
}

static void swap_each(const struct log_dir *l, const struct text *t, const char *words)
{
	for (size_t a = 0; a < t->n; a++) {
		for (size_t b = a + 1; b < t->n; b++) {
			size_t order[LINES_MAX];
			for (size_t i = 0; i < t->n; i++)
				order[i] = i == a ? b : i == b ? a : i;
			write_lines(l, t, order, t->n);
			assert_damaged(l, words);
			text_restore(l, t);
		}
	}
	assert_whole(l);
}

static void every_swap_of_two_records_is_found(void **state)
{
	const struct log_dir *l = *state;
	struct text file, index;

	two_sessions(l, &file, &index);
	swap_each(l, &file, "reordered");
	swap_each(l, &index, "reordered");
	texts_done(&file, &index);
}

static void duplicate_each(const struct log_dir *l, const struct text *t)
{
	for (size_t twice = 0; twice < t->n; twice++) {
		for (size_t at = twice + 1; at <= t->n; at++) {
			size_t order[LINES_MAX], n = 0;
			for (size_t i = 0; i < t->n; i++) {
				if (i == at)
					order[n++] = twice;
				order[n++] = i;
			}
			if (at == t->n)
				order[n++] = twice;
			write_lines(l, t, order, n);
			assert_damaged(l, "duplicated");
		}
	}
	text_restore(l, t);
	assert_whole(l);
}

static void every_duplicated_record_is_found(void **state)
{
	const struct log_dir *l = *state;
	struct text file, index;

	two_sessions(l, &file, &index);
	duplicate_each(l, &file);
	duplicate_each(l, &index);
	texts_done(&file, &index);
}

/* In place: a file a time is too slow for every byte. */
static void flip_each(const struct log_dir *l, const struct text *t)
{
	_cleanup_close_ int fd = file_open_write(l, t->name, 0);

	assert_true(fd >= 0);
	for (size_t i = 0; i < t->b.len; i++) {
		char flipped = (char)(t->b.data[i] ^ (i % 2 ? 0x01 : 0x20));
		assert_int_equal(pwrite(fd, &flipped, 1, (off_t)i), 1);
		int r = verify_log(l, true, NULL);
		if (r != AUDIT_DAMAGED)
			print_error("%s: byte %zu\n", t->name, i);
		assert_int_equal(r, AUDIT_DAMAGED);
		assert_int_equal(pwrite(fd, t->b.data + i, 1, (off_t)i), 1);
	}
	assert_whole(l);
}

static void a_flip_in_any_byte_is_found(void **state)
{
	const struct log_dir *l = *state;
	struct text file, index;

	two_sessions(l, &file, &index);
	flip_each(l, &file);
	flip_each(l, &index);
	texts_done(&file, &index);
}

static void truncate_each(const struct log_dir *l, const struct text *t)
{
	for (size_t n = t->b.len; n-- > 0;) {
		_cleanup_close_ int fd = file_open_write(l, t->name, 0);
		assert_int_equal(ftruncate(fd, (off_t)n), 0);
		assert_int_equal(verify_log(l, true, NULL), AUDIT_DAMAGED);
	}
	text_restore(l, t);
	assert_whole(l);
}

static void a_closed_session_or_index_cut_at_any_byte_is_found(void **state)
{
	const struct log_dir *l = *state;
	struct text file, index;

	two_sessions(l, &file, &index);
	truncate_each(l, &file);
	truncate_each(l, &index);
	file_write(l, file.name, file.b.data, file.start[5]);
	assert_damaged(l, ":5: seq 5: truncated: it ends here, but the index knows of 6 records");
	texts_done(&file, &index);
}

static void a_missing_file_and_a_missing_index_are_found(void **state)
{
	const struct log_dir *l = *state;
	struct text file, index;

	two_sessions(l, &file, &index);
	assert_int_equal(unlinkat(l->fd, file.name, 0), 0);
	assert_damaged(l, "missing file: the index knows this session");
	text_restore(l, &file);
	assert_int_equal(unlinkat(l->fd, INDEX_FILE, 0), 0);
	assert_damaged(l, "the index is gone");
	text_restore(l, &index);
	assert_int_equal(unlinkat(l->fd, file.name, 0), 0);
	assert_int_equal(mkdirat(l->fd, file.name, 0700), 0);
	assert_damaged(l, "a directory");
	texts_done(&file, &index);
}

/* Makes a record of other bytes with the right hash of its own, as somebody would who knows the format. */
static void forge(struct text *t, size_t line, char from, char to)
{
	char *p = t->b.data + t->start[line];
	size_t n = t->start[line + 1] - t->start[line] - 1;
	char hash[RECORD_HASH_HEX + 1];
	char *tool = memmem(p, n, "\"user\":\"", 8);

	assert_non_null(tool);
	char *at = memchr(tool + 8, from, n - (size_t)(tool + 8 - p));
	assert_non_null(at);
	*at = to;
	assert_true(record_line_hash(p, n, hash));
	memcpy(p + n - 2 - RECORD_HASH_HEX, hash, RECORD_HASH_HEX);
}

static void a_record_replaced_by_one_with_a_right_hash_is_found(void **state)
{
	const struct log_dir *l = *state;
	struct text file, index;

	two_sessions(l, &file, &index);
	forge(&file, 2, 'a', 'b');
	text_restore(l, &file);
	assert_damaged(l, ":4: seq 4: replaced");
	texts_done(&file, &index);
}

static void a_record_replaced_at_the_end_is_found_by_the_index(void **state)
{
	const struct log_dir *l = *state;
	struct text file, index;

	two_sessions(l, &file, &index);
	forge(&file, 5, 'a', 'b');
	text_restore(l, &file);
	assert_damaged(l, "the index has another hash for this record");
	texts_done(&file, &index);
}

static void a_record_of_another_session_is_found(void **state)
{
	const struct log_dir *l = *state;
	struct text file, index;
	char other[256];
	_cleanup_buf_ struct buf b;

	two_sessions(l, &file, &index);
	assert_true(session_file(l, 1, other));
	if (strcmp(other, file.name) == 0)
		assert_true(session_file(l, 0, other));
	file_read(l, other, &b);
	assert_int_equal(buf_append(&b, file.b.data, file.start[1]), 0);
	file_write(l, other, b.data, b.len);
	assert_damaged(l, "no record of this session");
	texts_done(&file, &index);
}

static void bytes_after_the_close_are_found(void **state)
{
	const struct log_dir *l = *state;
	struct text file, index;

	two_sessions(l, &file, &index);
	assert_int_equal(buf_puts(&file.b, "{\"v\":1"), 0);
	text_restore(l, &file);
	assert_damaged(l, "in a session that is closed");
	texts_done(&file, &index);
}

static void verify_of_one_session_leaves_the_others_alone(void **state)
{
	const struct log_dir *l = *state;
	struct text file, index;
	char session[AUDIT_SESSION_ID_LEN + 1] = "", *text = NULL;
	struct audit_verify_options o = { .session = session, .read_only = true };
	size_t n = 0;
	struct diag d;

	two_sessions(l, &file, &index);
	memcpy(session, file.name + 17, AUDIT_SESSION_ID_LEN);
	FILE *out = open_memstream(&text, &n);
	assert_int_equal(audit_verify(l->fd, &o, out, &d), AUDIT_WHOLE);
	file_write(l, file.name, file.b.data, file.start[2]);
	assert_int_equal(audit_verify(l->fd, &o, out, &d), AUDIT_DAMAGED);
	o.session = "no*";
	assert_int_equal(audit_verify(l->fd, &o, out, &d), -ENOENT);
	fclose(out);
	assert_non_null(strstr(text, "1 session ("));
	assert_non_null(strstr(text, " in 1 session\n"));
	free(text);
	texts_done(&file, &index);
}

static void findings_are_json_lines_when_asked(void **state)
{
	const struct log_dir *l = *state;
	struct text file, index;
	struct audit_verify_options o = { .json = true, .read_only = true };
	char *text = NULL;
	size_t n = 0;
	struct diag d;

	two_sessions(l, &file, &index);
	file_write(l, file.name, file.b.data, file.start[2]);
	FILE *out = open_memstream(&text, &n);
	assert_int_equal(audit_verify(l->fd, &o, out, &d), AUDIT_DAMAGED);
	fclose(out);
	json_t *last = NULL;
	for (char *p = text, *end; (end = strchr(p, '\n')); p = end + 1) {
		json_decref(last);
		last = json_loadb(p, (size_t)(end - p), JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(last);
	}
	assert_string_equal(text_of(last, "verdict"), "damaged");
	json_decref(last);
	free(text);
	texts_done(&file, &index);
}

static void a_file_that_no_supervisor_began_is_not_called_empty(void **state)
{
	static const char name[] = "20261001T120000Z-0123456789abcdef0123456789abcdef.jsonl";
	static const struct {
		char fill;
		size_t n;
	} cases[] = { { '{', 3 << 20 }, { 'x', 3 << 20 }, { 'x', 100 }, { '\0', 4096 } };
	const struct log_dir *l = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_free_ char *bytes = malloc(cases[i].n);
		assert_non_null(bytes);
		memset(bytes, cases[i].fill, cases[i].n);
		log_dir_empty(l);
		file_write(l, name, bytes, cases[i].n);
		assert_damaged(l, "no record of it is whole");
	}
	/* A supervisor killed in its first write is no damage. */
	log_dir_empty(l);
	file_write(l, name, "{\"v\":1,\"seq\":1,", 16);
	assert_whole(l);
}

#define LOG_TEST(f) cmocka_unit_test_setup_teardown(f, log_dir_setup, log_dir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOG_TEST(untouched_sessions_are_whole),
		LOG_TEST(an_empty_directory_is_called_empty_and_not_whole),
		LOG_TEST(an_index_that_names_sessions_whose_files_are_gone_is_damage),
		LOG_TEST(a_running_session_is_no_damage),
		LOG_TEST(every_deleted_record_is_found),
		LOG_TEST(every_swap_of_two_records_is_found),
		LOG_TEST(every_duplicated_record_is_found),
		LOG_TEST(a_flip_in_any_byte_is_found),
		LOG_TEST(a_closed_session_or_index_cut_at_any_byte_is_found),
		LOG_TEST(a_missing_file_and_a_missing_index_are_found),
		LOG_TEST(a_record_replaced_by_one_with_a_right_hash_is_found),
		LOG_TEST(a_record_replaced_at_the_end_is_found_by_the_index),
		LOG_TEST(a_record_of_another_session_is_found),
		LOG_TEST(bytes_after_the_close_are_found),
		LOG_TEST(a_file_that_no_supervisor_began_is_not_called_empty),
		LOG_TEST(verify_of_one_session_leaves_the_others_alone),
		LOG_TEST(findings_are_json_lines_when_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
