/* SPDX-License-Identifier: Apache-2.0 */
/* test_audit_show - what `audit show` prints, follows and leaves out */
#include "tests/unit/audit_unit.h"

#include <poll.h>
#include <sys/resource.h>
#include <time.h>

/* Heap text. */
static char *show_log(const struct log_dir *l, const struct audit_show_options *o)
{
	struct diag d = { "" };
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	assert_non_null(out);
	int r = audit_show(l->fd, o, out, &d);
	fclose(out);
	if (r < 0)
		print_error("audit_show: %s\n", d.text);
	/* Who asked for none of what there is was not told that there is nothing. */
	assert_int_equal(r, n > 0 || (o->tail && o->last == 0) ? AUDIT_SHOWN : AUDIT_NOTHING_SHOWN);
	return text;
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; (text = strchr(text, '\n')); text++)
		n++;
	return n;
}

static size_t show_count(const struct log_dir *l, struct audit_filter filter)
{
	struct audit_show_options o = { .filter = filter, .json = true };
	char *text = show_log(l, &o);
	size_t n = count_lines(text);

	free(text);
	return n;
}

static void records_of_all_sessions_come_in_order_of_time(void **state)
{
	const struct log_dir *l = *state;
	struct audit *a = session_open(l, "one", 0), *b = session_open(l, "two", 0);
	char before[RECORD_TIME_LEN + 1] = "";

	for (unsigned i = 0; i < 50; i++) {
		session_call(a, "x");
		session_call(b, "y");
	}
	session_close(a);
	session_close(b);
	char *text = show_log(l, &(struct audit_show_options){ .json = true });
	assert_int_equal(count_lines(text), 2 * 52);
	for (char *p = text, *end; (end = strchr(p, '\n')); p = end + 1) {
		json_t *o = json_loadb(p, (size_t)(end - p), JSON_REJECT_DUPLICATES, NULL);
		assert_true(strcmp(text_of(o, "ts"), before) >= 0);
		strcpy(before, text_of(o, "ts"));
		json_decref(o);
	}
	free(text);
}

static void json_is_the_record_as_it_was_written(void **state)
{
	const struct log_dir *l = *state;
	_cleanup_buf_ struct buf b;
	char name[256];

	struct audit *a = session_open(l, "one", 0);
	session_call(a, "x\x1b[2J");
	session_close(a);
	assert_true(session_file(l, 0, name));
	file_read(l, name, &b);
	char *text = show_log(l, &(struct audit_show_options){ .json = true });
	assert_string_equal(text, b.data);
	free(text);
}

static void a_person_sees_decision_tool_and_rule_and_no_escape_sequence(void **state)
{
	const struct log_dir *l = *state;
	struct audit *a = session_open(l, "git\x1b[2Jhub", 0);
	struct event e = call_event("create\x1b]0;evil\x07_issue");
	struct diag d;

	e.decision = EVENT_DENY;
	snprintf(e.reason, sizeof e.reason, "%s", "not \xe2\x80\xae allowed");
	assert_int_equal(audit_append(a, EVENT_FROM_SHIM, &e, NULL, &d), 0);
	session_close(a);
	for (unsigned colour = 0; colour < 2; colour++) {
		char *text = show_log(l, &(struct audit_show_options){ .colour = colour });
		assert_non_null(strstr(text, "create\\x1b]0;evil\\x07_issue"));
		assert_non_null(strstr(text, "rule=\"profiles/github.json:38 (tools.allow)\""));
		assert_non_null(strstr(text, "user=alice"));
		assert_non_null(strstr(text, colour ? "\033[1;31mdeny \033[0m" : " deny "));
		assert_null(strstr(text, "\xe2\x80\xae"));
		assert_null(strstr(text, "\x1b]"));
		assert_null(strstr(text, "\x1b[2J"));
		for (const char *p = text; *p; p++)
			assert_true(*p == '\n' || (unsigned char)*p >= 0x20 || (colour && *p == '\033'));
		free(text);
	}
}

static void a_value_cannot_pass_for_another_field(void **state)
{
	const struct log_dir *l = *state;
	struct audit *a = session_open(l, "github", 0);
	struct event e = call_event("x rule=\"fake\"");
	struct diag d;

	snprintf(e.reason, sizeof e.reason, "%s", "a\" decision=allow \\");
	assert_int_equal(audit_append(a, EVENT_FROM_SHIM, &e, NULL, &d), 0);
	session_close(a);
	char *text = show_log(l, &(struct audit_show_options){ 0 });
	assert_non_null(strstr(text, " \"x rule=\\\"fake\\\"\" "));
	assert_non_null(strstr(text, " reason=\"a\\\" decision=allow \\\\\""));
	free(text);
}

