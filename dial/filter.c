/* SPDX-License-Identifier: Apache-2.0 */
/* filter - see filter.h */
#include "dial/filter.h"
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include "base/io.h"
#include "dial/route.h"

static bool is_own(const struct filter_host *h, const struct net_address *a)
{
	for (size_t i = 0; i < h->n; i++)
		if (net_address_equal(&h->v[i], a))
			return true;
	/* What cannot be told counts as the host's. */
	return h->routed && route_is_own(h->route, a) != 0;
}

enum net_block_level filter_level(const struct filter_host *h, const struct net_address *a, const char **ret_words)
{
	const struct net_block *block = net_block_of(a);

	*ret_words = block->words;
	if (block->level < NET_BLOCK_EXACT && is_own(h, a)) {
		*ret_words = "an address of this very host";
		return NET_BLOCK_EXACT;
	}
	return block->level;
}

static bool is_exact(const struct net_grant *g)
{
	return g->prefix == (g->address.family == 4 ? 32 : 128);
}

static bool satisfied(const struct net_config *c, uint32_t grant, const struct net_address *a, uint16_t port,
	enum net_block_level level)
{
	uint32_t literal = net_match_address(c, a, port);

	switch (level) {
	case NET_BLOCK_PUBLIC:
		return true;
	case NET_BLOCK_PRIVATE:
		return literal != NET_NO_GRANT || c->grants[grant].private_allowed;
	case NET_BLOCK_PREFIX:
		return literal != NET_NO_GRANT;
	case NET_BLOCK_EXACT:
		return literal != NET_NO_GRANT && is_exact(&c->grants[literal]);
	case NET_BLOCK_NEVER:
		break;
	}
	return false;
}

const char *filter_forbids(const struct net_config *c, uint32_t grant, const struct filter_host *h,
	const struct net_address *a, uint16_t port)
{
	const char *words;
	enum net_block_level level = filter_level(h, a, &words);

	return grant < c->n_grants && satisfied(c, grant, a, port, level) ? NULL : words;
}

static int open_route(struct filter_host *h)
{
	int r = h->routed ? 0 : route_open(&h->route);

	h->routed = r == 0;
	return r;
}

int filter_host_refresh(struct filter_host *h)
{
	struct ifaddrs *all;
	uint64_t now = io_now_us();
	size_t n = 0;

	if (h->v && now - h->as_of_us < FILTER_HOST_AGE_US)
		return 0;
	if (open_route(h) < 0 || getifaddrs(&all) < 0)
		return -errno;
	struct net_address *v = calloc(FILTER_HOST_MAX, sizeof(*v));
	for (const struct ifaddrs *i = all; v && i; i = i->ifa_next) {
		struct sockaddr_storage at = { 0 };
		if (!i->ifa_addr || (i->ifa_addr->sa_family != AF_INET && i->ifa_addr->sa_family != AF_INET6))
			continue;
		memcpy(&at, i->ifa_addr,
			i->ifa_addr->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
		if (n == FILTER_HOST_MAX) {
			free(v);
			freeifaddrs(all);
			return -E2BIG;
		}
		v[n++] = net_address_from_sockaddr(&at, NULL);
	}
	freeifaddrs(all);
	if (!v)
		return -ENOMEM;
	free(h->v);
	h->v = v;
	h->n = n;
	h->as_of_us = now;
	return 0;
}

void filter_host_done(struct filter_host *h)
{
	free(h->v);
	if (h->routed)
		close(h->route);
	*h = (struct filter_host){ 0 };
}
