/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_network - what a server with granted hosts can connect to, seen from both sides: the probe inside, and this
 * program in the place of the gateway, which gets the sockets
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>
#include "base/io.h"
#include "tests/enter/launch.h"
#include "wire/fds.h"

enum { WAIT_MS = 5000 };

struct received {
	int fds[NET_SOCKETS_MAX];
	size_t n;
};

static void receive(struct launch *l, const struct plan *p, struct received *ret)
{
	ret->n = 0;
	while (ret->n < p->network.n_sockets) {
		unsigned char present[SOCKETS_FDS_MAX];
		int fds[SOCKETS_FDS_MAX];
		size_t n_fds = SOCKETS_FDS_MAX, used = 0;
		long n = io_recv_msg(l->sockets, present, sizeof(present), fds, &n_fds);
		assert_true(n > 0);
		for (long i = 0; i < n; i++)
			ret->fds[ret->n++] = present[i] == SOCKETS_PRESENT ? fds[used++] : -1;
		assert_int_equal(used, n_fds);
	}
	assert_int_equal(ret->n, p->network.n_sockets);
}

static void received_done(struct received *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->fds[i] >= 0)
			close(r->fds[i]);
	r->n = 0;
}

/* The listener that was made for the address. */
static int listener(const struct plan *p, const struct received *r, const char *address, uint16_t port)
{
	char text[NET_ADDRESS_TEXT];

	for (size_t i = 0; i < r->n; i++) {
		const struct net_socket *s = &p->network.sockets[i];
		if (s->kind == NET_SOCKET_LISTEN && s->port == port &&
			strcmp(net_address_text(&s->address, text, sizeof(text)), address) == 0)
			return r->fds[i];
	}
	fail_msg("no listener on %s port %u", address, port);
	return -1;
}

/* A connection waits at the listener, and was made to the address. */
static void expect_connection(int fd, const char *address, uint16_t port)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct sockaddr_storage to;
	socklen_t len = sizeof(to);
	char text[NET_ADDRESS_TEXT];
	uint16_t got;

	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	_cleanup_close_ int connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	assert_true(connection >= 0);
	assert_int_equal(getsockname(connection, (struct sockaddr *)&to, &len), 0);
	struct net_address a = net_address_from_sockaddr(&to, &got);
	assert_string_equal(net_address_text(&a, text, sizeof(text)), address);
	assert_int_equal(got, port);
}

static void run(
	struct launch *l, struct plan *p, enum net_addresses addresses, const char *const *words, struct received *r)
{
	launch_plan(p, PROBE_BINARY, NULL);
	launch_network(p, addresses);
	launch_probe(l, p, words, 0);
	receive(l, p, r);
}

static void what_is_granted_is_connected_to_sockets_that_are_outside(void **state)
{
	_cleanup_plan_ struct plan p = { 0 };
	_cleanup_launch_ struct launch l = { 0 };
	_cleanup_(received_done) struct received r = { .n = 0 };

	run(&l, &p, NET_BENCHMARK,
		(const char *[]){ "connect", "198.18.0.16:80", "connect", "198.18.0.16:443", "connect",
			"198.18.77.1:8443", "connect", "10.2.200.7:5432", "connect", "2001:db8::77:443", "connect",
			"127.0.0.1:631", "connect", "::1:631", NULL },
		&r);
	launch_expect_line(&l, "connect 198.18.0.16:80 ok");
	launch_expect_line(&l, "connect 198.18.0.16:443 ok");
	launch_expect_line(&l, "connect 198.18.77.1:8443 ok");
	launch_expect_line(&l, "connect 10.2.200.7:5432 ok");
	launch_expect_line(&l, "connect 2001:db8::77:443 ok");
	launch_expect_line(&l, "connect 127.0.0.1:631 ok");
	launch_expect_line(&l, "connect ::1:631 ok");
	expect_connection(listener(&p, &r, "198.18.0.16", 80), "198.18.0.16", 80);
	expect_connection(listener(&p, &r, "198.18.0.16", 443), "198.18.0.16", 443);
	expect_connection(listener(&p, &r, "0.0.0.0", 8443), "198.18.77.1", 8443);
	expect_connection(listener(&p, &r, "0.0.0.0", 5432), "10.2.200.7", 5432);
	expect_connection(listener(&p, &r, "::", 443), "2001:db8::77", 443);
	expect_connection(listener(&p, &r, "127.0.0.1", 631), "127.0.0.1", 631);
	expect_connection(listener(&p, &r, "::1", 631), "::1", 631);
}

