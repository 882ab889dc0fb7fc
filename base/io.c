/* SPDX-License-Identifier: Apache-2.0 */
/* io - see io.h */
#include "base/io.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { IO_READ_CHUNK = 64 << 10 };

static int wait_for(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	while (poll(&p, 1, -1) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

int io_write_full(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n > 0) {
		ssize_t w = write(fd, at, n);
		if (w >= 0) {
			at += w;
			n -= (size_t)w;
		} else if (errno == EAGAIN) {
			int r = wait_for(fd, POLLOUT);
			if (r < 0)
				return r;
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

int io_read_all(int fd, struct buf *b)
{
	for (;;) {
		size_t room = b->max - b->len;
		/* One byte past the limit would tell a file that is too long from one that just fits. */
		char probe;
		if (room == 0) {
			ssize_t n = read(fd, &probe, 1);
			if (n >= 0)
				return n == 0 ? 0 : -E2BIG;
			if (errno != EINTR)
				return -errno;
			continue;
		}
		room = room < IO_READ_CHUNK ? room : IO_READ_CHUNK;
		int r = buf_reserve(b, room);
		if (r < 0)
			return r;
		ssize_t n = read(fd, b->data + b->len, room);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return buf_append(b, "", 0);
		if (n > 0)
			b->len += (size_t)n;
	}
}

int io_sanitise_descriptors(const int *keep, size_t n)
{
	int closed = 0, r;

	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		/* The lowest free number is this one, since those below exist by now. */
		int made = open("/dev/null", O_RDWR);
		if (made < 0)
			return -errno;
		if (made != fd) {
			close(made);
			return -EBADF;
		}
		closed |= 1 << fd;
	}
	r = io_close_except(3, keep, n);
	return r < 0 ? r : closed;
}

int io_close_except(unsigned first, const int *keep, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (keep[i] < 0 || (unsigned)keep[i] < first)
			continue;
		if ((unsigned)keep[i] > first && close_range(first, (unsigned)keep[i] - 1, 0) < 0)
			return -errno;
		first = (unsigned)keep[i] + 1;
	}
	return close_range(first, UINT_MAX, 0) < 0 ? -errno : 0;
}

enum { IO_SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

int io_memfd_sealed(const char *name, const void *p, size_t n, int *ret)
{
	_cleanup_close_ int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r;

	if (fd < 0)
		return -errno;
	r = io_write_full(fd, p, n);
	if (r < 0)
		return r;
	if (fcntl(fd, F_ADD_SEALS, IO_SEALS) < 0)
		return -errno;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	*ret = steal_fd(&fd);
	return 0;
}

/* By position: gateway and dial have one open file and read it at once; both would move its offset (open(2)). */
static int read_at_start(int fd, size_t n, struct buf *b)
{
	int r = buf_reserve(b, n);

	for (size_t at = 0; r == 0 && at < n;) {
		ssize_t got = pread(fd, b->data + b->len, n - at, (off_t)at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -EIO;
		at += (size_t)got;
		b->len += (size_t)got;
	}
	return r < 0 ? r : buf_append(b, "", 0);
}

int io_memfd_read(int fd, struct buf *b)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	if (seals < 0)
		return -errno;
	if ((seals & IO_SEALS) != IO_SEALS)
		return -EPERM;
	if (fstat(fd, &st) < 0)
		return -errno;
	return (uint64_t)st.st_size > b->max - b->len ? -E2BIG : read_at_start(fd, (size_t)st.st_size, b);
}

int io_send_msg(int sock, const void *p, size_t n, const int *fds, size_t n_fds)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int) * IO_FDS_MAX)];
	} control;
	struct iovec iov = { .iov_base = (void *)(uintptr_t)p, .iov_len = n };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (n_fds > IO_FDS_MAX)
		return -E2BIG;
	if (n_fds > 0) {
		memset(&control, 0, sizeof(control));
		m.msg_control = &control;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * n_fds);
	}
	for (;;) {
		if (sendmsg(sock, &m, MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno == EAGAIN) {
			int r = wait_for(sock, POLLOUT);
			if (r < 0)
				return r;
		} else if (errno != EINTR) {
			return -errno;
		}
	}
}

static void take_fds(struct msghdr *m, int *fds, size_t capacity, size_t *taken)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (*taken < capacity)
				fds[(*taken)++] = fd;
			else
				close(fd);
		}
	}
}

long io_recv_msg(int sock, void *p, size_t n, int *fds, size_t *n_fds)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int) * IO_FDS_MAX)];
	} control;
	struct iovec iov = { .iov_base = p, .iov_len = n };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	size_t capacity = n_fds ? *n_fds : 0, taken = 0;
	ssize_t got;

	do
		got = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	take_fds(&m, fds, capacity, &taken);
	if (n_fds)
		*n_fds = taken;
	if (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		while (taken > 0)
			close(fds[--taken]);
		if (n_fds)
			*n_fds = 0;
		return -EMSGSIZE;
	}
	return got;
}

static uint64_t now_us(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t io_now_us(void)
{
	return now_us(CLOCK_MONOTONIC);
}

uint64_t io_wall_us(void)
{
	return now_us(CLOCK_REALTIME);
}

uint64_t io_boot_us(void)
{
	return now_us(CLOCK_BOOTTIME);
}
