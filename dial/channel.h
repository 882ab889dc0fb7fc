/* SPDX-License-Identifier: Apache-2.0 */
/*
 * channel - one reading of the host's resolver configuration, and the questions that are asked by it (c-ares)
 *
 * Process:  dial
 * Owns:     its sockets
 * Limits:   CHANNEL_SOCKETS_MAX sockets; RESOLVE_TRIES of RESOLVE_TRY_MS each a name server
 */
#pragma once
#include "dial/loop.h"
#include "dial/resolve.h"

enum { CHANNEL_SOCKETS_MAX = 256 };

struct channel;

/* Before the first channel, and after the last. */
int channel_library_init(void) _must_check_;
void channel_library_done(void);
/* Reads resolv.conf(5) and its like. */
int channel_new(struct loop *l, struct channel **ret) _must_check_;
/* Answers what is still asked. NULL is allowed. */
void channel_free(struct channel *c);
/* Calls fn exactly once, possibly before it returns. */
void channel_ask(struct channel *c, const char *name, resolve_fn fn, void *ctx);
/* Answers all that is asked as if nobody knew, and closes the sockets. In none of its callbacks. */
void channel_cancel(struct channel *c);
/* Is nothing asked? Only then, and in none of its callbacks, may it be freed without words. */
bool channel_is_idle(const struct channel *c);
/* Milliseconds until channel_tick is due, at most max (-1: for ever). */
int channel_timeout_ms(const struct channel *c, int max);
void channel_tick(struct channel *c);
