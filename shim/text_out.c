/* SPDX-License-Identifier: Apache-2.0 */
/* text_out - see text_out.h */
#include "shim/text_out.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "shim/answers.h"
#include "shim/invisible.h"
#include "shim/json_string.h"
#include "shim/record.h"
#include "shim/shim.h"
#include "shim/vocabulary.h"

/* What is looked for in a string. */
enum {
	SECRETS = 1 << 0,
	INVISIBLE = 1 << 1,
	PERSONAL = 1 << 2,
	BINARY = 1 << 3 /* base64 has to stay such */,
	OPAQUE = 1 << 4 /* nothing may change */
};

int text_out_init(struct text_out *t, struct shim_text *config, struct diag *d)
{
	int r;

	*t = (struct text_out){ .config = config,
		.a = BUF_INIT(2 * SHIM_LINE_MAX),
		.b = BUF_INIT(2 * SHIM_LINE_MAX),
		.plain = BUF_INIT(SHIM_LINE_MAX) };
	r = secrets_init(&t->secrets, config);
	shim_text_wipe(config);
	if (r < 0)
		return diag_fail(d, r, "cannot take in the secrets' values: %s", strerror(-r));
	return redact_init(&t->redact, config, d);
}

void text_out_done(struct text_out *t)
{
	struct buf *bufs[] = { &t->a, &t->b, &t->plain };

	for (size_t i = 0; i < ARRAY_LEN(bufs); i++)
		buf_done(bufs[i]);
	secrets_done(&t->secrets);
	redact_done(&t->redact);
	t->config = NULL;
}

/* An open object or array. */
struct frame {
	unsigned want;	/* of the strings in it */
	unsigned plain; /* an array: of those that are its elements */
	bool open;	/* its keys are a tool's own, and mean nothing here */
	bool schema;	/* it says what may be, and has nobody's data */
};

struct pass {
	struct shim *s;
	struct text_out *t;
	enum event_side from;
	unsigned all;	    /* what is looked for in this message at all */
	const char *copied; /* up to there the message is in s->edited; NULL: nothing had to change yet */
	uint64_t steps;
	struct frame frames[JSON_DEPTH_MAX + 1];
	int depth;
	struct slice key; /* the last one */
};

/* Keys of the protocol after which a value is no text, or one of a tool's own. */
static const struct {
	const char *key;
	unsigned drop; /* what is not looked for in a string there */
	unsigned also;
	enum { CHILD_SAME, CHILD_OPEN, CHILD_SCHEMA, CHILD_META } child;
} keys[] = {
	{ "_meta", 0, 0, CHILD_META },
	{ "structuredContent", 0, 0, CHILD_OPEN },
	{ "inputSchema", 0, 0, CHILD_SCHEMA },
	{ "outputSchema", 0, 0, CHILD_SCHEMA },
	{ "requestedSchema", 0, 0, CHILD_SCHEMA },
	{ "arguments", 0, 0, CHILD_OPEN },
	{ "uri", INVISIBLE | PERSONAL, 0, CHILD_SAME },
	{ "uriTemplate", INVISIBLE | PERSONAL, 0, CHILD_SAME },
	{ "cursor", INVISIBLE | PERSONAL, 0, CHILD_SAME },
	{ "nextCursor", INVISIBLE | PERSONAL, 0, CHILD_SAME },
	{ "requestState", INVISIBLE | PERSONAL, OPAQUE, CHILD_SAME },
	{ "taskId", INVISIBLE | PERSONAL, OPAQUE, CHILD_SAME },
	{ "elicitationId", INVISIBLE | PERSONAL, OPAQUE, CHILD_SAME },
	{ "progressToken", INVISIBLE | PERSONAL, OPAQUE, CHILD_SAME },
	{ "mimeType", INVISIBLE | PERSONAL, 0, CHILD_SAME },
	{ "blob", PERSONAL, BINARY, CHILD_SAME },
	{ "data", PERSONAL, BINARY, CHILD_SAME },
};

/* What of a client's message a server may get with personal data in it: all but these members. */
static const char *const of_client[] = { "arguments", "argument", "context", "inputResponses", "content", "reason",
	"message" };

