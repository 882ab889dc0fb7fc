/* SPDX-License-Identifier: Apache-2.0 */
/* test_gateway_flow - connections through the gateway, with a dial and a supervisor played by the test */
#include "tests/unit/unit.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/io.h"
#include "gateway/flow.h"

#define W	.where = (char *)(uintptr_t) "demo.json:3 (network.allow)"
#define N(text) .name = (char *)(uintptr_t)(text)

/* PATIENCE_US: for what must come; on a busy machine even what goes over lo is delivered late. */
enum { PATIENCE_US = 30000000, BULK = 8 << 20, FDS_MAX = 4096, MANY = 200 };

static struct net_grant grants[] = {
	{ .kind = NET_NAME, N("api.example.com"), .ports = { 443 }, .n_ports = 1, .sni = true, W },
	{ .kind = NET_NAME, N("db.example.com"), .ports = { 5432 }, .n_ports = 1, W },
};
static const struct net_address api = { 4, { 198, 18, 0, 16 } }, db = { 4, { 198, 18, 0, 17 } },
				nobody = { 4, { 198, 18, 9, 9 } };

struct world {
	struct net_config config;
	struct gateway g;
	int events[2], dial[2];
};

static void begin(struct world *w)
{
	*w = (struct world){
		.config = { .grants = grants, .n_grants = ARRAY_LEN(grants), .limits = net_limits_default() }
	};
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, w->events), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, w->dial), 0);
	assert_int_equal(gateway_init(&w->g, &w->config, w->events[0], w->dial[0], io_now_us()), 0);
}

static void end(struct world *w)
{
	gateway_done(&w->g);
	for (int i = 0; i < 2; i++) {
		close(w->events[i]);
		close(w->dial[i]);
	}
}

/* A connected TCP pair over 127.0.0.1; the second is as accept4 gives it to the gateway. */
static void tcp_pair(int ret[2])
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(listener, (struct sockaddr *)&at, len) | listen(listener, 1) |
				 getsockname(listener, (struct sockaddr *)&at, &len),
		0);
	ret[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(ret[0], (struct sockaddr *)&at, len), 0);
	ret[1] = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_true(ret[1] >= 0);
	assert_int_equal(fcntl(ret[0], F_SETFL, O_NONBLOCK), 0);
	close(listener);
}

static void turns(struct world *w, unsigned n)
{
	while (n-- > 0)
		assert_int_equal(gateway_turn(&w->g, 0), 0);
}

/* Time for one more turn, or too late? */
static bool waits(struct world *w, uint64_t until)
{
	assert_int_equal(gateway_turn(&w->g, 1), 0);
	return io_now_us() < until;
}

static void expect_no_connections(struct world *w)
{
	for (uint64_t until = io_now_us() + PATIENCE_US; w->g.n_conns > 0 && waits(w, until);)
		;
	assert_int_equal(w->g.n_conns, 0);
}

static int client_to(struct world *w, const struct net_address *a, uint16_t port)
{
	int pair[2];

	tcp_pair(pair);
	flow_begin(&w->g, pair[1], a, port);
	assert_int_equal(w->g.failed, 0);
	turns(w, 3);
	return pair[0];
}

static bool asked(struct world *w, struct dial_request *ret)
{
	char bytes[DIAL_BYTES_MAX];
	int fds[2];
	size_t n_fds = 0;
	ssize_t n = recv(w->dial[1], bytes, sizeof(bytes), MSG_DONTWAIT | MSG_PEEK);

	if (n < 0)
		return false;
	n_fds = 2;
	n = io_recv_msg(w->dial[1], bytes, sizeof(bytes), fds, &n_fds);
	assert_true(n > 0);
	while (n_fds > 0)
		close(fds[--n_fds]);
	assert_int_equal(dial_request_decode(bytes, (size_t)n, ret), 0);
	return true;
}

static void expect_asked(struct world *w, struct dial_request *ret)
{
	for (uint64_t until = io_now_us() + PATIENCE_US; !asked(w, ret);)
		assert_true(waits(w, until));
}

static void answer(struct world *w, uint64_t id, enum dial_status status, int fd)
{
	struct dial_answer a = { .id = id, .status = status, .address = { 4, { 203, 0, 113, 5 } } };
	struct wire_writer out;

	assert_int_equal(dial_answer_encode(&a, &out), 0);
	assert_int_equal(io_send_msg(w->dial[1], out.buf.data, out.buf.len, &fd, fd >= 0 ? 1 : 0), 0);
	wire_writer_done(&out);
	turns(w, 3);
}

