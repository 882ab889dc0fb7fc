/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tail - the last lines of a chained file
 *
 * Process:  supervisor
 */
#include "audit/tail.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char line_start[] = "{\"v\":1,\"seq\":";
static const char merges_key[] = ",\"merges\":[\"";

static bool take_seq(const char *text, size_t n, uint64_t *ret)
{
	uint64_t value = 0;
	size_t at = sizeof line_start - 1;

	if (n < at || memcmp(text, line_start, at) != 0)
		return false;
	for (; at < n && text[at] >= '0' && text[at] <= '9'; at++) {
		if (value > INT64_MAX / 10 - 1)
			return false;
		value = value * 10 + (uint64_t)(text[at] - '0');
	}
	*ret = value;
	return at < n && text[at] == ',' && value > 0;
}

static void take_line(struct tail *t, const char *text, size_t n)
{
	struct tail_line *l = &t->lines[t->n_lines];
	char hash[RECORD_HASH_HEX + 1];

	*l = (struct tail_line){ .text = text, .len = n };
	if (t->n_lines < TAIL_LINES_MAX && record_line_links(text, n, &l->prev, &l->hash) &&
		take_seq(text, n, &l->seq) && record_line_hash(text, n, hash) &&
		memcmp(hash, l->hash, RECORD_HASH_HEX) == 0)
		t->n_lines++;
}

static size_t count_newlines(const char *p, size_t n)
{
	size_t count = 0;
	const char *end = p + n;

	while (p && p < end && (p = memchr(p, '\n', (size_t)(end - p)))) {
		count++;
		p++;
	}
	return count;
}

static int split(struct tail *t, size_t n)
{
	const char *p = t->bytes, *end = p + n;
	size_t count = count_newlines(p, n), skip;

	if (!t->whole) {
		/* The window begins somewhere in a line. */
		const char *first = memchr(p, '\n', n);
		p = first ? first + 1 : p;
		count -= first ? 1 : 0;
	}
	skip = count > TAIL_LINES_MAX ? count - TAIL_LINES_MAX : 0;
	t->lines = calloc(count - skip + 1, sizeof *t->lines);
	if (!t->lines)
		return -ENOMEM;
	for (const char *newline; p < end && (newline = memchr(p, '\n', (size_t)(end - p))); p = newline + 1) {
		if (skip > 0)
			skip--;
		else
			take_line(t, p, (size_t)(newline - p));
	}
	t->torn = p;
	t->torn_bytes = (size_t)(end - p);
	return 0;
}

int tail_read(int fd, size_t window, struct tail *ret)
{
	_cleanup_tail_ struct tail t = { 0 };
	struct stat st;
	size_t n, got = 0;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	t.size = (uint64_t)st.st_size;
	t.whole = t.size <= window;
	n = t.whole ? (size_t)t.size : window;
	t.bytes = malloc(n + 1);
	if (!t.bytes)
		return -ENOMEM;
	while (got < n) {
		ssize_t part = pread(fd, t.bytes + got, n - got, (off_t)(t.size - n + got));
		if (part < 0 && errno == EINTR)
			continue;
		if (part < 0)
			return -errno;
		if (part == 0)
			break;
		got += (size_t)part;
	}
	r = split(&t, got);
	if (r < 0)
		return r;
	*ret = t;
	t = (struct tail){ 0 };
	return 0;
}

static bool line_merges(const struct tail_line *l, const char *hash)
{
	const char *p = memmem(l->text, l->len, merges_key, sizeof merges_key - 1);
	const char *end = l->prev;

	if (!p)
		return false;
	for (p += sizeof merges_key - 1; p + RECORD_HASH_HEX < end; p += RECORD_HASH_HEX + 3) {
		if (memcmp(p, hash, RECORD_HASH_HEX) == 0)
			return true;
	}
	return false;
}

bool tail_names(const struct tail *t, const char *hash)
{
	for (size_t i = 0; i < t->n_lines; i++) {
		if (memcmp(t->lines[i].prev, hash, RECORD_HASH_HEX) == 0 || line_merges(&t->lines[i], hash))
			return true;
	}
	return false;
}

bool tail_value(const struct tail_line *l, const char *key, char *ret, size_t size)
{
	char name[32];
	int n = snprintf(name, sizeof name, ",\"%s\":\"", key);
	const char *p = memmem(l->text, l->len, name, (size_t)n), *end;

	if (!p)
		return false;
	p += n;
	end = memchr(p, '"', (size_t)(l->text + l->len - p));
	if (!end || (size_t)(end - p) >= size || memchr(p, '\\', (size_t)(end - p)))
		return false;
	memcpy(ret, p, (size_t)(end - p));
	ret[end - p] = '\0';
	return true;
}

uint64_t tail_number(const struct tail_line *l, const char *key)
{
	char name[32];
	int n = snprintf(name, sizeof name, ",\"%s\":", key);
	const char *p = memmem(l->text, l->len, name, (size_t)n), *end = l->text + l->len;
	uint64_t value = 0;

	for (p = p ? p + n : end; p < end && *p >= '0' && *p <= '9' && value < INT64_MAX / 10; p++)
		value = value * 10 + (uint64_t)(*p - '0');
	return value;
}

void tail_done(struct tail *t)
{
	free(t->lines);
	free(t->bytes);
	*t = (struct tail){ 0 };
}