static void what_is_not_granted_has_no_route_or_no_listener(void **state)
{
	_cleanup_plan_ struct plan p = { 0 };
	_cleanup_launch_ struct launch l = { 0 };
	_cleanup_(received_done) struct received r = { .n = 0 };

	run(&l, &p, NET_BENCHMARK,
		(const char *[]){ "connect", "192.0.2.1:80", "connect", "169.254.169.254:80", "connect",
			"10.3.0.1:5432", "connect", "2001:db9::1:443", "connect", "198.18.0.16:22", "connect",
			"10.2.0.1:80", "connect", "127.0.0.1:80", "datagram", "192.0.2.1:53", NULL },
		&r);
	launch_expect_line(&l, "connect 192.0.2.1:80 ENETUNREACH");
	launch_expect_line(&l, "connect 169.254.169.254:80 ENETUNREACH");
	launch_expect_line(&l, "connect 10.3.0.1:5432 ENETUNREACH");
	launch_expect_line(&l, "connect 2001:db9::1:443 ENETUNREACH");
	launch_expect_line(&l, "connect 198.18.0.16:22 ECONNREFUSED");
	launch_expect_line(&l, "connect 10.2.0.1:80 ECONNREFUSED");
	launch_expect_line(&l, "connect 127.0.0.1:80 ECONNREFUSED");
	launch_expect_line(&l, "datagram 192.0.2.1:53 ENETUNREACH");
}

static void the_server_cannot_take_a_port_of_the_gateway(void **state)
{
	_cleanup_plan_ struct plan p = { 0 };
	_cleanup_launch_ struct launch l = { 0 };
	_cleanup_(received_done) struct received r = { .n = 0 };

	run(&l, &p, NET_BENCHMARK,
		(const char *[]){ "listen", "0.0.0.0:8443", "listen", "198.18.0.99:8443", "listen", "10.2.0.1:5432",
			"listen", "198.18.0.1:53", "listen", "127.0.0.1:9999", NULL },
		&r);
	launch_expect_line(&l, "listen 0.0.0.0:8443 EADDRINUSE");
	launch_expect_line(&l, "listen 198.18.0.99:8443 EADDRINUSE");
	launch_expect_line(&l, "listen 10.2.0.1:5432 EADDRINUSE");
	launch_expect_line(&l, "listen 198.18.0.1:53 EACCES");
	launch_expect_line(&l, "listen 127.0.0.1:9999 ok");
}

/* Destination address and port of the next packet that the watch saw; IPv4. */
static bool watched(int fd, char *text, size_t size)
{
	unsigned char packet[128];
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n;

	if (poll(&p, 1, 0) != 1)
		return false;
	n = recv(fd, packet, sizeof(packet), 0);
	assert_true(n >= 28);
	assert_int_equal(packet[0] >> 4, 4);
	size_t header = (size_t)(packet[0] & 15) * 4;
	snprintf(text, size, "%s %d.%d.%d.%d:%d", packet[9] == IPPROTO_TCP ? "tcp" : "udp", packet[16], packet[17],
		packet[18], packet[19], packet[header + 2] << 8 | packet[header + 3]);
	return true;
}

static void the_watch_sees_first_packets_once_and_nothing_of_the_servers_own(void **state)
{
	static const char *const expected[] = { "tcp 198.18.0.16:22", "tcp 198.18.0.16:443", "udp 198.18.0.16:443" };
	_cleanup_plan_ struct plan p = { 0 };
	_cleanup_launch_ struct launch l = { 0 };
	_cleanup_(received_done) struct received r = { .n = 0 };
	char text[64];
	int watch = -1;

	run(&l, &p, NET_BENCHMARK,
		(const char *[]){ "connect", "198.18.0.16:22", "connect", "127.0.0.1:22", "datagram", "127.0.0.1:7",
			"connect", "198.18.0.16:443", "datagram", "198.18.0.1:53", "datagram", "198.18.0.16:443",
			NULL },
		&r);
	for (size_t i = 0; i < r.n; i++)
		if (p.network.sockets[i].kind == NET_SOCKET_WATCH)
			watch = r.fds[i];
	assert_true(watch >= 0);
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		assert_true(watched(watch, text, sizeof(text)));
		assert_string_equal(text, expected[i]);
	}
	assert_false(watched(watch, text, sizeof(text)));
	assert_int_equal(setsockopt(watch, SOL_SOCKET, SO_DETACH_FILTER, &(int){ 0 }, sizeof(int)), -1);
	assert_int_equal(errno, EPERM);
}

