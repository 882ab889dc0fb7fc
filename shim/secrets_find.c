/* SPDX-License-Identifier: Apache-2.0 */
/* secrets_find - see secrets.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "shim/secrets.h"
#include "shim/secrets_run.h"

static bool is_base64(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/' ||
	       c == '-' || c == '_';
}

/* The characters at the ends of base64 hold bits of the value beside others. */
static struct secrets_hit widened(const struct finder_hit *h, const char *p, size_t n, size_t from)
{
	struct secrets_hit hit = { h->at, h->len, h->tag & SECRETS_TAG_INDEX, (h->tag & SECRETS_TAG_BASE64) != 0 };

	if ((h->tag & SECRETS_TAG_BEFORE) && hit.at > from && is_base64(p[hit.at - 1])) {
		hit.at--;
		hit.len++;
	}
	if ((h->tag & SECRETS_TAG_AFTER) && hit.at + hit.len < n && is_base64(p[hit.at + hit.len]))
		hit.len++;
	return hit;
}

void secrets_walk_init(struct secrets_walk *w, const struct secrets *s, bool raw, const char *p, size_t n)
{
	*w = (struct secrets_walk){ .s = s, .raw = raw, .p = p, .n = n };
	for (size_t i = 0; s->n && i < SECRETS_RUNS; i++)
		secrets_run_init(&w->runs[i], (enum secrets_coding)i, p);
}

void secrets_walk_done(struct secrets_walk *w)
{
	for (size_t i = 0; i < SECRETS_RUNS; i++)
		secrets_run_done(&w->runs[i]);
}

/* The next as it stands, from there on. */
static void find_plain(struct secrets_walk *w, size_t from)
{
	const struct secrets *s = w->s;
	struct finder_hit h;
	bool found;

	if (w->looked && w->plain.at >= from)
		return;
	w->looked = true;
	found = finder_find(w->raw ? s->raw : s->canonical, w->p, w->n, from, &h);
	w->plain = found ? widened(&h, w->p, w->n, from) : (struct secrets_hit){ .at = SIZE_MAX };
	w->work += (found ? h.at + h.len : w->n) - from;
}

static const struct secrets_hit *earlier(const struct secrets_hit *a, const struct secrets_hit *b)
{
	return b->at < a->at || (b->at == a->at && b->at != SIZE_MAX && b->len > a->len) ? b : a;
}

int secrets_walk_next(struct secrets_walk *w, size_t from, struct secrets_hit *ret)
{
	const struct secrets_hit *best = &w->plain;
	int r = 0;

	if (w->s->n == 0 || from >= w->n)
		return 0;
	find_plain(w, from);
	for (size_t i = 0; r == 0 && i < SECRETS_RUNS; i++) {
		r = secrets_run_next(w, &w->runs[i], from);
		best = earlier(best, &w->runs[i].hit);
	}
	if (r < 0 || best->at == SIZE_MAX)
		return r;
	*ret = *best;
	return 1;
}

int secrets_find(const struct secrets *s, bool raw, const char *p, size_t n, size_t from, struct secrets_hit *ret)
{
	_cleanup_(secrets_walk_done) struct secrets_walk w;

	secrets_walk_init(&w, s, raw, p, n);
	return secrets_walk_next(&w, from, ret);
}

/* From where on the bytes before that end can be within a value: the first that follows what no value has beside it. */
static size_t may_begin(const struct secrets *s, const unsigned char *p, size_t end)
{
	size_t at = end ? end - 1 : 0, most = s->edges->longest;

	while (at > 0 && end - at < most && secrets_has_bit(s->edges->pairs, (unsigned)p[at - 1] << 8 | p[at]))
		at--;
	return at;
}

/* The string of which so much stands there and more would follow, or NULL. */
static const struct finder_string *begun(const struct finder *f, const char *p, size_t n)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->strings[i].len > n && memcmp(p, f->bytes.data + f->strings[i].at, n) == 0)
			return &f->strings[i];
	return NULL;
}

int secrets_begin_before(const struct secrets *s, const char *p, size_t end, struct secrets_hit *ret)
{
	*ret = (struct secrets_hit){ 0 };
	if (s->n == 0)
		return 0;
	/* Whoever writes the text can have a thousand cuts in it: most are told by the bytes right before them. */
	for (size_t at = may_begin(s, (const unsigned char *)p, end); at + FINDER_SHORTEST <= end; at++) {
		const struct finder_string *f =
			secrets_has_bit(s->edges->first, (unsigned char)p[at]) ? begun(s->raw, p + at, end - at) : NULL;
		if (!f)
			continue;
		*ret = (struct secrets_hit){ at, end - at, f->tag & SECRETS_TAG_INDEX, false };
		return 1;
	}
	return 0;
}

static int put_mark(const struct secrets *s, bool fill, struct buf *out, const char *p, const struct secrets_hit *h,
	uint64_t *counts)
{
	int r = 0;

	counts[h->secret]++;
	if (!fill)
		return buf_printf(out, "[stockade: value of %.100s]", s->values[h->secret].name);
	for (size_t i = 0; r == 0 && i < h->len; i++)
		r = buf_putc(out, is_base64(p[h->at + i]) ? 'A' : p[h->at + i]);
	return r;
}

/* A hit and what overlaps it, as one. */
static int find_all(struct secrets_walk *w, size_t from, struct secrets_hit *ret)
{
	struct secrets_hit more = { 0 };
	int r = secrets_walk_next(w, from, ret), again = r;

	for (size_t at = ret->at; again > 0; at = more.at) {
		again = secrets_walk_next(w, at + 1, &more);
		if (again <= 0 || more.at >= ret->at + ret->len)
			break;
		if (more.at + more.len > ret->at + ret->len)
			ret->len = more.at + more.len - ret->at;
	}
	return again < 0 ? again : r;
}

int secrets_replace(
	const struct secrets *s, bool raw, bool fill, struct buf *out, const char *p, size_t n, uint64_t *counts)
{
	_cleanup_(secrets_walk_done) struct secrets_walk w;
	struct secrets_hit h = { 0 };
	size_t from = 0;
	int r;

	secrets_walk_init(&w, s, raw, p, n);
	while ((r = find_all(&w, from, &h)) > 0) {
		r = buf_append(out, p + from, h.at - from);
		if (r == 0)
			r = put_mark(s, fill && h.base64, out, p, &h, counts);
		if (r < 0)
			return r;
		from = h.at + h.len;
	}
	return r < 0 ? r : buf_append(out, p + from, n - from);
}
