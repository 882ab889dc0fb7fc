/* SPDX-License-Identifier: Apache-2.0 */
/* from_server - decides about what the server sends (handle.h) */
#include "shim/handle.h"
#include <stdio.h>
#include <string.h>
#include "shim/answers.h"
#include "shim/asks.h"
#include "shim/bridge.h"
#include "shim/clarity.h"
#include "shim/envelope.h"
#include "shim/inputs.h"
#include "shim/limits.h"
#include "shim/listing.h"
#include "shim/notifications.h"
#include "shim/own.h"
#include "shim/policy.h"
#include "shim/record.h"
#include "shim/results.h"
#include "shim/structured.h"

static const char *status_of(const struct shim *s, const struct envelope *e)
{
	if (e->kind == ENVELOPE_ERROR)
		return "error";
	if (slice_is(message_get(&s->doc, "isError"), "true"))
		return "isError";
	if (slice_is(message_get(&s->doc, "resultType"), "\"input_required\""))
		return "input_required";
	return message_get(&s->doc, "task").n ? "task" : "ok";
}

/* The result is not passed on: the request gets a denial instead. */
static int deny_result(struct shim *s, struct message *m)
{
	const struct decision *d = &m->d;
	struct pending_entry *e = m->asked;
	struct event ev = {
		.type = EVENT_REQUEST, .decision = EVENT_DENY, .side = EVENT_FROM_SERVER, .call_id = e->call_id
	};
	char text[ANSWER_TEXT_MAX], name[ANSWER_NAME_MAX];
	int r = record_foreign(s, ev.method, sizeof(ev.method), d->subject);

	record_words(ev.rule, sizeof(ev.rule), d->rule);
	record_words(ev.reason, sizeof(ev.reason), d->reason);
	if (r == 0)
		r = record_send(s, &ev);
	if (r == 0)
		r = record_ending(s, e, EVENT_FROM_SERVER, "denied", m->line->n);
	snprintf(text, sizeof(text),
		"stockade: %s: the server asked the client for '%s', which is denied by %s%s%s. %s", s->config.name,
		answers_name(d->subject, name), d->rule ? d->rule : "the profile", d->reason ? ": " : "",
		d->reason ? d->reason : "",
		d->advice ? d->advice : "Only a person can change this, in the server's profile.");
	if (r == 0 && !e->cancelled)
		r = e->method && e->method->gate == GATE_TOOL
			    ? handle_answer_tool_error(s, m->envelope->id, text, true)
			    : handle_answer_error(s, EVENT_FROM_CLIENT, m->envelope->id,
				      d->code == ANSWER_BUSY ? ANSWER_BUSY : ANSWER_DENIED, text);
	pending_remove(&s->calls, e);
	return r;
}

static int is_clear(struct shim *s, struct message *m)
{
	struct slice tool = { m->asked->tool, m->asked->tool ? strlen(m->asked->tool) : 0 };
	bool tools_list = m->method && m->method->result == RESULT_TOOLS;
	const char *unclear = clarity_of_result(s, m->envelope, tool, tools_list);

	return unclear ? stages_refuse(m, unclear) : 0;
}

/* The shim itself has said it, for the client: its answer stays here. */
static int is_ours(struct shim *s, struct message *m)
{
	return m->asked->own ? stages_over(waiting_answer(s, m, m->asked)) : 0;
}

static int pass_result(struct shim *s, struct message *m)
{
	int r = record_ending(s, m->asked, m->side, m->status, m->line->n);

	pending_remove(&s->calls, m->asked);
	return r ? r : handle_forward(s, m->side);
}

enum {
	LISTS = STAGE_OF(RESULT_TOOLS) | STAGE_OF(RESULT_RESOURCES) | STAGE_OF(RESULT_TEMPLATES) |
		STAGE_OF(RESULT_PROMPTS),
	TASKS = STAGE_OF(RESULT_CALL) | STAGE_OF(RESULT_TASK),
	MAY_ASK = TASKS | STAGE_OF(RESULT_MAY_ASK),
	HELLO = STAGE_OF(RESULT_HELLO),
};

static const struct stage of_answers[] = {
	{ 0, STAGE_ANY, limits_late },
	{ 0, STAGE_ANY, limits_output },
	{ 0, STAGE_ANY, is_clear },
	{ 0, ~(unsigned)MAY_ASK, inputs_none },
	{ 0, LISTS, task_tools_none },
	{ 0, STAGE_ANY, is_ours },
	{ 0, STAGE_ANY, limits_no_task },
	{ 0, STAGE_ANY, inputs_guard },
	{ STAGE_RESULTS, STAGE_ANY, bridge_result },
	{ STAGE_RESULTS, TASKS, structured_guard },
	{ 0, STAGE_OF(RESULT_CALL), task_tools_guard },
	{ STAGE_RESULTS, LISTS, results_list },
	{ STAGE_RESULTS, HELLO, results_hello },
	{ STAGE_RESULTS, HELLO, results_instructions },
	{ STAGE_RESULTS, HELLO, results_promise },
	{ STAGE_RESULTS, LISTS, results_fields },
	{ STAGE_RESULTS, HELLO, results_logging },
	{ 0, STAGE_ANY, inputs_edit },
	{ 0, STAGE_ANY, stages_clean },
	{ 0, STAGE_ANY, inputs_record },
	{ 0, STAGE_ANY, pass_result },
};