static void with_real_addresses_every_address_is_ours_and_only_granted_ports_answer(void **state)
{
	_cleanup_plan_ struct plan p = { 0 };
	_cleanup_launch_ struct launch l = { 0 };
	_cleanup_(received_done) struct received r = { .n = 0 };

	run(&l, &p, NET_REAL,
		(const char *[]){
			"connect", "192.0.2.1:443", "connect", "192.0.2.1:22", "connect", "127.0.0.1:22", NULL },
		&r);
	launch_expect_line(&l, "connect 192.0.2.1:443 ok");
	launch_expect_line(&l, "connect 192.0.2.1:22 ECONNREFUSED");
	launch_expect_line(&l, "connect 127.0.0.1:22 ECONNREFUSED");
	expect_connection(listener(&p, &r, "0.0.0.0", 443), "192.0.2.1", 443);
}

/* Spares are non-blocking: whether it worked is known when the socket is writable (connect(2)). */
static void expect_connected(int fd, const struct sockaddr_in *at)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int error = -1;
	socklen_t n = sizeof(error);

	assert_true(connect(fd, (const struct sockaddr *)at, sizeof(*at)) == 0 || errno == EINPROGRESS);
	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n), 0);
	assert_int_equal(error, 0);
}

static void a_spare_socket_connects_to_the_servers_loopback_and_not_to_the_hosts(void **state)
{
	_cleanup_plan_ struct plan p = { 0 };
	_cleanup_launch_ struct launch l = { 0 };
	_cleanup_(received_done) struct received r = { .n = 0 };
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons(8080), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};
	size_t spares = 0;

	launch_plan(&p, PROBE_BINARY, NULL);
	launch_network(&p, NET_BENCHMARK);
	assert_int_equal(strv_add(&p.argv, "hold"), 0);
	assert_int_equal(strv_add(&p.argv, "127.0.0.1:8080"), 0);
	launch_start(&l, &p, NULL);
	assert_non_null(launch_until(&l, REPORT_READY));
	receive(&l, &p, &r);
	launch_release(&l);
	char line[32];
	assert_true(read(l.out, line, sizeof(line)) > 0);
	for (size_t i = 0; i < r.n; i++) {
		if (p.network.sockets[i].kind != NET_SOCKET_SPARE)
			continue;
		spares++;
		if (spares == 1)
			expect_connected(r.fds[i], &at);
	}
	assert_int_equal(spares, NET_SPARES);
	/* The control: the same from outside finds nobody. */
	_cleanup_close_ int outside = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(outside, (struct sockaddr *)&at, sizeof(at)), -1);
}

static void without_a_network_nothing_is_handed_out(void **state)
{
	_cleanup_plan_ struct plan p = { 0 };
	_cleanup_launch_ struct launch l = { 0 };

	launch_plan(&p, PROBE_BINARY, NULL);
	launch_probe(&l, &p, (const char *[]){ "connect", "198.18.0.16:443", "descriptors", NULL }, 0);
	launch_expect_line(&l, "connect 198.18.0.16:443 ENETUNREACH");
	launch_expect_line(&l, "fds 0 1 2");
}

static void a_server_with_a_network_finds_no_more_descriptors_open_than_one_without(void **state)
{
	_cleanup_plan_ struct plan p = { 0 };
	_cleanup_launch_ struct launch l = { 0 };
	_cleanup_(received_done) struct received r = { .n = 0 };

	run(&l, &p, NET_BENCHMARK, (const char *[]){ "descriptors", NULL }, &r);
	launch_expect_line(&l, "fds 0 1 2");
}

static void a_gateway_that_is_gone_fails_the_launch_by_the_stages_name(void **state)
{
	_cleanup_plan_ struct plan p = { 0 };
	_cleanup_launch_ struct launch l = { 0 };
	const struct report *failed;

	launch_plan(&p, PROBE_BINARY, NULL);
	launch_network(&p, NET_BENCHMARK);
	launch_start(&l, &p, NULL);
	close(steal_fd(&l.sockets));
	(void)launch_finish(&l);
	failed = launch_find(&l, REPORT_FAILED);
	assert_non_null(failed);
	assert_int_equal(failed->stage, ENTER_STAGE_NETWORK);
	assert_int_equal(l.output.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_granted_is_connected_to_sockets_that_are_outside),
		cmocka_unit_test(what_is_not_granted_has_no_route_or_no_listener),
		cmocka_unit_test(the_server_cannot_take_a_port_of_the_gateway),
		cmocka_unit_test(the_watch_sees_first_packets_once_and_nothing_of_the_servers_own),
		cmocka_unit_test(with_real_addresses_every_address_is_ours_and_only_granted_ports_answer),
		cmocka_unit_test(a_spare_socket_connects_to_the_servers_loopback_and_not_to_the_hosts),
		cmocka_unit_test(without_a_network_nothing_is_handed_out),
		cmocka_unit_test(a_server_with_a_network_finds_no_more_descriptors_open_than_one_without),
		cmocka_unit_test(a_gateway_that_is_gone_fails_the_launch_by_the_stages_name),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("network", tests, NULL, NULL);
}
