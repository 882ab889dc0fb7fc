/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_hello - a ClientHello: the same bytes in two ways of arriving are found to be the same, and nothing grows
 *
 * The first two bytes of the input say in which pieces the rest arrives.
 */
#include <string.h>
#include "gateway/hello.h"
#include "tests/fuzz/fuzz.h"

enum { INPUT_MAX = 1 << 18 };

static enum hello_found feed(const uint8_t *p, size_t n, size_t step, char name[NET_NAME_MAX + 1])
{
	struct hello h;
	int r = HELLO_MORE;

	hello_init(&h);
	for (size_t at = 0; at < n && r == HELLO_MORE; at += step) {
		r = hello_feed(&h, p + at, step < n - at ? step : n - at);
		must(r >= 0, "no memory");
		must(h.message.len <= HELLO_MAX, "the message grows");
	}
	must(r != HELLO_NAME || net_name_valid(h.name), "a name that is none");
	must(hello_feed(&h, "\x16", 1) == r || r == HELLO_MORE, "what was found changes");
	memcpy(name, h.name, sizeof(h.name));
	must(hello_words((enum hello_found)r) != NULL, "no words");
	hello_done(&h);
	return (enum hello_found)r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char one[NET_NAME_MAX + 1], two[NET_NAME_MAX + 1];
	enum hello_found a, b;

	if (size < 2 || size > INPUT_MAX)
		return 0;
	a = feed(data + 2, size - 2, (size_t)data[0] + 1, one);
	b = feed(data + 2, size - 2, (size_t)data[1] * 256 + 1, two);
	/* How much there was beyond the limit depends on how it came. */
	must(a == b || a == HELLO_TOO_LONG || b == HELLO_TOO_LONG, "the outcome depends on how it arrives");
	must(a != b || a != HELLO_NAME || strcmp(one, two) == 0, "the name depends on how it arrives");
	return 0;
}
