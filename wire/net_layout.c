/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_layout - see net_layout.h
 *
 * Theory: ports are taken one after the other. A port that some grant opens for more than one address ("shared") has
 * one listener on every address, since the kernel gives a port on every address to one listener alone; each other port
 * has a listener an address. What a connection means is decided from the address it was made to, in either case.
 */
#include "wire/net_layout.h"
#include <errno.h>
#include <string.h>

enum { PORTS = 65536, IPV4_BITS = 32, IPV6_BITS = 128 };

static const struct net_address any4 = { .family = 4 }, any6 = { .family = 6 };
static const struct net_address loopback4 = { .family = 4, .bytes = { 127, 0, 0, 1 } };
static const struct net_address loopback6 = { .family = 6, .bytes = { [15] = 1 } };

static const struct {
	struct net_address stub, range;
	uint8_t prefix;
} modes[] = {
	[NET_BENCHMARK] = { { 4, { 198, 18, 0, 1 } }, { 4, { 198, 18, 0, 0 } }, 15 },
	[NET_RESERVED] = { { 4, { 240, 0, 0, 1 } }, { 4, { 240, 0, 0, 0 } }, 4 },
	[NET_REAL] = { { 4, { 198, 18, 0, 1 } }, { 4, { 0 } }, 0 },
};
_Static_assert(ARRAY_LEN(modes) == NET_ADDRESSES_COUNT, "a row for every mode");

/* What listens where, while it is drawn. */
struct draft {
	const struct net_config *config;
	struct net_layout *layout;
	unsigned char shared[2][PORTS / 8]; /* by family: 4, 6 */
};

static unsigned char *shared_byte(struct draft *d, uint8_t family, uint16_t port)
{
	return &d->shared[family == 6][port / 8];
}

static bool is_shared(struct draft *d, uint8_t family, uint16_t port)
{
	return *shared_byte(d, family, port) & 1u << port % 8;
}

static void share(struct draft *d, uint8_t family, uint16_t port)
{
	*shared_byte(d, family, port) |= (unsigned char)(1u << port % 8);
}

