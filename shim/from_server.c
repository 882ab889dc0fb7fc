/* SPDX-License-Identifier: Apache-2.0 */
/* from_server - decides about what the server sends (handle.h) */
#include "shim/handle.h"
#include <stdio.h>
#include <string.h>
#include "shim/answers.h"
#include "shim/bridge.h"
#include "shim/clarity.h"
#include "shim/envelope.h"
#include "shim/inputs.h"
#include "shim/limits.h"
#include "shim/listing.h"
#include "shim/notifications.h"
#include "shim/own.h"
#include "shim/policy.h"
#include "shim/questions.h"
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

int handle_from_server(struct shim *s, struct message *m)
{
	if (s->waiting.state == WAITING_FAILED)
		return record_refused(s, m->side, "its handshake failed", m->line->n);
	switch (m->envelope->kind) {
	case ENVELOPE_REQUEST:
		return questions_from_server(s, m);
	case ENVELOPE_NOTIFICATION:
		return s->config.listing ? listing_notified(s, m) : notifications_from_server(s, m);
	default:
		return on_response(s, m);
	}
}
