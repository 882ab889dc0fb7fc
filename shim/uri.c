/* SPDX-License-Identifier: Apache-2.0 */
/* uri - see uri.h */
#include "shim/uri.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include "base/ascii.h"

bool uri_has_dot_segment(struct slice uri)
{
	size_t dots = 0;
	bool only_dots = true;

	for (size_t i = 0; i <= uri.n; i++) {
		bool ends = i == uri.n || uri.p[i] == '/' || uri.p[i] == '\\' || uri.p[i] == '?' || uri.p[i] == '#';
		if (!ends && i + 2 < uri.n && strncasecmp(uri.p + i, "%2f", 3) == 0)
			ends = true;
		if (ends) {
			if (only_dots && (dots == 1 || dots == 2))
				return true;
			dots = 0;
			only_dots = true;
			i += i < uri.n && uri.p[i] == '%' ? 2 : 0;
		} else if (uri.p[i] == '.') {
			dots++;
		} else if (i + 2 < uri.n && strncasecmp(uri.p + i, "%2e", 3) == 0) {
			dots++;
			i += 2;
		} else {
			only_dots = false;
		}
	}
	return false;
}

/* "%XX" at p, of a character that never needs it. */
static bool encodes_unreserved(const char *p)
{
	int high = ascii_hex(p[1]), low = ascii_hex(p[2]), c = high * 16 + low;

	return high >= 0 && high < 8 && low >= 0 && (isalnum(c) || (c && strchr("-._~", c)));
}

bool uri_has_dropped(struct slice uri)
{
	for (size_t i = 0; i < uri.n; i++)
		if ((unsigned char)uri.p[i] < ' ' || uri.p[i] == 0x7f)
			return true;
	return uri.n > 0 && (uri.p[0] == ' ' || uri.p[uri.n - 1] == ' ');
}

/* The schemes whose uris browsers and their like mend: a host, and always one way to write it. */
static const struct {
	const char *scheme, *port;
} special[] = { { "file", NULL }, { "http", "80" }, { "https", "443" }, { "ws", "80" }, { "wss", "443" },
	{ "ftp", "21" } };

/* A host may be a number in many ways; the one is four decimals without zeros before them. */
static bool is_odd_number(struct slice host)
{
	const char *dot = memrchr(host.p, '.', host.n), *last = dot ? dot + 1 : host.p;
	char text[16];
	struct in_addr a;

	if (last == host.p + host.n || !isdigit((unsigned char)*last))
		return false;
	if (host.n >= sizeof(text))
		return true;
	memcpy(text, host.p, host.n);
	text[host.n] = '\0';
	return inet_pton(AF_INET, text, &a) != 1;
}

/* The host in lower case, of letters, digits, hyphens and dots between them; a port that says something. */
static bool is_plain_authority(struct slice all, const char *port)
{
	const char *colon = memchr(all.p, ':', all.n);
	struct slice host = { all.p, colon ? (size_t)(colon - all.p) : all.n };
	struct slice digits = { colon ? colon + 1 : NULL, colon ? all.n - host.n - 1 : 0 };

	for (size_t i = 0; i < host.n; i++)
		if (!islower((unsigned char)host.p[i]) && !isdigit((unsigned char)host.p[i]) &&
			!strchr("-._", host.p[i]))
			return false;
	for (size_t i = 0; i < digits.n; i++)
		if (!isdigit((unsigned char)digits.p[i]))
			return false;
	if (colon && (digits.n == 0 || *digits.p == '0' || (port && slice_is(digits, port))))
		return false;
	return host.n > 0 && host.p[host.n - 1] != '.' && !is_odd_number(host);
}

/* Behind "scheme:" and, where there is one, "//authority". */
static size_t path_begin(struct slice uri, size_t colon)
{
	size_t i = colon + 1;

	if (uri.n - i < 2 || memcmp(uri.p + i, "//", 2) != 0)
		return i;
	for (i += 2; i < uri.n && !strchr("/?#", uri.p[i]); i++)
		;
	return i;
}

/* Would a browser write what stands before the path in another way? */
static bool has_other_origin(struct slice uri, size_t colon, size_t path)
{
	struct slice scheme = { uri.p, colon }, authority = { uri.p + colon + 3, path - colon - 3 };

	for (size_t i = 0; i < colon; i++)
		if (isupper((unsigned char)uri.p[i]))
			return true;
	for (size_t i = 0; i < ARRAY_LEN(special); i++) {
		if (!slice_is(scheme, special[i].scheme))
			continue;
		if (path < colon + 3)
			return true;
		return special[i].port ? !is_plain_authority(authority, special[i].port) : authority.n > 0;
	}
	return false;
}

bool uri_has_other_spelling(struct slice uri)
{
	const char *at = memchr(uri.p, ':', uri.n);
	size_t colon = at ? (size_t)(at - uri.p) : 0, path = at ? path_begin(uri, colon) : 0;
	bool in_path = true, file = slice_is((struct slice){ uri.p, colon }, "file");

	if (at && has_other_origin(uri, colon, path))
		return true;
	for (size_t i = 0; i < uri.n; i++) {
		unsigned char c = (unsigned char)uri.p[i];
		if (c <= ' ' || c >= 0x7f || c == '\\' || c == '#' || (file && c == '?'))
			return true;
		if (c == '%' && i + 2 < uri.n && encodes_unreserved(uri.p + i))
			return true;
		in_path = in_path && c != '?';
		if (in_path && i > path && c == '/' && uri.p[i - 1] == '/')
			return true;
	}
	return false;
}

int uri_decode(struct buf *b, struct slice uri)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < uri.n; i++) {
		int high = uri.p[i] == '%' && i + 2 < uri.n ? ascii_hex(uri.p[i + 1]) : -1;
		int low = high < 0 ? -1 : ascii_hex(uri.p[i + 2]);
		char decoded = (char)((unsigned)high << 4 | (unsigned)low);
		r = buf_putc(b, low < 0 ? uri.p[i] : decoded);
		i += low < 0 ? 0 : 2;
	}
	return r;
}
