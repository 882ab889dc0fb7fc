/* SPDX-License-Identifier: Apache-2.0 */
/* test_gateway_sockets - what enter hands out is believed only where it is what the layout says */
#include "tests/unit/unit.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/io.h"
#include "gateway/sockets.h"
#include "wire/fds.h"

static const struct net_address home = { 4, { 127, 0, 0, 1 } }, elsewhere = { 4, { 127, 0, 0, 2 } },
				home6 = { 6, { [15] = 1 } }, every6 = { .family = 6 };

static uint16_t port_of(int fd)
{
	struct sockaddr_storage sa;
	socklen_t n = sizeof(sa);
	uint16_t port;

	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &n), 0);
	(void)net_address_from_sockaddr(&sa, &port);
	return port;
}

static int bound(int family, int type)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 at6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(
		bind(fd, family == AF_INET ? (void *)&at : (void *)&at6, family == AF_INET ? sizeof(at) : sizeof(at6)),
		0);
	return fd;
}

static int udp(void)
{
	return bound(AF_INET, SOCK_DGRAM);
}

static int tcp_bound(void)
{
	return bound(AF_INET, SOCK_STREAM);
}

static int listener(void)
{
	int fd = tcp_bound();

	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

static int spare(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int spare_of_mptcp(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);
}

static int listener6(struct in6_addr address, int alone)
{
	struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_addr = address };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &alone, sizeof(alone)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

static int listener6_alone(void)
{
	return listener6(in6addr_loopback, 1);
}

static int any6_alone(void)
{
	return listener6(in6addr_any, 1);
}

/* The kernel makes any other address one for IPv6 alone. */
static int any6_for_both(void)
{
	return listener6(in6addr_any, 0);
}

static int a_file(void)
{
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

static int unix_listener(void)
{
	struct sockaddr_un_short {
		sa_family_t family;
	} at = { AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

static bool is_nonblocking(int fd)
{
	return fcntl(fd, F_GETFL) & O_NONBLOCK;
}

/* The port is the socket's own unless another is said. */
static void each_socket_is_what_its_row_says_or_refused(void **state)
{
	static const struct {
		const char *what;
		int (*make)(void);
		enum net_socket_kind kind;
		const struct net_address *address;
		bool other_port, good;
	} cases[] = {
		{ "a UDP socket for DNS", udp, NET_SOCKET_DNS_UDP, &home, false, true },
		{ "a UDP socket at another port", udp, NET_SOCKET_DNS_UDP, &home, true, false },
		{ "a UDP socket at another address", udp, NET_SOCKET_DNS_UDP, &elsewhere, false, false },
		{ "a TCP socket for DNS over UDP", tcp_bound, NET_SOCKET_DNS_UDP, &home, false, false },
		{ "a file for DNS", a_file, NET_SOCKET_DNS_UDP, &home, false, false },
		{ "a listener for DNS", listener, NET_SOCKET_DNS_TCP, &home, false, true },
		{ "a UDP socket for DNS over TCP", udp, NET_SOCKET_DNS_TCP, &home, false, false },
		{ "a listener", listener, NET_SOCKET_LISTEN, &home, false, true },
		{ "a listener at another port", listener, NET_SOCKET_LISTEN, &home, true, false },
		{ "a listener at another address", listener, NET_SOCKET_LISTEN, &elsewhere, false, false },
		{ "one that does not listen", tcp_bound, NET_SOCKET_LISTEN, &home, false, false },
		{ "one of IPv6 for IPv4", listener6_alone, NET_SOCKET_LISTEN, &home, false, false },
		{ "a listener of IPv6", listener6_alone, NET_SOCKET_LISTEN, &home6, false, true },
		{ "a listener on every address", any6_alone, NET_SOCKET_LISTEN, &every6, false, true },
		{ "one that takes IPv4 as well", any6_for_both, NET_SOCKET_LISTEN, &every6, false, false },
		{ "one on every address for one", any6_alone, NET_SOCKET_LISTEN, &home6, false, false },
		{ "one of IPv4 for IPv6", listener, NET_SOCKET_LISTEN, &home6, false, false },
		{ "a unix socket", unix_listener, NET_SOCKET_LISTEN, &home, false, false },
		{ "a spare", spare, NET_SOCKET_SPARE, &home, false, true },
		{ "a spare that may use several ways", spare_of_mptcp, NET_SOCKET_SPARE, &home, false, false },
		{ "a spare that is bound", tcp_bound, NET_SOCKET_SPARE, &home, false, false },
		{ "a spare that listens", listener, NET_SOCKET_SPARE, &home, false, false },
		{ "a UDP socket to watch", udp, NET_SOCKET_WATCH, &home, false, false },
		{ "a file to watch", a_file, NET_SOCKET_WATCH, &home, false, false },
		{ "no kind at all", listener, NET_SOCKET_KIND_COUNT, &home, false, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_close_ int fd = cases[i].make();
		struct net_socket s = { .kind = cases[i].kind, .address = *cases[i].address };
		assert_true(fd >= 0);
		if (cases[i].make != a_file && cases[i].make != unix_listener && cases[i].make != spare &&
			cases[i].make != spare_of_mptcp)
			s.port = (uint16_t)(port_of(fd) ^ cases[i].other_port);
		assert_false(is_nonblocking(fd));
		int r = sockets_check(fd, &s);
		if (r != (cases[i].good ? 0 : -EPROTO))
			fail_msg("%s: %d", cases[i].what, r);
		assert_int_equal(is_nonblocking(fd), cases[i].good);
	}
}

/* In a network of its own, where packets may be looked at. */
static int watch_in_child(void)
{
	const struct net_socket s = { .kind = NET_SOCKET_WATCH };

	if (unshare(geteuid() == 0 ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return 1;
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0), raw = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0 || raw < 0)
		return 2;
	/* Until then whoever has it could put in a filter that lets everything through. */
	if (sockets_check(fd, &s) != -EPROTO)
		return 3;
	if (setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &(int){ 1 }, sizeof(int)) < 0 ||
		setsockopt(raw, SOL_SOCKET, SO_LOCK_FILTER, &(int){ 1 }, sizeof(int)) < 0)
		return 4;
	if (sockets_check(fd, &s) != 0 || !is_nonblocking(fd))
		return 5;
	int other = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (setsockopt(other, SOL_SOCKET, SO_LOCK_FILTER, &(int){ 1 }, sizeof(int)) < 0)
		return 6;
	return sockets_check(raw, &s) == -EPROTO && sockets_check(other, &s) == -EPROTO ? 0 : 7;
}

static void a_socket_that_watches_has_its_filter_locked(void **state)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(watch_in_child());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static int any_address(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

static void a_published_port_is_on_this_machine_alone(void **state)
{
	static const struct {
		int (*make)(void);
		bool good;
	} cases[] = { { listener, true }, { any_address, false }, { tcp_bound, false }, { udp, false },
		{ listener6_alone, false }, { a_file, false } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_close_ int fd = cases[i].make();
		assert_int_equal(sockets_check_publish(fd), cases[i].good ? 0 : -EPROTO);
		assert_int_equal(is_nonblocking(fd), cases[i].good);
	}
}

/* A layout of a listener, a spare and a listener of IPv6, and the socket pair that they come through. */
struct handover {
	struct net_socket sockets[3];
	struct net_layout layout;
	int made[3], got[3], pair[2];
	struct diag d;
};

static void begin(struct handover *h)
{
	*h = (struct handover){ .made = { listener(), spare(), listener6_alone() } };
	h->sockets[0] = (struct net_socket){ NET_SOCKET_LISTEN, home, port_of(h->made[0]) };
	h->sockets[1] = (struct net_socket){ .kind = NET_SOCKET_SPARE };
	h->sockets[2] = (struct net_socket){ NET_SOCKET_LISTEN, home6, port_of(h->made[2]) };
	h->layout = (struct net_layout){ .sockets = h->sockets, .n_sockets = 3 };
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, h->pair), 0);
}

static void end(struct handover *h)
{
	for (size_t i = 0; i < 3; i++) {
		close(h->made[i]);
		if (h->got[i] > 0)
			close(h->got[i]);
	}
	close(h->pair[0]);
	if (h->pair[1] >= 0)
		close(h->pair[1]);
}

/* What is present, as bytes, and the numbers of those that come with it. */
static void hand(const struct handover *h, const char *present, size_t n, const char *which)
{
	int fds[8];
	size_t n_fds = 0;

	for (; *which; which++)
		fds[n_fds++] = h->made[*which - '0'];
	assert_int_equal(io_send_msg(h->pair[1], present, n, fds, n_fds), 0);
}

static int receive(struct handover *h)
{
	if (h->pair[1] >= 0)
		close(h->pair[1]);
	h->pair[1] = -1;
	return sockets_receive(h->pair[0], &h->layout, h->got, &h->d);
}

static const char all[] = { SOCKETS_PRESENT, SOCKETS_PRESENT, SOCKETS_PRESENT };

static void what_is_handed_over_arrives_in_its_place(void **state)
{
	struct handover h;

	begin(&h);
	hand(&h, all, 3, "012");
	assert_int_equal(receive(&h), 0);
	assert_int_equal(port_of(h.got[0]), h.sockets[0].port);
	assert_int_equal(port_of(h.got[2]), h.sockets[2].port);
	end(&h);
	/* In parcels, and without IPv6. */
	static const char last[] = { SOCKETS_PRESENT, SOCKETS_ABSENT };
	begin(&h);
	hand(&h, all, 1, "0");
	hand(&h, last, 2, "1");
	assert_int_equal(receive(&h), 0);
	assert_int_equal(h.got[2], -1);
	end(&h);
}

static int open_files(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void a_handover_that_is_not_the_layouts_is_refused_with_nothing_left_open(void **state)
{
	static const char absent[] = { SOCKETS_ABSENT, SOCKETS_PRESENT, SOCKETS_PRESENT }, neither[] = { 7, 1, 1 };
	static const char four[] = { SOCKETS_PRESENT, SOCKETS_PRESENT, SOCKETS_PRESENT, SOCKETS_PRESENT };
	static const struct {
		const char *present;
		size_t n;
		const char *which;
		int error;
		const char *words;
	} cases[] = {
		{ NULL, 0, "", -EPIPE, "handed over 0 of 3 sockets" },
		{ all, 2, "01", -EPIPE, "handed over 2 of 3 sockets" },
		{ all, 3, "102", -EPROTO, "socket 0 is not what the network's layout says" },
		{ all, 3, "010", -EPROTO, "socket 2 is not what" },
		{ all, 3, "01", -EPROTO, "socket 2 is not what" },
		{ all, 3, "0122", -EPROTO, "more sockets than it said" },
		{ four, 4, "0122", -EPROTO, "more sockets than its network has" },
		{ absent, 3, "12", -EPROTO, "socket 0 is not what" },
		{ neither, 3, "012", -EPROTO, "socket 0 is not what" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int before = open_files();
		struct handover h;
		begin(&h);
		if (cases[i].n)
			hand(&h, cases[i].present, cases[i].n, cases[i].which);
		int r = receive(&h);
		if (r != cases[i].error || !strstr(h.d.text, cases[i].words))
			fail_msg("case %zu: %d: %s", i, r, h.d.text);
		/* What did not come is no descriptor. */
		if (strcmp(cases[i].which, "01") == 0)
			assert_int_equal(h.got[2], -1);
		end(&h);
		assert_int_equal(open_files(), before);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_socket_is_what_its_row_says_or_refused),
		cmocka_unit_test(a_socket_that_watches_has_its_filter_locked),
		cmocka_unit_test(a_published_port_is_on_this_machine_alone),
		cmocka_unit_test(what_is_handed_over_arrives_in_its_place),
		cmocka_unit_test(a_handover_that_is_not_the_layouts_is_refused_with_nothing_left_open),
	};

	return cmocka_run_group_tests_name("the gateway's sockets", tests, NULL, NULL);
}