static void filters_leave_only_what_was_asked_for(void **state)
{
	const struct log_dir *l = *state;
	struct audit *a = session_open(l, "github", 0), *b = session_open(l, "files", 0);
	struct event e = call_event("delete_repo");
	char name[256], session[AUDIT_SESSION_ID_LEN + 1] = "";
	int64_t now = (int64_t)time(NULL);
	struct diag d;

	e.decision = EVENT_DENY;
	session_call(a, "get_me");
	session_call(a, "get_issue");
	assert_int_equal(audit_append(a, EVENT_FROM_SHIM, &e, NULL, &d), 0);
	session_call(b, "get_file");
	session_close(a);
	session_close(b);
	assert_int_equal(show_count(l, (struct audit_filter){ 0 }), 8);
	assert_int_equal(show_count(l, (struct audit_filter){ .server = "github" }), 5);
	assert_int_equal(show_count(l, (struct audit_filter){ .server = "git*" }), 5);
	assert_int_equal(show_count(l, (struct audit_filter){ .tool = "get_*" }), 3);
	assert_int_equal(show_count(l, (struct audit_filter){ .tool = "get_*", .server = "files" }), 1);
	assert_int_equal(show_count(l, (struct audit_filter){ .decision = EVENT_DENY }), 1);
	assert_int_equal(show_count(l, (struct audit_filter){ .decision = EVENT_ALLOW }), 3);
	assert_int_equal(show_count(l, (struct audit_filter){ .since = now - 60 }), 8);
	assert_int_equal(show_count(l, (struct audit_filter){ .since = now + 60 }), 0);
	assert_int_equal(show_count(l, (struct audit_filter){ .until = now - 60 }), 0);
	assert_int_equal(show_count(l, (struct audit_filter){ .until = now + 60 }), 8);
	assert_true(session_file(l, 0, name));
	memcpy(session, name + 17, AUDIT_SESSION_ID_LEN);
	size_t n = show_count(l, (struct audit_filter){ .session = session });
	assert_true(n == 5 || n == 3);
	session[8] = '\0';
	assert_int_equal(show_count(l, (struct audit_filter){ .session = session }), n);
}

static void what_is_unreadable_or_altered_is_said_so(void **state)
{
	const struct log_dir *l = *state;
	struct audit *a = session_open(l, "github", 0);
	_cleanup_buf_ struct buf b;
	char name[256];

	session_call(a, "get_me");
	session_close(a);
	assert_true(session_file(l, 0, name));
	file_read(l, name, &b);
	char *at = strstr(b.data, "get_me");
	at[0] = 'G';
	*strstr(b.data, "\"session.close\"") = '\x1b';
	file_write(l, name, b.data, b.len);
	char *text = show_log(l, &(struct audit_show_options){ 0 });
	assert_non_null(strstr(text, "Get_me"));
	assert_non_null(strstr(text, "(altered: its hash is not that of its bytes)"));
	assert_non_null(strstr(text, ":3: torn or altered, and unreadable"));
	assert_null(strchr(text, '\x1b'));
	free(text);
}

