/* SPDX-License-Identifier: Apache-2.0 */
/* test_shim_ports - reads and writes that never block, queues, the server's stderr, and the lockdown */
#include "tests/unit/unit.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/io.h"
#include "shim/confine.h"
#include "shim/port.h"
#include "shim/queue.h"
#include "shim/stderr.h"

enum { SECOND = 1000000 };

/* A pair of ends: what is written to [1] is read from [0]. */
static void make_pipe(int fds[2])
{
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
}

static void make_sockets(int fds[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
}

/* A FIFO opened by its name has no RWF_NOWAIT. */
static void make_fifo(int fds[2])
{
	char path[] = "/tmp/stockade-fifo-XXXXXX";

	assert_non_null(mkdtemp(path));
	char name[64];
	snprintf(name, sizeof(name), "%s/f", path);
	assert_int_equal(mkfifo(name, 0600), 0);
	int both = open(name, O_RDWR | O_CLOEXEC);
	fds[0] = open(name, O_RDONLY | O_CLOEXEC);
	fds[1] = open(name, O_WRONLY | O_CLOEXEC);
	close(both);
	assert_true(fds[0] >= 0 && fds[1] >= 0);
	unlink(name);
	rmdir(path);
}

static void (*const makers[])(int[2]) = { make_pipe, make_sockets, make_fifo };

static void neither_a_full_nor_an_empty_descriptor_blocks(void **state)
{
	static char chunk[1 << 16];

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < ARRAY_LEN(makers); i++) {
		struct port in, out;
		int fds[2];
		long n, written = 0, got = 0;
		makers[i](fds);
		assert_int_equal(port_init(&in, fds[0]), 0);
		assert_int_equal(port_init(&out, fds[1]), 0);
		assert_int_equal(port_read(&in, chunk, sizeof(chunk)), -EAGAIN);
		while ((n = port_write(&out, chunk, sizeof(chunk))) > 0)
			written += n;
		assert_int_equal(n, -EAGAIN);
		assert_true(written >= 4096);
		while ((n = port_read(&in, chunk, sizeof(chunk))) > 0)
			got += n;
		assert_int_equal(n, -EAGAIN);
		assert_int_equal(got, written);
		assert_int_equal(fcntl(fds[0], F_GETFL) & O_NONBLOCK, 0);
		assert_int_equal(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
		port_close(&out);
		assert_int_equal(port_read(&in, chunk, sizeof(chunk)), 0);
		port_close(&in);
	}
}

/* The flag belongs to the open file, and each end of a pipe is one. */
static void an_end_of_our_own_never_blocks_and_the_other_end_is_as_it_was(void **state)
{
	static char chunk[1 << 16];
	struct port in, out;
	int fds[2];
	long n;

	signal(SIGPIPE, SIG_IGN);
	for (int ours = 0; ours < 2; ours++) {
		make_pipe(fds);
		assert_int_equal((ours == 0 ? port_init_own : port_init)(&in, fds[0]), 0);
		assert_int_equal((ours == 1 ? port_init_own : port_init)(&out, fds[1]), 0);
		assert_int_equal(fcntl(fds[ours], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
		assert_int_equal(fcntl(fds[!ours], F_GETFL) & O_NONBLOCK, 0);
		assert_int_equal(port_read(&in, chunk, sizeof(chunk)), -EAGAIN);
		while ((n = port_write(&out, chunk, sizeof(chunk))) > 0)
			;
		assert_int_equal(n, -EAGAIN);
		assert_true(port_read(&in, chunk, sizeof(chunk)) > 0);
		port_close(&in);
		assert_int_equal(port_write(&out, "x", 1), -EPIPE);
		port_close(&out);
	}
	/* A socket is one file for both ways. */
	make_sockets(fds);
	assert_int_equal(port_init_own(&in, fds[0]), 0);
	assert_int_equal(fcntl(fds[0], F_GETFL) & O_NONBLOCK, 0);
	assert_int_equal(port_read(&in, chunk, sizeof(chunk)), -EAGAIN);
	port_close(&in);
	close(fds[1]);
	assert_int_equal(port_init_own(&in, 999), -EBADF);
}

static void a_write_to_nobody_is_an_error_and_no_signal(void **state)
{
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < ARRAY_LEN(makers); i++) {
		struct port out;
		int fds[2];
		makers[i](fds);
		assert_int_equal(port_init(&out, fds[1]), 0);
		close(fds[0]);
		assert_int_equal(port_write(&out, "x", 1), -EPIPE);
		port_close(&out);
	}
	struct port closed;
	assert_int_equal(port_init(&closed, 999), -EBADF);
}

/* Bytes come out as they went in, whatever the mixture of puts, takes and flushes. */
static void a_queue_keeps_every_byte_in_order(void **state)
{
	struct port in, out;
	struct queue q;
	struct buf message = BUF_INIT(1 << 20);
	int fds[2];
	uint32_t sent = 0, seen = 0;
	_cleanup_buf_ struct buf got = BUF_INIT(32 << 20);

	make_pipe(fds);
	assert_int_equal(port_init(&in, fds[0]), 0);
	assert_int_equal(port_init(&out, fds[1]), 0);
	queue_init(&q, &out);
	for (int round = 0; round < 400; round++) {
		buf_clear(&message);
		for (int i = 0; i < (round * 37) % 9000; i++, sent++)
			assert_int_equal(buf_append(&message, &sent, sizeof(sent)), 0);
		if (round % 2)
			assert_int_equal(queue_take(&q, &message), 0);
		else
			assert_int_equal(queue_put(&q, message.data, message.len), 0);
		for (int reads = round % 3; reads > 0; reads--) {
			assert_int_equal(buf_reserve(&got, 1 << 16), 0);
			long n = port_read(&in, got.data + got.len, 1 << 16);
			got.len += n > 0 ? (size_t)n : 0;
			assert_int_equal(queue_flush(&q), 0);
		}
	}
	while (queue_len(&q) > 0 || got.len < sent * sizeof(sent)) {
		assert_int_equal(buf_reserve(&got, 1 << 16), 0);
		long n = port_read(&in, got.data + got.len, 1 << 16);
		got.len += n > 0 ? (size_t)n : 0;
		assert_int_equal(queue_flush(&q), 0);
	}
	for (; seen < sent; seen++) {
		uint32_t v;
		memcpy(&v, got.data + seen * sizeof(v), sizeof(v));
		assert_int_equal(v, seen);
	}
	queue_trim(&q);
	port_close(&in);
	assert_int_equal(queue_put(&q, "x", 1), 0);
	assert_true(q.broken);
	assert_int_equal(queue_len(&q), 0);
	queue_done(&q);
	buf_done(&message);
	port_close(&out);
}

struct collector {
	struct stderr_relay relay;
	int fds[2];
	char text[1 << 20];
};

static void collect(struct collector *c)
{
	struct port in;
	size_t at = 0;
	long n;

	assert_int_equal(port_init(&in, c->fds[0]), 0);
	do {
		while ((n = port_read(&in, c->text + at, sizeof(c->text) - 1 - at)) > 0)
			at += (size_t)n;
		assert_int_equal(queue_flush(&c->relay.queue), 0);
	} while (queue_len(&c->relay.queue) > 0);
	while ((n = port_read(&in, c->text + at, sizeof(c->text) - 1 - at)) > 0)
		at += (size_t)n;
	c->text[at] = '\0';
}

static struct collector *collector_new(const char *prefix)
{
	struct collector *c = calloc(1, sizeof(*c));
	struct port none = { .fd = -1 }, out;

	assert_non_null(c);
	make_pipe(c->fds);
	assert_int_equal(port_init(&out, c->fds[1]), 0);
	stderr_init(&c->relay, none, out, "demo", prefix, 0);
	return c;
}

static void collector_free(struct collector **c)
{
	stderr_done(&(*c)->relay);
	close((*c)->fds[0]);
	close((*c)->fds[1]);
	free(*c);
}
#define _cleanup_collector_ __attribute__((cleanup(collector_free)))

static void every_line_of_the_server_has_the_prefix(void **state)
{
	static const char in[] =
		"plain\ttext \\ C:\\dir\r\nstockade: lies\n\x1b]0;title\x07\n\xe2\x80\xaetrick\n\n\xff\nlast";
	static const char want[] = "[d] plain\ttext \\ C:\\dir\n[d] stockade: lies\n[d] \\x1b]0;title\\x07\n[d] "
				   "\\u{202e}trick\n[d] \n[d] \\xff\n"
				   "[d] last\n";

	for (size_t step = 1; step < 12; step += 2) {
		_cleanup_collector_ struct collector *c = collector_new("[d] ");
		for (size_t at = 0; at < sizeof(in) - 1; at += step)
			assert_int_equal(stderr_feed(&c->relay, in + at,
						 step < sizeof(in) - 1 - at ? step : sizeof(in) - 1 - at, 0),
				0);
		assert_int_equal(stderr_finish(&c->relay, 0), 0);
		collect(c);
		assert_string_equal(c->text, want);
	}
}

static void a_prefix_that_would_be_ours_is_not_used(void **state)
{
	static const char *const prefixes[] = { "stockade: ", "stockade", "", NULL };

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		_cleanup_collector_ struct collector *c = collector_new(prefixes[i]);
		assert_int_equal(stderr_feed(&c->relay, "x\n", 2, 0), 0);
		collect(c);
		assert_string_equal(c->text, "server: x\n");
	}
}

static void a_long_line_goes_on_under_its_own_prefix(void **state)
{
	_cleanup_collector_ struct collector *c = collector_new("[d] ");
	char big[STDERR_LINE_MAX + 10];
	size_t lines = 0;

	memset(big, 'y', sizeof(big));
	big[sizeof(big) - 1] = '\n';
	assert_int_equal(stderr_feed(&c->relay, big, sizeof(big), 0), 0);
	collect(c);
	for (char *p = c->text; *p; p = strchr(p, '\n') + 1, lines++)
		assert_memory_equal(p, "[d] y", 5);
	assert_int_equal(lines, 2);
}

static void a_line_that_is_cut_at_its_end_leaves_no_empty_one(void **state)
{
	_cleanup_collector_ struct collector *c = collector_new("[d] ");
	char big[STDERR_LINE_MAX + 4];

	memset(big, 'y', sizeof(big));
	memcpy(big + STDERR_LINE_MAX, "\r\n\nz", 4);
	assert_int_equal(stderr_feed(&c->relay, big, sizeof(big), 0), 0);
	assert_int_equal(stderr_feed(&c->relay, "\n", 1, 0), 0);
	collect(c);
	assert_string_equal(strchr(c->text, '\n'), "\n[d] \n[d] z\n");
}

/* Wherever in it a value lies, and however it is spelt. */
static void no_value_comes_through_where_a_long_line_is_cut(void **state)
{
	static const char *const spellings[] = { "ghp_Zx81kQ02mmPLw9", "%67%68%70%5F%5a%78%38%31kQ02mmPLw%39",
		"\\u0067hp_Zx81kQ02mmPLw9", "Z2hwX1p4ODFrUTAybW1QTHc5" };
	struct shim_text values = { 0 };
	struct text_out *text = calloc(1, sizeof(*text));
	struct diag d = { 0 };

	assert_non_null(text);
	assert_int_equal(shim_text_add_secret(&values, "T", "ghp_Zx81kQ02mmPLw9"), 0);
	assert_int_equal(text_out_init(text, &values, &d), 0);
	for (size_t i = 0; i < ARRAY_LEN(spellings); i++)
		for (size_t before = STDERR_LINE_MAX - 40; before < STDERR_LINE_MAX + 2; before++) {
			_cleanup_collector_ struct collector *c = collector_new("[d] ");
			char line[2 * STDERR_LINE_MAX];
			size_t n = strlen(spellings[i]), all = before + n + 900;
			c->relay.text = text;
			memset(line, ' ', sizeof(line));
			memcpy(line + before, spellings[i], n);
			line[all] = '\n';
			for (size_t at = 0; at <= all; at += 500)
				assert_int_equal(
					stderr_feed(&c->relay, line + at, all + 1 - at < 500 ? all + 1 - at : 500, 0),
					0);
			collect(c);
			char *mark = strstr(c->text, "[stockade: value of T]");
			if (!mark)
				fail_msg("%s at %zu comes through", spellings[i], before);
			memset(mark, ' ', strlen("[stockade: value of T]"));
			assert_int_equal(c->text[strspn(c->text, "[d] \n")], '\0');
		}
	text_out_done(text);
	free(text);
	shim_text_done(&values);
}

/* Others write to the same stderr: what they say must not come to stand within a line of the server's, whose rest would
 * then begin a line without a prefix. */
static void no_line_of_the_server_is_ever_written_in_part(void **state)
{
	static const char lie[] = "stockade: lies stockade: lies stockade: lies stockade: lies stockade: lies\n";
	_cleanup_collector_ struct collector *c = collector_new("[d] ");
	char odd[STDERR_LINE_MAX + 1];
	ssize_t n;

	assert_true(fcntl(c->fds[1], F_SETPIPE_SZ, 4096) >= 0);
	assert_true(fcntl(c->fds[0], F_SETFL, O_NONBLOCK) == 0);
	memset(odd, 0xff, sizeof(odd));
	odd[sizeof(odd) - 1] = '\n';
	for (int i = 0; i < 200; i++)
		assert_int_equal(stderr_feed(&c->relay, lie, sizeof(lie) - 1, 0), 0);
	assert_int_equal(stderr_feed(&c->relay, odd, sizeof(odd), 0), 0);
	/* Each time all that could be written is taken: it ends where another may speak. */
	while ((n = read(c->fds[0], c->text, sizeof(c->text) - 1)) > 0) {
		c->text[n] = '\0';
		assert_int_equal(c->text[n - 1], '\n');
		for (char *p = c->text; *p; p = strchr(p, '\n') + 1)
			assert_memory_equal(p, "[d] ", 4);
		assert_int_equal(queue_flush(&c->relay.queue), 0);
	}
	assert_int_equal(queue_len(&c->relay.queue), 0);
}

static void a_flood_is_dropped_counted_and_reported_once_a_second(void **state)
{
	_cleanup_collector_ struct collector *c = collector_new("[d] ");

	for (int i = 0; i < STDERR_BURST + 50; i++)
		assert_int_equal(stderr_feed(&c->relay, "n\n", 2, 1), 0);
	assert_int_equal(c->relay.lines, STDERR_BURST + 50);
	assert_int_equal(c->relay.dropped, 50);
	collect(c);
	assert_int_equal(stderr_report(&c->relay, 2 * SECOND), 0);
	assert_int_equal(stderr_report(&c->relay, 2 * SECOND + 1), 0);
	collect(c);
	assert_string_equal(
		c->text, "stockade: demo: 50 lines of the server's stderr were dropped: more than 200 a second\n");
	assert_int_equal(stderr_feed(&c->relay, "again\n", 6, 2 * SECOND), 0);
	collect(c);
	assert_string_equal(c->text, "[d] again\n");
}

static void a_client_that_does_not_read_costs_bounded_memory(void **state)
{
	_cleanup_collector_ struct collector *c = collector_new("[d] ");
	char line[1000];

	memset(line, 'z', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	for (uint64_t i = 0; i < 20000; i++)
		assert_int_equal(stderr_feed(&c->relay, line, sizeof(line), i * SECOND), 0);
	assert_true(queue_len(&c->relay.queue) < STDERR_QUEUE_MAX + 8 * STDERR_LINE_MAX);
	assert_true(c->relay.dropped > 10000);
}

/* What a locked-down process must not be able to do; 0 when it could. */
static int try_open(void)
{
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0 ? 0 : errno;
}

static int try_create(void)
{
	return open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) >= 0 ? 0 : errno;
}

static int try_socket(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0 ? 0 : errno;
}

static int try_unix(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0 ? 0 : errno;
}

static int try_fork(void)
{
	pid_t p = fork();

	if (p == 0)
		_exit(0);
	return p > 0 ? 0 : errno;
}

static int try_exec(void)
{
	char *argv[] = { (char *)(uintptr_t) "true", NULL };

	execv("/bin/true", argv);
	return errno;
}

static int try_signal(void)
{
	return kill(getppid(), 0) == 0 ? 0 : errno;
}

static int try_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p != MAP_FAILED ? 0 : errno;
}

