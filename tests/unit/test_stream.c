/* SPDX-License-Identifier: Apache-2.0 */
/* test_stream - messages through a pipe: none is lost, none is made up, and a full pipe has the writer wait */
#include "tests/unit/unit.h"
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/io.h"
#include "wire/stream.h"

enum { MANY = 2000, LENGTH = sizeof(uint32_t) };

struct pair {
	int read, write;
	struct stream s;
};

static void pair_done(struct pair *p)
{
	stream_done(&p->s);
	close(p->read);
	if (p->write >= 0)
		close(p->write);
}
#define _cleanup_pair_ _cleanup_(pair_done)

static struct pair pair_new(void)
{
	int fd[2];

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
	return (struct pair){ fd[0], fd[1], { .at = 0 } };
}

/* Of different lengths, and known again by its number. */
static struct event event_number(unsigned i)
{
	struct event e = { .type = EVENT_CALL, .call_id = i, .bytes = i };

	memset(e.reason, 'r', i % 500);
	return e;
}

static bool next_event(struct pair *p, struct event *ret)
{
	const char *bytes;
	size_t n;
	int r;

	while ((r = stream_next(&p->s, &bytes, &n)) == 0) {
		long got = stream_read(&p->s, p->read);
		assert_true(got >= 0);
		if (got == 0)
			return false;
	}
	assert_int_equal(r, 1);
	assert_int_equal(event_decode(bytes, n, ret), 0);
	return true;
}

static void expect_numbers(struct pair *p, unsigned n)
{
	struct event e;

	for (unsigned i = 0; i < n; i++) {
		assert_true(next_event(p, &e));
		assert_int_equal(e.call_id, i);
		assert_int_equal(strlen(e.reason), i % 500);
	}
}

static void every_message_comes_whole_and_in_order(void **state)
{
	_cleanup_pair_ struct pair p = pair_new();
	struct event e;

	(void)state;
	for (unsigned i = 0; i < 50; i++) {
		e = event_number(i);
		assert_int_equal(stream_send_event(p.write, &e), 0);
	}
	close(steal_fd(&p.write));
	expect_numbers(&p, 50);
	assert_false(next_event(&p, &e));
}

static void the_largest_message_passes_and_a_larger_one_is_not_sent(void **state)
{
	_cleanup_pair_ struct pair p = pair_new();
	struct wire_writer w = { .buf = BUF_INIT(STREAM_MESSAGE_MAX + 1) };
	static char text[STREAM_MESSAGE_MAX + 1];
	const char *bytes;
	size_t n = 0;

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_true(fcntl(p.write, F_SETPIPE_SZ, 2 * STREAM_MESSAGE_MAX) > 0);
	assert_int_equal(buf_append(&w.buf, text, STREAM_MESSAGE_MAX), 0);
	assert_int_equal(stream_send(p.write, &w), 0);
	while (stream_next(&p.s, &bytes, &n) == 0)
		assert_true(stream_read(&p.s, p.read) > 0);
	assert_int_equal(n, STREAM_MESSAGE_MAX);
	assert_memory_equal(bytes, text, n);
	buf_clear(&w.buf);
	assert_int_equal(buf_append(&w.buf, text, STREAM_MESSAGE_MAX + 1), 0);
	assert_int_equal(stream_send(p.write, &w), -EMSGSIZE);
	buf_clear(&w.buf);
	assert_int_equal(stream_send(p.write, &w), -EMSGSIZE);
	wire_writer_done(&w);
}

/* Byte by byte, as a hostile writer may write: what is not whole is not there. */
static void a_message_is_there_with_its_last_byte_and_not_before(void **state)
{
	_cleanup_pair_ struct pair p = pair_new();
	struct event e = event_number(99);
	struct wire_writer w = { 0 };
	const char *bytes;
	size_t n;

	(void)state;
	assert_int_equal(event_encode(&e, &w), 0);
	uint32_t length = htole32((uint32_t)w.buf.len);
	for (size_t i = 0; i < LENGTH + w.buf.len; i++) {
		const char *byte = i < LENGTH ? (const char *)&length + i : w.buf.data + i - LENGTH;
		assert_int_equal(stream_next(&p.s, &bytes, &n), 0);
		assert_int_equal(write(p.write, byte, 1), 1);
		assert_int_equal(stream_read(&p.s, p.read), 1);
	}
	assert_int_equal(stream_next(&p.s, &bytes, &n), 1);
	assert_int_equal(n, w.buf.len);
	assert_memory_equal(bytes, w.buf.data, n);
	wire_writer_done(&w);
}

static void a_length_that_no_message_has_is_refused_before_its_bytes_are_awaited(void **state)
{
	static const uint32_t lengths[] = { 0, STREAM_MESSAGE_MAX + 1, INT32_MAX, UINT32_MAX, 0x80000000u };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		_cleanup_pair_ struct pair p = pair_new();
		uint32_t length = htole32(lengths[i]);
		const char *bytes;
		size_t n;
		assert_int_equal(write(p.write, &length, LENGTH), LENGTH);
		assert_int_equal(stream_read(&p.s, p.read), LENGTH);
		assert_int_equal(stream_next(&p.s, &bytes, &n), -EPROTO);
		assert_int_equal(stream_next(&p.s, &bytes, &n), -EPROTO);
	}
}

