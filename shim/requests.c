/* SPDX-License-Identifier: Apache-2.0 */
/* requests - see requests.h */
#include "shim/requests.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "shim/answers.h"
#include "shim/args.h"
#include "shim/arguments.h"
#include "shim/bridge.h"
#include "shim/clarity.h"
#include "shim/confirm.h"
#include "shim/envelope.h"
#include "shim/kills.h"
#include "shim/limits.h"
#include "shim/lists.h"
#include "shim/offers.h"
#include "shim/pins.h"
#include "shim/protocol.h"
#include "shim/record.h"
#include "shim/scans.h"
#include "shim/scopes.h"
#include "shim/stages.h"
#include "shim/words.h"

/* What the request says of its own era in _meta; an empty slice: nothing. */
static struct slice stated_version(const struct shim *s)
{
	return walk_string(walk_get(message_get(&s->doc, "_meta"), META_VERSION));
}

static bool is_modern(struct slice version)
{
	return version.n == sizeof(VERSION_MODERN) - 1 && memcmp(version.p, VERSION_MODERN, version.n) >= 0;
}

static int record_hello(struct shim *s, struct slice client, struct slice version)
{
	struct event e = { .type = EVENT_HELLO, .side = EVENT_FROM_CLIENT };
	int r = record_foreign(s, e.peer_name, sizeof(e.peer_name), walk_string(walk_get(client, "name")));

	if (r == 0)
		r = record_foreign(s, e.peer_version, sizeof(e.peer_version), walk_string(walk_get(client, "version")));
	if (r == 0)
		r = record_foreign(s, e.protocol, sizeof(e.protocol), version);
	return r ? r : record_send(s, &e);
}

/* Of what was denied a person wants to know which it was; of what passes, the rule that let it is enough. */
static int record_subject(struct shim *s, struct event *e, const struct method *method, struct slice subject)
{
	_cleanup_buf_ struct buf b = BUF_INIT(2 * SHIM_LINE_MAX);
	bool named = method && method->gate >= GATE_RESOURCE && method->gate <= GATE_SUBSCRIBE;
	int r = named && subject.n ? args_put_string(&b, subject) : 0;

	/* Passwords of no bytes grow when they are taken out. The record shows less than what there is room for. */
	r = r == -E2BIG ? 0 : r;
	if (r == 0 && b.len)
		r = record_foreign(s, e->subject, sizeof(e->subject), (struct slice){ b.data, b.len });
	return r;
}

int handle_record_request(struct shim *s, const struct message *m, const struct method *method,
	const struct decision *d, uint64_t call_id)
{
	bool call = method && method->gate == GATE_TOOL;
	struct event e = {
		.type = call ? EVENT_CALL : EVENT_REQUEST, .side = m->side, .call_id = call_id, .bytes = m->line->n
	};
	_cleanup_buf_ struct buf room = BUF_INIT(2 * SHIM_LINE_MAX);
	struct slice args = message_get(&s->doc, "arguments");
	const char *reason;
	int r;

	e.decision = d->verdict != POLICY_ALLOW ? EVENT_DENY : d->would ? EVENT_WOULD_DENY : EVENT_ALLOW;
	r = record_foreign(s, e.method, sizeof(e.method), m->envelope->method);
	if (r == 0 && call)
		r = record_foreign(s, e.tool, sizeof(e.tool), d->subject);
	if (r == 0 && call)
		r = words_clean_canonical(s, &args, &room);
	if (r == 0 && call)
		r = args_record(&e, s->config.args, &s->salt, args, &s->edited);
	if (r == 0 && call)
		r = scopes_record(s, d->subject, &e);
	if (r == 0 && e.decision == EVENT_DENY && !call)
		r = record_subject(s, &e, method, d->subject);
	record_words(e.rule, sizeof(e.rule), e.decision == EVENT_WOULD_DENY ? d->would : d->rule);
	reason = e.decision == EVENT_WOULD_DENY ? d->would_reason : d->reason;
	if (reason)
		record_words(e.reason, sizeof(e.reason), reason);
	if (d->recorded && d->recorded < sizeof(e.reason))
		e.reason[d->recorded] = '\0';
	return r ? r : record_send(s, &e);
}

