/* SPDX-License-Identifier: Apache-2.0 */
/* finder - see finder.h */
#include "shim/finder.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { GROUP = 4, FIRST_STRINGS = 16 };

void finder_init(struct finder *f)
{
	memset(f, 0, sizeof(*f));
	f->bytes = BUF_INIT(FINDER_BYTES_MAX);
}

void finder_done(struct finder *f)
{
	if (f->bytes.data)
		explicit_bzero(f->bytes.data, f->bytes.cap);
	buf_done(&f->bytes);
	free(f->strings);
	free(f->groups);
	explicit_bzero(f, sizeof(*f));
}

/* As buf_append, but what the bytes lay in before is wiped. */
static int append_wiped(struct buf *b, const char *p, size_t n)
{
	struct buf more = BUF_INIT(b->max);
	int r;

	if (b->cap - b->len > n)
		return buf_append(b, p, n);
	r = buf_reserve(&more, 2 * (b->len + n));
	if (r == -E2BIG)
		r = buf_reserve(&more, b->len + n);
	if (r == 0 && b->len)
		r = buf_append(&more, b->data, b->len);
	if (r == 0)
		r = buf_append(&more, p, n);
	if (r < 0) {
		buf_done(&more);
		return r;
	}
	if (b->data)
		explicit_bzero(b->data, b->cap);
	buf_done(b);
	*b = more;
	return 0;
}

int finder_add(struct finder *f, const char *p, size_t n, uint32_t tag)
{
	struct finder_string *s;
	int r;

	if (n < FINDER_SHORTEST)
		return -EINVAL;
	if (f->n == f->cap) {
		size_t cap = f->cap ? 2 * f->cap : FIRST_STRINGS;
		s = reallocarray(f->strings, cap, sizeof(*s));
		if (!s)
			return -ENOMEM;
		f->strings = s;
		f->cap = cap;
	}
	r = append_wiped(&f->bytes, p, n);
	if (r < 0)
		return r;
	f->strings[f->n++] =
		(struct finder_string){ .at = (uint32_t)(f->bytes.len - n), .len = (uint32_t)n, .tag = tag };
	return 0;
}

static inline uint32_t hash(const char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v * 0x9e3779b1u;
}

static inline uint32_t head_of(uint32_t h)
{
	return h >> (32 - FINDER_HEAD_BITS);
}

/* One bit for each, so that few that no string has look like one that a string has. */
static inline unsigned is_seen(const uint8_t *seen, uint32_t h)
{
	return (unsigned)seen[h >> (32 - FINDER_SEEN_BITS + 3)] >> (h >> (32 - FINDER_SEEN_BITS) & 7);
}

int finder_ready(struct finder *f)
{
	size_t shortest = FINDER_STRIDE_MAX + GROUP - 1;

	if (f->n == 0)
		return 0;
	for (size_t i = 0; i < f->n; i++)
		shortest = f->strings[i].len < shortest ? f->strings[i].len : shortest;
	f->stride = (uint32_t)shortest - GROUP + 1;
	f->groups = calloc(f->n * f->stride, sizeof(*f->groups));
	if (!f->groups)
		return -ENOMEM;
	for (uint32_t i = 0; i < f->n; i++)
		for (uint32_t offset = 0; offset < f->stride; offset++) {
			uint32_t h = hash(f->bytes.data + f->strings[i].at + offset);
			uint32_t *head = &f->heads[head_of(h)];
			f->seen[h >> (32 - FINDER_SEEN_BITS + 3)] |=
				(uint8_t)(1u << (h >> (32 - FINDER_SEEN_BITS) & 7));
			f->groups[f->n_groups++] =
				(struct finder_group){ .next = *head, .string = i, .offset = offset };
			*head = (uint32_t)f->n_groups;
		}
	return 0;
}

/* The best of the strings that have the group at p + at. */
static bool compare(
	const struct finder *f, const char *p, size_t n, size_t from, size_t at, uint32_t h, struct finder_hit *ret)
{
	bool found = false;

	for (uint32_t i = f->heads[head_of(h)]; i; i = f->groups[i - 1].next) {
		const struct finder_group *g = &f->groups[i - 1];
		const struct finder_string *s = &f->strings[g->string];
		size_t start = at - g->offset;
		if (at < from + g->offset || s->len > n - start ||
			memcmp(p + start, f->bytes.data + s->at, s->len) != 0)
			continue;
		if (found && (start > ret->at || (start == ret->at && s->len <= ret->len)))
			continue;
		*ret = (struct finder_hit){ start, s->len, s->tag };
		found = true;
	}
	return found;
}

/* Past groups that no string has, several at a time: most of every text. */
static inline size_t skip_unseen(const struct finder *f, const char *p, size_t at, size_t last)
{
	const uint8_t *seen = f->seen;
	size_t stride = f->stride;

	while (at + 3 * stride <= last) {
		const char *q = p + at;
		if ((is_seen(seen, hash(q)) | is_seen(seen, hash(q + stride)) | is_seen(seen, hash(q + 2 * stride)) |
			    is_seen(seen, hash(q + 3 * stride))) &
			1)
			break;
		at += 4 * stride;
	}
	return at;
}

bool finder_find(const struct finder *f, const char *p, size_t n, size_t from, struct finder_hit *ret)
{
	size_t stride = f->stride, last = n - GROUP;

	if (stride == 0 || n < GROUP)
		return false;
	for (size_t at = skip_unseen(f, p, from, last); at <= last; at = skip_unseen(f, p, at + stride, last)) {
		/* One of the next few, or the end. */
		for (int i = 0; i < 4 && at <= last; i++, at += stride) {
			uint32_t h = hash(p + at);
			if ((is_seen(f->seen, h) & 1) && compare(f, p, n, from, at, h, ret))
				return true;
		}
		at -= stride;
	}
	return false;
}
