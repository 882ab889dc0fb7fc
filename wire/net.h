/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net - what a server may reach, as the gateway, dial and the layout of its network are told
 *
 * Process:  supervisor (writes), gateway and dial (read)
 * Owns:     all strings and arrays; free with net_config_done
 * Returns:  0, -errno; -EPROTO for bytes that are not a configuration of this build
 * Limits:   NET_CONFIG_BYTES_MAX encoded, NET_GRANTS_MAX grants, NET_PORTS_MAX ports a grant, NET_NAME_MAX bytes a name
 *
 * One configuration for both programs: each decides by itself with net_match_*, so that neither has to believe the
 * other.
 */
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/diag.h"
#include "wire/codec.h"

enum {
	NET_CONFIG_BYTES_MAX = 1 << 20,
	NET_GRANTS_MAX = 1024,
	NET_PORTS_MAX = 64,
	NET_PUBLISH_MAX = 8,
	NET_NAME_MAX = 253,    /* bytes of a name, without the root's dot (RFC 1035, 2.3.4) */
	NET_ADDRESS_TEXT = 48, /* any address as text, with its NUL */
	NET_NO_GRANT = 0xffffffffu,
};

/* An IPv4 address is kept in the first four bytes, network order. */
struct net_address {
	uint8_t family; /* 4 or 6; 0: none */
	uint8_t bytes[16];
};

enum net_grant_kind {
	NET_NAME,      /* one name */
	NET_WILDCARD,  /* every name below `name`, and not `name` itself */
	NET_ANY_NAME,  /* "*": every name */
	NET_PREFIX,    /* literal addresses: address/prefix */
	NET_LOCALHOST, /* the host's own loopback */
	NET_GRANT_KIND_COUNT,
};

struct net_grant {
	enum net_grant_kind kind;
	char *name; /* lower case, letters, digits, hyphen, underscore and dots; NET_NAME, NET_WILDCARD */
	struct net_address address; /* NET_PREFIX; bits beyond the prefix are zero */
	uint8_t prefix;
	uint16_t ports[NET_PORTS_MAX]; /* host order, ascending, none 0 */
	size_t n_ports;
	bool sni;	      /* on TLS ports the ClientHello must name what was granted */
	bool private_allowed; /* the profile names this very host or network, so a private address may answer */
	bool observed; /* not the profile's: let through, and recorded as what would be denied, while that holds */
	char *where;   /* "profiles/x.json:12 (network.allow)" for messages and records */
};

/* Which addresses stand for names inside the sandbox. */
enum net_addresses {
	NET_BENCHMARK, /* 198.18.0.0/15 (RFC 2544) */
	NET_RESERVED,  /* 240.0.0.0/4 (RFC 1112, section 4) */
	NET_REAL,      /* what the names really resolve to, for servers that refuse reserved addresses */
	NET_ADDRESSES_COUNT,
};

struct net_limits {
	uint32_t connections; /* at once */
	uint32_t names;	      /* that wildcards may map in one session */
	uint32_t queries;     /* to the stub, a second; more wait */
	uint32_t connect_ms;  /* for one connect upstream, resolution included */
	uint32_t hello_ms;    /* for the ClientHello to arrive whole */
	uint32_t idle_s;      /* a connection without a byte either way */
	uint32_t resolve_ms;  /* for one name */
};

/* The defaults, and what a profile may choose; NET_LIMITS(X): X(member, default, least, most, key in network.limits) */
/* clang-format off: a table */
#define NET_LIMITS(X)                                                                                                  \
	X(connections, 1024, 1, 8192, "connections")                                                                   \
	X(names, 4096, 1, 65536, "names")                                                                              \
	X(queries, 1000, 1, 10000, "queries")                                                                          \
	X(connect_ms, 30000, 100, 300000, "connect")                                                                   \
	X(hello_ms, 10000, 100, 60000, "hello")                                                                        \
	X(idle_s, 3600, 1, 604800, "idle")                                                                             \
	X(resolve_ms, 10000, 100, 60000, "resolve")
/* clang-format on */

struct net_config {
	char *server;	   /* for messages */
	uint32_t uid, gid; /* started by root: gateway and dial become these before anything else; never 0 */
	struct net_grant *grants;
	size_t n_grants;
	enum net_addresses addresses;
	struct net_limits limits;
	uint16_t publish[NET_PUBLISH_MAX]; /* ports of the server that the host's 127.0.0.1 offers */
	size_t n_publish;
	char *proxy_host; /* HTTP CONNECT proxy that every connection goes through, or NULL: names are then resolved by
			     it */
	uint16_t proxy_port;
	char *proxy_where;	   /* who provides it */
	uint64_t observe_until_us; /* CLOCK_BOOTTIME: from then on an observed grant grants nothing */
};

int net_config_encode(const struct net_config *c, struct wire_writer *w) _must_check_;
int net_config_decode(const void *bytes, size_t n, struct net_config *ret) _must_check_;
/* Reads the sealed memory file, decodes and closes it. 0, -errno with words. */
int net_config_read(int fd, struct net_config *ret, struct diag *d) _must_check_;
void net_config_done(struct net_config *c);
#define _cleanup_net_config_ _cleanup_(net_config_done)
struct net_limits net_limits_default(void);

/* Is it a name in our form: lower case, LDH and underscore, labels of 1..63, <= NET_NAME_MAX, not an address? */
bool net_name_valid(const char *name);
/* Do observed grants grant anything now? */
bool net_observing(const struct net_config *c);
/* The grant for name (in our form) and port: an exact name before the longest wildcard before "*", and an observed one
 * where there is no other; NET_NO_GRANT. Port 0: any. */
uint32_t net_match_name(const struct net_config *c, const char *name, uint16_t port);
/* The grant for a literal address: the longest prefix; NET_NO_GRANT. Port 0: any. */
uint32_t net_match_address(const struct net_config *c, const struct net_address *a, uint16_t port);
bool net_grant_has_port(const struct net_grant *g, uint16_t port);
bool net_prefix_covers(const struct net_address *net, uint8_t prefix, const struct net_address *a);
/* Is it a port on which a client opens with a ClientHello (443, 465, 636, 853, 989-990, 993, 995, 5061, 5671, 6697,
 * 8443, ...)? */
bool net_port_is_tls(uint16_t port);

const char *net_address_text(const struct net_address *a, char *buf, size_t size);
int net_address_parse(
	const char *text, struct net_address *ret) _must_check_; /* inet_pton(3): no octal, no short forms */
bool net_address_equal(const struct net_address *a, const struct net_address *b);
struct net_address net_address_from_sockaddr(
	const struct sockaddr_storage *sa, uint16_t *ret_port); /* port may be NULL */
socklen_t net_address_to_sockaddr(const struct net_address *a, uint16_t port, struct sockaddr_storage *ret);
/* An address as a field of a message. */
void net_address_put(struct wire_writer *w, const struct net_address *a);
void net_address_get(struct wire_reader *r, struct net_address *ret);
