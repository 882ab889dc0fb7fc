/* SPDX-License-Identifier: Apache-2.0 */
/* codec - see codec.h */
#include "wire/codec.h"
#include <endian.h>
#include <errno.h>
#include <string.h>
#include "build_id.h"

static const uint32_t WIRE_NULL = UINT32_MAX;

/* At once what nearly all messages take. */
enum { WIRE_USUAL = 1000 };

static inline void put(struct wire_writer *w, const void *p, size_t n)
{
	struct buf *b = &w->buf;
	int r;

	if (w->error)
		return;
	/* Where there is room already, and nearly always there is: a number is one instruction then. */
	if (n < b->cap - b->len && n <= b->max - b->len) {
		memcpy(b->data + b->len, p, n);
		b->len += n;
		b->data[b->len] = '\0';
		return;
	}
	r = buf_append(b, p, n);
	if (r < 0)
		w->error = r;
}

void wire_put_u8(struct wire_writer *w, uint8_t v)
{
	put(w, &v, 1);
}

void wire_put_u32(struct wire_writer *w, uint32_t v)
{
	v = htole32(v);
	put(w, &v, sizeof(v));
}

void wire_put_u64(struct wire_writer *w, uint64_t v)
{
	v = htole64(v);
	put(w, &v, sizeof(v));
}

void wire_put_bytes(struct wire_writer *w, const void *p, size_t n)
{
	if (n > WIRE_BYTES_MAX) {
		w->error = w->error ? w->error : -E2BIG;
		return;
	}
	wire_put_u32(w, (uint32_t)n);
	if (n > 0)
		put(w, p, n);
}

void wire_put_str(struct wire_writer *w, const char *s)
{
	/* Most texts of a record are empty. */
	if (!s || !*s)
		wire_put_u32(w, s ? 0 : WIRE_NULL);
	else
		wire_put_bytes(w, s, strlen(s));
}

void wire_put_strv(struct wire_writer *w, char *const *v, size_t n)
{
	wire_put_u32(w, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		wire_put_str(w, v[i]);
}

void wire_begin(struct wire_writer *w, enum wire_kind kind, size_t max)
{
	*w = (struct wire_writer){ .buf = BUF_INIT(max) };
	w->error = buf_reserve(&w->buf, max < WIRE_USUAL ? max : WIRE_USUAL);
	wire_put_u32(w, WIRE_MAGIC);
	wire_put_u32(w, WIRE_VERSION);
	wire_put_u32(w, kind);
	wire_put_str(w, STOCKADE_BUILD_ID);
}

int wire_finish(const struct wire_writer *w)
{
	return w->error;
}

void wire_writer_done(struct wire_writer *w)
{
	buf_done(&w->buf);
}

void wire_refuse(struct wire_reader *r)
{
	r->error = r->error ? r->error : -EPROTO;
}

static const void *get(struct wire_reader *r, size_t n)
{
	const void *p = r->p;

	if (r->error || n > r->left) {
		wire_refuse(r);
		return NULL;
	}
	r->p += n;
	r->left -= n;
	return p;
}

uint8_t wire_get_u8(struct wire_reader *r)
{
	const uint8_t *p = get(r, 1);

	return p ? *p : 0;
}

uint32_t wire_get_u32(struct wire_reader *r)
{
	const void *p = get(r, sizeof(uint32_t));
	uint32_t v = 0;

	if (p)
		memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

uint64_t wire_get_u64(struct wire_reader *r)
{
	const void *p = get(r, sizeof(uint64_t));
	uint64_t v = 0;

	if (p)
		memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

uint32_t wire_get_count(struct wire_reader *r, size_t min_size)
{
	uint32_t n = wire_get_u32(r);

	if (r->error)
		return 0;
	if (n > WIRE_COUNT_MAX || (min_size > 0 && n > r->left / min_size)) {
		r->error = -EPROTO;
		return 0;
	}
	return n;
}

void *wire_get_array(struct wire_reader *r, size_t min_size, uint32_t max, size_t size, uint32_t *ret_n)
{
	uint32_t n = wire_get_count(r, min_size);
	void *v;

	*ret_n = 0;
	if (n > max)
		wire_refuse(r);
	if (r->error || n == 0)
		return NULL;
	v = calloc(n, size);
	if (!v)
		r->error = -ENOMEM;
	else
		*ret_n = n;
	return v;
}

void wire_get_exactly(struct wire_reader *r, void *ret, size_t size)
{
	size_t n;
	const void *p = wire_get_bytes(r, &n);

	if (!p || n != size)
		wire_refuse(r);
	else
		memcpy(ret, p, n);
}

const void *wire_get_bytes(struct wire_reader *r, size_t *ret_len)
{
	uint32_t n = wire_get_u32(r);
	const void *p = get(r, n);

	*ret_len = p ? n : 0;
	return p;
}

/* Counted text without a NUL inside; NULL with *len 0 for a NULL string or on error. */
static const char *get_text(struct wire_reader *r, size_t *len)
{
	uint32_t n = wire_get_u32(r);
	const char *p;

	*len = 0;
	if (r->error || n == WIRE_NULL)
		return NULL;
	p = get(r, n);
	if (p && memchr(p, '\0', n)) {
		r->error = -EPROTO;
		return NULL;
	}
	*len = p ? n : 0;
	return p;
}

char *wire_get_str(struct wire_reader *r)
{
	size_t n;
	const char *p = get_text(r, &n);
	char *s;

	if (!p)
		return NULL;
	s = strndup(p, n);
	if (!s)
		r->error = -ENOMEM;
	return s;
}

void wire_get_str_fixed(struct wire_reader *r, char *ret, size_t size)
{
	size_t n;
	const char *p = get_text(r, &n);

	ret[0] = '\0';
	if (!p)
		return;
	if (n >= size) {
		r->error = -EPROTO;
		return;
	}
	memcpy(ret, p, n);
	ret[n] = '\0';
}

bool wire_id_is_safe(uint32_t id)
{
	return id != 0 && id != UINT32_MAX;
}

int wire_open(struct wire_reader *r, const void *p, size_t n, enum wire_kind kind)
{
	char build[64];

	*r = (struct wire_reader){ .p = p, .left = n };
	if (wire_get_u32(r) != WIRE_MAGIC || wire_get_u32(r) != WIRE_VERSION || wire_get_u32(r) != (uint32_t)kind)
		return -EPROTO;
	wire_get_str_fixed(r, build, sizeof(build));
	if (r->error || strcmp(build, STOCKADE_BUILD_ID) != 0)
		return -EPROTO;
	return 0;
}

bool wire_is(const void *p, size_t n, enum wire_kind kind)
{
	struct wire_reader r;

	return wire_open(&r, p, n, kind) == 0;
}

int wire_close(const struct wire_reader *r)
{
	if (r->error)
		return r->error;
	return r->left ? -EPROTO : 0;
}
