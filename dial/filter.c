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

/* The first row that covers an address speaks: single addresses stand before the blocks they lie in. */
static const struct {
	struct net_address net;
	uint8_t prefix;
	enum filter_level level;
	const char *words;
} blocks[] = {
	/* where clouds give out credentials */
	{ { 4, { 169, 254, 169, 254 } }, 32, FILTER_EXACT, "a metadata service" },
	{ { 4, { 169, 254, 170, 2 } }, 32, FILTER_EXACT, "a metadata service" },
	{ { 4, { 100, 100, 100, 200 } }, 32, FILTER_EXACT, "a metadata service" },
	{ { 4, { 168, 63, 129, 16 } }, 32, FILTER_EXACT, "a metadata service" },
	{ { 4, { 192, 0, 0, 192 } }, 32, FILTER_EXACT, "a metadata service" },
	{ { 6, { 0xfd, 0x00, 0x0e, 0xc2, [15] = 0x00 } }, 32, FILTER_EXACT, "a metadata service" },
	/* IPv4, RFC 6890 and its registry */
	{ { 4, { 0 } }, 8, FILTER_NEVER, "an address of \"this network\"" },
	{ { 4, { 10 } }, 8, FILTER_PRIVATE, "a private address" },
	{ { 4, { 100, 64 } }, 10, FILTER_PRIVATE, "a carrier's private address" },
	{ { 4, { 127 } }, 8, FILTER_NEVER, "a loopback address" },
	{ { 4, { 169, 254 } }, 16, FILTER_PREFIX, "a link-local address" },
	{ { 4, { 172, 16 } }, 12, FILTER_PRIVATE, "a private address" },
	{ { 4, { 192, 0, 0 } }, 24, FILTER_PREFIX, "an address of protocol assignments" },
	{ { 4, { 192, 88, 99 } }, 24, FILTER_NEVER, "a 6to4 relay" },
	{ { 4, { 192, 168 } }, 16, FILTER_PRIVATE, "a private address" },
	{ { 4, { 198, 18 } }, 15, FILTER_PREFIX, "an address for benchmarks" },
	{ { 4, { 224 } }, 4, FILTER_NEVER, "a multicast address" },
	{ { 4, { 240 } }, 4, FILTER_NEVER, "a reserved address" },
	{ { 4, { 0 } }, 0, FILTER_PUBLIC, "a public address" },
	/* IPv6, RFC 6890 and its registry */
	{ { 6, { [15] = 1 } }, 128, FILTER_NEVER, "a loopback address" },
	{ { 6, { 0 } }, 96, FILTER_NEVER, "an IPv4 address in compatible form" },
	{ { 6, { [10] = 0xff, [11] = 0xff } }, 96, FILTER_NEVER, "an IPv4 address in mapped form" },
	{ { 6, { 0x00, 0x64, 0xff, 0x9b } }, 32, FILTER_NEVER, "an address of a NAT64" },
	{ { 6, { 0x20, 0x01, 0x00, 0x00 } }, 32, FILTER_NEVER, "a Teredo address" },
	{ { 6, { 0x20, 0x01, 0x00, 0x10 } }, 28, FILTER_NEVER, "an identifier, not an address" },
	{ { 6, { 0x20, 0x01, 0x00, 0x20 } }, 28, FILTER_NEVER, "an identifier, not an address" },
	{ { 6, { 0x20, 0x02 } }, 16, FILTER_NEVER, "a 6to4 address" },
	{ { 6, { 0x20 } }, 3, FILTER_PUBLIC, "a public address" },
	{ { 6, { 0xfc } }, 7, FILTER_PRIVATE, "a private address" },
	{ { 6, { 0xfe, 0x80 } }, 10, FILTER_PREFIX, "a link-local address" },
	{ { 6, { 0xff } }, 8, FILTER_NEVER, "a multicast address" },
	{ { 6, { 0 } }, 0, FILTER_PREFIX, "no global address" },
};

static bool is_own(const struct filter_host *h, const struct net_address *a)
{
	for (size_t i = 0; i < h->n; i++)
		if (net_address_equal(&h->v[i], a))
			return true;
	/* What cannot be told counts as the host's. */
	return h->routed && route_is_own(h->route, a) != 0;
}

enum filter_level filter_level(const struct filter_host *h, const struct net_address *a, const char **ret_words)
{
	enum filter_level level = FILTER_NEVER;

	*ret_words = "no address";
	for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
		if (!net_prefix_covers(&blocks[i].net, blocks[i].prefix, a))
			continue;
		level = blocks[i].level;
		*ret_words = blocks[i].words;
		break;
	}
	if (level < FILTER_EXACT && is_own(h, a)) {
		*ret_words = "an address of this very host";
		return FILTER_EXACT;
	}
	return level;
}

static bool is_exact(const struct net_grant *g)
{
	return g->prefix == (g->address.family == 4 ? 32 : 128);
}

static bool satisfied(
	const struct net_config *c, uint32_t grant, const struct net_address *a, uint16_t port, enum filter_level level)
{
	uint32_t literal = net_match_address(c, a, port);

	switch (level) {
	case FILTER_PUBLIC:
		return true;
	case FILTER_PRIVATE:
		return literal != NET_NO_GRANT || c->grants[grant].private_allowed;
	case FILTER_PREFIX:
		return literal != NET_NO_GRANT;
	case FILTER_EXACT:
		return literal != NET_NO_GRANT && is_exact(&c->grants[literal]);
	case FILTER_NEVER:
		break;
	}
	return false;
}

const char *filter_forbids(const struct net_config *c, uint32_t grant, const struct filter_host *h,
	const struct net_address *a, uint16_t port)
{
	const char *words;
	enum filter_level level = filter_level(h, a, &words);

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
