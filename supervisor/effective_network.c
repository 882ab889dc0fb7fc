/* SPDX-License-Identifier: Apache-2.0 */
/* effective_network - see effective_network.h */
#include "supervisor/effective_network.h"
#include <errno.h>
#include <string.h>
#include "supervisor/effective_lines.h"
#include "supervisor/canonical.h"
#include "supervisor/network.h"
#include "supervisor/suffixes.h"
#include "supervisor/trust.h"
#include "wire/net_block.h"

/* A literal network with fewer bits than these holds more than one site's machines. */
enum { WIDE_IPV4 = 16, WIDE_IPV6 = 48, PREFIX_WORDS_MAX = 2 * NET_ADDRESS_TEXT + 64 };

int effective_network_merge(const struct grants *g, struct profile *f, struct diag *d)
{
	int r = 0;

	if (g->hosts.n && f->network.n_grants == 0)
		r = places_set(&f->places, "network.allow", "--host");
	for (size_t i = 0; r == 0 && i < g->hosts.n; i++) {
		struct net_grant grant;
		r = network_grant_parse(g->hosts.v[i], "--host", &grant, d);
		if (r == 0)
			r = network_add(&f->network, &grant, d);
	}
	/* The profile alone was checked when it was read. */
	return r < 0 || g->hosts.n == 0 ? r : network_check(&f->network, d);
}

/* Of the host's own loopback, and of what comes in, no proxy knows. */
static bool goes_out(const struct net_config *c)
{
	for (size_t i = 0; i < c->n_grants; i++)
		if (c->grants[i].kind != NET_LOCALHOST)
			return true;
	return false;
}

int effective_network_provide(struct effective *e, struct diag *d)
{
	struct net_config *c = &e->profile.network;

	if (!e->policy.provide.proxy_host || !goes_out(c))
		return 0;
	if (c->addresses == NET_REAL)
		return diag_fail(d, -EINVAL,
			"%s: all connections go through the proxy %s:%u, which resolves the names itself, so a sandbox "
			"cannot have their real "
			"addresses: take \"addresses\": \"real\" out of the profile's network",
			e->policy.provide.proxy_where, e->policy.provide.proxy_host, e->policy.provide.proxy_port);
	c->proxy_host = strdup(e->policy.provide.proxy_host);
	c->proxy_where = strdup(e->policy.provide.proxy_where);
	c->proxy_port = e->policy.provide.proxy_port;
	return c->proxy_host && c->proxy_where ? 0 : -ENOMEM;
}

bool effective_network_trusts(const struct effective *e)
{
	return e->policy.provide.ca && network_on(&e->profile.network);
}

const char *effective_network_stub(const struct profile *f)
{
	if (!network_on(&f->network))
		return NULL;
	return f->network.addresses == NET_RESERVED ? NET_STUB_RESERVED : NET_STUB_BENCHMARK;
}

int effective_network_plan(struct effective *e, struct diag *d)
{
	struct net_config *c = &e->profile.network;
	struct net_layout l;
	int r;

	if (!network_on(c))
		return 0;
	c->uid = e->plan.uid;
	c->gid = e->plan.gid;
	c->server = strdup(e->name);
	if (!c->server)
		return -ENOMEM;
	r = net_layout_draw(c, &l);
	if (r < 0)
		return diag_fail(d, r, "cannot lay out the network of the sandbox: %s", strerror(-r));
	plan_take_network(&e->plan, &l);
	return 0;
}

/* --- words --- */

static bool wide_prefix(const struct net_grant *g)
{
	return g->prefix < (g->address.family == 4 ? WIDE_IPV4 : WIDE_IPV6);
}

static bool is_single(const struct net_grant *g)
{
	return g->prefix == (g->address.family == 4 ? 32 : 128);
}

/* The one level that only a grant of the very address opens (dial/filter.c). */
static bool is_metadata(const struct net_grant *g)
{
	return g->kind == NET_PREFIX && is_single(g) && net_block_of(&g->address)->level == NET_BLOCK_EXACT;
}

static unsigned danger_of(const struct net_grant *g)
{
	if (is_metadata(g))
		return DANGER_METADATA;
	if (g->kind == NET_LOCALHOST)
		return DANGER_LOCALHOST;
	if (g->kind == NET_ANY_NAME || (g->kind == NET_PREFIX && wide_prefix(g)))
		return DANGER_NETWORK;
	return g->kind == NET_WILDCARD && suffix_kind(g->name) == SUFFIX_SHARED ? DANGER_NETWORK : 0;
}

