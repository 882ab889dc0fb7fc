/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_audit_exhaustive - 10 000 records of eight sessions: whatever is done to any one of them is found
 *
 * What verify does for a session is two steps: each line on its own, then the good ones as a chain and against the
 * index. The first is tried here for each line, the second for each change of the chain, so that no change has to read
 * all of the log again; that the steps together are what verify does is shown by a few that go through all of it.
 */
#include "tests/unit/audit_unit.h"

#include "audit/line.h"
#include "audit/log_key.h"
#include "audit/verify.h"

enum { SESSIONS = 8, RECORDS = 1250 };

struct world {
	struct log_dir *dir;
	struct log_key key;
	struct log_keys keys;
	FILE *nowhere;
	struct verify verify;
	struct session_view view[SESSIONS];
	char name[SESSIONS][256];
};

static void write_sessions(struct world *w)
{
	struct audit *a[SESSIONS];
	struct diag d;

	for (unsigned s = 0; s < SESSIONS; s++) {
		char session[AUDIT_SESSION_ID_LEN + 1];
		audit_new_session_id(session);
		struct audit_identity id = { .session = session, .user = "alice", .server = "github" };
		assert_int_equal(
			audit_open(&(struct audit_options){ .dirfd = w->dir->fd, .key = &w->key }, &id, &a[s], &d), 0);
	}
	/* All at once, each with its open, two checkpoints and its close. */
	for (unsigned i = 0; i < RECORDS - 4; i++)
		for (unsigned s = 0; s < SESSIONS; s++) {
			session_call(a[s], i % 2 ? "create_issue" : "get_me");
			if (i == 400 || i == 800)
				assert_int_equal(audit_checkpoint(a[s], &d), 0);
		}
	for (unsigned s = 0; s < SESSIONS; s++)
		session_close(a[s]);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	struct diag d = { "" };

	if (!w || log_dir_setup((void **)&w->dir) < 0 || log_key_take(w->dir->fd, &w->key, &d) < 0)
		return -1;
	write_sessions(w);
	w->nowhere = fopen("/dev/null", "we");
	static const struct audit_verify_options options = { .read_only = true, .demand = true };
	w->verify = (struct verify){ .dirfd = w->dir->fd, .o = &options, .f = { .out = w->nowhere } };
	if (log_keys_own(&w->keys, w->dir->fd, &d) < 0 || signatures_init(&w->verify.signatures, &w->keys) < 0 ||
		index_view_read(w->dir->fd, &w->verify.f, &w->verify.signatures, &w->verify.index, &d) < 0)
		return -1;
	for (unsigned s = 0; s < SESSIONS; s++) {
		session_file(w->dir, s, w->name[s]);
		if (session_view_read(log_open_read(w->dir->fd, w->name[s], &d), w->name[s], &w->verify.f,
			    &w->verify.signatures, &w->view[s], &d) < 0)
			return -1;
	}
	*state = w;
	return w->verify.f.damage > 0 ? -1 : 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	for (unsigned s = 0; s < SESSIONS; s++)
		session_view_done(&w->view[s]);
	index_view_done(&w->verify.index);
	signatures_done(&w->verify.signatures);
	log_keys_done(&w->keys);
	fclose(w->nowhere);
	log_dir_teardown((void **)&w->dir);
	free(w);
	return 0;
}

/* The second step of verify over these entries, as if they were the file's. */
static bool is_found(struct world *w, unsigned s, const struct entry *entries, size_t n)
{
	static struct entry copy[RECORDS + 1];
	static size_t by_seq[RECORDS + 2];
	struct session_view v = w->view[s];
	uint64_t before = w->verify.f.damage;

	memcpy(copy, entries, n * sizeof *copy);
	for (size_t i = 0; i < n; i++)
		copy[i].line = i + 1;
	v.entries = copy;
	v.n = n;
	v.lines = n;
	v.by_seq = by_seq;
	session_view_judge(&v, &w->verify.f);
	verify_session(&w->verify, &v, v.session, false);
	return w->verify.f.damage > before;
}

