/* SPDX-License-Identifier: Apache-2.0 */
/* attempt_sockets - the network by address, and families of sockets that nobody needs */
#include "tests/escape/attempt.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include "base/parse.h"

enum { PATIENCE_MS = 30000 };
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#define DIRTY (0xdead00000000UL)

struct address {
	struct sockaddr_storage a;
	socklen_t len;
};

static in_port_t port_of(const char *text)
{
	uint64_t port = 0;

	return htons(parse_u64(text, 1, 65535, &port) < 0 ? 1 : (uint16_t)port);
}

/* inet_aton(3) takes octal, hexadecimal and one-number forms, as many programs do. */
static void address_of(struct address *ret, const char *host, const char *port)
{
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&ret->a;
	struct sockaddr_in *four = (struct sockaddr_in *)&ret->a;

	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET6, host, &six->sin6_addr) == 1) {
		six->sin6_family = AF_INET6;
		six->sin6_port = port_of(port);
		ret->len = sizeof(*six);
		return;
	}
	four->sin_family = AF_INET;
	four->sin_port = port_of(port);
	ret->len = sizeof(*four);
	(void)inet_aton(host, &four->sin_addr);
}

/* Never waits for ever: a packet that vanishes would be "BLOCKED EAGAIN", which no table expects. */
static int socket_for(const struct address *a, int type, int protocol)
{
	int s = socket(a->a.ss_family, type | SOCK_CLOEXEC, protocol);
	struct timeval patience = { .tv_sec = PATIENCE_MS / 1000 };

	if (s >= 0 && (setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
			      setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0))
		return -1;
	return s;
}

static void connect_with(struct outcome *o, char *const *arg, int protocol)
{
	struct address a;
	int s;

	address_of(&a, arg[0], arg[1]);
	s = socket_for(&a, SOCK_STREAM, protocol);
	outcome_of(o, s < 0 ? -1 : connect(s, (struct sockaddr *)&a.a, a.len));
}

static void tcp(struct outcome *o, char *const *arg)
{
	connect_with(o, arg, 0);
}

static void mptcp(struct outcome *o, char *const *arg)
{
	connect_with(o, arg, IPPROTO_MPTCP);
}

/* Data in the first packet, without connect(2). */
static void fast_open(struct outcome *o, char *const *arg)
{
	struct address a;
	int s;

	address_of(&a, arg[0], arg[1]);
	s = socket_for(&a, SOCK_STREAM, 0);
	outcome_of(o, s < 0 ? -1 : sendto(s, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, (struct sockaddr *)&a.a, a.len));
}

/* A question and its answer. */
static void udp(struct outcome *o, char *const *arg)
{
	struct address a;
	char answer[16];
	int s;

	address_of(&a, arg[0], arg[1]);
	s = socket_for(&a, SOCK_DGRAM, 0);
	if (s < 0 || connect(s, (struct sockaddr *)&a.a, a.len) < 0 || send(s, "ask", 3, 0) < 0)
		outcome_of(o, -1);
	else
		outcome_of(o, recv(s, answer, sizeof(answer), 0));
}

/* Without an answer: one packet out is a leak. */
static void udp_send(struct outcome *o, char *const *arg)
{
	struct address a;
	int s, on = 1;

	address_of(&a, arg[0], arg[1]);
	s = socket_for(&a, SOCK_DGRAM, 0);
	if (s >= 0 && setsockopt(s, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)) < 0)
		s = -1;
	outcome_of(o, s < 0 ? -1 : sendto(s, "x", 1, 0, (struct sockaddr *)&a.a, a.len));
}

static void add_address(struct outcome *o, char *const *arg)
{
	struct ifreq request = { .ifr_name = "lo:9" };
	struct address a;
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	address_of(&a, arg[0], "1");
	memcpy(&request.ifr_addr, &a.a, sizeof(request.ifr_addr));
	outcome_of(o, s < 0 ? -1 : ioctl(s, SIOCSIFADDR, &request));
}

/* A route to everything through the loopback device: the first half of "every address is mine". */
static void add_route(struct outcome *o, char *const *arg)
{
	struct {
		struct nlmsghdr h;
		struct rtmsg r;
		struct rtattr a;
		uint32_t index;
	} m = { .h = { .nlmsg_len = sizeof(m),
			.nlmsg_type = RTM_NEWROUTE,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE },
		.r = { .rtm_family = AF_INET,
			.rtm_table = RT_TABLE_LOCAL,
			.rtm_protocol = RTPROT_STATIC,
			.rtm_scope = RT_SCOPE_HOST,
			.rtm_type = RTN_LOCAL },
		.a = { .rta_len = RTA_LENGTH(sizeof(uint32_t)), .rta_type = RTA_OIF },
		.index = 1 };
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
		char rest[512];
	} answer = { 0 };
	int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (s < 0 || send(s, &m, sizeof(m), 0) < 0 || recv(s, &answer, sizeof(answer), 0) < (ssize_t)sizeof(answer.h)) {
		outcome_of(o, -1);
		return;
	}
	errno = -answer.e.error;
	outcome_of(o, answer.e.error);
}

static void family(struct outcome *o, int domain, int type, int protocol)
{
	outcome_of(o, socket(domain, type | SOCK_CLOEXEC, protocol));
}

static void socket_packet(struct outcome *o, char *const *arg)
{
	family(o, AF_PACKET, SOCK_RAW, 0);
}

static void socket_alg(struct outcome *o, char *const *arg)
{
	family(o, AF_ALG, SOCK_SEQPACKET, 0);
}

static void socket_vsock(struct outcome *o, char *const *arg)
{
	family(o, AF_VSOCK, SOCK_STREAM, 0);
}

static void socket_generic(struct outcome *o, char *const *arg)
{
	family(o, AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
}

static void socket_uevent(struct outcome *o, char *const *arg)
{
	family(o, AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT);
}

static void socket_raw(struct outcome *o, char *const *arg)
{
	family(o, AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

static void socket_unix_dirty(struct outcome *o, char *const *arg)
{
	outcome_of(o, syscall(SYS_socket, DIRTY | AF_UNIX, SOCK_STREAM, 0));
}

const struct attempt attempts_sockets[] = {
	{ "tcp", tcp, 2 },
	{ "mptcp", mptcp, 2 },
	{ "fast-open", fast_open, 2 },
	{ "udp", udp, 2 },
	{ "udp-send", udp_send, 2 },
	{ "add-address", add_address, 1 },
	{ "add-route", add_route },
	{ "socket-packet", socket_packet },
	{ "socket-alg", socket_alg },
	{ "socket-vsock", socket_vsock },
	{ "socket-generic", socket_generic },
	{ "socket-uevent", socket_uevent },
	{ "socket-raw", socket_raw },
	{ "socket-unix-dirty", socket_unix_dirty },
	{ NULL },
};
