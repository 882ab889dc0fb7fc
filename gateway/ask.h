/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ask - questions to dial, and whose answer comes back to whom
 *
 * Process:  gateway
 * Limits:   gateway.n_slots in flight, abandoned ones among them: dial is never asked for more than that at once
 */
#pragma once
#include "gateway/role.h"
#include "gateway/gateway.h"
#include "wire/dial.h"

/* fd: the connected socket, owned by the callee, or -1. */
typedef void (*ask_done_fn)(struct gateway *g, void *owner, const struct dial_answer *a, int fd);

struct ask {
	TAILQ_ENTRY(ask) link; /* while it is not sent */
	bool unsent;
	uint64_t id;
	uint32_t slot;
	enum dial_ask what;
	uint32_t grant;
	const char *name; /* in names, or NULL */
	struct net_address address;
	uint16_t port;
	int fd; /* DIAL_PUBLISH: the spare socket, owned */
	ask_done_fn done;
	void *owner; /* NULL: abandoned */
};

int ask_init(struct gateway *g, uint32_t n_slots) _must_check_;
void ask_close(struct gateway *g);
/* Asks what *like says (what, grant, name, address, port, fd, done, owner). NULL: no room; like->fd stays the caller's.
 */
struct ask *ask_new(struct gateway *g, const struct ask *like);
/* Its owner is gone: the answer will be thrown away. NULL is allowed. */
void ask_abandon(struct gateway *g, struct ask *a);
/* The dial source's ready(). */
void ask_ready(struct gateway *g, struct source *s, uint32_t events);
