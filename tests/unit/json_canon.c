/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_canon - what the serialiser makes of each line of stdin, a line each: "0 CANONICAL FORM" or "N REASON"
 *
 * For tests/integration/test_json_node.py, which compares it with node. An answer is cut by no line feed of its own,
 * since the canonical form has none.
 */
#include <stdio.h>
#include <string.h>
#include "base/buf.h"
#include "base/io.h"
#include "shim/json.h"
#include "wire/shim_config.h"

enum { INPUT_MAX = 64 << 20 };

static int answer(struct json_doc *d, const char *line, size_t n)
{
	int r = json_parse(d, line, n);

	if (r < 0)
		return r;
	printf("%d %s\n", r, r == 0 ? d->out.data : json_error_text(r));
	return 0;
}

int main(void)
{
	_cleanup_buf_ struct buf b = BUF_INIT(INPUT_MAX);
	const char *p, *end, *feed;
	struct json_doc d;
	int r = io_read_all(0, &b);

	json_doc_init(&d, SHIM_LINE_MAX, 11);
	end = b.data + b.len;
	for (p = b.data; r == 0 && p < end; p = feed + 1) {
		feed = memchr(p, '\n', (size_t)(end - p));
		r = feed ? answer(&d, p, (size_t)(feed - p)) : -1;
		if (!feed)
			break;
	}
	json_doc_done(&d);
	if (r < 0)
		fprintf(stderr, "json_canon: what is not read ends without a line feed, or there is no memory\n");
	return r < 0 || fflush(stdout) != 0;
}
