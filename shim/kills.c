/* SPDX-License-Identifier: Apache-2.0 */
/* kills - see kills.h */
#include "shim/kills.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/glob.h"
#include "shim/answers.h"
#include "shim/envelope.h"
#include "shim/handle.h"
#include "shim/policy.h"
#include "shim/record.h"
#include "shim/task_tools.h"

static const char RULE[] = KILLS_RULE, ONLY_A_PERSON[] = "Only a person can lift that; tell the user.";

static void tool_done(struct kills_tool *t)
{
	free(t->glob);
	free(t->words);
	*t = (struct kills_tool){ NULL, NULL };
}

void kills_done(struct kills *k)
{
	for (size_t i = 0; k->v && i < CONTROL_KILLS_MAX; i++)
		tool_done(&k->v[i]);
	free(k->v);
	k->v = NULL;
}

/* --- is it killed? --- */

int kills_find(struct shim *s, struct slice name, const char **ret_words)
{
	struct slice text;
	int r;

	*ret_words = NULL;
	if (!s->kills.v || !name.p)
		return 0;
	r = policy_unescape(name, &s->subject, &text);
	/* It is longer than any name that can be called. */
	if (r < 0)
		return r == -E2BIG ? 0 : r;
	for (size_t i = 0; !*ret_words && i < CONTROL_KILLS_MAX; i++)
		if (s->kills.v[i].glob && glob_match(s->kills.v[i].glob, text.p ? text.p : "", text.n))
			*ret_words = s->kills.v[i].words;
	return 0;
}

/* What is asked of a task is asked of its tool; to end one is always allowed. */
static struct slice tool_of(const struct shim *s, const struct message *m)
{
	if (m->method && m->method->gate == GATE_TOOL)
		return m->d.subject;
	if (m->method && m->method->result == RESULT_TASK && !slice_is(m->envelope->method, "tasks/cancel"))
		return task_tools_find(&s->tasks, walk_string(message_get(&s->doc, "taskId")));
	return (struct slice){ NULL, 0 };
}

int kills_guard(struct shim *s, struct message *m)
{
	struct slice tool = tool_of(s, m);
	const char *words;
	int r = kills_find(s, tool, &words);

	if (r < 0 || !words)
		return r;
	m->d.verdict = POLICY_DENY;
	m->d.what = "tool";
	m->d.subject = tool;
	m->d.rule = RULE;
	m->d.reason = words;
	m->d.advice = ONLY_A_PERSON;
	return 0;
}

/* --- what is under way --- */

static int tell_server(struct shim *s, const struct pending_entry *e)
{
	int r;

	buf_clear(&s->answer);
	r = answers_begin_notification(&s->answer, "notifications/cancelled");
	if (r == 0)
		r = buf_printf(&s->answer, "\"requestId\":%.*s,\"reason\":\"the tool may not be called any more\"",
			(int)e->id_len, e->id);
	if (r == 0)
		r = answers_end(&s->answer);
	return r ? r : queue_put(&s->to_server, s->answer.data, s->answer.len);
}

/* Another result than that of a call is expected: an error fits any. */
static int answer_client(struct shim *s, const struct pending_entry *e, const char *text)
{
	struct slice id = { e->id, e->id_len };

	if (e->as_task || !e->method || e->method->gate != GATE_TOOL)
		return handle_answer_error(s, EVENT_FROM_CLIENT, id, ANSWER_DENIED, text);
	return handle_answer_tool_error(s, id, text, e->modern);
}

static int end_call(struct shim *s, struct pending_entry *e, const char *words)
{
	char text[ANSWER_TEXT_MAX], name[ANSWER_NAME_MAX];
	int r = record_ending_by(s, e, EVENT_FROM_SERVER, "killed", RULE, 0);

	snprintf(text, sizeof(text),
		"stockade: %s: tool '%s' was ended by %s, %s. The server was told to stop; what it did until then is "
		"not undone. %s",
		s->config.name, answers_name((struct slice){ e->tool, strlen(e->tool) }, name), RULE, words,
		ONLY_A_PERSON);
	if (r == 0)
		r = answer_client(s, e, text);
	if (r == 0)
		r = tell_server(s, e);
	/* Its id stays taken until the server has answered as well. */
	e->expired = e->killed = true;
	e->due_us = 0;
	return r;
}

/* The name of the tool that it calls, in s->doc. */
static int tool_of_parked(struct shim *s, const struct parked_entry *p, struct slice *ret)
{
	struct envelope e;
	int r = json_parse(&s->doc, p->text, p->n);

	*ret = (struct slice){ NULL, 0 };
	if (r == 0)
		r = envelope_read(&s->doc, &e);
	if (r == 0 && slice_is(e.method, "tools/call"))
		*ret = walk_string(message_get(&s->doc, "name"));
	/* It is what passed here before. */
	return r > 0 ? -EPROTO : r;
}

/* Judged once more, now: kills_guard() has the words. Else it would wait for the server's list, which a server need
 * not give. */
static int resume_parked(struct shim *s, struct parked_entry *at)
{
	struct parked_entry e = parked_steal(&s->parked, at);
	const struct line line = { e.text, e.n };
	struct message m = { .line = &line, .call_id = e.call_id, .modern = e.modern, .confirmed = e.confirmed };
	int r = handle_resume(s, &m, NULL);

	parked_entry_done(&e);
	return r;
}

static int end_parked(struct shim *s)
{
	const char *words;
	struct slice tool;
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->parked.n;) {
		r = tool_of_parked(s, &s->parked.v[i], &tool);
		if (r == 0)
			r = kills_find(s, tool, &words);
		if (r == 0 && words)
			r = resume_parked(s, &s->parked.v[i]);
		else
			i++;
	}
	return r;
}

static int end_calls(struct shim *s)
{
	const char *words;
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->calls.n; i++) {
		struct pending_entry *e = &s->calls.entries[i];
		if (!e->tool || e->cancelled || e->expired || e->own)
			continue;
		r = kills_find(s, (struct slice){ e->tool, strlen(e->tool) }, &words);
		if (r == 0 && words)
			r = end_call(s, e, words);
	}
	if (r == 0)
		r = end_parked(s);
	return r ? r : confirm_deny_killed(s);
}

/* --- what the supervisor says --- */

static int kill_one(struct shim *s, const struct control *c)
{
	struct kills_tool t = { strdup(c->tool), strdup(c->text) };

	if (!s->kills.v)
		s->kills.v = calloc(CONTROL_KILLS_MAX, sizeof(*s->kills.v));
	if (!t.glob || !t.words || !s->kills.v) {
		tool_done(&t);
		return -ENOMEM;
	}
	tool_done(&s->kills.v[c->value]);
	s->kills.v[c->value] = t;
	return end_calls(s);
}

int kills_take(struct shim *s, const struct control *c)
{
	int r = 0;

	if (c->value < 0 || c->value >= CONTROL_KILLS_MAX)
		return -EPROTO;
	if (c->type == CONTROL_KILL_TOOL) {
		r = kill_one(s, c);
	} else if (s->kills.v) {
		tool_done(&s->kills.v[c->value]);
		/* What was hidden until now is looked at before it is called, as anything else. */
		s->scopes.known = s->scopes.walking = false;
	}
	return r ? r : scopes_tell_client(s);
}
