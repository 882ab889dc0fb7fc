/* SPDX-License-Identifier: Apache-2.0 */
/* stages - see stages.h */
#include "shim/stages.h"
#include <errno.h>
#include <string.h>
#include "shim/clarity.h"
#include "shim/envelope.h"
#include "shim/policy.h"

/* What the table of methods does not have is answered with anything: RESULT_PLAIN. */
static unsigned kind_of(const struct stages *t, const struct message *m)
{
	if (!m->method)
		return t->by_result ? STAGE_OF(RESULT_PLAIN) : 0;
	return t->by_result ? STAGE_OF(m->method->result) : STAGE_OF(m->method->gate);
}

static bool concerns(const struct stages *t, const struct stage *row, const struct message *m)
{
	if ((row->when & STAGE_RESULTS) && m->envelope->kind != ENVELOPE_RESULT)
		return false;
	if ((row->when & STAGE_FRESH) && m->resumed)
		return false;
	return row->kinds == STAGE_ANY || (row->kinds & kind_of(t, m));
}

/* Whoever waits for it is told. */
static int turn_down(struct shim *s, struct message *m, const struct stages *t)
{
	switch (m->d.verdict) {
	case POLICY_MALFORMED:
		return stages_over(handle_refuse_parsed(s, m, m->d.reason));
	case POLICY_PARKED:
		return STAGE_OVER;
	default:
		return t->deny ? stages_over(t->deny(s, m)) : -EPROTO;
	}
}

/* The edited message was made of one that was read: when it cannot be, what was put into it is the cause. */
static const char *unreadable(int r)
{
	return r == JSON_TOO_LONG ? "with what stockade has to put into it, it is too long" : json_error_text(r);
}

static int put_in_place(struct shim *s, struct message *m)
{
	char room[ENVELOPE_ID_MAX];
	size_t n = m->envelope->id.n;
	int r;

	m->edited = false;
	if (n)
		memcpy(room, m->envelope->id.p, n);
	r = json_parse(&s->doc, s->edited.data, s->edited.len);
	/* It is of the same sort: anything else is a mistake of ours, and nothing may be forwarded. */
	if (r == 0)
		return envelope_read(&s->doc, m->envelope) == 0 ? 0 : -EPROTO;
	if (r < 0)
		return r;
	m->envelope->id = (struct slice){ room, n };
	return stages_over(handle_refuse_parsed(s, m, unreadable(r)));
}

/* One row is asked, and what it decides is done. */
static int ask(struct shim *s, struct message *m, const struct stages *t, const struct stage *row)
{
	int r = row->ask(s, m);

	if (r == 0 && m->d.verdict != POLICY_ALLOW)
		return turn_down(s, m, t);
	return r == 0 && m->edited ? put_in_place(s, m) : r;
}

int stages_run(struct shim *s, struct message *m, const struct stages *t)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < t->n; i++)
		if (concerns(t, &t->v[i], m))
			r = ask(s, m, t, &t->v[i]);
	/* What it answered may be in flight no longer. */
	m->asked = NULL;
	if (r > 0)
		return r == STAGE_OVER ? 0 : -EPROTO;
	return r;
}

int stages_clear(struct shim *s, struct message *m)
{
	const char *unclear = clarity_of_params(s, m->envelope, (struct slice){ NULL, 0 });

	return unclear ? stages_refuse(m, unclear) : 0;
}

int stages_by_rules(struct shim *s, struct message *m)
{
	return policy_decide(&s->config, m->method, &s->doc, m->envelope, &s->subject, &m->d);
}

int stages_clean(struct shim *s, struct message *m)
{
	int r = text_out_pass(s, m->side, m->envelope);

	if (r == TEXT_OUT_UNFIT)
		return stages_refuse(m, s->text.unfit);
	/* A peer decides how often something has to go: that ends its message, not the session. */
	if (r == -E2BIG)
		return stages_refuse(m, "with marks for what has to go, it is too long");
	if (r != TEXT_OUT_CHANGED)
		return r;
	m->edited = true;
	return text_out_record(s, m->side, m->envelope->kind == ENVELOPE_REQUEST ? handle_call_id(s, m) : m->call_id);
}
