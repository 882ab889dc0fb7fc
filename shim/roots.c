/* SPDX-License-Identifier: Apache-2.0 */
/* roots - see roots.h */
#include "shim/roots.h"
#include <limits.h>
#include <string.h>
#include <strings.h>
#include "base/ascii.h"
#include "base/fs.h"
#include "shim/uri.h"

/* Percent-decodes in place; false for anything that is not one plain path. */
static bool decode(char *s)
{
	char *out = s;

	for (; *s; s++, out++) {
		if (*s == '?' || *s == '#' || *s == '\\')
			return false;
		*out = *s;
		if (*s != '%')
			continue;
		int high = ascii_hex(s[1]), low = high < 0 ? -1 : ascii_hex(s[2]);
		if (low < 0 || (high | low) == 0)
			return false;
		*out = (char)(high << 4 | low);
		if (*out == '/')
			return false;
		s += 2;
	}
	*out = '\0';
	return true;
}

/* "file:///path" and "file://localhost/path". */
static char *path_of(char *uri)
{
	if (strncasecmp(uri, "file://", 7) != 0)
		return NULL;
	uri += 7;
	if (strncasecmp(uri, "localhost/", 10) == 0)
		uri += 9;
	return *uri == '/' && decode(uri) ? uri : NULL;
}

bool roots_within(const struct strv *granted, struct slice uri)
{
	_cleanup_buf_ struct buf text = BUF_INIT(PATH_MAX * 3);
	_cleanup_free_ char *clean = NULL;
	char *path;

	if (walk_is_broken(uri) || walk_text(&text, uri) < 0)
		return false;
	path = uri_has_dropped((struct slice){ text.data, text.len }) ? NULL : path_of(text.data);
	if (!path || fs_path_clean(path, &clean) < 0)
		return false;
	for (size_t i = 0; i < granted->n; i++)
		if (fs_path_within(clean, granted->v[i]))
			return true;
	return false;
}
