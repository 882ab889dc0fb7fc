/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_gateway - stockade-gateway from outside: the test plays supervisor, enter, dial, the server and its hosts
 *
 * Each test has a network namespace of its own that has lo alone: what one leaves in TIME_WAIT is not in another's way.
 */
#include "tests/unit/unit.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/io.h"
#include "wire/dial.h"
#include "wire/event.h"
#include "wire/fds.h"
#include "wire/net_layout.h"

#define W	.where = (char *)(uintptr_t) "demo.json:3 (network.allow)"
#define N(text) .name = (char *)(uintptr_t)(text)

enum { NOBODY = 65534, TIMEOUT_MS = 20000, MANY = 1000, FDS = GATEWAY_FD_PUBLISH, BULK = 32 << 20 };

/* A sanitiser keeps what was freed. */
#ifdef __SANITIZE_ADDRESS__
enum { RSS_MAX_KIB = 256 << 10, RSS_GROWTH_KIB = 128 << 10 };
#else
enum { RSS_MAX_KIB = 24 << 10, RSS_GROWTH_KIB = 1 << 10 };
#endif

static struct net_grant grants[] = {
	{ .kind = NET_NAME, N("db.example.com"), .ports = { 443, 5432 }, .n_ports = 2, W },
	{ .kind = NET_WILDCARD, N("w.example"), .ports = { 443 }, .n_ports = 1, .sni = true, W },
	{ .kind = NET_LOCALHOST, .ports = { 6000 }, .n_ports = 1, W },
};
static const struct net_address stub = { 4, { 198, 18, 0, 1 } }, db = { 4, { 198, 18, 0, 16 } },
				wild = { 4, { 198, 18, 0, 19 } };

struct stage {
	struct net_config config;
	struct net_layout layout;
	int events, dial, sockets, err;
	pid_t pid;
	bool unsealed;
	int host_listener; /* where dial finds the hosts */
	struct sockaddr_in host_at;
};

/* --- the namespace --- */

/* An address of lo with a short prefix makes all of the prefix local, as enter's route does. */
static int make_namespace(void **state)
{
	struct ifreq up = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING }, alias = { .ifr_name = "lo:1" };
	struct sockaddr_in *a = (struct sockaddr_in *)&alias.ifr_addr;

	if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return -1;
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), r = ioctl(s, SIOCSIFFLAGS, &up);
	*a = (struct sockaddr_in){ .sin_family = AF_INET };
	memcpy(&a->sin_addr, stub.bytes, 4);
	r |= ioctl(s, SIOCSIFADDR, &alias);
	memcpy(&a->sin_addr, "\xff\xfe\0\0", 4);
	r |= ioctl(s, SIOCSIFNETMASK, &alias);
	close(s);
	return r;
}

static int make_watch(void)
{
	/* All but the stub's own talk, as enter's. */
	struct sock_filter all[] = {
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 4),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NET_DNS_PORT, 3, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NET_DNS_PORT, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 96),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = { ARRAY_LEN(all), all };
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex("lo")
	};
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0), one = 1;

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &one, sizeof(one)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static int make_socket(const struct net_socket *s)
{
	struct sockaddr_storage at;
	socklen_t len = net_address_to_sockaddr(&s->address, s->port, &at);
	int one = 1, type = s->kind == NET_SOCKET_DNS_UDP ? SOCK_DGRAM : SOCK_STREAM;

	if (s->kind == NET_SOCKET_WATCH)
		return make_watch();
	int fd = socket(s->address.family == 6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0);
	if (s->address.family == 6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (s->kind == NET_SOCKET_SPARE)
		return fd;
	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, NET_BACKLOG), 0);
	return fd;
}

/* --- the program --- */

static void place(int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 100);
	for (size_t i = 0; i < n; i++)
		if (dup2(fds[i], (int)i) < 0)
			_exit(99);
}

static void seq_pair(int *ours, int *theirs)
{
	int p[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, p), 0);
	*ours = p[0];
	*theirs = p[1];
}

static int config_fd(const struct stage *s)
{
	struct wire_writer w;
	int fd = -1;

	assert_int_equal(net_config_encode(&s->config, &w), 0);
	if (s->unsealed)
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	else
		assert_int_equal(io_memfd_sealed("config", w.buf.data, w.buf.len, &fd), 0);
	wire_writer_done(&w);
	return fd;
}

