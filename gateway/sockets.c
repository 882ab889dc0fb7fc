/* SPDX-License-Identifier: Apache-2.0 */
/* sockets - see sockets.h */
#include "gateway/sockets.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include "base/io.h"
#include "wire/fds.h"

static int option(int fd, int level, int name)
{
	int v = 0;
	socklen_t n = sizeof(v);

	return getsockopt(fd, level, name, &v, &n) < 0 ? -errno : v;
}

static bool is(int fd, int domain, int type, int protocol, int accepts)
{
	return option(fd, SOL_SOCKET, SO_DOMAIN) == domain && option(fd, SOL_SOCKET, SO_TYPE) == type &&
	       (protocol < 0 || option(fd, SOL_SOCKET, SO_PROTOCOL) == protocol) &&
	       option(fd, SOL_SOCKET, SO_ACCEPTCONN) == accepts;
}

static bool is_at(int fd, const struct net_address *a, uint16_t port)
{
	struct sockaddr_storage sa = { 0 };
	socklen_t n = sizeof(sa);
	struct net_address at;
	uint16_t at_port;

	if (getsockname(fd, (struct sockaddr *)&sa, &n) < 0)
		return false;
	at = net_address_from_sockaddr(&sa, &at_port);
	return at_port == port && net_address_equal(&at, a);
}

static int set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

/* A connection to an IPv4 address must not come in by an IPv6 listener under another form. */
static bool family_alone(int fd, const struct net_address *a)
{
	return a->family == 4 || option(fd, IPPROTO_IPV6, IPV6_V6ONLY) == 1;
}

static bool is_what(int fd, const struct net_socket *s)
{
	static const struct net_address nowhere = { .family = 4 };
	int domain = s->address.family == 6 ? AF_INET6 : AF_INET;

	switch (s->kind) {
	case NET_SOCKET_DNS_UDP:
		return is(fd, domain, SOCK_DGRAM, IPPROTO_UDP, 0) && is_at(fd, &s->address, s->port);
	case NET_SOCKET_DNS_TCP:
	case NET_SOCKET_LISTEN:
		return is(fd, domain, SOCK_STREAM, IPPROTO_TCP, 1) && is_at(fd, &s->address, s->port) &&
		       family_alone(fd, &s->address);
	case NET_SOCKET_SPARE:
		return is(fd, AF_INET, SOCK_STREAM, IPPROTO_TCP, 0) && is_at(fd, &nowhere, 0);
	case NET_SOCKET_WATCH:
		return is(fd, AF_PACKET, SOCK_DGRAM, -1, 0) && option(fd, SOL_SOCKET, SO_LOCK_FILTER) == 1;
	case NET_SOCKET_KIND_COUNT:
		break;
	}
	return false;
}

int sockets_check(int fd, const struct net_socket *s)
{
	if (!is_what(fd, s))
		return -EPROTO;
	return set_nonblocking(fd);
}

int sockets_check_publish(int fd)
{
	struct sockaddr_in in = { 0 };
	socklen_t n = sizeof(in);

	if (!is(fd, AF_INET, SOCK_STREAM, IPPROTO_TCP, 1) || getsockname(fd, (struct sockaddr *)&in, &n) < 0 ||
		n != sizeof(in))
		return -EPROTO;
	return in.sin_addr.s_addr == htonl(INADDR_LOOPBACK) ? set_nonblocking(fd) : -EPROTO;
}

int sockets_check_upstream(int fd)
{
	return is(fd, AF_INET, SOCK_STREAM, IPPROTO_TCP, 0) || is(fd, AF_INET6, SOCK_STREAM, IPPROTO_TCP, 0) ? 0
													     : -EPROTO;
}

/* ::1 on a kernel without IPv6, and nothing else (wire/fds.h). */
static bool may_be_absent(const struct net_socket *s)
{
	return s->kind == NET_SOCKET_LISTEN && s->address.family == 6;
}

struct parcel {
	unsigned char present[SOCKETS_FDS_MAX];
	int fds[SOCKETS_FDS_MAX];
	size_t n, n_fds, taken;
};

static void parcel_done(struct parcel *p)
{
	while (p->taken < p->n_fds)
		close(p->fds[p->taken++]);
}

static int receive_parcel(int from, struct parcel *p)
{
	long n;

	*p = (struct parcel){ .n_fds = SOCKETS_FDS_MAX };
	n = io_recv_msg(from, p->present, sizeof(p->present), p->fds, &p->n_fds);
	if (n <= 0) {
		p->n_fds = 0;
		return n < 0 ? (int)n : -EPIPE;
	}
	p->n = (size_t)n;
	return 0;
}

static int take_one(struct parcel *p, size_t i, const struct net_socket *s, int *ret)
{
	if (p->present[i] == SOCKETS_ABSENT)
		return may_be_absent(s) ? 0 : -EPROTO;
	if (p->present[i] != SOCKETS_PRESENT || p->taken == p->n_fds)
		return -EPROTO;
	*ret = p->fds[p->taken++];
	return sockets_check(*ret, s);
}

int sockets_receive(int from, const struct net_layout *l, int *ret, struct diag *d)
{
	size_t at = 0;

	for (size_t i = 0; i < l->n_sockets; i++)
		ret[i] = -1;
	while (at < l->n_sockets) {
		_cleanup_(parcel_done) struct parcel p;
		int r = receive_parcel(from, &p);
		if (r < 0)
			return diag_fail(
				d, r, "the sandbox handed over %zu of %zu sockets: %s", at, l->n_sockets, strerror(-r));
		if (p.n > l->n_sockets - at)
			return diag_fail(d, -EPROTO, "the sandbox handed over more sockets than its network has");
		for (size_t i = 0; i < p.n; i++, at++) {
			r = take_one(&p, i, &l->sockets[at], &ret[at]);
			if (r < 0)
				return diag_fail(
					d, r, "socket %zu is not what the network's layout says: %s", at, strerror(-r));
		}
		if (p.taken != p.n_fds)
			return diag_fail(d, -EPROTO, "the sandbox handed over more sockets than it said");
	}
	return 0;
}
