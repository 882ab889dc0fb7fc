/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_dial - requests to a dialer in this process: what is granted is connected and recorded first, all else is
 * refused
 *
 * Everything is on loopback, through grants of the host's own loopback or a proxy that stands there.
 */
#include "tests/unit/unit.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "base/io.h"
#include "base/landlock.h"
#include "dial/confine.h"
#include "dial/dialer.h"
#include "dial/proxy.h"
#include "dial/reader.h"
#include "wire/event.h"

#define W	.where = (char *)(uintptr_t) "p.json:3 (network.allow)"
#define N(text) .name = (char *)(uintptr_t)(text)

enum { TURNS_MAX = 400, TURN_MS = 20 };

struct world {
	struct net_grant grants[3];
	struct net_config config;
	struct loop loop;
	struct dialer dialer;
	int gateway[2], events[2], listener;
	uint16_t port;
};

static int listen_on_loopback(uint16_t *ret_port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
	*ret_port = ntohs(at.sin_port);
	return fd;
}

static void world_init(struct world *w, bool proxy)
{
	struct diag d = { 0 };
	int reader;

	*w = (struct world){ 0 };
	w->listener = listen_on_loopback(&w->port);
	w->grants[0] = (struct net_grant){ .kind = NET_LOCALHOST, .ports = { w->port }, .n_ports = 1, W };
	w->grants[1] = (struct net_grant){
		.kind = NET_NAME, N("localhost.localdomain.test"), .ports = { 443 }, .n_ports = 1, W
	};
	w->grants[2] = (struct net_grant){
		.kind = NET_PREFIX, .address = { 4, { 127 } }, .prefix = 8, .ports = { w->port }, .n_ports = 1, W
	};
	w->config = (struct net_config){ .grants = w->grants,
		.n_grants = ARRAY_LEN(w->grants),
		.limits = net_limits_default(),
		.publish = { w->port },
		.n_publish = 1 };
	if (proxy) {
		w->config.proxy_host = (char *)(uintptr_t) "127.0.0.1";
		w->config.proxy_port = w->port;
		w->config.proxy_where = (char *)(uintptr_t) "policy.json:4";
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, w->gateway), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, w->events), 0);
	assert_int_equal(loop_init(&w->loop), 0);
	if (reader_start(&w->config, &reader, &d) < 0)
		fail_msg("%s", d.text);
	assert_int_equal(dialer_init(&w->dialer, &w->loop, &w->config, w->gateway[1], w->events[1], reader), 0);
}

static void world_done(struct world *w)
{
	dialer_done(&w->dialer);
	loop_done(&w->loop);
	for (size_t i = 0; i < 2; i++) {
		close(w->gateway[i]);
		close(w->events[i]);
	}
	close(w->listener);
}
#define _cleanup_world_ _cleanup_(world_done)

static void ask(struct world *w, const struct dial_request *q, int fd)
{
	_cleanup_(wire_writer_done) struct wire_writer b = { 0 };

	assert_int_equal(dial_request_encode(q, &b), 0);
	assert_int_equal(dialer_take(&w->dialer, b.buf.data, b.buf.len, &fd, fd >= 0 ? 1 : 0), 0);
}

static bool readable(int fd)
{
	return poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 0) == 1;
}

/* Turns the loop until there is an answer; the record must have been there before it. */
static struct dial_answer answered(struct world *w, struct event *ret_event, int *ret_fd)
{
	char bytes[EVENT_BYTES_MAX];
	struct dial_answer a;
	size_t n_fds = 1;
	long n;

	for (int i = 0; i < TURNS_MAX && !readable(w->gateway[0]); i++) {
		assert_int_equal(loop_turn(&w->loop, TURN_MS), 0);
		dialer_tick(&w->dialer);
	}
	assert_int_equal(w->dialer.error, 0);
	*ret_fd = -1;
	n = io_recv_msg(w->gateway[0], bytes, sizeof(bytes), ret_fd, &n_fds);
	assert_true(n > 0);
	assert_int_equal(dial_answer_decode(bytes, (size_t)n, &a), 0);
	assert_true(readable(w->events[0]));
	n = io_recv_msg(w->events[0], bytes, sizeof(bytes), NULL, NULL);
	assert_int_equal(event_decode(bytes, (size_t)n, ret_event), 0);
	assert_int_equal(ret_event->type, EVENT_NET_CONNECT);
	assert_int_equal(ret_event->call_id, a.id);
	dialer_tick(&w->dialer);
	return a;
}

