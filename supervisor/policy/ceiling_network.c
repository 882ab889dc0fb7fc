/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ceiling_network - ceilings on hosts, ports and kinds of networks (ceilings.h)
 *
 * Of each grant stays what a host of the policy names as well. Grants that stay whole come first, and what is left of a
 * wider one takes no port from them: the narrower speaks for a name (net_match_name), with and without a ceiling.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "supervisor/network.h"
#include "supervisor/policy/ceiling_parts.h"
#include "wire/net_block.h"

/* The ports that stand there already are not granted twice. */
static void drop_known(const struct net_config *c, struct net_grant *g)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n_ports; i++) {
		bool known = false;
		for (size_t k = 0; !known && k < c->n_grants; k++)
			known = network_same_host(&c->grants[k], g) && net_grant_has_port(&c->grants[k], g->ports[i]);
		if (!known)
			g->ports[n++] = g->ports[i];
	}
	g->n_ports = n;
}

static bool whole(const struct net_grant *g, const struct net_grant *part)
{
	return network_same_host(g, part) && g->n_ports == part->n_ports;
}

struct cutting {
	struct effective *e;
	struct net_config out; /* what is left: its grants alone */
	struct diag *d;
};

static int add_part(struct cutting *x, const struct net_grant *g, const struct net_grant *by, bool wholes)
{
	struct net_grant part;
	int r = network_grant_common(g, by, &part);

	if (r <= 0)
		return r;
	if (network_same_host(g, &part) == wholes)
		drop_known(&x->out, &part);
	else
		part.n_ports = 0;
	r = part.n_ports && !whole(g, &part) ? ceiling_where(&part.where, by->where) : 0;
	if (r == 0 && part.n_ports)
		return network_add(&x->out, &part, x->d);
	network_grant_done(&part);
	return r;
}

static int say_grant(struct cutting *x, const struct net_grant *g, const struct net_config *bounds, const char *where)
{
	char text[NETWORK_TEXT_MAX];
	bool some = false;

	for (size_t i = 0; i < bounds->n_grants; i++) {
		struct net_grant part;
		int r = network_grant_common(g, &bounds->grants[i], &part);
		bool all = r == 1 && whole(g, &part);
		if (r < 0)
			return r;
		some = some || r == 1;
		network_grant_done(&part);
		if (all)
			return 0;
	}
	return ceiling_cut(x->e, "network.allow", where, "%s, asked for by %s%s",
		network_grant_text(g, text, sizeof(text)), g->where,
		some ? ": only the part of it that the policy allows" : "");
}

static int cut_hosts(struct effective *e, struct diag *d)
{
	const struct net_config *bounds = &e->policy.ceilings.bounds.network;
	const char *where = policy_ceiling(&e->policy.ceilings, "network.allow");
	struct net_config *c = &e->profile.network;
	struct cutting x = { .e = e, .d = d };
	int r = 0;

	if (!where)
		return 0;
	for (int wholes = 1; r == 0 && wholes >= 0; wholes--)
		for (size_t i = 0; r == 0 && i < c->n_grants; i++)
			for (size_t k = 0; r == 0 && k < bounds->n_grants; k++)
				r = add_part(&x, &c->grants[i], &bounds->grants[k], wholes);
	for (size_t i = 0; r == 0 && i < c->n_grants; i++)
		r = say_grant(&x, &c->grants[i], bounds, where);
	for (size_t i = 0; i < c->n_grants; i++)
		network_grant_done(&c->grants[i]);
	free(c->grants);
	c->grants = x.out.grants;
	c->n_grants = x.out.n_grants;
	return r;
}

/* Addresses that are not of the open Internet: all of the network, or some of it. */
static bool reaches_inside(const struct net_grant *g)
{
	return g->kind == NET_LOCALHOST ||
	       (g->kind == NET_PREFIX && (net_block_of(&g->address)->level != NET_BLOCK_PUBLIC ||
						 net_block_is_mixed(&g->address, g->prefix)));
}

static int cut_private(struct effective *e)
{
	const char *where = policy_ceiling(&e->policy.ceilings, "network.private");
	struct net_config *c = &e->profile.network;
	char text[NETWORK_TEXT_MAX];
	size_t kept = 0;
	int r = 0;

	if (!where || e->policy.ceilings.private_networks)
		return 0;
	for (size_t i = 0; i < c->n_grants; i++) {
		struct net_grant *g = &c->grants[i];
		network_grant_text(g, text, sizeof(text));
		if (reaches_inside(g)) {
			r = r < 0 ? r
				  : ceiling_cut(e, "network.allow", where,
					    "%s, asked for by %s: no private network, nor part of one", text, g->where);
			network_grant_done(g);
			continue;
		}
		if (r == 0 && g->private_allowed)
			r = ceiling_say(e, where, "private addresses for %s, asked for by %s", text, g->where);
		g->private_allowed = false;
		c->grants[kept++] = *g;
	}
	c->n_grants = kept;
	return r;
}

/* A name that TLS does not say again may lead to any server of whoever answers for it. */
static int cut_sni(struct effective *e)
{
	const char *where = policy_ceiling(&e->policy.ceilings, "network.sni");
	struct net_config *c = &e->profile.network;
	char text[NETWORK_TEXT_MAX];
	int r = 0;

	if (!where || !e->policy.ceilings.sni)
		return 0;
	for (size_t i = 0; r == 0 && i < c->n_grants; i++) {
		struct net_grant *g = &c->grants[i];
		if (g->sni || g->kind == NET_PREFIX || g->kind == NET_LOCALHOST)
			continue;
		g->sni = true;
		r = ceiling_say(e, where, "another name in TLS than %s, asked for by %s: it is compared",
			network_grant_text(g, text, sizeof(text)), g->where);
		if (r == 0)
			r = ceiling_where(&g->where, where);
	}
	return r;
}

static int cut_publish(struct effective *e)
{
	const char *where = policy_ceiling(&e->policy.ceilings, "network.publish");
	struct net_config *c = &e->profile.network;
	int r = 0;

	if (!where || e->policy.ceilings.publish)
		return 0;
	for (size_t i = 0; r == 0 && i < c->n_publish; i++)
		r = ceiling_cut(e, "network.publish", where, "its port %u at 127.0.0.1", c->publish[i]);
	c->n_publish = 0;
	return r;
}

int ceiling_network(struct effective *e, struct diag *d)
{
	int r = cut_hosts(e, d);

	if (r == 0)
		r = cut_private(e);
	if (r == 0)
		r = cut_sni(e);
	return r < 0 ? r : cut_publish(e);
}
