/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_dial_program - stockade-dial from outside: the test plays the supervisor, and a gateway that was taken over
 *
 * The one granted host is a listener of the test's own on loopback, so that a connection which should not be is seen.
 */
#include "tests/unit/unit.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include "base/io.h"
#include "wire/dial.h"
#include "wire/event.h"
#include "wire/fds.h"

#define W .where = (char *)(uintptr_t) "demo.json:3 (network.allow)"

enum { NOBODY = 65534, TIMEOUT_MS = 20000, QUIET_MS = 300, FLOOD_MAX = 100000 };

/* A sanitiser keeps what was freed. */
#ifdef __SANITIZE_ADDRESS__
enum { RSS_MAX_KIB = 256 << 10 };
#else
enum { RSS_MAX_KIB = 24 << 10 };
#endif

struct stage {
	struct net_grant grants[2];
	struct net_config config;
	int events, gateway, err, listener;
	uint16_t port;
	pid_t pid;
};

static void listen_as_host(struct stage *s)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);

	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(s->listener, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(s->listener, 8), 0);
	assert_int_equal(getsockname(s->listener, (struct sockaddr *)&at, &len), 0);
	s->port = ntohs(at.sin_port);
}

static void configure(struct stage *s)
{
	bool root = geteuid() == 0;

	s->grants[0] = (struct net_grant){ .kind = NET_LOCALHOST, .ports = { s->port }, .n_ports = 1, W };
	s->grants[1] = (struct net_grant){
		.kind = NET_NAME, .name = (char *)(uintptr_t) "db.example", .ports = { 443 }, .n_ports = 1, W
	};
	s->config = (struct net_config){ .server = (char *)(uintptr_t) "demo",
		.uid = root ? NOBODY : geteuid(),
		.gid = root ? NOBODY : getegid(),
		.grants = s->grants,
		.n_grants = ARRAY_LEN(s->grants),
		.limits = net_limits_default() };
}

static void start(struct stage *s)
{
	int fds[DIAL_FD_END], err[2], events[2], gateway[2];
	struct wire_writer w;

	assert_int_equal(pipe2(err, O_CLOEXEC), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, events), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, gateway), 0);
	fds[0] = open("/dev/null", O_RDWR | O_CLOEXEC);
	fds[1] = fds[2] = err[1];
	assert_int_equal(net_config_encode(&s->config, &w), 0);
	assert_int_equal(io_memfd_sealed("config", w.buf.data, w.buf.len, &fds[DIAL_FD_CONFIG]), 0);
	wire_writer_done(&w);
	fds[DIAL_FD_EVENTS] = events[1];
	fds[DIAL_FD_GATEWAY] = gateway[1];
	s->err = err[0];
	s->events = events[0];
	s->gateway = gateway[0];
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (int i = 0; i < DIAL_FD_END; i++)
			fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 100);
		for (int i = 0; i < DIAL_FD_END; i++)
			if (dup2(fds[i], i) < 0)
				_exit(99);
		execl(DIAL_BINARY, "stockade-dial", (char *)NULL);
		_exit(98);
	}
	const int theirs[] = { fds[0], err[1], fds[DIAL_FD_CONFIG], events[1], gateway[1] };
	for (size_t i = 0; i < ARRAY_LEN(theirs); i++)
		close(theirs[i]);
}

static bool readable(int fd, int ms)
{
	return poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, ms) > 0;
}

/* The next record; false at the end. */
static bool next_event(const struct stage *s, struct event *ret)
{
	char bytes[EVENT_BYTES_MAX];

	assert_true(readable(s->events, TIMEOUT_MS));
	int r = event_receive(s->events, bytes, ret);
	assert_true(r >= 0);
	return r > 0;
}

static void begin(struct stage *s)
{
	struct event e;

	*s = (struct stage){ 0 };
	listen_as_host(s);
	configure(s);
	start(s);
	assert_true(next_event(s, &e));
	assert_int_equal(e.type, EVENT_NET_READY);
}

static void end(struct stage *s)
{
	if (s->pid > 0) {
		kill(s->pid, SIGKILL);
		waitpid(s->pid, NULL, 0);
	}
	close(s->events);
	close(s->gateway);
	close(s->err);
	close(s->listener);
}
#define _cleanup_stage_ _cleanup_(end)