int handle_record_hidden_roots(struct shim *s, struct message *m, uint64_t count)
{
	struct event e = {
		.type = EVENT_LIST_FILTERED, .side = EVENT_FROM_CLIENT, .call_id = handle_call_id(s, m), .count = count
	};

	record_words(e.method, sizeof(e.method), "roots/list");
	record_words(e.reason, sizeof(e.reason), "they are not within what is granted");
	return record_send(s, &e);
}

/* How a denial has to look depends on what the caller can take (mcp.md section 2). */
int handle_answer_denial(
	struct shim *s, const struct message *m, const struct method *method, const char *text, int code)
{
	struct slice id = m->envelope->id;

	if (!method || method->gate != GATE_TOOL || message_get(&s->doc, "task").n)
		return handle_answer_error(s, EVENT_FROM_CLIENT, id, code, text);
	return handle_answer_tool_error(s, id, text, m->modern);
}

/* The server took nothing any more: nothing will answer this. */
static int answer_undelivered(struct shim *s, struct slice id)
{
	struct pending_entry *e = pending_find(&s->calls, id);
	char text[ANSWER_TEXT_MAX];
	int r;

	if (!e)
		return 0;
	snprintf(text, sizeof(text), "stockade: %s: the server has closed its input and takes no more requests.",
		s->config.name);
	r = record_ending(s, e, EVENT_FROM_SERVER, "undelivered", 0);
	if (r == 0)
		r = handle_answer_error(s, EVENT_FROM_CLIENT, (struct slice){ e->id, e->id_len }, ANSWER_GONE, text);
	pending_remove(&s->calls, e);
	return r;
}

/* What the answer will be about: the tool that is called, or that the task stands for. */
static struct slice tool_of(const struct shim *s, const struct method *method, const struct decision *d)
{
	if (method && method->result == RESULT_TASK)
		return task_tools_find(&s->tasks, walk_string(message_get(&s->doc, "taskId")));
	return method && method->gate == GATE_TOOL ? d->subject : (struct slice){ NULL, 0 };
}

static int deny_request(struct shim *s, struct message *m)
{
	char text[ANSWER_TEXT_MAX];
	int r = handle_record_request(s, m, m->method, &m->d, handle_call_id(s, m));

	if (r < 0)
		return r;
	handle_denial_text(s, &m->d, text, sizeof(text));
	return handle_answer_denial(s, m, m->method, text, m->d.code ? m->d.code : ANSWER_DENIED);
}

/* --- stages --- */

static int has_own_id(struct shim *s, struct message *m)
{
	struct slice id = m->envelope->id;

	if (!pending_find(&s->calls, id) && !parked_find(&s->parked, id) && !confirm_find(&s->confirms, id) &&
		!waiting_holds(s, id))
		return 0;
	return stages_refuse(m, "its id is that of a request that has no answer yet");
}

/* Of what comes again too: what the tool's schema says may be known by now. */
static int is_clear(struct shim *s, struct message *m)
{
	bool call = m->method && m->method->gate == GATE_TOOL;
	struct slice tool = call ? walk_string(message_get(&s->doc, "name")) : (struct slice){ NULL, 0 };
	const char *unclear = clarity_of_params(s, m->envelope, tool);

	return unclear ? stages_refuse(m, unclear) : 0;
}

