/* SPDX-License-Identifier: Apache-2.0 */
/* publish - see publish.h */
#include "supervisor/publish.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { DIGEST_MAX = 128, NAME_SIZE = 8, JOIN_TRIES = 100, JOIN_PAUSE_MS = 10 };

static int lock(int fd, int command, short type)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET };
	int r;

	do
		r = fcntl(fd, command, &l);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

/* Alone: nobody has the port, and the file is ours to write. The lock is only shared after that. */
static int take_free(int fd, const char *digest)
{
	size_t n = strlen(digest);

	if (ftruncate(fd, 0) < 0)
		return -errno;
	if (pwrite(fd, digest, n, 0) != (ssize_t)n)
		return -EIO;
	return lock(fd, F_OFD_SETLK, F_RDLCK);
}

/* Who has it alone is about to write, which takes no time, unless that process was stopped just there: nobody waits for
 * a stuck neighbour. */
static int lock_shared(int fd)
{
	const struct timespec pause = { .tv_nsec = JOIN_PAUSE_MS * 1000000L };
	int r = lock(fd, F_OFD_SETLK, F_RDLCK);

	for (int i = 0; i < JOIN_TRIES && (r == -EAGAIN || r == -EACCES); i++) {
		nanosleep(&pause, NULL);
		r = lock(fd, F_OFD_SETLK, F_RDLCK);
	}
	return r == -EAGAIN || r == -EACCES ? -ETIMEDOUT : r;
}

/* Others have it. */
static int join(int fd, const char *digest)
{
	char theirs[DIGEST_MAX] = "";
	int r = lock_shared(fd);

	if (r < 0)
		return r;
	if (pread(fd, theirs, sizeof(theirs) - 1, 0) < 0)
		return -errno;
	return strcmp(theirs, digest) == 0 ? 0 : -EADDRINUSE;
}

static int claim_one(int dir, uint16_t port, const char *digest, int *ret)
{
	char name[NAME_SIZE];
	int r;

	snprintf(name, sizeof(name), "%u", port);
	_cleanup_close_ int fd = openat(dir, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = lock(fd, F_OFD_SETLK, F_WRLCK);
	r = r == 0 ? take_free(fd, digest) : join(fd, digest);
	if (r == 0)
		*ret = steal_fd(&fd);
	return r;
}

static int fail(uint16_t port, int r, struct diag *d)
{
	if (r == -EADDRINUSE)
		return diag_fail(d, r,
			"port %u is published by a running session of another server, or of this one with other "
			"grants: callbacks would reach either. "
			"End that session (stockade ps), or publish another port (network.publish)",
			port);
	if (r == -ETIMEDOUT)
		return diag_fail(d, r,
			"another launch that publishes port %u (network.publish) has begun and does not go on: is it "
			"stopped? "
			"End it (stockade ps), and try again",
			port);
	return diag_fail(d, r, "cannot claim port %u (network.publish): %s", port, strerror(-r));
}

int publish_claim(const struct paths *p, const struct net_config *c, const char *digest, struct publish_claims *ret,
	struct diag *d)
{
	_cleanup_close_ int dir = -1;
	int r = 0;

	*ret = (struct publish_claims){ .n = 0 };
	if (c->n_publish == 0)
		return 0;
	r = paths_open_runtime(p, "publish", &dir, d);
	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < c->n_publish; i++) {
		r = claim_one(dir, c->publish[i], digest, &ret->fds[ret->n]);
		if (r < 0)
			r = fail(c->publish[i], r, d);
		else
			ret->n++;
	}
	if (r < 0)
		publish_release(ret);
	return r;
}

void publish_release(struct publish_claims *c)
{
	while (c->n > 0)
		close(c->fds[--c->n]);
}