/* The strings and objects that follow a key. */
static struct frame after_key(const struct pass *p, struct slice key, unsigned *ret_string)
{
	const struct frame *f = &p->frames[p->depth];
	struct frame child = *f;

	*ret_string = f->want;
	if (p->from == EVENT_FROM_CLIENT && p->depth == 1) {
		child = (struct frame){ 0 };
		for (size_t i = 0; i < ARRAY_LEN(of_client); i++)
			if (slice_is(key, of_client[i]))
				child = (struct frame){ .want = p->all, .open = true };
		*ret_string = child.want;
		return child;
	}
	for (size_t i = 0; !f->open && i < ARRAY_LEN(keys); i++) {
		if (!slice_is(key, keys[i].key))
			continue;
		if (strcmp(keys[i].key, "data") == 0 && p->depth == 1) {
			child.open = true; /* of a log message or an error */
			break;
		}
		*ret_string = (f->want & ~keys[i].drop) | keys[i].also;
		child.schema = keys[i].child == CHILD_SCHEMA;
		child.open = child.schema || keys[i].child == CHILD_OPEN;
		if (keys[i].child == CHILD_META)
			*ret_string = child.want = f->want & SECRETS;
		break;
	}
	return child;
}

/* Up to there the message is as it was; text stands in the place of what lies between there and after. */
static int put_changed(struct pass *p, const char *there, const char *after, const char *text, size_t n)
{
	struct buf *out = &p->s->edited;
	int r = 0;

	if (!p->copied) {
		buf_clear(out);
		p->copied = p->s->doc.out.data;
	}
	r = buf_append(out, p->copied, (size_t)(there - p->copied));
	p->copied = after;
	return r ? r : buf_append(out, text, n);
}

/* Each of these looks at a string's inside, and when something has to change points *cur to what it becomes. */
static int take_secrets(struct pass *p, struct slice *cur, struct buf *room, bool binary)
{
	struct secrets_hit hit;
	const struct secrets *x = &p->t->secrets;
	int r = secrets_find(x, false, cur->p, cur->n, 0, &hit);

	if (r <= 0)
		return r;
	buf_clear(room);
	r = secrets_replace(x, false, binary, room, cur->p, cur->n, p->t->counts + TEXT_SECRETS);
	*cur = (struct slice){ room->data, room->len };
	return r;
}

static int take_invisible(struct pass *p, struct slice *cur, struct buf *room)
{
	int r;

	if (!invisible_is_in(*cur))
		return 0;
	buf_clear(room);
	r = invisible_replace(room, *cur, &p->t->counts[TEXT_INVISIBLE]);
	*cur = (struct slice){ room->data, room->len };
	return r;
}

/* A key is no text: what a profile's own pattern fits may be the name of a property. */
static int take_personal(struct pass *p, struct slice *cur, struct buf *room, bool key)
{
	struct text_out *t = p->t;
	struct slice text = *cur;
	int r = 0;

	buf_clear(&t->plain);
	if (memchr(cur->p, '\\', cur->n)) {
		r = walk_text(&t->plain, *cur);
		text = (struct slice){ t->plain.data, t->plain.len };
	}
	buf_clear(room);
	if (r == 0)
		r = key ? redact_replace_sets(&t->redact, room, text.p, text.n, t->counts + TEXT_KINDS)
			: redact_replace(&t->redact, room, text.p, text.n, &p->steps, t->counts + TEXT_KINDS);
	if (r <= 0)
		return r;
	buf_clear(&t->plain);
	r = answers_put_string(&t->plain, room->data, room->len);
	*cur = (struct slice){ t->plain.data + 1, t->plain.len - 2 };
	return r;
}

static bool holds_secret(const struct shim *s, struct slice text)
{
	struct secrets_hit hit;

	return text.n && secrets_find(&s->text.secrets, false, text.p, text.n, 0, &hit) != 0;
}

/* What the protocol says itself, not a peer. */
static bool is_vocabulary(const struct pass *p, struct slice inside, bool key)
{
	if (inside.n == 0 || inside.n > VOCABULARY_WORD_MAX || p->frames[p->depth].open)
		return false;
	return key ? vocabulary_has_key(inside) : vocabulary_has_word(p->key, inside);
}

