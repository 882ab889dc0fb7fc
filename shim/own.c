/* SPDX-License-Identifier: Apache-2.0 */
/* own - see own.h */
#include "shim/own.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/io.h"
#include "shim/answers.h"
#include "shim/blake2s.h"
#include "shim/clarity.h"
#include "shim/handle.h"
#include "shim/listing.h"
#include "shim/pins.h"
#include "shim/policy.h"
#include "shim/record.h"

void own_init(struct own *o, uint64_t secret)
{
	static const char what[] = "own requests";
	uint8_t tag[BLAKE2S_BYTES];
	uint64_t digits;

	/* Derived, since the server sees it and must not learn the secret of our hash tables. */
	blake2s(&secret, sizeof(secret), what, sizeof(what), tag);
	memcpy(&digits, tag, sizeof(digits));
	snprintf(o->prefix, sizeof(o->prefix), "stockade-%016" PRIx64 "-", digits);
}

void own_done(struct own *o)
{
	pending_done(&o->table);
}

static int put_member(struct buf *b, const char *name, struct slice value, bool *first)
{
	int r = value.n && !*first ? buf_putc(b, ',') : 0;

	if (r || !value.n)
		return r;
	*first = false;
	r = buf_printf(b, "\"%s\":", name);
	return r ? r : buf_append(b, value.p, value.n);
}

static int put_question(struct buf *b, const char *id, const struct own_question *q)
{
	bool first = q->params.n == 0;
	int r;

	buf_clear(b);
	r = answers_begin_request(b, (struct slice){ id, strlen(id) }, q->method);
	if (r == 0 && q->params.n)
		r = buf_append(b, q->params.p, q->params.n);
	if (r == 0)
		r = put_member(b, "cursor", q->cursor, &first);
	if (r == 0)
		r = put_member(b, "_meta", q->meta, &first);
	return r ? r : answers_end(b);
}

static int record_question(struct shim *s, const struct own_question *q, const struct pending_entry *e)
{
	struct event ev = { .type = EVENT_REQUEST, .decision = EVENT_ALLOW, .call_id = e->call_id };

	snprintf(ev.method, sizeof(ev.method), "%s", q->method);
	snprintf(ev.reason, sizeof(ev.reason), "asked by stockade itself");
	return record_send(s, &ev);
}

int own_ask(struct shim *s, const struct own_question *q)
{
	struct slice method = { q->method, strlen(q->method) };
	char id[OWN_PREFIX_SIZE + 32];
	struct pending_entry *e;
	int r;

	snprintf(id, sizeof(id), "\"%s%" PRIu64 "\"", s->own.prefix, ++s->own.asked);
	r = pending_add(&s->own.table, (struct slice){ id, strlen(id) }, method, (struct slice){ NULL, 0 }, &e);
	if (r)
		return r < 0 ? r : -EBUSY;
	e->method = methods_find(EVENT_FROM_CLIENT, true, method);
	e->since_us = io_now_us();
	e->call_id = ++s->call_ids;
	r = record_question(s, q, e);
	if (r == 0)
		r = put_question(&s->edited, id, q);
	return r ? r : queue_put(&s->to_server, s->edited.data, s->edited.len);
}

int own_notify(struct shim *s, const char *method)
{
	int r;

	buf_clear(&s->answer);
	r = answers_notification(&s->answer, method);
	return r ? r : queue_put(&s->to_server, s->answer.data, s->answer.len);
}

/* failure: why the answer is none, and m may be NULL; or NULL: the answer is in s->doc. */
static int deliver(struct shim *s, const struct message *m, const struct method *method, const char *failure)
{
	return s->config.listing ? listing_answered(s, m, method, failure) : pins_answered(s, m, method, failure);
}

int own_answered(struct shim *s, const struct message *m, struct pending_entry *e)
{
	const struct method *method = e->method;
	const char *unclear =
		clarity_of_result(s, m->envelope, (struct slice){ NULL, 0 }, method->result == RESULT_TOOLS);
	int r = record_ending(s, e, EVENT_FROM_SERVER,
		unclear				      ? "refused"
		: m->envelope->kind == ENVELOPE_ERROR ? "error"
						      : "ok",
		m->line->n);

	pending_remove(&s->own.table, e);
	if (r == 0 && unclear)
		r = record_refused(s, EVENT_FROM_SERVER, unclear, m->line->n);
	return r ? r : deliver(s, m, method, unclear);
}

int own_refused(struct shim *s, struct pending_entry *e, const char *reason, uint64_t bytes)
{
	const struct method *method = e->method;
	int r = record_ending(s, e, EVENT_FROM_SERVER, "refused", bytes);

	pending_remove(&s->own.table, e);
	return r ? r : deliver(s, NULL, method, reason);
}

int own_tick(struct shim *s, uint64_t now_us)
{
	for (size_t i = 0; i < s->own.table.n; i++) {
		struct pending_entry *e = &s->own.table.entries[i];
		const struct method *method = e->method;
		int r;
		if (now_us < e->since_us + OWN_TIMEOUT_US)
			continue;
		r = record_ending(s, e, EVENT_FROM_SERVER, "no answer", 0);
		pending_remove(&s->own.table, e);
		return r ? r : deliver(s, NULL, method, "the server did not answer in time");
	}
	return 0;
}