static void what_is_granted_is_connected_and_recorded(void **state)
{
	_cleanup_world_ struct world w;
	_cleanup_close_ int fd = -1;
	struct event e;

	world_init(&w, false);
	ask(&w,
		&(struct dial_request){
			.id = 5, .ask = DIAL_CONNECT, .grant = 0, .address = { 4, { 127, 0, 0, 1 } }, .port = w.port },
		-1);
	struct dial_answer a = answered(&w, &e, &fd);
	assert_int_equal(a.status, DIAL_OK);
	assert_true(fd >= 0);
	assert_int_equal(e.decision, EVENT_ALLOW);
	assert_string_equal(e.address, "127.0.0.1");
	assert_string_equal(e.rule, "p.json:3 (network.allow)");
	_cleanup_close_ int peer = accept4(w.listener, NULL, NULL, SOCK_CLOEXEC);
	assert_int_equal(write(fd, "x", 1), 1);
	char byte;
	assert_int_equal(read(peer, &byte, 1), 1);
	assert_int_equal(w.dialer.n, 0);
}

static void what_is_not_granted_is_refused_whatever_the_gateway_says(void **state)
{
	_cleanup_world_ struct world w;

	world_init(&w, false);
	const struct dial_request bad[] = {
		{ .ask = DIAL_CONNECT, .grant = 0, .address = { 4, { 127, 0, 0, 1 } }, .port = (uint16_t)(w.port + 1) },
		{ .ask = DIAL_CONNECT, .grant = 0, .port = 0 },
		{ .ask = DIAL_CONNECT, .grant = 1, .name = "other.test", .port = 443 },
		{ .ask = DIAL_CONNECT, .grant = 1, .name = "localhost.localdomain.test", .port = 80 },
		{ .ask = DIAL_CONNECT, .grant = 1, .name = "", .port = 443 },
		{ .ask = DIAL_CONNECT, .grant = 99, .name = "localhost.localdomain.test", .port = 443 },
		{ .ask = DIAL_CONNECT, .grant = 2, .address = { 4, { 10, 0, 0, 1 } }, .port = w.port },
		{ .ask = DIAL_RESOLVE, .grant = 1, .name = "localhost.localdomain.test" },
		{ .ask = DIAL_PUBLISH, .port = (uint16_t)(w.port + 1) },
		{ .ask = DIAL_PUBLISH, .port = w.port },
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct event e;
		int fd;
		ask(&w, &bad[i], -1);
		struct dial_answer a = answered(&w, &e, &fd);
		assert_int_equal(a.status, DIAL_NOT_GRANTED);
		assert_int_equal(e.decision, EVENT_DENY);
		assert_int_equal(fd, -1);
	}
	assert_false(readable(w.listener));
}

static void a_literal_grant_does_not_open_the_loopback(void **state)
{
	_cleanup_world_ struct world w;
	struct event e;
	int fd;

	world_init(&w, false);
	ask(&w,
		&(struct dial_request){
			.ask = DIAL_CONNECT, .grant = 2, .address = { 4, { 127, 0, 0, 1 } }, .port = w.port },
		-1);
	struct dial_answer a = answered(&w, &e, &fd);
	assert_int_equal(a.status, DIAL_FORBIDDEN);
	assert_string_equal(e.reason, "the name leads to a loopback address");
	assert_false(readable(w.listener));
}

