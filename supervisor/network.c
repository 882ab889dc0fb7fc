/* SPDX-License-Identifier: Apache-2.0 */
/* network - see network.h */
#include "supervisor/network.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/parse.h"
#include "base/text.h"
#include "supervisor/suffixes.h"
#include "wire/net_block.h"

enum { SHOWN = 300, PREFIX_TEXT = 4, HOST_MAX = NET_NAME_MAX + 2 };

static const struct net_address loopback4 = { .family = 4, .bytes = { 127 } };
static const struct net_address mapped = { .family = 6, .bytes = { [10] = 0xff, [11] = 0xff } };
static const struct net_address loopback6 = { .family = 6, .bytes = { [15] = 1 } };

static int refuse(const char *where, const char *text, struct diag *d, const char *why)
{
	char shown[SHOWN];

	return diag_fail(d, -EINVAL, "%s: \"%s\" %s", where, text_escape_str(text, shown, sizeof(shown)), why);
}

/* --- names --- */

/* Lower case, without the root's dot. */
static bool normalise(const char *host, char *ret, size_t size)
{
	size_t n = strlen(host);

	if (n > 1 && host[n - 1] == '.' && strcmp(host, "*.") != 0)
		n--;
	if (n == 0 || n >= size)
		return false;
	for (size_t i = 0; i < n; i++)
		ret[i] = (char)(host[i] >= 'A' && host[i] <= 'Z' ? host[i] | 0x20 : host[i]);
	ret[n] = 0;
	return true;
}

static bool has_other_script(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s >= 0x80)
			return true;
	return false;
}

static int refuse_name(const char *host, const char *where, struct diag *d)
{
	if (has_other_script(host))
		return refuse(where, host, d,
			"is written in another script; write the form that is asked of name servers, which begins with "
			"xn--");
	if (strspn(host, "0123456789.xXabcdefABCDEF") == strlen(host) && strpbrk(host, "0123456789"))
		return refuse(where, host, d,
			"looks like an address in a form that programs read in different ways; write four decimal "
			"numbers, as in 10.2.3.4");
	if (strchr(host, '%'))
		return refuse(where, host, d, "names an interface behind a '%'; an address is granted without one");
	if (strchr(host, '*'))
		return refuse(where, host, d,
			"has a '*' in another place than as the whole first label; write *.DOMAIN, or * for every "
			"name");
	return refuse(where, host, d,
		"is no host name: labels of letters, digits, '-' and '_' with dots between them, 253 bytes at most");
}

/* A wildcard below a suffix that anybody can register under is a grant for anybody. */
static int refuse_suffix(const char *name, const char *where, struct diag *d)
{
	char pattern[HOST_MAX + 2];

	snprintf(pattern, sizeof(pattern), "*.%s", name);
	return refuse(where, pattern, d,
		strchr(name, '.') ? "stands for every name below a suffix that anybody can register names under: name "
				    "the domain, as in *.example.com"
				  : "stands for every name of a whole top-level domain: name the domain, as in "
				    "*.example.com");
}

/* RFC 6761, 6.3: the name server inside answers them with the loopback. */
static bool is_below_localhost(const char *name)
{
	static const char tail[] = ".localhost";
	size_t n = strlen(name), t = sizeof(tail) - 1;

	return n > t && strcmp(name + n - t, tail) == 0;
}

static int take_name(
	const char *name, const char *where, enum net_grant_kind kind, struct net_grant *ret, struct diag *d)
{
	if (!net_name_valid(name))
		return refuse_name(name, where, d);
	if (kind == NET_WILDCARD && suffix_kind(name) == SUFFIX_REGISTRY)
		return refuse_suffix(name, where, d);
	if (is_below_localhost(name))
		return refuse(where, name, d,
			"is a name of the loopback, which is the server's own inside; for the host's write "
			"localhost:PORT");
	ret->kind = kind;
	ret->sni = true;
	ret->name = strdup(name);
	return ret->name ? 0 : -ENOMEM;
}

/* --- addresses --- */

/* A wider network that also holds the loopback grants the rest of it: dial never connects there (dial/filter.c). */
static bool within_loopback(const struct net_grant *g)
{
	return (g->prefix >= 8 && net_prefix_covers(&loopback4, 8, &g->address)) ||
	       net_address_equal(&g->address, &loopback6);
}

