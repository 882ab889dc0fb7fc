/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_proxy - the answer of a proxy to CONNECT: what was decided stays decided as more arrives, and what is taken for
 * the header is one
 */
#include <string.h>
#include "dial/proxy.h"
#include "tests/fuzz/fuzz.h"

static void check_header(const char *p, size_t n, size_t len, unsigned status)
{
	must(len >= 4 && len <= n && len <= PROXY_ANSWER_MAX, "a header that is not there");
	must(memcmp(p + len - 4, "\r\n\r\n", 4) == 0, "a header without its end");
	must(!memchr(p, '\0', len), "a NUL in a header");
	must(!memmem(p, len - 1, "\r\n\r\n", 4), "bytes of the tunnel in the header");
	must(status >= 100 && status <= 999, "no status");
}

static void check_verdict(const char *p, size_t n, enum proxy_verdict v, size_t len, unsigned status)
{
	bool good = status >= 200 && status < 300;

	must(v != PROXY_MORE || n < PROXY_ANSWER_MAX, "waits for more than there may be");
	must(v != PROXY_OPEN || good, "open, and the status says otherwise");
	must(v != PROXY_REFUSED || !good, "refused, and the status says otherwise");
	if (v == PROXY_OPEN || v == PROXY_REFUSED)
		check_header(p, n, len, status);
}

/* Byte by byte at first; once it is decided, only all of it. */
static size_t next(size_t n, size_t size, enum proxy_verdict v)
{
	size_t step = v != PROXY_MORE ? size : n < 256 ? 1 : 97;

	return n == size ? size + 1 : step < size - n ? n + step : size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum proxy_verdict before = PROXY_MORE;
	size_t len, len_before = 0;
	unsigned status, status_before = 0;

	if (size > 2 * PROXY_ANSWER_MAX)
		return 0;
	for (size_t n = 0; n <= size; n = next(n, size, before)) {
		_cleanup_free_ char *exact = malloc(n ? n : 1);
		must(exact != NULL, "no memory");
		memcpy(exact, data, n);
		enum proxy_verdict v = proxy_judge(exact, n, &len, &status);
		if (before != PROXY_MORE)
			must(v == before && (v == PROXY_MALFORMED || (len == len_before && status == status_before)),
				"another verdict for more bytes");
		check_verdict(exact, n, v, len, status);
		before = v;
		len_before = len;
		status_before = status;
	}
	return 0;
}
