/* SPDX-License-Identifier: Apache-2.0 */
/* json - see json.h */
#include "shim/json.h"
#include <errno.h>
#include <string.h>
#include "shim/json_string.h"

enum { MEMBERS_FIRST = 32, DOC_KEEP = 64 << 10, OUT_SLACK = 8192 };

struct parser {
	struct json_doc *doc;
	struct json_cursor c;
	int depth;			 /* values open */
	bool object[JSON_DEPTH_MAX + 1]; /* by depth: an object, else an array */
	struct json_frame frame[JSON_DEPTH_MAX + 1];
	int32_t member[3]; /* the member open at depth 1 and 2, or -1 */
};

void json_doc_init(struct json_doc *d, size_t out_max, uint64_t secret)
{
	*d = (struct json_doc){ .out = BUF_INIT(out_max + OUT_SLACK), .out_max = out_max };
	json_keys_init(&d->keys, secret);
}

void json_doc_done(struct json_doc *d)
{
	buf_done(&d->out);
	free(STEAL_PTR(d->members));
	json_keys_done(&d->keys);
}

void json_doc_trim(struct json_doc *d)
{
	if (d->out.cap > DOC_KEEP)
		buf_done(&d->out);
	json_keys_trim(&d->keys);
}

const char *json_error_text(int error)
{
	static const char *const texts[] = {
#define X(name, text) [JSON_##name] = text,
		JSON_ERRORS(X)
#undef X
	};
	_Static_assert(ARRAY_LEN(texts) == JSON_ERROR_COUNT, "words for every error");
	return error > 0 && error < JSON_ERROR_COUNT ? texts[error] : "it could not be read";
}

static uint32_t offset(const struct parser *s)
{
	return (uint32_t)(s->c.o - (unsigned char *)s->c.out->data);
}

static void skip_blanks(struct parser *s)
{
	while (*s->c.p == ' ')
		s->c.p++;
}

/* The error for a byte that fits nowhere. */
static int misplaced(const struct parser *s)
{
	if (s->c.p >= s->c.end)
		return JSON_SYNTAX;
	if (*s->c.p < 0x20 || *s->c.p == 0x7f)
		return JSON_CONTROL;
	return JSON_SYNTAX;
}

static const unsigned char *digits(const unsigned char *p)
{
	while (*p >= '0' && *p <= '9')
		p++;
	return p;
}

static int number(struct parser *s)
{
	const unsigned char *p = s->c.p, *from = p, *after;

	p += *p == '-';
	after = digits(p);
	if (after == p || (*p == '0' && after != p + 1))
		return JSON_NUMBER;
	p = after;
	if (*p == '.') {
		after = digits(++p);
		if (after == p)
			return JSON_NUMBER;
		p = after;
	}
	if ((*p | 32) == 'e') {
		p++;
		p += *p == '+' || *p == '-';
		after = digits(p);
		if (after == p)
			return JSON_NUMBER;
		p = after;
	}
	size_t n = (size_t)(p - from);
	if (n > JSON_NUMBER_MAX)
		return JSON_NUMBER;
	while ((size_t)(s->c.o_end - s->c.o) < n + JSON_STRING_SLACK) {
		s->c.out->len = offset(s);
		int r = buf_reserve(s->c.out, n + JSON_STRING_SLACK);
		if (r < 0)
			return r == -E2BIG ? JSON_TOO_LONG : r;
		s->c.o = (unsigned char *)s->c.out->data + s->c.out->len;
		s->c.o_end = (unsigned char *)s->c.out->data + s->c.out->cap - 1;
	}
	memcpy(s->c.o, from, n);
	s->c.o += n;
	s->c.p = p;
	return 0;
}

static int literal(struct parser *s, const char *word, size_t n)
{
	if ((size_t)(s->c.end - s->c.p) < n || memcmp(s->c.p, word, n) != 0)
		return misplaced(s);
	memcpy(s->c.o, word, n);
	s->c.o += n;
	s->c.p += n;
	return 0;
}

static int open_value(struct parser *s, bool object)
{
	if (s->depth >= JSON_DEPTH_MAX)
		return JSON_DEPTH;
	s->depth++;
	s->object[s->depth] = object;
	*s->c.o++ = *s->c.p++;
	if (object)
		json_keys_open(&s->doc->keys, &s->frame[s->depth]);
	return 0;
}

static void close_value(struct parser *s)
{
	if (s->object[s->depth])
		json_keys_close(&s->doc->keys, &s->frame[s->depth]);
	*s->c.o++ = *s->c.p++;
	s->depth--;
}

/* Notes a member of the message, or of an object directly in it. */
static int member_begin(struct parser *s, uint32_t at, uint32_t len)
{
	struct json_doc *d = s->doc;

	if (d->n_members >= JSON_MEMBERS_MAX)
		return JSON_MANY_KEYS;
	if (d->n_members == d->cap_members) {
		uint32_t cap = d->cap_members ? d->cap_members * 2 : MEMBERS_FIRST;
		struct json_member *p = realloc(d->members, cap * sizeof(*p));
		if (!p)
			return -ENOMEM;
		d->members = p;
		d->cap_members = cap;
	}
	d->members[d->n_members] =
		(struct json_member){ .key = { at, len }, .parent = s->depth == 2 ? s->member[1] : -1 };
	s->member[s->depth] = (int32_t)d->n_members++;
	return 0;
}