static void start(struct stage *s)
{
	int fds[FDS], err[2];

	s->config = (struct net_config){ .server = (char *)(uintptr_t) "demo",
		.uid = NOBODY,
		.gid = NOBODY,
		.grants = grants,
		.n_grants = ARRAY_LEN(grants),
		.limits = net_limits_default() };
	s->config.limits.connections = MANY + 10;
	assert_int_equal(net_layout_draw(&s->config, &s->layout), 0);
	assert_int_equal(pipe2(err, O_CLOEXEC), 0);
	s->err = err[0];
	fds[0] = open("/dev/null", O_RDWR | O_CLOEXEC);
	fds[1] = err[1];
	fds[2] = dup(err[1]);
	fds[GATEWAY_FD_CONFIG] = config_fd(s);
	seq_pair(&s->events, &fds[GATEWAY_FD_EVENTS]);
	seq_pair(&s->sockets, &fds[GATEWAY_FD_SOCKETS]);
	seq_pair(&s->dial, &fds[GATEWAY_FD_DIAL]);
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		place(fds, FDS);
		execl(GATEWAY_BINARY, "stockade-gateway", (char *)NULL);
		_exit(98);
	}
	for (size_t i = 0; i < FDS; i++)
		close(fds[i]);
}

/* swap: the first listener and the one after it change places */
static void hand_sockets(struct stage *s, bool swap)
{
	unsigned char present[SOCKETS_FDS_MAX];
	int fds[SOCKETS_FDS_MAX];
	size_t n = s->layout.n_sockets;

	assert_true(n <= ARRAY_LEN(fds) && n > 5);
	for (size_t i = 0; i < n; i++) {
		fds[i] = make_socket(&s->layout.sockets[i]);
		present[i] = SOCKETS_PRESENT;
	}
	if (swap) {
		int first = fds[3];
		fds[3] = fds[4];
		fds[4] = first;
	}
	assert_int_equal(io_send_msg(s->sockets, present, n, fds, n), 0);
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
}

static bool readable(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };

	return poll(&p, 1, TIMEOUT_MS) > 0;
}

static struct event next_event(struct stage *s)
{
	char bytes[EVENT_BYTES_MAX];
	struct event e;

	assert_true(readable(s->events));
	ssize_t n = recv(s->events, bytes, sizeof(bytes), 0);
	if (n <= 0) {
		char words[512] = "";
		(void)!read(s->err, words, sizeof(words) - 1);
		fail_msg("the gateway ended: %s", words);
	}
	assert_int_equal(event_decode(bytes, (size_t)n, &e), 0);
	assert_true(event_allowed(e.type, EVENT_FROM_GATEWAY));
	return e;
}

static void listen_as_hosts(struct stage *s)
{
	socklen_t len = sizeof(s->host_at);

	s->host_at = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	s->host_listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->host_listener, (struct sockaddr *)&s->host_at, len), 0);
	assert_int_equal(listen(s->host_listener, NET_BACKLOG), 0);
	assert_int_equal(getsockname(s->host_listener, (struct sockaddr *)&s->host_at, &len), 0);
}

static void begin(struct stage *s)
{
	*s = (struct stage){ 0 };
	start(s);
	hand_sockets(s, false);
	assert_int_equal(next_event(s).type, EVENT_NET_READY);
	listen_as_hosts(s);
}

