/* SPDX-License-Identifier: Apache-2.0 */
/* test_shim_relay - whom the loop hears, be it asked about by itself or as one of those that seldom speak */
#include "tests/unit/unit.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "shim/relay.h"
#include "wire/control.h"

static char name[] = "demo", prefix[] = "[demo] ";

/* The ends of the test: what the shim has for its own is in the child. */
struct scene {
	int control, client_in, client_out, server_in, server_out, server_err, err_out, records;
	pid_t pid;
};

/* mine and its: a pipe in the one direction or the other. */
static void join(int *ret_read, int *ret_write)
{
	int p[2];

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	*ret_read = p[0];
	*ret_write = p[1];
}

static void port(struct port *p, int fd, int (*init)(struct port *p, int fd))
{
	if (init(p, fd) < 0)
		_exit(100);
}

static void run(const struct scene *its, bool rare)
{
	struct shim *s = calloc(1, sizeof(*s));
	struct port in, out;
	struct stderr_relay e;

	if (!s)
		_exit(101);
	s->config = (struct shim_config){ .name = name, .line_max = SHIM_LINE_DEFAULT };
	s->control = its->control;
	s->records = its->records;
	port(&s->client_in, its->client_in, port_init);
	port(&s->client_out, its->client_out, port_init);
	port(&s->server_in, its->server_in, port_init_own);
	port(&s->server_out, its->server_out, port_init_own);
	port(&in, its->server_err, port_init_own);
	port(&out, its->err_out, port_init);
	shim_init(s, 7);
	stderr_init(&e, in, out, name, prefix, 0);
	if (rare) {
		rare_init(&s->rare);
		rare_add(&s->rare, s->control, POLLIN);
		rare_add(&s->rare, in.fd, POLLIN);
		rare_add(&s->rare, s->client_out.fd, 0);
		if (s->rare.n != 3)
			_exit(102);
	}
	_exit(relay_run(s, &e));
}

static struct scene begin(bool rare)
{
	struct scene mine, its;
	int control[2];

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control), 0);
	mine.control = control[0];
	its.control = control[1];
	join(&its.client_in, &mine.client_in);
	join(&mine.client_out, &its.client_out);
	join(&mine.server_in, &its.server_in);
	join(&its.server_out, &mine.server_out);
	join(&its.server_err, &mine.server_err);
	join(&mine.err_out, &its.err_out);
	join(&mine.records, &its.records);
	mine.pid = fork();
	const int theirs[] = { mine.control, mine.client_in, mine.client_out, mine.server_in, mine.server_out,
		mine.server_err, mine.err_out, mine.records };
	const int ours[] = { its.control, its.client_in, its.client_out, its.server_in, its.server_out, its.server_err,
		its.err_out, its.records };
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		close(mine.pid == 0 ? theirs[i] : ours[i]);
	if (mine.pid == 0)
		run(&its, rare);
	assert_true(mine.pid > 0);
	return mine;
}

/* Of those that are closed already fd is -1. */
static int end(struct scene *x)
{
	int *const all[] = { &x->control, &x->client_in, &x->client_out, &x->server_in, &x->server_out, &x->server_err,
		&x->err_out, &x->records };
	int status;

	assert_int_equal(waitpid(x->pid, &status, 0), x->pid);
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (*all[i] >= 0)
			close(*all[i]);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void expect_text(int fd, const char *want)
{
	char got[256];
	size_t n = strlen(want), at = 0;

	assert_true(n <= sizeof(got));
	while (at < n) {
		ssize_t r = read(fd, got + at, n - at);
		assert_true(r > 0);
		at += (size_t)r;
	}
	assert_memory_equal(got, want, n);
}

static void say(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static const char hello[] = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n";

static void the_end_of_the_supervisor_ends_the_loop(void **state)
{
	for (int rare = 0; rare < 2; rare++) {
		struct scene x = begin(rare);
		say(x.client_in, hello);
		expect_text(x.server_in, hello);
		close(steal_fd(&x.control));
		assert_int_equal(end(&x), SHIM_EXIT_ALONE);
	}
}

static void a_client_that_reads_no_more_ends_the_loop(void **state)
{
	for (int rare = 0; rare < 2; rare++) {
		struct scene x = begin(rare);
		say(x.client_in, hello);
		expect_text(x.server_in, hello);
		close(steal_fd(&x.client_out));
		assert_int_equal(end(&x), SHIM_EXIT_CLIENT_GONE);
	}
}

/* And who listens to it no more goes on to hear everybody else. */
static void the_stderr_of_the_server_passes_until_it_ends(void **state)
{
	for (int rare = 0; rare < 2; rare++) {
		struct scene x = begin(rare);
		for (int i = 0; i < 3; i++) {
			say(x.server_err, "a word\n");
			expect_text(x.err_out, "[demo] a word\n");
			say(x.client_in, hello);
			expect_text(x.server_in, hello);
		}
		close(steal_fd(&x.server_err));
		for (int i = 0; i < 3; i++) {
			say(x.client_in, hello);
			expect_text(x.server_in, hello);
		}
		close(steal_fd(rare ? &x.control : &x.client_out));
		assert_int_equal(end(&x), rare ? SHIM_EXIT_ALONE : SHIM_EXIT_CLIENT_GONE);
	}
}

/* Does it say that one of them speaks? */
static bool speaks(const struct rare *x)
{
	struct pollfd f = { x->fd, POLLIN, 0 };

	return poll(&f, 1, 0) == 1;
}

static void one_descriptor_speaks_for_all_that_the_kernel_takes(void **state)
{
	_cleanup_close_ int file = memfd_create("file", MFD_CLOEXEC);
	int in[2], out[2];
	struct rare x;

	join(&in[0], &in[1]);
	join(&out[0], &out[1]);
	rare_init(&x);
	rare_add(&x, file, POLLIN);
	rare_add(&x, in[0], POLLIN);
	rare_add(&x, out[1], 0);
	assert_true(!rare_has(&x, file) && rare_has(&x, in[0]) && rare_has(&x, out[1]) && !rare_has(&x, -1));
	/* There is room in the pipe, and nobody asked. */
	assert_false(speaks(&x));
	say(in[1], "x");
	assert_true(speaks(&x));
	expect_text(in[0], "x");
	assert_false(speaks(&x));
	close(out[0]);
	assert_true(speaks(&x));
	close(out[1]);
	close(in[0]);
	close(in[1]);
	rare_done(&x);
	assert_int_equal(x.fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_end_of_the_supervisor_ends_the_loop),
		cmocka_unit_test(a_client_that_reads_no_more_ends_the_loop),
		cmocka_unit_test(the_stderr_of_the_server_passes_until_it_ends),
		cmocka_unit_test(one_descriptor_speaks_for_all_that_the_kernel_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
