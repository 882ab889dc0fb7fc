/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_layout - the network inside a sandbox, drawn from the configuration alone
 *
 * Process:  supervisor (puts it into the plan), gateway (finds out which received descriptor is what)
 * Owns:     its arrays; free with net_layout_done
 * Limits:   NET_SOCKETS_MAX sockets, NET_ROUTES_MAX routes
 *
 * Both draw it themselves from the same bytes, in the same order: nothing about it has to be sent twice.
 *
 *    NET_STUB is on lo and answers DNS. Fake modes: a `local` route for the range; granted names have fixed addresses
 * from its start, wildcards take addresses after those, each name once and for ever. Where all names of a port are
 * enumerated there is one listener a name and port; where a wildcard or a prefix has that port, one listener on every
 * address. Prefixes: a `local` route each. NET_REAL: a `local` route for 0.0.0.0/0 and a listener a port on every
 * address. NET_LOCALHOST: listeners on 127.0.0.1 and ::1. publish: spare sockets, not yet connected.
 */
#pragma once
#include "wire/net.h"

enum {
	NET_SOCKETS_MAX = 4096,
	NET_ROUTES_MAX = NET_GRANTS_MAX + 2,
	NET_FIXED_NAMES_FIRST = 16, /* host number of the first granted name; below are the stub and its like */
	NET_SPARES = 64,	    /* connections a published port can take at once */
	NET_DNS_PORT = 53,
	NET_BACKLOG = 512,
};

#define NET_STUB_BENCHMARK "198.18.0.1" /* on lo: with 127.0.0.1 alone AI_ADDRCONFIG finds no IPv4 (getaddrinfo(3)) */
#define NET_STUB_RESERVED  "240.0.0.1"

/* All are non-blocking. */
enum net_socket_kind {
	NET_SOCKET_DNS_UDP,
	NET_SOCKET_DNS_TCP,
	NET_SOCKET_LISTEN, /* TCP, bound and listening; address 0.0.0.0 or :: means every one (IPV6_V6ONLY) */
	NET_SOCKET_SPARE,  /* TCP, IPv4, neither bound nor connected */
	NET_SOCKET_WATCH,  /* packet socket on lo that sees the first packet of what no listener takes; filter attached
			      and locked */
	NET_SOCKET_KIND_COUNT,
};

struct net_socket {
	enum net_socket_kind kind;
	struct net_address address;
	uint16_t port;
	uint32_t grant;	  /* LISTEN on one address: whose it is; else NET_NO_GRANT */
	uint32_t publish; /* SPARE: index into config.publish */
};

struct net_route {
	struct net_address address;
	uint8_t prefix;
};

struct net_layout {
	struct net_address stub;  /* put on lo with prefix 32 */
	struct net_address range; /* where fake addresses come from */
	uint8_t range_prefix;
	struct net_route *routes; /* type local, device lo */
	size_t n_routes;
	struct net_socket *sockets;
	size_t n_sockets;
};

int net_layout_draw(const struct net_config *c, struct net_layout *ret) _must_check_; /* -E2BIG: more than fits */
void net_layout_done(struct net_layout *l);
#define _cleanup_net_layout_ _cleanup_(net_layout_done)
/* The fixed address of grants[i] (NET_NAME) in the fake modes; of two that name one host, the first has it for both. */
struct net_address net_layout_fixed(const struct net_layout *l, uint32_t grant);
/* Host number n of the range; family 0 when the range does not hold so many. */
struct net_address net_layout_nth(const struct net_layout *l, uint64_t n);