static void the_log_that_nobody_touched_is_whole(void **state)
{
	struct world *w = *state;

	for (unsigned s = 0; s < SESSIONS; s++) {
		assert_int_equal(w->view[s].n, RECORDS);
		assert_false(is_found(w, s, w->view[s].entries, RECORDS));
	}
}

static void every_deleted_record_is_found(void **state)
{
	static struct entry e[RECORDS];
	struct world *w = *state;

	for (unsigned s = 0; s < SESSIONS; s++)
		for (size_t i = 0; i < RECORDS; i++) {
			memcpy(e, w->view[s].entries, i * sizeof *e);
			memcpy(e + i, w->view[s].entries + i + 1, (RECORDS - i - 1) * sizeof *e);
			assert_true(is_found(w, s, e, RECORDS - 1));
		}
}

static void every_swap_is_found(void **state)
{
	static struct entry e[RECORDS];
	struct world *w = *state;

	for (unsigned s = 0; s < SESSIONS; s++)
		for (size_t i = 0; i + 1 < RECORDS; i++) {
			/* With its neighbour, and with one far away. */
			const size_t others[] = { i + 1, i + 1 + (i * 7919 + s) % (RECORDS - i - 1) };
			for (size_t k = 0; k < 2; k++) {
				memcpy(e, w->view[s].entries, sizeof e);
				e[i] = w->view[s].entries[others[k]];
				e[others[k]] = w->view[s].entries[i];
				assert_true(is_found(w, s, e, RECORDS));
			}
		}
}

static void every_record_that_is_there_twice_is_found(void **state)
{
	static struct entry e[RECORDS + 1];
	struct world *w = *state;

	for (unsigned s = 0; s < SESSIONS; s++)
		for (size_t i = 0; i < RECORDS; i++) {
			/* Right behind it, or anywhere else. */
			size_t at = i % 2 ? i + 1 : (i * 7919 + s) % (RECORDS + 1);
			memcpy(e, w->view[s].entries, at * sizeof *e);
			e[at] = w->view[s].entries[i];
			memcpy(e + at + 1, w->view[s].entries + at, (RECORDS - at) * sizeof *e);
			assert_true(is_found(w, s, e, RECORDS + 1));
		}
}

static void every_truncation_is_found(void **state)
{
	struct world *w = *state;

	for (unsigned s = 0; s < SESSIONS; s++)
		for (size_t n = 0; n < RECORDS; n++)
			assert_true(is_found(w, s, w->view[s].entries, n));
}

/* A record of another session is none of this one: its own id is in it. */
static void every_edit_of_a_record_is_found(void **state)
{
	struct world *w = *state;
	size_t lines = 0;

	for (unsigned s = 0; s < SESSIONS; s++) {
		_cleanup_buf_ struct buf b;
		file_read(w->dir, w->name[s], &b);
		for (char *p = b.data, *end; (end = strchr(p, '\n')); p = end + 1, lines++) {
			_cleanup_line_ struct line l = { 0 };
			char *at = p + (lines * 7919) % (size_t)(end - p), was = *at;
			*at = was == '1' ? '2' : '1';
			if (line_parse(p, (size_t)(end - p), &l) == LINE_OK && l.hash_ok)
				fail_msg("line %zu of session %u with another byte %zu is still good", lines, s,
					(size_t)(at - p));
			*at = was;
		}
	}
	assert_int_equal(lines, SESSIONS * RECORDS);
}

/* Whoever edits may compute the hash of the record anew: then it is not what the next one, or the index, names. */
static void every_edit_with_a_hash_of_its_own_is_found(void **state)
{
	static struct entry e[RECORDS];
	struct world *w = *state;

	for (unsigned s = 0; s < SESSIONS; s++) {
		memcpy(e, w->view[s].entries, sizeof e);
		for (size_t i = 0; i < RECORDS; i++) {
			e[i].hash[0] = e[i].hash[0] == '0' ? '1' : '0';
			assert_true(is_found(w, s, e, RECORDS));
			e[i] = w->view[s].entries[i];
		}
	}
}

