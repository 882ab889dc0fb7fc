/* SPDX-License-Identifier: Apache-2.0 */
/*
 * consent_wait - a launch without a terminal of its own waits until somebody answers elsewhere (consent.h)
 *
 * Should:   wake at once on an approval or an answer, give up on time, on a signal, when the client is gone
 * Mustn't:  hold anything that another launch or approve needs
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include "base/io.h"
#include "supervisor/consent_pending.h"

enum { US_PER_S = 1000000, POLL_MS = 100, DRAIN_MAX = 4096 };

/* inotify instances are few (128 a user); without one the loop looks every POLL_MS. */
static int watch(const struct consent_wait *w, const struct pending_waiter *place)
{
	_cleanup_close_ int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	_cleanup_close_ int approvals = -1;
	char path[64];

	if (fd < 0 || paths_open_state(w->paths, "approvals", &approvals, NULL) < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", approvals);
	if (inotify_add_watch(fd, path, IN_MOVED_TO | IN_CREATE) < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", place->waiters);
	if (inotify_add_watch(fd, path, IN_MOVED_TO | IN_CREATE) < 0)
		return -1;
	return steal_fd(&fd);
}

/* CONSENT_UNKNOWN: no answer yet. */
static int look(const struct consent_wait *w, const struct pending_waiter *place, struct diag *d)
{
	struct approval a = { 0 };
	int r = pending_read_answer(w->paths, place, d);

	if (r != CONSENT_UNKNOWN || w->effective->never_remember)
		return r;
	r = consent_lookup(w->paths, w->effective->digest, &a, d);
	approval_done(&a);
	return r;
}

static void drain(int fd)
{
	char bytes[DRAIN_MAX];

	while (fd >= 0 && read(fd, bytes, sizeof(bytes)) > 0)
		;
}

/* Sleeps until something may have changed. CONSENT_CANCELLED, CONSENT_UNKNOWN, -errno. */
static int sleep_until(const struct consent_wait *w, int notify, uint64_t until)
{
	struct pollfd p[] = { { notify, POLLIN, 0 }, { w->cancel_fd, POLLIN, 0 }, { w->signal_fd, POLLIN, 0 } };
	uint64_t now = io_now_us(), left = until > now ? (until - now) / 1000 + 1 : 0;
	uint64_t tick = notify >= 0 ? CONSENT_TICK_MS : POLL_MS;
	int n = poll(p, ARRAY_LEN(p), (int)(left < tick ? left : tick));

	if (n < 0 && errno != EINTR)
		return -errno;
	/* The signal itself stays unread: whoever owns the descriptor acts on it. */
	if (n > 0 && (p[1].revents || p[2].revents))
		return CONSENT_CANCELLED;
	drain(notify);
	return CONSENT_UNKNOWN;
}

static int wait_loop(const struct consent_wait *w, struct pending_waiter *place, const char *text, struct diag *d)
{
	uint64_t until = io_now_us() + (uint64_t)w->seconds * US_PER_S;
	_cleanup_close_ int notify = watch(w, place);

	for (;;) {
		int r = look(w, place, d);
		if (r != CONSENT_UNKNOWN)
			return r;
		if (io_now_us() >= until)
			return CONSENT_TIMEOUT;
		r = sleep_until(w, notify, until);
		if (r < 0)
			return diag_fail(d, r, "cannot wait for an answer: %s", strerror(-r));
		if (r != CONSENT_UNKNOWN)
			return r;
		/* -ENOENT: its directory is being removed at this moment; the next tick puts it back. */
		r = pending_keep(w->paths, place, text, d);
		if (r < 0 && r != -ENOENT)
			return r;
	}
}

int consent_wait(const struct consent_wait *w, struct diag *d)
{
	struct pending_waiter place = PENDING_WAITER_INIT;
	const struct approval *earlier = consent_earlier(w->approvals, w->effective->subject, w->effective->digest);
	_cleanup_free_ char *text = NULL;
	int r = pending_text(w->effective, w->lineage, earlier ? earlier->canonical : NULL, &text, d);

	if (r == 0)
		r = pending_join(w->paths, w->effective->digest, text, &place, d);
	if (r == 0 && w->waits)
		w->waits(w);
	if (r == 0)
		r = wait_loop(w, &place, text, d);
	pending_leave(&place);
	return r;
}