static void a_socket_of_our_own_network_is_no_spare(void **state)
{
	_cleanup_world_ struct world w;
	struct event e;
	int fd;

	world_init(&w, false);
	ask(&w, &(struct dial_request){ .ask = DIAL_PUBLISH, .port = w.port },
		socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	struct dial_answer a = answered(&w, &e, &fd);
	assert_int_equal(a.status, DIAL_NOT_GRANTED);
	assert_false(readable(w.listener));
}

static void a_refused_connection_says_so(void **state)
{
	_cleanup_world_ struct world w;
	struct event e;
	int fd;

	world_init(&w, false);
	close(w.listener);
	w.listener = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ask(&w,
		&(struct dial_request){
			.ask = DIAL_CONNECT, .grant = 0, .address = { 4, { 127, 0, 0, 1 } }, .port = w.port },
		-1);
	struct dial_answer a = answered(&w, &e, &fd);
	assert_int_equal(a.status, DIAL_REFUSED);
	assert_int_equal(a.error, ECONNREFUSED);
	assert_string_equal(e.status, "the host refused the connection");
	assert_int_equal(fd, -1);
}

static void a_proxy_gets_the_name_and_keeps_no_byte_of_the_tunnel(void **state)
{
	static const char expected[] =
		"CONNECT localhost.localdomain.test:443 HTTP/1.1\r\nHost: localhost.localdomain.test:443\r\n\r\n";
	_cleanup_world_ struct world w;
	_cleanup_close_ int fd = -1;
	char text[512] = "";
	struct event e;

	world_init(&w, true);
	ask(&w,
		&(struct dial_request){
			.id = 1, .ask = DIAL_CONNECT, .grant = 1, .name = "localhost.localdomain.test", .port = 443 },
		-1);
	_cleanup_close_ int peer = accept4(w.listener, NULL, NULL, SOCK_CLOEXEC);
	for (int i = 0; i < TURNS_MAX && !readable(peer); i++)
		assert_int_equal(loop_turn(&w.loop, TURN_MS), 0);
	assert_int_equal(read(peer, text, sizeof(text) - 1), sizeof(expected) - 1);
	assert_string_equal(text, expected);
	assert_int_equal(write(peer, "HTTP/1.1 200 OK\r\nVia: x\r\n", 25), 25);
	assert_int_equal(loop_turn(&w.loop, TURN_MS), 0);
	assert_false(readable(w.gateway[0]));
	assert_int_equal(write(peer, "\r\nfirst of the server", 21), 21);
	struct dial_answer a = answered(&w, &e, &fd);
	assert_int_equal(a.status, DIAL_OK);
	memset(text, 0, sizeof(text));
	assert_int_equal(read(fd, text, sizeof(text) - 1), 19);
	assert_string_equal(text, "first of the server");
}

static void a_proxy_that_refuses_is_named(void **state)
{
	static const char *const answers[] = { "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "SSH-2.0-x\r\n",
		"HTTP/1.1 200 OK\r\n" };
	static const char *const reasons[] = { "the proxy answered 407", "through the proxy of policy.json:4",
		"through the proxy of policy.json:4" };

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		_cleanup_world_ struct world w;
		struct event e;
		int fd;
		world_init(&w, true);
		ask(&w,
			&(struct dial_request){ .id = 1,
				.ask = DIAL_CONNECT,
				.grant = 1,
				.name = "localhost.localdomain.test",
				.port = 443 },
			-1);
		int peer = accept4(w.listener, NULL, NULL, SOCK_CLOEXEC);
		for (int k = 0; k < TURNS_MAX && !readable(peer); k++)
			assert_int_equal(loop_turn(&w.loop, TURN_MS), 0);
		char text[512];
		assert_true(read(peer, text, sizeof(text)) > 0);
		assert_int_equal(write(peer, answers[i], strlen(answers[i])), strlen(answers[i]));
		close(peer);
		struct dial_answer a = answered(&w, &e, &fd);
		assert_int_equal(a.status, DIAL_PROXY);
		assert_string_equal(e.reason, reasons[i]);
	}
}

