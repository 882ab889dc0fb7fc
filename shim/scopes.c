/* SPDX-License-Identifier: Apache-2.0 */
/* scopes - see scopes.h */
#include "shim/scopes.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "shim/answers.h"
#include "shim/blake2s.h"
#include "shim/handle.h"
#include "shim/pins.h"
#include "shim/policy.h"
#include "shim/protocol.h"
#include "shim/record.h"

void scopes_state_done(struct scopes_state *s)
{
	free(s->raised);
	*s = (struct scopes_state){ 0 };
}

/* --- what servers say of their tools --- */

/* A word that is neither true nor false may be either for whoever reads it: it counts as the worse. */
static enum scope_known said_by(struct slice tool)
{
	struct slice all = walk_get(tool, "annotations");
	struct slice reads = walk_get(all, "readOnlyHint"), destroys = walk_get(all, "destructiveHint");

	if (!walk_is_none(destroys) && !slice_is(destroys, "false"))
		return SCOPE_DESTRUCTIVE;
	return !walk_is_none(reads) && !slice_is(reads, "true") ? SCOPE_WRITE : SCOPE_READ;
}

/* The slot that the name has, or would have. */
static struct scopes_raised *slot_of(const struct shim *s, struct slice name, uint8_t digest[BLAKE2S_BYTES])
{
	uint64_t secret = s->schemas.secret;
	uint32_t at;

	blake2s(&secret, sizeof(secret), name.p, name.n, digest);
	memcpy(&at, digest, sizeof(at));
	for (at %= SCOPES_RAISED_SLOTS;; at = (at + 1) % SCOPES_RAISED_SLOTS) {
		struct scopes_raised *r = &s->scopes.raised[at];
		if (r->says == SCOPE_READ || memcmp(r->name, digest, sizeof(r->name)) == 0)
			return r;
	}
}

static int raise_need(struct shim *s, struct slice name, enum scope_known says)
{
	struct scopes_state *st = &s->scopes;
	uint8_t digest[BLAKE2S_BYTES];
	struct scopes_raised *r;

	if (says == SCOPE_READ)
		return 0;
	if (!st->raised)
		st->raised = calloc(SCOPES_RAISED_SLOTS, sizeof(*st->raised));
	if (!st->raised)
		return -ENOMEM;
	r = slot_of(s, name, digest);
	if (r->says == SCOPE_READ && st->n_raised == SCOPES_RAISED_MAX) {
		st->crowded = true;
		return 0;
	}
	st->n_raised += r->says == SCOPE_READ;
	memcpy(r->name, digest, sizeof(r->name));
	r->says = r->says > says ? r->says : (uint8_t)says;
	return 0;
}

static enum scope_known said_of(const struct shim *s, struct slice name)
{
	uint8_t digest[BLAKE2S_BYTES];
	enum scope_known says = SCOPE_READ;

	if (s->scopes.raised)
		says = slot_of(s, name, digest)->says;
	return says == SCOPE_READ && s->scopes.crowded ? SCOPE_DESTRUCTIVE : says;
}

/* --- what is there --- */

static uint32_t granted(const struct shim *s)
{
	uint32_t set = scopes_allowed(&s->config.scopes);

	for (size_t i = 0; i < s->config.scopes.n; i++)
		if (s->scopes.lifts[i].until_us > s->boot_us)
			set |= UINT32_C(1) << i;
	return set;
}

/* text: what the name means, for who asks after its rule; in s->subject where it has escapes. */
static int need_of(struct shim *s, struct slice name, uint32_t *ret, struct slice *ret_text)
{
	struct slice text;
	int r = policy_unescape(name, &s->subject, &text);

	if (r < 0)
		return r;
	text.p = text.p ? text.p : "";
	*ret = scopes_need(&s->config.scopes, text.p, text.n, said_of(s, name));
	if (ret_text)
		*ret_text = text;
	return 0;
}

int scopes_keep(struct shim *s, struct slice name, struct slice tool, bool *ret)
{
	uint32_t need = 0;
	int r;

	*ret = true;
	if (!s->config.scopes.where)
		return 0;
	r = raise_need(s, name, said_by(tool));
	if (r == 0)
		r = need_of(s, name, &need, NULL);
	*ret = r == 0 && !(need & ~granted(s));
	/* It is longer than any name that can be called. */
	return r == -E2BIG ? 0 : r;
}