static bool is_named(const struct net_grant *g)
{
	return g->kind == NET_NAME || g->kind == NET_WILDCARD || g->kind == NET_ANY_NAME;
}

static bool has_tls_port(const struct net_grant *g)
{
	for (size_t i = 0; i < g->n_ports; i++)
		if (net_port_is_tls(g->ports[i]))
			return true;
	return false;
}

static const char *what_of(const struct net_grant *g)
{
	static const char *const words[] = {
		[NET_NAME] = "",
		[NET_WILDCARD] = " (every name below it; what it asks for there reaches that domain's name servers)",
		[NET_ANY_NAME] = " (every name there is)",
		[NET_PREFIX] = "",
		[NET_LOCALHOST] = " (this machine's own loopback)",
	};
	_Static_assert(ARRAY_LEN(words) == NET_GRANT_KIND_COUNT, "words for every kind of grant");

	return words[g->kind];
}

/* The last address of a network. */
static struct net_address last_of(const struct net_grant *g)
{
	struct net_address a = g->address;

	for (unsigned i = g->prefix; i < (a.family == 4 ? 32U : 128U); i++)
		a.bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
	return a;
}

/* " (10.2.0.0 to 10.2.255.255, each a private address)": few people count in prefixes. */
static const char *prefix_words(const struct net_grant *g, char *buf, size_t size)
{
	const struct net_block *block = net_block_of(&g->address);
	struct net_address last = last_of(g);
	char from[NET_ADDRESS_TEXT], to[NET_ADDRESS_TEXT];
	bool special = block->level != NET_BLOCK_PUBLIC && block->prefix <= g->prefix;

	buf[0] = 0;
	if (g->kind != NET_PREFIX || (is_single(g) && !special))
		return buf;
	if (is_single(g))
		snprintf(buf, size, " (%s)", block->words);
	else
		snprintf(buf, size, " (%s to %s%s%s)", net_address_text(&g->address, from, sizeof(from)),
			net_address_text(&last, to, sizeof(to)), special ? ", each " : "",
			special					     ? block->words
			: net_block_is_mixed(&g->address, g->prefix) ? ", private networks among them"
								     : "");
	return buf;
}

static int add_grant(struct effective *e, const struct net_grant *g)
{
	char text[NETWORK_TEXT_MAX], prefix[PREFIX_WORDS_MAX];

	if (g->observed)
		return effective_add_line(e, LINE_NETWORK, danger_of(g), e->policy.mode.where,
			"%s%s, which the profile denies: until %s it is let through and recorded",
			network_grant_text(g, text, sizeof(text)), what_of(g), e->observe_until);
	return effective_add_line(e, LINE_NETWORK, danger_of(g), g->where, "%s%s%s%s%s",
		network_grant_text(g, text, sizeof(text)), what_of(g), prefix_words(g, prefix, sizeof(prefix)),
		is_named(g) && !g->sni && has_tls_port(g) ? " (the name in a TLS connection is not compared)" : "",
		g->private_allowed ? " (private addresses may answer for it)" : "");
}

static int add_addresses(struct effective *e)
{
	static const char *const words[] = {
		[NET_BENCHMARK] = "inside, each name has an address of 198.18.0.0/15 that stands for it; any other "
				  "address has no route",
		[NET_RESERVED] = "inside, each name has an address of 240.0.0.0/4 that stands for it; any other "
				 "address has no route",
		[NET_REAL] = "inside, names have their real addresses; connections to any other address are reset, not "
			     "unreachable",
	};
	_Static_assert(ARRAY_LEN(words) == NET_ADDRESSES_COUNT, "words for every kind of address");
	const struct net_limits *l = &e->profile.network.limits;
	int r = effective_add_value(e, LINE_NOTE, 0, "network.addresses", "%s", words[e->profile.network.addresses]);

	if (r < 0)
		return r;
	return effective_add_value(e, LINE_LIMIT, 0,
		"network.limits.connections network.limits.names network.limits.queries network.limits.connect "
		"network.limits.resolve network.limits.hello network.limits.idle",
		"network: %u connections at once, %u names below wildcards, %u queries a second; %u s to connect, %u s "
		"for a name, %u s for a ClientHello, %u s idle; TCP alone, UDP fails at once",
		l->connections, l->names, l->queries, l->connect_ms / 1000, l->resolve_ms / 1000, l->hello_ms / 1000,
		l->idle_s);
}