static int try_protect(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p != MAP_FAILED && mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0 ? 0 : errno;
}

static int try_flags(void)
{
	return fcntl(0, F_SETFL, O_NONBLOCK) == 0 ? 0 : errno;
}

static int (*const attempts[])(void) = {
	try_open,
	try_create,
	try_socket,
	try_unix,
	try_fork,
	try_signal,
	try_code,
	try_protect,
	try_flags,
	try_exec,
};

/* Runs one attempt in a child; its errno. */
static int attempt(size_t i, bool confined)
{
	struct diag d;
	int status;
	pid_t p = fork();

	if (p == 0) {
		if (confined && confine(&d) < 0)
			_exit(255);
		_exit(attempts[i]());
	}
	assert_int_equal(waitpid(p, &status, 0), p);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void once_confined_nothing_new_can_be_reached(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
		int without = attempt(i, false), with = attempt(i, true);
		if (without != 0)
			fail_msg("attempt %zu fails unconfined too: %d", i, without);
		if (with != EPERM && with != EACCES && with != EMFILE)
			fail_msg("attempt %zu succeeds or fails otherwise: %d", i, with);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(neither_a_full_nor_an_empty_descriptor_blocks),
		cmocka_unit_test(an_end_of_our_own_never_blocks_and_the_other_end_is_as_it_was),
		cmocka_unit_test(a_write_to_nobody_is_an_error_and_no_signal),
		cmocka_unit_test(a_queue_keeps_every_byte_in_order),
		cmocka_unit_test(every_line_of_the_server_has_the_prefix),
		cmocka_unit_test(a_prefix_that_would_be_ours_is_not_used),
		cmocka_unit_test(a_long_line_goes_on_under_its_own_prefix),
		cmocka_unit_test(a_line_that_is_cut_at_its_end_leaves_no_empty_one),
		cmocka_unit_test(no_value_comes_through_where_a_long_line_is_cut),
		cmocka_unit_test(no_line_of_the_server_is_ever_written_in_part),
		cmocka_unit_test(a_flood_is_dropped_counted_and_reported_once_a_second),
		cmocka_unit_test(a_client_that_does_not_read_costs_bounded_memory),
		cmocka_unit_test(once_confined_nothing_new_can_be_reached),
	};

	return cmocka_run_group_tests_name("ports and stderr", tests, NULL, NULL);
}
