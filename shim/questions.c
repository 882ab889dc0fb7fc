/* SPDX-License-Identifier: Apache-2.0 */
/* questions - see questions.h */
#include "shim/questions.h"
#include <stdio.h>
#include "shim/answers.h"
#include "shim/asks.h"
#include "shim/envelope.h"
#include "shim/listing.h"
#include "shim/record.h"
#include "shim/stages.h"

static int record_decision(struct shim *s, struct message *m)
{
	const struct decision *d = &m->d;
	struct event e = {
		.type = EVENT_REQUEST, .side = m->side, .call_id = handle_call_id(s, m), .bytes = m->line->n
	};
	int r;

	e.decision = d->verdict == POLICY_ALLOW ? EVENT_ALLOW : EVENT_DENY;
	r = record_foreign(s, e.method, sizeof(e.method), m->envelope->method);
	record_words(e.rule, sizeof(e.rule), d->rule);
	record_words(e.reason, sizeof(e.reason), d->reason);
	return r ? r : record_send(s, &e);
}

/* "decline" is what a person says who does not want to; "cancel" leaves it to another time. */
static const char *action_of(const struct decision *d)
{
	return d->code == ANSWER_BUSY ? "{\"action\":\"cancel\"}" : "{\"action\":\"decline\"}";
}

/* What the client would say itself: it has no such method, or does not offer that. */
static bool of_protocol(int code)
{
	return code == ANSWER_INVALID || code == ANSWER_NO_METHOD;
}

/* Each kind of request has its own way to be told no. What the client does not offer is the protocol's own error. */
static int answer_denial(struct shim *s, const struct message *m)
{
	const struct decision *d = &m->d;
	struct slice id = m->envelope->id;
	enum method_gate gate = m->method ? m->method->gate : GATE_OPEN;
	char text[ANSWER_TEXT_MAX], name[ANSWER_NAME_MAX];
	int code = gate == GATE_SAMPLING ? ANSWER_REJECTED : ANSWER_DENIED, r;

	snprintf(text, sizeof(text), "stockade: %s: %s '%s' denied by %s%s%s. It was not passed to the client.%s%s",
		s->config.name, d->what, answers_name(d->subject, name), d->rule ? d->rule : "the profile",
		d->reason ? ": " : "", d->reason ? d->reason : "", d->advice ? " " : "", d->advice ? d->advice : "");
	buf_clear(&s->answer);
	if (gate == GATE_ROOTS)
		r = answers_result(&s->answer, id, "{\"roots\":[]}");
	else if (gate == GATE_ELICITATION && d->code != ANSWER_INVALID)
		r = answers_result(&s->answer, id, action_of(d));
	else
		r = answers_error(&s->answer, id, of_protocol(d->code) ? d->code : code, text);
	return r ? r : queue_put(&s->to_server, s->answer.data, s->answer.len);
}

static int deny(struct shim *s, struct message *m)
{
	int r = record_decision(s, m);

	return r ? r : answer_denial(s, m);
}

/* --- stages --- */

static int has_own_id(struct shim *s, struct message *m)
{
	return pending_find(&s->asks, m->envelope->id)
		       ? stages_refuse(m, "its id is that of a request that has no answer yet")
		       : 0;
}

/* During the handshake the client is not read, and a ping is the one request that a server may send then. A client of
 * the modern era takes none. */
static int is_ping_for_us(struct shim *s, struct message *m)
{
	if (!(s->waiting.state == WAITING_HANDSHAKE || s->waiting.bridges) || !slice_is(m->envelope->method, "ping"))
		return 0;
	return stages_over(listing_answer(s, m));
}

static int turn_down(struct message *m, const char *rule, const char *reason, int code)
{
	m->d.verdict = POLICY_DENY;
	m->d.rule = rule;
	m->d.reason = reason;
	m->d.code = code;
	return 0;
}

static int has_client(struct shim *s, struct message *m)
{
	if (!s->config.listing)
		return 0;
	if (m->method && listing_answers(m->method))
		return stages_over(listing_answer(s, m));
	return turn_down(m, "the listing of definitions", "nobody is there who could answer", m->d.code);
}

static int is_of_era(struct shim *s, struct message *m)
{
	return s->legacy ? 0
			 : turn_down(m, "the method table",
				   "in the client's protocol version a server sends no requests", ANSWER_NO_METHOD);
}

static int may_ask(struct shim *s, struct message *m)
{
	bool model = m->method->gate == GATE_SAMPLING, user = m->method->gate == GATE_ELICITATION;
	int r = asks_await(s, model, user, &m->d);

	if (r == 0)
		r = asks_judge(s, m->method, m->envelope->params, false, &m->d);
	return r < 0 || m->d.verdict != POLICY_ALLOW ? r : asks_take(s, model, user, &m->d);
}

/* As the client gets it, and what was lowered for the record. */
static int edit(struct shim *s, struct message *m)
{
	struct asks_edit x = { .from = s->doc.out.data };
	int r = asks_edit(s, m->method, m->envelope->params, &x);

	if (r == 0)
		r = asks_edited(s, &x);
	m->edited = r == 0 && x.changed;
	if (x.note[0]) {
		snprintf(s->words, sizeof(s->words), "%s", x.note);
		m->d.reason = s->words;
	}
	return r;
}

static int track(struct shim *s, struct message *m)
{
	const char *refusal;
	int r = handle_track(s, &s->asks, m, (struct slice){ NULL, 0 }, &refusal);

	return r == 0 && refusal ? stages_refuse(m, refusal) : r;
}

static int pass(struct shim *s, struct message *m)
{
	int r = record_decision(s, m);

	return r ? r : handle_forward(s, m->side);
}

enum { PERSON = STAGE_OF(GATE_SAMPLING) | STAGE_OF(GATE_ELICITATION) };

static const struct stage of_requests[] = {
	{ 0, STAGE_ANY, has_own_id },
	{ 0, STAGE_ANY, stages_clear },
	{ 0, STAGE_ANY, is_ping_for_us },
	{ 0, STAGE_ANY, stages_by_rules },
	{ 0, STAGE_ANY, has_client },
	{ 0, STAGE_ANY, is_of_era },
	{ 0, PERSON, may_ask },
	{ 0, PERSON, edit },
	{ 0, STAGE_ANY, stages_clean },
	{ 0, STAGE_ANY, track },
	{ 0, STAGE_ANY, pass },
};

int questions_from_server(struct shim *s, struct message *m)
{
	static const struct stages t = { of_requests, ARRAY_LEN(of_requests), false, deny };

	m->method = methods_find(EVENT_FROM_SERVER, true, m->envelope->method);
	return stages_run(s, m, &t);
}