/* Whoever has that authority's key reads along: it is a person's to know. */
static int add_trust(struct effective *e)
{
	_cleanup_buf_ struct buf names = BUF_INIT(1024);
	size_t n;
	const struct trust_variable *v = trust_variables(&n);
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = buf_printf(&names, "%s%s", i ? ", " : "", v[i].name);
	return r < 0 ? r
		     : effective_add_line(e, LINE_NETWORK, 0, e->policy.provide.ca_where,
			       "in TLS it trusts the authority of this machine's policy as well, whose owner can read "
			       "along (in the bundles of the system and by %s)",
			       names.data);
}

int effective_network_lines(struct effective *e)
{
	const struct net_config *c = &e->profile.network;
	int r = 0;

	/* Only of a profile that is shown without the values of its parameters. */
	for (size_t i = 0; r == 0 && i < e->profile.net_hosts.n; i++)
		r = effective_add_line(e, LINE_NETWORK, 0, e->profile.net_hosts.v[i].where, "%s, as given with --set",
			e->profile.net_hosts.v[i].value);
	if (r < 0 || !network_on(c))
		return r < 0 || e->profile.net_hosts.n ? r
						       : effective_add_value(e, LINE_NETWORK, 0, "network.allow",
								 "none: only its own loopback");
	for (size_t i = 0; r == 0 && i < c->n_grants; i++)
		r = add_grant(e, &c->grants[i]);
	if (r == 0 && c->n_grants == 0)
		r = effective_add_value(e, LINE_NETWORK, 0, "network.allow", "it reaches nothing but its own loopback");
	for (size_t i = 0; r == 0 && i < c->n_publish; i++)
		r = effective_add_line(e, LINE_NETWORK, 0, e->profile.publish_where,
			"programs on this machine reach its port %u at 127.0.0.1:%u", c->publish[i], c->publish[i]);
	if (r == 0 && c->proxy_host)
		r = effective_add_line(e, LINE_NETWORK, 0, c->proxy_where,
			"all of it goes through the proxy %s:%u, which also resolves the names", c->proxy_host,
			c->proxy_port);
	if (r == 0 && effective_network_trusts(e))
		r = add_trust(e);
	return r < 0 ? r : add_addresses(e);
}

/* --- the digest --- */

static json_t *canonical_grant(const struct net_grant *g)
{
	char text[NETWORK_TEXT_MAX];

	network_grant_text(g, text, sizeof(text));
	/* The defaults are left out, so that a plain grant reads as it was written. */
	return json_sprintf(
		"%s%s%s", text, g->sni || !is_named(g) ? "" : " without sni", g->private_allowed ? " private" : "");
}

json_t *effective_network_canonical(const struct effective *e)
{
	const struct net_config *c = &e->profile.network;
	char ca[CANONICAL_DIGEST_HEX] = "";
	json_t *allow = json_array(), *publish = json_array(), *limits = json_object();
	int r = effective_network_trusts(e) ? canonical_digest_text(e->policy.provide.ca, ca) : 0;

	for (size_t i = 0; i < c->n_grants; i++)
		if (!c->grants[i].observed)
			r |= json_array_append_new(allow, canonical_grant(&c->grants[i]));
	for (size_t i = 0; i < c->n_publish; i++)
		r |= json_array_append_new(publish, json_integer(c->publish[i]));
#define X(member, standard, least, most, key) r |= json_object_set_new(limits, key, json_integer(c->limits.member));
	NET_LIMITS(X)
#undef X
	if (r < 0 || !allow || !publish || !limits) {
		json_decref(allow);
		json_decref(publish);
		json_decref(limits);
		return NULL;
	}
	return json_pack("{s:o, s:o, s:i, s:o, s:s*, s:i, s:s*}", "allow", allow, "publish", publish, "addresses",
		c->addresses, "limits", limits, "proxy", c->proxy_host, "proxy_port", c->proxy_port, "ca",
		*ca ? ca : NULL);
}
