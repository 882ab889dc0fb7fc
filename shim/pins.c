/* SPDX-License-Identifier: Apache-2.0 */
/* pins - see pins.h */
#include "shim/pins.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/io.h"
#include "shim/answers.h"
#include "shim/blake2s.h"
#include "shim/confirm.h"
#include "shim/define.h"
#include "shim/envelope.h"
#include "shim/handle.h"
#include "shim/lists.h"
#include "shim/offers.h"
#include "shim/own.h"
#include "shim/protocol.h"
#include "shim/record.h"

/* Which list holds them, and what its change is called. */
static const struct pins_row {
	enum method_result result;
	const char *list, *changed;
} rows[] = {
	[DEFINITION_TOOL] = { RESULT_TOOLS, "tools/list", CHANGED_TOOLS },
	[DEFINITION_PROMPT] = { RESULT_PROMPTS, "prompts/list", CHANGED_PROMPTS },
	[DEFINITION_TEMPLATE] = { RESULT_TEMPLATES, "resources/templates/list", CHANGED_RESOURCES },
};
_Static_assert(ARRAY_LEN(rows) == DEFINITION_INSTRUCTIONS, "a row for every kind that is listed");

void pins_init(struct pins *p)
{
	p->room = BUF_INIT(DEFINITION_BYTES_MAX);
	p->meta = BUF_INIT(PINS_META_MAX);
	p->cursor = BUF_INIT(SHIM_LINE_MAX);
}

/* The marks, once there is something to mark. */
static int make_marks(struct shim *s)
{
	size_t n = s->config.pins.n;

	if (s->pins.marks)
		return 0;
	s->pins.marks = calloc(n ? n : 1, 1);
	s->pins.unknown = calloc(PINS_UNKNOWN_MAX, sizeof(*s->pins.unknown));
	return s->pins.marks && s->pins.unknown ? 0 : -ENOMEM;
}

void pins_done(struct pins *p)
{
	free(p->marks);
	free(p->unknown);
	buf_done(&p->room);
	buf_done(&p->meta);
	buf_done(&p->cursor);
	*p = (struct pins){ 0 };
}

int pins_replace(struct shim *s, int fd)
{
	_cleanup_buf_ struct buf b = BUF_INIT(SHIM_CONFIG_BYTES_MAX);
	_cleanup_close_ int own = fd;
	struct shim_config now;
	int r = s->pins.marks ? -EPROTO : io_read_all(own, &b);

	if (r == 0)
		r = shim_config_decode(b.data, b.len, &now);
	/* Values of secrets are in it. */
	if (b.data)
		explicit_bzero(b.data, b.cap);
	if (r < 0)
		return r;
	struct shim_pins before = s->config.pins;
	s->config.pins = now.pins;
	now.pins = before;
	shim_config_done(&now);
	return 0;
}

int pins_kind_of(enum method_result kind)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].result == kind)
			return (int)i;
	return -1;
}

/* --- what the server says --- */

static void put_hex(const uint8_t *digest, char ret[2 * DEFINITION_DIGEST_BYTES + 1])
{
	for (size_t i = 0; i < DEFINITION_DIGEST_BYTES; i++)
		snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}

/* digest NULL: it is too large to have one. */
static int record_pin(struct shim *s, enum event_type type, enum definition_kind kind, struct slice name,
	const uint8_t *digest, const struct shim_pin *pin)
{
	struct event e = { .type = type, .decision = EVENT_DENY, .side = EVENT_FROM_SERVER };
	char now[2 * DEFINITION_DIGEST_BYTES + 1] = "none, it is too large", pinned[sizeof(now)];

	if (digest)
		put_hex(digest, now);
	if (kind == DEFINITION_TOOL)
		record_text(e.tool, sizeof(e.tool), name);
	else
		record_text(e.subject, sizeof(e.subject), name);
	snprintf(e.method, sizeof(e.method), "%s",
		kind < DEFINITION_INSTRUCTIONS ? rows[kind].list : definition_kind_words(kind));
	record_words(e.rule, sizeof(e.rule), s->config.pins.where);
	if (pin) {
		put_hex(pin->digest, pinned);
		snprintf(e.reason, sizeof(e.reason), "digest %s, pinned is %s", now, pinned);
	} else {
		snprintf(e.reason, sizeof(e.reason), "digest %s", now);
	}
	return record_send(s, &e);
}

/* Once a name: lists come again and again. */
static int note_unknown(struct shim *s, enum definition_kind kind, struct slice name, const uint8_t *digest)
{
	struct pins *p = &s->pins;
	uint8_t whole[BLAKE2S_BYTES], tag = (uint8_t)kind;

	blake2s(&tag, sizeof(tag), name.p, name.n, whole);
	for (size_t i = 0; i < p->n_unknown; i++)
		if (memcmp(p->unknown[i], whole, PINS_NAME_DIGEST_BYTES) == 0)
			return 0;
	if (p->n_unknown == PINS_UNKNOWN_MAX)
		return 0;
	memcpy(p->unknown[p->n_unknown++], whole, PINS_NAME_DIGEST_BYTES);
	return record_pin(s, EVENT_PIN_UNKNOWN, kind, name, digest, NULL);
}

