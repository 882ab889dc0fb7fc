/* SPDX-License-Identifier: Apache-2.0 */
/* from_server - decides about what the server sends (handle.h) */
#include "shim/handle.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "shim/answers.h"
#include "shim/asks.h"
#include "shim/bridge.h"
#include "shim/clarity.h"
#include "shim/envelope.h"
#include "shim/fields.h"
#include "shim/guards.h"
#include "shim/inputs.h"
#include "shim/limits.h"
#include "shim/listing.h"
#include "shim/lists.h"
#include "shim/offers.h"
#include "shim/own.h"
#include "shim/pins.h"
#include "shim/policy.h"
#include "shim/record.h"
#include "shim/scopes.h"
#include "shim/structured.h"

static const char META_SERVER[] = "io.modelcontextprotocol/serverInfo";

int handle_record_server(struct shim *s)
{
	struct event e = { .type = EVENT_SERVER_HELLO, .side = EVENT_FROM_SERVER };
	struct slice info = message_get(&s->doc, "serverInfo");
	int r;

	if (!info.n)
		info = walk_get(message_get(&s->doc, "_meta"), META_SERVER);
	r = record_foreign(s, e.peer_name, sizeof(e.peer_name), walk_string(walk_get(info, "name")));
	if (r == 0)
		r = record_foreign(s, e.peer_version, sizeof(e.peer_version), walk_string(walk_get(info, "version")));
	if (r == 0)
		r = record_foreign(
			s, e.protocol, sizeof(e.protocol), walk_string(message_get(&s->doc, "protocolVersion")));
	return r ? r : record_send(s, &e);
}

/* Tools that nobody's rule denied, and that are missing all the same: which, and why, in a record each. A server may
 * list thousands of them again and again: the others are counted. */
static int record_unusable(struct shim *s, struct event e)
{
	const char *p = s->unusable_words.data, *end = p + s->unusable_words.len;
	uint64_t left = s->unusable;
	int r = 0;

	record_words(e.rule, sizeof(e.rule), "the schemas of the tool");
	e.count = 1;
	for (; r == 0 && p < end; left--) {
		record_words(e.tool, sizeof(e.tool), p);
		p += strlen(p) + 1;
		record_words(e.reason, sizeof(e.reason), p);
		p += strlen(p) + 1;
		r = record_send(s, &e);
	}
	if (r || left == 0)
		return r;
	e.count = left;
	e.tool[0] = '\0';
	record_words(e.reason, sizeof(e.reason), "their schemas cannot be used either; only so many tools are named");
	return record_send(s, &e);
}