/* Dials for the gateway; returns the host's end. */
static int host_for(struct world *w, struct dial_request *q)
{
	int pair[2];

	expect_asked(w, q);
	tcp_pair(pair);
	answer(w, q->id, DIAL_OK, pair[1]);
	close(pair[1]);
	return pair[0];
}

static bool next_event(struct world *w, struct event *ret)
{
	char bytes[EVENT_BYTES_MAX];
	ssize_t n = recv(w->events[1], bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n > 0)
		assert_int_equal(event_decode(bytes, (size_t)n, ret), 0);
	return n > 0;
}

static void expect_event(struct world *w, struct event *ret)
{
	for (uint64_t until = io_now_us() + PATIENCE_US; !next_event(w, ret);)
		assert_true(waits(w, until));
}

/* What can be read once the gateway has had its turns: bytes, 0 at the end, -errno. */
static int hears(struct world *w, int fd, char *ret, size_t size)
{
	ssize_t n;

	for (uint64_t until = io_now_us() + PATIENCE_US; waits(w, until);) {
		n = recv(fd, ret, size, MSG_DONTWAIT);
		if (n >= 0 || errno != EAGAIN)
			break;
	}
	return n < 0 ? -errno : (int)n;
}

static void expect_bytes(struct world *w, int fd, const char *text)
{
	char got[256];

	assert_int_equal(hears(w, fd, got, sizeof(got)), strlen(text));
	assert_memory_equal(got, text, strlen(text));
}

