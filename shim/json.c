/* SPDX-License-Identifier: Apache-2.0 */
/* json - see json.h */
#include "shim/json.h"
#include <errno.h>
#include <string.h>
#include "shim/json_string.h"

enum { MEMBERS_FIRST = 32, DOC_KEEP = 64 << 10, OUT_SLACK = 8192 };

/* Beside the errors: another value comes next. */
enum { MORE = 1 << 16 };

/* The cursor is apart from it: it stays in registers as long as nobody takes its address for good. */
struct parser {
	struct json_doc *doc;
	int depth;			 /* values open */
	bool object[JSON_DEPTH_MAX + 1]; /* by depth: an object, else an array */
	struct json_frame frame[JSON_DEPTH_MAX + 1];
	int32_t member[3]; /* the member open at depth 1 and 2, or -1 */
};

#define _hot_ inline __attribute__((always_inline))

/* Calls what is not inlined with a copy of the cursor. */
#define WITH_COPY(c, call)                                                                                             \
	({                                                                                                             \
		struct json_cursor copy = *(c);                                                                        \
		int r_ = call;                                                                                         \
		*(c) = copy;                                                                                           \
		r_;                                                                                                    \
	})

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

static _hot_ uint32_t offset(const struct json_cursor *c)
{
	return (uint32_t)(c->o - (unsigned char *)c->out->data);
}

static _hot_ int make_room(struct json_cursor *c)
{
	return c->o_end - c->o >= JSON_STRING_SLACK ? 0 : WITH_COPY(c, json_cursor_grow(&copy, JSON_STRING_SLACK));
}

static _hot_ void skip_blanks(struct json_cursor *c)
{
	while (*c->p == ' ')
		c->p++;
}

/* The error for a byte that fits nowhere. */
static int misplaced(const unsigned char *p, const unsigned char *end)
{
	if (p >= end)
		return JSON_SYNTAX;
	return *p < 0x20 || *p == 0x7f ? JSON_CONTROL : JSON_SYNTAX;
}

static _hot_ const unsigned char *digits(const unsigned char *p)
{
	while (*p >= '0' && *p <= '9')
		p++;
	return p;
}

/* The end of the number at p, or NULL. */
static _hot_ const unsigned char *number_end(const unsigned char *p)
{
	const unsigned char *from = p += *p == '-';

	p = digits(p);
	if (p == from || (*from == '0' && p != from + 1))
		return NULL;
	if (*p == '.') {
		from = p + 1;
		p = digits(from);
		if (p == from)
			return NULL;
	}
	if ((*p | 32) == 'e') {
		from = p + 1;
		from += *from == '+' || *from == '-';
		p = digits(from);
		if (p == from)
			return NULL;
	}
	return p;
}

static int long_number(struct json_cursor *c, size_t n)
{
	size_t room = n + JSON_STRING_SLACK;
	int r;

	if (n > JSON_NUMBER_MAX)
		return JSON_NUMBER;
	r = (size_t)(c->o_end - c->o) < room ? json_cursor_grow(c, room) : 0;
	if (r)
		return r;
	memcpy(c->o, c->p, n);
	c->o += n;
	c->p += n;
	return 0;
}

static _hot_ int number(struct json_cursor *c)
{
	const unsigned char *end = number_end(c->p);
	size_t n;

	if (!end)
		return JSON_NUMBER;
	n = (size_t)(end - c->p);
	if (n > 16 || c->end - c->p < 16)
		return WITH_COPY(c, long_number(&copy, n));
	memcpy(c->o, c->p, 16);
	c->o += n;
	c->p += n;
	return 0;
}

static _hot_ int literal(struct json_cursor *c, const char *word, size_t n)
{
	if ((size_t)(c->end - c->p) < n || memcmp(c->p, word, n) != 0)
		return misplaced(c->p, c->end);
	memcpy(c->o, word, n);
	c->o += n;
	c->p += n;
	return 0;
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
	d->members[d->n_members] = (struct json_member){
		.key = { at, len }, .value = { .at = at + len + 2 }, .parent = s->depth == 2 ? s->member[1] : -1
	};
	s->member[s->depth] = (int32_t)d->n_members++;
	return 0;
}

static int odd_key(struct parser *s, int found, uint32_t at)
{
	struct json_doc *d = s->doc;

	if (found != JSON_KEYS_COLLIDE)
		return found < 0 ? found : found == JSON_KEYS_DUPLICATE ? JSON_DUPLICATE : JSON_MANY_KEYS;
	if (d->n_collisions == JSON_COLLISIONS_MAX)
		return JSON_COLLISIONS;
	d->collisions[d->n_collisions++] = at;
	return 0;
}

static _hot_ int add_key(struct parser *s, uint32_t at, uint32_t len, unsigned flags)
{
	struct json_doc *d = s->doc;
	int r;

	if (flags & (JSON_STRING_LONE | JSON_STRING_NUL))
		return JSON_KEY_TEXT;
	r = json_keys_add(&d->keys, &s->frame[s->depth], d->out.data, at, len, !(flags & JSON_STRING_NONASCII));
	if (r)
		r = odd_key(s, r, at);
	return r || s->depth > 2 ? r : member_begin(s, at, len);
}

