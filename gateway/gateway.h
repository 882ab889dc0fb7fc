/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway - the state of stockade-gateway, and the loop that everything hangs on
 *
 * Process:  gateway
 * Limits:   config.limits; GATEWAY_PIPES_MAX, GATEWAY_DNS_TCP_MAX, GATEWAY_PENDING_MAX
 *
 * Theory of operation. One epoll instance, level-triggered for what is read in small portions (listeners, DNS, dial,
 * the watch), edge-triggered for connections. Each descriptor belongs to a `struct source`, which is the first member
 * of what it is part of; ready() is called with what epoll found. Whoever closes a source sets fd to -1, and what it
 * was part of is freed only at the end of the turn, since events of the same turn may still point to it.
 *
 * An error that ends the program is left in `failed`; nothing takes effect after it.
 */
#pragma once
#include "gateway/role.h"
#include <stdbool.h>
#include <sys/queue.h>
#include "gateway/names.h"
#include "gateway/record.h"
#include "wire/net_layout.h"

struct gateway;
struct conn;
struct ask;
struct stub;

enum {
	GATEWAY_EVENTS_A_TURN = 64,
	GATEWAY_SCRATCH = 128 << 10,
	GATEWAY_PIPES_MAX = 32, /* of HALF_PIPE_BYTES: half of what a user's pipes may hold (pipe(7)) */
	GATEWAY_DNS_TCP_MAX = 32,
	GATEWAY_PENDING_MAX = 256, /* DNS questions that wait for dial */
	GATEWAY_REUSED_MAX = 4096, /* connections to a published port that cost it no spare: each is two records */
	GATEWAY_FILES_BASE = 64,   /* descriptors beside those of layout and limits */
};

struct source {
	int fd;
	void (*ready)(struct gateway *g, struct source *s, uint32_t events);
};

/* A socket that enter made, or a listener of the host: index is that of the layout, or of config.publish. */
struct layout_source {
	struct source source;
	uint32_t index;
};

struct spares {
	int fds[NET_SPARES];
	unsigned n, reused;
};

TAILQ_HEAD(conn_list, conn);
TAILQ_HEAD(ask_list, ask);

/* One list for each time-out, so that the first of each is the next to expire. */
enum timer { TIMER_HELLO, TIMER_CONNECT, TIMER_IDLE, TIMER_COUNT };

struct gateway {
	const struct net_config *config;
	struct net_layout layout;
	struct names names;
	struct record record;
	int epoll;
	uint64_t now_us;
	int failed;	    /* -errno: end the program */
	bool observed_over; /* what stood by observed grants alone was closed */
	bool ending;	    /* the supervisor's end of file */
	struct source events, dial;
	struct layout_source *sources; /* n_sockets of the layout, then n_publish */
	struct spares spares[NET_PUBLISH_MAX];
	/* connections */
	struct conn_list timers[TIMER_COUNT], ready, dead;
	uint32_t n_conns, n_pipes;
	uint64_t splice_from; /* bytes one way after which a connection gets pipes */
	unsigned char *scratch;
	/* questions to dial */
	struct ask_list unsent;
	struct ask **asks; /* by slot */
	uint32_t n_slots, n_asks, next_slot;
	uint64_t next_id;
	bool dial_blocked;
	struct stub *stub;
};

/* fds: the layout's sockets, in its order; taken over. publish: config.n_publish listeners, taken over. */
int gateway_init(struct gateway *g, const struct net_config *c, int events, int dial, uint64_t now_us) _must_check_;
/* Begins to listen to the layout's sockets (n_sockets of them, in its order) and to the host's listeners. Takes all
 * over. */
int gateway_listen(struct gateway *g, const int *fds, const int *publish) _must_check_;
void gateway_done(struct gateway *g);
/* Runs until the supervisor is gone (0) or something fails (-errno). */
int gateway_run(struct gateway *g) _must_check_;
/* One turn; waits at most wait_ms for something to happen. For tests. */
int gateway_turn(struct gateway *g, int wait_ms) _must_check_;
/* Puts a source under watch; events as for epoll_ctl(2). */
int gateway_watch(struct gateway *g, struct source *s, uint32_t events) _must_check_;
/* Takes the spare of a published port back when it may serve again, being refused or done with; else *fd stays the
 * caller's. */
void gateway_keep_spare(struct gateway *g, uint16_t port, int *fd);
/* How many descriptors the limits of c need at most. */
uint64_t gateway_files(const struct net_config *c, const struct net_layout *l);

static inline void gateway_fail(struct gateway *g, int r)
{
	if (r < 0 && !g->failed)
		g->failed = r;
}
