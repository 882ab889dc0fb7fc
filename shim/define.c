/* SPDX-License-Identifier: Apache-2.0 */
/* define - see define.h */
#include "shim/define.h"
#include <errno.h>
#include <string.h>
#include "shim/blake2s.h"

_Static_assert((int)BLAKE2S_BYTES == (int)DEFINITION_DIGEST_BYTES, "the digest fits");

/* One member of an object that is read: where it is in the bytes, with its key's quote; its key's length without. */
struct member {
	uint32_t at, len, key_len;
};

struct sorter {
	char *base;
	struct member *stack; /* of all objects that are open */
	size_t n, cap;
	struct buf moved; /* an object's members in their order */
};

static int compare_members(const void *x, const void *y, void *base)
{
	const struct member *a = x, *b = y;
	const char *from = base;
	uint32_t n = a->key_len < b->key_len ? a->key_len : b->key_len;
	int order = n ? memcmp(from + a->at + 1, from + b->at + 1, n) : 0;

	return order ? order : a->key_len < b->key_len ? -1 : a->key_len > b->key_len;
}

static int push_member(struct sorter *s, struct member m)
{
	if (s->n == s->cap) {
		size_t cap = s->cap ? 2 * s->cap : 64;
		struct member *stack = reallocarray(s->stack, cap, sizeof(*stack));
		if (!stack)
			return -ENOMEM;
		s->stack = stack;
		s->cap = cap;
	}
	s->stack[s->n++] = m;
	return 0;
}

/* The members from there on, side by side in the bytes, come to stand in the order of their keys. */
static int order_members(struct sorter *s, size_t first)
{
	struct member *v = s->stack + first;
	size_t n = s->n - first;
	bool ordered = true;
	int r = 0;

	for (size_t i = 1; ordered && i < n; i++)
		ordered = compare_members(&v[i - 1], &v[i], s->base) < 0;
	s->n = first;
	if (ordered)
		return 0;
	uint32_t at = v[0].at;
	qsort_r(v, n, sizeof(*v), compare_members, s->base);
	buf_clear(&s->moved);
	for (size_t i = 0; r == 0 && i < n; i++) {
		if (i > 0)
			r = buf_putc(&s->moved, ',');
		if (r == 0)
			r = buf_append(&s->moved, s->base + v[i].at, v[i].len);
	}
	if (r == 0)
		memcpy(s->base + at, s->moved.data, s->moved.len);
	return r;
}

/* Both nest as deep as the parser allows (JSON_DEPTH_MAX). */
static int order_value(struct sorter *s, const char **p);

static int order_object(struct sorter *s, const char **p)
{
	size_t first = s->n;
	int r = 0;

	for (*p += 1; r == 0 && **p != '}';) {
		const char *from = *p, *colon = walk_skip(from);
		struct member m = { .at = (uint32_t)(from - s->base), .key_len = (uint32_t)(colon - from - 2) };
		*p = colon + 1;
		r = order_value(s, p);
		m.len = (uint32_t)(*p - from);
		if (r == 0)
			r = push_member(s, m);
		*p += **p == ',';
	}
	*p += 1;
	return r ? r : order_members(s, first);
}

static int order_array(struct sorter *s, const char **p)
{
	int r = 0;

	for (*p += 1; r == 0 && **p != ']'; *p += **p == ',')
		r = order_value(s, p);
	*p += 1;
	return r;
}

/* From *p to after the value. */
static int order_value(struct sorter *s, const char **p)
{
	if (**p == '{')
		return order_object(s, p);
	if (**p == '[')
		return order_array(s, p);
	*p = walk_skip(*p);
	return 0;
}

int define_sorted(struct buf *out, struct slice value)
{
	struct sorter s = { .moved = BUF_INIT(value.n) };
	const char *p;
	int r;

	buf_clear(out);
	if (value.n > out->max)
		return DEFINE_TOO_LARGE;
	/* In whatever order, the bytes are the same: a copy, sorted where it lies. */
	r = buf_append(out, value.p, value.n);
	p = s.base = out->data;
	if (r == 0 && value.n)
		r = order_value(&s, &p);
	free(s.stack);
	buf_done(&s.moved);
	return r == -E2BIG ? DEFINE_TOO_LARGE : r;
}

int define_digest(struct buf *room, struct slice value, uint8_t ret[DEFINITION_DIGEST_BYTES])
{
	int r = define_sorted(room, value);

	if (r == 0)
		blake2s(NULL, 0, room->data, room->len, ret);
	return r;
}

struct flat {
	struct definition *to;
	size_t cap, bytes;
	struct buf path;
};

static int add_field(struct flat *f, struct slice value)
{
	struct definition *d = f->to;
	struct definition_field field;

	if (d->n >= DEFINITION_FIELDS_MAX)
		return DEFINE_TOO_LARGE;
	if (d->n == f->cap) {
		size_t cap = f->cap ? 2 * f->cap : 16;
		struct definition_field *v = reallocarray(d->fields, cap, sizeof(*v));
		if (!v)
			return -ENOMEM;
		d->fields = v;
		f->cap = cap;
	}
	/* Long paths repeat themselves: all of them together have the definition's own limit, twice. */
	f->bytes += f->path.len + value.n;
	if (f->bytes > 2 * (size_t)DEFINITION_BYTES_MAX)
		return DEFINE_TOO_LARGE;
	field = (struct definition_field){ strndup(f->path.data ? f->path.data : "", f->path.len),
		strndup(value.p, value.n) };
	d->fields[d->n++] = field;
	return field.path && field.value ? 0 : -ENOMEM;
}

/* What separates keys and indices is told from what stands in a key: ~0 for ~, ~1 for /, ~2 for [ (as RFC 6901). */
static int put_key(struct buf *path, struct slice key)
{
	int r = path->len ? buf_putc(path, '/') : 0;

	for (size_t i = 0; r == 0 && i < key.n; i++) {
		const char c = key.p[i], *as = c == '~' ? "~0" : c == '/' ? "~1" : c == '[' ? "~2" : NULL;
		r = as ? buf_puts(path, as) : buf_putc(path, c);
	}
	return r;
}

static void cut_path(struct buf *path, size_t len)
{
	path->len = len;
	if (path->data)
		path->data[len] = '\0';
}

static int flatten(struct flat *f, struct slice value)
{
	bool object = walk_is_object(value);
	struct walk w = object ? walk_object(value) : walk_array(value);
	struct slice key, element;
	size_t own = f->path.len, n = 0;
	int r = 0;

	while (r == 0 && (object ? walk_member(&w, &key, &element) : walk_element(&w, &element))) {
		r = object ? put_key(&f->path, key) : buf_printf(&f->path, "[%zu]", n);
		if (r == 0)
			r = flatten(f, element);
		cut_path(&f->path, own);
		n++;
	}
	return r || n ? r : add_field(f, value);
}

int define_fields(struct buf *room, struct slice value, struct definition *ret)
{
	struct flat f = { .to = ret, .path = BUF_INIT(DEFINITION_PATH_MAX) };
	int r = define_digest(room, value, ret->digest);

	if (r == 0)
		r = flatten(&f, (struct slice){ room->data, room->len });
	buf_done(&f.path);
	return r == -E2BIG ? DEFINE_TOO_LARGE : r;
}
