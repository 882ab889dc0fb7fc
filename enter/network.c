/* SPDX-License-Identifier: Apache-2.0 */
/*
 * network - what a server with granted hosts finds in its namespace: an address and local routes on lo, and sockets
 * that answer there, which are handed to the gateway outside and kept by nobody inside
 *
 * Everything is made before the server's process exists, so no port can be taken from us (SO_REUSEADDR is not set: a
 * second listener on one of ours is EADDRINUSE).
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/route.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include "base/io.h"
#include "enter/enter.h"
#include "wire/fds.h"

_Static_assert((int)SOCKETS_FDS_MAX <= (int)IO_FDS_MAX, "a parcel of sockets is one message");

enum { WATCH_SNAP = 96, WATCH_RCVBUF = 64 << 10, STUB_PREFIX = 32 };

/* --- address and routes --- */

static void free_socket(struct nl_sock **s)
{
	nl_socket_free(*s);
}

static void free_address(struct rtnl_addr **a)
{
	rtnl_addr_put(*a);
}

static void free_route(struct rtnl_route **r)
{
	rtnl_route_put(*r);
}

static void free_nl(struct nl_addr **a)
{
	nl_addr_put(*a);
}

static struct nl_addr *nl_from(const struct net_address *a, uint8_t prefix)
{
	struct nl_addr *n = nl_addr_build(a->family == 4 ? AF_INET : AF_INET6, a->bytes, a->family == 4 ? 4 : 16);

	if (n)
		nl_addr_set_prefixlen(n, prefix);
	return n;
}

static int add_stub(struct enter *e, struct nl_sock *sock, const struct net_address *stub)
{
	_cleanup_(free_nl) struct nl_addr *local = nl_from(stub, STUB_PREFIX);
	_cleanup_(free_address) struct rtnl_addr *a = rtnl_addr_alloc();
	int r;

	if (!local || !a)
		return -ENOMEM;
	rtnl_addr_set_ifindex(a, ENTER_LOOPBACK_INDEX);
	r = rtnl_addr_set_local(a, local);
	if (r == 0)
		r = rtnl_addr_add(sock, a, 0);
	return r < 0 ? enter_fail_nl(e, r) : 0;
}

/* AnyIP: a local route makes every address of the prefix ours (ip-route(8), type local). */
static int add_route(struct enter *e, struct nl_sock *sock, const struct net_route *route)
{
	_cleanup_(free_nl) struct nl_addr *to = nl_from(&route->address, route->prefix);
	_cleanup_(free_route) struct rtnl_route *r = rtnl_route_alloc();
	struct rtnl_nexthop *hop = rtnl_route_nh_alloc();
	int x;

	if (!to || !r || !hop) {
		rtnl_route_nh_free(hop);
		return -ENOMEM;
	}
	rtnl_route_nh_set_ifindex(hop, ENTER_LOOPBACK_INDEX);
	rtnl_route_add_nexthop(r, hop);
	rtnl_route_set_table(r, RT_TABLE_LOCAL);
	rtnl_route_set_scope(r, RT_SCOPE_HOST);
	x = rtnl_route_set_type(r, RTN_LOCAL);
	if (x == 0)
		x = rtnl_route_set_dst(r, to);
	if (x == 0)
		x = rtnl_route_add(sock, r, NLM_F_CREATE | NLM_F_EXCL);
	return x < 0 ? enter_fail_nl(e, x) : 0;
}

static int plumb(struct enter *e)
{
	const struct plan_network *n = &e->plan.network;
	_cleanup_(free_socket) struct nl_sock *sock = nl_socket_alloc();
	int r;

	if (!sock)
		return -ENOMEM;
	r = nl_connect(sock, NETLINK_ROUTE);
	if (r < 0)
		return enter_fail_nl(e, r);
	r = add_stub(e, sock, &n->stub);
	for (size_t i = 0; r == 0 && i < n->n_routes; i++)
		r = add_route(e, sock, &n->routes[i]);
	return r;
}

