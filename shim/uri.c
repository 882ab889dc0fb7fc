/* SPDX-License-Identifier: Apache-2.0 */
/* uri - see uri.h */
#include "shim/uri.h"
#include <ctype.h>
#include <string.h>
#include <strings.h>

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

int uri_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 32;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "%XX" at p, of a character that never needs it. */
static bool encodes_unreserved(const char *p)
{
	int high = uri_hex(p[1]), low = uri_hex(p[2]), c = high * 16 + low;

	return high >= 0 && high < 8 && low >= 0 && (isalnum(c) || (c && strchr("-._~", c)));
}

/* Behind "scheme:" and, where there is one, "//authority". */
static size_t path_begin(struct slice uri, size_t colon)
{
	size_t i = colon + 1;

	if (uri.n - i < 2 || memcmp(uri.p + i, "//", 2) != 0)
		return i;
	for (i += 2; i < uri.n && uri.p[i] != '/'; i++)
		;
	return i;
}

bool uri_has_other_spelling(struct slice uri)
{
	const char *at = memchr(uri.p, ':', uri.n);
	size_t colon = at ? (size_t)(at - uri.p) : 0, path = at ? path_begin(uri, colon) : 0;
	bool in_path = true;

	for (size_t i = 0; i < colon; i++)
		if (isupper((unsigned char)uri.p[i]))
			return true;
	for (size_t i = 0; i < uri.n; i++) {
		if (uri.p[i] == '%' && i + 2 < uri.n && encodes_unreserved(uri.p + i))
			return true;
		in_path = in_path && uri.p[i] != '?' && uri.p[i] != '#';
		if (in_path && i > path && uri.p[i] == '/' && uri.p[i - 1] == '/')
			return true;
	}
	return false;
}
