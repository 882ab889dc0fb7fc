/* SPDX-License-Identifier: Apache-2.0 */
/* proxy - see proxy.h */
#include "dial/proxy.h"
#include <stdio.h>
#include <string.h>

size_t proxy_request(const char *host, uint16_t port, char *ret, size_t size)
{
	bool bracket = strchr(host, ':') != NULL;
	const char *open = bracket ? "[" : "", *close = bracket ? "]" : "";
	int n = snprintf(ret, size, "CONNECT %s%s%s:%u HTTP/1.1\r\nHost: %s%s%s:%u\r\n\r\n", open, host, close, port,
		open, host, close, port);

	return n > 0 && (size_t)n < size ? (size_t)n : 0;
}

/* Length up to and with the empty line; 0: not there yet. Bare newlines end no line (RFC 9112, 2.2 lets us refuse
 * them). */
static size_t header_length(const char *p, size_t n)
{
	const char *end = memmem(p, n, "\r\n\r\n", 4);

	return end ? (size_t)(end - p) + 4 : 0;
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "HTTP/1.x NNN" and then a blank or the end of the line; 0: it is none. */
static unsigned status_of(const char *p, size_t n)
{
	static const char version[] = "HTTP/1.";
	size_t at = sizeof(version) - 1;

	if (n < at + 6 || memcmp(p, version, at) != 0 || !digit(p[at]) || p[at + 1] != ' ')
		return 0;
	p += at + 2;
	if (!digit(p[0]) || !digit(p[1]) || !digit(p[2]) || (p[3] != ' ' && p[3] != '\r') || p[0] == '0')
		return 0;
	return (unsigned)(p[0] - '0') * 100 + (unsigned)(p[1] - '0') * 10 + (unsigned)(p[2] - '0');
}

/* No NUL, no carriage return or newline on its own: a header that two readers could cut differently. */
static bool clean(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool cr = p[i] == '\r', lf = p[i] == '\n';
		if (!p[i] || (cr && (i + 1 == n || p[i + 1] != '\n')) || (lf && (i == 0 || p[i - 1] != '\r')))
			return false;
	}
	return true;
}

enum proxy_verdict proxy_judge(const char *p, size_t n, size_t *ret_len, unsigned *ret_status)
{
	static const char start[] = "HTTP/1.";
	size_t seen = n < sizeof(start) - 1 ? n : sizeof(start) - 1;
	size_t len = header_length(p, n);

	*ret_len = len;
	*ret_status = 0;
	if (memcmp(p, start, seen) != 0)
		return PROXY_MALFORMED;
	if (len == 0)
		return n >= PROXY_ANSWER_MAX ? PROXY_MALFORMED : PROXY_MORE;
	*ret_status = status_of(p, len);
	if (len > PROXY_ANSWER_MAX || !clean(p, len) || *ret_status == 0)
		return PROXY_MALFORMED;
	/* An interim answer (1xx) to CONNECT is nothing that any proxy has to send. */
	return *ret_status >= 200 && *ret_status < 300 ? PROXY_OPEN : PROXY_REFUSED;
}
