/* SPDX-License-Identifier: Apache-2.0 */
/* confirm - see confirm.h */
#include "shim/confirm.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/io.h"
#include "shim/answers.h"
#include "shim/envelope.h"
#include "shim/handle.h"
#include "shim/kills.h"
#include "shim/policy.h"
#include "shim/shim.h"
#include "wire/stream.h"

enum { PROGRESS_S = 5 };

static void call_done(struct confirm_call *c)
{
	free(c->id);
	free(c->bytes);
	free(c->token);
	*c = (struct confirm_call){ 0 };
}

void confirms_done(struct confirms *c)
{
	for (size_t i = 0; i < c->n; i++)
		call_done(&c->v[i]);
	c->n = 0;
}

struct confirm_call *confirm_find(struct confirms *c, struct slice id)
{
	for (size_t i = 0; i < c->n; i++)
		if (slice_equal((struct slice){ c->v[i].id, c->v[i].id_len }, id))
			return &c->v[i];
	return NULL;
}

/* Out of the table; the caller's now. */
static struct confirm_call take_out(struct confirms *c, struct confirm_call *at)
{
	struct confirm_call taken = *at;

	/* In their order, so that who waits longest is asked about first. */
	memmove(at, at + 1, (size_t)(&c->v[--c->n] - at) * sizeof(*at));
	c->v[c->n] = (struct confirm_call){ 0 };
	return taken;
}

static int deny(struct decision *d, const char *rule, const char *reason)
{
	d->verdict = POLICY_DENY;
	d->rule = rule;
	d->reason = reason;
	return 0;
}

/* The longest that a place can stay taken; a person may be quicker. */
static void say_when_to_retry(struct shim *s, struct decision *d)
{
	uint64_t due_us = s->confirms.v[0].due_us;
	uint64_t left_us = due_us > s->now_us ? due_us - s->now_us : 0;

	snprintf(s->advice, sizeof(s->advice), "Retry after %" PRIu64 " s.", left_us / US_PER_S + 1);
	d->advice = s->advice;
	d->code = ANSWER_BUSY;
}

/* A string, or a number as it is spelt; anything else names nothing. */
static char *copy_token(const struct shim *s)
{
	struct slice t = walk_get(message_get(&s->doc, "_meta"), "progressToken");
	bool plain = t.n > 0 && t.n <= ENVELOPE_ID_MAX &&
		     (t.p[0] == '"' || t.p[0] == '-' || (t.p[0] >= '0' && t.p[0] <= '9'));

	return plain ? strndup(t.p, t.n) : NULL;
}

/* In thousandths, so that the server's own count for the same token goes on above it. */
static int send_progress(struct shim *s, struct confirm_call *c)
{
	int r;

	c->tick_us = s->now_us + (uint64_t)PROGRESS_S * US_PER_S;
	if (!c->token)
		return 0;
	buf_clear(&s->answer);
	r = answers_begin_notification(&s->answer, "notifications/progress");
	if (r == 0)
		r = buf_printf(&s->answer,
			"\"progressToken\":%s,\"progress\":0.%03u,"
			"\"message\":\"stockade waits until a person has looked at this call\"",
			c->token, ++c->ticks);
	if (r == 0)
		r = answers_end(&s->answer);
	return r ? r : queue_put(&s->to_client, s->answer.data, s->answer.len);
}

static int park(struct shim *s, const struct message *m, const char *rule)
{
	struct confirm_call c = { .id_len = m->envelope->id.n,
		.len = s->doc.out.len,
		.rule = rule,
		.call_id = m->call_id,
		.modern = m->modern,
		.due_us = s->now_us + (uint64_t)CONFIRM_WAIT_S * US_PER_S };

	c.id = strndup(m->envelope->id.p, m->envelope->id.n);
	c.bytes = strndup(s->doc.out.data, s->doc.out.len);
	c.token = copy_token(s);
	if (!c.id || !c.bytes) {
		call_done(&c);
		return -ENOMEM;
	}
	s->confirms.v[s->confirms.n++] = c;
	shim_wake_at(s, s->now_us + (uint64_t)PROGRESS_S * US_PER_S);
	return send_progress(s, &s->confirms.v[s->confirms.n - 1]);
}

