/* SPDX-License-Identifier: Apache-2.0 */
/* test_audit_follow - what wakes a reader of the log, what ends it, and what it gives back */
#include "tests/unit/audit_unit.h"
#include <poll.h>
#include <stdbool.h>
#include <sys/wait.h>
#include "audit/show.h"
#include "tests/unit/no_inotify.h"

static bool is_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static bool is_blocked(int signal)
{
	sigset_t now;

	assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &now), 0);
	return sigismember(&now, signal) == 1;
}

static void follow_open(const struct log_dir *l, struct follow *ret)
{
	struct diag d = { "" };
	int r = follow_init(l->fd, ret, &d);

	if (r < 0)
		print_error("follow_init: %s\n", d.text);
	assert_int_equal(r, 0);
}

static void make_file(const struct log_dir *l)
{
	close(file_open_write(l, "new.jsonl", O_EXCL));
}

static void append(const struct log_dir *l)
{
	_cleanup_close_ int fd = file_open_write(l, "old.jsonl", O_APPEND);

	assert_int_equal(io_write_full(fd, "x\n", 2), 0);
}

static void move_in(const struct log_dir *l)
{
	char from[] = "/tmp/stockade-follow-XXXXXX";

	close(mkstemp(from));
	assert_int_equal(renameat(AT_FDCWD, from, l->fd, "moved.jsonl"), 0);
}

static void each_change_of_the_directory_wakes_the_reader(void **state)
{
	static void (*const changes[])(const struct log_dir *) = { make_file, append, move_in };
	const struct log_dir *l = *state;

	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		struct follow f;
		log_dir_empty(l);
		file_write(l, "old.jsonl", "a\n", 2);
		follow_open(l, &f);
		assert_false(is_readable(f.notify));
		changes[i](l);
		if (!is_readable(f.notify))
			fail_msg("change %zu is not told", i);
		assert_int_equal(follow_wait(&f, stderr), FOLLOW_MORE);
		/* What was told is taken, or the next wait would be none. */
		assert_false(is_readable(f.notify));
		follow_done(&f);
	}
}

static void a_quiet_log_is_looked_at_again_after_a_while(void **state)
{
	struct follow f;

	follow_open(*state, &f);
	assert_int_equal(follow_wait(&f, stderr), FOLLOW_MORE);
	follow_done(&f);
}

static void each_signal_that_ends_it_ends_it_and_strikes_nobody(void **state)
{
	static const int signals[] = { SIGINT, SIGTERM };
	const struct log_dir *l = *state;

	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		struct follow f;
		follow_open(l, &f);
		assert_true(is_blocked(signals[i]));
		assert_int_equal(raise(signals[i]), 0);
		file_write(l, "old.jsonl", "a\n", 2);
		assert_int_equal(follow_wait(&f, stderr), FOLLOW_STOP);
		follow_done(&f);
		/* Still here: the signal was taken with the descriptor. */
		assert_false(is_blocked(signals[i]));
	}
}

static void a_signal_between_two_looks_is_not_lost(void **state)
{
	const struct log_dir *l = *state;
	struct follow f;

	follow_open(l, &f);
	file_write(l, "old.jsonl", "a\n", 2);
	assert_int_equal(follow_wait(&f, stderr), FOLLOW_MORE);
	assert_int_equal(raise(SIGTERM), 0);
	assert_int_equal(follow_wait(&f, stderr), FOLLOW_STOP);
	follow_done(&f);
}

static void the_signals_that_the_caller_had_blocked_stay_blocked(void **state)
{
	sigset_t mine, before;
	struct follow f;

	sigemptyset(&mine);
	sigaddset(&mine, SIGTERM);
	assert_int_equal(sigprocmask(SIG_BLOCK, &mine, &before), 0);
	follow_open(*state, &f);
	follow_done(&f);
	assert_true(is_blocked(SIGTERM));
	assert_false(is_blocked(SIGINT));
	assert_int_equal(sigprocmask(SIG_SETMASK, &before, NULL), 0);
}

static void it_ends_when_nobody_reads_what_it_writes(void **state)
{
	const struct log_dir *l = *state;
	struct follow f;
	int p[2];

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	FILE *out = fdopen(p[1], "w");
	assert_non_null(out);
	follow_open(l, &f);
	file_write(l, "old.jsonl", "a\n", 2);
	assert_int_equal(follow_wait(&f, out), FOLLOW_MORE);
	close(p[0]);
	file_write(l, "old.jsonl", "b\n", 2);
	assert_int_equal(follow_wait(&f, out), FOLLOW_STOP);
	follow_done(&f);
	fclose(out);
}

static int lowest_free(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	close(fd);
	return fd;
}

static void nothing_is_left_open_and_done_may_be_called_twice(void **state)
{
	struct follow f;
	int before = lowest_free();

	follow_open(*state, &f);
	assert_true(fcntl(f.signals, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(f.notify, F_GETFD) & FD_CLOEXEC);
	follow_done(&f);
	follow_done(&f);
	assert_int_equal(lowest_free(), before);
}

/* Network filesystems tell nothing, and instances of inotify run out: 0 when that is no error. */
static int polled(const struct log_dir *l)
{
	struct diag d = { "" };
	struct follow f;

	if (!no_inotify())
		return 1;
	if (follow_init(l->fd, &f, &d) < 0 || f.notify >= 0)
		return 2;
	if (follow_wait(&f, stderr) != FOLLOW_MORE)
		return 3;
	raise(SIGTERM);
	if (follow_wait(&f, stderr) != FOLLOW_STOP)
		return 4;
	follow_done(&f);
	return 0;
}

static void where_inotify_has_run_out_it_polls(void **state)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(polled(*state));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* In a child: as many files as there are, so that a signalfd cannot be had. */
static int no_descriptor(const struct log_dir *l)
{
	struct diag d = { "" };
	struct follow f;

	while (open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0)
		;
	if (follow_init(l->fd, &f, &d) != -EMFILE || !strstr(d.text, "signals cannot be waited for"))
		return 1;
	return is_blocked(SIGINT) || is_blocked(SIGTERM) ? 2 : 0;
}

static void what_cannot_be_waited_for_leaves_the_signals_as_they_were(void **state)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(no_descriptor(*state));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_change_of_the_directory_wakes_the_reader),
		cmocka_unit_test(a_quiet_log_is_looked_at_again_after_a_while),
		cmocka_unit_test(each_signal_that_ends_it_ends_it_and_strikes_nobody),
		cmocka_unit_test(a_signal_between_two_looks_is_not_lost),
		cmocka_unit_test(the_signals_that_the_caller_had_blocked_stay_blocked),
		cmocka_unit_test(it_ends_when_nobody_reads_what_it_writes),
		cmocka_unit_test(nothing_is_left_open_and_done_may_be_called_twice),
		cmocka_unit_test(where_inotify_has_run_out_it_polls),
		cmocka_unit_test(what_cannot_be_waited_for_leaves_the_signals_as_they_were),
	};

	return cmocka_run_group_tests_name("following the log", tests, log_dir_setup, log_dir_teardown);
}
