/* SPDX-License-Identifier: Apache-2.0 */
/* test_audit_export - each record comes out once, whatever ends the export, and what the log lacks is said */
#include "tests/unit/audit_unit.h"

#include <poll.h>
#include <time.h>

#include "audit/export/cursor.h"
#include "audit/export/export.h"
#include "audit/export/output.h"

struct place {
	struct log_dir log;
	char dir[64], cursor[96], output[96];
};

static int place_setup(void **state)
{
	struct place *p = calloc(1, sizeof *p);

	strcpy(p->log.path, "/tmp/stockade-audit-XXXXXX");
	strcpy(p->dir, "/tmp/stockade-export-XXXXXX");
	if (!mkdtemp(p->log.path) || !mkdtemp(p->dir))
		return -1;
	p->log.fd = open(p->log.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(p->cursor, sizeof p->cursor, "%s/cursor", p->dir);
	snprintf(p->output, sizeof p->output, "%s/out", p->dir);
	*state = p;
	return p->log.fd < 0 ? -1 : 0;
}

static int place_teardown(void **state)
{
	struct place *p = *state;
	struct log_dir dir = { .fd = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) };

	strcpy(dir.path, p->dir);
	log_dir_empty(&dir);
	log_dir_empty(&p->log);
	close(dir.fd);
	close(p->log.fd);
	rmdir(p->dir);
	rmdir(p->log.path);
	free(p);
	return 0;
}

static struct export_options to_file(const struct place *p)
{
	return (struct export_options){ .cursor = p->cursor, .output = p->output };
}

/* To a file, or to *ret_text (heap). */
static int export_with(const struct place *p, const struct export_options *o, char **ret_text, struct diag *d)
{
	char path[] = "/tmp/stockade-stream-XXXXXX";
	_cleanup_close_ int fd = mkstemp(path);
	FILE *out = fdopen(dup(fd), "w");
	_cleanup_buf_ struct buf b = BUF_INIT(TEST_FILE_MAX);
	int r;

	unlink(path);
	d->text[0] = '\0';
	r = audit_export(p->log.fd, o, out, d);
	fclose(out);
	if (!ret_text)
		return r;
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(io_read_all(fd, &b), 0);
	*ret_text = b.data ? buf_steal(&b) : strdup("");
	return r;
}

static void export_whole(const struct place *p, const struct export_options *o)
{
	struct diag d;
	int r = export_with(p, o, NULL, &d);

	if (r != EXPORT_WHOLE)
		print_error("audit_export: %d %s\n", r, d.text);
	assert_int_equal(r, EXPORT_WHOLE);
}

static char *file_text(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct buf b = BUF_INIT(TEST_FILE_MAX);

	assert_true(fd >= 0);
	assert_int_equal(io_read_all(fd, &b), 0);
	return b.data ? b.data : strdup("");
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		n++;
	return n;
}

/* The output's lines of each session are that session's file, byte for byte, and there is nothing else in it. */
static void assert_same_as_log(const struct place *p, const char *text)
{
	size_t seen = 0;
	char name[256];

	for (unsigned n = 0; session_file(&p->log, n, name); n++) {
		_cleanup_buf_ struct buf b, mine = BUF_INIT(TEST_FILE_MAX);
		char key[64];
		file_read(&p->log, name, &b);
		snprintf(key, sizeof key, "\"session\":\"%.32s\"", name + 17);
		for (const char *at = text, *end; (end = strchr(at, '\n')); at = end + 1) {
			if (memmem(at, (size_t)(end - at), key, strlen(key)))
				assert_int_equal(buf_append(&mine, at, (size_t)(end - at) + 1), 0);
		}
		if (!mine.data || strcmp(mine.data, b.data) != 0)
			print_error("%s: %zu bytes in the log, %zu in the output\n", name, b.len, mine.len);
		assert_string_equal(mine.data, b.data);
		seen += mine.len;
	}
	assert_int_equal(seen, strlen(text));
}

