/* SPDX-License-Identifier: Apache-2.0 */
/* shapes - encoded data: long runs, text that comes out when it is decoded, words spelt in character escapes */
#include <string.h>
#include "base/ascii.h"
#include "scan/work.h"

enum {
	DECODED_MIN = 24, /* characters of a run that is tried */
	DECODED_MAX = 4096,
	LONG_RUN = 120,
	LONG_HEX = 160,
	ESCAPES_MIN = 6, /* one after another */
	PERCENTS_MIN = 12,
};

static int value_of(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

static size_t decode_base64(const unsigned char *p, size_t n, unsigned char *ret)
{
	size_t out = 0;
	uint32_t bits = 0;

	for (size_t i = 0; i < n && p[i] != '='; i++) {
		bits = bits << 6 | (uint32_t)value_of(p[i]);
		if (i % 4 == 1)
			ret[out++] = (unsigned char)(bits >> 4);
		else if (i % 4 == 2)
			ret[out++] = (unsigned char)(bits >> 2);
		else if (i % 4 == 3)
			ret[out++] = (unsigned char)bits;
	}
	return out;
}

static size_t decode_hex(const unsigned char *p, size_t n, unsigned char *ret)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		ret[i / 2] =
			(unsigned char)((unsigned)ascii_hex((char)p[i]) << 4 | (unsigned)ascii_hex((char)p[i + 1]));
	return n / 2;
}

/* Printable, and of several words. */
static bool says_something(const unsigned char *p, size_t n)
{
	size_t blanks = 0, letters = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == ' ' || p[i] == '\n')
			blanks++;
		else if (p[i] < 0x20 || p[i] > 0x7e)
			return false;
		letters += (p[i] | 0x20) >= 'a' && (p[i] | 0x20) <= 'z';
	}
	return n >= 16 && blanks >= 2 && letters * 2 > n;
}

struct run {
	size_t n, capitals, small, digits, hex;
};

static bool is_long(const struct run *r)
{
	if (r->hex == r->n)
		return r->n >= LONG_HEX;
	return r->n >= LONG_RUN && r->capitals * 12 > r->n && r->small * 12 > r->n && r->digits * 24 > r->n;
}

/* A picture is encoded data by its nature. */
static bool is_icon(const struct scan *s)
{
	return strncmp(s->path, "icons[", 6) == 0 && s->raw_len > 11 && memcmp(s->raw, "data:image/", 11) == 0;
}

static void judge_run(struct scan *s, size_t at, const struct run *r)
{
	unsigned char text[DECODED_MAX] = { 0 };
	size_t n = r->n < DECODED_MAX ? r->n : DECODED_MAX;

	if (r->hex == r->n ? says_something(text, decode_hex(s->raw + at, n & ~(size_t)1, text))
			   : says_something(text, decode_base64(s->raw + at, n, text)))
		found(s, RULE_PAYLOAD_TEXT, at, r->n);
	else if (is_long(r) && !is_icon(s))
		found(s, RULE_PAYLOAD_ENCODED, at, r->n);
}

/* Of the alphabets of base64 and hex. */
static const bool encodes[256] = { ['0' ... '9'] = true,
	['A' ... 'Z'] = true,
	['a' ... 'z'] = true,
	['+'] = true,
	['-'] = true,
	['/'] = true,
	['_'] = true,
	['='] = true };

static struct run run_of(const unsigned char *p, size_t n)
{
	struct run r = { .n = n };

	for (size_t i = 0; i < n; i++) {
		r.capitals += p[i] >= 'A' && p[i] <= 'Z';
		r.small += p[i] >= 'a' && p[i] <= 'z';
		r.digits += p[i] >= '0' && p[i] <= '9';
		r.hex += ascii_hex((char)p[i]) >= 0;
	}
	return r;
}

/* The length of a character escape: &#105; \u0069 \x69 %69, or 0. */
static size_t escape_at(const struct scan *s, size_t at)
{
	const unsigned char *p = s->raw + at;
	size_t n = s->raw_len - at, digits = 0, i = 2;

	if (n < 3)
		return 0;
	if (p[0] == '%')
		return ascii_hex((char)p[1]) >= 0 && ascii_hex((char)p[2]) >= 0 ? 3 : 0;
	if (p[0] == '&' && p[1] == '#') {
		i += p[2] == 'x' || p[2] == 'X';
		while (i < n && i < 10 && ascii_hex((char)p[i]) >= 0)
			i++;
		return i < n && p[i] == ';' ? i + 1 : 0;
	}
	if (p[0] != '\\' || (p[1] != 'u' && p[1] != 'x' && p[1] != 'U'))
		return 0;
	for (; i < n && digits < (p[1] == 'x' ? 2 : 4) && ascii_hex((char)p[i]) >= 0; i++)
		digits++;
	return digits == (p[1] == 'x' ? 2 : 4) ? i : 0;
}

static size_t judge_escapes(struct scan *s, size_t at)
{
	bool percent = s->raw[at] == '%';
	size_t n, count = 0, i = at;

	while (i < s->raw_len && (n = escape_at(s, i)) > 0 && (s->raw[i] == '%') == percent) {
		i += n;
		count++;
	}
	if (count >= (percent ? PERCENTS_MIN : ESCAPES_MIN))
		found(s, RULE_PAYLOAD_ESCAPES, at, i - at);
	return count ? i : at + 1;
}

/* The runs between the two. One that is long enough has each DECODED_MINth byte behind another within it, so that most
 * of a text of words is stepped over. */
static void judge_runs(struct scan *s, size_t at, size_t stop)
{
	const unsigned char *raw = s->raw;

	while (stop - at >= DECODED_MIN) {
		size_t first = at + DECODED_MIN, end = first;
		while (first > at && encodes[raw[first - 1]])
			first--;
		if (first > at) {
			at = first;
			continue;
		}
		while (end < stop && encodes[raw[end]])
			end++;
		const struct run run = run_of(raw + at, end - at);
		judge_run(s, at, &run);
		at = end;
	}
}

/* What may begin a character escape; it encodes nothing itself. */
static const char escaping[] = { '%', '&', '\\' };

void scan_shapes(struct scan *s)
{
	size_t next[ARRAY_LEN(escaping)] = { 0 }, at = 0, stop;

	do {
		stop = s->raw_len;
		for (size_t k = 0; k < ARRAY_LEN(escaping); k++) {
			if (next[k] <= at) {
				const unsigned char *p = memchr(s->raw + at, escaping[k], s->raw_len - at);
				next[k] = p ? (size_t)(p - s->raw) : s->raw_len;
			}
			stop = next[k] < stop ? next[k] : stop;
		}
		judge_runs(s, at, stop);
		at = stop < s->raw_len ? judge_escapes(s, stop) : stop;
	} while (at < s->raw_len);
}
