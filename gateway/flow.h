/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flow - connections: accepted, decided, dialled, carried both ways, recorded
 *
 * Process:  gateway
 * Limits:   config.limits.connections at once, FLOW_ACCEPTS a listener and turn; config.limits.hello_ms, connect_ms and
 * idle_s
 *
 * Accept comes before connect: whatever goes wrong upstream is a reset inside. What cannot be forwarded is reset, never
 * half open.
 */
#pragma once
#include "gateway/role.h"
#include "gateway/ask.h"
#include "gateway/decide.h"
#include "gateway/half.h"

enum { FLOW_ACCEPTS = 32, FLOW_TURNS = 256, FLOW_GRACE_US = 2000000 /* dial's own time-out comes first */ };

enum conn_state { CONN_HELLO, CONN_ASKING, CONN_OPEN, CONN_DEAD };

struct conn {
	TAILQ_ENTRY(conn) timed, turn;
	enum conn_state state;
	enum timer timer;
	bool on_timer, on_turn;
	bool published; /* the client is outside, the server inside */
	struct side client, upstream;
	struct half out, in; /* from the client, to the client */
	struct hello *hello; /* CONN_HELLO */
	struct buf first;    /* CONN_HELLO: all that came, to be sent on */
	struct ask *ask;     /* CONN_ASKING */
	struct decision decision;
	struct net_address meant, dialled;
	uint16_t port;
	uint64_t id;		      /* of the request to dial; its event has it too */
	uint64_t since_us, active_us; /* active_us: when it went to the end of its timer's list */
};

void flow_init(struct gateway *g);
/* Ends every connection, recorded as words say; NULL: not recorded. */
void flow_close_all(struct gateway *g, const char *words);
/* Listeners of the layout, and of the host (publish). */
void flow_accept_ready(struct gateway *g, struct source *s, uint32_t events);
void flow_publish_ready(struct gateway *g, struct source *s, uint32_t events);
/* A connection that was made to the address and port; fd is taken over. */
void flow_begin(struct gateway *g, int fd, const struct net_address *meant, uint16_t port);
/* Carries what is ready on, ends what is over its time, frees what is dead. */
void flow_tick(struct gateway *g);
/* When flow_tick has something to do: 0 for at once. */
uint64_t flow_due(const struct gateway *g);
