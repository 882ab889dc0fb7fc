/* SPDX-License-Identifier: Apache-2.0 */
/* handle - see handle.h */
#include "shim/handle.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/io.h"
#include "shim/answers.h"
#include "shim/confirm.h"
#include "shim/envelope.h"
#include "shim/pins.h"
#include "shim/policy.h"
#include "shim/record.h"
#include "shim/words.h"

static struct queue *queue_to(struct shim *s, enum event_side side)
{
	return side == EVENT_FROM_CLIENT ? &s->to_client : &s->to_server;
}

static int send_answer(struct shim *s, enum event_side to)
{
	return queue_put(queue_to(s, to), s->answer.data, s->answer.len);
}

int handle_answer_error(struct shim *s, enum event_side to, struct slice id, int code, const char *text)
{
	char words[ANSWER_TEXT_MAX];
	int r;

	record_words(words, sizeof(words), text);
	r = words_clean(s, words, sizeof(words));
	buf_clear(&s->answer);
	if (r == 0)
		r = answers_error(&s->answer, id, code, words);
	return r ? r : send_answer(s, to);
}

int handle_answer_tool_error(struct shim *s, struct slice id, const char *text, bool modern)
{
	char words[ANSWER_TEXT_MAX];
	int r;

	record_words(words, sizeof(words), text);
	r = words_clean(s, words, sizeof(words));
	buf_clear(&s->answer);
	if (r == 0)
		r = answers_tool_error(&s->answer, id, words, modern);
	return r ? r : send_answer(s, EVENT_FROM_CLIENT);
}

int handle_forward(struct shim *s, enum event_side from)
{
	int r = buf_putc(&s->doc.out, '\n');

	return r ? r
		 : queue_take(
			   queue_to(s, from == EVENT_FROM_CLIENT ? EVENT_FROM_SERVER : EVENT_FROM_CLIENT), &s->doc.out);
}

/* The id that skim found, in canonical form, in s->edited. An empty slice when there is none that can be used. */
static int rescue_id(struct shim *s, const struct skim *skim, struct slice *ret)
{
	size_t n;
	const char *raw = skim_id(skim, &n);
	struct slice id;
	int r;

	*ret = (struct slice){ NULL, 0 };
	if (!raw)
		return 0;
	buf_clear(&s->edited);
	r = buf_puts(&s->edited, "{\"id\":");
	if (r == 0)
		r = buf_append(&s->edited, raw, n);
	if (r == 0)
		r = buf_putc(&s->edited, '}');
	if (r == 0)
		r = json_parse(&s->doc, s->edited.data, s->edited.len);
	if (r)
		return r < 0 ? r : 0;
	if (s->doc.n_members != 1)
		return 0;
	id = (struct slice){ json_at(&s->doc, s->doc.members[0].value), s->doc.members[0].value.len };
	if (envelope_is_id(id))
		*ret = id;
	return 0;
}

/* What answers a request of the other side was refused: that request gets an error in its place. */
static int refuse_answer(
	struct shim *s, enum event_side side, struct pending_entry *e, const char *reason, uint64_t bytes)
{
	bool from_server = side == EVENT_FROM_SERVER;
	char text[ANSWER_TEXT_MAX];
	int r = record_ending(s, e, side, "refused", bytes);

	if (e->own) {
		/* The client has had its answer, and knows of no other. */
		pending_remove(&s->calls, e);
		return r ? r : waiting_refused(s, reason);
	}
	snprintf(text, sizeof(text), "stockade: %s: the %s's answer was not passed on: %s.", s->config.name,
		from_server ? "server" : "client", reason);
	if (r == 0 && !e->cancelled)
		r = handle_answer_error(s, from_server ? EVENT_FROM_CLIENT : EVENT_FROM_SERVER,
			(struct slice){ e->id, e->id_len }, ANSWER_BAD_RESULT, text);
	pending_remove(from_server ? &s->calls : &s->asks, e);
	return r;
}

/* The client has given the request up and asks another under its id, which is answered: from here on an answer to the
 * first would be a second one, and is dropped. */
static int replace_given_up(struct shim *s, struct pending_entry *e)
{
	if (e->expired)
		return 0;
	e->expired = true;
	return record_ending(s, e, EVENT_FROM_SERVER, "cancelled", 0);
}