/* The client has shown its era: initialize, or the first request that names its version. */
static int note_era(struct shim *s, struct message *m)
{
	struct slice version = stated_version(s);

	m->modern = is_modern(version) || (m->method && m->method->eras == ERA_MODERN);
	/* Its era is the shim's own choice. */
	if (s->waiting.replays)
		return 0;
	s->legacy = s->legacy || !m->modern;
	if (m->method && m->method->note == NOTE_HELLO)
		return record_hello(
			s, message_get(&s->doc, "clientInfo"), walk_string(message_get(&s->doc, "protocolVersion")));
	if (!m->modern || s->greeted || !version.p)
		return 0;
	s->greeted = true;
	return record_hello(s, walk_get(message_get(&s->doc, "_meta"), META_CLIENT), version);
}

static int is_for_us(struct shim *s, struct message *m)
{
	if (!handle_is_server(s) && !waiting_covers(s, m->method) && !bridge_covers(s, m->method))
		return 0;
	return stages_over(waiting_request(s, m, m->method));
}

/* What the client offers and the profile does not have is not for the server to know. */
static int edit_offers(struct shim *s, struct message *m)
{
	struct slice offers = m->method && m->method->note == NOTE_HELLO
				      ? message_get(&s->doc, "capabilities")
				      : walk_get(message_get(&s->doc, "_meta"), META_OFFERS);
	uint64_t hidden;
	int r = offers_filter(s, offers, &s->edited, &hidden);

	m->edited = r == 0 && hidden;
	return r;
}

static int edit_logging(struct shim *s, struct message *m)
{
	uint64_t hidden;
	int r = offers_filter_logging(s, message_get(&s->doc, "_meta"), &s->edited, &hidden);

	m->edited = r == 0 && hidden;
	return r;
}

static int edit_responses(struct shim *s, struct message *m)
{
	uint64_t hidden;
	int r = lists_filter_responses(s, message_get(&s->doc, "inputResponses"), &s->edited, &hidden);

	m->edited = r == 0 && hidden;
	return m->edited ? handle_record_hidden_roots(s, m, hidden) : r;
}

/* The rest of the stages is asked all the same: what else denies it does. */
static void observe(struct shim *s, struct message *m)
{
	struct decision *d = &m->d;

	if (d->verdict != POLICY_DENY || !d->own || !m->method || m->method->gate != GATE_TOOL || !lists_observe(s))
		return;
	d->would = d->rule;
	d->would_reason = d->reason;
	d->rule = d->reason = NULL;
	d->verdict = POLICY_ALLOW;
}

static int by_rules(struct shim *s, struct message *m)
{
	int r = stages_by_rules(s, m);

	if (r == 0)
		observe(s, m);
	if (r < 0 || !m->method || !m->modern || (m->method->eras & ERA_MODERN))
		return r;
	m->d.verdict = POLICY_DENY;
	m->d.rule = "the method table";
	m->d.reason = "the protocol version that the request names has no such method";
	m->d.code = ANSWER_NO_METHOD;
	return 0;
}

static int deny_busy(struct shim *s, struct message *m, const char *reason)
{
	int r;

	m->d.rule = NULL;
	m->d.reason = reason;
	m->d.verdict = POLICY_DENY;
	r = handle_record_request(s, m, m->method, &m->d, handle_call_id(s, m));
	return r ? r
		 : handle_answer_denial(s, m, m->method,
			   "stockade: too many requests are waiting for an answer. Retry after 1 s.", ANSWER_BUSY);
}

static int track(struct shim *s, struct message *m)
{
	struct slice tool = tool_of(s, m->method, &m->d);
	const char *refusal;
	int r = handle_track(s, &s->calls, m, tool, &refusal);

	if (r < 0)
		return r;
	if (refusal)
		return stages_over(deny_busy(s, m, refusal));
	m->asked->further = message_get(&s->doc, "cursor").n > 0;
	m->asked->tool_changes = scopes_subscribes(s, m->method);
	m->asked->as_task = message_get(&s->doc, "task").n > 0;
	return tool.p ? limits_begin(s, m->asked, tool) : 0;
}