/* Members of params that a person need not judge: the tool is shown, _meta is about the message, task about how its
 * result comes. */
static bool is_of_the_message(struct slice key)
{
	return slice_is(key, "name") || slice_is(key, "arguments") || slice_is(key, "_meta") || slice_is(key, "task");
}

/* What else goes along, such as the answers that a call brings that was asked for input: "[arguments,{others}]", which
 * no arguments look like, since they are an object. */
static int put_with_others(struct buf *b, struct slice params, struct slice args)
{
	struct walk w = walk_object(params);
	struct slice key, value;
	size_t empty;
	int r;

	buf_clear(b);
	r = buf_putc(b, '[');
	if (r == 0)
		r = args.n ? buf_append(b, args.p, args.n) : buf_puts(b, "null");
	if (r == 0)
		r = buf_puts(b, ",{");
	empty = b->len;
	while (r == 0 && walk_member(&w, &key, &value)) {
		if (is_of_the_message(key))
			continue;
		r = b->len > empty ? buf_putc(b, ',') : 0;
		if (r == 0)
			r = buf_append(b, key.p - 1, (size_t)(value.p + value.n - key.p) + 1);
	}
	if (r == 0 && b->len == empty)
		buf_clear(b);
	else if (r == 0)
		r = buf_puts(b, "}]");
	return r;
}

/* What a person is shown, and what the answer is for. */
static int shown_arguments(struct shim *s, const struct message *m, struct slice *ret)
{
	struct slice args = message_get(&s->doc, "arguments");
	int r;

	*ret = args;
	/* It will be denied. */
	if (s->doc.out.len > CONFIRM_MESSAGE_MAX)
		return 0;
	r = put_with_others(&s->edited, m->envelope->params, args);
	*ret = s->edited.len > 0 ? (struct slice){ s->edited.data, s->edited.len } : args;
	return r;
}

/* Why a person cannot be shown this call whole, or NULL; else its name in ret. */
static const char *fill_ask(struct shim *s, struct slice tool, struct slice args, struct confirm *ret)
{
	struct secrets_hit hit;
	struct slice text;

	if (s->confirms.n >= CONFIRM_WAITING_MAX)
		return "so many others wait for a person's answer already";
	if (args.n > CONFIRM_ARGS_MAX || s->doc.out.len > CONFIRM_MESSAGE_MAX)
		return "its arguments are too large to be shown to a person whole";
	if (policy_unescape(tool, &s->subject, &text) < 0 || text.n >= sizeof(ret->tool))
		return "its name is too long to be shown to a person whole";
	/* What a person is shown and answers is recorded by others. */
	if (secrets_find(&s->text.secrets, true, text.p, text.n, 0, &hit) != 0)
		return "its name holds the value of a secret";
	if (text.n)
		memcpy(ret->tool, text.p, text.n);
	ret->args = args.p;
	ret->args_len = (uint32_t)args.n;
	return NULL;
}

int confirm_guard(struct shim *s, struct message *m)
{
	struct decision *d = &m->d;
	struct confirm ask = { .type = CONFIRM_ASK };
	struct meters_tool limits;
	const char *refusal;
	struct slice text, args;
	int r;

	if (m->confirmed)
		return 0;
	r = policy_unescape(d->subject, &s->subject, &text);
	if (r < 0)
		return r == -E2BIG ? 0 : r;
	limits = meters_of(&s->config.meters, text.p ? text.p : "", text.n);
	if (!limits.confirm.value)
		return 0;
	r = shown_arguments(s, m, &args);
	if (r < 0)
		return r;
	refusal = fill_ask(s, d->subject, args, &ask);
	if (refusal && s->confirms.n >= CONFIRM_WAITING_MAX)
		say_when_to_retry(s, d);
	if (refusal)
		return deny(d, limits.confirm.where, refusal);
	ask.call_id = handle_call_id(s, m);
	snprintf(ask.rule, sizeof(ask.rule), "%s", limits.confirm.where);
	r = stream_send_confirm(s->records, &ask);
	if (r == 0)
		r = park(s, m, limits.confirm.where);
	d->verdict = POLICY_PARKED;
	return r;
}