/* What the reader holds is bounded, whatever comes: one message that is not whole, and one read beyond it. */
static void a_writer_that_never_ends_a_message_costs_no_more_than_one(void **state)
{
	_cleanup_pair_ struct pair p = pair_new();
	uint32_t length = htole32(STREAM_MESSAGE_MAX);
	static const char zeros[STREAM_CHUNK];
	const char *bytes;
	size_t n, sent = LENGTH;

	(void)state;
	assert_int_equal(write(p.write, &length, LENGTH), LENGTH);
	while (sent < LENGTH + STREAM_MESSAGE_MAX) {
		size_t more = LENGTH + STREAM_MESSAGE_MAX - sent;
		more = more < sizeof(zeros) ? more : sizeof(zeros);
		assert_int_equal(write(p.write, zeros, more), more);
		sent += more;
		assert_int_equal(stream_next(&p.s, &bytes, &n), 0);
		while (p.s.buf.len < sent)
			assert_true(stream_read(&p.s, p.read) > 0);
		assert_true(p.s.buf.cap <= 2 * (STREAM_MESSAGE_MAX + STREAM_CHUNK + LENGTH));
	}
	assert_int_equal(stream_next(&p.s, &bytes, &n), 1);
	assert_int_equal(n, STREAM_MESSAGE_MAX);
}

/* MANY records, from a process of its own; what is left here is the reading end. */
static pid_t child_sends(struct pair *p)
{
	pid_t pid = fork();

	if (pid == 0) {
		int r = 0;
		close(p->read);
		for (unsigned i = 0; r == 0 && i < MANY; i++) {
			struct event e = event_number(i);
			r = stream_send_event(p->write, &e);
		}
		_exit(r == 0 ? 0 : 1);
	}
	close(steal_fd(&p->write));
	return pid;
}

/* Far more than a pipe holds: the writer has to wait for the reader, who begins when it can write no more. */
static void a_full_pipe_has_the_writer_wait_and_loses_nothing(void **state)
{
	_cleanup_pair_ struct pair p = pair_new();
	struct event e;
	int status;

	(void)state;
	pid_t pid = child_sends(&p);
	expect_numbers(&p, MANY);
	assert_false(next_event(&p, &e));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void a_pipe_that_does_not_block_is_waited_for_too(void **state)
{
	_cleanup_pair_ struct pair p = pair_new();
	int status;

	(void)state;
	assert_int_equal(fcntl(p.write, F_SETFL, O_NONBLOCK), 0);
	pid_t pid = child_sends(&p);
	expect_numbers(&p, MANY);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void what_was_sent_outlives_a_writer_that_is_killed_and_half_a_message_does_not_count(void **state)
{
	_cleanup_pair_ struct pair p = pair_new();
	struct event e;
	int status;

	(void)state;
	pid_t pid = fork();
	if (pid == 0) {
		for (unsigned i = 0; i < 20; i++) {
			e = event_number(i);
			if (stream_send_event(p.write, &e) < 0)
				_exit(1);
		}
		(void)!write(p.write, "\x40\0\0\0STKD", 8);
		kill(getpid(), SIGKILL);
	}
	close(steal_fd(&p.write));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	expect_numbers(&p, 20);
	assert_false(next_event(&p, &e));
}

static void a_writer_whose_reader_is_gone_is_told_so(void **state)
{
	_cleanup_pair_ struct pair p = pair_new();
	struct event e = event_number(1);

	(void)state;
	close(p.read);
	p.read = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(stream_send_event(p.write, &e), -EPIPE);
}

static void a_reader_that_may_not_wait_is_told_that_nothing_is_there(void **state)
{
	_cleanup_pair_ struct pair p = pair_new();
	struct event e = event_number(3), got;

	(void)state;
	assert_int_equal(fcntl(p.read, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(stream_read(&p.s, p.read), -EAGAIN);
	assert_int_equal(stream_send_event(p.write, &e), 0);
	assert_true(next_event(&p, &got));
	assert_int_equal(got.call_id, 3);
	assert_int_equal(stream_read(&p.s, p.read), -EAGAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_comes_whole_and_in_order),
		cmocka_unit_test(the_largest_message_passes_and_a_larger_one_is_not_sent),
		cmocka_unit_test(a_message_is_there_with_its_last_byte_and_not_before),
		cmocka_unit_test(a_length_that_no_message_has_is_refused_before_its_bytes_are_awaited),
		cmocka_unit_test(a_writer_that_never_ends_a_message_costs_no_more_than_one),
		cmocka_unit_test(a_full_pipe_has_the_writer_wait_and_loses_nothing),
		cmocka_unit_test(a_pipe_that_does_not_block_is_waited_for_too),
		cmocka_unit_test(what_was_sent_outlives_a_writer_that_is_killed_and_half_a_message_does_not_count),
		cmocka_unit_test(a_writer_whose_reader_is_gone_is_told_so),
		cmocka_unit_test(a_reader_that_may_not_wait_is_told_that_nothing_is_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
