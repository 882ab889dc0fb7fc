/* SPDX-License-Identifier: Apache-2.0 */
/* secrets - see secrets.h */
#include "shim/secrets.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "shim/uri.h"

enum {
	FORM_MAX = 8 * SHIM_SECRET_BYTES_MAX,
	RUN_SMALL = 1024,
	/* A tag: the secret's index, and what of base64 beside the hit belongs to it. */
	TAG_BASE64 = 1 << 16,
	TAG_BEFORE = 1 << 17,
	TAG_AFTER = 1 << 18,
	TAG_INDEX = TAG_BASE64 - 1,
};
_Static_assert((int)SHIM_SECRETS_MAX <= (int)TAG_INDEX, "a secret's index fits its tag");

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
	ESCAPE_ASCII,	  /* all that is not ASCII, too: python */
	ESCAPE_SLASH,	  /* and the slash */
	ESCAPE_PHP,	  /* both */
	ESCAPE_GO,	  /* what HTML has a meaning for */
	ESCAPE_GSON,	  /* and two more */
	ESCAPE_NET,	  /* more, with a number for the quote, all in capitals */
	ESCAPE_COUNT
};

static bool is_escaped(uint32_t cp, enum escape how)
{
	bool html = cp == '<' || cp == '>' || cp == '&';

	if (cp < 0x20 || cp == '"' || cp == '\\')
		return true;
	switch (how) {
	case ESCAPE_CANONICAL:
		return (cp >= 0x7f && cp < 0xa0) || cp == 0x2028 || cp == 0x2029;
	case ESCAPE_ASCII:
		return cp >= 0x7f;
	case ESCAPE_SLASH:
		return cp == '/';
	case ESCAPE_PHP:
		return cp == '/' || cp >= 0x7f;
	case ESCAPE_GO:
		return html || cp == 0x2028 || cp == 0x2029;
	case ESCAPE_GSON:
		return html || cp == '=' || cp == '\'' || cp == 0x2028 || cp == 0x2029;
	case ESCAPE_NET:
		return html || cp == '+' || cp == '\'' || cp == '`' || cp >= 0x7f;
	default:
		return false;
	}
}

static int put_number(struct buf *b, uint32_t unit, enum escape how)
{
	return how == ESCAPE_NET ? buf_printf(b, "\\u%04X", unit) : buf_printf(b, "\\u%04x", unit);
}

