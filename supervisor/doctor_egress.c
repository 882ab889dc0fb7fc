/* SPDX-License-Identifier: Apache-2.0 */
/* doctor_egress - what the network of a session needs of the kernel, tried in a namespace of its own (doctor.h) */
#include "supervisor/doctor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RANGE = 0xc6120000, RANGE_PREFIX = 15, SOME_ADDRESS = 0xc6131234, LO = 1 }; /* 198.18.0.0/15, 198.19.18.52 */

/* One request of rtnetlink(7) that asks for its acknowledgement: 0, or the kernel's -errno. */
static int request(int nl, const void *q, size_t n)
{
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
		char rest[512];
	} answer;

	if (send(nl, q, n, 0) < 0)
		return -errno;
	if (recv(nl, &answer, sizeof(answer), 0) < (ssize_t)(sizeof(answer.h) + sizeof(answer.e.error)))
		return -EPROTO;
	return answer.e.error;
}

static int add_address(int nl, int index)
{
	struct {
		struct nlmsghdr h;
		struct ifaddrmsg m;
		struct rtattr ra;
		struct in_addr addr;
	} q = { .h = { sizeof(q), RTM_NEWADDR, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE, 1, 0 },
		.m = { AF_INET, 32, 0, RT_SCOPE_HOST, (unsigned)index },
		.ra = { RTA_LENGTH(4), IFA_LOCAL },
		.addr = { htonl(0xc6120001) } }; /* 198.18.0.1, where the name server of egress listens */

	return request(nl, &q, sizeof(q));
}

int doctor_try_loopback(struct doctor_attempt *a)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	_cleanup_close_ int nl = -1, s = -1;
	int r = doctor_enter_userns(a, CLONE_NEWNET);

	if (r < 0)
		return r;
	nl = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (nl < 0 || s < 0)
		return doctor_step_failed(a, "open a rtnetlink socket");
	if (ioctl(s, SIOCSIFFLAGS, &ifr) < 0)
		return doctor_step_failed(a, "bring up lo (RTM_NEWLINK)");
	errno = -add_address(nl, 1);
	return errno == 0 ? 0 : doctor_step_failed(a, "give lo an address (RTM_NEWADDR)");
}

/* A route of type local makes every address of the range one of this namespace ("AnyIP", ip-route(8)). */
static int add_route(int nl)
{
	struct {
		struct nlmsghdr h;
		struct rtmsg m;
		struct rtattr to;
		struct in_addr range;
		struct rtattr dev;
		int index;
	} q = { .h = { sizeof(q), RTM_NEWROUTE, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE, 1, 0 },
		.m = { .rtm_family = AF_INET,
			.rtm_dst_len = RANGE_PREFIX,
			.rtm_table = RT_TABLE_LOCAL,
			.rtm_protocol = RTPROT_BOOT,
			.rtm_scope = RT_SCOPE_HOST,
			.rtm_type = RTN_LOCAL },
		.to = { RTA_LENGTH(4), RTA_DST },
		.range = { htonl(RANGE) },
		.dev = { RTA_LENGTH(4), RTA_OIF },
		.index = LO };

	return request(nl, &q, sizeof(q));
}

/* A listener on every address takes a connection to one that nobody configured. */
static int try_any_address(struct doctor_attempt *a)
{
	struct sockaddr_in any = { .sin_family = AF_INET },
			   to = { .sin_family = AF_INET, .sin_addr = { htonl(SOME_ADDRESS) } };
	socklen_t n = sizeof(any);
	_cleanup_close_ int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
			    client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (server < 0 || client < 0 || bind(server, (const struct sockaddr *)&any, n) < 0 || listen(server, 1) < 0 ||
		getsockname(server, (struct sockaddr *)&any, &n) < 0)
		return doctor_step_failed(a, "listen on every address");
	to.sin_port = any.sin_port;
	return connect(client, (const struct sockaddr *)&to, sizeof(to)) < 0
		       ? doctor_step_failed(a, "reach an address of the range")
		       : 0;
}

int doctor_try_egress(struct doctor_attempt *a)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	_cleanup_close_ int nl = -1, s = -1, watch = -1;
	int r = doctor_enter_userns(a, CLONE_NEWNET);

	if (r < 0)
		return r;
	nl = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (nl < 0 || s < 0 || ioctl(s, SIOCSIFFLAGS, &ifr) < 0)
		return doctor_step_failed(a, "bring up lo");
	errno = -add_route(nl);
	if (errno != 0)
		return doctor_step_failed(a, "make a range of addresses local (RTM_NEWROUTE)");
	r = try_any_address(a);
	if (r < 0)
		return r;
	watch = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ALL));
	return watch < 0 ? doctor_step_failed(a, "open the packet socket that sees what is denied") : 0;
}
