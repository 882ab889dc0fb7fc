/* SPDX-License-Identifier: Apache-2.0 */
/* define - see define.h */
#include "shim/define.h"
#include <errno.h>
#include <string.h>
#include "shim/blake2s.h"

_Static_assert((int)BLAKE2S_BYTES == (int)DEFINITION_DIGEST_BYTES, "the digest fits");

struct member {
	struct slice key, value;
};

static int compare_members(const void *a, const void *b)
{
	const struct slice x = ((const struct member *)a)->key, y = ((const struct member *)b)->key;
	size_t n = x.n < y.n ? x.n : y.n;
	int order = n ? memcmp(x.p, y.p, n) : 0;

	return order ? order : x.n < y.n ? -1 : x.n > y.n;
}

/* The members of an object in the order of their keys; heap. */
static int sorted_members(struct slice object, struct member **ret, size_t *ret_n)
{
	struct walk w = walk_object(object);
	struct slice key, value;
	size_t n = 0, i = 0;
	struct member *v;

	while (walk_member(&w, &key, &value))
		n++;
	v = n ? calloc(n, sizeof(*v)) : NULL;
	if (n && !v)
		return -ENOMEM;
	for (w = walk_object(object); walk_member(&w, &key, &value); i++)
		v[i] = (struct member){ key, value };
	if (n > 1)
		qsort(v, n, sizeof(*v), compare_members);
	*ret = v;
	*ret_n = n;
	return 0;
}

/* Nests as deep as the parser allows (JSON_DEPTH_MAX). */
static int put_value(struct buf *out, struct slice value);

static int put_object(struct buf *out, struct slice value)
{
	_cleanup_free_ struct member *v = NULL;
	size_t n;
	int r = sorted_members(value, &v, &n);

	if (r == 0)
		r = buf_putc(out, '{');
	for (size_t i = 0; r == 0 && i < n; i++) {
		if (i > 0)
			r = buf_putc(out, ',');
		/* With its quotes. */
		if (r == 0)
			r = buf_append(out, v[i].key.p - 1, v[i].key.n + 2);
		if (r == 0)
			r = buf_putc(out, ':');
		if (r == 0)
			r = put_value(out, v[i].value);
	}
	return r ? r : buf_putc(out, '}');
}

static int put_array(struct buf *out, struct slice value)
{
	struct walk w = walk_array(value);
	struct slice element;
	bool first = true;
	int r = buf_putc(out, '[');

	while (r == 0 && walk_element(&w, &element)) {
		if (!first)
			r = buf_putc(out, ',');
		first = false;
		if (r == 0)
			r = put_value(out, element);
	}
	return r ? r : buf_putc(out, ']');
}

static int put_value(struct buf *out, struct slice value)
{
	if (walk_is_object(value))
		return put_object(out, value);
	if (walk_is_array(value))
		return put_array(out, value);
	return buf_append(out, value.p, value.n);
}

int define_sorted(struct buf *out, struct slice value)
{
	int r;

	buf_clear(out);
	if (value.n > out->max)
		return DEFINE_TOO_LARGE;
	r = put_value(out, value);
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
		const char *special = memchr("~/[", key.p[i], 3);
		r = special ? buf_printf(path, "~%c",
				      *special == '~'	? '0'
				      : *special == '/' ? '1'
							: '2')
			    : buf_putc(path, key.p[i]);
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
