/* SPDX-License-Identifier: Apache-2.0 */
/* links - where a link ends, whether its query is to be filled in, and images that a client fetches by itself */
#include <string.h>
#include "scan/work.h"

enum { IMAGE_TEXT_MAX = 200, FILLED_NEAR = 48 };

/* What a query must not be filled with. A page, an id, a search are the business of the service. */
static const char *const carried[] = { "conversation", "history", "chat", "secret", "password", "credential", "context",
	"prompt", "message", "content", "payload", "base64", "b64", "env", "output", "result", "summary", "file",
	"data", "text", "answer", "response", "args", "arguments", "key_", "private", "everything", "transcript",
	"stolen", "memory" };

static bool is_opening(char c)
{
	return c == '{' || c == '<' || c == '[' || c == '$' || c == '%';
}

static bool has_opening(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_opening(p[i]))
			return true;
	return false;
}

/* An opening bracket, and one of the words above near behind it. Words are fewer than brackets can be. */
static bool is_filled(const char *p, size_t n)
{
	const char *end = p + n;

	if (!has_opening(p, n))
		return false;
	for (size_t k = 0; k < ARRAY_LEN(carried); k++) {
		size_t len = strlen(carried[k]);
		for (const char *at = p; (at = memmem(at, (size_t)(end - at), carried[k], len)); at++) {
			size_t before = (size_t)(at - p) < FILLED_NEAR - len ? (size_t)(at - p) : FILLED_NEAR - len;
			if (has_opening(at - before, before))
				return true;
		}
	}
	return false;
}

static size_t end_of_link(const struct scan *s, size_t at)
{
	int open = 0;

	for (; at < s->folded_len; at++) {
		char c = s->folded[at];
		if (c == '{' || c == '<' || c == '[')
			open++;
		else if (open > 0 && (c == '}' || c == '>' || c == ']'))
			open--;
		else if (c == '\n' || c == '"' || c == '`' || c == '>' || c == ']' ||
			 (open == 0 && (c == ' ' || c == ')' || c == '\'')))
			break;
	}
	return at;
}

size_t scan_link(struct scan *s, size_t at)
{
	size_t end = end_of_link(s, at);
	const char *query = memchr(s->folded + at, '?', end - at);

	if (query && is_filled(query, (size_t)(s->folded + end - query)))
		found_folded(s, RULE_LINK_CARRIES, at, end - at);
	return end;
}

void scan_image(struct scan *s, size_t at)
{
	size_t n = s->folded_len - at, most = n < IMAGE_TEXT_MAX ? n : IMAGE_TEXT_MAX;
	const char *p = s->folded + at, *to;

	if (n < 2 || p[1] != '[')
		return;
	to = memmem(p, most, "](", 2);
	if (!to)
		return;
	n -= (size_t)(to + 2 - p);
	if ((n > 4 && memcmp(to + 2, "http", 4) == 0) || (n > 2 && memcmp(to + 2, "//", 2) == 0))
		found_folded(s, RULE_LINK_IMAGE, at, (size_t)(to - p) + 2);
}
