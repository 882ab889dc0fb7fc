/* SPDX-License-Identifier: Apache-2.0 */
/* loopback - the one interface of the sandbox's network, through libnl-route */
#include <errno.h>
#include <net/if.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include "enter/enter.h"

/* libnl has its own numbers; what a person can act on is told apart, the rest goes into the detail. */
int enter_fail_nl(struct enter *e, int error)
{
	int kind = error < 0 ? -error : error;

	return enter_fail(e,
		kind == NLE_PERM || kind == NLE_NOACCESS ? -EPERM
		: kind == NLE_NOMEM			 ? -ENOMEM
							 : -EIO,
		nl_geterror(error));
}

static void free_link(struct rtnl_link **l)
{
	rtnl_link_put(*l);
}

static void free_socket(struct nl_sock **s)
{
	nl_socket_free(*s);
}

int stage_loopback(struct enter *e)
{
	_cleanup_(free_socket) struct nl_sock *sock = nl_socket_alloc();
	_cleanup_(free_link) struct rtnl_link *lo = rtnl_link_alloc(), *up = rtnl_link_alloc(), *now = NULL;
	int r;

	if (!sock || !lo || !up)
		return -ENOMEM;
	rtnl_link_set_ifindex(lo, ENTER_LOOPBACK_INDEX);
	rtnl_link_set_flags(up, IFF_UP);
	r = nl_connect(sock, NETLINK_ROUTE);
	if (r == 0)
		r = rtnl_link_change(sock, lo, up, 0);
	if (r == 0)
		r = rtnl_link_get_kernel(sock, ENTER_LOOPBACK_INDEX, NULL, &now);
	if (r < 0)
		return enter_fail_nl(e, r);
	if (!(rtnl_link_get_flags(now) & IFF_UP) || !(rtnl_link_get_flags(now) & IFF_LOOPBACK))
		return enter_fail(e, -ENETDOWN, "lo");
	return 0;
}
