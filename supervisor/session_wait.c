/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_wait - the session before a person has approved it (session_internal.h)
 *
 * WAITING   Should: have the shim answer the client, and the log have the wait. Mustn't: start anything of the server.
 * REFUSED   Should: have the shim answer with the refusal until the client ends. Mustn't: keep the entry.
 *
 * The shim's pipes to the server are there from the start; what is behind them is started after the approval, from a
 * plan that is drawn once more and has to be the one that was shown. The pins are those of that moment.
 */
#include <errno.h>
#include <string.h>
#include "base/io.h"
#include "base/text.h"
#include "supervisor/exit.h"
#include "supervisor/session_internal.h"

static int send_shim(struct session *s, enum control_type type, const char *words)
{
	struct control c = { .type = type };

	return session_tell_shim(s, &c, words);
}

static void leave(struct session *s)
{
	consent_wait_end(s->consent);
	s->consent = NULL;
}

/* The client hears words until it ends. said: for the person at its stderr. */
static int refuse(struct session *s, const char *status, const char *said, const char *words)
{
	int r = session_record_own(s, EVENT_CONSENT, said, status);

	session_say(s, said);
	s->exit_status = EXIT_REFUSED;
	s->close_status = status;
	s->phase = PHASE_REFUSED;
	return r < 0 ? r : send_shim(s, CONTROL_REFUSE, words);
}

/* It must not be started at all: the client is answered, and nobody is asked. */
static int deny(struct session *s)
{
	const struct session_wait *w = s->args->wait;
	int r = spawn_waiting(s->args->effective, &s->spawned, &s->diag);

	if (r == 0)
		r = send_shim(s, CONTROL_WAIT, w->refused);
	return r < 0 ? r : refuse(s, w->denied_status, w->denied, w->refused);
}

int session_wait_begin(struct session *s)
{
	const struct session_wait *w = s->args->wait;
	int r;

	if (w->denied)
		return deny(s);
	r = session_record_own(s, EVENT_CONSENT, "the launch waits for the user's approval", "waiting");

	if (r == 0)
		r = spawn_waiting(s->args->effective, &s->spawned, &s->diag);
	if (r == 0)
		r = send_shim(s, CONTROL_WAIT, w->words);
	if (r == 0)
		r = consent_wait_begin(&w->consent, &s->consent, &s->diag);
	s->look_at = io_now_us();
	return r;
}

/* The shim has been there since before a person may have pinned what its server defines. */
static int send_pins(struct session *s)
{
	int r = spawn_send_pins(s->args->effective, &s->spawned);

	if (r == -EPIPE || r == -ECONNRESET)
		return 0;
	return r < 0 ? diag_fail(&s->diag, r, "cannot hand the pins to the shim: %s", strerror(-r)) : 0;
}

/* Who has signed what was approved: the profile as it is now. */
static json_t *signers_of(const struct effective *e)
{
	return json_pack("{s:o*}", "signers", e->profile.vouched.n ? vouched_json(&e->profile.vouched) : NULL);
}

static int start(struct session *s)
{
	struct event e = { .type = EVENT_CONSENT, .status = "approved" };
	json_t *signers = signers_of(s->args->effective);
	int r = session_identify(s);

	snprintf(e.reason, sizeof(e.reason), "through '%s'", s->channel ? s->channel : "");
	if (r == 0)
		r = signers ? session_record(s, EVENT_FROM_SUPERVISOR, &e, signers) : -ENOMEM;
	json_decref(signers);
	if (r == 0)
		r = send_pins(s);
	return r < 0 ? r : session_build(s);
}

static int go_on(struct session *s)
{
	const struct session_wait *w = s->args->wait;
	char said[DIAG_MAX];
	int r = w->approved(w->launch, &s->approval, &s->channel, &s->diag);

	if (r == 0)
		return start(s);
	snprintf(said, sizeof(said), "%s", s->diag.text[0] ? s->diag.text : strerror(-r));
	return refuse(s, "not as it was approved", said, w->unfit);
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
	if (r == CONSENT_APPROVED)
		return go_on(s);
	return refuse(s, "refused", "refused, nothing was started", w->refused);
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

void session_wait_killed(struct session *s, const char *words)
{
	leave(s);
	s->phase = PHASE_STOPPING;
	session_end_shim(s, CONTROL_CLOSE, words);
}

void session_wait_done(struct session *s)
{
	leave(s);
}