/* An answer under an id that is in flight would be taken for the answer to that. */
static int awaits_answer(struct shim *s, struct pending *own, struct slice id, bool *ret)
{
	struct pending_entry *e = pending_find(own, id);

	*ret = e || (own == &s->calls &&
			    (parked_find(&s->parked, id) || confirm_find(&s->confirms, id) || waiting_holds(s, id)));
	if (!e || own != &s->calls || !(e->expired || e->cancelled))
		return 0;
	*ret = false;
	return replace_given_up(s, e);
}

/* id is empty when the message has none that can be used. */
static int refuse(struct shim *s, enum event_side side, struct slice id, bool request, bool answer, const char *reason,
	uint64_t bytes)
{
	struct pending *own = side == EVENT_FROM_CLIENT ? &s->calls : &s->asks;
	struct pending *other = side == EVENT_FROM_CLIENT ? &s->asks : &s->calls;
	struct pending_entry *e = id.n && answer ? pending_find(other, id) : NULL;
	struct pending_entry *ours =
		id.n && answer && side == EVENT_FROM_SERVER ? pending_find(&s->own.table, id) : NULL;
	char text[ANSWER_TEXT_MAX];
	bool waits = false;
	int r = record_refused(s, side, reason, bytes);

	if (r < 0)
		return r;
	if (ours)
		return own_refused(s, ours, reason, bytes);
	if (e && e->expired) {
		/* That call has had its answer. */
		pending_remove(other, e);
		return 0;
	}
	if (e)
		return refuse_answer(s, side, e, reason, bytes);
	if (!request || !id.n)
		return 0;
	r = awaits_answer(s, own, id, &waits);
	if (r || waits)
		return r;
	snprintf(text, sizeof(text), "stockade: %s: the request was refused and not passed on: %s.", s->config.name,
		reason);
	return handle_answer_error(s, side, id, ANSWER_REFUSED, text);
}

int handle_refuse(struct shim *s, enum event_side side, const struct skim *skim, const char *reason, uint64_t bytes)
{
	/* What the client sends under an id and is no answer is a request to some reader ("Method"), and one waits. */
	bool request = skim->methods > 0 || (side == EVENT_FROM_CLIENT && skim->answers == 0);
	struct slice id;
	int r = rescue_id(s, skim, &id);

	return r ? r : refuse(s, side, id, request, skim->answers > 0, reason, bytes);
}

int handle_refuse_parsed(struct shim *s, const struct message *m, const char *reason)
{
	const struct envelope *e = m->envelope;
	bool answer = e->kind == ENVELOPE_RESULT || e->kind == ENVELOPE_ERROR;

	return refuse(s, m->side, e->id, e->kind == ENVELOPE_REQUEST, answer, reason, m->line->n);
}

int handle_unmatched(struct shim *s, const struct message *m)
{
	struct event e = { .type = EVENT_UNMATCHED, .decision = EVENT_DROP, .side = m->side, .bytes = m->line->n };

	record_words(e.reason, sizeof(e.reason), "it answers no request that is in flight");
	return record_send(s, &e);
}

/* How what gives way ended is recorded; of a call whose time was over it has been. */
static int end_given_up(struct shim *s, struct pending *table, struct pending_entry *old)
{
	enum event_side from = table == &s->calls ? EVENT_FROM_SERVER : EVENT_FROM_CLIENT;
	int r = old->expired ? 0 : record_ending(s, old, from, "cancelled", 0);

	pending_remove(table, old);
	return r;
}

int handle_track(struct shim *s, struct pending *table, struct message *m, struct slice tool, const char **ret_refusal)
{
	struct pending_entry *old, *e = NULL;
	int r = pending_add(table, m->envelope->id, m->envelope->method, tool, &e);

	if (r == PENDING_FULL && (old = pending_oldest_given_up(table))) {
		r = end_given_up(s, table, old);
		if (r == 0)
			r = pending_add(table, m->envelope->id, m->envelope->method, tool, &e);
	}
	*ret_refusal = r == PENDING_FULL ? "too many requests are waiting for an answer" : NULL;
	if (r == PENDING_FULL)
		return 0;
	/* An id that is taken was to be refused long before. */
	if (r != 0)
		return r < 0 ? r : -EPROTO;
	e->method = m->method;
	e->modern = m->modern;
	e->since_us = io_now_us();
	e->call_id = handle_call_id(s, m);
	m->asked = e;
	return 0;
}

