/* SPDX-License-Identifier: Apache-2.0 */
/*
 * half - the bytes that go one way through a connection
 *
 * Process:  gateway
 * Owns:     what was read and is not yet written, and its pipe; never the sockets
 * Returns:  enum half_outcome, or -errno of the side that failed: both are then reset
 * Limits:   GATEWAY_SCRATCH bytes kept for a slow reader, and nothing more is read until they are gone (back pressure)
 *
 * Theory of operation. Small connections are read into the loop's one buffer and written from it: they cost no memory
 * and no descriptor. What a reader does not take is kept in a block of its own. From gateway.splice_from bytes on, a
 * way gets a pipe, and the kernel moves pages instead of bytes (splice(2)).
 */
#pragma once
#include "gateway/role.h"
#include "gateway/gateway.h"

struct side {
	struct source source;
	struct conn *conn;
	bool readable, writable; /* since epoll said so and until the kernel says otherwise (edge-triggered) */
	bool muted;		 /* epoll does not tell of more to read */
};

struct half {
	struct buf kept;
	size_t sent; /* bytes of kept that are written */
	int pipe[2];
	size_t in_pipe;
	uint64_t total;
	bool ended; /* the reader saw the end of file */
	bool shut;  /* and the writer was told */
	bool plain; /* no pipe was to be had: bytes are copied */
};

enum half_outcome {
	HALF_WAITS,   /* for epoll */
	HALF_GOES_ON, /* its turn is over, and there is more to do at once */
};

/* A large pipe halves the work against 64 KiB; a user may have only so many pages in pipes (pipe(7)), so less must do,
 * and one of two pages would cost more than it saves. */
enum { HALF_ROUNDS = 16, HALF_PIPE_BYTES = 1 << 20, HALF_PIPE_LEAST = 64 << 10 };

void half_init(struct half *h);
void half_done(struct gateway *g, struct half *h);
int half_pump(struct gateway *g, struct half *h, struct side *from, struct side *to) _must_check_;
