/* SPDX-License-Identifier: Apache-2.0 */
/* from_client - decides about what the client sends (handle.h) */
#include "shim/handle.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "shim/answers.h"
#include "shim/args.h"
#include "shim/bridge.h"
#include "shim/clarity.h"
#include "shim/envelope.h"
#include "shim/guards.h"
#include "shim/limits.h"
#include "shim/lists.h"
#include "shim/notifications.h"
#include "shim/offers.h"
#include "shim/policy.h"
#include "shim/record.h"
#include "shim/scopes.h"
#include "shim/words.h"

static const char META_VERSION[] = "io.modelcontextprotocol/protocolVersion";
static const char META_CLIENT[] = "io.modelcontextprotocol/clientInfo";
static const char META_OFFERS[] = "io.modelcontextprotocol/clientCapabilities";
/* Versions are dates; from this one on there is no handshake. */
static const char MODERN[] = "2026-07-28";

/* What the request says of its own era in _meta; an empty slice: nothing. */
static struct slice stated_version(const struct shim *s)
{
	return walk_string(walk_get(message_get(&s->doc, "_meta"), META_VERSION));
}

static bool is_modern(struct slice version)
{
	return version.n == sizeof(MODERN) - 1 && memcmp(version.p, MODERN, version.n) >= 0;
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

/* The client has shown its era: initialize, or the first request that names its version. */
static int note_era(struct shim *s, const struct message *m, const struct method *method, struct slice version)
{
	/* Its era is the shim's own choice. */
	if (s->waiting.replays)
		return 0;
	s->legacy = s->legacy || !m->modern;
	if (method && method->note == NOTE_HELLO)
		return record_hello(
			s, message_get(&s->doc, "clientInfo"), walk_string(message_get(&s->doc, "protocolVersion")));
	if (!m->modern || s->greeted || !version.p)
		return 0;
	s->greeted = true;
	return record_hello(s, walk_get(message_get(&s->doc, "_meta"), META_CLIENT), version);
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
	int r;

	e.decision = d->verdict == POLICY_ALLOW ? EVENT_ALLOW : EVENT_DENY;
	r = record_foreign(s, e.method, sizeof(e.method), m->envelope->method);
	if (r == 0 && call)
		r = record_foreign(s, e.tool, sizeof(e.tool), d->subject);
	if (r == 0 && call)
		r = words_clean_canonical(s, &args, &room);
	if (r == 0 && call)
		r = args_record(&e, &s->config, args, &s->edited);
	if (r == 0 && call)
		r = scopes_record(s, d->subject, &e);
	if (r == 0 && e.decision == EVENT_DENY && !call)
		r = record_subject(s, &e, method, d->subject);
	record_words(e.rule, sizeof(e.rule), d->rule);
	if (d->reason)
		record_words(e.reason, sizeof(e.reason), d->reason);
	if (d->recorded && d->recorded < sizeof(e.reason))
		e.reason[d->recorded] = '\0';
	return r ? r : record_send(s, &e);
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

/* Roots beyond what is granted, which the server does not hear of. */
static int record_hidden_roots(struct shim *s, uint64_t call_id, uint64_t count)
{
	struct event e = {
		.type = EVENT_LIST_FILTERED, .side = EVENT_FROM_CLIENT, .call_id = call_id, .count = count
	};

	record_words(e.method, sizeof(e.method), "roots/list");
	record_words(e.reason, sizeof(e.reason), "they are not within what is granted");
	return record_send(s, &e);
}

/* Takes out what the server is not to get. */
static int edit_request(struct shim *s, struct message *m, const struct method *method, uint64_t call_id)
{
	struct slice offers = method && method->note == NOTE_HELLO
				      ? message_get(&s->doc, "capabilities")
				      : walk_get(message_get(&s->doc, "_meta"), META_OFFERS);
	uint64_t hidden;
	int r = offers_filter(s, offers, &s->edited, &hidden);

	if (r == 0 && hidden)
		r = handle_replace(s, m);
	if (r == 0)
		r = offers_filter_logging(s, message_get(&s->doc, "_meta"), &s->edited, &hidden);
	if (r == 0 && hidden)
		r = handle_replace(s, m);
	if (r == 0)
		r = lists_filter_responses(s, message_get(&s->doc, "inputResponses"), &s->edited, &hidden);
	if (r == 0 && hidden)
		r = record_hidden_roots(s, call_id, hidden);
	if (r == 0 && hidden)
		r = handle_replace(s, m);
	return r;
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

static int pass_request(struct shim *s, struct message *m, const struct method *method, const struct decision *d)
{
	struct slice tool = tool_of(s, method, d);
	struct pending_entry *e;
	const char *refusal;
	char id[ENVELOPE_ID_MAX];
	size_t id_len = m->envelope->id.n;
	int r = handle_track(s, &s->calls, m, method, tool, &e, &refusal);

	if (r < 0)
		return r;
	if (refusal) {
		struct decision busy = {
			.verdict = POLICY_DENY, .what = d->what, .subject = d->subject, .reason = refusal
		};
		r = handle_record_request(s, m, method, &busy, m->confirmed ? m->confirmed : ++s->call_ids);
		return r ? r
			 : handle_answer_denial(s, m, method,
				   "stockade: too many requests are waiting for an answer. Retry after 1 s.",
				   ANSWER_BUSY);
	}
	e->further = message_get(&s->doc, "cursor").n > 0;
	e->tool_changes = scopes_subscribes(s, method);
	r = tool.p ? limits_begin(s, e, tool) : 0;
	if (r < 0)
		return r;
	memcpy(id, m->envelope->id.p, id_len);
	r = handle_record_request(s, m, method, d, e->call_id);
	if (r == 0)
		r = edit_request(s, m, method, e->call_id);
	if (r == 0)
		r = handle_forward(s, EVENT_FROM_CLIENT);
	if (r == 0 && s->to_server.broken)
		r = answer_undelivered(s, (struct slice){ id, id_len });
	return r;
}

static int deny_request(struct shim *s, struct message *m, const struct method *method, const struct decision *d)
{
	char text[ANSWER_TEXT_MAX];
	int r = handle_record_request(s, m, method, d, m->confirmed ? m->confirmed : ++s->call_ids);

	if (r < 0)
		return r;
	handle_denial_text(s, d, text, sizeof(text));
	return handle_answer_denial(s, m, method, text, d->code ? d->code : ANSWER_DENIED);
}

static int follow(struct shim *s, struct message *m, const struct method *method, const struct decision *d)
{
	switch (d->verdict) {
	case POLICY_ALLOW:
		return pass_request(s, m, method, d);
	case POLICY_MALFORMED:
		return handle_refuse_parsed(s, m, d->reason);
	case POLICY_PARKED:
		return 0;
	case POLICY_DENY:
		break;
	}
	return deny_request(s, m, method, d);
}

static int decide_request(struct shim *s, struct message *m, const struct method *method, bool foreign_era)
{
	struct decision d;
	int r = policy_decide(&s->config, method, &s->doc, m->envelope, &s->subject, &d);

	if (r < 0)
		return r;
	if (foreign_era) {
		d.verdict = POLICY_DENY;
		d.rule = "the method table";
		d.reason = "the protocol version that the request names has no such method";
		d.code = ANSWER_NO_METHOD;
	}
	r = guards_request(s, m, method, &d);
	if (r < 0)
		return r;
	return follow(s, m, method, &d);
}

static const char *unclear_request(struct shim *s, const struct message *m, const struct method *method)
{
	struct slice tool = { NULL, 0 };

	if (method && method->gate == GATE_TOOL)
		tool = walk_string(message_get(&s->doc, "name"));
	return clarity_of_params(s, m->envelope, tool);
}

int handle_resume(struct shim *s, struct message *m, const struct confirm_refusal *no)
{
	const struct method *method = methods_find(EVENT_FROM_CLIENT, true, m->envelope->method);
	struct decision d = {
		.verdict = POLICY_DENY, .what = "tool", .subject = walk_string(message_get(&s->doc, "name"))
	};

	if (!no) {
		/* What the tool's schema says may be known by now. */
		const char *unclear = unclear_request(s, m, method);
		return unclear ? handle_refuse_parsed(s, m, unclear) : decide_request(s, m, method, false);
	}
	d.rule = no->rule;
	d.reason = no->reason;
	return no->answer ? deny_request(s, m, method, &d) : handle_record_request(s, m, method, &d, m->confirmed);
}

static int on_request(struct shim *s, struct message *m)
{
	const struct method *method = methods_find(EVENT_FROM_CLIENT, true, m->envelope->method);
	struct slice version;
	const char *unclear;
	int r;

	if (pending_find(&s->calls, m->envelope->id) || parked_find(&s->parked, m->envelope->id) ||
		confirm_find(&s->confirms, m->envelope->id) || waiting_holds(s, m->envelope->id))
		return handle_refuse_parsed(s, m, "its id is that of a request that has no answer yet");
	unclear = unclear_request(s, m, method);
	if (unclear)
		return handle_refuse_parsed(s, m, unclear);
	/* What is judged from here on is what the server gets. */
	r = handle_clean(s, m, s->call_ids + 1);
	if (r)
		return r < 0 ? r : 0;
	version = stated_version(s);
	m->modern = is_modern(version) || (method && method->eras == ERA_MODERN);
	r = note_era(s, m, method, version);
	if (r)
		return r;
	if (handle_is_server(s) || waiting_covers(s, method) || bridge_covers(s, method))
		return waiting_request(s, m, method);
	return decide_request(s, m, method, method && m->modern && !(method->eras & ERA_MODERN));
}

static int on_response(struct shim *s, struct message *m)
{
	struct pending_entry *e = pending_find(&s->asks, m->envelope->id);
	const char *unclear;
	uint64_t hidden = 0;
	int r;

	if (!e)
		return handle_unmatched(s, m);
	unclear = clarity_of_result(s, m->envelope, (struct slice){ NULL, 0 }, false);
	if (unclear)
		return handle_refuse_parsed(s, m, unclear);
	r = handle_clean(s, m, e->call_id);
	if (r)
		return r < 0 ? r : 0;
	r = record_ending(s, e, m->side, m->envelope->kind == ENVELOPE_ERROR ? "error" : "ok", m->line->n);
	if (r == 0 && e->method && e->method->result == RESULT_ROOTS)
		r = lists_filter_roots(s, message_get(&s->doc, "roots"), &s->edited, &hidden);
	if (r == 0 && hidden)
		r = record_hidden_roots(s, e->call_id, hidden);
	pending_remove(&s->asks, e);
	if (r == 0 && hidden)
		r = handle_replace(s, m);
	return r ? r : handle_forward(s, m->side);
}

/* The launch was refused: each request gets the reason, the rest is dropped, and no server hears of any of it. */
static int refuse_launch(struct shim *s, struct message *m)
{
	const struct method *method = methods_find(EVENT_FROM_CLIENT, true, m->envelope->method);
	struct decision d = { .verdict = POLICY_DENY, .reason = "the launch was not approved" };
	int r;

	if (m->envelope->kind != ENVELOPE_REQUEST)
		return handle_drop_notification(s, m, d.reason);
	if (method && method->gate == GATE_TOOL)
		d.subject = walk_string(message_get(&s->doc, "name"));
	m->modern = is_modern(stated_version(s));
	r = handle_record_request(s, m, method, &d, ++s->call_ids);
	return r ? r : handle_answer_denial(s, m, method, s->refusal, ANSWER_DENIED);
}

int handle_from_client(struct shim *s, struct message *m)
{
	if (s->refusal[0])
		return refuse_launch(s, m);
	switch (m->envelope->kind) {
	case ENVELOPE_REQUEST:
		return on_request(s, m);
	case ENVELOPE_NOTIFICATION:
		return notifications_from_client(s, m);
	default:
		return on_response(s, m);
	}
}
