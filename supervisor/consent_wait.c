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
#include "base/fs.h"
#include "base/io.h"
#include "supervisor/consent_pending.h"

enum { POLL_MS = 100, DRAIN_MAX = 4096 };

struct consent_waiting {
	struct pending_waiter place;
	char *text;
	int notify; /* -1: none */
};

/* Without one the loop looks every POLL_MS. */
static int watch(const struct consent_wait *w, const struct pending_waiter *place)
{
	_cleanup_close_ int approvals = -1;

	if (paths_open_state(w->paths, "approvals", &approvals, NULL) < 0)
		return -1;
	return fs_watch((const int[]){ approvals, place->waiters }, 2, IN_MOVED_TO | IN_CREATE);
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

int consent_wait_begin(const struct consent_wait *w, struct consent_waiting **ret, struct diag *d)
{
	const struct approval *earlier = consent_earlier(w->approvals, w->effective->subject, w->effective->digest);
	struct consent_waiting *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	c->place = (struct pending_waiter)PENDING_WAITER_INIT;
	c->notify = -1;
	r = pending_text(w->effective, w->lineage, earlier ? earlier->canonical : NULL, &c->text, d);
	if (r == 0)
		r = pending_join(w->paths, w->effective->digest, c->text, &c->place, d);
	if (r < 0) {
		consent_wait_end(c);
		return r;
	}
	if (w->waits)
		w->waits(w);
	c->notify = watch(w, &c->place);
	*ret = c;
	return 0;
}

int consent_wait_look(const struct consent_wait *w, struct consent_waiting *c, struct diag *d)
{
	int r;

	drain(c->notify);
	r = look(w, &c->place, d);
	if (r != CONSENT_UNKNOWN)
		return r;
	r = pending_keep(w->paths, &c->place, c->text, d);
	/* -ENOENT: its directory is being removed at this moment; the next tick puts it back. */
	return r < 0 && r != -ENOENT ? r : CONSENT_UNKNOWN;
}

int consent_wait_notify(const struct consent_waiting *c)
{
	return c ? c->notify : -1;
}

unsigned consent_wait_tick_ms(const struct consent_waiting *c)
{
	return c->notify >= 0 ? CONSENT_TICK_MS : POLL_MS;
}

void consent_wait_end(struct consent_waiting *c)
{
	if (!c)
		return;
	pending_leave(&c->place);
	if (c->notify >= 0)
		close(c->notify);
	free(c->text);
	free(c);
}

/* Sleeps until something may have changed. CONSENT_CANCELLED, CONSENT_UNKNOWN, -errno. */
static int sleep_until(const struct consent_wait *w, const struct consent_waiting *c, uint64_t until)
{
	struct pollfd p[] = { { c->notify, POLLIN, 0 }, { w->cancel_fd, POLLIN, 0 }, { w->signal_fd, POLLIN, 0 } };
	uint64_t now = io_now_us(), left = until > now ? (until - now) / 1000 + 1 : 0;
	uint64_t tick = consent_wait_tick_ms(c);
	int n = poll(p, ARRAY_LEN(p), (int)(left < tick ? left : tick));

	if (n < 0 && errno != EINTR)
		return -errno;
	/* The signal itself stays unread: whoever owns the descriptor acts on it. */
	return n > 0 && (p[1].revents || p[2].revents) ? CONSENT_CANCELLED : CONSENT_UNKNOWN;
}

static int wait_loop(const struct consent_wait *w, struct consent_waiting *c, struct diag *d)
{
	uint64_t until = io_now_us() + (uint64_t)w->seconds * US_PER_S;

	for (;;) {
		int r = w->still ? w->still(w, d) : 0;
		if (r == 0)
			r = consent_wait_look(w, c, d);
		if (r != CONSENT_UNKNOWN)
			return r;
		if (io_now_us() >= until)
			return CONSENT_TIMEOUT;
		r = sleep_until(w, c, until);
		if (r < 0)
			return diag_fail(d, r, "cannot wait for an answer: %s", strerror(-r));
		if (r != CONSENT_UNKNOWN)
			return r;
	}
}

int consent_wait(const struct consent_wait *w, struct diag *d)
{
	struct consent_waiting *c = NULL;
	int r = consent_wait_begin(w, &c, d);

	if (r == 0)
		r = wait_loop(w, c, d);
	consent_wait_end(c);
	return r;
}