int pins_keep(struct shim *s, enum definition_kind kind, struct slice name, struct slice definition, bool *ret)
{
	const struct shim_pins *c = &s->config.pins;
	const struct shim_pin *pin;
	uint8_t digest[DEFINITION_DIGEST_BYTES];
	unsigned char *mark;
	int r;

	*ret = true;
	if (!c->on)
		return 0;
	*ret = false;
	r = make_marks(s);
	if (r == 0)
		r = define_digest(&s->pins.room, definition, digest);
	if (r < 0)
		return r;
	pin = shim_pins_find(c, kind, name.p, name.n);
	if (!pin)
		return note_unknown(s, kind, name, r ? NULL : digest);
	mark = &s->pins.marks[pin - c->v];
	if (*mark == PINS_QUARANTINED)
		return 0;
	if (r || memcmp(digest, pin->digest, sizeof(digest)) != 0) {
		*mark = PINS_QUARANTINED;
		return record_pin(s, EVENT_PIN_CHANGED, kind, name, r ? NULL : digest, pin);
	}
	*mark = PINS_SAME;
	*ret = true;
	return 0;
}

void pins_list_changed(struct shim *s, struct slice method)
{
	const struct shim_pins *c = &s->config.pins;

	for (size_t i = 0; i < ARRAY_LEN(s->known); i++)
		s->known[i].is = false;
	if (slice_is(method, rows[DEFINITION_TOOL].changed))
		s->schemas.whole = false;
	for (size_t kind = 0; kind < ARRAY_LEN(rows); kind++)
		for (size_t i = 0; s->pins.marks && slice_is(method, rows[kind].changed) && i < c->n; i++)
			if (c->v[i].kind == kind && s->pins.marks[i] == PINS_SAME)
				s->pins.marks[i] = PINS_UNSEEN;
}

/* --- what the client asks for --- */

static int deny(const struct shim *s, struct decision *d, const char *reason)
{
	d->verdict = POLICY_DENY;
	d->rule = s->config.pins.where;
	d->reason = reason;
	d->advice =
		"Only a person can change this, who looks at what the server says now and pins it; tell the user if "
		"it is needed.";
	return 0;
}

/* No person has to do anything about it. */
static int deny_busy(const struct shim *s, struct decision *d)
{
	(void)deny(s, d, "too many calls wait for the server's list");
	d->advice = "Retry after 1 s.";
	d->code = ANSWER_BUSY;
	return 0;
}

/* What the request is about, by the words that policy has for it. */
static int kind_of_request(const struct decision *d)
{
	static const char *const what[] = {
		[DEFINITION_TOOL] = "tool", [DEFINITION_PROMPT] = "prompt", [DEFINITION_TEMPLATE] = "resource"
	};

	for (size_t i = 0; i < ARRAY_LEN(what); i++)
		if (strcmp(d->what, what[i]) == 0)
			return (int)i;
	return -1;
}

/* The three keys that every request of the modern era has, as this one has them; none of the others of its _meta. */
static int take_meta(struct shim *s, const struct message *m)
{
	static const char *const keys[] = { META_VERSION, META_CLIENT, META_OFFERS };
	struct slice meta = message_get(&s->doc, "_meta");
	struct buf *b = &s->pins.meta;
	bool first = true;
	int r = 0;

	buf_clear(b);
	if (!m->modern)
		return 0;
	r = buf_putc(b, '{');
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(keys); i++) {
		struct slice value = walk_get(meta, keys[i]);
		if (!value.n)
			continue;
		r = buf_printf(b, "%s\"%s\":", first ? "" : ",", keys[i]);
		if (r == 0)
			r = offers_put(s, value, b);
		first = false;
	}
	return r ? r : buf_putc(b, '}');
}

static int ask_page(struct shim *s, int kind)
{
	const struct pins *p = &s->pins;
	const struct own_question q = { .method = rows[kind].list,
		.cursor = { p->cursor.data, p->cursor.len },
		.meta = { p->meta.data, p->meta.len } };

	s->pins.lists[kind].asking = true;
	s->pins.lists[kind].pages++;
	return own_ask(s, &q);
}

static int ask_list(struct shim *s, int kind)
{
	buf_clear(&s->pins.cursor);
	s->pins.lists[kind] = (struct pins_list){ .since_us = s->now_us };
	return ask_page(s, kind);
}

/* Any list of ours, since its cursor and _meta are kept once. */
static bool is_asking(const struct shim *s)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (s->pins.lists[i].asking)
			return true;
	return false;
}

static int park(struct shim *s, const struct message *m, int kind, struct decision *d)
{
	struct slice text = { s->doc.out.data, s->doc.out.len };
	bool asking = is_asking(s);
	int r = asking ? 0 : take_meta(s, m);

	if (r == -E2BIG)
		return deny(s, d,
			"its _meta is too long to ask the server's list with, which says whether the definition is "
			"the one that was pinned");
	if (r < 0)
		return r;
	r = parked_add(&s->parked, m->envelope->id, text, kind, m);
	if (r == PARKED_FULL)
		return deny_busy(s, d);
	if (r < 0)
		return r;
	d->verdict = POLICY_PARKED;
	return asking ? 0 : ask_list(s, kind);
}