/* From after the opening quote. */
static _hot_ int string(struct parser *s, struct json_cursor *c, unsigned *flags)
{
	*c->o++ = *c->p++;
	*flags = 0;
	if (json_copy_short(c))
		return 0;
	int r = WITH_COPY(c, json_copy_string(&copy, flags));
	s->doc->seen |= *flags;
	return r;
}

/* At a key: the key and its colon. */
static _hot_ int key(struct parser *s, struct json_cursor *c)
{
	unsigned flags;
	uint32_t at = offset(c) + 1;
	int r;

	if (*c->p != '"')
		return misplaced(c->p, c->end);
	r = string(s, c, &flags);
	if (r == 0)
		r = add_key(s, at, offset(c) - 1 - at, flags);
	if (r)
		return r;
	skip_blanks(c);
	if (*c->p != ':')
		return misplaced(c->p, c->end);
	*c->o++ = *c->p++;
	return 0;
}

static _hot_ int scalar(struct parser *s, struct json_cursor *c)
{
	unsigned flags;

	switch (*c->p) {
	case '"':
		return string(s, c, &flags);
	case 't':
		return literal(c, "true", 4);
	case 'f':
		return literal(c, "false", 5);
	case 'n':
		return literal(c, "null", 4);
	case '-':
	case '0' ... '9':
		return number(c);
	default:
		return misplaced(c->p, c->end);
	}
}

static _hot_ void close_value(struct parser *s, struct json_cursor *c)
{
	if (s->object[s->depth])
		json_keys_close(&s->doc->keys, &s->frame[s->depth]);
	*c->o++ = *c->p++;
	s->depth--;
}

/* At an opening bracket: MORE when it holds something, 0 when it closed at once. */
static _hot_ int container(struct parser *s, struct json_cursor *c)
{
	bool object = *c->p == '{';

	if (s->depth >= JSON_DEPTH_MAX)
		return JSON_DEPTH;
	s->depth++;
	s->object[s->depth] = object;
	*c->o++ = *c->p++;
	if (object)
		json_keys_open(&s->doc->keys, &s->frame[s->depth]);
	skip_blanks(c);
	if (*c->p == (object ? '}' : ']')) {
		close_value(s, c);
		return 0;
	}
	return MORE;
}

static _hot_ void member_end(struct parser *s, const struct json_cursor *c)
{
	if (s->depth <= 2 && s->object[s->depth]) {
		struct json_member *m = &s->doc->members[s->member[s->depth]];
		m->value.len = offset(c) - m->value.at;
	}
}

/* A value has ended: closes what closes with it. MORE after a comma, 0 when all is closed. */
static _hot_ int after_value(struct parser *s, struct json_cursor *c)
{
	while (s->depth > 0) {
		member_end(s, c);
		skip_blanks(c);
		if (*c->p == ',') {
			*c->o++ = *c->p++;
			skip_blanks(c);
			return MORE;
		}
		if (*c->p != (s->object[s->depth] ? '}' : ']'))
			return misplaced(c->p, c->end);
		close_value(s, c);
		int r = make_room(c);
		if (r)
			return r;
	}
	return 0;
}

/* One value after the other, each with the key before it, until the outermost is closed. */
static int values(struct parser *s, struct json_cursor *cursor)
{
	struct json_cursor c = *cursor;
	int r;

	do {
		r = make_room(&c);
		if (r == 0 && s->depth > 0 && s->object[s->depth])
			r = key(s, &c);
		if (r == 0)
			r = make_room(&c);
		if (r)
			return r;
		skip_blanks(&c);
		r = *c.p == '{' || *c.p == '[' ? container(s, &c) : scalar(s, &c);
		if (r == 0)
			r = after_value(s, &c);
	} while (r == MORE);
	*cursor = c;
	return r;
}

static int parse(struct parser *s, struct json_cursor *c)
{
	int r;

	skip_blanks(c);
	if (c->p == c->end)
		return JSON_EMPTY;
	if (*c->p != '{')
		return *c->p == '[' ? JSON_NOT_OBJECT : misplaced(c->p, c->end);
	r = values(s, c);
	if (r)
		return r;
	skip_blanks(c);
	if (c->p != c->end)
		return *c->p < 0x20 ? JSON_CONTROL : JSON_TRAILING;
	c->out->len = offset(c);
	c->out->data[c->out->len] = '\0';
	return c->out->len > s->doc->out_max ? JSON_TOO_LONG : 0;
}

int json_parse(struct json_doc *d, const char *p, size_t n)
{
	struct parser s = { .doc = d, .member = { -1, -1, -1 } };
	struct json_cursor c = { .p = (const unsigned char *)p, .end = (const unsigned char *)p + n, .out = &d->out };
	int r;

	buf_clear(&d->out);
	c.o = (unsigned char *)d->out.data;
	d->n_members = d->n_collisions = 0;
	d->seen = 0;
	json_keys_reset(&d->keys);
	r = json_cursor_grow(&c, JSON_STRING_SLACK);
	return r ? r : parse(&s, &c);
}
