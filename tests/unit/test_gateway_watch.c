/* SPDX-License-Identifier: Apache-2.0 */
/* test_gateway_watch - which of the packets that nobody takes are recorded, and as what */
#include "tests/unit/unit.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/io.h"
#include "gateway/watch.h"

#define W	.where = (char *)(uintptr_t) "demo.json:3 (network.allow)"
#define N(text) .name = (char *)(uintptr_t)(text)

enum { SYN = 0x02, ACK = 0x10, PACKET = 64 };

static struct net_grant grants[] = {
	{ .kind = NET_NAME, N("api.example.com"), .ports = { 443 }, .n_ports = 1, .sni = true, W },
	{ .kind = NET_NAME, N("db.example.com"), .ports = { 5432 }, .n_ports = 1, W },
	/* Of a port that many addresses have there is one listener, on every address of the family. */
	{ .kind = NET_PREFIX, .address = { 4, { 10, 2 } }, .prefix = 16, .ports = { 9000 }, .n_ports = 1, W },
};
/* What stands for the first name; an address that stands for none; one of the range. */
static const struct net_address api = { 4, { 198, 18, 0, 16 } }, nobody = { 4, { 192, 0, 2, 7 } },
				loopback = { 4, { 127, 0, 0, 1 } }, six = { 6, { 0x20, 1, 0xd, 0xb8, [15] = 9 } };

struct world {
	struct net_config config;
	struct gateway g;
	struct source source;
	int events[2], dial[2], packets[2];
};

/* Datagrams of any number, as from a socket that sees packets. */
static void packet_pair(int ret[2])
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(at);

	for (int i = 0; i < 2; i++) {
		ret[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		assert_true(ret[i] >= 0);
	}
	assert_int_equal(bind(ret[0], (struct sockaddr *)&at, n), 0);
	assert_int_equal(getsockname(ret[0], (struct sockaddr *)&at, &n), 0);
	assert_int_equal(connect(ret[1], (struct sockaddr *)&at, n), 0);
}

static int world_up(void **state)
{
	static struct world w;

	w = (struct world){ .config = {
				    .grants = grants, .n_grants = ARRAY_LEN(grants), .limits = net_limits_default() } };
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, w.events), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, w.dial), 0);
	packet_pair(w.packets);
	assert_int_equal(gateway_init(&w.g, &w.config, w.events[0], w.dial[0], io_now_us()), 0);
	w.source.fd = w.packets[0];
	*state = &w;
	return 0;
}

static int world_down(void **state)
{
	struct world *w = *state;

	gateway_done(&w->g);
	for (int i = 0; i < 2; i++) {
		close(w->events[i]);
		close(w->dial[i]);
		close(w->packets[i]);
	}
	return 0;
}

static size_t make(unsigned char *p, const struct net_address *to, int protocol, uint16_t port, int flags)
{
	size_t header = to->family == 4 ? 20 : 40;

	memset(p, 0, PACKET);
	p[0] = to->family == 4 ? 0x45 : 0x60;
	p[to->family == 4 ? 9 : 6] = (unsigned char)protocol;
	memcpy(p + (to->family == 4 ? 16 : 24), to->bytes, to->family == 4 ? 4 : 16);
	p[header + 2] = (unsigned char)(port >> 8);
	p[header + 3] = (unsigned char)port;
	p[header + 13] = (unsigned char)flags;
	return header + 20;
}

static void arrive(struct world *w, const struct net_address *to, int protocol, uint16_t port, int flags)
{
	unsigned char p[PACKET];
	size_t n = make(p, to, protocol, port, flags);

	assert_int_equal(send(w->packets[1], p, n, 0), n);
}

static bool recorded(struct world *w, struct event *ret)
{
	static char bytes[EVENT_BYTES_MAX];
	ssize_t n = recv(w->events[1], bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n <= 0)
		return false;
	assert_int_equal(event_decode(bytes, (size_t)n, ret), 0);
	return true;
}

