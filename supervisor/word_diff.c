/* SPDX-License-Identifier: Apache-2.0 */
/* word_diff - see word_diff.h */
#include "supervisor/word_diff.h"
#include <errno.h>
#include <stdint.h>
#include <string.h>

struct word {
	const char *p;
	size_t n;
};

struct words {
	struct word *v;
	size_t n;
};

static void words_done(struct words *w)
{
	free(w->v);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\n';
}

/* Words and the blanks between them, each one of its own; nothing of the text is lost. */
static int split(const char *text, struct words *ret)
{
	size_t cap = 0;

	for (const char *p = text; *p;) {
		const char *from = p;
		while (*p && is_blank(*p) == is_blank(*from))
			p++;
		if (GROW(ret->v, ret->n, cap) < 0)
			return -ENOMEM;
		ret->v[ret->n++] = (struct word){ from, (size_t)(p - from) };
	}
	return 0;
}

static bool same(const struct word *a, const struct word *b)
{
	return a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
}

enum mark { MARK_NONE, MARK_GONE, MARK_NEW };

static const struct {
	const char *open, *close, *colour;
} marks[] = {
	[MARK_NONE] = { "", "", "" },
	[MARK_GONE] = { "[-", "-]", "\x1b[31m" },
	[MARK_NEW] = { "{+", "+}", "\x1b[32m" },
};

struct writer {
	struct buf *to;
	bool colour;
	enum mark mark; /* that is open */
	int error;
};

static void put(struct writer *w, const char *p, size_t n)
{
	if (w->error == 0)
		w->error = buf_append(w->to, p, n);
}

static void set_mark(struct writer *w, enum mark mark)
{
	if (w->mark == mark)
		return;
	put(w, marks[w->mark].close, strlen(marks[w->mark].close));
	if (w->mark != MARK_NONE && w->colour)
		put(w, "\x1b[0m", 4);
	if (w->colour)
		put(w, marks[mark].colour, strlen(marks[mark].colour));
	put(w, marks[mark].open, strlen(marks[mark].open));
	w->mark = mark;
}

static void put_word(struct writer *w, enum mark mark, const struct word *word)
{
	set_mark(w, mark);
	for (size_t i = 0; i < word->n; i++) {
		char next = i + 1 < word->n ? word->p[i + 1] : '\0', c = word->p[i];
		bool forged = (c == '[' && next == '-') || (c == '-' && next == ']') || (c == '{' && next == '+') ||
			      (c == '+' && next == '}');
		if (forged)
			put(w, "\\", 1);
		put(w, &c, 1);
	}
}

static void put_all(struct writer *w, enum mark mark, const struct words *from)
{
	for (size_t i = 0; i < from->n; i++)
		put_word(w, mark, &from->v[i]);
}

/* len[i][j]: of the longest common run of words of a from i and b from j (Wagner and Fischer). */
static void put_middle(struct writer *w, const struct words *a, const struct words *b)
{
	size_t width = b->n + 1, i = 0, j = 0;
	_cleanup_free_ uint16_t *len = calloc((a->n + 1) * width, sizeof(*len));

	if (!len) {
		w->error = -ENOMEM;
		return;
	}
	for (size_t x = a->n; x-- > 0;)
		for (size_t y = b->n; y-- > 0;) {
			uint16_t down = len[(x + 1) * width + y], right = len[x * width + y + 1];
			uint16_t through = (uint16_t)(len[(x + 1) * width + y + 1] + 1);
			len[x * width + y] = same(&a->v[x], &b->v[y]) ? through : down > right ? down : right;
		}
	while (i < a->n || j < b->n) {
		if (i < a->n && j < b->n && same(&a->v[i], &b->v[j])) {
			put_word(w, MARK_NONE, &a->v[i++]);
			j++;
		} else if (i < a->n && (j == b->n || len[(i + 1) * width + j] >= len[i * width + j + 1])) {
			put_word(w, MARK_GONE, &a->v[i++]);
		} else {
			put_word(w, MARK_NEW, &b->v[j++]);
		}
	}
}

_Static_assert(WORD_DIFF_WORDS_MAX < UINT16_MAX, "a length fits");

int word_diff(const char *old, const char *new, bool colour, struct buf *ret)
{
	_cleanup_(words_done) struct words a = { 0 }, b = { 0 };
	struct writer w = { .to = ret, .colour = colour };
	size_t head = 0, tail = 0;
	int r = split(old, &a);

	if (r == 0)
		r = split(new, &b);
	if (r < 0)
		return r;
	while (head < a.n && head < b.n && same(&a.v[head], &b.v[head]))
		head++;
	while (tail < a.n - head && tail < b.n - head && same(&a.v[a.n - 1 - tail], &b.v[b.n - 1 - tail]))
		tail++;
	const struct words first = { a.v, head }, last = { a.v + (a.n - tail), tail };
	const struct words gone = { a.v + head, a.n - head - tail }, came = { b.v + head, b.n - head - tail };
	put_all(&w, MARK_NONE, &first);
	if (gone.n <= WORD_DIFF_WORDS_MAX && came.n <= WORD_DIFF_WORDS_MAX) {
		put_middle(&w, &gone, &came);
	} else {
		put_all(&w, MARK_GONE, &gone);
		put_all(&w, MARK_NEW, &came);
	}
	put_all(&w, MARK_NONE, &last);
	set_mark(&w, MARK_NONE);
	return w.error ? w.error : buf_append(ret, "", 0);
}