/* --- sockets --- */

static bool is_ipv6_loopback(const struct net_address *a)
{
	static const struct net_address one = { .family = 6, .bytes = { [15] = 1 } };

	return net_address_equal(a, &one);
}

static int make_stream_or_datagram(const struct net_socket *s, int *ret)
{
	int type = s->kind == NET_SOCKET_DNS_UDP ? SOCK_DGRAM : SOCK_STREAM, one = 1;
	_cleanup_close_ int fd =
		socket(s->address.family == 6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_storage at;
	socklen_t len = net_address_to_sockaddr(&s->address, s->port, &at);

	if (fd < 0)
		return -errno;
	if (s->address.family == 6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) < 0)
		return -errno;
	/* A local route makes an IPv4 address one to bind to; of IPv6 only addresses of an interface are, unless asked.
	 */
	if (s->address.family == 6 && !is_ipv6_loopback(&s->address) &&
		setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &one, sizeof(one)) < 0)
		return -errno;
	if (s->kind != NET_SOCKET_SPARE && bind(fd, (struct sockaddr *)&at, len) < 0)
		return -errno;
	if ((s->kind == NET_SOCKET_LISTEN || s->kind == NET_SOCKET_DNS_TCP) && listen(fd, NET_BACKLOG) < 0)
		return -errno;
	*ret = steal_fd(&fd);
	return 0;
}

/* Lets through, of what arrives on lo: the first packet of each TCP connection, and every UDP datagram, unless it is
 * for 127.0.0.0/8 or ::1 or goes to or comes from the stub. Offsets are from the network header (SOCK_DGRAM,
 * packet(7)). */
enum watch_label { IPV4 = 5, UDP4 = 12, TCP4 = 17, IPV6 = 21, ACCEPT = 31, DROP };
#define LOAD(size, at)		     BPF_STMT(BPF_LD | (size) | BPF_ABS, (uint32_t)(at))
#define LOAD_BEHIND_HEADER(size, at) BPF_STMT(BPF_LD | (size) | BPF_IND, (at))
#define JUMP(here, test, k, yes, no) BPF_JUMP(BPF_JMP | (test) | BPF_K, (k), (yes) - (here)-1, (no) - (here)-1)

static const struct sock_filter watch_filter[] = {
	[0] = LOAD(BPF_W, SKF_AD_OFF + SKF_AD_PKTTYPE), /* lo shows each packet twice */
	[1] = JUMP(1, BPF_JEQ, PACKET_OUTGOING, DROP, 2),
	[2] = LOAD(BPF_H, SKF_AD_OFF + SKF_AD_PROTOCOL),
	[3] = JUMP(3, BPF_JEQ, ETHERTYPE_IPV6, IPV6, 4),
	[4] = JUMP(4, BPF_JEQ, ETHERTYPE_IP, IPV4, DROP),

	[IPV4] = LOAD(BPF_H, 6),
	[6] = JUMP(6, BPF_JSET, 0x1fff, DROP, 7), /* a later fragment */
	[7] = LOAD(BPF_B, 16),
	[8] = JUMP(8, BPF_JEQ, 127, DROP, 9),
	[9] = LOAD(BPF_B, 9),
	[10] = JUMP(10, BPF_JEQ, IPPROTO_TCP, TCP4, 11),
	[11] = JUMP(11, BPF_JEQ, IPPROTO_UDP, UDP4, DROP),

	[UDP4] = BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
	[13] = LOAD_BEHIND_HEADER(BPF_H, 0),
	[14] = JUMP(14, BPF_JEQ, NET_DNS_PORT, DROP, 15),
	[15] = LOAD_BEHIND_HEADER(BPF_H, 2),
	[16] = JUMP(16, BPF_JEQ, NET_DNS_PORT, DROP, ACCEPT),

	[TCP4] = BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
	[18] = LOAD_BEHIND_HEADER(BPF_B, 13),
	[19] = BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x12), /* SYN and not ACK */
	[20] = JUMP(20, BPF_JEQ, 0x02, ACCEPT, DROP),

	[IPV6] = LOAD(BPF_W, 24),
	[22] = JUMP(22, BPF_JEQ, 0, 23, 25),
	[23] = LOAD(BPF_W, 36),
	[24] = JUMP(24, BPF_JEQ, 1, DROP, 25), /* ::1 */
	[25] = LOAD(BPF_B, 6),
	[26] = JUMP(26, BPF_JEQ, IPPROTO_UDP, ACCEPT, 27),
	[27] = JUMP(27, BPF_JEQ, IPPROTO_TCP, 28, DROP),
	[28] = LOAD(BPF_B, 40 + 13),
	[29] = BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x12),
	[30] = JUMP(30, BPF_JEQ, 0x02, ACCEPT, DROP),

	[ACCEPT] = BPF_STMT(BPF_RET | BPF_K, WATCH_SNAP),
	[DROP] = BPF_STMT(BPF_RET | BPF_K, 0),
};

