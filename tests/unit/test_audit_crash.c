/* SPDX-License-Identifier: Apache-2.0 */
/* test_audit_crash - writers that are killed, stopped, many, or out of space */
#include "tests/unit/audit_unit.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "audit/log.h"
#include "tests/unit/crash_unit.h"
#include "tests/unit/small_disk.h"

static void eight_sessions_at_once_leave_one_whole_index(void **state)
{
	enum { WRITERS = 8, SESSIONS = 10 };
	const struct log_dir *l = *state;
	pid_t pids[WRITERS];
	int status;

	for (unsigned w = 0; w < WRITERS; w++) {
		pids[w] = fork();
		if (pids[w] != 0)
			continue;
		for (unsigned s = 0; s < SESSIONS; s++) {
			struct audit *a = session_open(l, "github", 0);
			struct diag d;
			for (unsigned i = 0; i < 20; i++)
				session_call(a, "x");
			if (audit_checkpoint(a, &d) < 0)
				_exit(1);
			session_close(a);
		}
		_exit(0);
	}
	for (unsigned w = 0; w < WRITERS; w++) {
		assert_int_equal(waitpid(pids[w], &status, 0), pids[w]);
		assert_int_equal(status, 0);
	}
	assert_whole(l);
	assert_int_equal(count_events(l, "tool.call"), WRITERS * SESSIONS * 20);
}

/* A process that takes the index lock, reads the end, and stops; when it goes on, it writes. */
static pid_t stopped_holder(const struct log_dir *l)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct audit *a = session_open(l, "slow", 0);
		struct index i = INDEX_INIT;
		struct diag d;
		if (index_begin(l->fd, &i, &d) < 0 || !i.locked)
			_exit(1);
		raise(SIGSTOP);
		/* The rest of what audit_checkpoint does, with what was read before the stop. */
		struct event e = { .type = EVENT_CHECKPOINT };
		if (log_write(a, EVENT_FROM_SUPERVISOR, &e, &(struct log_extra){ .records = a->seq + 1 }, &d) < 0)
			_exit(1);
		struct index_entry entry = { .event = INDEX_CHECKPOINT,
			.session = a->session,
			.file = a->file,
			.records = a->seq,
			.size = a->size,
			.head = a->head };
		if (index_commit(&i, &entry, NULL, &d) < 0)
			_exit(1);
		index_done(&i);
		session_close(a);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	return pid;
}

static void a_stopped_holder_of_the_lock_stops_nobody(void **state)
{
	const struct log_dir *l = *state;
	pid_t pid = stopped_holder(l);
	int status;

	/* Whoever waited for the lock would wait for ever: its holder is stopped until the end. */
	struct audit *a = session_open(l, "github", 0);
	session_call(a, "x");
	session_close(a);
	a = session_open(l, "github", 0);
	assert_whole(l);
	kill(pid, SIGCONT);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	session_close(a);
	session_close(session_open(l, "after", 0));
	assert_whole(l);
	_cleanup_buf_ struct buf index;
	file_read(l, INDEX_FILE, &index);
	assert_non_null(strstr(index.data, "\"unlocked\":true"));
	assert_non_null(strstr(index.data, "\"merges\":[\""));
}

/* Deletes each index line in turn: also where the chain forks, a deletion shows. */
static void a_deleted_record_of_a_forked_index_is_found(void **state)
{
	const struct log_dir *l = *state;
	pid_t pid = stopped_holder(l);
	_cleanup_buf_ struct buf index;

	session_close(session_open(l, "github", 0));
	session_close(session_open(l, "github", 0));
	kill(pid, SIGCONT);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	session_close(session_open(l, "after", 0));
	assert_whole(l);
	file_read(l, INDEX_FILE, &index);
	for (char *p = index.data, *end; (end = strchr(p, '\n')); p = end + 1) {
		_cleanup_buf_ struct buf b = BUF_INIT(TEST_FILE_MAX);
		assert_int_equal(buf_append(&b, index.data, (size_t)(p - index.data)), 0);
		assert_int_equal(buf_puts(&b, end + 1), 0);
		file_write(l, INDEX_FILE, b.data, b.len);
		assert_int_equal(verify_log(l, true, NULL), AUDIT_DAMAGED);
	}
}

static void a_fork_that_no_unlocked_record_explains_is_found(void **state)
{
	const struct log_dir *l = *state;
	struct audit *a = session_open(l, "github", 0);
	struct index first = INDEX_INIT;
	struct diag d;

	assert_int_equal(index_begin(l->fd, &first, &d), 0);
	struct index second = first;
	struct index_entry e = { .event = INDEX_OPEN,
		.session = a->session,
		.file = a->file,
		.records = a->seq,
		.size = a->size,
		.head = a->head };
	assert_int_equal(index_commit(&first, &e, NULL, &d), 0);
	e.event = INDEX_CHECKPOINT;
	second.locked = true;
	assert_int_equal(index_commit(&second, &e, NULL, &d), 0);
	index_done(&first);
	assert_damaged(l, "no record without the lock explains why");
	audit_free(a);
}