static void the_proxys_answer_is_judged_whole(void **state)
{
	static const struct {
		const char *text;
		enum proxy_verdict verdict;
	} cases[] = {
		{ "", PROXY_MORE },
		{ "HTTP", PROXY_MORE },
		{ "HTTP/1.1 200", PROXY_MORE },
		{ "HTTP/1.1 200 OK\r\n", PROXY_MORE },
		{ "HTTP/1.1 200 OK\r\n\r\n", PROXY_OPEN },
		{ "HTTP/1.0 200 Connection established\r\nA: b\r\n\r\nrest", PROXY_OPEN },
		{ "HTTP/1.1 204\r\n\r\n", PROXY_OPEN },
		{ "HTTP/1.1 100 Continue\r\n\r\n", PROXY_REFUSED },
		{ "HTTP/1.1 403 No\r\n\r\n", PROXY_REFUSED },
		{ "HTTP/1.1 302 Found\r\n\r\n", PROXY_REFUSED },
		{ "HTTP/2 200\r\n\r\n", PROXY_MALFORMED },
		{ "HTTP/1.1 20\r\n\r\n", PROXY_MALFORMED },
		{ "HTTP/1.1 2000\r\n\r\n", PROXY_MALFORMED },
		{ "HTTP/1.1  200 OK\r\n\r\n", PROXY_MALFORMED },
		{ "HTTP/1.1 200 OK\nA: b\r\n\r\n", PROXY_MALFORMED },
		{ "HTTP/1.1 200 O\rK\r\n\r\n", PROXY_MALFORMED },
		{ "http/1.1 200 OK\r\n\r\n", PROXY_MALFORMED },
		{ "\r\nHTTP/1.1 200 OK\r\n\r\n", PROXY_MALFORMED },
		{ "HTTP/1.1 000 OK\r\n\r\n", PROXY_MALFORMED },
	};
	size_t len;
	unsigned status;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (proxy_judge(cases[i].text, strlen(cases[i].text), &len, &status) != cases[i].verdict)
			fail_msg("\"%s\"", cases[i].text);
}

static void an_ipv6_address_goes_to_the_proxy_in_brackets(void **state)
{
	char text[PROXY_REQUEST_MAX];

	assert_true(proxy_request("2001:db8::1", 443, text, sizeof(text)) > 0);
	assert_non_null(strstr(text, "CONNECT [2001:db8::1]:443 HTTP/1.1\r\n"));
}

static void too_many_at_once_are_answered_busy(void **state)
{
	_cleanup_world_ struct world w;
	struct event e;
	int fd;

	world_init(&w, false);
	w.config.limits.connections = 1;
	w.dialer.n = 1;
	ask(&w,
		&(struct dial_request){
			.ask = DIAL_CONNECT, .grant = 0, .address = { 4, { 127, 0, 0, 1 } }, .port = w.port },
		-1);
	struct dial_answer a = answered(&w, &e, &fd);
	assert_int_equal(a.status, DIAL_BUSY);
	assert_int_equal(e.decision, EVENT_DENY);
	w.dialer.n = 0;
}

/* --- what is left to it after the lock-down --- */

static int dial_port(uint16_t port)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ? -errno : 0;
}

static struct sockaddr_in loopback_at(uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};
}

/* Landlock knows TCP ports alone: the same bytes on the wire by another protocol's socket, or by a send that connects
 * on its way (TCP Fast Open), are not its matter. */
static int dial_by_mptcp(uint16_t port)
{
	struct sockaddr_in at = loopback_at(port);
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);

	return fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ? -errno : 0;
}

static int dial_by_sendto(uint16_t port)
{
	struct sockaddr_in at = loopback_at(port);
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 || sendto(fd, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&at, sizeof(at)) < 0 ? -errno : 0;
}

static int dial_by_sendmsg(uint16_t port, bool many)
{
	struct sockaddr_in at = loopback_at(port);
	char x = 'x';
	struct iovec iov = { .iov_base = &x, .iov_len = 1 };
	struct mmsghdr m = { .msg_hdr = {
				     .msg_name = &at, .msg_namelen = sizeof(at), .msg_iov = &iov, .msg_iovlen = 1 } };
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	long n = many ? sendmmsg(fd, &m, 1, MSG_FASTOPEN) : sendmsg(fd, &m.msg_hdr, MSG_FASTOPEN);

	return n < 0 ? -errno : 0;
}

static int signal_another(void)
{
	return syscall(SYS_tgkill, getppid(), getppid(), 0) < 0 ? -errno : 0;
}

static int listen_somewhere(void)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 || listen(fd, 1) < 0 ? -errno : 0;
}