static int withdraw(struct shim *s, const struct confirm_call *c, const char *status)
{
	struct confirm w = { .type = CONFIRM_WITHDRAW, .call_id = c->call_id };

	snprintf(w.status, sizeof(w.status), "%s", status);
	return stream_send_confirm(s->records, &w);
}

/* The call once more, as it came. refusal NULL: yes. It is the caller's no longer. */
static int resume(struct shim *s, struct confirm_call *c, const char *refusal, bool answered)
{
	const struct confirm_refusal no = { c->rule, refusal, answered };
	const struct line line = { c->bytes, c->len };
	struct message m = { .line = &line, .call_id = c->call_id, .modern = c->modern, .confirmed = true };
	int r = handle_resume(s, &m, refusal ? &no : NULL);

	call_done(c);
	return r;
}

int confirm_answer(struct shim *s, const struct control *control)
{
	for (size_t i = 0; i < s->confirms.n; i++) {
		if (s->confirms.v[i].call_id != control->call_id)
			continue;
		struct confirm_call c = take_out(&s->confirms, &s->confirms.v[i]);
		return resume(s, &c, control->type == CONTROL_CONFIRMED ? NULL : control->text, true);
	}
	return 0;
}

int confirm_cancel(struct shim *s, struct slice id, bool *ret)
{
	struct confirm_call *at = confirm_find(&s->confirms, id), c;
	int r;

	*ret = at != NULL;
	if (!at)
		return 0;
	c = take_out(&s->confirms, at);
	r = withdraw(s, &c, "cancelled");
	if (r < 0) {
		call_done(&c);
		return r;
	}
	return resume(s, &c, "the client cancelled it while it waited for a person", false);
}

static int end_call(struct shim *s, struct confirm_call *at, const char *status, const char *reason)
{
	struct confirm_call c = take_out(&s->confirms, at);
	int r = withdraw(s, &c, status);

	if (r < 0) {
		call_done(&c);
		return r;
	}
	return resume(s, &c, reason, true);
}

int confirm_tick(struct shim *s)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->confirms.n;) {
		struct confirm_call *c = &s->confirms.v[i];
		if (c->due_us <= s->now_us) {
			r = end_call(
				s, c, "nobody answered in time", "it waited for a person, and nobody answered in time");
			continue;
		}
		if (c->tick_us <= s->now_us)
			r = send_progress(s, c);
		shim_wake_at(s, c->tick_us < c->due_us ? c->tick_us : c->due_us);
		i++;
	}
	return r;
}

/* The name of the tool that it calls, in s->doc. */
static int tool_called(struct shim *s, const struct confirm_call *c, struct slice *ret)
{
	int r = json_parse(&s->doc, c->bytes, c->len);

	*ret = r == 0 ? walk_string(message_get(&s->doc, "name")) : (struct slice){ NULL, 0 };
	return r > 0 ? -EPROTO : r;
}

int confirm_deny_killed(struct shim *s)
{
	const char *words;
	struct slice tool;
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->confirms.n;) {
		r = tool_called(s, &s->confirms.v[i], &tool);
		if (r == 0)
			r = kills_find(s, tool, &words);
		if (r < 0 || !words) {
			i++;
			continue;
		}
		s->confirms.v[i].rule = KILLS_RULE;
		r = end_call(s, &s->confirms.v[i], "killed", words);
	}
	return r;
}

int confirm_deny_all(struct shim *s, const char *reason)
{
	int r = 0;

	while (r == 0 && s->confirms.n > 0)
		r = end_call(s, &s->confirms.v[0], "the session ends", reason);
	return r;
}