/* Writes until it is killed; after each acknowledged record one byte goes into the pipe. */
static void write_forever(const struct log_dir *l, int acks)
{
	struct audit *a = session_open(l, "github", 0);
	struct event e = call_event("x");
	struct diag d;

	memset(e.reason, 'r', sizeof e.reason - 1);
	for (unsigned i = 1;; i++) {
		if (audit_append(a, EVENT_FROM_SHIM, &e, NULL, &d) < 0 || write(acks, "", 1) != 1)
			_exit(1);
		if (i % 400 == 0 && audit_checkpoint(a, &d) < 0)
			_exit(1);
	}
}

static void no_acknowledged_record_is_lost_to_sigkill(void **state)
{
	const struct log_dir *l = *state;

	for (unsigned k = 0; k < RANDOM_ENDS; k++) {
		int acks[2], status;
		acks_open(acks);
		pid_t pid = fork();
		if (pid == 0)
			write_forever(l, acks[1]);
		close(acks[1]);
		nap_before_end(k);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		uint64_t acknowledged = acks_count(acks[0]);
		close(acks[0]);
		assert_whole(l);
		uint64_t there = count_events(l, "tool.call");
		/* At most the one that was written and not yet acknowledged. */
		assert_true(there >= acknowledged && there <= acknowledged + 1);
		assert_int_equal(verify_log(l, false, NULL), AUDIT_WHOLE);
		assert_whole(l);
		assert_true(count_events(l, "tool.call") >= acknowledged);
		log_dir_empty(l);
	}
}

