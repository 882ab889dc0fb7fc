/* SPDX-License-Identifier: Apache-2.0 */
/* port - see port.h */
#include "shim/port.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

int port_init(struct port *p, int fd)
{
	struct stat st;

	*p = (struct port){ .fd = fd };
	if (fstat(fd, &st) < 0)
		return -errno;
	p->kind = S_ISSOCK(st.st_mode) ? PORT_SOCKET : S_ISFIFO(st.st_mode) ? PORT_PIPE : PORT_OTHER;
	return 0;
}

int port_init_own(struct port *p, int fd)
{
	int r = port_init(p, fd), flags;

	if (r < 0 || p->kind != PORT_PIPE)
		return r;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	p->kind = PORT_OWN;
	return 0;
}

static int ready(int fd, short events)
{
	struct pollfd f = { .fd = fd, .events = events };
	int r = poll(&f, 1, 0);

	if (r < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	return r == 0 ? -EAGAIN : 0;
}

static ssize_t try_read(const struct port *p, void *to, size_t n)
{
	struct iovec v = { .iov_base = to, .iov_len = n };

	if (p->kind == PORT_OWN)
		return read(p->fd, to, n);
	if (p->kind == PORT_SOCKET)
		return recv(p->fd, to, n, MSG_DONTWAIT);
	if (p->kind == PORT_PIPE)
		return preadv2(p->fd, &v, 1, -1, RWF_NOWAIT);
	int r = ready(p->fd, POLLIN);
	if (r < 0) {
		errno = -r;
		return -1;
	}
	return read(p->fd, to, n);
}

static ssize_t try_write(const struct port *p, const void *from, size_t n)
{
	struct iovec v = { .iov_base = (void *)(uintptr_t)from, .iov_len = n };

	if (p->kind == PORT_OWN)
		return write(p->fd, from, n);
	if (p->kind == PORT_SOCKET)
		return send(p->fd, from, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (p->kind == PORT_PIPE)
		return pwritev2(p->fd, &v, 1, -1, RWF_NOWAIT);
	int r = ready(p->fd, POLLOUT);
	if (r < 0) {
		errno = -r;
		return -1;
	}
	return write(p->fd, from, n < PIPE_BUF ? n : PIPE_BUF);
}

/* An older kernel, or a FIFO that was opened by name, has no RWF_NOWAIT: from now on poll first. */
static bool downgrade(struct port *p)
{
	if (p->kind != PORT_PIPE || (errno != EOPNOTSUPP && errno != ENOSYS))
		return false;
	p->kind = PORT_OTHER;
	return true;
}

long port_read(struct port *p, void *to, size_t n)
{
	for (;;) {
		ssize_t got = try_read(p, to, n);
		if (got >= 0)
			return got;
		if (errno != EINTR && !downgrade(p))
			return -errno;
	}
}

long port_write(struct port *p, const void *from, size_t n)
{
	for (;;) {
		ssize_t put = try_write(p, from, n);
		if (put >= 0)
			return put;
		if (errno != EINTR && !downgrade(p))
			return -errno;
	}
}

void port_close(struct port *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}