static void expect_outcome(struct world *w, int fd, int outcome)
{
	char got[16];

	assert_int_equal(hears(w, fd, got, sizeof(got)), outcome);
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void bytes_pass_both_ways_and_half_closes_are_kept(void **state)
{
	struct dial_request q;
	struct event e;
	struct world w;

	begin(&w);
	int client = client_to(&w, &db, 5432), host = host_for(&w, &q);
	assert_int_equal(q.ask, DIAL_CONNECT);
	assert_string_equal(q.name, "db.example.com");
	assert_int_equal(q.port, 5432);
	assert_int_equal(q.grant, 1);
	assert_int_equal(q.address.family, 0);
	say(client, "hello");
	expect_bytes(&w, host, "hello");
	say(host, "who is it");
	expect_bytes(&w, client, "who is it");
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	expect_outcome(&w, host, 0);
	say(host, "late");
	expect_bytes(&w, client, "late");
	assert_false(next_event(&w, &e));
	close(host);
	expect_outcome(&w, client, 0);
	turns(&w, 2);
	expect_event(&w, &e);
	assert_int_equal(e.type, EVENT_NET_CLOSE);
	assert_string_equal(e.host, "db.example.com");
	assert_string_equal(e.address, "203.0.113.5");
	assert_string_equal(e.status, "ok");
	assert_int_equal(e.port, 5432);
	assert_int_equal(e.bytes_out, 5);
	assert_int_equal(e.bytes_in, 13);
	assert_int_equal(e.call_id, q.id);
	expect_no_connections(&w);
	close(client);
	end(&w);
}

static void what_was_said_before_the_host_was_there_is_not_lost(void **state)
{
	struct dial_request q;
	struct world w;

	begin(&w);
	int client = client_to(&w, &db, 5432);
	say(client, "early");
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	turns(&w, 3);
	int host = host_for(&w, &q);
	expect_bytes(&w, host, "early");
	expect_outcome(&w, host, 0);
	close(client);
	close(host);
	end(&w);
}

static void a_reset_is_passed_on_as_a_reset(void **state)
{
	struct linger now = { 1, 0 };

	for (int side = 0; side < 2; side++) {
		struct dial_request q;
		struct event e;
		struct world w;
		begin(&w);
		int fds[2] = { client_to(&w, &db, 5432), -1 };
		fds[1] = host_for(&w, &q);
		say(fds[0], "x");
		expect_bytes(&w, fds[1], "x");
		assert_int_equal(setsockopt(fds[side], SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
		close(fds[side]);
		expect_outcome(&w, fds[!side], -ECONNRESET);
		expect_event(&w, &e);
		assert_string_equal(e.status, "reset");
		close(fds[!side]);
		expect_no_connections(&w);
		end(&w);
	}
}

static void what_is_not_granted_is_reset_and_recorded_before(void **state)
{
	static const struct {
		const struct net_address *address;
		uint16_t port;
		const char *host;
	} cases[] = { { &nobody, 443, "" }, { &db, 22, "db.example.com" }, { &api, 5432, "api.example.com" } };
	struct dial_request q;
	struct event e;
	struct world w;

	begin(&w);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int client = client_to(&w, cases[i].address, cases[i].port);
		expect_outcome(&w, client, -ECONNRESET);
		assert_false(asked(&w, &q));
		expect_event(&w, &e);
		assert_int_equal(e.type, EVENT_NET_DENIED);
		assert_int_equal(e.decision, EVENT_DENY);
		assert_string_equal(e.host, cases[i].host);
		assert_int_equal(e.port, cases[i].port);
		close(client);
	}
	end(&w);
}

static void a_failure_upstream_is_a_reset(void **state)
{
	struct dial_request q;
	struct event e;
	struct world w;

	begin(&w);
	int client = client_to(&w, &db, 5432);
	expect_asked(&w, &q);
	answer(&w, q.id, DIAL_REFUSED, -1);
	expect_outcome(&w, client, -ECONNRESET);
	assert_false(next_event(&w, &e));
	assert_int_equal(w.g.n_conns, 0);
	close(client);
	end(&w);
}

/* A ClientHello with nothing but a name, in two records. */
static size_t client_hello(const char *name, unsigned char ret[256])
{
	size_t n = strlen(name), ext = 9 + n, body = 2 + 32 + 1 + 4 + 2 + 2 + ext, at = 0;
	const unsigned char head[] = { 1, 0, 0, (unsigned char)body, 3, 3 },
			    mid[] = { 0, 0, 2, 0x13, 1, 1, 0, 0, (unsigned char)ext, 0, 0, 0, (unsigned char)(n + 5), 0,
				    (unsigned char)(n + 3), 0, 0, (unsigned char)n };
	unsigned char m[256];

	memcpy(m, head, sizeof(head));
	memset(m + 6, 'r', 32);
	memcpy(m + 38, mid, sizeof(mid));
	memcpy(m + 38 + sizeof(mid), name, n);
	for (size_t i = 0; i < body + 4; i += 40) {
		size_t part = body + 4 - i < 40 ? body + 4 - i : 40;
		memcpy(ret + at, (unsigned char[]){ 22, 3, 1, 0, (unsigned char)part }, 5);
		memcpy(ret + at + 5, m + i, part);
		at += 5 + part;
	}
	return at;
}

static void the_hello_is_read_in_pieces_and_sent_on_whole(void **state)
{
	unsigned char hello[256], got[256];
	size_t n = client_hello("api.example.com", hello);
	struct dial_request q;
	struct world w;

	begin(&w);
	int client = client_to(&w, &api, 443);
	for (size_t i = 0; i < n; i++) {
		assert_false(asked(&w, &q));
		assert_int_equal(send(client, hello + i, 1, 0), 1);
		turns(&w, 2);
	}
	int host = host_for(&w, &q);
	assert_string_equal(q.name, "api.example.com");
	assert_int_equal(hears(&w, host, (char *)got, sizeof(got)), n);
	assert_memory_equal(got, hello, n);
	say(client, "more");
	expect_bytes(&w, host, "more");
	close(client);
	close(host);
	end(&w);
}

static void a_hello_for_another_host_is_answered_with_an_alert_and_recorded(void **state)
{
	unsigned char hello[256];
	size_t n = client_hello("evil.test", hello);
	struct dial_request q;
	struct event e;
	struct world w;
	char got[16];

	begin(&w);
	int client = client_to(&w, &api, 443);
	assert_int_equal(send(client, hello, n, 0), n);
	int heard = hears(&w, client, got, sizeof(got));
	assert_true(heard == 7 || heard == -ECONNRESET);
	assert_false(asked(&w, &q));
	expect_event(&w, &e);
	assert_int_equal(e.type, EVENT_NET_DENIED);
	assert_string_equal(e.rule, "demo.json:3 (network.allow)");
	assert_string_equal(e.reason, "the TLS ClientHello names another server (SNI): evil.test");
	close(client);
	client = client_to(&w, &api, 443);
	say(client, "GET / HTTP/1.1\r\n\r\n");
	expect_outcome(&w, client, -ECONNRESET);
	assert_false(asked(&w, &q));
	expect_event(&w, &e);
	assert_string_equal(e.reason, hello_words(HELLO_NOT_TLS));
	close(client);
	end(&w);
}

static void connections_end_when_their_time_is_over(void **state)
{
	struct dial_request q;
	struct event e;
	struct world w;

	begin(&w);
	w.config.limits.hello_ms = 1;
	int silent = client_to(&w, &api, 443);
	usleep(3000);
	expect_outcome(&w, silent, -ECONNRESET);
	expect_event(&w, &e);
	assert_string_equal(e.reason, hello_words(HELLO_MORE));
	int idle = client_to(&w, &db, 5432), host = host_for(&w, &q);
	turns(&w, 2);
	w.config.limits.idle_s = 0;
	expect_outcome(&w, idle, -ECONNRESET);
	expect_outcome(&w, host, -ECONNRESET);
	expect_event(&w, &e);
	assert_string_equal(e.status, "idle");
	int unanswered = client_to(&w, &db, 5432);
	expect_asked(&w, &q);
	w.config.limits.connect_ms = 1;
	TAILQ_FIRST(&w.g.timers[TIMER_CONNECT])->active_us -= 3 * FLOW_GRACE_US;
	expect_outcome(&w, unanswered, -ECONNRESET);
	expect_event(&w, &e);
	assert_string_equal(e.status, "time-out");
	answer(&w, q.id, DIAL_TIMEOUT, -1); /* late, and to nobody */
	assert_int_equal(w.g.n_asks, 0);
	close(silent);
	close(idle);
	close(host);
	close(unanswered);
	end(&w);
}

static void what_stands_because_it_is_observed_ends_with_that_and_nothing_else_does(void **state)
{
	struct dial_request q;
	struct event e;
	struct world w;

	begin(&w);
	struct net_grant more[] = { grants[0], grants[1], grants[1] };
	more[2].name = (char *)(uintptr_t) "api.example.com";
	more[2].observed = true;
	w.config.grants = more;
	w.config.n_grants = ARRAY_LEN(more);
	w.config.observe_until_us = io_boot_us() + 3600 * UINT64_C(1000000);
	int granted = client_to(&w, &db, 5432), its_host = host_for(&w, &q);
	assert_int_equal(q.grant, 1);
	int observed = client_to(&w, &api, 5432), host = host_for(&w, &q);
	assert_int_equal(q.grant, 2);
	say(observed, "hello");
	expect_bytes(&w, host, "hello");
	w.config.observe_until_us = io_boot_us();
	expect_outcome(&w, observed, -ECONNRESET);
	expect_outcome(&w, host, -ECONNRESET);
	expect_event(&w, &e);
	assert_string_equal(e.status, "observing has ended");
	say(granted, "still");
	expect_bytes(&w, its_host, "still");
	int late = client_to(&w, &api, 5432);
	expect_outcome(&w, late, -ECONNRESET);
	expect_event(&w, &e);
	assert_int_equal(e.type, EVENT_NET_DENIED);
	close(granted);
	close(its_host);
	close(observed);
	close(host);
	close(late);
	end(&w);
}

static void connections_beyond_the_limit_are_reset_and_recorded(void **state)
{
	int clients[3];
	struct event e;
	struct world w;

	begin(&w);
	w.config.limits.connections = 2;
	for (int i = 0; i < 3; i++)
		clients[i] = client_to(&w, &db, 5432);
	expect_outcome(&w, clients[2], -ECONNRESET);
	expect_event(&w, &e);
	assert_string_equal(e.rule, "network.limits.connections");
	assert_int_equal(w.g.n_conns, 2);
	for (int i = 0; i < 3; i++)
		close(clients[i]);
	end(&w);
}

static unsigned char pattern(size_t i)
{
	return (unsigned char)(i * 31 + (i >> 12));
}

/* Writes and reads as fast as either side takes it; the reader pauses, so that buffers fill. */
static void pass_bulk(struct world *w, int from, int to)
{
	unsigned char *buffer = malloc(1 << 16);
	size_t sent = 0, got = 0;
	uint64_t until = io_now_us() + PATIENCE_US;

	for (unsigned turn = 0; got < BULK && io_now_us() < until; turn++) {
		size_t n = BULK - sent < 1 << 16 ? BULK - sent : 1 << 16;
		for (size_t i = 0; i < n; i++)
			buffer[i] = pattern(sent + i);
		ssize_t r = n ? send(from, buffer, n, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;
		sent += r > 0 ? (size_t)r : 0;
		turns(w, 1);
		if (turn % 64 < 32 && sent < BULK)
			continue;
		r = recv(to, buffer, 1 << 16, MSG_DONTWAIT);
		for (ssize_t i = 0; i < r; i++)
			assert_int_equal(buffer[i], pattern(got + (size_t)i));
		got += r > 0 ? (size_t)r : 0;
	}
	assert_int_equal(got, BULK);
	free(buffer);
}

static void bulk_arrives_whole_past_a_slow_reader(void **state)
{
	for (int splicing = 0; splicing < 2; splicing++) {
		struct dial_request q;
		struct world w;
		begin(&w);
		w.g.splice_from = splicing ? 64 << 10 : UINT64_MAX;
		int client = client_to(&w, &db, 5432), host = host_for(&w, &q);
		pass_bulk(&w, client, host);
		pass_bulk(&w, host, client);
		assert_int_equal(w.g.n_pipes, splicing ? 2 : 0);
		const struct conn *c = TAILQ_FIRST(&w.g.timers[TIMER_IDLE]);
		assert_int_equal(c->out.total, BULK);
		assert_int_equal(c->in.total, BULK);
		close(client);
		close(host);
		expect_no_connections(&w);
		assert_int_equal(w.g.n_pipes, 0);
		end(&w);
	}
}

static void a_reader_that_stops_stops_the_writer(void **state)
{
	static char block[1 << 16];
	struct dial_request q;
	struct world w;
	size_t sent = 0;

	for (int splicing = 0; splicing < 2; splicing++) {
		begin(&w);
		w.g.splice_from = splicing ? 0 : UINT64_MAX;
		int client = client_to(&w, &db, 5432), host = host_for(&w, &q), stalled = 0;
		const struct conn *c = TAILQ_FIRST(&w.g.timers[TIMER_IDLE]);
		uint64_t until = io_now_us() + PATIENCE_US;
		for (sent = 0; !(stalled >= 100 && c->client.muted) && sent < 1 << 28 && io_now_us() < until;) {
			ssize_t n = send(client, block, sizeof(block), MSG_DONTWAIT | MSG_NOSIGNAL);
			stalled = n > 0 ? 0 : stalled + 1;
			sent += n > 0 ? (size_t)n : 0;
			turns(&w, 1);
		}
		assert_true(stalled >= 100);
		assert_true(c->out.kept.len - c->out.sent <= GATEWAY_SCRATCH);
		/* Nothing runs hot meanwhile: the loop would wait, and more to read does not wake it. */
		assert_true(c->client.muted);
		assert_false(c->upstream.muted);
		assert_true(flow_due(&w.g) > w.g.now_us);
		close(client);
		close(host);
		end(&w);
	}
}

static unsigned open_files(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < FDS_MAX; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void many_connections_leave_nothing_behind(void **state)
{
	struct dial_request q;
	struct event e;
	struct world w;
	int clients[MANY], hosts[MANY];
	char got[8];

	begin(&w);
	unsigned before = open_files();
	for (int i = 0; i < MANY; i++)
		clients[i] = client_to(&w, &db, 5432);
	for (int i = 0; i < MANY; i++) {
		hosts[i] = host_for(&w, &q);
		say(hosts[i], "hi");
	}
	for (int i = 0; i < MANY; i++)
		assert_int_equal(hears(&w, clients[i], got, sizeof(got)), 2);
	assert_int_equal(w.g.n_conns, MANY);
	for (int i = 0; i < MANY; i++) {
		close(i % 2 ? clients[i] : hosts[i]);
		turns(&w, 2);
		close(i % 2 ? hosts[i] : clients[i]);
		turns(&w, 2);
		while (next_event(&w, &e))
			assert_int_equal(e.type, EVENT_NET_CLOSE);
	}
	expect_no_connections(&w);
	assert_int_equal(w.g.n_asks, 0);
	assert_int_equal(open_files(), before);
	end(&w);
}

static void an_answer_to_nothing_or_a_dial_that_died_ends_the_program(void **state)
{
	struct dial_answer a = { .id = 77, .status = DIAL_OK };
	struct wire_writer out;
	struct world w;

	begin(&w);
	assert_int_equal(dial_answer_encode(&a, &out), 0);
	assert_int_equal(io_send_msg(w.dial[1], out.buf.data, out.buf.len, NULL, 0), 0);
	wire_writer_done(&out);
	assert_int_equal(gateway_turn(&w.g, 0), -EPROTO);
	end(&w);
	begin(&w);
	shutdown(w.dial[1], SHUT_RDWR);
	assert_int_equal(gateway_run(&w.g), -EPIPE);
	end(&w);
}

static void at_the_end_of_the_session_what_is_open_is_recorded(void **state)
{
	struct dial_request q;
	struct event e;
	struct world w;

	begin(&w);
	int client = client_to(&w, &db, 5432), host = host_for(&w, &q);
	assert_int_equal(shutdown(w.events[1], SHUT_WR), 0);
	assert_int_equal(gateway_run(&w.g), 0);
	expect_event(&w, &e);
	assert_int_equal(e.type, EVENT_NET_CLOSE);
	assert_string_equal(e.status, "session over");
	expect_outcome(&w, client, -ECONNRESET);
	close(client);
	close(host);
	end(&w);
	begin(&w);
	shutdown(w.events[1], SHUT_RDWR);
	assert_int_equal(gateway_run(&w.g), 0);
	end(&w);
}

static void a_published_port_takes_one_spare_a_connection(void **state)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), clients[2], pair[2];
	struct layout_source source = { { listener, flow_publish_ready }, 0 };
	struct dial_request q;
	struct event e;
	struct world w;

	begin(&w);
	w.config.publish[0] = 3000;
	w.config.n_publish = 1;
	tcp_pair(pair); /* the spare is connected by dial: here it is so from the beginning */
	w.g.spares[0].fds[w.g.spares[0].n++] = pair[1];
	assert_int_equal(bind(listener, (struct sockaddr *)&at, len) | listen(listener, 4) |
				 getsockname(listener, (struct sockaddr *)&at, &len),
		0);
	assert_int_equal(gateway_watch(&w.g, &source.source, 1), 0);
	for (int i = 0; i < 2; i++) {
		clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(clients[i], (struct sockaddr *)&at, len), 0);
		turns(&w, 3);
	}
	expect_asked(&w, &q);
	assert_int_equal(q.ask, DIAL_PUBLISH);
	assert_int_equal(q.port, 3000);
	answer(&w, q.id, DIAL_OK, -1);
	say(clients[0], "callback");
	expect_bytes(&w, pair[0], "callback");
	expect_outcome(&w, clients[1], -ECONNRESET);
	expect_event(&w, &e);
	assert_string_equal(e.rule, "network.publish");
	close(clients[0]);
	close(pair[0]);
	turns(&w, 5);
	expect_event(&w, &e);
	assert_int_equal(e.bytes_in, 8);
	close(clients[1]);
	close(listener);
	end(&w);
}

static void a_spare_that_was_refused_serves_again(void **state)
{
	struct ask like = { .what = DIAL_PUBLISH, .port = 3000 };
	struct dial_request q;
	struct world w;

	begin(&w);
	w.config.publish[0] = 3000;
	w.config.n_publish = 1;
	for (unsigned i = 0; i <= GATEWAY_REUSED_MAX; i++) {
		like.fd = w.g.spares[0].n ? w.g.spares[0].fds[--w.g.spares[0].n]
					  : socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_non_null(ask_new(&w.g, &like));
		expect_asked(&w, &q);
		answer(&w, q.id, DIAL_REFUSED, -1);
		turns(&w, 2);
		assert_int_equal(w.g.spares[0].n, i < GATEWAY_REUSED_MAX);
	}
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_pass_both_ways_and_half_closes_are_kept),
		cmocka_unit_test(what_was_said_before_the_host_was_there_is_not_lost),
		cmocka_unit_test(a_reset_is_passed_on_as_a_reset),
		cmocka_unit_test(what_is_not_granted_is_reset_and_recorded_before),
		cmocka_unit_test(a_failure_upstream_is_a_reset),
		cmocka_unit_test(the_hello_is_read_in_pieces_and_sent_on_whole),
		cmocka_unit_test(a_hello_for_another_host_is_answered_with_an_alert_and_recorded),
		cmocka_unit_test(connections_end_when_their_time_is_over),
		cmocka_unit_test(what_stands_because_it_is_observed_ends_with_that_and_nothing_else_does),
		cmocka_unit_test(connections_beyond_the_limit_are_reset_and_recorded),
		cmocka_unit_test(bulk_arrives_whole_past_a_slow_reader),
		cmocka_unit_test(a_reader_that_stops_stops_the_writer),
		cmocka_unit_test(many_connections_leave_nothing_behind),
		cmocka_unit_test(an_answer_to_nothing_or_a_dial_that_died_ends_the_program),
		cmocka_unit_test(at_the_end_of_the_session_what_is_open_is_recorded),
		cmocka_unit_test(a_published_port_takes_one_spare_a_connection),
		cmocka_unit_test(a_spare_that_was_refused_serves_again),
	};

	return cmocka_run_group_tests_name("gateway_flow", tests, NULL, NULL);
}