/* What no grant opens would be shown, approved and then never reached. */
static int check_dialled(const char *text, const char *where, const struct net_grant *g, struct diag *d)
{
	const struct net_block *block = net_block_of(&g->address);
	char why[SHOWN];

	if (block->level != NET_BLOCK_NEVER || block->prefix > g->prefix)
		return 0;
	snprintf(why, sizeof(why), "is %s, and nobody is ever connected there", block->words);
	return refuse(where, text, d, why);
}

static int take_prefix(const char *text, const char *slash, const char *where, struct net_grant *ret, struct diag *d)
{
	unsigned bits = ret->address.family == 4 ? 32 : 128;
	uint64_t prefix = bits;
	struct net_address cut = { .family = ret->address.family };

	if (slash && parse_u64(slash + 1, 0, bits, &prefix) < 0)
		return refuse(where, text, d, "has a prefix length that this kind of address does not have");
	for (unsigned i = 0; i < prefix; i++)
		cut.bytes[i / 8] |= (uint8_t)(ret->address.bytes[i / 8] & 0x80 >> i % 8);
	if (!net_address_equal(&cut, &ret->address))
		return refuse(where, text, d,
			"has bits set behind its prefix: write the network's own address, or the one address without a "
			"prefix");
	ret->kind = NET_PREFIX;
	ret->prefix = (uint8_t)prefix;
	/* A socket of IPv6 that means an IPv4 address never carries it in this form to anybody (dial/filter.c). */
	if (ret->address.family == 6 && prefix >= 96 && net_prefix_covers(&mapped, 96, &ret->address))
		return refuse(where, text, d, "is an IPv4 address in the form of IPv6; write the IPv4 address");
	if (within_loopback(ret))
		return refuse(where, text, d,
			"holds the loopback, which is the server's own inside; for the host's write localhost:PORT");
	return check_dialled(text, where, ret, d);
}

/* 0: taken; 1: it is no address; -errno. */
static int take_address(const char *host, const char *where, struct net_grant *ret, struct diag *d)
{
	const char *slash = strchr(host, '/');
	char text[NET_ADDRESS_TEXT];
	size_t n = slash ? (size_t)(slash - host) : strlen(host);

	if (n >= sizeof(text))
		return 1;
	memcpy(text, host, n);
	text[n] = 0;
	if (net_address_parse(text, &ret->address) < 0)
		return slash ? refuse(where, host, d,
				       "has a '/' but no address before it: a host has no path, and a network is "
				       "written "
				       "ADDRESS/PREFIX, as in 10.2.0.0/16")
			     : 1;
	return take_prefix(host, slash, where, ret, d);
}

int network_host_parse(const char *host, const char *where, struct net_grant *ret, struct diag *d)
{
	char name[HOST_MAX] = "";
	int r;

	*ret = (struct net_grant){ .where = strdup(where) };
	if (!ret->where)
		return -ENOMEM;
	r = take_address(host, where, ret, d);
	if (r <= 0)
		return r;
	if (!normalise(host, name, sizeof(name)))
		return refuse_name(host, where, d);
	if (strcmp(name, "*") == 0) {
		ret->kind = NET_ANY_NAME;
		ret->sni = true;
		return 0;
	}
	if (strcmp(name, "localhost") == 0) {
		ret->kind = NET_LOCALHOST;
		return 0;
	}
	if (strncmp(name, "*.", 2) == 0 && name[2])
		return take_name(name + 2, where, NET_WILDCARD, ret, d);
	return take_name(name, where, NET_NAME, ret, d);
}

/* --- ports --- */

int network_port_add(struct net_grant *g, uint64_t port, const char *where, struct diag *d)
{
	size_t at = 0;

	if (port == 0 || port > UINT16_MAX)
		return diag_fail(d, -EINVAL, "%s: %llu is no port: those are 1 to 65535, and 0 is nobody's", where,
			(unsigned long long)port);
	while (at < g->n_ports && g->ports[at] < port)
		at++;
	if (at < g->n_ports && g->ports[at] == port)
		return diag_fail(d, -EINVAL, "%s: port %llu is named twice", where, (unsigned long long)port);
	if (g->n_ports == NET_PORTS_MAX)
		return diag_fail(d, -E2BIG, "%s: more than %d ports for one host: name it once more for the others",
			where, NET_PORTS_MAX);
	memmove(g->ports + at + 1, g->ports + at, (g->n_ports - at) * sizeof(g->ports[0]));
	g->ports[at] = (uint16_t)port;
	g->n_ports++;
	return 0;
}

