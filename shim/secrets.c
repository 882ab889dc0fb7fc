/* SPDX-License-Identifier: Apache-2.0 */
/* secrets - see secrets.h */
#include "shim/secrets.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/text.h"

enum { FORM_MAX = 8 * SHIM_SECRET_BYTES_MAX };
_Static_assert((int)SHIM_SECRETS_MAX <= (int)SECRETS_TAG_INDEX, "a secret's index fits its tag");

/* Bufs that held a secret. */
static void wiped(struct buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->cap);
	buf_done(b);
}
#define _cleanup_wiped_ _cleanup_(wiped)

enum escape {
	ESCAPE_CANONICAL, /* as json.h has it */
	ESCAPE_SHORT,	  /* what RFC 8259 demands, and no more */
	ESCAPE_ASCII,	  /* all that is not ASCII, too */
	ESCAPE_SLASH,	  /* and the slash */
};

static bool is_escaped(uint32_t cp, enum escape how)
{
	if (cp < 0x20 || cp == '"' || cp == '\\')
		return true;
	switch (how) {
	case ESCAPE_CANONICAL:
		return (cp >= 0x7f && cp < 0xa0) || cp == 0x2028 || cp == 0x2029;
	case ESCAPE_ASCII:
		return cp >= 0x7f;
	case ESCAPE_SLASH:
		return cp == '/';
	default:
		return false;
	}
}

static int put_escape(struct buf *b, uint32_t cp)
{
	static const char shorts[128] = { ['\b'] = 'b',
		['\t'] = 't',
		['\n'] = 'n',
		['\f'] = 'f',
		['\r'] = 'r',
		['"'] = '"',
		['\\'] = '\\',
		['/'] = '/' };

	if (cp < 128 && shorts[cp])
		return buf_printf(b, "\\%c", shorts[cp]);
	if (cp < 0x10000)
		return buf_printf(b, "\\u%04x", cp);
	cp -= 0x10000;
	return buf_printf(b, "\\u%04x\\u%04x", 0xd800 + (cp >> 10), 0xdc00 + (cp & 0x3ff));
}

/* -EILSEQ when it is not UTF-8: JSON cannot hold it. */
static int escape(struct buf *b, const char *p, size_t n, enum escape how)
{
	int r = 0;

	for (size_t at = 0, len; r == 0 && at < n; at += len) {
		uint32_t cp;
		len = utf8_decode((const unsigned char *)p + at, n - at, &cp);
		if (len == 0)
			return -EILSEQ;
		r = is_escaped(cp, how) ? put_escape(b, cp) : buf_append(b, p + at, len);
	}
	return r;
}

static bool is_known(const struct finder *f, size_t from, const char *p, size_t n)
{
	for (size_t i = from; i < f->n; i++)
		if (f->strings[i].len == n && memcmp(f->bytes.data + f->strings[i].at, p, n) == 0)
			return true;
	return false;
}

/* What one value becomes; the finders' strings from there on are of it. */
struct forms {
	struct secrets *s;
	uint32_t tag;
	size_t raw, canonical;
};

static int add_to(struct finder *f, size_t from, const char *p, size_t n, uint32_t tag)
{
	return n < FINDER_SHORTEST || is_known(f, from, p, n) ? 0 : finder_add(f, p, n, tag);
}

/* A form in both finders. */
static int add_form(const struct forms *x, const char *p, size_t n, uint32_t flags)
{
	_cleanup_wiped_ struct buf b = BUF_INIT(FORM_MAX * 2);
	int r = add_to(x->s->raw, x->raw, p, n, x->tag | flags);

	if (r == 0)
		r = escape(&b, p, n, ESCAPE_CANONICAL);
	if (r == 0)
		r = add_to(x->s->canonical, x->canonical, b.data, b.len, x->tag | flags);
	return r == -EILSEQ ? 0 : r;
}

static int add_escaped(const struct forms *x, const char *p, size_t n)
{
	int r = 0;

	for (enum escape how = ESCAPE_SHORT; r == 0 && how <= ESCAPE_SLASH; how++) {
		_cleanup_wiped_ struct buf b = BUF_INIT(FORM_MAX);
		r = escape(&b, p, n, how);
		if (r == 0)
			r = add_form(x, b.data, b.len, 0);
	}
	return r == -EILSEQ ? 0 : r;
}

/* Blanks as '+' (application/x-www-form-urlencoded); what else is encoded there shows by its '%'. */
static int add_plus(const struct forms *x, const char *p, size_t n)
{
	_cleanup_wiped_ struct buf b = BUF_INIT(FORM_MAX);
	int r = buf_append(&b, p, n);

	for (size_t i = 0; r == 0 && i < n; i++)
		if (b.data[i] == ' ')
			b.data[i] = '+';
	return r ? r : add_form(x, b.data, b.len, 0);
}

/* The characters of base64 (RFC 4648) that hang on the value alone when it begins at a byte that is skip beyond a
 * multiple of three. */
