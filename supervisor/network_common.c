/* SPDX-License-Identifier: Apache-2.0 */
/* network_common - what two grants of the network have in common (network.h) */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "supervisor/network.h"
#include "wire/net_block.h"

static bool below(const char *name, const char *domain)
{
	size_t n = strlen(name), m = strlen(domain);

	return n > m + 1 && name[n - m - 1] == '.' && strcmp(name + n - m, domain) == 0;
}

/* Does every name of g fit the pattern? */
static bool name_within(const struct net_grant *g, const struct net_grant *pattern)
{
	if (pattern->kind == NET_ANY_NAME)
		return g->kind == NET_NAME || g->kind == NET_WILDCARD || g->kind == NET_ANY_NAME;
	if (pattern->kind == NET_NAME)
		return g->kind == NET_NAME && strcmp(g->name, pattern->name) == 0;
	if (pattern->kind != NET_WILDCARD || (g->kind != NET_NAME && g->kind != NET_WILDCARD))
		return false;
	return below(g->name, pattern->name) || (g->kind == NET_WILDCARD && strcmp(g->name, pattern->name) == 0);
}

static bool is_single(const struct net_grant *g)
{
	return g->prefix == (g->address.family == 4 ? 32 : 128);
}

static bool prefix_within(const struct net_grant *g, const struct net_grant *net)
{
	if (g->kind != NET_PREFIX || net->kind != NET_PREFIX || g->address.family != net->address.family ||
		g->prefix < net->prefix || !net_prefix_covers(&net->address, net->prefix, &g->address))
		return false;
	/* What only a grant of the very address opens, a network of the policy does not open either. */
	return is_single(net) || !is_single(g) || net_block_of(&g->address)->level != NET_BLOCK_EXACT;
}

static bool host_within(const struct net_grant *g, const struct net_grant *of)
{
	return name_within(g, of) || prefix_within(g, of) || (g->kind == NET_LOCALHOST && of->kind == NET_LOCALHOST);
}

static size_t common_ports(const struct net_grant *a, const struct net_grant *b, uint16_t ret[NET_PORTS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < a->n_ports; i++)
		if (net_grant_has_port(b, a->ports[i]))
			ret[n++] = a->ports[i];
	return n;
}

int network_grant_common(const struct net_grant *a, const struct net_grant *b, struct net_grant *ret)
{
	const struct net_grant *host = host_within(a, b) ? a : host_within(b, a) ? b : NULL;

	*ret = (struct net_grant){ .sni = a->sni, .private_allowed = a->private_allowed };
	if (!host || (ret->n_ports = common_ports(a, b, ret->ports)) == 0)
		return 0;
	ret->kind = host->kind;
	ret->address = host->address;
	ret->prefix = host->prefix;
	ret->name = host->name ? strdup(host->name) : NULL;
	ret->where = strdup(a->where);
	if (ret->where && (ret->name || !host->name))
		return 1;
	network_grant_done(ret);
	return -ENOMEM;
}

bool network_same_host(const struct net_grant *a, const struct net_grant *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == NET_PREFIX)
		return a->prefix == b->prefix && net_address_equal(&a->address, &b->address);
	return !a->name || strcmp(a->name, b->name) == 0;
}