static int record_hidden(struct shim *s, const struct pending_entry *p, uint64_t count)
{
	struct event e = {
		.type = EVENT_LIST_FILTERED, .side = EVENT_FROM_SERVER, .call_id = p->call_id, .count = count
	};
	int r = 0;

	record_text(e.method, sizeof(e.method), (struct slice){ p->name, strlen(p->name) });
	if (s->unusable)
		r = record_unusable(s, e);
	e.count -= s->unusable;
	if (r || e.count == 0)
		return r;
	if (s->doubles)
		snprintf(e.reason, sizeof(e.reason),
			"the list has the name or uri of %" PRIu64
			" of them already, or as many others as may be, and the first stay",
			s->doubles);
	return record_send(s, &e);
}

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
static int deny_result(struct shim *s, const struct message *m, struct pending_entry *e, const struct decision *d)
{
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

/* Filters by the kind of result; what is left is in s->edited when *ret_hidden is not 0. */
static int filter_result(struct shim *s, const struct pending_entry *e, uint64_t *ret_hidden)
{
	enum method_result kind = e->method ? e->method->result : RESULT_PLAIN;
	int r;

	*ret_hidden = 0;
	switch (kind) {
	case RESULT_TOOLS:
	case RESULT_RESOURCES:
	case RESULT_TEMPLATES:
	case RESULT_PROMPTS:
		s->scopes.shown = s->scopes.shown || kind == RESULT_TOOLS;
		return lists_filter(s, kind, e->further, &s->edited, ret_hidden);
	case RESULT_HELLO:
		r = handle_record_server(s);
		return r ? r : lists_filter_capabilities(s, &s->edited, ret_hidden);
	default:
		return 0;
	}
}

/* Those that are not as they were pinned, or that the scan finds fault with. */
static int drop_instructions(struct shim *s, struct message *m)
{
	uint64_t hidden;
	int r = lists_filter_instructions(s, m->envelope->body, &s->edited, &hidden);

	return r == 0 && hidden ? handle_replace(s, m) : r;
}

/* Where a grant can change the list of tools, the client has to listen for that. */
static int promise_changes(struct shim *s, struct message *m)
{
	bool changed;
	int r = scopes_promise(s, &s->edited, &changed);

	return r || !changed ? r : handle_replace(s, m);
}

/* A call has become a task: in the legacy era a member of the result, in the modern one the result itself. */
static int note_task(struct shim *s, const struct pending_entry *e)
{
	struct slice id = walk_string(walk_get(message_get(&s->doc, "task"), "taskId"));

	if (!e->tool || !e->method || e->method->result != RESULT_CALL)
		return 0;
	if (!id.n && slice_is(message_get(&s->doc, "resultType"), "\"task\""))
		id = walk_string(message_get(&s->doc, "taskId"));
	return id.n ? task_tools_note(&s->tasks, id, e->tool) : 0;
}

/* Of lists: what the protocol has no name for. */
static int drop_fields(struct shim *s, struct message *m, const struct pending_entry *p)
{
	enum method_result kind = p->method ? p->method->result : RESULT_PLAIN;
	struct event e = { .type = EVENT_LIST_FILTERED, .side = EVENT_FROM_SERVER, .call_id = p->call_id };
	int r = fields_filter(s, kind, m->envelope->body, &s->edited, &e.count);

	if (r || e.count == 0)
		return r;
	record_text(e.method, sizeof(e.method), (struct slice){ p->name, strlen(p->name) });
	snprintf(e.reason, sizeof(e.reason), "fields that the protocol does not define, not items");
	r = record_send(s, &e);
	return r ? r : handle_replace(s, m);
}

/* A client that knows of logging would ask for it. */
static int drop_logging(struct shim *s, struct message *m, const struct pending_entry *e)
{
	uint64_t hidden;
	int r;

	if (!e->method || e->method->result != RESULT_HELLO || m->envelope->kind != ENVELOPE_RESULT)
		return 0;
	r = offers_filter_logging(s, message_get(&s->doc, "capabilities"), &s->edited, &hidden);
	return r == 0 && hidden ? handle_replace(s, m) : r;
}

static bool is_state_of_task(const struct pending_entry *e)
{
	return e->method && e->method->result == RESULT_TASK;
}

static int pass_result(struct shim *s, struct message *m, struct pending_entry *e, const char *status)
{
	uint64_t hidden = 0;
	const char *refusal = NULL;
	bool hello, bridged = s->waiting.bridges && e->modern && m->envelope->kind == ENVELOPE_RESULT;
	int r = bridged ? bridge_result(s, m, e) : 0;

	if (r == 0 && m->envelope->kind == ENVELOPE_RESULT)
		r = guards_result(s, e, &refusal);
	if (refusal)
		return handle_refuse_parsed(s, m, refusal);
	if (r == 0)
		r = note_task(s, e);
	if (r == TASK_TOOLS_TAKEN)
		return handle_refuse_parsed(s, m, "its task has the id of a task of another tool");
	if (r == 0 && m->envelope->kind == ENVELOPE_RESULT)
		r = filter_result(s, e, &hidden);
	if (r == LISTS_UNREADABLE)
		return handle_refuse_parsed(s, m, "its list is not an array");
	if (r == LISTS_NO_CAPABILITY)
		return handle_refuse_parsed(
			s, m, "its capabilities.tools holds a list, and means nothing in that form");
	if (r == 0 && hidden)
		r = record_hidden(s, e, hidden);
	hello = e->method && e->method->result == RESULT_HELLO && m->envelope->kind == ENVELOPE_RESULT;
	if (r == 0 && hidden)
		r = handle_replace(s, m);
	if (r == 0 && hello)
		r = drop_instructions(s, m);
	if (r == 0 && hello)
		r = promise_changes(s, m);
	if (r == 0 && m->envelope->kind == ENVELOPE_RESULT)
		r = drop_fields(s, m, e);
	if (r == 0)
		r = drop_logging(s, m, e);
	if (r == 0)
		r = inputs_pass(s, m, is_state_of_task(e), e->call_id);
	if (r == 0)
		r = handle_clean(s, m, e->call_id);
	if (r)
		return r < 0 ? r : 0;
	r = record_ending(s, e, m->side, status, m->line->n);
	pending_remove(&s->calls, e);
	return r ? r : handle_forward(s, m->side);
}

static bool is_task(const struct shim *s)
{
	return message_get(&s->doc, "task").n || slice_is(message_get(&s->doc, "resultType"), "\"task\"");
}

/* A task's result comes through tasks/result, where no list would be filtered. */
static bool is_task_of_a_list(const struct shim *s, const struct method *method)
{
	return method && method->result >= RESULT_TOOLS && method->result <= RESULT_PROMPTS && is_task(s);
}

static bool may_ask(const struct method *method)
{
	return method &&
	       (method->result == RESULT_CALL || method->result == RESULT_MAY_ASK || method->result == RESULT_TASK);
}

static int on_response(struct shim *s, struct message *m)
{
	struct pending_entry *e = pending_find(&s->calls, m->envelope->id);
	struct slice inputs = message_get(&s->doc, "inputRequests"), tool = { NULL, 0 };
	const char *unclear, *status = status_of(s, m->envelope);
	struct decision d = { 0 };
	struct pending_entry *own = pending_find(&s->own.table, m->envelope->id);
	int r;

	if (own)
		return own_answered(s, m, own);
	if (!e)
		return handle_unmatched(s, m);
	if (e->expired)
		return limits_late(s, m, e);
	r = limits_output(s, m, e);
	if (r)
		return r < 0 ? r : 0;
	if (e->tool)
		tool = (struct slice){ e->tool, strlen(e->tool) };
	unclear = clarity_of_result(s, m->envelope, tool, e->method && e->method->result == RESULT_TOOLS);
	if (unclear)
		return handle_refuse_parsed(s, m, unclear);
	if ((inputs.n || strcmp(status, "input_required") == 0) && !may_ask(e->method))
		return handle_refuse_parsed(s, m, "it asks for input where the protocol does not allow that");
	if (is_task_of_a_list(s, e->method))
		return handle_refuse_parsed(s, m, "it makes a list into a task, which the protocol does not allow");
	if (e->own)
		return waiting_answer(s, m, e);
	if (is_task(s) && (e->time.value || e->output.value))
		return handle_refuse_parsed(s, m,
			"it makes a call into a task, which would not be held to the profile's limits on the tool");
	r = inputs_judge(s, m, is_state_of_task(e), &d);
	if (r < 0)
		return r;
	if (d.verdict == POLICY_MALFORMED)
		return handle_refuse_parsed(s, m, d.reason);
	return d.verdict == POLICY_DENY ? deny_result(s, m, e, &d) : pass_result(s, m, e, status);
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

/* The state of a task, pushed instead of polled for: what it came to, and what it asks the client for, is judged as in a
 * result. */
static int judge_pushed(struct shim *s, struct message *m)
{
	const char *unclear = clarity_of_params(s, m->envelope, (struct slice){ NULL, 0 });
	struct slice tool = task_tools_find(&s->tasks, walk_string(message_get(&s->doc, "taskId")));
	struct decision d;
	int r = unclear ? 0 : structured_judge_task(s, tool, &unclear);

	if (r < 0)
		return r;
	if (unclear)
		return handle_refuse_parsed(s, m, unclear);
	if (!inputs_are_in_params(s))
		return handle_notification(s, m);
	r = inputs_judge(s, m, true, &d);
	if (r < 0)
		return r;
	if (d.verdict == POLICY_MALFORMED)
		return handle_refuse_parsed(s, m, d.reason);
	if (d.verdict == POLICY_DENY)
		return handle_drop_notification(s, m, "it asks the client for what the profile denies");
	r = inputs_pass(s, m, true, 0);
	return r ? r : handle_notification(s, m);
}

static int on_notification(struct shim *s, struct message *m)
{
	const struct method *method = methods_find(EVENT_FROM_SERVER, false, m->envelope->method);
	bool done = false;
	int r = 0;

	pins_list_changed(s, m->envelope->method);
	if (s->waiting.bridges)
		r = bridge_notification(s, m, &done);
	if (r < 0 || done)
		return r;
	scopes_list_changed(s, m->envelope->method);
	return method && method->result == RESULT_MAY_ASK ? judge_pushed(s, m) : handle_notification(s, m);
}

int handle_from_server(struct shim *s, struct message *m)
{
	if (s->waiting.state == WAITING_FAILED)
		return record_refused(s, m->side, "its handshake failed", m->line->n);
	switch (m->envelope->kind) {
	case ENVELOPE_REQUEST:
		return on_request(s, m);
	case ENVELOPE_NOTIFICATION:
		return s->config.listing ? listing_notified(s, m) : on_notification(s, m);
	default:
		return on_response(s, m);
	}
}
