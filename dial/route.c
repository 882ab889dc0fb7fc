/* SPDX-License-Identifier: Apache-2.0 */
/* route - see route.h */
#include "dial/route.h"
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

enum { ANSWER_MAX = 4096 };

struct question {
	struct nlmsghdr header;
	struct rtmsg route;
	struct rtattr to;
	uint8_t address[16];
};

int route_open(int *ret)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0)
		return -errno;
	*ret = fd;
	return 0;
}

static int ask(int fd, const struct net_address *a)
{
	size_t n = a->family == 4 ? 4 : 16;
	struct question q = {
		.header = { .nlmsg_type = RTM_GETROUTE, .nlmsg_flags = NLM_F_REQUEST },
		.route = { .rtm_family = a->family == 4 ? AF_INET : AF_INET6, .rtm_dst_len = (unsigned char)(n * 8) },
		.to = { .rta_type = RTA_DST, .rta_len = (unsigned short)RTA_LENGTH(n) },
	};

	memcpy(q.address, a->bytes, n);
	q.header.nlmsg_len = (uint32_t)(offsetof(struct question, address) + n);
	return send(fd, &q, q.header.nlmsg_len, 0) < 0 ? -errno : 0;
}

int route_is_own(int fd, const struct net_address *a)
{
	union {
		struct nlmsghdr header;
		char bytes[ANSWER_MAX];
	} answer;
	int r = ask(fd, a);
	ssize_t n;

	if (r < 0)
		return r;
	do
		n = recv(fd, &answer, sizeof(answer), 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	/* No route: a connection fails for the same reason. */
	if ((size_t)n >= NLMSG_LENGTH(sizeof(struct nlmsgerr)) && answer.header.nlmsg_type == NLMSG_ERROR)
		return 0;
	if ((size_t)n < NLMSG_LENGTH(sizeof(struct rtmsg)) || answer.header.nlmsg_type != RTM_NEWROUTE)
		return -EPROTO;
	/* Anycast and broadcast addresses are this host's too, among others. */
	return ((struct rtmsg *)NLMSG_DATA(&answer.header))->rtm_type != RTN_UNICAST;
}