static int on_response(struct shim *s, struct message *m)
{
	static const struct stages answers = { of_answers, ARRAY_LEN(of_answers), true, deny_result };
	struct pending_entry *own = pending_find(&s->own.table, m->envelope->id);

	if (own)
		return own_answered(s, m, own);
	m->asked = pending_find(&s->calls, m->envelope->id);
	if (!m->asked)
		return handle_unmatched(s, m);
	m->method = m->asked->method;
	m->call_id = m->asked->call_id;
	m->status = status_of(s, m->envelope);
	return stages_run(s, m, &answers);
}

static int record_ask(struct shim *s, const struct message *m, const struct decision *d, uint64_t call_id)
{
	struct event e = { .type = EVENT_REQUEST, .side = m->side, .call_id = call_id, .bytes = m->line->n };
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
static int answer_denied_ask(
	struct shim *s, const struct message *m, const struct method *method, const struct decision *d)
{
	struct slice id = m->envelope->id;
	enum method_gate gate = method ? method->gate : GATE_OPEN;
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

static int deny_ask(struct shim *s, const struct message *m, const struct method *method, const struct decision *d)
{
	int r = record_ask(s, m, d, ++s->call_ids);

	return r ? r : answer_denied_ask(s, m, method, d);
}

/* During the handshake the client is not read, and a ping is the one request that a server may send then. A client of
 * the modern era takes none. */
static int answer_ping(struct shim *s, const struct message *m)
{
	buf_clear(&s->answer);
	int r = answers_result(&s->answer, m->envelope->id, "{}");
	return r ? r : queue_put(&s->to_server, s->answer.data, s->answer.len);
}

/* As the client gets it, and what was lowered for the record. */
static int edit_ask(struct shim *s, struct message *m, const struct method *method, struct asks_edit *x)
{
	int r = asks_edit(s, method, m->envelope->params, x);

	if (r == 0)
		r = asks_edited(s, x);
	return r || !x->changed ? r : handle_replace(s, m);
}

static int judge_ask(struct shim *s, const struct message *m, const struct method *method, struct decision *d)
{
	int r;

	if (d->verdict == POLICY_ALLOW && s->config.listing) {
		d->verdict = POLICY_DENY;
		d->rule = "the listing of definitions";
		d->reason = "nobody is there who could answer";
	}
	if (d->verdict == POLICY_ALLOW && !s->legacy) {
		d->verdict = POLICY_DENY;
		d->rule = "the method table";
		d->reason = "in the client's protocol version a server sends no requests";
		d->code = ANSWER_NO_METHOD;
	}
	if (d->verdict != POLICY_ALLOW || !method)
		return 0;
	r = asks_judge(s, method, m->envelope->params, false, d);
	if (r < 0 || d->verdict != POLICY_ALLOW)
		return r;
	return asks_take(s, method->gate == GATE_SAMPLING && method->request,
		method->gate == GATE_ELICITATION && method->request, d);
}

static int pass_ask(struct shim *s, struct message *m, const struct method *method, struct decision *d)
{
	struct asks_edit x = { .from = s->doc.out.data };
	struct pending_entry *e;
	const char *refusal;
	int r = edit_ask(s, m, method, &x);

	if (r == 0)
		r = handle_clean(s, m, s->call_ids + 1);
	if (r)
		return r < 0 ? r : 0;
	r = handle_track(s, &s->asks, m, method, (struct slice){ NULL, 0 }, &e, &refusal);
	if (r < 0)
		return r;
	if (refusal)
		return handle_refuse_parsed(s, m, refusal);
	d->reason = x.note[0] ? x.note : d->reason;
	r = record_ask(s, m, d, e->call_id);
	return r ? r : handle_forward(s, m->side);
}

static int on_request(struct shim *s, struct message *m)
{
	const struct method *method = methods_find(EVENT_FROM_SERVER, true, m->envelope->method);
	const char *unclear = clarity_of_params(s, m->envelope, (struct slice){ NULL, 0 });
	struct decision d;
	int r;

	if (pending_find(&s->asks, m->envelope->id))
		return handle_refuse_parsed(s, m, "its id is that of a request that has no answer yet");
	if (unclear)
		return handle_refuse_parsed(s, m, unclear);
	if ((s->waiting.state == WAITING_HANDSHAKE || s->waiting.bridges) && slice_is(m->envelope->method, "ping"))
		return answer_ping(s, m);
	r = policy_decide(&s->config, method, &s->doc, m->envelope, &s->subject, &d);
	if (r < 0)
		return r;
	if (d.verdict == POLICY_MALFORMED)
		return handle_refuse_parsed(s, m, d.reason);
	if (s->config.listing && method && listing_answers(method))
		return listing_answer(s, m);
	r = judge_ask(s, m, method, &d);
	if (r < 0)
		return r;
	return d.verdict == POLICY_DENY ? deny_ask(s, m, method, &d) : pass_ask(s, m, method, &d);
}

int handle_from_server(struct shim *s, struct message *m)
{
	if (s->waiting.state == WAITING_FAILED)
		return record_refused(s, m->side, "its handshake failed", m->line->n);
	switch (m->envelope->kind) {
	case ENVELOPE_REQUEST:
		return on_request(s, m);
	case ENVELOPE_NOTIFICATION:
		return s->config.listing ? listing_notified(s, m) : notifications_from_server(s, m);
	default:
		return on_response(s, m);
	}
}