void scopes_list_page(struct shim *s, bool first, bool last)
{
	struct scopes_state *st = &s->scopes;

	st->walking = st->walking || first;
	if (!last)
		return;
	st->known = st->known || st->walking;
	st->walking = false;
}

void scopes_list_changed(struct shim *s, struct slice method)
{
	if (slice_is(method, CHANGED_TOOLS))
		s->scopes.known = s->scopes.walking = false;
}

int scopes_record(struct shim *s, struct slice tool, struct event *e)
{
	uint32_t need = 0;
	int r;

	if (!s->config.scopes.where || !tool.p)
		return 0;
	r = need_of(s, tool, &need, NULL);
	scopes_words(&s->config.scopes, need, e->scope, sizeof(e->scope));
	return r == -E2BIG ? 0 : r;
}

/* --- calls --- */

/* Who put the tool where it is missing something: a list of the profile, the server's own word, or nobody. */
static int deny(struct shim *s, struct decision *d, struct slice text, uint32_t missing)
{
	const struct scopes *c = &s->config.scopes;
	const char *name = c->v[scopes_first(missing)].name;

	d->verdict = POLICY_DENY;
	switch (scopes_why(c, text.p, text.n, missing, &d->rule)) {
	case SCOPES_LISTED:
		snprintf(s->words, sizeof(s->words), "it needs the scope '%s', which %s does not allow", name,
			c->allowed_where);
		break;
	case SCOPES_UNLISTED:
		snprintf(s->words, sizeof(s->words),
			"no list there names this tool, so it needs the strictest scope, '%s', which %s does not allow",
			name, c->allowed_where);
		break;
	case SCOPES_SAID:
		snprintf(s->words, sizeof(s->words),
			"by what the server says of it (annotations) it needs the scope '%s' as well, which %s does "
			"not "
			"allow",
			name, c->allowed_where);
		break;
	}
	d->reason = s->words;
	if (!(missing & ~scopes_liftable(c)))
		d->advice =
			"Only a person can allow it, for a while or in the server's profile; tell the user if it is "
			"needed.";
	return 0;
}

/* Could what the server says of the tool, and nobody has heard, make a difference? */
static bool could_need_more(const struct shim *s, uint32_t need)
{
	static const uint32_t known = (1u << SCOPE_WRITE) | (1u << SCOPE_DESTRUCTIVE);

	return !s->scopes.known && !(need >> SCOPE_DESTRUCTIVE & 1) && (known & ~granted(s));
}

static int look_first(struct shim *s, const struct message *m, struct decision *d)
{
	const char *why = NULL;
	int r = pins_await_list(s, m, DEFINITION_TOOL, d, &why);

	if (r < 0 || (d->verdict != POLICY_DENY && !why))
		return r;
	d->verdict = POLICY_DENY;
	d->rule = s->config.scopes.where;
	snprintf(s->words, sizeof(s->words), "what the server says of it could not be looked at: %s",
		why ? why : d->reason);
	d->reason = s->words;
	d->advice = "Retry later.";
	return 0;
}

/* What it passes by is not the profile alone: the record says so. */
static void name_grant(const struct shim *s, uint32_t need, struct decision *d)
{
	uint32_t lifted = need & ~scopes_allowed(&s->config.scopes);

	if (lifted)
		d->rule = s->scopes.lifts[scopes_first(lifted)].words;
}

int scopes_guard(struct shim *s, struct message *m)
{
	struct decision *d = &m->d;
	uint32_t need = 0, missing;
	struct slice text;
	int r;

	if (!s->config.scopes.where)
		return 0;
	r = need_of(s, d->subject, &need, &text);
	missing = need & ~granted(s);
	return r == 0 && missing ? deny(s, d, text, missing) : r;
}

int scopes_guard_said(struct shim *s, struct message *m)
{
	struct decision *d = &m->d;
	uint32_t need = 0;
	int r;

	if (!s->config.scopes.where)
		return 0;
	r = need_of(s, d->subject, &need, NULL);
	if (r == 0 && could_need_more(s, need))
		r = look_first(s, m, d);
	if (r == 0 && d->verdict == POLICY_ALLOW)
		name_grant(s, need, d);
	return r;
}

