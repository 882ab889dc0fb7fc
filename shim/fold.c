/* SPDX-License-Identifier: Apache-2.0 */
/* fold - see fold.h */
#include "shim/fold.h"
#include "base/text.h"
#include "shim/fold_table.h"

uint32_t fold_char(uint32_t cp)
{
	size_t low = 0, high = ARRAY_LEN(fold_runs);

	if (cp < 0x80)
		return cp >= 'A' && cp <= 'Z' ? cp + 32 : cp;
	if (cp == 0x130 || cp == 0x131)
		return 'i';
	while (low < high) {
		size_t mid = (low + high) / 2;
		const struct fold_run *r = &fold_runs[mid];
		if (cp < r->first)
			high = mid;
		else if (cp > r->last)
			low = mid + 1;
		else
			return (cp - r->first) % r->step == 0 ? cp + (uint32_t)r->delta : cp;
	}
	return cp;
}

int fold_append(struct buf *b, const char *p, size_t n)
{
	while (n > 0) {
		char out[4];
		uint32_t cp;
		size_t len = utf8_decode((const unsigned char *)p, n, &cp);
		if (len == 0)
			return 0;
		int r = buf_append(b, out, utf8_encode(fold_char(cp), out));
		if (r < 0)
			return r;
		p += len;
		n -= len;
	}
	return 0;
}

static unsigned char fold_ascii(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

bool fold_equal(const char *a, size_t a_len, const char *b, size_t b_len)
{
	/* Nearly all names are told apart here. */
	for (; a_len > 0 && b_len > 0 && !((*a | *b) & 0x80); a++, b++, a_len--, b_len--)
		if (fold_ascii((unsigned char)*a) != fold_ascii((unsigned char)*b))
			return false;
	while (a_len > 0 && b_len > 0) {
		uint32_t x, y;
		size_t m = utf8_decode((const unsigned char *)a, a_len, &x);
		size_t n = utf8_decode((const unsigned char *)b, b_len, &y);
		if (m == 0 || n == 0 || fold_char(x) != fold_char(y))
			return false;
		a += m;
		a_len -= m;
		b += n;
		b_len -= n;
	}
	return a_len == 0 && b_len == 0;
}