static int add_base64(const struct forms *x, const char *p, size_t n, size_t skip, const char *digits)
{
	_cleanup_wiped_ struct buf b = BUF_INIT(FORM_MAX);
	size_t first = (8 * skip + 5) / 6, end = 8 * (skip + n) / 6;
	uint32_t flags =
		SECRETS_TAG_BASE64 | (skip ? SECRETS_TAG_BEFORE : 0) | (8 * (skip + n) % 6 ? SECRETS_TAG_AFTER : 0);
	int r = 0;

	for (size_t i = first; r == 0 && i < end; i++) {
		uint32_t v = 0;
		for (size_t bit = 6 * i; bit < 6 * i + 6; bit++)
			v = v << 1 | ((unsigned char)p[bit / 8 - skip] >> (7 - bit % 8) & 1u);
		r = buf_putc(&b, digits[v]);
	}
	return r ? r : add_form(x, b.data, b.len, flags);
}

static int add_encoded(const struct forms *x, const char *p, size_t n)
{
	static const char *const digits[] = { "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" };
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(digits); i++)
		for (size_t skip = 0; r == 0 && skip < 3; skip++)
			r = add_base64(x, p, n, skip, digits[i]);
	return r;
}

/* A key in PEM comes line by line, indented or quoted. */
static int add_lines(const struct forms *x, const char *p, size_t n)
{
	int r = 0;

	while (r == 0 && n > 0) {
		const char *feed = memchr(p, '\n', n);
		size_t line = feed ? (size_t)(feed - p) : n, text = line;
		if (text && p[text - 1] == '\r')
			text--;
		if (text >= SECRETS_LINE_MIN && !memchr(p, ' ', text) && !memchr(p, '\t', text))
			r = add_form(x, p, text, 0);
		p += line + (feed != NULL);
		n -= line + (feed != NULL);
	}
	return r;
}

static int add_value(struct secrets *s, uint32_t tag, const char *p, size_t n)
{
	const struct forms x = { s, tag, s->raw->n, s->canonical->n };
	int r = n < FINDER_SHORTEST ? -EINVAL : add_form(&x, p, n, 0);

	for (size_t i = 0; i < n; i++)
		s->bytes[(unsigned char)p[i]] = true;
	if (r == 0)
		r = add_escaped(&x, p, n);
	if (r == 0)
		r = add_plus(&x, p, n);
	if (r == 0)
		r = add_encoded(&x, p, n);
	return r == 0 && memchr(p, '\n', n) ? add_lines(&x, p, n) : r;
}

static void set_bit(uint8_t *bits, unsigned at)
{
	bits[at / 8] |= (uint8_t)(1u << at % 8);
}

static void note_edges(struct secrets_edges *e, const struct finder *f)
{
	for (size_t i = 0; i < f->n; i++) {
		const unsigned char *p = (const unsigned char *)f->bytes.data + f->strings[i].at;
		size_t n = f->strings[i].len;
		set_bit(e->first, p[0]);
		set_bit(e->last, p[n - 1]);
		e->longest = n > e->longest ? n : e->longest;
		for (size_t k = 1; k < n; k++)
			set_bit(e->pairs, (unsigned)p[k - 1] << 8 | p[k]);
	}
}

int secrets_init(struct secrets *s, const struct shim_text *config)
{
	int r = 0;

	*s = (struct secrets){ .values = config->secrets, .n = config->n_secrets };
	if (s->n == 0)
		return 0;
	s->raw = malloc(sizeof(*s->raw));
	s->canonical = malloc(sizeof(*s->canonical));
	s->edges = calloc(1, sizeof(*s->edges));
	if (!s->raw || !s->canonical || !s->edges) {
		free(STEAL_PTR(s->raw));
		free(STEAL_PTR(s->canonical));
		free(STEAL_PTR(s->edges));
		return -ENOMEM;
	}
	finder_init(s->raw);
	finder_init(s->canonical);
	for (size_t i = 0; r == 0 && i < s->n; i++)
		r = add_value(s, (uint32_t)i, s->values[i].value, strlen(s->values[i].value));
	note_edges(s->edges, s->raw);
	/* Every byte may be written as a number of six. */
	s->reach = s->edges->longest < SECRETS_REACH_MAX / 6 ? 6 * s->edges->longest : SECRETS_REACH_MAX;
	if (r == 0)
		r = finder_ready(s->raw);
	if (r == 0)
		r = finder_ready(s->canonical);
	return r;
}

void secrets_done(struct secrets *s)
{
	struct finder *finders[] = { s->raw, s->canonical };

	for (size_t i = 0; i < ARRAY_LEN(finders); i++) {
		if (!finders[i])
			continue;
		finder_done(finders[i]);
		free(finders[i]);
	}
	if (s->edges)
		explicit_bzero(s->edges, sizeof(*s->edges));
	free(s->edges);
	*s = (struct secrets){ 0 };
}
