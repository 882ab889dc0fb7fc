/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve - names to addresses as the host would: its hosts file, then its name servers
 *
 * Process:  dial
 * Owns:     its questions; a waiter is the caller's, and stays where it is until it is answered or forgotten
 * Limits:   RESOLVE_ADDRESSES_MAX addresses a name; RESOLVE_TRIES of RESOLVE_TRY_MS each a name server;
 *           RESOLVE_FRESH_MAX questions that were asked within RESOLVE_TRY_MS, further ones wait for their turn
 *
 * resolv.conf(5) is read again when the file has changed: a laptop changes networks in mid-session. Search domains are
 * not used: what was granted is a whole name. No answer is kept: the resolver of the host does that. But who asks for a
 * name while a fresh question for it is out shares the answer, and no more are out at once than the buffer of a name
 * server's socket takes: a thousand connections to one host would else be two thousand datagrams, of which some are
 * lost, and asked again seconds later.
 */
#pragma once
#include <sys/queue.h>
#include "dial/loop.h"
#include "wire/dial.h"

enum { RESOLVE_ADDRESSES_MAX = 64, RESOLVE_TRIES = 3, RESOLVE_TRY_MS = 1500, RESOLVE_FRESH_MAX = 128 };

struct resolve_result {
	enum dial_status status; /* DIAL_OK, NO_NAME, NO_ADDRESS, RESOLVER, BROKEN */
	struct net_address v[RESOLVE_ADDRESSES_MAX];
	size_t n; /* in the order of RFC 6724 */
};

typedef void (*resolve_fn)(void *ctx, const struct resolve_result *r);

struct resolver;
struct question;

struct resolve_waiter {
	TAILQ_ENTRY(resolve_waiter) link;
	struct question *question; /* NULL: waits for nothing */
	resolve_fn fn;
	void *ctx;
};

/* Reads the host's configuration; before the lock-down. */
int resolver_new(struct loop *l, struct resolver **ret) _must_check_;
/* Waiters that are left are not called. */
void resolver_free(struct resolver *r);
/* Calls w->fn exactly once, possibly before it returns, unless w is forgotten before. */
void resolver_ask(struct resolver *r, const char *name, struct resolve_waiter *w);
/* The answer, if any comes, is no longer wanted. */
void resolver_forget(struct resolver *r, struct resolve_waiter *w);
/* Milliseconds until resolver_tick is due, at most max (-1: for ever). */
int resolver_timeout_ms(const struct resolver *r, int max);
/* Asks what is due, and answers what took too long. In no waiter's fn. */
void resolver_tick(struct resolver *r);
