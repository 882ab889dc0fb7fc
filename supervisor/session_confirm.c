/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_confirm - calls that a person is asked about: from the shim to an asker, and the answer back
 * (session_internal.h)
 *
 * Should:   record what was asked before anybody is, and what was answered before it takes effect.
 * Mustn't:  let a call through that was not shown whole, or on an answer to other arguments.
 */
#include <errno.h>
#include <string.h>
#include "base/io.h"
#include "base/text.h"
#include "supervisor/call_list.h"
#include "supervisor/session_internal.h"

enum { REMEMBERED_MAX = 256 };

struct asked {
	uint64_t id, since_us;
	char tool[CONFIRM_TOOL_MAX], rule[CONFIRM_RULE_MAX];
	char digest[CANONICAL_DIGEST_HEX];
};

struct session_calls {
	struct asker *asker;
	struct asked v[CONFIRM_WAITING_MAX];
	size_t n;
	/* Tool and arguments that were answered for the rest of the session. */
	char (*remembered)[CANONICAL_DIGEST_HEX];
	size_t n_remembered;
	uint64_t tick_us;
};

static int record(struct session *s, const struct asked *a, enum event_decision decision, const char *status,
	const char *reason, const json_t *extra)
{
	struct event e = { .type = EVENT_CONFIRM, .decision = decision, .call_id = a->id };

	if (decision != EVENT_NONE)
		e.latency_us = io_now_us() - a->since_us;
	text_escape_str(a->tool, e.tool, sizeof(e.tool));
	snprintf(e.rule, sizeof(e.rule), "%s", a->rule);
	snprintf(e.status, sizeof(e.status), "%s", status);
	text_escape_str(reason, e.reason, sizeof(e.reason));
	return session_record(s, EVENT_FROM_SUPERVISOR, &e, extra);
}

static int send_answer(struct session *s, uint64_t id, bool yes, const char *words)
{
	struct control c = { .type = yes ? CONTROL_CONFIRMED : CONTROL_DECLINED, .call_id = id };

	return session_tell_shim(s, &c, words);
}

static bool is_remembered(const struct session_calls *c, const char *digest)
{
	for (size_t i = 0; i < c->n_remembered; i++)
		if (strcmp(c->remembered[i], digest) == 0)
			return true;
	return false;
}

/* What finds no room is asked again. */
static void remember(struct session_calls *c, const char *digest)
{
	if (c->n_remembered >= REMEMBERED_MAX)
		return;
	if (!c->remembered)
		c->remembered = calloc(REMEMBERED_MAX, sizeof(*c->remembered));
	if (c->remembered)
		memcpy(c->remembered[c->n_remembered++], digest, CANONICAL_DIGEST_HEX);
}

static int need_asker(struct session *s, struct diag *d)
{
	_cleanup_free_ char *client = lineage_words(s->args->lineage);
	const struct asker_list_args a = { s->args->paths, s->id, s->args->effective->name, client ? client : "" };

	return s->confirm->asker ? 0 : asker_list_new(&a, &s->confirm->asker, d);
}

/* Nobody can be asked: that is a no, at once, and the session goes on. */
static int deny_unasked(struct session *s, const struct asked *a, const struct diag *d)
{
	char words[CONTROL_TEXT_MAX];
	int r = record(s, a, EVENT_DENY, "nobody can be asked", d->text, NULL);

	snprintf(words, sizeof(words), "a person has to look at it, and nobody can be asked: %.380s",
		d->text[0] ? d->text : "no way to ask is there");
	return r < 0 ? r : send_answer(s, a->id, false, words);
}

static struct asked *find(struct session_calls *c, uint64_t id)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].id == id)
			return &c->v[i];
	return NULL;
}

