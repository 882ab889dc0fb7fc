/* SPDX-License-Identifier: Apache-2.0 */
/* words - see words.h */
#include "shim/words.h"
#include <errno.h>
#include <string.h>
#include "shim/record.h"
#include "shim/secrets.h"
#include "shim/shim.h"

/* Marks are longer than some values. */
enum { WORDS_GROWTH = SECRETS_MARK_MAX / SHIM_SECRET_BYTES_MIN, CUT_ROOM = 4 /* a character and its NUL */ };

static const char CUT[] = "...";

/* The first "...", NULL: there is none. Most texts have no dot at all. */
static const char *find_dots(const char *p, size_t n)
{
	const char *dot = memchr(p, '.', n);

	return dot ? memmem(dot, n - (size_t)(dot - p), CUT, sizeof(CUT) - 1) : NULL;
}

/* The next place from there on where the text was cut: before "...", or at its end when it fills its room. NULL: none.
 */
static const char *next_cut(const char *from, const char *p, size_t n, size_t size)
{
	const char *end = p + n, *cut = from < end ? find_dots(from, (size_t)(end - from)) : NULL;

	return cut || from > end ? cut : n + CUT_ROOM >= size ? end : NULL;
}

/* Is there a value, or the beginning of one before a cut? */
static int find_any(const struct secrets *x, const char *p, size_t n, size_t size)
{
	struct secrets_hit hit;
	int r = secrets_find(x, true, p, n, 0, &hit);

	for (const char *cut = p; r == 0 && (cut = next_cut(cut, p, n, size)); cut++)
		r = secrets_begin_before(x, p, (size_t)(cut - p), &hit);
	return r;
}

static int put_without_beginnings(const struct secrets *x, struct buf *out, const char *p, size_t n, size_t size)
{
	const char *from = p;
	int r = 0;

	for (const char *cut = p; r == 0 && (cut = next_cut(cut, p, n, size)); cut++) {
		struct secrets_hit hit;
		if (!secrets_begin_before(x, p, (size_t)(cut - p), &hit) || p + hit.at < from)
			continue;
		r = buf_append(out, from, (size_t)(p + hit.at - from));
		if (r == 0)
			r = buf_printf(out, "[stockade: value of %.100s]", x->values[hit.secret].name);
		from = cut;
	}
	return r ? r : buf_append(out, from, (size_t)(p + n - from));
}

static int put_clean(const struct secrets *x, struct buf *out, const char *p, size_t n, size_t size)
{
	_cleanup_buf_ struct buf whole = BUF_INIT(WORDS_GROWTH * n + SECRETS_MARK_MAX);
	uint64_t counts[SHIM_SECRETS_MAX] = { 0 };
	int r = secrets_replace(x, true, false, &whole, p, n, counts);

	return r ? r
		 : put_without_beginnings(x, out, whole.data, whole.len, n + CUT_ROOM >= size ? whole.len : SIZE_MAX);
}

int words_clean(struct shim *s, char *text, size_t size)
{
	const struct secrets *x = &s->text.secrets;
	size_t n = x->n ? strnlen(text, size) : 0;
	_cleanup_buf_ struct buf out = BUF_INIT(WORDS_GROWTH * WORDS_GROWTH * n + SECRETS_MARK_MAX);
	int r = n ? find_any(x, text, n, size) : 0;

	if (r <= 0)
		return r;
	r = put_clean(x, &out, text, n, size);
	if (r == 0)
		record_words(text, size, out.data);
	return r;
}

int words_clean_canonical(struct shim *s, struct slice *text, struct buf *room)
{
	const struct secrets *x = &s->text.secrets;
	uint64_t counts[SHIM_SECRETS_MAX] = { 0 };
	struct secrets_hit hit;
	int r = x->n && text->n ? secrets_find(x, false, text->p, text->n, 0, &hit) : 0;

	if (r <= 0)
		return r;
	r = secrets_replace(x, false, false, room, text->p, text->n, counts);
	if (r == -E2BIG) {
		buf_clear(room);
		r = buf_puts(room, "\"[stockade: too many values of secrets]\"");
	}
	*text = (struct slice){ room->data, room->len };
	return r;
}

/* Every field that anything of a peer's gets into. */
#define FIELDS(X) X(method) X(tool) X(subject) X(reason) X(peer_name) X(peer_version) X(protocol) X(arg_keys)

/* All of them one after the other. */
struct fields {
#define X(field) char field[sizeof(((struct event *)0)->field)];
	FIELDS(X)
#undef X
};

/* With its NUL. Does it fill its room? */
static bool gather(char *all, size_t *n, const char *field, size_t size)
{
	size_t len = strlen(field);

	memcpy(all + *n, field, len + 1);
	*n += len + 1;
	return len + CUT_ROOM >= size;
}

/* One look for all fields: no value has a NUL, so none is put together from two of them. */
static int fields_hold(const struct secrets *x, const struct event *e)
{
	char all[sizeof(struct fields)];
	struct secrets_hit hit;
	bool cut = false;
	size_t n = 0;
	int r;

#define X(field) cut = (e->field[0] && gather(all, &n, e->field, sizeof(e->field))) || cut;
	FIELDS(X)
#undef X
	r = n ? secrets_find(x, true, all, n, 0, &hit) : 0;
	if (r || !(cut || find_dots(all, n)))
		return r;
#define X(field) r = r == 0 && e->field[0] ? find_any(x, e->field, strlen(e->field), sizeof(e->field)) : r;
	FIELDS(X)
#undef X
	return r;
}

static int event_holds(const struct secrets *x, const struct event *e)
{
	struct secrets_hit hit;
	int r = fields_hold(x, e);

	return r == 0 && e->args_len ? secrets_find(x, false, e->args, e->args_len, 0, &hit) : r;
}

int words_clean_event(struct shim *s, const struct event *e, struct event *ret, struct buf *room)
{
	struct slice args = { e->args, e->args_len };
	int r = s->text.secrets.n ? event_holds(&s->text.secrets, e) : 0;

	if (r <= 0)
		return r;
	*ret = *e;
	r = 0;
#define X(field) r = r ? r : words_clean(s, ret->field, sizeof(ret->field));
	FIELDS(X)
#undef X
	if (r == 0)
		r = words_clean_canonical(s, &args, room);
	/* They were cut to this before, and marks may be longer. */
	if (args.n > EVENT_ARGS_MAX) {
		args.n = EVENT_ARGS_MAX;
		while (args.n > 0 && (args.p[args.n] & 0xc0) == 0x80)
			args.n--;
	}
	ret->args = args.p;
	ret->args_len = (uint32_t)args.n;
	return r ? r : 1;
}
