/* SPDX-License-Identifier: Apache-2.0 */
/* waiting_server - the handshake with the server, once a person has approved; see waiting.h */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "shim/answers.h"
#include "shim/bridge.h"
#include "shim/envelope.h"
#include "shim/handle.h"
#include "shim/policy.h"
#include "shim/protocol.h"
#include "shim/record.h"
#include "shim/waiting_parts.h"

int waiting_say(struct shim *s, const char *line, size_t n)
{
	int r;

	/* What we write ends in a line feed, and no line that is read has one. */
	n -= n > 0 && line[n - 1] == '\n';
	s->waiting.replays = true;
	r = handle_line(s, EVENT_FROM_CLIENT, LINES_MESSAGE, (struct line){ line, n });
	s->waiting.replays = false;
	return r;
}

static int fail(struct shim *s, const char *why)
{
	struct waiting *w = &s->waiting;

	w->state = WAITING_FAILED;
	snprintf(w->words, sizeof(w->words),
		"stockade: %s: the server was approved and started, but %s. Its client has to start it again.",
		s->config.name, why);
	return record_refused(s, EVENT_FROM_SERVER, why, 0);
}

int waiting_greet(struct shim *s, const char *line, size_t n)
{
	size_t before = s->calls.n;
	int r;

	s->waiting.until_us =
		s->now_us +
		(s->waiting.modern && !s->waiting.bridges ? WAITING_DISCOVER_MS : WAITING_HANDSHAKE_MS) * 1000ULL;
	r = waiting_say(s, line, n);
	if (r < 0)
		return r;
	if (s->calls.n != before + 1)
		return fail(s, "it took no message");
	s->calls.entries[before].own = true;
	return 0;
}

bool waiting_is_late(const struct shim *s)
{
	return s->waiting.state == WAITING_HANDSHAKE && s->now_us > s->waiting.until_us;
}

int waiting_give_up(struct shim *s)
{
	struct pending_entry *e =
		s->waiting.modern && !s->waiting.bridges ? pending_find(&s->calls, SLICE(WAITING_OWN_ID)) : NULL;
	int r;

	if (!e)
		return fail(s, "it did not answer the handshake in time");
	r = record_ending(s, e, EVENT_FROM_SERVER, "no answer", 0);
	/* It may come yet. */
	e->expired = true;
	return r ? r : bridge_begin(s);
}

int waiting_release(struct shim *s)
{
	struct waiting *w = &s->waiting;
	int r;

	if (w->hello.len == 0) {
		w->state = WAITING_OFF;
		return 0;
	}
	w->state = WAITING_HANDSHAKE;
	r = waiting_greet(s, w->hello.data, w->hello.len);
	buf_done(&w->hello);
	return r;
}

static int say_notification(struct shim *s, const char *method)
{
	_cleanup_buf_ struct buf line = BUF_INIT(SHIM_ANSWER_MAX);
	int r = answers_notification(&line, method);

	return r ? r : waiting_say(s, line.data, line.len);
}

/* The server has the handshake: the rest follows, and the client may look again. */
static int finish(struct shim *s, bool logs)
{
	struct waiting *w = &s->waiting;
	int r = 0;

	w->state = WAITING_OFF;
	w->owes_changes = !w->modern;
	/* Its way tells the changes too (waiting_initialized). */
	if (w->initialized || w->bridges)
		r = say_notification(s, "notifications/initialized");
	if (r == 0 && w->roots_changed)
		r = say_notification(s, "notifications/roots/list_changed");
	if (r == 0 && !w->bridges)
		return waiting_say_kept(s, logs);
	/* Its subscriptions stay here. */
	snprintf(w->words, sizeof(w->words), "stockade: %s: no more subscriptions are kept; end one of them first.",
		s->config.name);
	for (size_t i = 0; r == 0 && i < w->n_kept; i++)
		r = waiting_tell_changes(s, w->kept[i].changes, w->kept[i].id);
	return r;
}

static bool knows_modern(const struct json_doc *d)
{
	struct walk all = walk_array(message_get(d, "supportedVersions"));
	struct slice each;

	while (walk_element(&all, &each))
		if (slice_is(walk_string(each), VERSION_MODERN))
			return true;
	return false;
}

/* Each version with a handshake adds to those before it and takes nothing away that passes here, so a client takes what
 * a server of an earlier one says for its own. A server of a later one says what the client never learnt to read, and
 * would have been told so by it. */
static const char *unfit(const struct waiting *w, const struct json_doc *d)
{
	size_t version = waiting_version(walk_string(message_get(d, "protocolVersion")));

	if (w->modern && !w->bridges)
		return knows_modern(d) ? NULL : "it does not speak the protocol version that the client was told";
	if (!waiting_version_name(version))
		return "it answered the handshake in a protocol version that stockade does not know";
	if (!w->bridges && version < waiting_version((struct slice){ w->version, strlen(w->version) }))
		return "it answered the handshake in a later protocol version than its client was told";
	return NULL;
}

int waiting_answer(struct shim *s, struct message *m, struct pending_entry *e)
{
	struct waiting *w = &s->waiting;
	struct slice offers = message_get(&s->doc, "capabilities");
	bool hello = w->state == WAITING_HANDSHAKE, result = m->envelope->kind == ENVELOPE_RESULT;
	const char *why = result ? unfit(w, &s->doc) : "it refused the handshake";
	bool other_way = why && w->modern && !w->bridges;
	int r = hello && result && !other_way ? handle_record_server(s) : 0;

	if (r == 0)
		r = record_ending(s, e, m->side, result ? "ok" : "error", m->line->n);
	pending_remove(&s->calls, e);
	if (r || !hello)
		return r;
	if (other_way)
		return bridge_begin(s);
	if (why)
		return fail(s, why);
	w->lacks |= waiting_lacking(offers);
	return finish(s, walk_is_object(walk_get(offers, "logging")));
}

int waiting_refused(struct shim *s, const char *reason)
{
	struct waiting *w = &s->waiting;
	char why[CONTROL_TEXT_MAX / 2];

	if (w->state != WAITING_HANDSHAKE)
		return 0;
	if (w->modern && !w->bridges)
		return bridge_begin(s);
	snprintf(why, sizeof(why), "its answer to the handshake was refused: %s", reason);
	return fail(s, why);
}
