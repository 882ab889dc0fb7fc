/* SPDX-License-Identifier: Apache-2.0 */
/* half - see half.h */
#include "gateway/half.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

void half_init(struct half *h)
{
	*h = (struct half){ .kept = BUF_INIT(GATEWAY_SCRATCH), .pipe = { -1, -1 } };
}

void half_done(struct gateway *g, struct half *h)
{
	buf_done(&h->kept);
	if (h->pipe[0] < 0)
		return;
	close(h->pipe[0]);
	close(h->pipe[1]);
	h->pipe[0] = h->pipe[1] = -1;
	g->n_pipes--;
}

/* 1: it cannot be done now; the flag is down until epoll raises it. */
static int later(bool *flag)
{
	int e = errno;

	if (e == EINTR)
		return 0;
	if (e != EAGAIN)
		return -e;
	*flag = false;
	return 1;
}

/* Writes what is kept; 0 once all of it is gone, 1 when the side is full. */
static int push_kept(struct half *h, struct side *to)
{
	while (h->sent < h->kept.len) {
		ssize_t n =
			send(to->source.fd, h->kept.data + h->sent, h->kept.len - h->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
		int r = n < 0 ? later(&to->writable) : 0;
		if (r)
			return r;
		h->sent += n > 0 ? (size_t)n : 0;
	}
	if (h->kept.cap > 0)
		buf_done(&h->kept);
	h->kept = BUF_INIT(GATEWAY_SCRATCH);
	h->sent = 0;
	return 0;
}

static int push_pipe(struct half *h, struct side *to)
{
	while (h->in_pipe > 0) {
		ssize_t n =
			splice(h->pipe[0], NULL, to->source.fd, NULL, h->in_pipe, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
		int r = n < 0 ? later(&to->writable) : 0;
		if (r)
			return r;
		h->in_pipe -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static int pull_pipe(struct half *h, struct side *from)
{
	ssize_t n = splice(from->source.fd, NULL, h->pipe[1], NULL, HALF_PIPE_BYTES, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

	if (n < 0)
		return later(&from->readable); /* the pipe is empty before each pull: only the socket can be short */
	h->ended = n == 0;
	h->in_pipe = (size_t)n;
	h->total += (uint64_t)n;
	return 0;
}

static int pull_bytes(struct gateway *g, struct half *h, struct side *from, struct side *to)
{
	ssize_t n = recv(from->source.fd, g->scratch, GATEWAY_SCRATCH, MSG_DONTWAIT), done;
	int r;

	if (n < 0)
		return later(&from->readable);
	h->ended = n == 0;
	h->total += (uint64_t)n;
	if (n == 0)
		return 0;
	done = send(to->source.fd, g->scratch, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
	r = done < 0 ? later(&to->writable) : 0;
	if (r < 0)
		return r;
	done = done < 0 ? 0 : done;
	return done < n ? buf_append(&h->kept, g->scratch + done, (size_t)(n - done)) : 0;
}

/* Without a pipe it goes on as it did: only slower. */
static void maybe_make_pipe(struct gateway *g, struct half *h)
{
	_cleanup_close_ int out = -1, in = -1;
	int p[2];

	if (h->pipe[0] >= 0 || h->plain || h->total < g->splice_from || g->n_pipes >= GATEWAY_PIPES_MAX)
		return;
	h->plain = true;
	if (pipe2(p, O_CLOEXEC | O_NONBLOCK) < 0)
		return;
	out = p[0];
	in = p[1];
	if (fcntl(in, F_SETPIPE_SZ, HALF_PIPE_BYTES) < 0 && fcntl(in, F_SETPIPE_SZ, HALF_PIPE_LEAST) < 0)
		return;
	h->pipe[0] = steal_fd(&out);
	h->pipe[1] = steal_fd(&in);
	h->plain = false;
	g->n_pipes++;
}

/* One portion: what is left is written first, then more is read. 1: nothing can be done now. */
static int step(struct gateway *g, struct half *h, struct side *from, struct side *to)
{
	int r;

	if (!to->writable)
		return 1;
	r = push_kept(h, to);
	if (r == 0)
		r = push_pipe(h, to);
	if (r)
		return r;
	if (h->ended) {
		h->shut = true;
		/* ENOTCONN: the other side is gone altogether, which its own half will find. */
		return shutdown(to->source.fd, SHUT_WR) < 0 && errno != ENOTCONN ? -errno : 1;
	}
	if (!from->readable)
		return 1;
	maybe_make_pipe(g, h);
	return h->pipe[0] >= 0 ? pull_pipe(h, from) : pull_bytes(g, h, from, to);
}

int half_pump(struct gateway *g, struct half *h, struct side *from, struct side *to)
{
	for (unsigned i = 0; i < HALF_ROUNDS; i++) {
		int r = h->shut ? 1 : step(g, h, from, to);
		if (r)
			return r < 0 ? r : HALF_WAITS;
	}
	return HALF_GOES_ON;
}