/* --- what is lifted --- */

static int put_change(struct shim *s, const struct pending_entry *subscription)
{
	int r;

	buf_clear(&s->answer);
	r = answers_put_changed(&s->answer, CHANGED_TOOLS,
		subscription ? (struct slice){ subscription->id, subscription->id_len } : (struct slice){ NULL, 0 });
	return r ? r : queue_put(&s->to_client, s->answer.data, s->answer.len);
}

int scopes_tell_client(struct shim *s)
{
	int r = 0;

	if (!s->scopes.shown)
		return 0;
	if (s->waiting.bridges)
		return waiting_tell(s, SLICE(CHANGED_TOOLS));
	if (s->legacy)
		r = put_change(s, NULL);
	for (size_t i = 0; r == 0 && i < s->calls.n; i++) {
		const struct pending_entry *e = &s->calls.entries[i];
		if (e->tool_changes && !e->cancelled && !e->expired)
			r = put_change(s, e);
	}
	return r;
}

static void wake_for(struct shim *s, uint64_t until_us)
{
	uint64_t left = until_us - s->boot_us;

	shim_wake_at(s, s->now_us + (left < SCOPES_LOOK_US ? left : SCOPES_LOOK_US));
}

/* By our clock or by the supervisor's word, whichever came first: the client hears of it once. */
static int settle(struct shim *s)
{
	uint32_t now = granted(s) & ~scopes_allowed(&s->config.scopes), before = s->scopes.lifted;

	s->scopes.lifted = now;
	/* What was hidden until now is looked at before it is called, as anything else. */
	if (now & ~before)
		s->scopes.known = s->scopes.walking = false;
	return now == before ? 0 : scopes_tell_client(s);
}

int scopes_lift(struct shim *s, const struct control *c)
{
	struct scopes_lift *l;

	if (c->value < 0 || (size_t)c->value >= s->config.scopes.n || !s->config.scopes.v[c->value].lift)
		return -EPROTO;
	l = &s->scopes.lifts[c->value];
	l->until_us = c->until_us;
	memcpy(l->words, c->text, sizeof(l->words));
	if (l->until_us > s->boot_us)
		wake_for(s, l->until_us);
	return settle(s);
}

int scopes_tick(struct shim *s)
{
	for (size_t i = 0; i < s->config.scopes.n; i++)
		if (s->scopes.lifts[i].until_us > s->boot_us)
			wake_for(s, s->scopes.lifts[i].until_us);
	return settle(s);
}

/* --- the handshake --- */

static int put_promise(struct buf *out, struct slice tools)
{
	struct walk w = walk_object(tools);
	struct slice key, value;
	int r = buf_puts(out, "{\"listChanged\":true");

	while (r == 0 && walk_member(&w, &key, &value)) {
		const char *from = key.p - 1; /* its quote */
		if (slice_is(key, "listChanged"))
			continue;
		r = buf_putc(out, ',');
		if (r == 0)
			r = buf_append(out, from, (size_t)(value.p + value.n - from));
	}
	return r ? r : buf_putc(out, '}');
}

int scopes_promise(struct shim *s, struct buf *out, bool *ret_changed)
{
	struct slice tools = walk_get(message_get(&s->doc, "capabilities"), "tools");
	const char *from = s->doc.out.data, *end = from + s->doc.out.len;
	int r;

	*ret_changed = walk_is_object(tools) && !slice_is(walk_get(tools, "listChanged"), "true");
	if (!*ret_changed)
		return 0;
	buf_clear(out);
	r = buf_append(out, from, (size_t)(tools.p - from));
	if (r == 0)
		r = put_promise(out, tools);
	return r ? r : buf_append(out, tools.p + tools.n, (size_t)(end - tools.p - tools.n));
}

bool scopes_subscribes(const struct shim *s, const struct method *method)
{
	return method && method->gate == GATE_SUBSCRIBE &&
	       slice_is(walk_get(message_get(&s->doc, "notifications"), "toolsListChanged"), "true");
}
