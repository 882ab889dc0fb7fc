/* SPDX-License-Identifier: Apache-2.0 */
/* notifications - see notifications.h */
#include "shim/notifications.h"
#include "shim/bridge.h"
#include "shim/envelope.h"
#include "shim/inputs.h"
#include "shim/logs.h"
#include "shim/pins.h"
#include "shim/record.h"
#include "shim/scopes.h"
#include "shim/stages.h"
#include "shim/structured.h"

static int deny(struct shim *s, struct message *m)
{
	struct event e = { .type = EVENT_NOTIFICATION, .decision = EVENT_DROP, .side = m->side, .bytes = m->line->n };
	int r = record_foreign(s, e.method, sizeof(e.method), m->envelope->method);

	record_words(e.rule, sizeof(e.rule), m->d.rule);
	record_words(e.reason, sizeof(e.reason), m->d.reason);
	return r ? r : record_send(s, &e);
}

int handle_drop_notification(struct shim *s, const struct message *m, const char *reason)
{
	struct message dropped = *m;

	dropped.d = (struct decision){ .verdict = POLICY_DENY, .reason = reason };
	return deny(s, &dropped);
}

static int turn_down(struct message *m, const char *rule, const char *reason)
{
	m->d.verdict = POLICY_DENY;
	m->d.rule = rule;
	m->d.reason = reason;
	return 0;
}

/* --- stages --- */

/* There is no server that could have it. */
static int is_for_us(struct shim *s, struct message *m)
{
	return handle_is_server(s) ? stages_over(waiting_notification(s, m, m->method)) : 0;
}

/* Whatever becomes of the notification, nothing that was learnt from the list holds any more. */
static int note_changes(struct shim *s, struct message *m)
{
	pins_list_changed(s, m->envelope->method);
	scopes_list_changed(s, m->envelope->method);
	return 0;
}

static int over_bridge(struct shim *s, struct message *m)
{
	bool done = false;
	int r = s->waiting.bridges ? bridge_notification(s, m, &done) : 0;

	return r < 0 || done ? stages_over(r) : 0;
}

/* The state of a task, pushed instead of polled for: what it came to, and what it asks the client for, is judged as in
 * a result. */
static int fits_schema(struct shim *s, struct message *m)
{
	struct slice tool = task_tools_find(&s->tasks, walk_string(message_get(&s->doc, "taskId")));
	const char *refusal = NULL;
	int r = structured_judge_task(s, tool, &refusal);

	return r == 0 && refusal ? stages_refuse(m, refusal) : r;
}

static int may_ask(struct shim *s, struct message *m)
{
	int r = inputs_guard(s, m);

	if (r || m->d.verdict != POLICY_DENY)
		return r;
	return turn_down(m, NULL, "it asks the client for what the profile denies");
}

/* Notifications do not name their era; the requests before them did. */
static int is_of_session(struct shim *s, struct message *m)
{
	unsigned seen = (s->legacy ? ERA_LEGACY : 0) | (s->greeted ? ERA_MODERN : 0);

	if (!m->method || seen == 0 || (m->method->eras & seen) || s->waiting.replays)
		return 0;
	return turn_down(m, "the method table", "the client's protocol version has no such notification");
}

static int asks_nothing(struct shim *s, struct message *m)
{
	return inputs_are_in_params(s)
		       ? turn_down(m, "the method table", "a server asks for nothing in such a notification")
		       : 0;
}

static int is_log_to_drop(struct shim *s, struct message *m)
{
	bool dropped = false;
	int r = logs_drop(s, m->method, &dropped);

	return r || dropped ? stages_over(r) : 0;
}

/* Of a call that waits for a person, and of a subscription that is kept here, the server has never heard. */
static int is_cancelled_here(struct shim *s, struct message *m)
{
	bool client = m->side == EVENT_FROM_CLIENT, here = false;
	int r;

	if (!m->method || m->method->note != NOTE_CANCELLED)
		return 0;
	r = client ? confirm_cancel(s, message_get(&s->doc, "requestId"), &here) : 0;
	if (r < 0 || here)
		return stages_over(r);
	if (client && waiting_forget(s, message_get(&s->doc, "requestId")))
		return STAGE_OVER;
	r = handle_cancelled(s, m->side, &here);
	return r || here ? stages_over(r) : 0;
}

static int pass(struct shim *s, struct message *m)
{
	bool initialized = m->side == EVENT_FROM_CLIENT && slice_is(m->envelope->method, "notifications/initialized");
	int r = handle_forward(s, m->side);

	return r == 0 && initialized ? waiting_initialized(s) : r;
}

static const struct stage of_client[] = {
	{ 0, STAGE_ANY, stages_clear },
	{ 0, STAGE_ANY, is_for_us },
	{ 0, STAGE_ANY, stages_by_rules },
	{ 0, STAGE_ANY, is_of_session },
	{ 0, STAGE_ANY, stages_clean },
	{ 0, STAGE_ANY, is_cancelled_here },
	{ 0, STAGE_ANY, pass },
};

static const struct stage of_server[] = {
	{ 0, STAGE_ANY, note_changes },
	{ 0, STAGE_ANY, over_bridge },
	{ 0, STAGE_ANY, stages_clear },
	{ 0, STAGE_OF(RESULT_MAY_ASK), fits_schema },
	{ 0, STAGE_OF(RESULT_MAY_ASK), may_ask },
	{ 0, STAGE_OF(RESULT_MAY_ASK), inputs_edit },
	{ 0, STAGE_ANY, stages_by_rules },
	{ 0, STAGE_ANY, is_of_session },
	{ 0, ~STAGE_OF(RESULT_MAY_ASK), asks_nothing },
	{ 0, STAGE_ANY, is_log_to_drop },
	{ 0, STAGE_ANY, stages_clean },
	{ 0, STAGE_OF(RESULT_MAY_ASK), inputs_record },
	{ 0, STAGE_ANY, is_cancelled_here },
	{ 0, STAGE_ANY, pass },
};

static int take(struct shim *s, struct message *m, const struct stages *t)
{
	m->method = methods_find(m->side, false, m->envelope->method);
	return stages_run(s, m, t);
}

int notifications_from_client(struct shim *s, struct message *m)
{
	static const struct stages t = { of_client, ARRAY_LEN(of_client), true, deny };

	return take(s, m, &t);
}

int notifications_from_server(struct shim *s, struct message *m)
{
	static const struct stages t = { of_server, ARRAY_LEN(of_server), true, deny };

	return take(s, m, &t);
}
