/* SPDX-License-Identifier: Apache-2.0 */
/* from_client - decides about what the client sends (handle.h) */
#include "shim/handle.h"
#include "shim/clarity.h"
#include "shim/envelope.h"
#include "shim/lists.h"
#include "shim/notifications.h"
#include "shim/record.h"
#include "shim/requests.h"
#include "shim/stages.h"

static int is_clear(struct shim *s, struct message *m)
{
	const char *unclear = clarity_of_result(s, m->envelope, (struct slice){ NULL, 0 }, false);

	return unclear ? stages_refuse(m, unclear) : 0;
}

static int edit_roots(struct shim *s, struct message *m)
{
	uint64_t hidden;
	int r = lists_filter_roots(s, message_get(&s->doc, "roots"), &s->edited, &hidden);

	m->edited = r == 0 && hidden;
	return m->edited ? handle_record_hidden_roots(s, m, hidden) : r;
}

static int pass(struct shim *s, struct message *m)
{
	bool error = m->envelope->kind == ENVELOPE_ERROR;
	int r = record_ending(s, m->asked, m->side, error ? "error" : "ok", m->line->n);

	pending_remove(&s->asks, m->asked);
	return r ? r : handle_forward(s, m->side);
}

static const struct stage of_answers[] = {
	{ 0, STAGE_ANY, is_clear },
	{ 0, STAGE_ANY, stages_clean },
	{ 0, STAGE_OF(RESULT_ROOTS), edit_roots },
	{ 0, STAGE_ANY, pass },
};

static int on_response(struct shim *s, struct message *m)
{
	static const struct stages answers = { of_answers, ARRAY_LEN(of_answers), true, NULL };

	m->asked = pending_find(&s->asks, m->envelope->id);
	if (!m->asked)
		return handle_unmatched(s, m);
	m->method = m->asked->method;
	m->call_id = m->asked->call_id;
	return stages_run(s, m, &answers);
}

int handle_from_client(struct shim *s, struct message *m)
{
	/* The launch was refused. */
	if (s->refusal[0] && m->envelope->kind != ENVELOPE_REQUEST)
		return handle_drop_notification(s, m, "the launch was not approved");
	switch (m->envelope->kind) {
	case ENVELOPE_REQUEST:
		return requests_from_client(s, m);
	case ENVELOPE_NOTIFICATION:
		return notifications_from_client(s, m);
	default:
		return on_response(s, m);
	}
}
