/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue - what is still to be written to one side
 *
 * Process:  shim
 * Owns:     its buffer, never the port
 * Returns:  0, -ENOMEM, -E2BIG; a peer that went away is no error here: broken is set and all is dropped
 * Limits:   QUEUE_MAX bytes; the loop stops reading the other side from QUEUE_HIGH
 */
#pragma once
#include "shim/role.h"
#include <stdbool.h>
#include "base/buf.h"
#include "shim/port.h"
#include "wire/shim_config.h"

enum {
	QUEUE_HIGH = 256 << 10,
	QUEUE_HARD = SHIM_LINE_MAX,
	/* What is there when a side is last read, one message, and an answer for everything in flight. */
	QUEUE_MAX = 3 * SHIM_LINE_MAX,
};

struct queue {
	struct port *port;
	struct buf buf;
	size_t sent;	  /* bytes of buf that are written */
	bool whole_lines; /* others write there too: never part of a line of up to PIPE_BUF bytes (pipe(7)) */
	bool broken;	  /* nobody reads there any more */
};

void queue_init(struct queue *q, struct port *port);
void queue_done(struct queue *q);
static inline size_t queue_len(const struct queue *q)
{
	return q->buf.len - q->sent;
}
/* Writes what can be written at once and keeps the rest. */
int queue_put(struct queue *q, const void *p, size_t n) _must_check_;
/* The same for a whole buf, whose block is taken over where that saves a copy; the buf is empty afterwards. */
int queue_take(struct queue *q, struct buf *b) _must_check_;
int queue_flush(struct queue *q) _must_check_;
void queue_trim(struct queue *q);
