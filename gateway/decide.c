/* SPDX-License-Identifier: Apache-2.0 */
/* decide - see decide.h */
#include "gateway/decide.h"
#include <stdio.h>
#include <string.h>

static const struct net_address loopback4 = { .family = 4, .bytes = { 127, 0, 0, 1 } };
static const struct net_address loopback6 = { .family = 6, .bytes = { [15] = 1 } };

static const char NO_GRANT[] = "network.allow has no such port";
static const char NO_NAME[] = "network.allow names no such address";

bool decide_is_loopback(const struct net_address *a)
{
	return net_prefix_covers(&loopback4, 8, a) || net_address_equal(&loopback6, a);
}

static enum decide_verdict deny(struct decision *ret, const char *rule, const char *reason)
{
	ret->rule = rule;
	ret->reason = reason;
	return DECIDE_DENY;
}

/* The sandbox's own loopback is its own: only what the profile opens of the host's is listened for there. */
static enum decide_verdict decide_loopback(const struct names *n, uint16_t port, struct decision *ret)
{
	for (uint32_t i = 0; i < n->config->n_grants; i++) {
		const struct net_grant *g = &n->config->grants[i];
		if (g->kind != NET_LOCALHOST || !net_grant_has_port(g, port))
			continue;
		ret->grant = i;
		return DECIDE_GO;
	}
	return deny(ret, NO_GRANT, "this port of the host's own localhost is not granted");
}

static bool wants_hello(const struct names *n, uint32_t grant, uint16_t port)
{
	return n->config->grants[grant].sni && net_port_is_tls(port);
}

enum decide_verdict decide_address(
	const struct names *n, const struct net_address *a, uint16_t port, struct decision *ret)
{
	const struct name_set *s;
	bool hello = false;

	*ret = (struct decision){ .grant = NET_NO_GRANT };
	if (decide_is_loopback(a))
		return decide_loopback(n, port, ret);
	s = names_at(n, a);
	for (size_t i = 0; s && i < s->n; i++) {
		uint32_t grant = net_match_name(n->config, s->names[i]->text, port);
		if (grant == NET_NO_GRANT)
			continue;
		hello |= wants_hello(n, grant, port);
		if (ret->grant != NET_NO_GRANT)
			continue;
		ret->grant = grant;
		ret->name = s->names[i];
	}
	if (ret->grant != NET_NO_GRANT)
		return hello ? DECIDE_HELLO : DECIDE_GO;
	ret->grant = net_match_address(n->config, a, port);
	if (ret->grant != NET_NO_GRANT)
		return DECIDE_GO;
	return s ? deny(ret, NO_GRANT, "this port of the host is not granted")
		 : deny(ret, NO_NAME, "no granted name or network stands for this address");
}

enum decide_verdict decide_hello(
	const struct names *n, const struct net_address *a, uint16_t port, const struct hello *h, struct decision *ret)
{
	const struct name_set *s = names_at(n, a);
	const struct name *without = NULL;
	uint32_t without_grant = NET_NO_GRANT, last = NET_NO_GRANT;

	*ret = (struct decision){ .grant = NET_NO_GRANT };
	for (size_t i = 0; s && i < s->n; i++) {
		uint32_t grant = net_match_name(n->config, s->names[i]->text, port);
		if (grant == NET_NO_GRANT)
			continue;
		last = grant;
		ret->grant = grant;
		ret->name = s->names[i];
		if (h->found == HELLO_NAME && strcmp(h->name, s->names[i]->text) == 0)
			return DECIDE_GO;
		if (!without && !wants_hello(n, grant, port)) {
			without = s->names[i];
			without_grant = grant;
		}
	}
	if (without) {
		*ret = (struct decision){ .grant = without_grant, .name = without };
		return DECIDE_GO;
	}
	return deny(ret, last == NET_NO_GRANT ? NO_GRANT : n->config->grants[last].where, hello_words(h->found));
}

/* The first name that stands for it is as good as any to tell a person. */
static const char *host_of(const struct names *n, const struct net_address *a, const struct decision *d)
{
	const struct name_set *s;

	if (d->name)
		return d->name->text;
	if (decide_is_loopback(a))
		return "localhost";
	s = names_at(n, a);
	return s ? s->names[0]->text : "";
}

static bool has_other_fake(const struct names *n, const struct net_address *a)
{
	return n->config->addresses != NET_REAL && net_prefix_covers(&n->layout->range, n->layout->range_prefix, a);
}

void decide_denial(const struct names *n, const struct net_address *a, uint16_t port, const char *protocol,
	const struct decision *d, struct denial *ret)
{
	const char *host = host_of(n, a, d);
	const char *what;
	size_t at;

	*ret = (struct denial){ .type = EVENT_NET_DENIED, .port = port, .protocol = protocol, .rule = d->rule };
	snprintf(ret->host, sizeof(ret->host), "%s", host);
	net_address_text(a, ret->address, sizeof(ret->address));
	snprintf(ret->reason, sizeof(ret->reason), "%s", d->reason);
	/* A port that is granted was denied for what was said on it, and no address of ours is one to be granted. */
	what = host[0] ? host : ret->address;
	if (d->grant != NET_NO_GRANT || (!host[0] && has_other_fake(n, a)) || strcmp(protocol, "tcp") != 0)
		return;
	at = strlen(ret->reason);
	snprintf(ret->reason + at, sizeof(ret->reason) - at,
		a->family == 6 && !host[0] ? "; \"[%s]:%u\" in network.allow would grant it"
					   : "; \"%s:%u\" in network.allow would grant it",
		what, port);
}
