/* SPDX-License-Identifier: Apache-2.0 */
/* lines - see lines.h */
#include "shim/lines.h"
#include <string.h>

/* Where reads begin. The kernel copies by rep movsb, which on some processors (Zen 3) takes four times as long to an
 * address that is not a multiple of 32. Up to so many bytes before the first line stay unused. */
enum { LINES_ALIGN = 64, MOVE_MAX = 4096 };

void lines_init(struct lines *l, size_t max)
{
	*l = (struct lines){ .buf = BUF_INIT(max + 2 * LINES_CHUNK + LINES_ALIGN), .max = max };
}

void lines_done(struct lines *l)
{
	buf_done(&l->buf);
}

static void forget(struct lines *l)
{
	buf_clear(&l->buf);
	l->start = l->scanned = 0;
}

/* What is held is too much for one line: from here on it is only skimmed. */
static void begin_skipping(struct lines *l)
{
	l->skipping = true;
	l->skipped = l->buf.len - l->start;
	skim_init(&l->skim);
	skim_feed(&l->skim, l->buf.data + l->start, l->buf.len - l->start);
	buf_done(&l->buf);
	forget(l);
}

static void compact(struct lines *l)
{
	if (l->start < LINES_ALIGN && l->start < l->buf.len)
		return;
	buf_consume(&l->buf, l->start);
	l->scanned -= l->start;
	l->start = 0;
}

/* Moves the little that is held so that the next byte comes to lie where reading is fast. */
static void align(struct lines *l)
{
	size_t have = l->buf.len, pad = -(uintptr_t)(l->buf.data + have) & (LINES_ALIGN - 1);

	if (l->start > 0 || have > MOVE_MAX || pad == 0)
		return;
	memmove(l->buf.data + pad, l->buf.data, have);
	l->buf.len += pad;
	l->start = pad;
	l->scanned += pad;
}

int lines_room(struct lines *l, char **ret, size_t *ret_n)
{
	int r;

	compact(l);
	r = buf_reserve(&l->buf, LINES_CHUNK + LINES_ALIGN);
	if (r < 0)
		return r;
	align(l);
	*ret = l->buf.data + l->buf.len;
	*ret_n = LINES_CHUNK;
	return 0;
}

void lines_filled(struct lines *l, size_t n)
{
	l->buf.len += n;
	l->buf.data[l->buf.len] = '\0';
}

/* Skipping: all up to the line feed goes; false while it has not come. */
static bool skip(struct lines *l, struct line *ret)
{
	const char *from = l->buf.data + l->start;
	size_t have = l->buf.len - l->start;
	const char *feed = have ? memchr(from, '\n', have) : NULL;
	size_t n = feed ? (size_t)(feed - from) : have;

	skim_feed(&l->skim, from, n);
	l->skipped += n;
	if (!feed) {
		forget(l);
		return false;
	}
	l->start += n + 1;
	l->scanned = l->start;
	l->skipping = false;
	*ret = (struct line){ NULL, l->skipped };
	return true;
}

int lines_next(struct lines *l, struct line *ret)
{
	const char *base = l->buf.data, *feed;

	if (l->skipping)
		return l->buf.data && skip(l, ret) ? LINES_TOO_LONG : 0;
	feed = l->buf.len > l->scanned ? memchr(base + l->scanned, '\n', l->buf.len - l->scanned) : NULL;
	if (!feed) {
		l->scanned = l->buf.len;
		if (l->buf.len - l->start > l->max)
			begin_skipping(l);
		return 0;
	}
	size_t n = (size_t)(feed - base) - l->start;
	*ret = (struct line){ base + l->start, n };
	if (n > l->max) {
		skim_init(&l->skim);
		skim_feed(&l->skim, ret->p, n);
	} else if (n > 0 && feed[-1] == '\r') {
		ret->n--;
	}
	l->start += n + 1;
	l->scanned = l->start;
	return n > l->max ? LINES_TOO_LONG : LINES_MESSAGE;
}

int lines_rest(struct lines *l, struct line *ret)
{
	size_t n = l->buf.len - l->start;

	if (l->skipping) {
		l->skipping = false;
		*ret = (struct line){ NULL, l->skipped };
		return LINES_TOO_LONG;
	}
	if (n == 0)
		return 0;
	*ret = (struct line){ l->buf.data + l->start, n };
	l->start = l->scanned = l->buf.len;
	return LINES_TORN;
}

void lines_trim(struct lines *l)
{
	if (l->start == l->buf.len)
		buf_done(&l->buf);
	if (!l->buf.data)
		l->start = l->scanned = 0;
}
