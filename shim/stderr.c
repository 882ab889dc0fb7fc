/* SPDX-License-Identifier: Apache-2.0 */
/* stderr - see stderr.h */
#include "shim/stderr.h"
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include "base/io.h"
#include "base/text.h"

void stderr_init(
	struct stderr_relay *e, struct port in, struct port out, const char *name, const char *prefix, uint64_t now_us)
{
	/* A config without a usable prefix must not let the server write lines that look like ours. */
	bool usable = prefix && *prefix && strncmp(prefix, "stockade", 8) != 0;

	*e = (struct stderr_relay){
		.name = name,
		.prefix = usable ? prefix : "server: ",
		.in = in,
		.out = out,
		.line = BUF_INIT(STDERR_LINE_MAX + SECRETS_REACH_MAX),
		.tokens = STDERR_BURST,
		.refilled_us = now_us,
	};
	queue_init(&e->queue, &e->out);
	e->queue.whole_lines = true;
}

void stderr_done(struct stderr_relay *e)
{
	queue_done(&e->queue);
	buf_done(&e->line);
}

static bool take_token(struct stderr_relay *e, uint64_t now_us)
{
	uint64_t more = (now_us - e->refilled_us) * STDERR_RATE / US_PER_S;

	if (more > 0) {
		e->tokens = e->tokens + more < STDERR_BURST ? e->tokens + more : STDERR_BURST;
		e->refilled_us = now_us;
	}
	if (e->tokens == 0 || queue_len(&e->queue) >= STDERR_QUEUE_MAX)
		return false;
	e->tokens--;
	return true;
}

/* Where a line that grew too long by its escapes is cut. */
static size_t middle(const char *p, size_t n)
{
	size_t half = n / 2;

	while (half > 1 && (p[half] & 0xc0) == 0x80)
		half--;
	return half;
}

static int put_text(struct stderr_relay *e, const char *p, size_t n)
{
	/* A byte becomes an escape of eight at most. */
	_cleanup_buf_ struct buf out = BUF_INIT(8 * n + 1024);
	int r = buf_puts(&out, e->prefix);

	if (r == 0 && n > 0)
		r = text_escape(&out, p, n, TEXT_KEEP_TAB | TEXT_KEEP_BACKSLASH);
	if (r == 0)
		r = buf_putc(&out, '\n');
	if (r == 0 && out.len > PIPE_BUF && n > 1) {
		size_t half = middle(p, n);
		r = put_text(e, p, half);
		return r ? r : put_text(e, p + half, n - half);
	}
	return r ? r : queue_put(&e->queue, out.data, out.len);
}

static int put_clean(struct stderr_relay *e, const char *p, size_t n)
{
	/* A mark stands for eight bytes at least. */
	_cleanup_buf_ struct buf out = BUF_INIT((n / SHIM_SECRET_BYTES_MIN + 1) * SECRETS_MARK_MAX);
	struct secrets_hit hit;
	int r = e->text ? secrets_find(&e->text->secrets, true, p, n, 0, &hit) : 0;

	if (r <= 0)
		return r < 0 ? r : put_text(e, p, n);
	e->text->counted = true;
	r = secrets_replace(&e->text->secrets, true, false, &out, p, n, e->text->counts + TEXT_SECRETS);
	return r ? r : put_text(e, out.data, out.len);
}

static int put_line(struct stderr_relay *e, const char *p, size_t n, uint64_t now_us)
{
	e->lines++;
	if (take_token(e, now_us))
		return put_clean(e, p, n);
	e->dropped++;
	e->unreported++;
	return 0;
}

/* Where a long line is cut, at *cut or later: not in a value. Behind it is as much of the line as a value may take. */
static int cut_of(const struct stderr_relay *e, const char *p, size_t n, size_t *cut)
{
	_cleanup_(secrets_walk_done) struct secrets_walk w;
	struct secrets_hit hit;
	size_t from = 0;
	int r = 0;

	secrets_walk_init(&w, &e->text->secrets, true, p, n);
	while ((r = secrets_walk_next(&w, from, &hit)) > 0 && hit.at < *cut) {
		*cut = hit.at + hit.len > *cut ? hit.at + hit.len : *cut;
		from = hit.at + 1;
	}
	return r < 0 ? r : 0;
}

/* One piece of a line that is longer than a line may be. */
static int put_piece(struct stderr_relay *e, uint64_t now_us)
{
	size_t cut = STDERR_LINE_MAX;
	int r = e->text ? cut_of(e, e->line.data, e->line.len, &cut) : 0;

	if (r == 0)
		r = put_line(e, e->line.data, cut, now_us);
	e->cut = true;
	memmove(e->line.data, e->line.data + cut, e->line.len - cut);
	e->line.len -= cut;
	return r;
}

static int end_line(struct stderr_relay *e, uint64_t now_us)
{
	int r = 0;

	while (r == 0 && e->line.len > STDERR_LINE_MAX)
		r = put_piece(e, now_us);
	if (e->line.len > 0 && e->line.data[e->line.len - 1] == '\r')
		e->line.len--;
	/* Nothing is left of a line whose last cut was at its end. */
	if (r == 0 && (e->line.len > 0 || !e->cut))
		r = put_line(e, e->line.data, e->line.len, now_us);
	e->cut = false;
	buf_clear(&e->line);
	return r;
}

int stderr_feed(struct stderr_relay *e, const char *p, size_t n, uint64_t now_us)
{
	int r = 0;

	e->bytes += n;
	while (r == 0 && n > 0) {
		size_t most = STDERR_LINE_MAX + (e->text ? e->text->secrets.reach : 0);
		size_t room = most - e->line.len;
		const char *feed = memchr(p, '\n', n < room ? n : room);
		size_t take = feed ? (size_t)(feed - p) : n < room ? n : room;
		r = buf_append(&e->line, p, take);
		p += take;
		n -= take;
		if (r == 0 && feed)
			r = end_line(e, now_us);
		else if (r == 0 && e->line.len == most)
			r = put_piece(e, now_us);
		if (feed) {
			p++;
			n--;
		}
	}
	return r;
}

int stderr_finish(struct stderr_relay *e, uint64_t now_us)
{
	return e->line.len > 0 ? end_line(e, now_us) : 0;
}

int stderr_report(struct stderr_relay *e, uint64_t now_us)
{
	_cleanup_buf_ struct buf out = BUF_INIT(1024);
	int r;

	if (e->unreported == 0 || now_us - e->reported_us < US_PER_S || queue_len(&e->queue) >= STDERR_QUEUE_MAX)
		return 0;
	r = buf_printf(&out,
		"stockade: %s: %" PRIu64 " lines of the server's stderr were dropped: more than %d a second\n", e->name,
		e->unreported, STDERR_RATE);
	e->unreported = 0;
	e->reported_us = now_us;
	return r ? r : queue_put(&e->queue, out.data, out.len);
}