static int wait_for_end(struct stage *s)
{
	int status;

	assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
	s->pid = 0;
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static struct dial_request honest(const struct stage *s)
{
	return (struct dial_request){
		.id = 7, .ask = DIAL_CONNECT, .grant = 0, .address = { 4, { 127, 0, 0, 1 } }, .port = s->port
	};
}

static size_t encode(const struct dial_request *q, char *bytes)
{
	struct wire_writer w;

	assert_int_equal(dial_request_encode(q, &w), 0);
	size_t n = w.buf.len;
	memcpy(bytes, w.buf.data, n);
	wire_writer_done(&w);
	return n;
}

/* The control: what the rows below make wrong is right. */
static void an_honest_request_is_answered_with_a_socket_and_recorded(void **state)
{
	_cleanup_stage_ struct stage s;
	char bytes[DIAL_BYTES_MAX + 1];
	struct dial_answer a;
	struct event e;
	int fd = -1;
	size_t n_fds = 1;

	begin(&s);
	struct dial_request q = honest(&s);
	assert_int_equal(io_send_msg(s.gateway, bytes, encode(&q, bytes), NULL, 0), 0);
	assert_true(readable(s.gateway, TIMEOUT_MS));
	long n = io_recv_msg(s.gateway, bytes, DIAL_BYTES_MAX, &fd, &n_fds);
	assert_int_equal(dial_answer_decode(bytes, (size_t)n, &a), 0);
	assert_int_equal(a.status, DIAL_OK);
	assert_int_equal(n_fds, 1);
	assert_true(next_event(&s, &e));
	assert_int_equal(e.type, EVENT_NET_CONNECT);
	assert_true(readable(s.listener, TIMEOUT_MS));
	close(fd);
	(void)state;
}

static void send_wrongly(const struct stage *s, const char *how)
{
	char bytes[DIAL_BYTES_MAX + 1] = "";
	struct dial_answer a = { .id = 7, .status = DIAL_OK };
	struct dial_request q = honest(s);
	int fds[] = { s->listener, s->listener };
	size_t n_fds = 0, n;
	struct wire_writer w;

	if (strcmp(how, "nothing that can be asked") == 0)
		q.ask = DIAL_ASK_COUNT;
	if (strcmp(how, "a name in upper case") == 0)
		snprintf(q.name, sizeof(q.name), "DB.example");
	if (strcmp(how, "a name with a line's end") == 0)
		snprintf(q.name, sizeof(q.name), "db.example\nevil.example");
	if (strcmp(how, "a kind of address that is none") == 0)
		q.address.family = 5;
	if (strcmp(how, "a descriptor") == 0)
		n_fds = 1;
	if (strcmp(how, "two descriptors") == 0)
		n_fds = 2;
	n = encode(&q, bytes);
	if (strcmp(how, "an answer") == 0) {
		assert_int_equal(dial_answer_encode(&a, &w), 0);
		n = w.buf.len;
		memcpy(bytes, w.buf.data, n);
		wire_writer_done(&w);
	}
	if (strcmp(how, "garbage") == 0)
		memset(bytes, 0xff, n);
	n = strcmp(how, "overlong") == 0 ? sizeof(bytes) : n - (strcmp(how, "cut") == 0) + (strcmp(how, "a tail") == 0);
	assert_int_equal(io_send_msg(s->gateway, bytes, n, fds, n_fds), 0);
}

static void a_request_out_of_form_ends_it_and_nobody_is_connected(void **state)
{
	static const char *const ways[] = { "garbage", "overlong", "cut", "a tail", "an answer",
		"nothing that can be asked", "a name in upper case", "a name with a line's end",
		"a kind of address that is none", "a descriptor", "two descriptors" };

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		_cleanup_stage_ struct stage s;
		char words[512] = "";
		struct event e;
		begin(&s);
		send_wrongly(&s, ways[i]);
		if (next_event(&s, &e))
			fail_msg("%s: a record: %s", ways[i], event_name(e.type));
		if (wait_for_end(&s) != 1 || read(s.err, words, sizeof(words) - 1) <= 0 || !strstr(words, "dial stops"))
			fail_msg("%s: %s", ways[i], words);
		if (readable(s.listener, 0))
			fail_msg("%s: it connected", ways[i]);
	}
	(void)state;
}

