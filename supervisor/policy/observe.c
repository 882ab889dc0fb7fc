/* SPDX-License-Identifier: Apache-2.0 */
/* observe - see observe.h */
#include "supervisor/policy/observe.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/io.h"
#include "supervisor/effective_lines.h"
#include "supervisor/network.h"

enum { SECOND_US = 1000000 };

/* Where no list says which: what servers are reached at. Those that a server listens on itself, for its own user's
 * browser, are not among them: the gateway would listen there before it. */
static const uint16_t usual_ports[] = { 80, 443 };

/* --- hosts --- */

static bool has_port(const struct net_grant *g, uint16_t port)
{
	return g->n_ports && net_grant_has_port(g, port);
}

static void add_port(struct net_grant *g, uint16_t port)
{
	size_t at = 0;

	/* The sandbox's own name server listens there, whoever is asked for. */
	if (has_port(g, port) || port == NET_DNS_PORT || g->n_ports == NET_PORTS_MAX)
		return;
	while (at < g->n_ports && g->ports[at] < port)
		at++;
	memmove(&g->ports[at + 1], &g->ports[at], (g->n_ports - at) * sizeof(g->ports[0]));
	g->ports[at] = port;
	g->n_ports++;
}

/* What the profile has granted itself, or opened for others to come in. */
static bool taken(const struct net_config *c, const struct net_grant *g, uint16_t port)
{
	for (size_t i = 0; i < c->n_publish; i++)
		if (c->publish[i] == port)
			return true;
	for (size_t i = 0; i < c->n_grants; i++)
		if (network_same_host(&c->grants[i], g) && has_port(&c->grants[i], port))
			return true;
	return false;
}

static int add_observed(struct effective *e, const struct net_grant *like, struct diag *d)
{
	struct net_config *c = &e->profile.network;
	struct net_grant g = { .kind = like->kind, .sni = like->sni, .observed = true };

	for (size_t i = 0; i < like->n_ports; i++)
		if (!taken(c, like, like->ports[i]))
			add_port(&g, like->ports[i]);
	if (g.n_ports == 0)
		return 0;
	g.name = like->name ? strdup(like->name) : NULL;
	if (asprintf(&g.where, "%s (network.allow) has no such host or port; let through by %s",
		    e->profile.file ? e->profile.file : "the profile", e->policy.mode.where) < 0)
		g.where = NULL;
	if ((!like->name || g.name) && g.where)
		return network_add(c, &g, d);
	network_grant_done(&g);
	return -ENOMEM;
}

static int observe_ceiling(struct effective *e, struct diag *d)
{
	const struct net_config *bounds = &e->policy.ceilings.bounds.network;
	int r = 0;

	for (size_t i = 0; r == 0 && i < bounds->n_grants; i++) {
		enum net_grant_kind kind = bounds->grants[i].kind;
		if (kind == NET_NAME || kind == NET_WILDCARD || kind == NET_ANY_NAME)
			r = add_observed(e, &bounds->grants[i], d);
	}
	return r;
}

static int observe_all(struct effective *e, struct diag *d)
{
	const struct net_config *c = &e->profile.network;
	struct net_grant any = { .kind = NET_ANY_NAME, .sni = true };

	for (size_t i = 0; i < ARRAY_LEN(usual_ports); i++)
		add_port(&any, usual_ports[i]);
	for (size_t i = 0; i < c->n_grants; i++)
		for (size_t k = 0; c->grants[i].kind != NET_LOCALHOST && k < c->grants[i].n_ports; k++)
			add_port(&any, c->grants[i].ports[k]);
	return add_observed(e, &any, d);
}

static int observe_hosts(struct effective *e, struct diag *d)
{
	struct net_config *c = &e->profile.network;
	int r;

	if (!network_on(c))
		return 0;
	if (policy_ceiling(&e->policy.ceilings, "network.allow"))
		r = observe_ceiling(e, d);
	else
		r = c->proxy_host ? 0 : observe_all(e, d);
	return r < 0 ? r : network_check(c, d);
}

/* --- all of it --- */

int observe_apply(struct effective *e, struct diag *d)
{
	const struct policy_mode *m = &e->policy.mode;
	uint64_t until_us;
	int r;

	/* What stands on a command line alone is no profile's. */
	if (!policy_mode_observes(m, e->moments.now) || !e->profile.file)
		return 0;
	/* A clock that was set back would go on observing. */
	r = moments_check(&e->moments, "how long this machine only observes hangs on the time", d);
	if (r == 0)
		r = observe_hosts(e, d);
	if (r < 0)
		return r;
	until_us = io_boot_us() + (uint64_t)(m->until_s - e->moments.now) * SECOND_US;
	e->observe_until = m->until;
	e->shim.observe_until_us = until_us;
	e->profile.network.observe_until_us = until_us;
	return 0;
}

int observe_lines(struct effective *e)
{
	const struct policy_mode *m = &e->policy.mode;
	bool hosts = false;
	int r;

	if (m->observe && !e->observe_until && e->profile.file)
		return effective_add_line(
			e, LINE_NOTE, 0, m->until_where, "this machine observes no longer: everything is enforced");
	if (!e->observe_until)
		return 0;
	for (size_t i = 0; i < e->profile.network.n_grants; i++)
		hosts = hosts || e->profile.network.grants[i].observed;
	r = effective_add_line(e, LINE_TOOLS, 0, m->where,
		"until %s a tool that the profile denies may be called all the same, and is recorded; what the policy "
		"denies is denied",
		e->observe_until);
	if (r == 0 && !hosts && network_on(&e->profile.network))
		r = effective_add_line(e, LINE_NOTE, 0, m->where, "no host is let through that the profile denies");
	return r < 0 ? r
		     : effective_add_line(e, LINE_NOTE, 0, m->where,
			       "this machine only observes until %s: names of tools%s that the profile denies are let "
			       "through and recorded as \"would deny\"; everything else holds",
			       e->observe_until, hosts ? ", and hosts," : "");
}

int observe_canonical(const struct effective *e, json_t *canonical)
{
	const struct net_config *c = &e->profile.network;
	json_t *hosts;
	int r = 0;

	if (!e->observe_until)
		return 0;
	hosts = json_array();
	for (size_t i = 0; i < c->n_grants; i++) {
		char text[NETWORK_TEXT_MAX];
		if (c->grants[i].observed)
			r |= json_array_append_new(
				hosts, json_string(network_grant_text(&c->grants[i], text, sizeof(text))));
	}
	r |= json_object_set_new(
		canonical, "observe", json_pack("{s:s, s:O}", "until", e->observe_until, "hosts", hosts));
	json_decref(hosts);
	return r < 0 ? -ENOMEM : 0;
}