int pins_guard(struct shim *s, struct message *m)
{
	struct decision *d = &m->d;
	const struct shim_pins *c = &s->config.pins;
	int kind = c->on ? kind_of_request(d) : -1;
	const struct shim_pin *pin;
	unsigned char mark;
	int r;

	if (kind < 0)
		return 0;
	r = make_marks(s);
	if (r < 0)
		return r;
	pin = shim_pins_find(c, (enum definition_kind)kind, d->subject.p, d->subject.n);
	if (!pin)
		return deny(s, d, "it was not there when the definitions were pinned");
	mark = s->pins.marks[pin - c->v];
	if (mark == PINS_QUARANTINED)
		return deny(s, d, "its definition is not the one that was pinned, and stays withheld in this session");
	if (mark == PINS_SAME)
		return 0;
	if (!s->pins.replaying)
		return park(s, m, kind, d);
	return deny(s, d,
		s->pins.lists[kind].why ? s->pins.lists[kind].why
					: "the server does not list it now, so nothing says "
					  "that it is what was pinned");
}

int pins_await_list(
	struct shim *s, const struct message *m, enum definition_kind kind, struct decision *d, const char **ret_why)
{
	*ret_why = s->pins.replaying ? s->pins.lists[kind].why : NULL;
	return s->pins.replaying ? 0 : park(s, m, (int)kind, d);
}

/* --- the shim's own look at a list --- */

static int replay(struct shim *s, int kind)
{
	struct parked_entry e;
	int r = 0;

	s->pins.replaying = true;
	while (r == 0 && parked_take(&s->parked, kind, &e)) {
		const struct line line = { e.text, e.n };
		struct message m = {
			.line = &line, .call_id = e.call_id, .modern = e.modern, .confirmed = e.confirmed
		};
		r = handle_resume(s, &m, NULL);
		parked_entry_done(&e);
	}
	s->pins.replaying = false;
	return r;
}

/* What is parked for another list, which waited for this one to be through. */
static int ask_next(struct shim *s)
{
	return s->parked.n == 0 || s->to_server.broken ? 0 : ask_list(s, s->parked.v[0].why);
}

/* Why the page that it leads to is not asked for. */
static const char *too_long(const struct shim *s, const struct pins_list *list, struct slice next)
{
	if (slice_equal(next, (struct slice){ s->pins.cursor.data, s->pins.cursor.len }))
		return "the server's list leads to the same page again, so that it has no end";
	if (list->pages >= PINS_PAGES_MAX || list->bytes > PINS_LIST_BYTES_MAX)
		return "the server's list is longer than stockade reads";
	return s->now_us > list->since_us + PINS_LIST_US ? "the server takes too long to give its whole list" : NULL;
}

int pins_answered(struct shim *s, const struct message *m, const struct method *method, const char *failure)
{
	int kind = pins_kind_of(method->result), r = 0;
	struct pins_list *list = kind < 0 ? NULL : &s->pins.lists[kind];
	struct slice next = { NULL, 0 };
	uint64_t hidden;

	if (!list)
		return 0;
	list->asking = false;
	list->why = NULL;
	if (failure) {
		snprintf(s->pins.failure, sizeof(s->pins.failure), "the server's answer to %s is of no use: %s",
			method->name, failure);
		list->why = s->pins.failure;
	}
	if (!failure && m->envelope->kind == ENVELOPE_ERROR)
		list->why = "the server answers a request for its list with an error";
	if (!list->why) {
		/* What is left for a client is of no interest: what was learnt on the way is. */
		s->pins.learning = true;
		r = lists_filter(s, method->result, list->pages > 1, &s->edited, &hidden);
		s->pins.learning = false;
		if (r == LISTS_UNREADABLE)
			list->why = "the server's list is not an array";
		else
			next = message_get(&s->doc, "nextCursor");
		r = r < 0 ? r : 0;
		list->bytes += m->line->n;
	}
	if (walk_string(next).p)
		list->why = too_long(s, list, next);
	if (r == 0 && walk_string(next).p && !list->why) {
		buf_clear(&s->pins.cursor);
		r = buf_append(&s->pins.cursor, next.p, next.n);
		return r ? r : ask_page(s, kind);
	}
	if (r == 0)
		r = replay(s, kind);
	return r ? r : ask_next(s);
}

int pins_abandon(struct shim *s, const char *text)
{
	int r = 0;

	while (r == 0 && s->parked.n > 0) {
		struct slice id = { s->parked.v[0].id, s->parked.v[0].id_len };
		r = handle_answer_error(s, EVENT_FROM_CLIENT, id, ANSWER_GONE, text);
		parked_remove(&s->parked, &s->parked.v[0]);
	}
	return r;
}
