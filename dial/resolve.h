/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve - names to addresses as the host would: its hosts file, then its name servers (c-ares)
 *
 * Process:  dial
 * Owns:     its channels and their sockets
 * Limits:   RESOLVE_ADDRESSES_MAX addresses a name; RESOLVE_TRIES of RESOLVE_TRY_MS each a name server
 *
 * resolv.conf(5) is read again when the file has changed: a laptop changes networks in mid-session. Search domains are
 * not used: what was granted is a whole name. Nothing is kept: the resolver of the host does that.
 */
#pragma once
#include "dial/loop.h"
#include "wire/dial.h"

enum { RESOLVE_ADDRESSES_MAX = 64, RESOLVE_TRIES = 3, RESOLVE_TRY_MS = 1500, RESOLVE_SOCKETS_MAX = 256 };

struct resolve_result {
	enum dial_status status; /* DIAL_OK, NO_NAME, NO_ADDRESS, RESOLVER */
	struct net_address v[RESOLVE_ADDRESSES_MAX];
	size_t n; /* in the order of RFC 6724 */
};

typedef void (*resolve_fn)(void *ctx, const struct resolve_result *r);

struct resolver;

/* Reads the host's configuration; before the lock-down. */
int resolver_new(struct loop *l, struct resolver **ret) _must_check_;
void resolver_free(struct resolver *r);
/* Calls fn exactly once, possibly before it returns. */
void resolver_ask(struct resolver *r, const char *name, resolve_fn fn, void *ctx);
/* Milliseconds until resolver_tick is due, at most max (-1: for ever). */
int resolver_timeout_ms(const struct resolver *r, int max);
void resolver_tick(struct resolver *r);