static void a_cursor_goes_on_where_it_ended_and_repeats_nothing(void **state)
{
	const struct place *p = *state;
	struct export_options o = to_file(p);
	struct audit *a = session_open(&p->log, "one", 0), *b = session_open(&p->log, "two", 0);
	_cleanup_free_ char *first = NULL, *second = NULL, *third = NULL;

	session_call(a, "x");
	export_whole(p, &o);
	first = file_text(p->output);
	assert_same_as_log(p, first);
	export_whole(p, &o);
	second = file_text(p->output);
	assert_string_equal(first, second);
	session_call(b, "y");
	session_close(a);
	export_whole(p, &o);
	session_close(b);
	a = session_open(&p->log, "three", 0);
	session_close(a);
	export_whole(p, &o);
	third = file_text(p->output);
	assert_memory_equal(third, first, strlen(first));
	assert_same_as_log(p, third);
}

static void what_is_closed_and_out_is_forgotten_by_the_cursor(void **state)
{
	enum { SESSIONS = 300 };
	const struct place *p = *state;
	struct export_options o = to_file(p);
	_cleanup_free_ char *text = NULL, *out = NULL;
	struct audit *a;

	for (unsigned i = 0; i < SESSIONS; i++) {
		a = session_open(&p->log, "one", 0);
		session_close(a);
	}
	a = session_open(&p->log, "runs", 0);
	export_whole(p, &o);
	text = file_text(p->cursor);
	assert_int_equal(count(text, ".jsonl"), 1);
	assert_true(strlen(text) < 1024);
	session_close(a);
	export_whole(p, &o);
	out = file_text(p->output);
	assert_same_as_log(p, out);
}

static void nap_us(long us)
{
	struct timespec t = { .tv_nsec = us * 1000 };

	nanosleep(&t, NULL);
}

static void export_and_die(const struct place *p, long us)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct export_options o = to_file(p);
		struct diag d;
		_exit(audit_export(p->log.fd, &o, stdout, &d) == EXPORT_WHOLE ? 0 : 1);
	}
	nap_us(us);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
}

/* Killed 200 times anywhere between opening and end, while sessions go on. */
static void a_killed_export_neither_loses_nor_repeats_a_record(void **state)
{
	enum { KILLS = 200, SESSIONS = 3, CALLS = 40 };
	const struct place *p = *state;
	struct export_options o = to_file(p);
	struct audit *a[SESSIONS];
	_cleanup_free_ char *out = NULL;
	unsigned seed = 1;

	for (unsigned s = 0; s < SESSIONS; s++)
		a[s] = session_open(&p->log, "github", 0);
	for (unsigned i = 0; i < KILLS; i++) {
		for (unsigned c = 0; c < CALLS; c++)
			session_call(a[c % SESSIONS], "search");
		if (i % 20 == 19) {
			session_close(a[i % SESSIONS]);
			a[i % SESSIONS] = session_open(&p->log, "github", 0);
		}
		export_and_die(p, rand_r(&seed) % 12000);
	}
	for (unsigned s = 0; s < SESSIONS; s++)
		session_close(a[s]);
	export_whole(p, &o);
	out = file_text(p->output);
	assert_same_as_log(p, out);
	assert_int_equal(count(out, "\"event\":\"tool.call\""), KILLS * CALLS);
}