static void what_is_in_form_and_not_granted_is_denied_whoever_asks(void **state)
{
	_cleanup_stage_ struct stage s;
	static const struct net_address loopback = { 4, { 127, 0, 0, 1 } };
	struct dial_request rows[] = {
		{ .ask = DIAL_CONNECT, .grant = 0, .address = loopback }, /* port 0 */
		{ .ask = DIAL_CONNECT, .grant = UINT32_MAX, .address = loopback, .port = 443 },
		{ .ask = DIAL_CONNECT, .grant = 1, .name = "evil.example", .port = 443 },
		{ .ask = DIAL_CONNECT, .grant = 1, .name = "db.example", .port = 22 },
		{ .ask = DIAL_CONNECT, .grant = 1, .name = "db.example" },
		{ .ask = DIAL_CONNECT, .grant = 1, .address = loopback, .port = 443 },
		{ .ask = DIAL_RESOLVE, .grant = 1, .name = "evil.example", .port = 443 },
		{ .ask = DIAL_PUBLISH, .port = 443 },
	};
	char bytes[DIAL_BYTES_MAX];
	struct dial_answer a;
	struct event e;

	begin(&s);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		rows[i].id = i + 1;
		assert_int_equal(io_send_msg(s.gateway, bytes, encode(&rows[i], bytes), NULL, 0), 0);
		assert_true(readable(s.gateway, TIMEOUT_MS));
		ssize_t n = recv(s.gateway, bytes, sizeof(bytes), 0);
		assert_int_equal(dial_answer_decode(bytes, (size_t)n, &a), 0);
		if (a.id != i + 1 || a.status == DIAL_OK)
			fail_msg("row %zu: %s", i, dial_status_words(a.status));
		assert_true(next_event(&s, &e));
		assert_int_equal(e.decision, EVENT_DENY);
	}
	assert_false(readable(s.listener, 0));
	(void)state;
}

static long resident_kib(pid_t pid)
{
	char path[64], text[4096] = "";

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	(void)!read(fd, text, sizeof(text) - 1);
	close(fd);
	const char *at = strstr(text, "VmRSS:");
	return at ? atol(at + 6) : -1;
}

/* A gateway that asks and never listens. Its requests are written down until nobody takes the answers; then it waits,
 * and holds no more than the sockets between them do. */
static void a_flood_of_requests_takes_no_memory_and_ends_with_who_sent_it(void **state)
{
	_cleanup_stage_ struct stage s;
	char bytes[DIAL_BYTES_MAX], record[EVENT_BYTES_MAX];
	struct dial_request q = { .ask = DIAL_CONNECT, .grant = UINT32_MAX };
	struct event e;
	int sent = 0;

	begin(&s);
	size_t n = encode(&q, bytes);
	for (; sent < FLOOD_MAX; sent++) {
		struct pollfd p[] = { { s.gateway, POLLOUT, 0 }, { s.events, POLLIN, 0 } };
		if (poll(p, ARRAY_LEN(p), QUIET_MS) <= 0)
			break;
		if (p[1].revents)
			assert_int_equal(event_receive(s.events, record, &e), 1);
		if (p[0].revents)
			assert_int_equal(send(s.gateway, bytes, n, MSG_NOSIGNAL), n);
	}
	assert_in_range(sent, 1, FLOOD_MAX - 1);
	assert_in_range(resident_kib(s.pid), 1, RSS_MAX_KIB);
	shutdown(s.gateway, SHUT_RDWR);
	assert_int_equal(wait_for_end(&s), 0);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_honest_request_is_answered_with_a_socket_and_recorded),
		cmocka_unit_test(a_request_out_of_form_ends_it_and_nobody_is_connected),
		cmocka_unit_test(what_is_in_form_and_not_granted_is_denied_whoever_asks),
		cmocka_unit_test(a_flood_of_requests_takes_no_memory_and_ends_with_who_sent_it),
	};

	return cmocka_run_group_tests_name("dial_program", tests, NULL, NULL);
}
