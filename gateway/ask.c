/* SPDX-License-Identifier: Apache-2.0 */
/* ask - see ask.h */
#include "gateway/ask.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include "gateway/sockets.h"

enum { ANSWERS_A_TURN = 64 };

int ask_init(struct gateway *g, uint32_t n_slots)
{
	TAILQ_INIT(&g->unsent);
	g->asks = calloc(n_slots, sizeof(struct ask *));
	if (!g->asks)
		return -ENOMEM;
	g->n_slots = n_slots;
	g->next_id = 1;
	return 0;
}

static void drop(struct gateway *g, struct ask *a)
{
	if (a->unsent)
		TAILQ_REMOVE(&g->unsent, a, link);
	if (a->fd >= 0)
		close(a->fd);
	g->asks[a->slot] = NULL;
	g->n_asks--;
	free(a);
}

void ask_close(struct gateway *g)
{
	for (uint32_t i = 0; i < g->n_slots; i++)
		if (g->asks[i])
			drop(g, g->asks[i]);
	free(g->asks);
	g->asks = NULL;
	g->n_slots = 0;
}

static int transmit(struct gateway *g, const struct wire_writer *w, int fd)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = w->buf.data, .iov_len = w->buf.len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		m.msg_control = &control;
		m.msg_controllen = sizeof(control.space);
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	return sendmsg(g->dial.fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

static int send_one(struct gateway *g, const struct ask *a)
{
	struct dial_request q = {
		.id = a->id, .ask = a->what, .grant = a->grant, .address = a->address, .port = a->port
	};
	struct wire_writer w;
	int r;

	snprintf(q.name, sizeof(q.name), "%s", a->name ? a->name : "");
	r = dial_request_encode(&q, &w);
	if (r == 0)
		r = transmit(g, &w, a->fd);
	wire_writer_done(&w);
	return r;
}

/* Dial has its own pace: what it does not take now waits here, in order. */
static void send_waiting(struct gateway *g)
{
	struct ask *a;

	while (!g->failed && (a = TAILQ_FIRST(&g->unsent))) {
		int r = send_one(g, a);
		if (r == -EAGAIN || r == -EWOULDBLOCK) {
			if (!g->dial_blocked) {
				g->dial_blocked = true;
				gateway_fail(g, gateway_watch(g, &g->dial, EPOLLIN | EPOLLOUT));
			}
			return;
		}
		if (r < 0 && r != -EINTR)
			gateway_fail(g, r);
		if (r < 0)
			continue;
		TAILQ_REMOVE(&g->unsent, a, link);
		a->unsent = false;
	}
	if (g->dial_blocked && !g->failed) {
		g->dial_blocked = false;
		gateway_fail(g, gateway_watch(g, &g->dial, EPOLLIN));
	}
}

struct ask *ask_new(struct gateway *g, const struct ask *like)
{
	struct ask *a;

	if (g->n_asks == g->n_slots)
		return NULL;
	a = malloc(sizeof(*a));
	if (!a)
		return NULL;
	*a = *like;
	while (g->asks[g->next_slot])
		g->next_slot = (g->next_slot + 1) % g->n_slots;
	a->slot = g->next_slot;
	a->id = g->next_id++ << 16 | a->slot;
	g->asks[a->slot] = a;
	g->next_slot = (g->next_slot + 1) % g->n_slots;
	g->n_asks++;
	a->unsent = true;
	TAILQ_INSERT_TAIL(&g->unsent, a, link);
	send_waiting(g);
	return a;
}

void ask_abandon(struct gateway *g, struct ask *a)
{
	if (!a)
		return;
	a->owner = NULL;
	if (a->unsent)
		drop(g, a);
}

static struct ask *find(const struct gateway *g, uint64_t id)
{
	uint32_t slot = id & 0xffff;
	struct ask *a = slot < g->n_slots ? g->asks[slot] : NULL;

	return a && a->id == id && !a->unsent ? a : NULL;
}

/* An answer to nothing that was asked is a broken dial. */
static int take_answer(struct gateway *g, const struct dial_answer *d, int *fd)
{
	struct ask *a = find(g, d->id);
	void *owner;
	ask_done_fn done;

	if (!a || (*fd >= 0 && (d->status != DIAL_OK || a->what == DIAL_RESOLVE || sockets_check_upstream(*fd) < 0)))
		return -EPROTO;
	/* The spare that was lent is the connected socket, whatever comes back: none but one of the sandbox's network.
	 */
	if (d->status == DIAL_OK && a->what == DIAL_PUBLISH) {
		if (*fd >= 0)
			close(*fd);
		*fd = steal_fd(&a->fd);
	}
	if (*fd < 0 && d->status == DIAL_OK && a->what != DIAL_RESOLVE)
		return -EPROTO;
	if (d->status == DIAL_REFUSED || d->status == DIAL_BUSY)
		gateway_keep_spare(g, a->port, &a->fd);
	owner = a->owner;
	done = a->done;
	drop(g, a);
	if (owner)
		done(g, owner, d, steal_fd(fd));
	return 0;
}

/* The one descriptor that an answer may bring. What comes beside it is closed, and the answer is none: the room for one
 * holds two, where alignment rounds it up. */
static int take_fd(struct msghdr *m, int *ret)
{
	size_t taken = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			if (taken++ == 0)
				*ret = fd;
			else
				close(fd);
		}
	}
	return taken > 1 ? -EPROTO : 0;
}

/* 1: one answer was taken; 0: none is there; -errno: dial is gone or broken. */
static int receive(struct gateway *g)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	char bytes[DIAL_BYTES_MAX];
	struct iovec iov = { .iov_base = bytes, .iov_len = sizeof(bytes) };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control.space)
	};
	struct dial_answer a;
	ssize_t n = recvmsg(g->dial.fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	int r;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	_cleanup_close_ int fd = -1;
	r = take_fd(&m, &fd);
	if (r < 0)
		return r;
	if (n == 0)
		return -EPIPE;
	if (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		return -EPROTO;
	r = dial_answer_decode(bytes, (size_t)n, &a);
	if (r == 0)
		r = take_answer(g, &a, &fd);
	return r < 0 ? r : 1;
}

void ask_ready(struct gateway *g, struct source *s, uint32_t events)
{
	int r = 1;

	(void)s;
	if (events & EPOLLOUT)
		send_waiting(g);
	for (unsigned i = 0; r > 0 && !g->failed && i < ANSWERS_A_TURN; i++)
		r = receive(g);
	gateway_fail(g, r);
}
