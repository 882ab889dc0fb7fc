/* SPDX-License-Identifier: Apache-2.0 */
/*
 * follow - waits for more records, in any session's file
 *
 * Process:  supervisor
 *
 * inotify says when; where it has run out of instances (128 a user) or does not work (network filesystems), the
 * directory is looked at again after a while.
 */
#include "audit/show.h"

#include <errno.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
	FOLLOW_NOTIFIED_MS = 1000, /* a second look in case a change was not told */
	FOLLOW_POLL_MS = 250,
	FOLLOW_GATHER_MS = 20, /* a busy log is read in bursts */
	FOLLOW_BYTES = 4096,
};

int follow_init(int dirfd, struct follow *ret, struct diag *d)
{
	char path[64];
	sigset_t set;

	*ret = (struct follow){ .signals = -1, .notify = -1 };
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, &ret->before) < 0)
		return diag_fail(d, -errno, "signals cannot be blocked: %s", strerror(errno));
	ret->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (ret->signals < 0) {
		int error = errno;
		(void)sigprocmask(SIG_SETMASK, &ret->before, NULL);
		return diag_fail(d, -error, "signals cannot be waited for: %s", strerror(error));
	}
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", dirfd);
	ret->notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (ret->notify >= 0 && inotify_add_watch(ret->notify, path, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0) {
		close(ret->notify);
		ret->notify = -1;
	}
	return 0;
}

static bool drain(int fd)
{
	char bytes[FOLLOW_BYTES] __attribute__((aligned(8)));
	bool any = false;

	while (fd >= 0 && read(fd, bytes, sizeof bytes) > 0)
		any = true;
	return any;
}

int follow_wait(struct follow *f, FILE *out)
{
	/* POLLERR on what we write to: the reader of the pipe has gone. */
	struct pollfd p[] = { { .fd = f->signals, .events = POLLIN }, { .fd = fileno(out) },
		{ .fd = f->notify, .events = POLLIN } };

	if (poll(p, ARRAY_LEN(p), f->notify >= 0 ? FOLLOW_NOTIFIED_MS : FOLLOW_POLL_MS) < 0 && errno != EINTR)
		return -errno;
	if (p[0].revents || (p[1].revents & (POLLERR | POLLNVAL)))
		return FOLLOW_STOP;
	if (drain(f->notify))
		(void)poll(p, 2, FOLLOW_GATHER_MS);
	return p[0].revents ? FOLLOW_STOP : FOLLOW_MORE;
}

void follow_done(struct follow *f)
{
	if (f->signals >= 0) {
		/* A signal that was taken must not strike when the mask goes back. */
		(void)drain(f->signals);
		(void)sigprocmask(SIG_SETMASK, &f->before, NULL);
		close(f->signals);
	}
	if (f->notify >= 0)
		close(f->notify);
	f->signals = f->notify = -1;
}
