/* SPDX-License-Identifier: Apache-2.0 */
/* version_range - see version_range.h */
#include "supervisor/signing/version_range.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/parse.h"

enum { NUMBER_MAX = 16 };

int version_range_parse(const char *text, struct version_range *ret)
{
	const char *dots = strstr(text, "..");
	size_t n = dots ? (size_t)(dots - text) : strlen(text);
	char first[NUMBER_MAX];
	int r = 0;

	*ret = VERSION_RANGE_ALL;
	if (n >= sizeof(first) || strcmp(text, "..") == 0)
		return -EINVAL;
	memcpy(first, text, n);
	first[n] = '\0';
	if (n || !dots)
		r = parse_u64(first, 1, INT32_MAX, &ret->first);
	if (r == 0 && !dots)
		ret->last = ret->first;
	if (r == 0 && dots && dots[2])
		r = parse_u64(dots + 2, 1, INT32_MAX, &ret->last);
	return r == 0 && ret->first <= ret->last ? 0 : -EINVAL;
}

bool version_range_has(const struct version_range *r, uint64_t version)
{
	return version >= r->first && version <= r->last;
}

bool version_range_may_have(const struct version_range *r, uint64_t version)
{
	return version == 0 || version_range_has(r, version);
}
