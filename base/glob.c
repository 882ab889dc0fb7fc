/* SPDX-License-Identifier: Apache-2.0 */
/* glob - see glob.h */
#include "base/glob.h"

bool glob_match(const char *pattern, const char *text, size_t text_len)
{
	const char *star = NULL;
	size_t i = 0, resume = 0;

	while (i < text_len) {
		if (*pattern == '*') {
			star = ++pattern;
			resume = i;
		} else if (*pattern && *pattern == text[i]) {
			pattern++;
			i++;
		} else if (star) {
			/* Only the last star needs to give way: what the earlier ones took stays matched. */
			pattern = star;
			i = ++resume;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}