static int add_socket(struct net_layout *l, const struct net_socket *s)
{
	struct net_socket *v;

	if (l->n_sockets >= NET_SOCKETS_MAX)
		return -E2BIG;
	v = reallocarray(l->sockets, l->n_sockets + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	l->sockets = v;
	v[l->n_sockets++] = *s;
	return 0;
}

static int add_route(struct net_layout *l, const struct net_address *a, uint8_t prefix)
{
	struct net_route *v;

	for (size_t i = 0; i < l->n_routes; i++)
		if (l->routes[i].prefix == prefix && net_address_equal(&l->routes[i].address, a))
			return 0;
	if (l->n_routes >= NET_ROUTES_MAX)
		return -E2BIG;
	v = reallocarray(l->routes, l->n_routes + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	l->routes = v;
	v[l->n_routes++] = (struct net_route){ *a, prefix };
	return 0;
}

static bool one_address(const struct net_grant *g)
{
	return g->prefix == (g->address.family == 4 ? IPV4_BITS : IPV6_BITS);
}

/* Does the grant open its ports on addresses that are not known one by one? */
static bool opens_many(const struct net_config *c, const struct net_grant *g)
{
	if (g->kind == NET_PREFIX)
		return !one_address(g);
	return g->kind == NET_WILDCARD || g->kind == NET_ANY_NAME || (g->kind == NET_NAME && c->addresses == NET_REAL);
}

static void mark_shared(struct draft *d)
{
	for (size_t i = 0; i < d->config->n_grants; i++) {
		const struct net_grant *g = &d->config->grants[i];
		uint8_t family = g->kind == NET_PREFIX ? g->address.family : 4;
		for (size_t k = 0; opens_many(d->config, g) && k < g->n_ports; k++)
			share(d, family, g->ports[k]);
	}
}

static bool has_listener(const struct net_layout *l, const struct net_address *a, uint16_t port)
{
	for (size_t i = 0; i < l->n_sockets; i++)
		if (l->sockets[i].kind == NET_SOCKET_LISTEN && l->sockets[i].port == port &&
			net_address_equal(&l->sockets[i].address, a))
			return true;
	return false;
}

/* One listener; on a shared port the one on every address, made once. */
static int listen_at(struct draft *d, const struct net_address *a, uint16_t port, uint32_t grant)
{
	bool shared = is_shared(d, a->family, port);
	struct net_socket s = { .kind = NET_SOCKET_LISTEN, .port = port, .grant = shared ? NET_NO_GRANT : grant };

	s.address = !shared ? *a : a->family == 4 ? any4 : any6;
	return has_listener(d->layout, &s.address, port) ? 0 : add_socket(d->layout, &s);
}

/* A host that two grants name, for other ports, is one host and has one address: that of the first. */
static uint32_t first_of_name(const struct net_config *c, uint32_t grant)
{
	uint32_t i = 0;

	while (i < grant && (c->grants[i].kind != NET_NAME || strcmp(c->grants[i].name, c->grants[grant].name) != 0))
		i++;
	return i;
}

static int listen_for(struct draft *d, uint32_t grant)
{
	const struct net_grant *g = &d->config->grants[grant];
	int r = 0;

	for (size_t k = 0; r == 0 && k < g->n_ports; k++) {
		struct net_address a = any4;
		if (g->kind == NET_PREFIX)
			a = g->address;
		else if (g->kind == NET_LOCALHOST)
			a = loopback4;
		else if (g->kind == NET_NAME && d->config->addresses != NET_REAL)
			a = net_layout_fixed(d->layout, first_of_name(d->config, grant));
		if (a.family == 0)
			return -E2BIG;
		r = listen_at(d, &a, g->ports[k], grant);
		if (r == 0 && g->kind == NET_LOCALHOST)
			r = listen_at(d, &loopback6, g->ports[k], grant);
	}
	return r;
}

static int draw_routes(struct draft *d)
{
	int r = add_route(d->layout, &d->layout->range, d->layout->range_prefix);

	for (size_t i = 0; r == 0 && i < d->config->n_grants; i++) {
		const struct net_grant *g = &d->config->grants[i];
		if (g->kind == NET_PREFIX)
			r = add_route(d->layout, &g->address, g->prefix);
	}
	return r;
}

static int draw_spares(struct draft *d)
{
	int r = 0;

	for (uint32_t p = 0; p < d->config->n_publish; p++)
		for (unsigned i = 0; r == 0 && i < NET_SPARES; i++)
			r = add_socket(d->layout, &(struct net_socket){ .kind = NET_SOCKET_SPARE,
							  .address = loopback4,
							  .port = d->config->publish[p],
							  .grant = NET_NO_GRANT,
							  .publish = p });
	return r;
}

static int draw_sockets(struct draft *d)
{
	const struct net_address *stub = &d->layout->stub;
	int r = add_socket(d->layout, &(struct net_socket){ NET_SOCKET_DNS_UDP, *stub, NET_DNS_PORT, NET_NO_GRANT, 0 });

	if (r == 0)
		r = add_socket(
			d->layout, &(struct net_socket){ NET_SOCKET_DNS_TCP, *stub, NET_DNS_PORT, NET_NO_GRANT, 0 });
	if (r == 0)
		r = add_socket(d->layout, &(struct net_socket){ NET_SOCKET_WATCH, any4, 0, NET_NO_GRANT, 0 });
	for (uint32_t i = 0; r == 0 && i < d->config->n_grants; i++)
		r = listen_for(d, i);
	return r < 0 ? r : draw_spares(d);
}

int net_layout_draw(const struct net_config *c, struct net_layout *ret)
{
	_cleanup_free_ struct draft *d = calloc(1, sizeof(*d));
	int r;

	*ret = (struct net_layout){ 0 };
	if (!d || c->addresses >= NET_ADDRESSES_COUNT)
		return d ? -EINVAL : -ENOMEM;
	*d = (struct draft){ .config = c, .layout = ret };
	ret->stub = modes[c->addresses].stub;
	ret->range = modes[c->addresses].range;
	ret->range_prefix = modes[c->addresses].prefix;
	mark_shared(d);
	r = draw_routes(d);
	if (r == 0)
		r = draw_sockets(d);
	if (r < 0)
		net_layout_done(ret);
	return r;
}

void net_layout_done(struct net_layout *l)
{
	free(l->routes);
	free(l->sockets);
	*l = (struct net_layout){ 0 };
}

struct net_address net_layout_nth(const struct net_layout *l, uint64_t n)
{
	struct net_address a = l->range;
	uint64_t room = 1ull << (IPV4_BITS - l->range_prefix);

	/* The last address of the range is left out: 255.255.255.255 is never one host's. */
	if (n >= room - 1)
		return (struct net_address){ 0 };
	for (unsigned i = 0; i < 4; i++)
		a.bytes[i] = (uint8_t)(a.bytes[i] | (n >> (24 - 8 * i) & 0xff));
	return a;
}

struct net_address net_layout_fixed(const struct net_layout *l, uint32_t grant)
{
	return net_layout_nth(l, (uint64_t)NET_FIXED_NAMES_FIRST + grant);
}