static void many_sessions_need_few_descriptors(void **state)
{
	enum { SESSIONS = 120 };
	const struct log_dir *l = *state;

	for (unsigned i = 0; i < SESSIONS; i++) {
		struct audit *a = session_open(l, "github", 0);
		char from[256], to[256];
		session_close(a);
		/* Each began a second after the one before it. */
		assert_true(session_file(l, 0, from));
		memcpy(to, from, sizeof to);
		snprintf(to, 17, "20990101T00%02u%02uZ", i / 60, i % 60);
		to[16] = '-';
		assert_int_equal(renameat(l->fd, from, l->fd, to), 0);
	}
	pid_t pid = fork();
	int status;
	if (pid == 0) {
		/* Opened all at once, they would not fit. */
		struct rlimit few = { 64, 64 };
		if (setrlimit(RLIMIT_NOFILE, &few) < 0)
			_exit(2);
		_exit(show_count(l, (struct audit_filter){ 0 }) == 2 * SESSIONS ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* For what must happen, however busy the machine is. */
enum { PATIENCE_US = 60000000 };

/* Reads from the pipe until the words come. */
static bool wait_for_words(int fd, const char *words)
{
	_cleanup_buf_ struct buf b = BUF_INIT(TEST_FILE_MAX);
	uint64_t until = io_now_us() + PATIENCE_US;
	char bytes[4096];

	while (io_now_us() < until) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		if (poll(&p, 1, 100) <= 0)
			continue;
		ssize_t n = read(fd, bytes, sizeof bytes);
		if (n <= 0)
			return false;
		assert_int_equal(buf_append(&b, bytes, (size_t)n), 0);
		if (strstr(b.data, words))
			return true;
	}
	return false;
}

static pid_t follower_with(const struct log_dir *l, struct audit_show_options o, int ret[2])
{
	assert_int_equal(pipe2(ret, O_CLOEXEC), 0);
	pid_t pid = fork();

	if (pid == 0) {
		struct diag d;
		close(ret[0]);
		FILE *out = fdopen(ret[1], "w");
		_exit(audit_show(l->fd, &o, out, &d) == 0 ? 0 : 1);
	}
	close(ret[1]);
	return pid;
}

static pid_t follower(const struct log_dir *l, int ret[2])
{
	return follower_with(l, (struct audit_show_options){ .follow = true }, ret);
}

static void follow_shows_records_and_sessions_as_they_come_until_interrupted(void **state)
{
	const struct log_dir *l = *state;
	struct audit *a = session_open(l, "first", 0);
	int out[2], status;
	pid_t pid = follower(l, out);

	assert_true(wait_for_words(out[0], "first"));
	session_call(a, "tool_one");
	assert_true(wait_for_words(out[0], "tool_one"));
	struct audit *b = session_open(l, "second", 0);
	assert_true(wait_for_words(out[0], "second"));
	session_call(b, "tool_two");
	assert_true(wait_for_words(out[0], "tool_two"));
	session_call(a, "tool_three");
	assert_true(wait_for_words(out[0], "tool_three"));
	kill(pid, SIGINT);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(out[0]);
	session_close(a);
	session_close(b);
}

static void only_the_last_records_are_shown_where_that_was_asked_for(void **state)
{
	static const struct {
		uint64_t last;
		size_t lines;
	} cases[] = { { 0, 0 }, { 1, 1 }, { 3, 3 }, { 10, 10 }, { 14, 14 }, { 1000, 14 } };
	const struct log_dir *l = *state;
	struct audit *a = session_open(l, "one", 0), *b = session_open(l, "two", 0);
	struct audit_filter calls = { .tool = "tool_*" };

	for (unsigned i = 0; i < 5; i++) {
		char name[16];
		snprintf(name, sizeof name, "tool_%u", i);
		session_call(i & 1 ? a : b, name);
		session_call(i & 1 ? a : b, "other");
	}
	session_close(a);
	session_close(b);
	char *all = show_log(l, &(struct audit_show_options){ .json = true });
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *text =
			show_log(l, &(struct audit_show_options){ .json = true, .tail = true, .last = cases[i].last });
		assert_int_equal(count_lines(text), cases[i].lines);
		assert_string_equal(text, all + strlen(all) - strlen(text));
		free(text);
	}
	free(all);
	/* Those that pass the filter are counted, not all. */
	char *text = show_log(l, &(struct audit_show_options){ .filter = calls, .tail = true, .last = 2 });
	assert_int_equal(count_lines(text), 2);
	assert_non_null(strstr(text, "tool_3"));
	assert_non_null(strstr(text, "tool_4"));
	free(text);
}

static void who_follows_from_now_on_is_spared_the_past(void **state)
{
	const struct log_dir *l = *state;
	struct audit *a = session_open(l, "first", 0);
	char bytes[4096];
	int out[2], status;

	for (unsigned i = 0; i < 100; i++)
		session_call(a, "long_ago");
	session_call(a, "just_now");
	pid_t pid = follower_with(l, (struct audit_show_options){ .follow = true, .tail = true, .last = 1 }, out);
	ssize_t n = read(out[0], bytes, sizeof bytes - 1);
	assert_true(n > 0);
	bytes[n] = '\0';
	assert_int_equal(count_lines(bytes), 1);
	assert_non_null(strstr(bytes, "just_now"));
	session_call(a, "and_then");
	assert_true(wait_for_words(out[0], "and_then"));
	kill(pid, SIGINT);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(out[0]);
	session_close(a);
}

static void follow_ends_when_nobody_reads_any_more(void **state)
{
	const struct log_dir *l = *state;
	struct audit *a = session_open(l, "first", 0);
	int out[2], status;
	pid_t pid = follower(l, out);

	assert_true(wait_for_words(out[0], "first"));
	close(out[0]);
	uint64_t until = io_now_us() + PATIENCE_US;
	pid_t gone = 0;
	while (gone == 0 && io_now_us() < until) {
		gone = waitpid(pid, &status, WNOHANG);
		(void)poll(NULL, 0, 10);
	}
	assert_int_equal(gone, pid);
	session_close(a);
}

#define LOG_TEST(f) cmocka_unit_test_setup_teardown(f, log_dir_setup, log_dir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOG_TEST(records_of_all_sessions_come_in_order_of_time),
		LOG_TEST(json_is_the_record_as_it_was_written),
		LOG_TEST(a_person_sees_decision_tool_and_rule_and_no_escape_sequence),
		LOG_TEST(a_value_cannot_pass_for_another_field),
		LOG_TEST(filters_leave_only_what_was_asked_for),
		LOG_TEST(what_is_unreadable_or_altered_is_said_so),
		LOG_TEST(many_sessions_need_few_descriptors),
		LOG_TEST(follow_shows_records_and_sessions_as_they_come_until_interrupted),
		LOG_TEST(only_the_last_records_are_shown_where_that_was_asked_for),
		LOG_TEST(who_follows_from_now_on_is_spared_the_past),
		LOG_TEST(follow_ends_when_nobody_reads_any_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