static int pass(struct shim *s, struct message *m)
{
	char id[ENVELOPE_ID_MAX];
	size_t n = m->envelope->id.n;
	int r = handle_record_request(s, m, m->method, &m->d, m->call_id);

	memcpy(id, m->envelope->id.p, n);
	if (r == 0)
		r = handle_forward(s, EVENT_FROM_CLIENT);
	return r == 0 && s->to_server.broken ? answer_undelivered(s, (struct slice){ id, n }) : r;
}

enum {
	TOOL = STAGE_OF(GATE_TOOL),
	PROMPT = STAGE_OF(GATE_PROMPT),
	RESOURCE = STAGE_OF(GATE_RESOURCE),
	REFERENCE = STAGE_OF(GATE_REFERENCE),
};

static const struct stage of_requests[] = {
	{ STAGE_FRESH, STAGE_ANY, has_own_id },
	{ 0, STAGE_ANY, is_clear },
	/* What is judged from here on is what the server gets. */
	{ STAGE_FRESH, STAGE_ANY, stages_clean },
	{ STAGE_FRESH, STAGE_ANY, note_era },
	{ STAGE_FRESH, STAGE_ANY, is_for_us },
	{ 0, STAGE_ANY, edit_offers },
	{ 0, STAGE_ANY, edit_logging },
	{ 0, STAGE_ANY, edit_responses },
	{ 0, STAGE_ANY, by_rules },
	{ 0, STAGE_ANY, kills_guard },
	{ 0, TOOL, scopes_guard },
	{ 0, TOOL | PROMPT | REFERENCE, pins_guard },
	{ 0, TOOL, scans_guard_tool },
	{ 0, PROMPT, scans_guard_prompt },
	{ 0, RESOURCE, scans_guard_resource },
	{ 0, REFERENCE, scans_guard_reference },
	{ 0, TOOL, scopes_guard_said },
	{ 0, TOOL, arguments_guard },
	{ 0, TOOL, limits_guard },
	{ 0, TOOL, confirm_guard },
	{ 0, STAGE_ANY, track },
	{ 0, STAGE_ANY, pass },
};
static const struct stages requests = { of_requests, ARRAY_LEN(of_requests), false, deny_request };

int handle_resume(struct shim *s, struct message *m, const struct confirm_refusal *no)
{
	struct envelope e;
	int r = json_parse(&s->doc, m->line->p, m->line->n);

	if (r == 0)
		r = envelope_read(&s->doc, &e);
	/* It is what passed here before. */
	if (r)
		return r < 0 ? r : -EPROTO;
	m->side = EVENT_FROM_CLIENT;
	m->envelope = &e;
	m->method = methods_find(EVENT_FROM_CLIENT, true, e.method);
	m->resumed = true;
	if (!no)
		return stages_run(s, m, &requests);
	m->d = (struct decision){ .verdict = POLICY_DENY,
		.what = "tool",
		.subject = walk_string(message_get(&s->doc, "name")),
		.rule = no->rule,
		.reason = no->reason };
	return no->answer ? deny_request(s, m) : handle_record_request(s, m, m->method, &m->d, handle_call_id(s, m));
}

/* Each gets the reason, and no server hears of any of it. */
static int refuse_launch(struct shim *s, struct message *m)
{
	int r;

	m->d = (struct decision){ .verdict = POLICY_DENY, .reason = "the launch was not approved" };
	if (m->method && m->method->gate == GATE_TOOL)
		m->d.subject = walk_string(message_get(&s->doc, "name"));
	m->modern = is_modern(stated_version(s));
	r = handle_record_request(s, m, m->method, &m->d, handle_call_id(s, m));
	return r ? r : handle_answer_denial(s, m, m->method, s->refusal, ANSWER_DENIED);
}

int requests_from_client(struct shim *s, struct message *m)
{
	m->method = methods_find(EVENT_FROM_CLIENT, true, m->envelope->method);
	return s->refusal[0] ? refuse_launch(s, m) : stages_run(s, m, &requests);
}