/* A session that was killed while its last line was half written. */
static void torn_session(const struct log_dir *l, char name[256])
{
	struct audit *a = session_open(l, "github", 0);

	assert_true(session_file(l, 0, name));
	session_call(a, "x");
	audit_free(a);
	_cleanup_close_ int fd = openat(l->fd, name, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(write(fd, "{\"v\":1,\"seq\":3,\"ts", 18), 18);
}

static void a_torn_line_is_closed_and_recorded_by_verify(void **state)
{
	static const char *const events[] = { "session.open", "tool.call", NULL, "log.torn", "session.close" };
	const struct log_dir *l = *state;
	_cleanup_free_ char *text = NULL;
	_cleanup_buf_ struct buf b;
	char name[256];

	torn_session(l, name);
	assert_int_equal(verify_log(l, false, &text), AUDIT_WHOLE);
	assert_non_null(strstr(text, "note: torn"));
	assert_non_null(strstr(text, "repaired"));
	file_read(l, name, &b);
	char *p = b.data;
	for (size_t i = 0; i < ARRAY_LEN(events); i++) {
		char *end = strchr(p, '\n');
		assert_non_null(end);
		json_t *o = json_loadb(p, (size_t)(end - p), 0, NULL);
		if (events[i])
			assert_string_equal(text_of(o, "event"), events[i]);
		else
			assert_null(o);
		if (events[i] && i > 2) {
			assert_string_equal(text_of(o, "server"), "github");
			assert_string_equal(text_of(o, "source"), "supervisor");
		}
		json_decref(o);
		p = end + 1;
	}
	assert_string_equal(p, "");
	assert_whole(l);
}

static void a_torn_line_is_closed_and_recorded_by_the_next_writer(void **state)
{
	const struct log_dir *l = *state;
	char name[256];

	torn_session(l, name);
	session_close(session_open(l, "next", 0));
	assert_int_equal(count_events(l, "log.torn"), 1);
	assert_whole(l);
}

static void verify_of_a_copy_changes_nothing(void **state)
{
	const struct log_dir *l = *state;
	_cleanup_free_ char *text = NULL;
	_cleanup_buf_ struct buf before, after;
	char name[256];

	torn_session(l, name);
	file_read(l, name, &before);
	assert_int_equal(verify_log(l, true, &text), AUDIT_WHOLE);
	assert_non_null(strstr(text, "note: torn"));
	file_read(l, name, &after);
	assert_int_equal(before.len, after.len);
}

static void an_altered_torn_line_is_found_after_its_account(void **state)
{
	const struct log_dir *l = *state;
	_cleanup_buf_ struct buf b;
	char name[256];

	torn_session(l, name);
	assert_int_equal(verify_log(l, false, NULL), AUDIT_WHOLE);
	file_read(l, name, &b);
	char *torn = strstr(b.data, "ts\n");
	assert_non_null(torn);
	*torn = 'T';
	file_write(l, name, b.data, b.len);
	assert_damaged(l, "torn line before it, which is not there as told");
}

static void a_torn_index_is_closed_by_the_next_writer(void **state)
{
	const struct log_dir *l = *state;
	struct audit *a = session_open(l, "github", 0);
	_cleanup_close_ int fd = openat(l->fd, INDEX_FILE, O_WRONLY | O_APPEND | O_CLOEXEC);

	assert_int_equal(write(fd, "{\"v\":1,\"se", 10), 10);
	assert_whole(l);
	session_close(a);
	assert_whole(l);
	_cleanup_buf_ struct buf b;
	file_read(l, INDEX_FILE, &b);
	assert_non_null(strstr(b.data, "\"torn_bytes\":10,"));
}

static void a_killed_session_is_repaired_only_when_nobody_writes_it(void **state)
{
	const struct log_dir *l = *state;
	struct audit *a = session_open(l, "github", 0);

	session_close(session_open(l, "other", 0));
	assert_int_equal(verify_log(l, false, NULL), AUDIT_WHOLE);
	assert_int_equal(count_events(l, "session.close"), 1);
	session_call(a, "x");
	audit_free(a);
	session_close(session_open(l, "other", 0));
	assert_int_equal(count_events(l, "session.close"), 3);
	assert_whole(l);
}

/* Cuts the index's last line: what a SIGKILL between the two writes leaves. */
static void forget_last_index_line(const struct log_dir *l)
{
	_cleanup_buf_ struct buf b;

	file_read(l, INDEX_FILE, &b);
	size_t n = b.len - 1;
	while (n > 0 && b.data[n - 1] != '\n')
		n--;
	file_write(l, INDEX_FILE, b.data, n);
}

static void a_kill_between_the_two_writes_is_no_damage_and_is_repaired(void **state)
{
	const struct log_dir *l = *state;
	struct diag d;
	char name[256];

	for (unsigned step = 0; step < 3; step++) {
		struct audit *a = session_open(l, "github", 0);
		assert_true(session_file(l, 0, name));
		if (step >= 1) {
			session_call(a, "x");
			assert_int_equal(audit_checkpoint(a, &d), 0);
		}
		if (step == 2) {
			session_close(a);
			a = NULL;
			assert_int_equal(fchmodat(l->fd, name, 0600, 0), 0);
		}
		audit_free(a);
		forget_last_index_line(l);
		assert_whole(l);
		assert_int_equal(verify_log(l, false, NULL), AUDIT_WHOLE);
		assert_int_equal(count_events(l, "session.close"), 1);
		_cleanup_buf_ struct buf index;
		file_read(l, INDEX_FILE, &index);
		assert_non_null(strstr(index.data, "index.close"));
		assert_whole(l);
		log_dir_empty(l);
	}
}

static void a_closed_session_is_sealed_against_writing(void **state)
{
	const struct log_dir *l = *state;
	struct stat st;
	char name[256];

	session_close(session_open(l, "github", 0));
	assert_true(session_file(l, 0, name));
	assert_int_equal(fstatat(l->fd, name, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0400);
	forget_last_index_line(l);
	assert_damaged(l, "the index lacks the index.close of this session");
}

static void fill_disk(const struct log_dir *l)
{
	static const char block[4096];
	int fd = openat(l->fd, "filler", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	while (write(fd, block, sizeof block) > 0)
		;
	close(fd);
}

static int full_disk_child(struct log_dir *l)
{
	struct event e = call_event("x");
	struct diag d = { "" };
	uint64_t acknowledged = 0, late = 0;
	int r;

	small_disk(l, "size=2m,mode=0700");
	struct audit *a = session_open(l, "github", 0);
	fill_disk(l);
	while ((r = audit_append(a, EVENT_FROM_SHIM, &e, NULL, &d)) == 0)
		acknowledged++;
	assert_int_equal(r, -ENOSPC);
	assert_non_null(strstr(d.text, "disk under the audit log is full"));
	/* The one that found no room, and what was handed over before the shim heard of it, as far as the reserve goes.
	 */
	for (acknowledged++; (r = audit_append(a, EVENT_FROM_SHIM, &e, NULL, &d)) == 0; late++)
		acknowledged++;
	assert_int_equal(r, -ENOSPC);
	assert_true(late > 100);
	e = (struct event){ .type = EVENT_SERVER_EXIT };
	assert_int_equal(audit_append(a, EVENT_FROM_SUPERVISOR, &e, NULL, &d), 0);
	session_close(a);
	assert_int_equal(count_events(l, "tool.call"), acknowledged);
	assert_int_equal(count_events(l, "log.full"), 1);
	assert_int_equal(count_events(l, "session.close"), 1);
	assert_whole(l);
	return 0;
}

static int full_from_the_start_child(struct log_dir *l)
{
	char session[AUDIT_SESSION_ID_LEN + 1], name[256];
	struct audit *a = NULL;
	struct diag d = { "" };

	small_disk(l, "size=1m,mode=0700");
	fill_disk(l);
	audit_new_session_id(session);
	struct audit_identity id = { .session = session, .user = "alice" };
	assert_int_equal(audit_open(&(struct audit_options){ .dirfd = l->fd }, &id, &a, &d), -ENOSPC);
	assert_non_null(strstr(d.text, "full"));
	assert_false(session_file(l, 0, name));
	return 0;
}

/* A filesystem that knows no fallocate(2), by a filter that answers for it. */
static void forbid_fallocate(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fallocate, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EOPNOTSUPP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog filter = { .len = ARRAY_LEN(code), .filter = code };

	assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	assert_int_equal(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), 0);
}

static int full_without_fallocate_child(struct log_dir *l)
{
	struct event e = call_event("x");
	struct diag d = { "" };
	uint64_t acknowledged = 0;
	int r;

	small_disk(l, "size=1m,mode=0700");
	forbid_fallocate();
	struct audit *a = session_open(l, "github", 0);
	while ((r = audit_append(a, EVENT_FROM_SHIM, &e, NULL, &d)) == 0)
		acknowledged++;
	assert_int_equal(r, -ENOSPC);
	assert_true(acknowledged > 500);
	assert_int_equal(audit_append(a, EVENT_FROM_SHIM, &e, NULL, &d), -ENOSPC);
	audit_free(a);
	assert_int_equal(count_events(l, "tool.call"), acknowledged);
	assert_whole(l);
	return 0;
}

/* Somewhere among the records there is no room any more, wherever that is. */
static int full_at_random_child(struct log_dir *l)
{
	own_mounts();
	for (unsigned k = 0; k < RANDOM_ENDS; k++) {
		struct event e = call_event("x");
		struct diag d = { "" };
		uint64_t acknowledged = 0;
		char options[64];
		int r;
		snprintf(options, sizeof options, "size=%uk,mode=0700", 800 + k * 7919 % 900);
		put_disk(l, options);
		memset(e.reason, 'r', k * 31 % sizeof e.reason);
		struct audit *a = session_open(l, "github", 0);
		for (unsigned i = 0; (r = audit_append(a, EVENT_FROM_SHIM, &e, NULL, &d)) == 0; i++) {
			acknowledged++;
			if (i % 100 == 99 && (r = audit_checkpoint(a, &d)) < 0)
				break;
		}
		assert_int_equal(r, -ENOSPC);
		if (k % 2)
			audit_free(a);
		else
			session_close(a);
		assert_true(count_events(l, "tool.call") >= acknowledged);
		assert_whole(l);
		close(l->fd);
	}
	return 0;
}

static void in_child(struct log_dir *l, int (*child)(struct log_dir *l))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(child(l));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void a_full_disk_is_recorded_and_the_session_closed(void **state)
{
	in_child(*state, full_disk_child);
}

static void no_acknowledged_record_is_lost_to_a_full_disk(void **state)
{
	in_child(*state, full_at_random_child);
}

static void on_a_full_disk_no_session_starts_and_nothing_stays_behind(void **state)
{
	in_child(*state, full_from_the_start_child);
}

static void without_fallocate_a_full_disk_ends_the_session_and_loses_nothing(void **state)
{
	in_child(*state, full_without_fallocate_child);
}

#define LOG_TEST(f) cmocka_unit_test_setup_teardown(f, log_dir_setup, log_dir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOG_TEST(eight_sessions_at_once_leave_one_whole_index),
		LOG_TEST(a_stopped_holder_of_the_lock_stops_nobody),
		LOG_TEST(a_deleted_record_of_a_forked_index_is_found),
		LOG_TEST(a_fork_that_no_unlocked_record_explains_is_found),
		LOG_TEST(no_acknowledged_record_is_lost_to_sigkill),
		LOG_TEST(a_torn_line_is_closed_and_recorded_by_verify),
		LOG_TEST(a_torn_line_is_closed_and_recorded_by_the_next_writer),
		LOG_TEST(verify_of_a_copy_changes_nothing),
		LOG_TEST(an_altered_torn_line_is_found_after_its_account),
		LOG_TEST(a_torn_index_is_closed_by_the_next_writer),
		LOG_TEST(a_killed_session_is_repaired_only_when_nobody_writes_it),
		LOG_TEST(a_kill_between_the_two_writes_is_no_damage_and_is_repaired),
		LOG_TEST(a_closed_session_is_sealed_against_writing),
		LOG_TEST(a_full_disk_is_recorded_and_the_session_closed),
		LOG_TEST(without_fallocate_a_full_disk_ends_the_session_and_loses_nothing),
		LOG_TEST(no_acknowledged_record_is_lost_to_a_full_disk),
		LOG_TEST(on_a_full_disk_no_session_starts_and_nothing_stays_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
