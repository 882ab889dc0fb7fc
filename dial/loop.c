/* SPDX-License-Identifier: Apache-2.0 */
/* loop - see loop.h */
#include "dial/loop.h"
#include <errno.h>
#include <sys/epoll.h>

int loop_init(struct loop *l)
{
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	return l->epoll < 0 ? -errno : 0;
}

void loop_done(struct loop *l)
{
	if (l->epoll >= 0)
		close(l->epoll);
	l->epoll = -1;
}

int loop_watch(struct loop *l, struct loop_watch *w, int fd, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = w };
	int op = w->fd == fd ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	if (epoll_ctl(l->epoll, op, fd, &e) < 0)
		return -errno;
	w->fd = fd;
	w->events = events;
	return 0;
}

void loop_forget(struct loop *l, struct loop_watch *w)
{
	if (w->fd >= 0)
		(void)epoll_ctl(l->epoll, EPOLL_CTL_DEL, w->fd, NULL);
	w->fd = -1;
}

int loop_turn(struct loop *l, int timeout_ms)
{
	struct epoll_event e[LOOP_BATCH];
	int n = epoll_wait(l->epoll, e, LOOP_BATCH, timeout_ms);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		struct loop_watch *w = e[i].data.ptr;
		if (w->fd >= 0)
			w->ready(w, e[i].events);
	}
	return 0;
}
