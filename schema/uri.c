/* SPDX-License-Identifier: Apache-2.0 */
/* uri - see uri.h */
#include "schema/uri.h"
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include "base/ascii.h"

struct part {
	const char *p; /* NULL: not there */
	size_t n;
};

/* scheme, authority and query without their punctuation */
struct parts {
	struct part scheme, authority, path, query;
};

static bool in_scheme(char c)
{
	return ascii_is_letter(c) || ascii_is_digit(c) || c == '+' || c == '-' || c == '.';
}

static size_t span_until(const char *p, size_t n, const char *stops)
{
	size_t i = 0;

	while (i < n && !strchr(stops, p[i]))
		i++;
	return i;
}

static struct parts split(const char *p, size_t n)
{
	struct parts u = { 0 };
	size_t i = 0;

	while (i < n && in_scheme(p[i]))
		i++;
	if (i > 0 && i < n && p[i] == ':' && ascii_is_letter(p[0])) {
		u.scheme = (struct part){ p, i };
		p += i + 1;
		n -= i + 1;
	}
	if (n >= 2 && p[0] == '/' && p[1] == '/') {
		i = 2 + span_until(p + 2, n - 2, "/?");
		u.authority = (struct part){ p + 2, i - 2 };
		p += i;
		n -= i;
	}
	u.path = (struct part){ p, span_until(p, n, "?") };
	if (u.path.n < n)
		u.query = (struct part){ p + u.path.n + 1, n - u.path.n - 1 };
	return u;
}

/* What follows the last slash from b->data + from on goes, and the slash. */
static void drop_segment(struct buf *b, size_t from)
{
	while (b->len > from && b->data[b->len - 1] != '/')
		b->len--;
	if (b->len > from)
		b->len--;
	b->data[b->len] = '\0';
}

/* Appends the path without "." and ".." (section 5.2.4). */
static int put_path(struct buf *b, const char *p, size_t n)
{
	size_t from = b->len;
	int e = 0;

	while (e == 0 && n > 0) {
		size_t slash = p[0] == '/', len = span_until(p + slash, n - slash, "/");
		bool last = slash + len == n, one = len == 1 && p[slash] == '.';
		bool two = len == 2 && p[slash] == '.' && p[slash + 1] == '.';
		if (two)
			drop_segment(b, from);
		if (one || two)
			e = last && slash ? buf_putc(b, '/') : 0;
		else
			e = buf_append(b, p, slash + len);
		p += slash + len;
		n -= slash + len;
	}
	return e;
}

/* The base's path up to its last slash, then the reference's (section 5.2.3). */
static int put_merged(struct buf *b, const struct parts *base, struct part path)
{
	_cleanup_buf_ struct buf merged = BUF_INIT(b->max);
	size_t n = base->path.n;
	int e;

	while (n > 0 && base->path.p[n - 1] != '/')
		n--;
	e = base->authority.p && base->path.n == 0 ? buf_putc(&merged, '/') : buf_append(&merged, base->path.p, n);
	if (e == 0)
		e = buf_append(&merged, path.p, path.n);
	return e ? e : put_path(b, merged.data, merged.len);
}

static int put_part(struct buf *b, const char *before, struct part part, const char *after)
{
	int e = part.p ? buf_puts(b, before) : 0;

	if (e == 0 && part.p)
		e = buf_append(b, part.p, part.n);
	return e == 0 && part.p ? buf_puts(b, after) : e;
}

/* Section 5.2.2: what the reference does not say comes from the base. It says something: a bare fragment is not
 * resolved. */
static int put_resolved(struct buf *b, const struct parts *base, const struct parts *r)
{
	bool own_authority = r->scheme.p || r->authority.p, own_path = own_authority || r->path.n > 0;
	int e = put_part(b, "", r->scheme.p ? r->scheme : base->scheme, ":");

	if (e == 0)
		e = put_part(b, "//", own_authority ? r->authority : base->authority, "");
	if (e == 0 && !own_path)
		e = buf_append(b, base->path.p, base->path.n);
	else if (e == 0 && (own_authority || r->path.p[0] == '/'))
		e = put_path(b, r->path.p, r->path.n);
	else if (e == 0)
		e = put_merged(b, base, r->path);
	return e ? e : put_part(b, "?", r->query, "");
}

int uri_resolve(const char *base, const char *reference, size_t n, char **ret)
{
	_cleanup_buf_ struct buf b = BUF_INIT(2 * (strlen(base) + n) + 16);
	struct parts from = split(base, strlen(base)), to = split(reference, uri_before_fragment(reference, n));
	int e = buf_append(&b, "", 0);

	if (e == 0)
		e = put_resolved(&b, &from, &to);
	*ret = e ? NULL : buf_steal(&b);
	return e ? e : *ret ? 0 : -ENOMEM;
}

size_t uri_before_fragment(const char *p, size_t n)
{
	const char *hash = n ? memchr(p, '#', n) : NULL;

	return hash ? (size_t)(hash - p) : n;
}

int uri_unescape(const char *p, size_t n, struct buf *b)
{
	int e = buf_append(b, "", 0);

	for (size_t i = 0; e == 0 && i < n; i++) {
		bool escaped = p[i] == '%' && n - i > 2 && ascii_hex(p[i + 1]) >= 0 && ascii_hex(p[i + 2]) >= 0;
		int byte = escaped ? ascii_hex(p[i + 1]) << 4 | ascii_hex(p[i + 2]) : p[i];
		e = buf_putc(b, (char)byte);
		i += escaped ? 2 : 0;
	}
	return e;
}