static int open_as(const char *path, int flags)
{
	_cleanup_close_ int fd = open(path, flags | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : 0;
}

static int other_socket(int family, int type)
{
	_cleanup_close_ int fd = socket(family, type | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : 0;
}

static int start_program(void)
{
	char *argv[] = { (char *)(uintptr_t) "/bin/true", NULL };

	execv(argv[0], argv);
	return -errno;
}

/* Each attempt's errno, 0 where it worked; written by a child. */
struct attempts {
	int granted_port, other_port, mptcp, sendto_port, sendmsg_port, sendmmsg_port, udp, a_signal, listening,
		reading, hosts, chance, writing, unix_socket, packet, program;
};

static void try_all(const struct world *w, uint16_t other, const char *file, struct attempts *ret)
{
	ret->granted_port = dial_port(w->port);
	ret->other_port = dial_port(other);
	ret->mptcp = dial_by_mptcp(other);
	ret->sendto_port = dial_by_sendto(other);
	ret->sendmsg_port = dial_by_sendmsg(other, false);
	ret->sendmmsg_port = dial_by_sendmsg(other, true);
	ret->udp = other_socket(AF_INET, SOCK_DGRAM) | other_socket(AF_INET6, SOCK_DGRAM);
	ret->a_signal = signal_another();
	ret->listening = listen_somewhere();
	ret->reading = open_as("/usr/bin/env", O_RDONLY);
	ret->hosts = open_as("/etc/hosts", O_RDONLY);
	ret->chance = open_as("/dev/urandom", O_RDONLY);
	ret->writing = open_as(file, O_WRONLY | O_CREAT);
	ret->unix_socket = other_socket(AF_UNIX, SOCK_STREAM);
	ret->packet = other_socket(AF_PACKET, SOCK_STREAM);
}

enum who { FREE, DIAL, READER };

static int confine_as(enum who who, const struct world *w)
{
	struct diag d = { 0 };

	if (who == FREE)
		return 0;
	return who == DIAL ? confine(&w->config, &d) : confine_reader(&d);
}

static struct attempts in_child(enum who who)
{
	_cleanup_world_ struct world w;
	struct attempts a = { 0 };
	char file[64];
	uint16_t other;
	_cleanup_close_ int second = listen_on_loopback(&other);
	int p[2], status;

	assert_true(second >= 0);
	snprintf(file, sizeof(file), "/tmp/stockade-test-dial-%d", (int)getpid());
	world_init(&w, false);
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		if (confine_as(who, &w) < 0)
			_exit(3);
		try_all(&w, other, file, &a);
		/* The control does not become another program: it would not come back. */
		a.program = who == FREE ? 0 : start_program();
		_exit(write(p[1], &a, sizeof(a)) == sizeof(a) ? 0 : 4);
	}
	close(p[1]);
	assert_int_equal(read(p[0], &a, sizeof(a)), sizeof(a));
	close(p[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	(void)unlink(file);
	return a;
}

/* Only the half that reads nothing of the network may connect, and only to granted ports; the one that reads it may ask
 * name servers, and read what the resolver reads. */
static void locked_down_each_half_does_its_own_work_and_nothing_else(void **state)
{
#define A(member) #member, offsetof(struct attempts, member)
	static const struct {
		const char *what;
		size_t at;
		int dial, reader;
	} rows[] = {
		{ A(granted_port), 0, -EACCES },
		{ A(other_port), -EACCES, -EACCES },
		{ A(mptcp), -EPERM, -EPERM },
		{ A(sendto_port), -EPERM, -EPERM },
		{ A(sendmsg_port), -EPERM, -EPERM },
		{ A(sendmmsg_port), -EPERM, -EPERM },
		{ A(udp), -EPERM, 0 },
		{ A(a_signal), -EPERM, -EPERM },
		{ A(listening), -EPERM, -EPERM },
		{ A(reading), -EPERM, -EACCES },
		{ A(hosts), -EPERM, 0 },
		{ A(chance), -EPERM, 0 },
		{ A(writing), -EPERM, -EACCES },
		{ A(unix_socket), -EPERM, -EPERM },
		{ A(packet), -EPERM, -EPERM },
		{ A(program), -EPERM, -EPERM },
	};
	struct attempts done[] = { in_child(FREE), in_child(DIAL), in_child(READER) };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int said[ARRAY_LEN(done)];
		for (size_t k = 0; k < ARRAY_LEN(done); k++)
			memcpy(&said[k], (const char *)&done[k] + rows[i].at, sizeof(said[k]));
		/* A packet socket is not for an ordinary user either. */
		if (said[FREE] != 0 && rows[i].at != offsetof(struct attempts, packet))
			fail_msg("%s: unconfined %d", rows[i].what, said[FREE]);
		if (said[DIAL] != rows[i].dial || said[READER] != rows[i].reader)
			fail_msg("%s: dial %d, its reader %d", rows[i].what, said[DIAL], said[READER]);
	}
#undef A
}

static void only_directories_of_the_system_are_read_whole(void **state)
{
	static const struct {
		const char *path;
		bool whole;
	} cases[] = {
		{ "/etc", true },
		{ "/etc/network", true },
		{ "/run/systemd/resolve", true },
		{ "/run/resolvconf", true },
		{ "/var/run/NetworkManager", true },
		{ "/usr/lib/systemd", true },
		{ "/mnt/wsl", true },
		{ "/", false },
		{ "/run", false },
		{ "/usr", false },
		{ "/var", false },
		{ "/etcetera", false },
		{ "/mnt", false },
		{ "/home/a", false },
		{ "/root", false },
		{ "/tmp/x", false },
		{ "/run/user/1000", false },
		{ "/run/media/a/stick", false },
		{ "/var/home/a", false },
		{ "/var/tmp/x", false },
		{ "/usr/home/a/x", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (confine_is_system_directory(cases[i].path) != cases[i].whole)
			fail_msg("%s", cases[i].path);
}

/* As somebody does who keeps resolv.conf with their own files: the secret beside it is not the resolver's. */
static void a_file_of_the_resolvers_elsewhere_is_read_alone(void **state)
{
	char base[] = "/tmp/stockade-dial-XXXXXX", conf[64], beside[64], link[64];
	int status;

	assert_non_null(mkdtemp(base));
	snprintf(conf, sizeof(conf), "%s/conf", base);
	snprintf(beside, sizeof(beside), "%s/secret", base);
	snprintf(link, sizeof(link), "%s/link", base);
	assert_int_equal(
		open_as(conf, O_WRONLY | O_CREAT) | open_as(beside, O_WRONLY | O_CREAT) | symlink(conf, link), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct landlock_attr files = { .fs = landlock_all(1).fs };
		int ruleset, r = landlock_create(&files, &ruleset);
		if (r < 0 || confine_allow_reading(ruleset, link) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
			landlock_restrict(ruleset) < 0)
			_exit(3);
		_exit(open_as(link, O_RDONLY) == 0 && open_as(beside, O_RDONLY) == -EACCES ? 0 : 4);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(open_as(beside, O_RDONLY), 0);
	assert_int_equal(unlink(link) | unlink(conf) | unlink(beside) | rmdir(base), 0);
	assert_int_equal(status, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_granted_is_connected_and_recorded),
		cmocka_unit_test(what_is_not_granted_is_refused_whatever_the_gateway_says),
		cmocka_unit_test(a_literal_grant_does_not_open_the_loopback),
		cmocka_unit_test(a_socket_of_our_own_network_is_no_spare),
		cmocka_unit_test(a_refused_connection_says_so),
		cmocka_unit_test(a_proxy_gets_the_name_and_keeps_no_byte_of_the_tunnel),
		cmocka_unit_test(a_proxy_that_refuses_is_named),
		cmocka_unit_test(the_proxys_answer_is_judged_whole),
		cmocka_unit_test(an_ipv6_address_goes_to_the_proxy_in_brackets),
		cmocka_unit_test(too_many_at_once_are_answered_busy),
		cmocka_unit_test(only_directories_of_the_system_are_read_whole),
		cmocka_unit_test(a_file_of_the_resolvers_elsewhere_is_read_alone),
		cmocka_unit_test(locked_down_each_half_does_its_own_work_and_nothing_else),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