static int wait_for_end(struct stage *s)
{
	int status;

	assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
	s->pid = 0;
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void end(struct stage *s)
{
	const int fds[] = { s->events, s->sockets, s->dial, s->err, s->host_listener };

	if (s->pid > 0) {
		kill(s->pid, SIGKILL);
		waitpid(s->pid, NULL, 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		if (fds[i] > 0)
			close(fds[i]);
	net_layout_done(&s->layout);
}
#define _cleanup_stage_ _cleanup_(end)

/* --- the server, and dial --- */

static int socket_to(const struct net_address *a, uint16_t port, int type, int *ret_error)
{
	struct sockaddr_storage at;
	socklen_t len = net_address_to_sockaddr(a, port, &at);
	int fd = socket(a->family == 6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0);

	*ret_error = connect(fd, (struct sockaddr *)&at, len) < 0 ? errno : 0;
	return fd;
}

static int client_to(const struct net_address *a, uint16_t port)
{
	int error, fd = socket_to(a, port, SOCK_STREAM, &error);

	assert_int_equal(error, 0);
	return fd;
}

/* One request of the gateway's, answered with a connection to the test's own host; returns the host's end. */
static int dial_once(struct stage *s, struct dial_request *q)
{
	char bytes[DIAL_BYTES_MAX];
	struct dial_answer a = { .status = DIAL_OK, .address = { 4, { 203, 0, 113, 5 } } };
	struct wire_writer w;

	assert_true(readable(s->dial));
	ssize_t n = recv(s->dial, bytes, sizeof(bytes), 0);
	assert_true(n > 0);
	assert_int_equal(dial_request_decode(bytes, (size_t)n, q), 0);
	int out = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(out, (struct sockaddr *)&s->host_at, sizeof(s->host_at)), 0);
	int host = accept4(s->host_listener, NULL, NULL, SOCK_CLOEXEC);
	a.id = q->id;
	assert_int_equal(dial_answer_encode(&a, &w), 0);
	assert_int_equal(io_send_msg(s->dial, w.buf.data, w.buf.len, &out, 1), 0);
	wire_writer_done(&w);
	close(out);
	return host;
}

static void expect_bytes(int fd, const char *text)
{
	char got[64];

	assert_true(readable(fd));
	assert_int_equal(recv(fd, got, sizeof(got), 0), strlen(text));
	assert_memory_equal(got, text, strlen(text));
}

static size_t ask_name(const char *labels, size_t n, unsigned char *answer, size_t size)
{
	unsigned char q[300] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00";
	int error, fd = socket_to(&stub, NET_DNS_PORT, SOCK_DGRAM, &error);

	memcpy(q + 12, labels, n);
	memcpy(q + 12 + n, "\0\0\1\0\1", 5);
	assert_int_equal(error, 0);
	assert_int_equal(send(fd, q, 17 + n, 0), 17 + n);
	assert_true(readable(fd));
	ssize_t got = recv(fd, answer, size, 0);
	close(fd);
	assert_true(got > 12);
	return (size_t)got;
}

static void a_granted_name_has_an_address_that_leads_to_it(void **state)
{
	_cleanup_stage_ struct stage s;
	unsigned char answer[512];
	struct dial_request q;

	begin(&s);
	size_t n = ask_name("\2db\7example\3com", 15, answer, sizeof(answer));
	assert_memory_equal(answer + n - 4, db.bytes, 4);
	int client = client_to(&db, 5432), host = dial_once(&s, &q);
	assert_string_equal(q.name, "db.example.com");
	assert_int_equal(q.port, 5432);
	assert_int_equal(send(client, "ping", 4, 0), 4);
	expect_bytes(host, "ping");
	assert_int_equal(send(host, "pong!", 5, 0), 5);
	expect_bytes(client, "pong!");
	close(client);
	expect_bytes(host, "");
	close(host);
	struct event e = next_event(&s);
	assert_int_equal(e.type, EVENT_NET_CLOSE);
	assert_int_equal(e.bytes_in, 5);
	assert_int_equal(e.bytes_out, 4);
}

static void a_denied_name_does_not_exist_and_is_recorded(void **state)
{
	_cleanup_stage_ struct stage s;
	unsigned char answer[512];

	begin(&s);
	ask_name("\4evil\4test", 10, answer, sizeof(answer));
	assert_int_equal(answer[3], 0x83);
	struct event e = next_event(&s);
	assert_int_equal(e.type, EVENT_NET_NAME);
	assert_string_equal(e.host, "evil.test");
}

static void a_port_without_a_listener_is_refused_and_recorded(void **state)
{
	_cleanup_stage_ struct stage s;
	int error;
	char byte;

	begin(&s);
	close(socket_to(&db, 22, SOCK_STREAM, &error));
	assert_int_equal(error, ECONNREFUSED);
	struct event e = next_event(&s);
	assert_int_equal(e.type, EVENT_NET_DENIED);
	assert_string_equal(e.host, "db.example.com");
	assert_int_equal(e.port, 22);
	assert_string_equal(e.protocol, "tcp");
	assert_non_null(strstr(e.reason, "\"db.example.com:22\" in network.allow"));
	int udp = socket_to(&db, 443, SOCK_DGRAM, &error);
	assert_int_equal(send(udp, "quic", 4, 0), 4);
	e = next_event(&s);
	assert_string_equal(e.protocol, "udp");
	assert_int_equal(recv(udp, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNREFUSED);
	close(udp);
}

static void an_address_that_no_name_has_is_reset_and_recorded(void **state)
{
	_cleanup_stage_ struct stage s;
	char byte;

	begin(&s);
	/* The wildcard's port has one listener on every address. */
	int client = client_to(&wild, 443);
	assert_true(readable(client));
	assert_int_equal(recv(client, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	struct event e = next_event(&s);
	assert_int_equal(e.type, EVENT_NET_DENIED);
	assert_string_equal(e.address, "198.18.0.19");
	close(client);
}

static void the_hosts_localhost_is_reached_on_the_granted_port_alone(void **state)
{
	static const struct net_address four = { 4, { 127, 0, 0, 1 } }, six = { 6, { [15] = 1 } };
	_cleanup_stage_ struct stage s;
	struct dial_request q;
	int error;

	begin(&s);
	int client = client_to(&four, 6000), host = dial_once(&s, &q);
	assert_int_equal(q.grant, 2);
	close(client);
	close(host);
	assert_int_equal(next_event(&s).type, EVENT_NET_CLOSE);
	client = client_to(&six, 6000);
	host = dial_once(&s, &q);
	assert_int_equal(q.address.family, 6);
	close(client);
	close(host);
	close(socket_to(&four, 6001, SOCK_STREAM, &error));
	assert_int_equal(error, ECONNREFUSED);
}

static long rss_kib(pid_t pid)
{
	char path[64], line[128] = "";
	long pages[2] = { 0 };

	snprintf(path, sizeof(path), "/proc/%d/statm", pid);
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	assert_int_equal(sscanf(line, "%ld %ld", &pages[0], &pages[1]), 2);
	return pages[1] * 4;
}

static void a_thousand_connections_at_once_and_again_cost_no_more(void **state)
{
	_cleanup_stage_ struct stage s;
	_cleanup_free_ int *clients = calloc(MANY, sizeof(int)), *hosts = calloc(MANY, sizeof(int));
	long first = 0;

	begin(&s);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < MANY; i++) {
			struct dial_request q;
			clients[i] = client_to(&db, 5432);
			hosts[i] = dial_once(&s, &q);
		}
		for (int i = 0; i < MANY; i++) {
			assert_int_equal(send(hosts[i], "x", 1, 0), 1);
			expect_bytes(clients[i], "x");
		}
		for (int i = 0; i < MANY; i++) {
			close(clients[i]);
			close(hosts[i]);
			assert_int_equal(next_event(&s).type, EVENT_NET_CLOSE);
		}
		long now = rss_kib(s.pid);
		assert_true(now < RSS_MAX_KIB);
		assert_true(round == 0 || now < first + RSS_GROWTH_KIB);
		first = round ? first : now;
	}
}

/* The filter lets through what carrying many bytes takes: pipes, splice, and the rest. */
static void many_bytes_pass_under_the_filter(void **state)
{
	static char block[1 << 16];
	_cleanup_stage_ struct stage s;
	struct dial_request q;
	size_t got = 0;

	begin(&s);
	int client = client_to(&db, 5432), host = dial_once(&s, &q);
	pid_t writer = fork();
	if (writer == 0) {
		for (size_t sent = 0; sent < BULK; sent += sizeof(block))
			if (io_write_full(client, block, sizeof(block)) < 0)
				_exit(1);
		_exit(0);
	}
	close(client);
	while (readable(host)) {
		ssize_t n = recv(host, block, sizeof(block), 0);
		assert_true(n >= 0);
		if (n == 0)
			break;
		got += (size_t)n;
	}
	assert_int_equal(got, BULK);
	assert_int_equal(waitpid(writer, NULL, 0), writer);
	close(host);
	assert_int_equal(next_event(&s).bytes_out, BULK);
}

static void sockets_in_another_order_are_not_believed(void **state)
{
	_cleanup_stage_ struct stage s = { 0 };
	char words[512] = "";

	start(&s);
	hand_sockets(&s, true);
	assert_int_equal(wait_for_end(&s), 1);
	assert_true(read(s.err, words, sizeof(words) - 1) > 0);
	assert_non_null(strstr(words, "socket 3 is not what the network's layout says"));
}

static void a_sandbox_that_could_not_be_built_ends_the_gateway(void **state)
{
	_cleanup_stage_ struct stage s = { 0 };

	start(&s);
	shutdown(s.sockets, SHUT_RDWR);
	assert_int_equal(wait_for_end(&s), 1);
}

static void a_configuration_that_is_not_sealed_is_refused(void **state)
{
	_cleanup_stage_ struct stage s = { .unsealed = true };

	start(&s);
	assert_int_equal(wait_for_end(&s), 1);
}

static void it_ends_with_its_supervisor_and_with_dial(void **state)
{
	_cleanup_stage_ struct stage one, two;

	begin(&one);
	shutdown(one.events, SHUT_RDWR);
	assert_int_equal(wait_for_end(&one), 0);
	begin(&two);
	shutdown(two.dial, SHUT_RDWR);
	assert_int_equal(wait_for_end(&two), 1);
}

/* --- a dial that was taken over --- */

/* One request of the gateway's, answered in a wrong way. */
static void answer_wrongly(struct stage *s, const char *how)
{
	static char bytes[DIAL_BYTES_MAX + 1];
	struct dial_request q;
	struct dial_answer a = { .status = DIAL_REFUSED };
	struct wire_writer w;
	int fds[] = { s->host_listener, s->host_listener };
	size_t n_fds = 0;

	assert_true(readable(s->dial));
	ssize_t n = recv(s->dial, bytes, sizeof(bytes), 0);
	assert_true(n > 0);
	assert_int_equal(dial_request_decode(bytes, (size_t)n, &q), 0);
	a.id = q.id + (strcmp(how, "another id") == 0 ? 1 << 16 : strcmp(how, "another slot") == 0);
	if (strcmp(how, "connected without a socket") == 0 || strncmp(how, "connected to ", 13) == 0)
		a.status = DIAL_OK;
	if (strcmp(how, "connected to no socket") == 0)
		fds[0] = s->err;
	if (strncmp(how, "connected to ", 13) == 0)
		n_fds = 1;
	if (strcmp(how, "too many addresses") == 0)
		a.n_addresses = DIAL_ADDRESSES_MAX + 1;
	if (strcmp(how, "no such status") == 0)
		a.status = DIAL_STATUS_COUNT;
	if (strcmp(how, "a socket beside a refusal") == 0)
		n_fds = 1;
	if (strcmp(how, "two sockets beside a refusal") == 0)
		n_fds = 2;
	if (strcmp(how, "a request") != 0) {
		assert_int_equal(dial_answer_encode(&a, &w), 0);
		n = (ssize_t)w.buf.len;
		memcpy(bytes, w.buf.data, w.buf.len);
		wire_writer_done(&w);
	}
	n = strcmp(how, "overlong") == 0 ? (ssize_t)sizeof(bytes)
					 : n - (strcmp(how, "cut") == 0) + (strcmp(how, "a tail") == 0);
	assert_int_equal(io_send_msg(s->dial, bytes, (size_t)n, fds, n_fds), 0);
	if (strcmp(how, "twice") == 0)
		(void)!io_send_msg(s->dial, bytes, (size_t)n, NULL, 0);
}

/* What waited is not carried anywhere, and nothing is left: the gateway's end is the session's. */
static void an_answer_out_of_form_ends_it(void **state)
{
	static const char *const ways[] = { "overlong", "cut", "a tail", "a request", "another id", "another slot",
		"twice", "connected without a socket", "connected to no socket", "connected to a listener",
		"too many addresses", "no such status", "a socket beside a refusal", "two sockets beside a refusal" };
	char c;

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		_cleanup_stage_ struct stage s;
		assert_int_equal(make_namespace(state), 0);
		begin(&s);
		int client = client_to(&db, 5432);
		answer_wrongly(&s, ways[i]);
		if (!readable(s.events) || wait_for_end(&s) != 1)
			fail_msg("%s: it goes on", ways[i]);
		if (recv(client, &c, 1, 0) > 0)
			fail_msg("%s: a byte came", ways[i]);
		close(client);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_granted_name_has_an_address_that_leads_to_it, make_namespace),
		cmocka_unit_test_setup(a_denied_name_does_not_exist_and_is_recorded, make_namespace),
		cmocka_unit_test_setup(a_port_without_a_listener_is_refused_and_recorded, make_namespace),
		cmocka_unit_test_setup(an_address_that_no_name_has_is_reset_and_recorded, make_namespace),
		cmocka_unit_test_setup(the_hosts_localhost_is_reached_on_the_granted_port_alone, make_namespace),
		cmocka_unit_test_setup(a_thousand_connections_at_once_and_again_cost_no_more, make_namespace),
		cmocka_unit_test_setup(many_bytes_pass_under_the_filter, make_namespace),
		cmocka_unit_test_setup(sockets_in_another_order_are_not_believed, make_namespace),
		cmocka_unit_test_setup(a_sandbox_that_could_not_be_built_ends_the_gateway, make_namespace),
		cmocka_unit_test_setup(a_configuration_that_is_not_sealed_is_refused, make_namespace),
		cmocka_unit_test_setup(it_ends_with_its_supervisor_and_with_dial, make_namespace),
		cmocka_unit_test(an_answer_out_of_form_ends_it),
	};

	return cmocka_run_group_tests_name("gateway", tests, NULL, NULL);
}
