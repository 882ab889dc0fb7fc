/* SPDX-License-Identifier: Apache-2.0 */
/* reader - see reader.h */
#include "dial/reader.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/io.h"
#include "dial/confine.h"
#include "dial/lookup.h"

enum { READER_FD = 3 };

static const char READER_NAME[] = "stockade-names"; /* as ps(1) shows it */

struct served {
	TAILQ_ENTRY(served) link;
	struct resolve_waiter waiter;
	struct reader *reader;
	uint64_t id, until_us;
};

TAILQ_HEAD(served_list, served);

struct reader {
	struct loop loop;
	struct loop_watch asks;
	struct resolver *resolver;
	struct served_list served;
	uint64_t n, n_max;
	bool over;
	int error;
};

/* --- answers --- */

static int answer(uint64_t id, const struct resolve_result *result)
{
	struct lookup_answer a = { .id = id, .status = result->status, .n = (uint32_t)result->n };
	size_t n = offsetof(struct lookup_answer, v) + result->n * sizeof(a.v[0]);

	memcpy(a.v, result->v, result->n * sizeof(a.v[0]));
	return send(READER_FD, &a, n, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static void drop(struct served *s)
{
	TAILQ_REMOVE(&s->reader->served, s, link);
	s->reader->n--;
	free(s);
}

static void on_resolved(void *ctx, const struct resolve_result *result)
{
	struct served *s = ctx;
	int r = answer(s->id, result);

	if (r < 0)
		s->reader->error = r;
	drop(s);
}

/* --- questions --- */

static void serve(struct reader *p, const struct lookup_question *q)
{
	static const struct resolve_result busy = { .status = DIAL_BUSY };
	struct served *s = p->n < p->n_max ? calloc(1, sizeof(*s)) : NULL;

	if (!s) {
		p->error = answer(q->id, &busy);
		return;
	}
	s->reader = p;
	s->id = q->id;
	s->until_us = io_now_us() + (uint64_t)q->give_up * 1000;
	s->waiter = (struct resolve_waiter){ .fn = on_resolved, .ctx = s };
	TAILQ_INSERT_TAIL(&p->served, s, link);
	p->n++;
	resolver_ask(p->resolver, q->name, &s->waiter);
}

static void on_asks(struct loop_watch *w, uint32_t events)
{
	struct reader *p = w->owner;
	struct lookup_question q;
	ssize_t n = recv(w->fd, &q, sizeof(q), MSG_DONTWAIT);

	if (n == (ssize_t)sizeof(q) && memchr(q.name, 0, sizeof(q.name)))
		serve(p, &q);
	else if (n >= 0 || (errno != EAGAIN && errno != EINTR))
		p->over = true;
}

/* Who asked gives up at the same time, and needs no answer. */
static void give_up(struct reader *p)
{
	uint64_t now = io_now_us();
	struct served *s, *next;

	for (s = TAILQ_FIRST(&p->served); s; s = next) {
		next = TAILQ_NEXT(s, link);
		if (now < s->until_us)
			continue;
		resolver_forget(p->resolver, &s->waiter);
		drop(s);
	}
}

static int timeout_ms(const struct reader *p)
{
	uint64_t first = UINT64_MAX, now = io_now_us();
	const struct served *s;
	int ms = -1;

	TAILQ_FOREACH(s, &p->served, link)
	{
		if (s->until_us < first)
			first = s->until_us;
	}
	if (first != UINT64_MAX)
		ms = first <= now ? 0 : (int)((first - now) / 1000 + 1);
	return resolver_timeout_ms(p->resolver, ms);
}

/* --- life --- */

static int prepare(struct reader *p, const struct net_config *c, struct diag *d)
{
	int r = loop_init(&p->loop);

	TAILQ_INIT(&p->served);
	p->n_max = c->limits.connections;
	p->asks = (struct loop_watch){ .fd = -1, .ready = on_asks, .owner = p };
	if (r == 0)
		r = resolver_new(&p->loop, &p->resolver);
	if (r == 0)
		r = loop_watch(&p->loop, &p->asks, READER_FD, EPOLLIN);
	return r < 0 ? diag_fail(d, r, "cannot prepare to resolve names: %s", strerror(-r)) : confine_reader(d);
}

static int run(struct reader *p)
{
	static const struct resolve_result ready = { .status = DIAL_OK };
	int r = answer(0, &ready);

	while (r == 0 && !p->over) {
		r = loop_turn(&p->loop, timeout_ms(p));
		if (r == 0)
			r = p->error;
		give_up(p);
		resolver_tick(p->resolver);
	}
	return r;
}

/* Keeps 0 to 2 and the socket: the other end of any other descriptor would not see dial's end. */
static int keep_only(int fd)
{
	if (fd != READER_FD && dup3(fd, READER_FD, O_CLOEXEC) < 0)
		return -errno;
	return close_range(READER_FD + 1, UINT_MAX, 0) < 0 ? -errno : 0;
}

_Noreturn static void reader_main(const struct net_config *c, int fd)
{
	struct reader p = { .loop = { -1 } };
	struct diag d = { 0 };
	int r = keep_only(fd);

	(void)prctl(PR_SET_NAME, READER_NAME);
	if (r < 0)
		diag_set(&d, "cannot close other descriptors: %s", strerror(-r));
	else
		r = prepare(&p, c, &d);
	if (r == 0) {
		r = run(&p);
		diag_set(&d, "%s", strerror(-r));
	}
	if (r < 0 && r != -EPIPE && r != -ECONNRESET)
		dprintf(STDERR_FILENO, "stockade: dial's reader of names stops: %s\n", d.text);
	_exit(r < 0);
}

static int await_ready(int fd, struct diag *d)
{
	struct lookup_answer ready = { .id = 1 };
	ssize_t n;

	do
		n = recv(fd, &ready, sizeof(ready), 0);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)offsetof(struct lookup_answer, v) && ready.id == 0
		       ? 0
		       : diag_fail(d, -ECHILD, "the process that reads name servers' answers did not start");
}

int reader_start(const struct net_config *c, int *ret_fd, struct diag *d)
{
	int pair[2], r;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return diag_fail(d, -errno, "cannot make a socket: %s", strerror(errno));
	pid = fork();
	if (pid == 0)
		reader_main(c, pair[1]);
	r = pid < 0 ? -errno : 0;
	close(pair[1]);
	r = r < 0 ? diag_fail(d, r, "cannot start a process: %s", strerror(-r)) : await_ready(pair[0], d);
	if (r < 0)
		close(pair[0]);
	else
		*ret_fd = pair[0];
	return r;
}
