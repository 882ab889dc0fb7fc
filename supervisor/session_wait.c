/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_wait - the session before a person has approved it (session_internal.h)
 *
 * WAITING   Should: have the shim answer the client, and the log have the wait. Mustn't: start anything of the server.
 * REFUSED   Should: have the shim answer with the refusal until the client ends. Mustn't: keep the entry.
 *
 * The shim's pipes to the server are there from the start; what is behind them is started after the approval, from a
 * plan whose code is looked at once more.
 */
#include <errno.h>
#include <string.h>
#include "base/io.h"
#include "base/text.h"
#include "supervisor/exit.h"
#include "supervisor/session_internal.h"

static int send_shim(struct session *s, enum control_type type, const char *words)
{
	int r = session_send_control(s->spawned.control, type, 0, words);

	/* It has ended: its own descriptor says why. */
	return r == -EPIPE || r == -ECONNRESET ? 0 : r;
}

static void leave(struct session *s)
{
	consent_wait_end(s->consent);
	s->consent = NULL;
}

int session_wait_begin(struct session *s)
{
	const struct session_wait *w = s->args->wait;
	int r = session_record_own(s, EVENT_CONSENT, "the launch waits for the user's approval", "waiting");

	if (r == 0)
		r = spawn_waiting(s->args->effective, &s->spawned, &s->diag);
	if (r == 0)
		r = send_shim(s, CONTROL_WAIT, w->words);
	if (r == 0)
		r = consent_wait_begin(&w->consent, &s->consent, &s->diag);
	s->look_at = io_now_us();
	return r;
}

static int go_on(struct session *s)
{
	const struct session_wait *w = s->args->wait;
	struct event e = { .type = EVENT_CONSENT, .status = "approved" };
	int r = w->approved(w->launch, &s->approval, &s->channel, &s->diag);

	if (r == 0)
		r = session_identify(s);
	snprintf(e.reason, sizeof(e.reason), "through '%s'", s->channel ? s->channel : "");
	if (r == 0)
		r = session_record(s, EVENT_FROM_SUPERVISOR, &e, NULL);
	return r < 0 ? r : session_build(s);
}

static int refuse(struct session *s)
{
	int r = session_record_own(s, EVENT_CONSENT, "nothing was started", "refused");

	session_say(s, "refused, nothing was started");
	s->exit_status = EXIT_REFUSED;
	s->close_status = "refused";
	s->phase = PHASE_REFUSED;
	return r < 0 ? r : send_shim(s, CONTROL_REFUSE, s->args->wait->refused);
}

int session_on_consent(struct session *s)
{
	const struct session_wait *w = s->args->wait;
	int r = consent_wait_look(&w->consent, s->consent, &s->diag);

	s->look_at = io_now_us() + (uint64_t)consent_wait_tick_ms(s->consent) * 1000;
	if (r == CONSENT_UNKNOWN)
		return 0;
	leave(s);
	if (r < 0)
		return r;
	return r == CONSENT_APPROVED ? go_on(s) : refuse(s);
}

void session_wait_over(struct session *s)
{
	bool waited = s->phase == PHASE_WAITING;

	leave(s);
	s->phase = PHASE_OVER;
	s->exit_status = EXIT_REFUSED;
	if (!waited)
		return;
	s->close_status = "cancelled";
	if (session_record_own(s, EVENT_CONSENT, "nothing was started", "cancelled") < 0)
		session_say(s, s->diag.text);
	session_say(s, "the client went away before anybody answered");
}

void session_wait_done(struct session *s)
{
	leave(s);
}
