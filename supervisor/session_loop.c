/* SPDX-License-Identifier: Apache-2.0 */
/* session_loop - what a session waits for: its sources, its times, one turn of poll(2) (session_internal.h) */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "audit/audit.h"
#include "base/io.h"
#include "supervisor/kill/session_kill.h"
#include "supervisor/session_internal.h"

enum { REST_MS = 1 /* after the shim's records, before the next are taken: see wait_for_sources */ };

/* --- from the outside --- */

static int on_signal(struct session *s)
{
	struct signalfd_siginfo info;
	char words[128];

	if (read(s->signals, &info, sizeof(info)) != sizeof(info))
		return 0;
	snprintf(words, sizeof(words), "signal %u from pid %u of user %u", info.ssi_signo, info.ssi_pid, info.ssi_uid);
	if (session_record_own(s, EVENT_STOP, words, "signal") < 0)
		return -EIO;
	if (s->phase == PHASE_STOPPING && !s->killed)
		session_kill_init(s);
	else
		session_stop(s, TERM_GRACE_MS, "stopped by a signal");
	return 0;
}

static int on_client(struct session *s)
{
	int r;

	close(s->client);
	s->client = -1;
	r = session_record_own(s, EVENT_CLIENT_GONE, "the client's process ended", "");
	session_stop(s, GONE_GRACE_MS, "client gone");
	return r;
}

static int on_stdin(struct session *s)
{
	session_on_client_eof(s);
	return 0;
}

static int on_enter(struct session *s)
{
	siginfo_t info;

	(void)!session_reap(&s->spawned.enter_pidfd, &info); /* not yet: poll(2) asks again */
	return 0;
}

static int on_pid1(struct session *s)
{
	siginfo_t info;

	/* Its last report comes first. */
	if (s->spawned.report >= 0)
		return 0;
	(void)!session_reap(&s->spawned.init_pidfd, &info);
	return 0;
}

/* --- the loop --- */

enum source {
	SOURCE_SIGNAL,
	/* Before PID 1's end is seen: who could not wait for us has ended it, and what it ordered is why. */
	SOURCE_KILL_ORDER,
	SOURCE_KILLS,
	SOURCE_REPORT,
	SOURCE_RECORDS,
	SOURCE_CLIENT,
	SOURCE_STDIN,
	SOURCE_ENTER,
	SOURCE_PID1,
	SOURCE_SHIM,
	SOURCE_GATEWAY,
	SOURCE_DIAL,
	SOURCE_ASKER,
	SOURCE_SCOPES,
	SOURCE_ALERTS,
	SOURCE_CONSENT,
	SOURCE_LOG,
	SOURCE_COUNT
};

static int source_fd(const struct session *s, enum source source)
{
	const struct spawned *p = &s->spawned;
	const int fds[] = { [SOURCE_SIGNAL] = s->signals,
		[SOURCE_REPORT] = p->report,
		[SOURCE_RECORDS] = p->records,
		[SOURCE_CLIENT] = s->client,
		[SOURCE_STDIN] = s->stdin_ended ? -1 : 0,
		[SOURCE_ENTER] = p->enter_pidfd,
		[SOURCE_PID1] = p->report < 0 ? p->init_pidfd : -1,
		[SOURCE_SHIM] = p->records < 0 ? p->shim_pidfd : -1,
		[SOURCE_GATEWAY] = p->gateway.events,
		[SOURCE_DIAL] = p->dial.events,
		[SOURCE_ASKER] = session_asker_fd(s),
		[SOURCE_SCOPES] = session_scopes_fd(s),
		[SOURCE_ALERTS] = session_alerts_fd(s),
		[SOURCE_LOG] = s->log && !s->log_failed ? audit_socket(s->log) : -1,
		[SOURCE_CONSENT] = consent_wait_notify(s->consent),
		[SOURCE_KILLS] = session_kills_fd(s),
		[SOURCE_KILL_ORDER] = session_kill_order_fd(s) };

	return fds[source];
}

