/* SPDX-License-Identifier: Apache-2.0 */
/* lookup - see lookup.h */
#include "dial/lookup.h"
#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>

static int watch_for_room(struct lookups *l, bool room)
{
	uint32_t events = EPOLLIN | (room ? EPOLLOUT : 0u);

	return l->watch.events == events ? 0 : loop_watch(l->loop, &l->watch, l->watch.fd, events);
}

/* The reader never waits for us to read before it reads, so what finds no room now will find some. */
static int send_one(struct lookups *l, struct lookup *w)
{
	ssize_t n = send(l->watch.fd, &w->question, sizeof(w->question), MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	w->sent = true;
	return 0;
}

/* The first error stands, whatever goes well after it. */
static void fail(struct lookups *l, int error)
{
	l->error = l->error ? l->error : error;
}

static void note(struct lookups *l, int r)
{
	fail(l, r < 0 && r != -EAGAIN ? -ECHILD : watch_for_room(l, r == -EAGAIN));
}

static void send_waiting(struct lookups *l)
{
	struct lookup *w;
	int r = 0;

	TAILQ_FOREACH(w, &l->waiting, link)
	{
		if (r == 0 && !w->sent)
			r = send_one(l, w);
	}
	note(l, r);
}

static bool is_sound(const struct lookup_answer *a, size_t n)
{
	if (n < offsetof(struct lookup_answer, v) || a->status >= DIAL_STATUS_COUNT || a->n > RESOLVE_ADDRESSES_MAX)
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		if (n != offsetof(struct lookup_answer, v) + a->n * sizeof(a->v[0]) ||
			(a->v[i].family != 4 && a->v[i].family != 6))
			return false;
	return true;
}

static struct lookup *find(const struct lookups *l, uint64_t id)
{
	struct lookup *w;

	TAILQ_FOREACH(w, &l->waiting, link)
	{
		if (w->sent && w->question.id == id)
			return w;
	}
	return NULL;
}

static void take_answer(struct lookups *l, const struct lookup_answer *a)
{
	struct resolve_result result = { .status = a->status, .n = a->n };
	struct lookup *w = find(l, a->id);

	/* Nobody waits for it any more. */
	if (!w)
		return;
	for (uint32_t i = 0; i < a->n; i++)
		result.v[i] = a->v[i];
	lookup_forget(l, w);
	w->fn(w->ctx, &result);
}

static void on_reader(struct loop_watch *watch, uint32_t events)
{
	struct lookups *l = watch->owner;
	struct lookup_answer a = { 0 };
	ssize_t n = events & ~EPOLLOUT ? recv(watch->fd, &a, sizeof(a), MSG_DONTWAIT) : -1;

	if (n > 0 && is_sound(&a, (size_t)n))
		take_answer(l, &a);
	else if (n >= 0)
		fail(l, n > 0 ? -EPROTO : -ECHILD);
	else if (events & ~EPOLLOUT && errno != EAGAIN && errno != EINTR)
		fail(l, -ECHILD);
	if (l->error == 0 && events & EPOLLOUT)
		send_waiting(l);
}

int lookups_init(struct lookups *l, struct loop *loop, int fd)
{
	*l = (struct lookups){ .loop = loop, .watch = { .fd = -1, .ready = on_reader, .owner = l } };
	TAILQ_INIT(&l->waiting);
	return loop_watch(loop, &l->watch, fd, EPOLLIN);
}

void lookups_done(struct lookups *l)
{
	int fd = l->watch.fd;

	if (fd < 0)
		return;
	loop_forget(l->loop, &l->watch);
	close(fd);
}

void lookup_ask(struct lookups *l, struct lookup *w, const char *name, uint32_t give_up_ms)
{
	w->question = (struct lookup_question){ .id = ++l->last_id, .give_up = give_up_ms };
	w->sent = false;
	snprintf(w->question.name, sizeof(w->question.name), "%s", name);
	TAILQ_INSERT_TAIL(&l->waiting, w, link);
	/* Else others wait for room already, and come first. */
	if (!(l->watch.events & EPOLLOUT))
		note(l, send_one(l, w));
}

void lookup_forget(struct lookups *l, struct lookup *w)
{
	if (w->question.id == 0)
		return;
	TAILQ_REMOVE(&l->waiting, w, link);
	w->question.id = 0;
}
