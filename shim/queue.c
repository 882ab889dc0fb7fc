/* SPDX-License-Identifier: Apache-2.0 */
/* queue - see queue.h */
#include "shim/queue.h"
#include <errno.h>
#include <limits.h>
#include <string.h>

enum { QUEUE_KEEP = 64 << 10 };

void queue_init(struct queue *q, struct port *port)
{
	*q = (struct queue){ .port = port, .buf = BUF_INIT(QUEUE_MAX) };
}

void queue_done(struct queue *q)
{
	buf_done(&q->buf);
}

/* How much of it one write(2) takes: a pipe takes PIPE_BUF bytes all or not at all. */
static size_t piece(const struct queue *q, const char *p, size_t n)
{
	const char *feed;

	if (!q->whole_lines || n <= PIPE_BUF)
		return n;
	feed = memrchr(p, '\n', PIPE_BUF);
	return feed ? (size_t)(feed - p) + 1 : PIPE_BUF;
}

/* Writes what goes: the count, or 0 with broken set. */
static size_t write_some(struct queue *q, const char *p, size_t n)
{
	size_t done = 0;

	while (done < n && !q->broken) {
		long w = port_write(q->port, p + done, piece(q, p + done, n - done));
		if (w == -EAGAIN)
			break;
		if (w < 0)
			q->broken = true;
		else
			done += (size_t)w;
	}
	return done;
}

static void drop(struct queue *q)
{
	buf_clear(&q->buf);
	q->sent = 0;
}

int queue_put(struct queue *q, const void *p, size_t n)
{
	size_t done = queue_len(q) == 0 ? write_some(q, p, n) : 0;

	if (q->broken) {
		drop(q);
		return 0;
	}
	if (done == n)
		return 0;
	if (q->sent > 0) {
		buf_consume(&q->buf, q->sent);
		q->sent = 0;
	}
	return buf_append(&q->buf, (const char *)p + done, n - done);
}

int queue_take(struct queue *q, struct buf *b)
{
	size_t done;
	struct buf old;

	if (queue_len(q) > 0) {
		int r = queue_put(q, b->data, b->len);
		buf_clear(b);
		return r;
	}
	done = write_some(q, b->data, b->len);
	if (q->broken || done == b->len) {
		drop(q);
		buf_clear(b);
		return 0;
	}
	old = q->buf;
	q->buf = *b;
	q->buf.max = old.max;
	q->sent = done;
	old.max = b->max;
	*b = old;
	buf_clear(b);
	return 0;
}

int queue_flush(struct queue *q)
{
	q->sent += write_some(q, q->buf.data + q->sent, queue_len(q));
	if (q->broken || queue_len(q) == 0)
		drop(q);
	return 0;
}

void queue_trim(struct queue *q)
{
	if (queue_len(q) == 0 && q->buf.cap > QUEUE_KEEP)
		buf_done(&q->buf);
}
