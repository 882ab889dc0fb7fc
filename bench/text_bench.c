/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text_bench - what looking for secrets, invisible characters and personal data adds to the shim's serialiser, on 1 MiB
 * tool results with 8 secrets of which none is in them, nor what a set of personal data knows; beside it a copy of the
 * same bytes
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "shim/envelope.h"
#include "shim/shim.h"

enum { SIZE = 1 << 20, RUNS = 101, WAYS = 4 };

static const char *const text_units[] = {
	"The quick brown fox jumps over the lazy dog and goes on to say that\\n",
	"int main(int argc, char **argv) { return printf(\\\"%d\\\", argc); }\\n",
	"    a line of a file that somebody asked for, with nothing odd in it at all\\n",
};
static const char *const foreign_units[] = {
	"Ein Satz mit Umlauten: \xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f, und noch einer.\\n",
	"\xe6\xbc\xa2\xe5\xad\x97\xe3\x81\xa8\xe4\xbb\xae\xe5\x90\x8d\xe3\x82\x92\xe6\xb7\xb7\xe3\x81\x9c\xe3\x81\x9f\\"
	"n",
};
static const char *const object_units[] = {
	"{\"id\":18273,\"node_id\":\"MDU6SXNzdWUx\",\"title\":\"Found a bug\",\"state\":\"open\",\"locked\":false,"
	"\"user\":{\"login\":\"octocat\",\"id\":1,\"url\":\"https://api.example.com/users/octocat?page=1%202\"},"
	"\"score\":0.9731,\"created_at\":\"2011-04-22T13:33:48Z\",\"closed_at\":null},",
};

static struct shim shim;

/* Of this thread: what else the machine does is not counted. */
static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int fill(struct buf *b, const char *head, const char *const *units, size_t n, const char *tail)
{
	int r = buf_puts(b, head);

	for (size_t i = 0; r == 0 && b->len < SIZE; i++)
		r = buf_puts(b, units[i % n]);
	if (r == 0 && b->data[b->len - 1] == ',')
		b->data[--b->len] = '\0';
	return r == 0 ? buf_puts(b, tail) : r;
}

static int run(int way, const struct buf *b, char *copy)
{
	struct envelope e;

	if (way == 0) {
		memcpy(copy, b->data, b->len);
		__asm__ volatile("" ::: "memory");
		return 0;
	}
	int r = json_parse(&shim.doc, b->data, b->len);
	if (r == 0)
		r = envelope_read(&shim.doc, &e);
	shim.config.text.sets = way == 3 ? (1u << SHIM_SET_COUNT) - 1 : 0;
	return r || way == 1 ? r : text_out_pass(&shim, EVENT_FROM_SERVER, &e);
}

static int by_size(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Medians in MB/s, the ways in turn. */
static int measure(const struct buf *b, char *copy, double ret[WAYS])
{
	static uint64_t times[WAYS][RUNS];

	for (int i = 0; i < RUNS; i++)
		for (int way = 0; way < WAYS; way++) {
			uint64_t t = cpu_ns();
			if (run(way, b, copy) != 0)
				return -1;
			times[way][i] = cpu_ns() - t;
		}
	for (int way = 0; way < WAYS; way++) {
		qsort(times[way], RUNS, sizeof(times[way][0]), by_size);
		ret[way] = 1e3 * (double)b->len / (double)(times[way][RUNS / 2] ? times[way][RUNS / 2] : 1);
	}
	return 0;
}

static int prepare(void)
{
	static const char *const secrets[] = { "ghp_Zx81kQ02mmPLw9Zx81kQ02mmPLw9abcdEF", "AKIAIOSFODNN7EXAMPLE",
		"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "sk-proj-abcdefghijklmnopqrstuvwx0123456789", "hunter2!",
		"postgres://user:p4ssw0rd1@db.example.com/prod", "xoxb-123456789012-abcdefghijkl", "correct horse 9" };
	char name[16];
	struct diag d = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
		snprintf(name, sizeof(name), "SECRET_%zu", i);
		if (shim_text_add_secret(&shim.config.text, name, secrets[i]) < 0)
			return -1;
	}
	shim_init(&shim, 0x5eed);
	return text_out_init(&shim.text, &shim.config.text, &d);
}

int main(void)
{
	static const struct {
		const char *name, *head, *tail;
		const char *const *units;
		size_t n;
		unsigned goal; /* MB/s */
	} cases[] = {
		{ "text-heavy", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"",
			"\"}]}}", text_units, ARRAY_LEN(text_units), 1000 },
		{ "text, not ASCII",
			"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"",
			"\"}]}}", foreign_units, ARRAY_LEN(foreign_units), 1000 },
		{ "structured", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"structuredContent\":{\"items\":[", "]}}}",
			object_units, ARRAY_LEN(object_units), 500 },
	};
	char *copy = malloc(2 * SIZE);

	if (!copy || prepare() < 0)
		return 1;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT(4 << 20);
		double v[WAYS];
		if (fill(&b, cases[i].head, cases[i].units, cases[i].n, cases[i].tail) < 0 || measure(&b, copy, v) < 0)
			return 1;
		printf("%-16s copy %7.0f MB/s   without %6.0f MB/s   with 8 secrets %6.0f MB/s   and all sets %6.0f "
		       "MB/s   "
		       "ratio %.2f   goal >= %4u   %s\n",
			cases[i].name, v[0], v[1], v[2], v[3], v[3] / v[1], cases[i].goal,
			v[3] >= cases[i].goal ? "met" : "MISSED");
	}
	free(copy);
	return 0;
}