static int ask(struct session *s, const struct confirm *c)
{
	_cleanup_free_ char *args = strndup(c->args ? c->args : "", c->args_len);
	struct session_calls *calls = s->confirm;
	struct asked a = { .id = c->call_id, .since_us = io_now_us() };
	struct asker_question q = { .id = c->call_id, .tool = c->tool, .arguments = args, .rule = c->rule };
	struct diag d = { "" };
	int r;

	if (!args)
		return -ENOMEM;
	/* One of them would be shown, and the other be let through. */
	if (find(calls, c->call_id))
		return diag_fail(&s->diag, -EPROTO, "the shim asks about a call again that waits already");
	memcpy(a.tool, c->tool, sizeof(a.tool));
	memcpy(a.rule, c->rule, sizeof(a.rule));
	r = call_digest(c->tool, args, a.digest);
	if (r < 0)
		return r;
	if (is_remembered(calls, a.digest)) {
		r = record(s, &a, EVENT_ALLOW, "session", "these arguments were answered for the session", NULL);
		return r < 0 ? r : send_answer(s, a.id, true, "");
	}
	q.digest = a.digest;
	if (calls->n >= CONFIRM_WAITING_MAX)
		return diag_fail(&s->diag, -EPROTO, "the shim asks about more calls than it may");
	r = record(s, &a, EVENT_NONE, "asked", "", NULL);
	if (r < 0)
		return r;
	if (need_asker(s, &d) < 0 || calls->asker->kind->ask(calls->asker, &q, &d) < 0)
		return deny_unasked(s, &a, &d);
	calls->v[calls->n++] = a;
	return 0;
}

static int withdraw(struct session *s, const struct confirm *c)
{
	struct asked *at = find(s->confirm, c->call_id), a;

	/* It was answered while this was on its way. */
	if (!at)
		return 0;
	a = *at;
	*at = s->confirm->v[--s->confirm->n];
	s->confirm->asker->kind->withdraw(s->confirm->asker, a.id);
	return record(s, &a, EVENT_DENY, c->status, "", NULL);
}

int session_on_confirm(struct session *s, const void *bytes, size_t n)
{
	struct confirm c;
	int r = confirm_decode(bytes, n, &c);

	if (r < 0)
		return diag_fail(&s->diag, r,
			"the shim sent what is no question of this build: was stockade upgraded "
			"meanwhile? Start the server again");
	if (!s->confirm)
		s->confirm = calloc(1, sizeof(*s->confirm));
	if (!s->confirm)
		return -ENOMEM;
	return c.type == CONFIRM_ASK ? ask(s, &c) : withdraw(s, &c);
}

/* Those that ask for the same are answered with it. */
static int release_same(struct session *s, const char *digest)
{
	struct session_calls *c = s->confirm;
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->n;) {
		struct asked a = c->v[i];
		if (strcmp(a.digest, digest) != 0) {
			i++;
			continue;
		}
		c->v[i] = c->v[--c->n];
		c->asker->kind->withdraw(c->asker, a.id);
		r = record(s, &a, EVENT_ALLOW, "session", "these arguments were answered for the session", NULL);
		r = r < 0 ? r : send_answer(s, a.id, true, "");
	}
	return r;
}

static int on_answer(struct session *s, const struct asker_answer *answer)
{
	struct asked *at = find(s->confirm, answer->id), a;
	bool yes = answer->say != ASKER_NO;
	json_t *extra;
	int r;

	if (!at)
		return 0;
	a = *at;
	*at = s->confirm->v[--s->confirm->n];
	extra = json_pack("{s:s, s:s}", "answered_by", answer->by, "answered_through", answer->channel);
	r = record(s, &a, yes ? EVENT_ALLOW : EVENT_DENY, call_say_name(answer->say), "", extra);
	json_decref(extra);
	if (r < 0)
		return r;
	r = send_answer(s, a.id, yes, "a person has looked at it and said no");
	if (r < 0 || answer->say != ASKER_SESSION)
		return r;
	remember(s->confirm, a.digest);
	return release_same(s, a.digest);
}

int session_on_answers(struct session *s)
{
	struct asker_answer answer;
	int r = 0, got = 1;

	while (r == 0 && got > 0) {
		got = s->confirm->asker->kind->take(s->confirm->asker, &answer);
		r = got > 0 ? on_answer(s, &answer) : got;
	}
	s->confirm->tick_us = io_now_us() + (uint64_t)ASKER_TICK_MS * 1000;
	return r;
}

int session_asker_fd(const struct session *s)
{
	return s->confirm && s->confirm->asker ? s->confirm->asker->fd : -1;
}

uint64_t session_asker_due(const struct session *s)
{
	bool looks = s->confirm && s->confirm->asker && s->confirm->asker->fd < 0 && s->confirm->n > 0;

	return looks ? s->confirm->tick_us + 1 : 0;
}

void session_calls_done(struct session *s)
{
	if (!s->confirm)
		return;
	/* What a shim that has died left without a word. */
	for (size_t i = 0; s->log && i < s->confirm->n; i++)
		if (record(s, &s->confirm->v[i], EVENT_DENY, "the session ends", "", NULL) < 0)
			break;
	asker_free(s->confirm->asker);
	free(s->confirm->remembered);
	free(s->confirm);
	s->confirm = NULL;
}