static const char ONLY_A_PERSON[] =
	"Only a person can change this, in the server's profile; tell the user if it is needed.";

void handle_denial_text(const struct shim *s, const struct decision *d, char *ret, size_t size)
{
	char name[ANSWER_NAME_MAX];

	snprintf(ret, size, "stockade: %s: %s '%s' denied by %s%s%s. It was not passed to the server. %s",
		s->config.name, d->what, answers_name(d->subject, name), d->rule ? d->rule : "the profile",
		d->reason ? ": " : "", d->reason ? d->reason : "", d->advice ? d->advice : ONLY_A_PERSON);
}

/* What a person let through has a record of how it ended. */
static int cancel_parked(struct shim *s, struct parked_entry *parked)
{
	static const struct confirm_refusal no = { .reason = "the client cancelled it while it waited for a list" };
	struct line line = { parked->text, parked->n };
	struct message m = { .line = &line, .call_id = parked->call_id, .modern = parked->modern, .confirmed = true };
	int r = parked->confirmed ? handle_resume(s, &m, &no) : 0;

	parked_remove(&s->parked, parked);
	return r;
}

int handle_cancelled(struct shim *s, enum event_side side, bool *ret_parked)
{
	struct slice id = message_get(&s->doc, "requestId");
	struct pending_entry *e = pending_find(side == EVENT_FROM_CLIENT ? &s->calls : &s->asks, id);
	struct parked_entry *parked = side == EVENT_FROM_CLIENT && id.n ? parked_find(&s->parked, id) : NULL;

	*ret_parked = parked;
	/* The server has not heard of it, and will not. */
	if (parked)
		return cancel_parked(s, parked);
	/* In the modern era a server ends a subscription with it, under the id of the client's request. */
	if (!e && side == EVENT_FROM_SERVER) {
		e = pending_find(&s->calls, id);
		if (e && !(e->method && e->method->gate == GATE_SUBSCRIBE))
			e = NULL;
	}
	if (e)
		e->cancelled = true;
	return 0;
}

static int refuse_line(struct shim *s, enum event_side side, const struct line *line, const char *reason)
{
	struct skim skim;

	skim_init(&skim);
	skim_feed(&skim, line->p, line->n);
	return handle_refuse(s, side, &skim, reason, line->n);
}

static int handle_message(struct shim *s, enum event_side side, const struct line *line)
{
	struct envelope e;
	struct message m = { .side = side, .line = line, .envelope = &e };
	int r = json_parse(&s->doc, line->p, line->n);

	if (r < 0)
		return r;
	if (r > 0)
		return refuse_line(s, side, line, json_error_text(r));
	r = envelope_read(&s->doc, &e);
	if (r > 0)
		return refuse_line(s, side, line, envelope_refusal_text(r));
	return side == EVENT_FROM_CLIENT ? handle_from_client(s, &m) : handle_from_server(s, &m);
}

int handle_line(struct shim *s, enum event_side side, int found, struct line line)
{
	struct lines *l = side == EVENT_FROM_CLIENT ? &s->from_client : &s->from_server;
	char reason[128];

	switch (found) {
	case LINES_MESSAGE:
		return handle_message(s, side, &line);
	case LINES_TOO_LONG:
		snprintf(reason, sizeof(reason), "it is longer than %zu bytes", l->max);
		return handle_refuse(s, side, &l->skim, reason, line.n);
	default:
		return refuse_line(s, side, &line, "it ends without a line feed");
	}
}

int handle_abandon(struct shim *s, const char *text, const char *status)
{
	int r = confirm_deny_all(s, "the session ends while it waits for a person");

	while (r == 0 && s->calls.n > 0) {
		struct pending_entry *e = &s->calls.entries[0];
		struct slice id = { e->id, e->id_len };
		if (!e->expired)
			r = record_ending(s, e, EVENT_FROM_SERVER, e->cancelled ? "cancelled" : status, 0);
		if (r == 0 && !e->cancelled && !e->expired && !e->own)
			r = handle_answer_error(s, EVENT_FROM_CLIENT, id, ANSWER_GONE, text);
		pending_remove(&s->calls, e);
	}
	if (r == 0)
		r = waiting_abandon(s, text);
	return r ? r : pins_abandon(s, text);
}