static void first_packets_that_nothing_takes_are_recorded(void **state)
{
	/* Each with a port of its own: of two that are alike only the first is told at once. */
	static const struct {
		const struct net_address *to;
		int protocol;
		uint16_t port;
		int flags;
		const char *protocol_name, *host, *address, *reason; /* protocol_name NULL: nothing */
	} cases[] = {
		/* A listener takes it, and decides. */
		{ &api, IPPROTO_TCP, 443, SYN, NULL, NULL, NULL, NULL },
		{ &nobody, IPPROTO_TCP, 9000, SYN, NULL, NULL, NULL, NULL },
		{ &six, IPPROTO_TCP, 9000, SYN, "tcp", "", "2001:db8::9", "" },
		{ &api, IPPROTO_TCP, 80, SYN, "tcp", "api.example.com", "", "" },
		{ &nobody, IPPROTO_TCP, 80, SYN, "tcp", "", "192.0.2.7", "" },
		{ &six, IPPROTO_TCP, 443, SYN, "tcp", "", "2001:db8::9", "" },
		{ &api, IPPROTO_UDP, 443, 0, "udp", "api.example.com", "", "no UDP leaves the sandbox" },
		{ &nobody, IPPROTO_UDP, 53, 0, "udp", "", "192.0.2.7", "no UDP leaves the sandbox" },
		/* The server's own business, not the first of a connection, or no connection at all. */
		{ &loopback, IPPROTO_TCP, 80, SYN, NULL, NULL, NULL, NULL },
		{ &loopback, IPPROTO_UDP, 80, 0, NULL, NULL, NULL, NULL },
		{ &nobody, IPPROTO_TCP, 81, SYN | ACK, NULL, NULL, NULL, NULL },
		{ &nobody, IPPROTO_TCP, 82, ACK, NULL, NULL, NULL, NULL },
		{ &nobody, IPPROTO_ICMP, 83, SYN, NULL, NULL, NULL, NULL },
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct event e = { 0 };
		arrive(w, cases[i].to, cases[i].protocol, cases[i].port, cases[i].flags);
		watch_ready(&w->g, &w->source, 0);
		assert_int_equal(w->g.failed, 0);
		bool any = recorded(w, &e);
		if (any != (cases[i].protocol_name != NULL))
			fail_msg("case %zu: %s", i, any ? e.reason : "nothing");
		if (!any)
			continue;
		assert_int_equal(e.type, EVENT_NET_DENIED);
		assert_int_equal(e.decision, EVENT_DENY);
		assert_string_equal(e.protocol, cases[i].protocol_name);
		assert_int_equal(e.port, cases[i].port);
		if (strcmp(e.host, cases[i].host) != 0 ||
			(*cases[i].address && strcmp(e.address, cases[i].address) != 0))
			fail_msg("case %zu: '%s' '%s'", i, e.host, e.address);
		if (!strstr(e.reason, cases[i].reason))
			fail_msg("case %zu: %s", i, e.reason);
		assert_false(recorded(w, &e));
	}
}

static void what_is_no_whole_packet_says_nothing(void **state)
{
	struct world *w = *state;
	unsigned char p[PACKET];
	struct event e;
	size_t n;

	for (int family = 0; family < 2; family++) {
		n = make(p, family ? &six : &nobody, IPPROTO_UDP, 53, 0);
		for (size_t cut = 0; cut < n - 16; cut++) {
			assert_int_equal(send(w->packets[1], p, cut, 0), cut);
			watch_ready(&w->g, &w->source, 0);
			if (recorded(w, &e))
				fail_msg("%zu bytes are believed", cut);
		}
	}
	n = make(p, &nobody, IPPROTO_UDP, 53, 0);
	/* A later piece of a packet has no port where the first has one. */
	p[7] = 1;
	assert_int_equal(send(w->packets[1], p, n, 0), n);
	watch_ready(&w->g, &w->source, 0);
	assert_false(recorded(w, &e));
}

static size_t left_over(struct world *w)
{
	unsigned char p[PACKET];
	size_t n = 0;

	while (recv(w->packets[0], p, sizeof(p), MSG_DONTWAIT) > 0)
		n++;
	return n;
}

static void a_flood_holds_up_no_turn(void **state)
{
	struct world *w = *state;

	for (uint16_t i = 0; i < WATCH_A_TURN + 20; i++)
		arrive(w, &nobody, IPPROTO_UDP, (uint16_t)(1000 + i), 0);
	watch_ready(&w->g, &w->source, 0);
	assert_int_equal(left_over(w), 20);
}

static void a_supervisor_that_is_gone_ends_the_watch(void **state)
{
	struct world *w = *state;

	close(w->events[1]);
	w->events[1] = -1;
	arrive(w, &nobody, IPPROTO_UDP, 53, 0);
	arrive(w, &nobody, IPPROTO_UDP, 54, 0);
	watch_ready(&w->g, &w->source, 0);
	assert_true(w->g.failed < 0);
	assert_int_equal(left_over(w), 1);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, world_up, world_down)
	const struct CMUnitTest tests[] = {
		CASE(first_packets_that_nothing_takes_are_recorded),
		CASE(what_is_no_whole_packet_says_nothing),
		CASE(a_flood_holds_up_no_turn),
		CASE(a_supervisor_that_is_gone_ends_the_watch),
	};

	return cmocka_run_group_tests_name("the gateway's watch", tests, NULL, NULL);
}