static int look_at(struct pass *p, struct slice inside, unsigned want, bool key)
{
	struct slice cur = inside;
	int r = 0;

	if (want & (SECRETS | PERSONAL) && is_vocabulary(p, inside, key))
		return 0;
	if (want & OPAQUE && want & SECRETS && holds_secret(p->s, inside)) {
		p->t->unfit = "what one has to say again, as requestState or a token, holds the value of a secret";
		return TEXT_OUT_UNFIT;
	}
	if (inside.n && want & SECRETS)
		r = take_secrets(p, &cur, &p->t->a, want & BINARY);
	if (r == 0 && inside.n && want & INVISIBLE)
		r = take_invisible(p, &cur, &p->t->b);
	/* Where it is, it is the only one that may be in the first room. */
	if (r == 0 && inside.n && want & PERSONAL)
		r = take_personal(p, &cur, cur.p == p->t->a.data ? &p->t->b : &p->t->a, key);
	if (r || cur.p == inside.p)
		return r;
	return put_changed(p, inside.p, inside.p + inside.n, cur.p, cur.n);
}

/* A number of a tool's own: in its place stands a string, which can hold a mark. */
static int look_at_number(struct pass *p, struct slice number, unsigned want)
{
	struct slice cur = number;
	int r = want & SECRETS ? take_secrets(p, &cur, &p->t->a, false) : 0;

	if (r == 0 && want & PERSONAL)
		r = take_personal(p, &cur, cur.p == p->t->a.data ? &p->t->b : &p->t->a, false);
	if (r || cur.p == number.p)
		return r;
	r = put_changed(p, number.p, number.p, "\"", 1);
	if (r == 0)
		r = put_changed(p, number.p, number.p + number.n, cur.p, cur.n);
	return r ? r : put_changed(p, number.p + number.n, number.p + number.n, "\"", 1);
}

/* Of those that the protocol defines none becomes anything else. */
static size_t skip_number(const char *p, const char *end)
{
	size_t n = 0;

	while (p + n < end && ((p[n] >= '0' && p[n] <= '9') || (p[n] && strchr("+-.eE", p[n]))))
		n++;
	return n;
}

/* plain: what is looked for in a string in its place. An object's are members, which want is for. */
static void open_frame(struct pass *p, struct frame f, bool array, unsigned plain)
{
	f.plain = array ? plain : f.want;
	/* The reader has bounded the depth. */
	if (p->depth < JSON_DEPTH_MAX)
		p->frames[++p->depth] = f;
}

/* The protocol's and a schema's are nobody's data. */
static unsigned want_of_key(const struct frame *f)
{
	return f->open && !f->schema ? f->want : f->want & ~(unsigned)PERSONAL;
}

/* Every string between the two, keys included, and every number of a tool's own. */
static int walk_strings(struct pass *p, const char *at, const char *end)
{
	struct frame next = p->frames[0];
	unsigned want = next.want;
	int r = 0;

	while (r == 0 && at < end) {
		if (*at == '"') {
			const char *after = walk_skip(at);
			struct slice inside = { at + 1, (size_t)(after - at) - 2 };
			bool key = after < end && *after == ':';
			r = look_at(p, inside, key ? want_of_key(&p->frames[p->depth]) : want, key);
			if (key) {
				next = after_key(p, inside, &want);
				p->key = inside;
			}
			at = after + key;
			continue;
		}
		if (*at == '-' || (*at >= '0' && *at <= '9')) {
			struct slice number = { at, skip_number(at, end) };
			if (next.open)
				r = look_at_number(p, number, next.schema ? want & ~(unsigned)PERSONAL : want);
			at += number.n;
			continue;
		}
		if (*at == '{' || *at == '[')
			open_frame(p, next, *at == '[', want);
		else if ((*at == '}' || *at == ']') && p->depth > 0)
			p->depth--;
		if (*at == ',' || *at == '{' || *at == '[' || *at == '}' || *at == ']') {
			next = p->frames[p->depth];
			want = next.plain;
		}
		at++;
	}
	return r;
}