static int take_ports(const char *text, const char *ports, const char *where, struct net_grant *ret, struct diag *d)
{
	_cleanup_free_ char *copy = strdup(ports);
	char *rest = copy, *one;
	int r = copy ? 0 : -ENOMEM;

	while (r == 0 && (one = strsep(&rest, ","))) {
		uint64_t port;
		if (parse_u64(one, 0, UINT32_MAX, &port) < 0)
			return refuse(where, text, d,
				"has something else than port numbers behind the last ':'; a list is written 80,443");
		r = network_port_add(ret, port, where, d);
	}
	return r;
}

/* Cuts "HOST:PORTS" or "[ADDRESS]:PORTS"; ports is NULL when there are none. */
static int cut(const char *text, const char *where, char *host, size_t size, const char **ret_ports, struct diag *d)
{
	bool bracket = text[0] == '[';
	const char *end = bracket ? strchr(text, ']') : strrchr(text, ':');
	const char *from = bracket ? text + 1 : text;

	if (bracket && (!end || (end[1] && end[1] != ':')))
		return refuse(where, text, d, "has a '[' that is not closed before the port: [2001:db8::1]:443");
	if (!bracket && end && strchr(text, ':') != end)
		return refuse(
			where, text, d, "has more than one ':'; an IPv6 address stands in brackets: [2001:db8::1]:443");
	if (!end)
		end = text + strlen(text);
	const char *colon = bracket ? end + 1 : end;
	*ret_ports = *colon ? colon + 1 : NULL;
	if ((size_t)(end - from) >= size || end == from)
		return refuse_name(text, where, d);
	memcpy(host, from, (size_t)(end - from));
	host[end - from] = 0;
	return 0;
}

int network_grant_parse(const char *text, const char *where, struct net_grant *ret, struct diag *d)
{
	char host[HOST_MAX + PREFIX_TEXT] = "";
	const char *ports = NULL;
	int r;

	*ret = (struct net_grant){ 0 };
	if (strstr(text, "://"))
		return refuse(where, text, d, "is a URL; a grant is a host and a port: api.example.com:443");
	if (strchr(text, '$'))
		return refuse(where, text, d,
			"has a '$'; nothing is expanded in the names of hosts, but a whole item of a profile's list "
			"can be a parameter of type host");
	r = cut(text, where, host, sizeof(host), &ports, d);
	if (r == 0)
		r = network_host_parse(host, where, ret, d);
	if (r == 0)
		r = ports ? take_ports(text, ports, where, ret, d)
			  : network_port_add(ret, NETWORK_PORT_DEFAULT, where, d);
	if (r < 0)
		network_grant_done(ret);
	return r;
}

void network_grant_done(struct net_grant *g)
{
	free(g->name);
	free(g->where);
	*g = (struct net_grant){ 0 };
}

/* --- all of them --- */

static bool same_host(const struct net_grant *a, const struct net_grant *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->name)
		return strcmp(a->name, b->name) == 0;
	return a->kind != NET_PREFIX || (a->prefix == b->prefix && net_address_equal(&a->address, &b->address));
}

static const struct net_grant *find_twice(const struct net_config *c, const struct net_grant *g)
{
	for (size_t i = 0; i < c->n_grants; i++)
		for (size_t k = 0; same_host(&c->grants[i], g) && k < g->n_ports; k++)
			if (net_grant_has_port(&c->grants[i], g->ports[k]))
				return &c->grants[i];
	return NULL;
}