static void every_session_that_is_missing_is_found(void **state)
{
	struct world *w = *state;

	for (unsigned s = 0; s < SESSIONS; s++) {
		char hidden[] = "gone";
		assert_int_equal(renameat(w->dir->fd, w->name[s], w->dir->fd, hidden), 0);
		assert_damaged(w->dir, "missing file");
		assert_int_equal(renameat(w->dir->fd, hidden, w->dir->fd, w->name[s]), 0);
	}
	assert_whole(w->dir);
}

/* A file, and of it the line that something is done to and the one before. */
struct some {
	const char *all, *before, *line, *end;
	size_t n;
};

static void put_part(struct buf *b, const char *from, const char *to)
{
	assert_int_equal(buf_append(b, from, (size_t)(to - from)), 0);
}

static void deleted(const struct some *x, struct buf *b)
{
	put_part(b, x->all, x->line);
	put_part(b, x->end, x->all + x->n);
}

static void edited(const struct some *x, struct buf *b)
{
	const char *at = strstr(x->line, "\"ts\":\"") + 7;

	put_part(b, x->all, at);
	assert_int_equal(buf_puts(b, *at == '1' ? "2" : "1"), 0);
	put_part(b, at + 1, x->all + x->n);
}

static void swapped(const struct some *x, struct buf *b)
{
	put_part(b, x->all, x->before);
	put_part(b, x->line, x->end);
	put_part(b, x->before, x->line);
	put_part(b, x->end, x->all + x->n);
}

static void doubled(const struct some *x, struct buf *b)
{
	put_part(b, x->all, x->end);
	put_part(b, x->line, x->all + x->n);
}

static void truncated(const struct some *x, struct buf *b)
{
	put_part(b, x->all, x->line);
}

/* The same through all of verify, for some records: the steps above are its own. */
static void some_of_each_are_found_by_verify_itself(void **state)
{
	static const struct {
		const char *name;
		void (*change)(const struct some *x, struct buf *b);
	} kinds[] = { { "deleted", deleted }, { "edited", edited }, { "swapped", swapped }, { "twice", doubled },
		{ "truncated", truncated } };
	struct world *w = *state;

	for (size_t i = 0; i < SESSIONS * ARRAY_LEN(kinds); i++) {
		const char *name = w->name[i % SESSIONS];
		_cleanup_buf_ struct buf b, cut = BUF_INIT(TEST_FILE_MAX);
		file_read(w->dir, name, &b);
		struct some x = { .all = b.data, .n = b.len };
		x.before = strchr(b.data + b.len / (SESSIONS + 1) * (i % SESSIONS), '\n') + 1;
		x.line = strchr(x.before, '\n') + 1;
		x.end = strchr(x.line, '\n') + 1;
		kinds[i / SESSIONS].change(&x, &cut);
		file_write(w->dir, name, cut.data, cut.len);
		if (verify_log(w->dir, true, NULL) != AUDIT_DAMAGED)
			fail_msg("what begins at byte %td of session %zu, %s", x.line - x.all, i % SESSIONS,
				kinds[i / SESSIONS].name);
		file_write(w->dir, name, b.data, b.len);
	}
	assert_whole(w->dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_log_that_nobody_touched_is_whole),
		cmocka_unit_test(every_deleted_record_is_found),
		cmocka_unit_test(every_swap_is_found),
		cmocka_unit_test(every_record_that_is_there_twice_is_found),
		cmocka_unit_test(every_truncation_is_found),
		cmocka_unit_test(every_edit_of_a_record_is_found),
		cmocka_unit_test(every_edit_with_a_hash_of_its_own_is_found),
		cmocka_unit_test(every_session_that_is_missing_is_found),
		cmocka_unit_test(some_of_each_are_found_by_verify_itself),
	};

	return cmocka_run_group_tests_name("audit_exhaustive", tests, setup, teardown);
}