/* What of all that could be looked for may be in the message. */
static int needed(struct shim *s, enum event_side from, struct slice body, unsigned *ret)
{
	const struct text_out *t = &s->text;
	struct secrets_hit hit;
	int r = 0;

	*ret = redact_is_on(&t->redact) && redact_may_find(&t->redact, body.p, body.n) ? PERSONAL : 0;
	if (from == EVENT_FROM_CLIENT)
		return 0;
	if (!t->config->pass && s->doc.seen & JSON_STRING_ODD)
		*ret |= INVISIBLE;
	r = secrets_find(&t->secrets, false, body.p, body.n, 0, &hit);
	/* A mark in the place of a value may end a word, and another begins behind it. */
	if (r > 0)
		*ret |= SECRETS | (redact_is_on(&t->redact) ? PERSONAL : 0);
	return r < 0 ? r : 0;
}

int text_out_pass(struct shim *s, enum event_side from, const struct envelope *e)
{
	struct slice body = e->kind <= ENVELOPE_NOTIFICATION ? e->params : e->body;
	struct pass p = { .s = s, .t = &s->text, .from = from, .steps = REDACT_STEPS };
	int r;

	if (!s->text.config)
		return 0;
	s->text.unfit = "its id holds the value of a secret";
	if (from == EVENT_FROM_SERVER && e->kind == ENVELOPE_REQUEST && holds_secret(s, e->id))
		return TEXT_OUT_UNFIT;
	/* A name of an extension's, or of a method that nobody knows. */
	if (from == EVENT_FROM_SERVER && e->kind <= ENVELOPE_NOTIFICATION && holds_secret(s, e->method)) {
		s->text.unfit = "the name of its method holds the value of a secret";
		return TEXT_OUT_UNFIT;
	}
	r = body.n ? needed(s, from, body, &p.all) : 0;
	if (r < 0 || !body.n || !p.all)
		return r;
	p.frames[0] = (struct frame){ .want = p.all, .plain = p.all };
	r = walk_strings(&p, body.p, body.p + body.n);
	if (r == 0 && p.copied)
		r = buf_append(&s->edited, p.copied, (size_t)(s->doc.out.data + s->doc.out.len - p.copied));
	/* It will be refused, and nothing was taken out of what passes. */
	if (r)
		memset(s->text.counts, 0, sizeof(s->text.counts));
	if (r || !p.copied)
		return r;
	s->text.counted = true;
	return TEXT_OUT_CHANGED;
}

/* The words for a count. */
static void put_subject(const struct shim *s, size_t i, char *ret, size_t size)
{
	if (i == TEXT_INVISIBLE)
		snprintf(ret, size, "invisible characters");
	else if (i < TEXT_KINDS)
		snprintf(ret, size, "value of %s", s->text.secrets.values[i - TEXT_SECRETS].name);
	else
		snprintf(ret, size, "%s", redact_name(&s->text.redact, (unsigned)(i - TEXT_KINDS)));
}

int text_out_record(struct shim *s, enum event_side from, uint64_t call_id)
{
	int r = 0;

	if (!s->text.counted)
		return 0;
	for (size_t i = 0; r == 0 && i < TEXT_COUNTS; i++) {
		struct event e = {
			.type = EVENT_TEXT_REDACTED, .side = from, .call_id = call_id, .count = s->text.counts[i]
		};
		if (e.count == 0)
			continue;
		put_subject(s, i, e.subject, sizeof(e.subject));
		r = record_send(s, &e);
		s->text.counts[i] = 0;
	}
	s->text.counted = false;
	return r;
}

bool text_out_spoils(const struct shim *s, struct slice name, struct slice item)
{
	const char *at = item.p, *end = item.p + item.n;

	if (!s->text.config || s->text.config->pass || !(s->doc.seen & JSON_STRING_ODD))
		return false;
	if (invisible_is_in(name))
		return true;
	while (at < end && (at = memchr(at, '"', (size_t)(end - at)))) {
		const char *after = walk_skip(at);
		if (after < end && *after == ':' && invisible_is_in((struct slice){ at + 1, (size_t)(after - at) - 2 }))
			return true;
		at = after;
	}
	return false;
}