static const struct {
	short events;
	int (*handle)(struct session *s);
} sources[] = {
	[SOURCE_SIGNAL] = { POLLIN, on_signal },
	[SOURCE_REPORT] = { POLLIN, session_on_report },
	[SOURCE_RECORDS] = { POLLIN, session_on_records },
	[SOURCE_CLIENT] = { POLLIN, on_client },
	/* Never read here, that is the shim's: only its end is seen. */
	[SOURCE_STDIN] = { POLLRDHUP, on_stdin },
	[SOURCE_ENTER] = { POLLIN, on_enter },
	[SOURCE_PID1] = { POLLIN, on_pid1 },
	[SOURCE_SHIM] = { POLLIN, session_on_shim },
	[SOURCE_GATEWAY] = { POLLIN, session_on_gateway },
	[SOURCE_DIAL] = { POLLIN, session_on_dial },
	[SOURCE_ASKER] = { POLLIN, session_on_answers },
	[SOURCE_SCOPES] = { POLLIN, session_on_scopes },
	[SOURCE_ALERTS] = { POLLIN, session_on_alerts },
	[SOURCE_CONSENT] = { POLLIN, session_on_consent },
	/* Never read here: answers are taken where they are waited for, and only its end is seen. */
	[SOURCE_LOG] = { POLLRDHUP, session_on_log },
	[SOURCE_KILLS] = { POLLIN, session_on_kills },
	[SOURCE_KILL_ORDER] = { POLLIN, session_on_kill_order },
};
_Static_assert(ARRAY_LEN(sources) == SOURCE_COUNT, "a row for every source");

static int next_timeout(const struct session *s)
{
	const uint64_t others[] = { session_asker_due(s), session_scopes_due(s), session_kills_due(s),
		s->silent_until };
	uint64_t now = io_now_us(), at = s->deadline;

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (others[i] && (!at || others[i] < at))
			at = others[i];
	if (s->dirty && (!at || s->checkpoint_at < at))
		at = s->checkpoint_at;
	if (s->consent && (!at || s->look_at < at))
		at = s->look_at;
	if (!at)
		return -1;
	return at <= now ? 0 : (int)((at - now) / 1000 + 1);
}

static int run_timers(struct session *s)
{
	uint64_t now = io_now_us();
	int r = 0;

	if (s->deadline && s->phase == PHASE_RUNNING && s->eof_limit && s->deadline > s->eof_limit)
		s->deadline = s->eof_limit;
	if (s->dirty && now >= s->checkpoint_at) {
		s->dirty = false;
		r = s->log_failed ? 0 : audit_checkpoint(s->log, &s->diag);
		s->log_failed = s->log_failed || r < 0;
	}
	if (r == 0 && session_asker_due(s) && now >= session_asker_due(s))
		r = session_on_answers(s);
	if (r == 0 && session_scopes_due(s) && now >= session_scopes_due(s))
		r = session_on_scopes(s);
	if (r == 0 && session_kills_due(s) && now >= session_kills_due(s))
		r = session_on_kills(s);
	if (r == 0 && s->silent_until && now >= s->silent_until)
		r = session_on_still_silent(s);
	if (s->deadline && now >= s->deadline)
		session_on_deadline(s);
	if (r == 0 && s->consent && now >= s->look_at)
		r = session_on_consent(s);
	return r;
}

/* A record is seldom alone: its call's result follows, and the next call. Whoever hands one over must not pay for
 * waking us, which costs more than all else that the shim does with a call. So for REST_MS after records their pipe
 * is left alone, where the next ones are as safe as here, and nobody is woken for them. */
static int wait_for_sources(struct session *s, struct pollfd *p)
{
	int ms = next_timeout(s);

	for (size_t i = 0; i < SOURCE_COUNT; i++)
		p[i] = (struct pollfd){ .fd = source_fd(s, (enum source)i), .events = sources[i].events };
	if (s->resting) {
		p[SOURCE_RECORDS].fd = -1;
		ms = ms < 0 || ms > REST_MS ? REST_MS : ms;
	}
	return poll(p, SOURCE_COUNT, ms);
}

int session_turn(struct session *s)
{
	struct pollfd p[SOURCE_COUNT];
	int r = wait_for_sources(s, p);

	if (r < 0 && errno != EINTR)
		return diag_fail(&s->diag, -errno, "cannot wait for the session: %s", strerror(errno));
	/* What was handed over meanwhile was handed over before whatever ended the rest. */
	r = s->resting ? session_on_records(s) : 0;
	for (size_t i = 0; r == 0 && i < SOURCE_COUNT && s->phase != PHASE_OVER; i++)
		/* An earlier handler of this turn may have closed it. */
		if (p[i].revents && p[i].fd == source_fd(s, (enum source)i))
			r = sources[i].handle(s);
	return r < 0 ? r : run_timers(s);
}
