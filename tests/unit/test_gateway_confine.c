/* SPDX-License-Identifier: Apache-2.0 */
/* test_gateway_confine - what the gateway can no longer do once it is locked down, each with its unconfined control */
#include "tests/unit/unit.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "gateway/confine.h"

enum { FILES = 200 };

/* A socket of each kind, made while that was allowed. */
struct held {
	int tcp, other, udp, listener;
	struct sockaddr_in elsewhere; /* somebody listens there */
};

static long try_socket(const struct held *h)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static long try_socketpair(const struct held *h)
{
	int p[2];

	return socketpair(AF_UNIX, SOCK_STREAM, 0, p);
}

static long try_connect(const struct held *h)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};

	return connect(h->udp, (struct sockaddr *)&at, sizeof(at));
}

static long try_bind(const struct held *h)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	return bind(h->tcp, (struct sockaddr *)&at, sizeof(at));
}

static long try_listen(const struct held *h)
{
	return listen(h->other, 1);
}

static long try_open(const struct held *h)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static long try_fork(const struct held *h)
{
	pid_t p = fork();

	if (p == 0)
		_exit(0);
	return p;
}

static long try_executable_memory(const struct held *h)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0;
}

static long try_prctl(const struct held *h)
{
	return prctl(PR_SET_NAME, "x", 0, 0, 0);
}

static long try_device(const struct held *h)
{
	return setsockopt(h->tcp, SOL_SOCKET, SO_KEEPALIVE, &(int){ 1 }, sizeof(int));
}

/* A listener that is shut down is a socket like a new one, and data can be sent to any address at all with the
 * connection made on the way (TCP Fast Open): the published port's is of the host's network. */
static struct sockaddr_in unlisten(int fd)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(at);
	int target = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(target, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(target, 1) < 0 ||
		getsockname(target, (struct sockaddr *)&at, &n) < 0 || listen(fd, 1) < 0)
		_exit(101);
	return at;
}

static long try_sendto_anywhere(const struct held *h)
{
	(void)shutdown(h->listener, SHUT_RDWR);
	return sendto(h->listener, "x", 1, MSG_FASTOPEN, (const struct sockaddr *)&h->elsewhere, sizeof(h->elsewhere));
}

static long try_sendmsg_anywhere(const struct held *h)
{
	struct sockaddr_in to = h->elsewhere;
	char x = 'x';
	struct iovec iov = { .iov_base = &x, .iov_len = 1 };
	struct msghdr m = { .msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &iov, .msg_iovlen = 1 };

	(void)shutdown(h->listener, SHUT_RDWR);
	return sendmsg(h->listener, &m, MSG_FASTOPEN);
}

static long try_signal(const struct held *h)
{
	return syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static const struct {
	const char *what;
	long (*attempt)(const struct held *h);
} attempts[] = {
	{ "socket", try_socket },
	{ "socketpair", try_socketpair },
	{ "connect", try_connect },
	{ "bind", try_bind },
	{ "listen", try_listen },
	{ "open", try_open },
	{ "fork", try_fork },
	{ "executable memory", try_executable_memory },
	{ "prctl", try_prctl },
	{ "another option of a socket", try_device },
	{ "sendto to an address of its own choice", try_sendto_anywhere },
	{ "sendmsg to an address of its own choice", try_sendmsg_anywhere },
	{ "a signal to another process", try_signal },
};

/* In a child: 0 when every attempt ends as it should, else the number of the first that does not. */
static int child(bool confined, size_t i)
{
	struct held h = { socket(AF_INET, SOCK_STREAM, 0), socket(AF_INET, SOCK_STREAM, 0),
		socket(AF_INET, SOCK_DGRAM, 0), socket(AF_INET, SOCK_STREAM, 0), { 0 } };
	struct diag d = { 0 };

	h.elsewhere = unlisten(h.listener);
	if (confined && (raise_files(FILES, &d) < 0 || confine(&d) < 0))
		return 100;
	errno = 0;
	long r = attempts[i].attempt(&h);
	if (confined)
		return r < 0 && errno == EPERM ? 0 : 1;
	return r >= 0 ? 0 : 1;
}

static void each_attempt_works_before_and_is_refused_after(void **state)
{
	for (int confined = 0; confined < 2; confined++)
		for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
			int status;
			pid_t p = fork();
			assert_true(p >= 0);
			if (p == 0)
				_exit(child(confined, i));
			assert_int_equal(waitpid(p, &status, 0), p);
			if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
				fail_msg("%s, %s: status %#x", attempts[i].what, confined ? "confined" : "unconfined",
					(unsigned)status);
		}
}

/* In a child, confined: a pipe is made and sized, and bytes go through it from one socket to another. */
static int carry_one(void)
{
	struct diag d = { 0 };
	int a[2], b[2], p[2];
	char got = 0;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, a) < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, b) < 0)
		return 1;
	if (raise_files(FILES, &d) < 0 || confine(&d) < 0)
		return 2;
	if (pipe2(p, O_CLOEXEC | O_NONBLOCK) < 0 || fcntl(p[1], F_SETPIPE_SZ, 1 << 16) < 0)
		return 3;
	if (write(a[0], "x", 1) != 1 || splice(a[1], NULL, p[1], NULL, 4096, 0) != 1)
		return 4;
	if (splice(p[0], NULL, b[0], NULL, 4096, 0) != 1 || read(b[1], &got, 1) != 1)
		return 5;
	return got == 'x' ? 0 : 6;
}

static void what_carrying_takes_is_left(void **state)
{
	int status;
	pid_t p = fork();

	assert_true(p >= 0);
	if (p == 0)
		_exit(carry_one());
	assert_int_equal(waitpid(p, &status, 0), p);
	assert_int_equal(status, 0);
}

static void more_files_than_a_user_may_have_is_a_sentence(void **state)
{
	struct diag d = { 0 };
	int status;
	pid_t p = fork();

	assert_true(p >= 0);
	if (p == 0) {
		struct rlimit l = { 100, 100 };
		setrlimit(RLIMIT_NOFILE, &l);
		int r = raise_files(FILES, &d);
		_exit(r == -EMFILE && strstr(d.text, "network.limits.connections needs 200") ? 0 : 1);
	}
	assert_int_equal(waitpid(p, &status, 0), p);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_attempt_works_before_and_is_refused_after),
		cmocka_unit_test(what_carrying_takes_is_left),
		cmocka_unit_test(more_files_than_a_user_may_have_is_a_sentence),
	};

	return cmocka_run_group_tests_name("gateway_confine", tests, NULL, NULL);
}