/* The two halves of a commit, one without the other. */
static void what_was_written_after_the_cursor_is_cut_off_and_written_again(void **state)
{
	const struct place *p = *state;
	struct export_options o = to_file(p);
	struct audit *a = session_open(&p->log, "one", 0);
	_cleanup_free_ char *before = NULL, *out = NULL;
	_cleanup_close_ int fd = -1;

	export_whole(p, &o);
	before = file_text(p->cursor);
	session_call(a, "x");
	export_whole(p, &o);
	fd = open(p->cursor, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_int_equal(io_write_full(fd, before, strlen(before)), 0);
	session_close(a);
	export_whole(p, &o);
	out = file_text(p->output);
	assert_same_as_log(p, out);
}

/* Killed before its first commit, an export would else not know which of the file's bytes are its own. */
static void the_cursor_is_there_before_the_first_byte(void **state)
{
	const struct place *p = *state;
	struct cursor c = CURSOR_INIT;
	struct output o;
	struct diag d = { "" };
	struct stat st;

	assert_int_equal(cursor_open(&c, p->cursor, "", &d), 0);
	assert_int_equal(output_open(&o, p->output, stdout, &c, &d), 0);
	assert_int_equal(stat(p->cursor, &st), 0);
	assert_int_equal(stat(p->output, &st), 0);
	assert_int_equal(st.st_size, 0);
	output_done(&o);
	cursor_done(&c);
}

static void a_file_that_was_renamed_away_is_left_and_a_new_one_begun(void **state)
{
	const struct place *p = *state;
	struct export_options o = to_file(p);
	struct audit *a = session_open(&p->log, "one", 0);
	_cleanup_free_ char *old = NULL, *new = NULL, *both = NULL;
	char away[128];

	export_whole(p, &o);
	snprintf(away, sizeof away, "%s.1", p->output);
	assert_int_equal(rename(p->output, away), 0);
	session_close(a);
	export_whole(p, &o);
	old = file_text(away);
	new = file_text(p->output);
	assert_true(asprintf(&both, "%s%s", old, new) > 0);
	assert_same_as_log(p, both);
	assert_int_equal(count(new, "session.close"), 1);
}

static void assert_refused(const struct place *p, const struct export_options *o, const char *words)
{
	struct diag d;
	int r = export_with(p, o, NULL, &d);

	if (r >= 0 || !strstr(d.text, words))
		print_error("expected '%s': %d %s\n", words, r, d.text);
	assert_true(r < 0);
	assert_non_null(strstr(d.text, words));
}

static void every_byte_of_a_cursor_that_was_changed_is_noticed(void **state)
{
	const struct place *p = *state;
	struct export_options o = to_file(p);
	_cleanup_free_ char *good = NULL;

	session_close(session_open(&p->log, "one", 0));
	struct audit *a = session_open(&p->log, "two", 0);
	export_whole(p, &o);
	good = file_text(p->cursor);
	for (size_t i = 0; i <= strlen(good); i++) {
		_cleanup_close_ int fd = open(p->cursor, O_WRONLY | O_TRUNC | O_CLOEXEC);
		char was = good[i];
		/* The last turn cuts the last byte off. */
		if (was)
			good[i] = was == '1' ? '2' : '1';
		assert_int_equal(io_write_full(fd, good, strlen(good) - (was ? 0 : 1)), 0);
		good[i] = was;
		assert_refused(p, &o, "nothing was exported");
	}
	session_close(a);
}

static void a_cursor_is_of_one_log_one_format_and_one_filter(void **state)
{
	const struct place *p = *state;
	struct export_options o = to_file(p), other;

	session_close(session_open(&p->log, "one", 0));
	export_whole(p, &o);
	other = o;
	other.format = EXPORT_CEF;
	assert_refused(p, &other, "another format or other filters");
	other = o;
	other.filter.server = "two";
	assert_refused(p, &other, "another format or other filters");
	other = o;
	other.output = NULL;
	assert_refused(p, &other, "name it with --output");
	log_dir_empty(&p->log);
	assert_refused(p, &o, "is that of another log");
	session_close(session_open(&p->log, "one", 0));
	assert_refused(p, &o, "is that of another log");
}

static void two_exports_do_not_share_a_cursor(void **state)
{
	const struct place *p = *state;
	struct export_options o = to_file(p);
	struct cursor c = CURSOR_INIT;
	struct diag d;

	assert_int_equal(cursor_open(&c, p->cursor, "", &d), 0);
	assert_refused(p, &o, "another export uses the cursor");
	cursor_done(&c);
	export_whole(p, &o);
}

static void a_file_that_is_not_the_one_it_was_is_not_touched(void **state)
{
	const struct place *p = *state;
	struct export_options o = to_file(p), alone = { .output = p->output };
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = -1;
	char away[128];

	session_close(session_open(&p->log, "one", 0));
	export_whole(p, &o);
	assert_refused(p, &alone, "is not empty, and without --cursor");
	assert_int_equal(truncate(p->output, 5), 0);
	assert_refused(p, &o, "is shorter than when the last records were written");
	snprintf(away, sizeof away, "%s.1", p->output);
	assert_int_equal(rename(p->output, away), 0);
	fd = open(p->output, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_int_equal(io_write_full(fd, "mine\n", 5), 0);
	assert_refused(p, &o, "is not the file that the cursor knows");
	text = file_text(p->output);
	assert_string_equal(text, "mine\n");
}

/* Bytes of the n-th session's file, changed by the caller. */
static void change(const struct place *p, const char *from, const char *to)
{
	_cleanup_buf_ struct buf b, changed = BUF_INIT(TEST_FILE_MAX);
	char name[256], *at;

	assert_true(session_file(&p->log, 0, name));
	file_read(&p->log, name, &b);
	at = strstr(b.data, from);
	assert_non_null(at);
	assert_int_equal(buf_append(&changed, b.data, (size_t)(at - b.data)), 0);
	assert_int_equal(buf_puts(&changed, to), 0);
	assert_int_equal(buf_puts(&changed, at + strlen(from)), 0);
	file_write(&p->log, name, changed.data, changed.len);
}

static char *export_findings(const struct place *p, const struct export_options *o)
{
	struct diag d;
	char *text;
	int r = export_with(p, o, &text, &d);

	if (r != EXPORT_FINDINGS)
		print_error("%d %s\n%s", r, d.text, text);
	assert_int_equal(r, EXPORT_FINDINGS);
	return text;
}

static void what_was_altered_is_said_and_not_passed_on(void **state)
{
	const struct place *p = *state;
	struct audit *a = session_open(&p->log, "one", 0);
	_cleanup_free_ char *text = NULL;

	session_call(a, "delete_repo");
	session_close(a);
	change(p, "delete_repo", "search_repo");
	text = export_findings(p, &(struct export_options){ .format = EXPORT_JSONL });
	assert_int_equal(count(text, "search_repo"), 0);
	assert_int_equal(count(text, "\"event\":\"export.damaged\""), 1);
	assert_int_equal(count(text, "\"after\":1"), 1);
	assert_int_equal(count(text, "\n"), 3);
}

static void a_record_that_is_not_there_is_a_gap(void **state)
{
	const struct place *p = *state;
	struct audit *a = session_open(&p->log, "one", 0);
	_cleanup_free_ char *text = NULL;
	_cleanup_buf_ struct buf b, cut = BUF_INIT(TEST_FILE_MAX);
	char name[256], *second, *third;

	session_call(a, "x");
	session_close(a);
	assert_true(session_file(&p->log, 0, name));
	file_read(&p->log, name, &b);
	second = strchr(b.data, '\n') + 1;
	third = strchr(second, '\n') + 1;
	assert_int_equal(buf_append(&cut, b.data, (size_t)(second - b.data)), 0);
	assert_int_equal(buf_puts(&cut, third), 0);
	file_write(&p->log, name, cut.data, cut.len);
	text = export_findings(p, &(struct export_options){ .format = EXPORT_JSONL });
	assert_int_equal(count(text, "\"event\":\"export.gap\""), 1);
	assert_int_equal(count(text, "\n"), 3);
}

static void a_session_whose_file_is_gone_is_missed_once(void **state)
{
	const struct place *p = *state;
	struct export_options o = to_file(p);
	struct audit *a = session_open(&p->log, "one", 0);
	_cleanup_free_ char *out = NULL;
	struct diag d;
	char name[256];

	session_call(a, "x");
	export_whole(p, &o);
	session_close(a);
	assert_true(session_file(&p->log, 0, name));
	assert_int_equal(unlinkat(p->log.fd, name, 0), 0);
	assert_int_equal(export_with(p, &o, NULL, &d), EXPORT_FINDINGS);
	out = file_text(p->output);
	assert_int_equal(count(out, "\"event\":\"export.missing\""), 1);
	assert_int_equal(count(out, "\"after\":2"), 1);
	export_whole(p, &o);
}

/* As the log itself tells of a file that it removes. */
static void tell_drop(const struct place *p, const char *file)
{
	_cleanup_buf_ struct buf b;
	char line[1024], session[AUDIT_SESSION_ID_LEN + 1] = "", hash[RECORD_HASH_HEX + 1],
							prev[RECORD_HASH_HEX + 1] = "";
	struct record r = { .data = line, .max = sizeof line };
	struct record_clock clock = { 0 };
	size_t n;

	file_read(&p->log, INDEX_FILE, &b);
	n = b.len - 3 - RECORD_HASH_HEX;
	memcpy(prev, b.data + n, RECORD_HASH_HEX);
	memcpy(session, file + 17, AUDIT_SESSION_ID_LEN);
	record_begin(&r, &clock, 1 + count(b.data, "\n"), 1);
	record_str(&r, "session", session);
	record_str(&r, "event", "index.drop");
	record_str(&r, "file", file);
	assert_int_equal(record_seal(&r, prev, hash), 0);
	int fd = file_open_write(&p->log, INDEX_FILE, O_APPEND);
	assert_int_equal(io_write_full(fd, r.data, r.len), 0);
	close(fd);
}

static void a_session_that_was_dropped_as_old_enough_is_no_damage(void **state)
{
	const struct place *p = *state;
	struct export_options o = to_file(p);
	struct audit *a = session_open(&p->log, "one", 0);
	_cleanup_free_ char *out = NULL;
	char name[256], second[256];

	session_call(a, "x");
	export_whole(p, &o);
	session_close(a);
	assert_true(session_file(&p->log, 0, name));
	tell_drop(p, name);
	/* Told of, and not removed yet: the rest still comes. */
	export_whole(p, &o);
	assert_int_equal(unlinkat(p->log.fd, name, 0), 0);
	session_close(session_open(&p->log, "two", 0));
	assert_true(session_file(&p->log, 0, second));
	tell_drop(p, second);
	assert_int_equal(unlinkat(p->log.fd, second, 0), 0);
	export_whole(p, &o);
	out = file_text(p->output);
	assert_int_equal(count(out, "\n"), 4);
	assert_int_equal(count(out, "\"event\":\"export.dropped\""), 1);
	assert_int_equal(count(out, "\"after\":0"), 1);
}

/* The cursor was past the drop when the file still was there, and more came in a session that runs. */
static void a_drop_is_remembered_until_the_file_is_gone(void **state)
{
	const struct place *p = *state;
	struct export_options o = to_file(p);
	struct audit *a = session_open(&p->log, "one", 0);
	_cleanup_free_ char *out = NULL;
	char name[256];

	assert_true(session_file(&p->log, 0, name));
	tell_drop(p, name);
	export_whole(p, &o);
	session_close(a);
	assert_int_equal(unlinkat(p->log.fd, name, 0), 0);
	export_whole(p, &o);
	out = file_text(p->output);
	assert_int_equal(count(out, "\"event\":\"export.dropped\""), 1);
}

/* More sessions than are taken at once stand between the opening and the drop. */
static void the_index_is_read_to_its_end_before_a_file_is_missed(void **state)
{
	enum { SESSIONS = 300 };
	const struct place *p = *state;
	struct export_options o = to_file(p);
	_cleanup_free_ char *out = NULL;
	char name[256];

	session_close(session_open(&p->log, "one", 0));
	assert_true(session_file(&p->log, 0, name));
	for (unsigned i = 0; i < SESSIONS; i++)
		session_close(session_open(&p->log, "others", 0));
	tell_drop(p, name);
	assert_int_equal(unlinkat(p->log.fd, name, 0), 0);
	export_whole(p, &o);
	out = file_text(p->output);
	assert_int_equal(count(out, "\n"), 2 * SESSIONS + 1);
	assert_int_equal(count(out, "\"event\":\"export.dropped\""), 1);
}

/* Killed in the middle of a write: the log ends the line and accounts for it. */
static void a_torn_line_is_no_damage_and_no_record(void **state)
{
	const struct place *p = *state;
	struct export_options o = to_file(p);
	_cleanup_free_ char *half = NULL, *out = NULL;
	char name[256];
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct audit *a = session_open(&p->log, "one", 0);
		session_call(a, "x");
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(session_file(&p->log, 0, name));
	int fd = openat(p->log.fd, name, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(io_write_full(fd, "{\"v\":1,\"seq\":3,\"ts", 18), 0);
	close(fd);
	export_whole(p, &o);
	half = file_text(p->output);
	assert_int_equal(count(half, "\n"), 2);
	assert_int_equal(verify_log(&p->log, false, NULL), AUDIT_WHOLE);
	export_whole(p, &o);
	out = file_text(p->output);
	assert_int_equal(count(out, "\n"), 4);
	assert_int_equal(count(out, "\"log.torn\""), 1);
	assert_int_equal(count(out, "\"session.close\""), 1);
}

static void filters_choose_and_the_cursor_still_ends(void **state)
{
	const struct place *p = *state;
	struct export_options o = to_file(p);
	struct audit *a = session_open(&p->log, "one", 0);
	_cleanup_free_ char *out = NULL, *text = NULL;

	o.filter.tool = "get_*";
	session_call(a, "get_me");
	session_call(a, "delete");
	session_close(a);
	export_whole(p, &o);
	out = file_text(p->output);
	assert_int_equal(count(out, "\n"), 1);
	text = file_text(p->cursor);
	assert_int_equal(count(text, "\"sessions\":[]"), 1);
}

static void to_follow_takes_what_comes_until_a_signal(void **state)
{
	const struct place *p = *state;
	struct export_options o = to_file(p);
	struct audit *a = session_open(&p->log, "one", 0);
	_cleanup_free_ char *out = NULL;
	int status, tries = 0;
	struct stat st;
	pid_t pid;

	o.follow = true;
	pid = fork();
	if (pid == 0) {
		struct diag d;
		_exit(audit_export(p->log.fd, &o, stdout, &d) == EXPORT_WHOLE ? 0 : 1);
	}
	session_call(a, "x");
	session_close(a);
	struct audit *b = session_open(&p->log, "two", 0);
	session_close(b);
	for (off_t want = 1; want > 0 && tries < 1000; tries++) {
		char name[256];
		want = 0;
		for (unsigned n = 0; session_file(&p->log, n, name); n++)
			want += fstatat(p->log.fd, name, &st, 0) == 0 ? st.st_size : 0;
		want -= stat(p->output, &st) == 0 ? st.st_size : 0;
		(void)poll(NULL, 0, want > 0 ? 10 : 0);
	}
	kill(pid, SIGTERM);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	out = file_text(p->output);
	assert_same_as_log(p, out);
}

/* A pipe that takes no more: what it did not take comes again with the next export. */
static void what_a_broken_pipe_did_not_take_comes_again(void **state)
{
	const struct place *p = *state;
	struct export_options o = { .cursor = p->cursor };
	_cleanup_free_ char *text = NULL;
	struct diag d = { "" };
	int pipes[2];

	session_close(session_open(&p->log, "one", 0));
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	FILE *out = fdopen(pipes[1], "w");
	close(pipes[0]);
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(audit_export(p->log.fd, &o, out, &d), -EPIPE);
	fclose(out);
	assert_int_equal(export_with(p, &o, &text, &d), EXPORT_WHOLE);
	assert_same_as_log(p, text);
}

int main(void)
{
#define ROW(f) cmocka_unit_test_setup_teardown(f, place_setup, place_teardown)
	const struct CMUnitTest tests[] = {
		ROW(a_cursor_goes_on_where_it_ended_and_repeats_nothing),
		ROW(what_is_closed_and_out_is_forgotten_by_the_cursor),
		ROW(a_killed_export_neither_loses_nor_repeats_a_record),
		ROW(what_was_written_after_the_cursor_is_cut_off_and_written_again),
		ROW(the_cursor_is_there_before_the_first_byte),
		ROW(a_file_that_was_renamed_away_is_left_and_a_new_one_begun),
		ROW(every_byte_of_a_cursor_that_was_changed_is_noticed),
		ROW(a_cursor_is_of_one_log_one_format_and_one_filter),
		ROW(two_exports_do_not_share_a_cursor),
		ROW(a_file_that_is_not_the_one_it_was_is_not_touched),
		ROW(what_was_altered_is_said_and_not_passed_on),
		ROW(a_record_that_is_not_there_is_a_gap),
		ROW(a_session_whose_file_is_gone_is_missed_once),
		ROW(a_session_that_was_dropped_as_old_enough_is_no_damage),
		ROW(a_drop_is_remembered_until_the_file_is_gone),
		ROW(the_index_is_read_to_its_end_before_a_file_is_missed),
		ROW(a_torn_line_is_no_damage_and_no_record),
		ROW(filters_choose_and_the_cursor_still_ends),
		ROW(to_follow_takes_what_comes_until_a_signal),
		ROW(what_a_broken_pipe_did_not_take_comes_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
