/* SPDX-License-Identifier: Apache-2.0 */
/* rare - see rare.h */
#include "shim/rare.h"
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

void rare_init(struct rare *x)
{
	*x = (struct rare){ .fd = epoll_create1(EPOLL_CLOEXEC) };
}

void rare_add(struct rare *x, int fd, short events)
{
	struct epoll_event e = { .events = events & POLLIN ? EPOLLIN : 0 };

	if (x->fd >= 0 && x->n < RARE_MAX && epoll_ctl(x->fd, EPOLL_CTL_ADD, fd, &e) == 0)
		x->members[x->n++] = fd;
}

bool rare_has(const struct rare *x, int fd)
{
	for (size_t i = 0; i < x->n; i++)
		if (x->members[i] == fd)
			return true;
	return false;
}

void rare_done(struct rare *x)
{
	if (x->fd >= 0)
		close(x->fd);
	*x = (struct rare){ .fd = -1 };
}
