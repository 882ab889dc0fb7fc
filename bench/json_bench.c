/* SPDX-License-Identifier: Apache-2.0 */
/* json_bench - MB/s of the shim's serialiser beside jansson's parse and dump, on 1 MiB tool results */
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "base/io.h"
#include "shim/json.h"
#include "shim/walk.h"

enum { SIZE = 1 << 20, RUNS = 41 };

static int fill(struct buf *b, const char *head, const char *const *units, size_t n, const char *tail)
{
	int r = buf_puts(b, head);

	for (size_t i = 0; r == 0 && b->len < SIZE; i++)
		r = buf_puts(b, units[i % n]);
	if (r == 0 && b->data[b->len - 1] == ',')
		b->data[--b->len] = '\0';
	return r == 0 ? buf_puts(b, tail) : r;
}

static const char *const text_units[] = {
	"The quick brown fox jumps over the lazy dog and goes on to say that\\n",
	"int main(int argc, char **argv) { return printf(\\\"%d\\\", argc); }\\n",
	"\\n",
	"    a line of a file that somebody asked for, with nothing odd in it at all\\n",
};
static const char *const quoted_units[] = {
	"{\\\"id\\\":18273,\\\"title\\\":\\\"Found a "
	"bug\\\",\\\"state\\\":\\\"open\\\",\\\"path\\\":\\\"C:\\\\\\\\x\\\"},\\n",
};
static const char *const foreign_units[] = {
	"Ein Satz mit Umlauten: \xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f, und noch einer.\\n",
	("\xe6\xbc\xa2\xe5\xad\x97\xe3\x81\xa8\xe4\xbb\xae\xe5\x90\x8d\xe3\x82\x92\xe6\xb7\xb7\xe3\x81\x9c\xe3\x81\x9f"
	 "\xe6\x96\x87\xe3\x80\x82\\n"),
	"\xd0\xa1\xd1\x82\xd1\x80\xd0\xbe\xd0\xba\xd0\xb0 \xd1\x82\xd0\xb5\xd0\xba\xd1\x81\xd1\x82\xd0\xb0\\n",
};
static const char *const object_units[] = {
	"{\"id\":18273,\"node_id\":\"MDU6SXNzdWUx\",\"title\":\"Found a "
	"bug\",\"state\":\"open\",\"locked\":false,\"comments\":12,"
	"\"user\":{\"login\":\"octocat\",\"id\":1,\"site_admin\":false},\"labels\":[{\"id\":208045946,\"name\":\"bug\","
	"\"default\":true}],"
	"\"score\":0.9731,\"created_at\":\"2011-04-22T13:33:48Z\",\"closed_at\":null},",
};

/* The median of RUNS in MB/s. */
static double speed(const struct buf *b, int (*run)(const struct buf *, struct json_doc *), struct json_doc *d)
{
	uint64_t times[RUNS];

	for (int i = 0; i < RUNS; i++) {
		uint64_t t = io_now_us();
		if (run(b, d) != 0)
			return 0;
		times[i] = io_now_us() - t;
		for (int j = i; j > 0 && times[j] < times[j - 1]; j--) {
			t = times[j];
			times[j] = times[j - 1];
			times[j - 1] = t;
		}
	}
	return (double)b->len / (double)(times[RUNS / 2] ? times[RUNS / 2] : 1);
}

static int run_shim(const struct buf *b, struct json_doc *d)
{
	return json_parse(d, b->data, b->len);
}

/* What the walk over the content costs beside it. */
static int run_walk(const struct buf *b, struct json_doc *d)
{
	return walk_skip(d->out.data) == d->out.data + d->out.len ? 0 : -1;
}

static int run_jansson(const struct buf *b, struct json_doc *d)
{
	json_error_t e;
	json_t *j = json_loadb(b->data, b->len, JSON_REJECT_DUPLICATES, &e);
	char *out = j ? json_dumps(j, JSON_COMPACT) : NULL;
	int r = out ? 0 : -1;

	free(out);
	json_decref(j);
	return r;
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
		{ "JSON in text",
			"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"",
			"\"}]}}", quoted_units, ARRAY_LEN(quoted_units), 1000 },
		{ "structured", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"structuredContent\":{\"items\":[", "]}}}",
			object_units, ARRAY_LEN(object_units), 500 },
	};
	struct json_doc d;

	json_doc_init(&d, 8 << 20, 0x5eed);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT(4 << 20);
		if (fill(&b, cases[i].head, cases[i].units, cases[i].n, cases[i].tail) < 0)
			return 1;
		double shim = speed(&b, run_shim, &d), walk = speed(&b, run_walk, &d),
		       peer = speed(&b, run_jansson, &d);
		printf("%-16s shim %7.0f MB/s   jansson %7.0f MB/s   walk %7.0f MB/s   goal >= %4u   %s\n",
			cases[i].name, shim, peer, walk, cases[i].goal, shim >= cases[i].goal ? "met" : "MISSED");
	}
	json_doc_done(&d);
	return 0;
}
