/* SPDX-License-Identifier: Apache-2.0 */
/* limits - see limits.h */
#include "shim/limits.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/io.h"
#include "shim/answers.h"
#include "shim/record.h"
#include "shim/task_tools.h"

enum { BUSY_RETRY_S = 1 };

static int deny(struct shim *s, struct decision *d, const char *rule, const char *reason, uint32_t retry_s)
{
	d->verdict = POLICY_DENY;
	d->rule = rule;
	d->reason = reason;
	if (retry_s) {
		snprintf(s->advice, sizeof(s->advice), "Retry after %" PRIu32 " s.", retry_s);
		d->advice = s->advice;
		d->code = ANSWER_BUSY;
	}
	return 0;
}

/* The row of the tool, by its canonical name. 0, -errno, RATES_CROWDED. */
static int find_row(struct shim *s, struct slice tool, struct rates_tool **ret)
{
	struct slice text;
	int r = policy_unescape(tool, &s->subject, &text);

	if (r == -E2BIG)
		return RATES_CROWDED;
	return r < 0 ? r : rates_find(&s->rates, &s->config.meters, tool, text, s->now_us, ret);
}

/* Those that the client has given up do not count: a server need not answer them, and they would never end. */
static size_t in_flight(const struct shim *s)
{
	size_t n = s->confirms.n;

	for (size_t i = 0; i < s->calls.n; i++) {
		const struct pending_entry *e = &s->calls.entries[i];
		n += e->tool && !e->cancelled && !e->expired;
	}
	return n;
}

/* What becomes a task is answered elsewhere, and there no tool is known. */
static bool escapes(const struct shim *s, const struct meters_tool *limits)
{
	return message_get(&s->doc, "task").n > 0 && (limits->time.value || limits->output.value);
}

int limits_guard(struct shim *s, struct message *m)
{
	struct decision *d = &m->d;
	const struct meters *meters = &s->config.meters;
	struct rates_tool *t = NULL;
	uint32_t retry_s = 0;
	int r;

	if (m->confirmed)
		return 0;
	r = find_row(s, d->subject, &t);
	if (r == RATES_CROWDED)
		return deny(s, d, meters->each.where,
			"there is no counting its calls: its name is too long, or too many others were called", 0);
	if (r < 0)
		return r;
	if (escapes(s, &t->limits))
		return deny(s, d, t->limits.time.value ? t->limits.time.where : t->limits.output.where,
			"what becomes a task would not be held to it", 0);
	if (meters->in_flight.value && in_flight(s) >= meters->in_flight.value)
		return deny(s, d, meters->in_flight.where, "as many calls as may be at once have no answer yet",
			BUSY_RETRY_S);
	r = rates_take(&s->rates, meters, t, s->now_us, &retry_s);
	if (r == RATES_TOOL)
		return deny(s, d, t->limits.rate.where, "it has been called as often as it may be", retry_s);
	if (r == RATES_TOTAL)
		return deny(s, d, meters->total.where, "this server's tools have been called as often as they may be",
			retry_s);
	return r;
}

int limits_begin(struct shim *s, struct pending_entry *e, struct slice tool)
{
	struct meters_tool limits;
	struct slice text;
	int r = policy_unescape(tool, &s->subject, &text);

	if (r < 0)
		return r;
	limits = meters_of(&s->config.meters, text.p ? text.p : "", text.n);
	e->time = limits.time;
	e->output = limits.output;
	if (e->time.value) {
		e->due_us = s->now_us + e->time.value * US_PER_S;
		shim_wake_at(s, e->due_us);
	}
	return 0;
}

/* The client's id is the server's: the shim changes none. */
static int tell_server(struct shim *s, const struct pending_entry *e)
{
	int r;

	buf_clear(&s->answer);
	r = answers_begin_notification(&s->answer, "notifications/cancelled");
	if (r == 0)
		r = buf_printf(&s->answer, "\"requestId\":%.*s,\"reason\":\"it took longer than %" PRIu64 " s\"",
			(int)e->id_len, e->id, e->time.value);
	if (r == 0)
		r = answers_end(&s->answer);
	return r ? r : queue_put(&s->to_server, s->answer.data, s->answer.len);
}

static int answer_tool(struct shim *s, const struct pending_entry *e, const char *text)
{
	return handle_answer_tool_error(s, (struct slice){ e->id, e->id_len }, text, e->modern);
}

static struct slice tool_of(const struct pending_entry *e)
{
	return (struct slice){ e->tool, e->tool ? strlen(e->tool) : 0 };
}

static int expire(struct shim *s, struct pending_entry *e)
{
	char text[ANSWER_TEXT_MAX], name[ANSWER_NAME_MAX];
	int r = record_ending_by(s, e, EVENT_FROM_SERVER, "time limit", e->time.where, 0);

	snprintf(text, sizeof(text),
		"stockade: %s: tool '%s' gave no answer within %" PRIu64 " s, which is all that %s allows. The server "
		"was told to stop; what it did until then is not undone.",
		s->config.name, answers_name(tool_of(e), name), e->time.value, e->time.where);
	if (r == 0)
		r = answer_tool(s, e, text);
	if (r == 0)
		r = tell_server(s, e);
	e->expired = true;
	return r;
}

int limits_expire(struct shim *s)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->calls.n; i++) {
		struct pending_entry *e = &s->calls.entries[i];
		if (!e->due_us)
			continue;
		if (e->due_us > s->now_us) {
			shim_wake_at(s, e->due_us);
			continue;
		}
		e->due_us = 0;
		/* The client gave it up itself, and the server knows. */
		if (!e->cancelled)
			r = expire(s, e);
	}
	return r;
}

int limits_output(struct shim *s, struct message *m)
{
	struct pending_entry *e = m->asked;
	char text[ANSWER_TEXT_MAX], name[ANSWER_NAME_MAX];
	int r;

	if (!e->output.value || m->line->n <= e->output.value)
		return 0;
	r = record_ending_by(s, e, EVENT_FROM_SERVER, "too large", e->output.where, m->line->n);
	snprintf(text, sizeof(text),
		"stockade: %s: the answer of tool '%s' has %zu bytes, and %s allows %" PRIu64
		": it was not passed on. The call itself was carried out. Ask for less at a time.",
		s->config.name, answers_name(tool_of(e), name), m->line->n, e->output.where, e->output.value);
	if (r == 0 && !e->cancelled)
		r = answer_tool(s, e, text);
	pending_remove(&s->calls, e);
	return stages_over(r);
}

int limits_no_task(struct shim *s, struct message *m)
{
	if (!(m->asked->time.value || m->asked->output.value) || !task_tools_begins(&s->doc))
		return 0;
	return stages_refuse(
		m, "it makes a call into a task, which would not be held to the profile's limits on the tool");
}

static int drop_late(struct shim *s, const struct message *m, struct pending_entry *e)
{
	struct event ev = { .type = EVENT_UNMATCHED,
		.decision = EVENT_DROP,
		.side = m->side,
		.call_id = e->call_id,
		.bytes = m->line->n };

	record_text(ev.tool, sizeof(ev.tool), tool_of(e));
	record_words(ev.reason, sizeof(ev.reason),
		e->cancelled ? "the call was given up, and its id was used again"
		: e->killed  ? "it came after the call was ended by the kill switch"
			     : "it came after the call's time was over");
	pending_remove(&s->calls, e);
	return stages_over(record_send(s, &ev));
}

int limits_late(struct shim *s, struct message *m)
{
	return m->asked->expired ? drop_late(s, m, m->asked) : 0;
}
