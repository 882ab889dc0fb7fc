/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_lines - splitting: the same bytes in two ways of arriving give the same lines, and nothing grows
 *
 * The first two bytes of the input say in which pieces the rest arrives.
 */
#include <stdio.h>
#include <string.h>
#include "base/buf.h"
#include "shim/lines.h"
#include "shim/stderr.h"
#include "tests/fuzz/fuzz.h"

enum { LINE_MAX_HERE = 64, INPUT_MAX = 1 << 18 };

/* Writes down what was found: kind, length, and the bytes of whole lines. */
static void note(struct buf *log, int found, struct line line)
{
	int r = buf_printf(log, "%d %llu ", found, (unsigned long long)line.n);

	if (r == 0 && found == LINES_MESSAGE)
		r = buf_append(log, line.p, line.n);
	must(r == 0, "no memory");
}

static void split(const uint8_t *p, size_t n, size_t step, struct buf *log)
{
	struct lines l;
	struct line line;
	int found;

	lines_init(&l, LINE_MAX_HERE);
	for (size_t at = 0; at < n; at += step) {
		char *to;
		size_t room, take = step < n - at ? step : n - at;
		must(lines_room(&l, &to, &room) == 0 && take <= room, "no room");
		memcpy(to, p + at, take);
		lines_filled(&l, take);
		while ((found = lines_next(&l, &line)) > 0)
			note(log, found, line);
		must(l.buf.cap <= 4 * LINES_CHUNK, "the buffer grows");
	}
	found = lines_rest(&l, &line);
	if (found)
		note(log, found, line);
	lines_done(&l);
}

/* What a person sees of the server's stderr: whole lines, each with the prefix, no control byte but tab and line feed.
 */
static void check_stderr(const uint8_t *p, size_t n, size_t step)
{
	struct port none = { .fd = -1 };
	struct stderr_relay e;
	bool fresh = true;

	stderr_init(&e, none, none, "f", "[f] ", 0);
	for (size_t at = 0; at < n; at += step)
		must(stderr_feed(&e, (const char *)p + at, step < n - at ? step : n - at, at * 10000) == 0,
			"no memory");
	must(stderr_finish(&e, 0) == 0, "no memory");
	for (size_t i = 0; i < e.queue.buf.len; i++) {
		char c = e.queue.buf.data[i];
		must(!fresh || strncmp(e.queue.buf.data + i, "[f] ", 4) == 0, "a line without the prefix");
		must((unsigned char)c >= 0x20 || c == '\t' || c == '\n', "a control byte");
		must(c != 0x7f, "a control byte");
		fresh = c == '\n';
	}
	must(fresh, "a line without its end");
	stderr_done(&e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf one = BUF_INIT(16 << 20), two = BUF_INIT(16 << 20);

	if (size < 2 || size > INPUT_MAX)
		return 0;
	split(data + 2, size - 2, (size_t)data[0] + 1, &one);
	split(data + 2, size - 2, (size_t)data[1] * 256 + 1, &two);
	must(one.len == two.len && (one.len == 0 || memcmp(one.data, two.data, one.len) == 0),
		"lines depend on how they arrive");
	check_stderr(data + 2, size - 2, (size_t)data[0] + 1);
	return 0;
}