static int add_key(struct parser *s, uint32_t at, uint32_t len, unsigned flags)
{
	struct json_doc *d = s->doc;
	int r;

	if (flags & (JSON_STRING_LONE | JSON_STRING_NUL))
		return JSON_KEY_TEXT;
	r = json_keys_add(&d->keys, &s->frame[s->depth], d->out.data, at, len, !(flags & JSON_STRING_NONASCII));
	if (r < 0)
		return r;
	if (r == JSON_KEYS_DUPLICATE)
		return JSON_DUPLICATE;
	if (r == JSON_KEYS_TOO_MANY)
		return JSON_MANY_KEYS;
	if (r == JSON_KEYS_COLLIDE) {
		if (d->n_collisions == JSON_COLLISIONS_MAX)
			return JSON_COLLISIONS;
		d->collisions[d->n_collisions++] = at;
	}
	return s->depth <= 2 ? member_begin(s, at, len) : 0;
}

/* At a key: the key and its colon. */
static int key(struct parser *s)
{
	unsigned flags;
	uint32_t at;
	int r;

	if (*s->c.p != '"')
		return misplaced(s);
	*s->c.o++ = *s->c.p++;
	at = offset(s);
	r = json_copy_string(&s->c, &flags);
	if (r)
		return r;
	r = add_key(s, at, offset(s) - 1 - at, flags);
	if (r)
		return r;
	if (s->depth <= 2)
		s->doc->members[s->member[s->depth]].value.at = offset(s) + 1;
	skip_blanks(s);
	if (*s->c.p != ':')
		return misplaced(s);
	*s->c.o++ = *s->c.p++;
	return 0;
}

static int scalar(struct parser *s)
{
	unsigned flags;

	switch (*s->c.p) {
	case '"':
		*s->c.o++ = *s->c.p++;
		return json_copy_string(&s->c, &flags);
	case 't':
		return literal(s, "true", 4);
	case 'f':
		return literal(s, "false", 5);
	case 'n':
		return literal(s, "null", 4);
	case '-':
	case '0' ... '9':
		return number(s);
	default:
		return misplaced(s);
	}
}

static void member_end(struct parser *s)
{
	if (s->depth >= 1 && s->depth <= 2 && s->object[s->depth]) {
		struct json_member *m = &s->doc->members[s->member[s->depth]];
		m->value.len = offset(s) - m->value.at;
	}
}

/* A value has ended: closes what closes with it and stops before the next value, or at depth 0. */
static int after_value(struct parser *s)
{
	while (s->depth > 0) {
		member_end(s);
		skip_blanks(s);
		if (*s->c.p == ',') {
			*s->c.o++ = *s->c.p++;
			skip_blanks(s);
			return s->object[s->depth] ? key(s) : 0;
		}
		if (*s->c.p != (s->object[s->depth] ? '}' : ']'))
			return misplaced(s);
		close_value(s);
		int r = json_cursor_room(&s->c);
		if (r)
			return r;
	}
	return 0;
}

/* At an opening bracket. *ret_empty: it closed at once. */
static int container(struct parser *s, bool *ret_empty)
{
	bool object = *s->c.p == '{';
	int r = open_value(s, object);

	*ret_empty = false;
	if (r)
		return r;
	skip_blanks(s);
	if (*s->c.p == (object ? '}' : ']')) {
		close_value(s);
		*ret_empty = true;
		return 0;
	}
	return object ? key(s) : 0;
}

static int value(struct parser *s)
{
	bool ended = true;
	int r = json_cursor_room(&s->c);

	if (r)
		return r;
	skip_blanks(s);
	if (*s->c.p == '{' || *s->c.p == '[')
		r = container(s, &ended);
	else
		r = scalar(s);
	if (r == 0 && ended)
		r = json_cursor_room(&s->c);
	return r || !ended ? r : after_value(s);
}

static int parse(struct parser *s)
{
	int r;

	skip_blanks(s);
	if (s->c.p == s->c.end)
		return JSON_EMPTY;
	if (*s->c.p != '{')
		return *s->c.p == '[' ? JSON_NOT_OBJECT : misplaced(s);
	do
		r = value(s);
	while (r == 0 && s->depth > 0);
	if (r)
		return r;
	skip_blanks(s);
	if (s->c.p != s->c.end)
		return *s->c.p < 0x20 ? JSON_CONTROL : JSON_TRAILING;
	s->c.out->len = offset(s);
	s->c.out->data[s->c.out->len] = '\0';
	return s->c.out->len > s->doc->out_max ? JSON_TOO_LONG : 0;
}

int json_parse(struct json_doc *d, const char *p, size_t n)
{
	struct parser s = {
		.doc = d,
		.c = { .p = (const unsigned char *)p, .end = (const unsigned char *)p + n, .out = &d->out },
		.member = { -1, -1, -1 },
	};
	int r;

	buf_clear(&d->out);
	s.c.o = (unsigned char *)d->out.data;
	d->n_members = d->n_collisions = 0;
	json_keys_reset(&d->keys);
	r = json_cursor_grow(&s.c);
	return r ? r : parse(&s);
}