/* The filter comes before the socket hears anything, and can be neither taken off nor replaced (SO_LOCK_FILTER,
 * socket(7)). */
static int make_watch(int *ret)
{
	struct sock_fprog program = { ARRAY_LEN(watch_filter), (struct sock_filter *)(uintptr_t)watch_filter };
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = ENTER_LOOPBACK_INDEX
	};
	_cleanup_close_ int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int one = 1, room = WATCH_RCVBUF;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &one, sizeof(one)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)) < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		return -errno;
	*ret = steal_fd(&fd);
	return 0;
}

/* A kernel without IPv6 has no ::1 that could be connected to: nothing is missing then. */
static bool may_be_absent(const struct net_socket *s, int error)
{
	return is_ipv6_loopback(&s->address) && (error == -EAFNOSUPPORT || error == -EADDRNOTAVAIL);
}

struct parcel {
	unsigned char present[SOCKETS_FDS_MAX];
	int fds[SOCKETS_FDS_MAX];
	size_t n, n_fds;
};

static void parcel_done(struct parcel *p)
{
	for (size_t i = 0; i < p->n_fds; i++)
		close(p->fds[i]);
	p->n = p->n_fds = 0;
}

static int pack(struct enter *e, struct parcel *p, const struct net_socket *s)
{
	char text[NET_ADDRESS_TEXT], detail[NET_ADDRESS_TEXT + 16];
	int fd = -1, r = s->kind == NET_SOCKET_WATCH ? make_watch(&fd) : make_stream_or_datagram(s, &fd);

	if (r < 0 && !may_be_absent(s, r)) {
		snprintf(detail, sizeof(detail), "%s port %u", net_address_text(&s->address, text, sizeof(text)),
			s->port);
		return enter_fail(e, r, detail);
	}
	p->present[p->n++] = fd >= 0 ? SOCKETS_PRESENT : SOCKETS_ABSENT;
	if (fd >= 0)
		p->fds[p->n_fds++] = fd;
	return 0;
}

static int hand_out(struct enter *e)
{
	const struct plan_network *n = &e->plan.network;
	_cleanup_(parcel_done) struct parcel p = { .n = 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < n->n_sockets; i++) {
		r = pack(e, &p, &n->sockets[i]);
		if (r < 0 || (p.n < SOCKETS_FDS_MAX && i + 1 < n->n_sockets))
			continue;
		r = io_send_msg(ENTER_FD_SOCKETS, p.present, p.n, p.fds, p.n_fds);
		if (r < 0)
			r = enter_fail(e, r, "the gateway");
		parcel_done(&p);
	}
	return r;
}

int stage_network(struct enter *e)
{
	int r;

	if (!e->plan.network.on)
		return 0;
	r = plumb(e);
	if (r == 0)
		r = hand_out(e);
	close(ENTER_FD_SOCKETS);
	return r;
}
