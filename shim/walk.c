/* SPDX-License-Identifier: Apache-2.0 */
/* walk - see walk.h */
#include "shim/walk.h"
#include <string.h>
#include "base/ascii.h"
#include "base/text.h"

/* From after the opening quote to after the closing one. A quote ends the string unless an odd run of backslashes is
 * before it. */
static const char *skip_string(const char *p)
{
	for (;;) {
		const char *quote = strchr(p, '"'), *back = quote;
		while (back > p && back[-1] == '\\')
			back--;
		if ((quote - back) % 2 == 0)
			return quote + 1;
		p = quote + 1;
	}
}

static const char *skip_container(const char *p)
{
	int depth = 0;

	for (;;) {
		switch (*p++) {
		case '"':
			p = skip_string(p);
			break;
		case '{':
		case '[':
			depth++;
			break;
		case '}':
		case ']':
			if (--depth == 0)
				return p;
			break;
		default:
			break;
		}
	}
}

const char *walk_skip(const char *p)
{
	if (*p == '"')
		return skip_string(p + 1);
	if (*p == '{' || *p == '[')
		return skip_container(p);
	return p + strcspn(p, ",]}");
}

struct walk walk_object(struct slice value)
{
	return (struct walk){ walk_is_object(value) ? value.p + 1 : NULL };
}

struct walk walk_array(struct slice value)
{
	return (struct walk){ walk_is_array(value) ? value.p + 1 : NULL };
}

/* The value at w->p; moves past it and its comma. */
static struct slice take(struct walk *w)
{
	const char *from = w->p;
	const char *end = walk_skip(from);

	w->p = *end == ',' ? end + 1 : end;
	return (struct slice){ from, (size_t)(end - from) };
}

bool walk_member(struct walk *w, struct slice *ret_key, struct slice *ret_value)
{
	if (!w->p || *w->p == '}')
		return false;
	const char *from = w->p + 1;
	w->p = skip_string(from);
	*ret_key = (struct slice){ from, (size_t)(w->p - from) - 1 };
	w->p++;
	*ret_value = take(w);
	return true;
}

bool walk_element(struct walk *w, struct slice *ret_value)
{
	if (!w->p || *w->p == ']')
		return false;
	*ret_value = take(w);
	return true;
}

struct slice walk_get(struct slice object, const char *name)
{
	struct walk w = walk_object(object);
	struct slice key, value;

	while (walk_member(&w, &key, &value))
		if (slice_is(key, name))
			return value;
	return (struct slice){ NULL, 0 };
}

struct slice walk_string(struct slice value)
{
	if (value.n < 2 || value.p[0] != '"')
		return (struct slice){ NULL, 0 };
	return (struct slice){ value.p + 1, value.n - 2 };
}

bool walk_is_broken(struct slice s)
{
	for (const char *p = s.p, *end = s.n ? s.p + s.n : s.p; p < end; p++) {
		p = memchr(p, '\\', (size_t)(end - p));
		if (!p)
			return false;
		p++;
		if (*p == 'u') {
			uint32_t unit = (uint32_t)ascii_hex4(p + 1);
			if (unit == 0 || (unit >= 0xd800 && unit <= 0xdfff))
				return true;
		}
	}
	return false;
}

static int put_escape(struct buf *b, const char *p)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *at;
	char out[4];

	if (*p == 'u') {
		uint32_t unit = (uint32_t)ascii_hex4(p + 1);
		if (unit >= 0xd800 && unit <= 0xdfff)
			unit = 0xfffd;
		return buf_append(b, out, utf8_encode(unit, out));
	}
	at = strchr(from, *p);
	return buf_putc(b, at ? to[at - from] : *p);
}

int walk_text(struct buf *b, struct slice s)
{
	const char *p = s.p, *end = s.n ? s.p + s.n : s.p;
	int r = 0;

	while (r == 0 && p < end) {
		const char *back = memchr(p, '\\', (size_t)(end - p));
		size_t plain = (size_t)((back ? back : end) - p);
		r = buf_append(b, p, plain);
		p += plain;
		if (r == 0 && back) {
			r = put_escape(b, back + 1);
			p += back[1] == 'u' ? 6 : 2;
		}
	}
	return r ? r : buf_append(b, "", 0);
}