static int put_escape(struct buf *b, uint32_t cp, enum escape how)
{
	static const char shorts[128] = { ['\b'] = 'b',
		['\t'] = 't',
		['\n'] = 'n',
		['\f'] = 'f',
		['\r'] = 'r',
		['"'] = '"',
		['\\'] = '\\',
		['/'] = '/' };
	int r;

	if (cp < 128 && shorts[cp] && !(how == ESCAPE_NET && cp == '"'))
		return buf_printf(b, "\\%c", shorts[cp]);
	if (cp < 0x10000)
		return put_number(b, cp, how);
	cp -= 0x10000;
	r = put_number(b, 0xd800 + (cp >> 10), how);
	return r ? r : put_number(b, 0xdc00 + (cp & 0x3ff), how);
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
		r = is_escaped(cp, how) ? put_escape(b, cp, how) : buf_append(b, p + at, len);
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

	for (enum escape how = ESCAPE_SHORT; r == 0 && how < ESCAPE_COUNT; how++) {
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
	uint32_t flags = TAG_BASE64 | (skip ? TAG_BEFORE : 0) | (8 * (skip + n) % 6 ? TAG_AFTER : 0);
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

static bool has_bit(const uint8_t *bits, unsigned at)
{
	return bits[at / 8] >> at % 8 & 1;
}

static void note_edges(struct secrets_edges *e, const struct finder *f)
{
	for (size_t i = 0; i < f->n; i++) {
		const unsigned char *p = (const unsigned char *)f->bytes.data + f->strings[i].at;
		size_t n = f->strings[i].len;
		set_bit(e->first, p[0]);
		set_bit(e->last, p[n - 1]);
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

static bool is_base64(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/' ||
	       c == '-' || c == '_';
}

/* The characters at the ends of base64 hold bits of the value beside others. */
static struct secrets_hit widened(const struct finder_hit *h, const char *p, size_t n, size_t from)
{
	struct secrets_hit hit = { h->at, h->len, h->tag & TAG_INDEX, (h->tag & TAG_BASE64) != 0 };

	if ((h->tag & TAG_BEFORE) && hit.at > from && is_base64(p[hit.at - 1])) {
		hit.at--;
		hit.len++;
	}
	if ((h->tag & TAG_AFTER) && hit.at + hit.len < n && is_base64(p[hit.at + hit.len]))
		hit.len++;
	return hit;
}

static bool is_encoded(const char *p, const char *end)
{
	return *p == '%' && end - p >= 3 && uri_hex(p[1]) >= 0 && uri_hex(p[2]) >= 0;
}

static unsigned char encoded_byte(const char *p)
{
	return (unsigned char)(uri_hex(p[1]) << 4 | uri_hex(p[2]));
}

/* May it be in the middle of something percent-encoded? */
static bool is_run(char c)
{
	return (unsigned char)c > 0x20 && c != '"' && c != '\\';
}

/* Do two bytes that a run stands for stand side by side in what is looked for? '+' may be a blank. */
static bool are_neighbours(const struct secrets_edges *e, unsigned char a, unsigned char b, bool plus_a, bool plus_b)
{
	return has_bit(e->pairs, (unsigned)a << 8 | b) || (plus_a && has_bit(e->pairs, (unsigned)' ' << 8 | b)) ||
	       (plus_b && has_bit(e->pairs, (unsigned)a << 8 | ' '));
}

/* May what is encoded there be part of what is looked for, by what is before and behind it? Most is not. */
static bool may_belong(const struct secrets *s, const char *from, const char *at, const char *end)
{
	const struct secrets_edges *e = s->edges;
	unsigned char b = encoded_byte(at), before, behind;
	const char *next = at + 3;

	if (!s->bytes[b])
		return false;
	if (!has_bit(e->first, b)) {
		if (at == from || !is_run(at[-1]))
			return false;
		before = at - from >= 3 && is_encoded(at - 3, end) ? encoded_byte(at - 3) : (unsigned char)at[-1];
		if (!are_neighbours(e, before, b, at[-1] == '+', false))
			return false;
	}
	if (has_bit(e->last, b))
		return true;
	if (next >= end || !is_run(*next))
		return false;
	behind = is_encoded(next, end) ? encoded_byte(next) : (unsigned char)*next;
	return are_neighbours(e, b, behind, false, *next == '+');
}

/* The bytes that the run stands for; there is room for as many as it has. */
static size_t decode(char *to, const char *p, const char *end, bool plus)
{
	char *out = to;

	while (p < end) {
		bool encoded = is_encoded(p, end);
		*out++ = encoded ? (char)encoded_byte(p) : plus && *p == '+' ? ' ' : *p;
		p += encoded ? 3 : 1;
	}
	return (size_t)(out - to);
}

/* Where in the encoded bytes the n-th decoded one is. */
static const char *encoded_at(const char *p, const char *end, size_t n)
{
	for (; n > 0 && p < end; n--)
		p += is_encoded(p, end) ? 3 : 1;
	return p;
}

/* In one run with percent-encoding in it: 1, 0, -ENOMEM. */
static int find_in_run(
	const struct secrets *s, const char *p, const char *run, const char *end, bool plus, struct secrets_hit *ret)
{
	char small[RUN_SMALL];
	_cleanup_free_ char *large = end - run > RUN_SMALL ? malloc((size_t)(end - run)) : NULL;
	char *to = end - run > RUN_SMALL ? large : small;
	struct finder_hit h;

	if (!to)
		return -ENOMEM;
	if (!finder_find(s->raw, to, decode(to, run, end, plus), 0, &h))
		return 0;
	const char *at = encoded_at(run, end, h.at);
	*ret = (struct secrets_hit){ (size_t)(at - p), (size_t)(encoded_at(at, end, h.len) - at), h.tag & TAG_INDEX,
		false };
	return 1;
}

static int find_encoded(const struct secrets *s, const char *p, size_t n, size_t from, struct secrets_hit *ret)
{
	const char *end = p + n, *at = p + from;
	int r = 0;

	while (r == 0 && at < end && (at = memchr(at, '%', (size_t)(end - at)))) {
		const char *run = at, *stop = at;
		/* What is encoded and in no value is in none that is encoded in part. */
		if (!is_encoded(at, end) || !may_belong(s, p + from, at, end)) {
			at++;
			continue;
		}
		while (run > p + from && is_run(run[-1]))
			run--;
		while (stop < end && is_run(*stop))
			stop++;
		r = find_in_run(s, p, run, stop, false, ret);
		if (r == 0 && s->bytes[' '] && memchr(run, '+', (size_t)(stop - run)))
			r = find_in_run(s, p, run, stop, true, ret);
		at = stop;
	}
	return r;
}

int secrets_find(const struct secrets *s, bool raw, const char *p, size_t n, size_t from, struct secrets_hit *ret)
{
	struct secrets_hit encoded;
	struct finder_hit h;
	int r;

	if (s->n == 0)
		return 0;
	bool plain = finder_find(raw ? s->raw : s->canonical, p, n, from, &h);
	if (plain)
		*ret = widened(&h, p, n, from);
	/* Of those that begin earlier than this one. */
	r = find_encoded(s, p, plain ? h.at : n, from, &encoded);
	if (r > 0)
		*ret = encoded;
	return r < 0 ? r : plain || r > 0;
}

int secrets_begin_before(const struct secrets *s, const char *p, size_t end, struct secrets_hit *ret)
{
	*ret = (struct secrets_hit){ 0 };
	for (size_t i = 0; s->n && i < s->raw->n; i++) {
		const struct finder_string *f = &s->raw->strings[i];
		size_t len = f->len - 1 < end ? f->len - 1 : end;
		while (len >= FINDER_SHORTEST && len > ret->len &&
			memcmp(p + end - len, s->raw->bytes.data + f->at, len) != 0)
			len--;
		if (len >= FINDER_SHORTEST && len > ret->len)
			*ret = (struct secrets_hit){ end - len, len, f->tag & TAG_INDEX, false };
	}
	return ret->len > 0;
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
static int find_all(const struct secrets *s, bool raw, const char *p, size_t n, size_t from, struct secrets_hit *ret)
{
	struct secrets_hit more;
	int r = secrets_find(s, raw, p, n, from, ret), again = r;

	for (size_t at = ret->at; again > 0; at = more.at) {
		again = secrets_find(s, raw, p, n, at + 1, &more);
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
	struct secrets_hit h = { 0 };
	size_t from = 0;
	int r;

	while ((r = find_all(s, raw, p, n, from, &h)) > 0) {
		r = buf_append(out, p + from, h.at - from);
		if (r == 0)
			r = put_mark(s, fill && h.base64, out, p, &h, counts);
		if (r < 0)
			return r;
		from = h.at + h.len;
	}
	return r < 0 ? r : buf_append(out, p + from, n - from);
}