int network_add(struct net_config *c, struct net_grant *g, struct diag *d)
{
	const struct net_grant *twice = find_twice(c, g);
	struct net_grant *v = NULL;
	char text[NETWORK_TEXT_MAX];
	int r = 0;

	if (twice)
		r = diag_fail(d, -EEXIST,
			"%s: %s is granted by %s as well: which of the two counts would be chance; keep one", g->where,
			network_grant_text(g, text, sizeof(text)), twice->where);
	else if (c->n_grants == NET_GRANTS_MAX)
		r = diag_fail(d, -E2BIG, "%s: more than %d hosts are granted: a wildcard or a network stands for many",
			g->where, NET_GRANTS_MAX);
	else if (!(v = reallocarray(c->grants, c->n_grants + 1, sizeof(*v))))
		r = -ENOMEM;
	if (r < 0) {
		network_grant_done(g);
		return r;
	}
	c->grants = v;
	v[c->n_grants++] = *g;
	*g = (struct net_grant){ 0 };
	return 0;
}

bool network_on(const struct net_config *c)
{
	return c->n_grants > 0 || c->n_publish > 0;
}

/* Inside, the name server listens on one address of ours; a listener on every address would need its port there. */
static int check_stub(const struct net_layout *l, struct diag *d)
{
	static const struct net_address any = { .family = 4 };
	char text[NET_ADDRESS_TEXT];

	for (size_t i = 0; i < l->n_routes; i++)
		if (l->routes[i].prefix == 32 && net_address_equal(&l->routes[i].address, &l->stub))
			return diag_fail(d, -EINVAL,
				"network.allow: %s is the name server's address inside, and cannot be reached; with "
				"\"addresses\": \"240.0.0.0/4\" in a profile's network the name server has another",
				net_address_text(&l->stub, text, sizeof(text)));
	for (size_t i = 0; i < l->n_sockets; i++)
		if (l->sockets[i].kind == NET_SOCKET_LISTEN && l->sockets[i].port == NET_DNS_PORT &&
			net_address_equal(&l->sockets[i].address, &any))
			return diag_fail(d, -EINVAL,
				"network.allow: port %d, which is the name server's inside, cannot be granted for a "
				"wildcard or a network, nor with real addresses: name each host",
				NET_DNS_PORT);
	return 0;
}

/* A port of the host's loopback that is the server's, and one of the server's that is the host's: each would be the
 * other. */
static int check_publish(const struct net_config *c, struct diag *d)
{
	for (size_t i = 0; i < c->n_grants; i++)
		for (size_t k = 0; c->grants[i].kind == NET_LOCALHOST && k < c->n_publish; k++)
			if (net_grant_has_port(&c->grants[i], c->publish[k]))
				return diag_fail(d, -EINVAL,
					"%s: port %u is published as well (network.publish), so it would lead back to "
					"itself; keep one",
					c->grants[i].where, c->publish[k]);
	return 0;
}

int network_check(const struct net_config *c, struct diag *d)
{
	_cleanup_net_layout_ struct net_layout l = { 0 };
	int r = net_layout_draw(c, &l);

	if (r == 0)
		r = check_stub(&l, d);
	if (r == 0)
		r = check_publish(c, d);
	if (r == -E2BIG)
		return diag_fail(d, r,
			"the granted hosts and ports need more than %d listening sockets, or more addresses than their "
			"range holds: grant fewer, or a wildcard",
			NET_SOCKETS_MAX);
	return r;
}

const char *network_grant_text(const struct net_grant *g, char *buf, size_t size)
{
	char address[NET_ADDRESS_TEXT];
	int n = 0;

	switch (g->kind) {
	case NET_NAME:
		n = snprintf(buf, size, "%s:", g->name);
		break;
	case NET_WILDCARD:
		n = snprintf(buf, size, "*.%s:", g->name);
		break;
	case NET_ANY_NAME:
		n = snprintf(buf, size, "*:");
		break;
	case NET_LOCALHOST:
		n = snprintf(buf, size, "localhost:");
		break;
	case NET_PREFIX:
		net_address_text(&g->address, address, sizeof(address));
		n = g->address.family == 6
			    ? snprintf(buf, size, g->prefix < 128 ? "[%s/%u]:" : "[%s]:", address, g->prefix)
			    : snprintf(buf, size, g->prefix < 32 ? "%s/%u:" : "%s:", address, g->prefix);
		break;
	case NET_GRANT_KIND_COUNT:
		break;
	}
	for (size_t i = 0; i < g->n_ports && n >= 0 && (size_t)n < size; i++)
		n += snprintf(buf + n, size - (size_t)n, "%s%u", i ? "," : "", g->ports[i]);
	return buf;
}
