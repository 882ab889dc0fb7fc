/* SPDX-License-Identifier: Apache-2.0 */
/*
 * network - hosts that a profile or a command line grants, from their written form to what gateway and dial enforce
 *
 * Process:  supervisor
 * Owns:     nothing of its own; grants live in struct net_config (wire/net.h)
 * Returns:  0, -errno with words
 *
 *    HOST            port 443                    api.github.com
 *    HOST:PORTS      one port or a list          api.github.com:443,8443
 *    *.DOMAIN:PORTS  every name below it         *.githubusercontent.com:443
 *    *:PORTS         every name                  *:443
 *    ADDRESS:PORTS   one address or a prefix     10.2.0.0/16:5432  [2001:db8::/32]:443
 *    localhost:PORTS the host's own loopback     localhost:5432
 *
 * Upper case and a trailing dot are normalised; names in other scripts, port 0 and "*.com" are refused in words.
 */
#pragma once
#include "base/diag.h"
#include "supervisor/role.h"
#include "wire/net_layout.h"

enum { NETWORK_TEXT_MAX = NET_NAME_MAX + 8 * NET_PORTS_MAX, NETWORK_PORT_DEFAULT = 443, NETWORK_PUBLISH_MIN = 1024 };

/* where is what stands in messages and records ("FILE:LINE (network.allow)"). The grant's strings are the caller's to
 * free (network_grant_done). */
int network_grant_parse(const char *text, const char *where, struct net_grant *ret, struct diag *d) _must_check_;
/* HOST alone, without ports. */
int network_host_parse(const char *host, const char *where, struct net_grant *ret, struct diag *d) _must_check_;
int network_port_add(struct net_grant *g, uint64_t port, const char *where, struct diag *d) _must_check_;
void network_grant_done(struct net_grant *g);
/* Takes the grant over, also when it fails. The same host and port twice is refused. */
int network_add(struct net_config *c, struct net_grant *g, struct diag *d) _must_check_;
/* Does anything go out or come in? */
bool network_on(const struct net_config *c);
/* The whole must be possible: every name has an address, every listener a place. */
int network_check(const struct net_config *c, struct diag *d) _must_check_;
/* What both grants let through: 1, and *ret is the caller's to free; 0: nothing. Whether names in TLS are compared and
 * private addresses may answer, and the words for it, are the first one's. */
int network_grant_common(const struct net_grant *a, const struct net_grant *b, struct net_grant *ret) _must_check_;
/* The same names or addresses, whatever their ports. */
bool network_same_host(const struct net_grant *a, const struct net_grant *b);
/* "api.github.com:443", in the form that parses to the same. */
const char *network_grant_text(const struct net_grant *g, char *buf, size_t size);
