/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_members - see bundle_members.h */
#include "supervisor/bundle/bundle_members.h"
#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <string.h>

struct cursor {
	const char *at, *end;
};

static void skip_space(struct cursor *c)
{
	while (c->at < c->end && strchr(" \t\r\n", *c->at) && *c->at)
		c->at++;
}

static bool take(struct cursor *c, char wanted)
{
	skip_space(c);
	if (c->at == c->end || *c->at != wanted)
		return false;
	c->at++;
	return true;
}

/* From behind the quotation mark to behind the other. */
static int skip_string(struct cursor *c)
{
	while (c->at < c->end && *c->at != '"')
		c->at += *c->at == '\\' && c->end - c->at > 1 ? 2 : 1;
	if (c->at >= c->end)
		return -EINVAL;
	c->at++;
	return 0;
}

/* Up to the comma or bracket behind it. */
static int skip_value(struct cursor *c)
{
	size_t depth = 0;
	int r = 0;

	for (; r == 0 && c->at < c->end; c->at += r == 0) {
		char byte = *c->at;
		if (depth == 0 && (byte == ',' || byte == '}' || byte == ']'))
			return 0;
		depth += byte == '{' || byte == '[';
		depth -= byte == '}' || byte == ']';
		if (byte != '"')
			continue;
		c->at++;
		r = skip_string(c);
		c->at--;
	}
	return -EINVAL;
}

/* A key may be written with escapes. */
static bool is_key(const char *lexeme, size_t n, const char *key)
{
	json_t *text;
	bool same;

	if (!memchr(lexeme, '\\', n))
		return n == strlen(key) + 2 && memcmp(lexeme + 1, key, n - 2) == 0;
	text = json_loadb(lexeme, n, JSON_DECODE_ANY, NULL);
	same = json_is_string(text) && strcmp(json_string_value(text), key) == 0;
	json_decref(text);
	return same;
}

static int note(struct bundle_member *v, size_t n_v, const struct bundle_member *found, size_t n_key)
{
	for (size_t i = 0; i < n_v; i++) {
		if (!is_key(found->key, n_key, v[i].key))
			continue;
		if (v[i].at)
			return -EINVAL;
		v[i].at = found->at;
		v[i].n = found->n;
	}
	return 0;
}

static int take_member(struct cursor *c, struct bundle_member *v, size_t n_v)
{
	struct bundle_member found = { 0 };
	size_t n_key;
	int r;

	skip_space(c);
	found.key = c->at;
	if (!take(c, '"'))
		return -EINVAL;
	r = skip_string(c);
	n_key = (size_t)(c->at - found.key);
	if (r < 0 || !take(c, ':'))
		return -EINVAL;
	skip_space(c);
	found.at = c->at;
	r = skip_value(c);
	found.n = (size_t)(c->at - found.at);
	return r < 0 || found.n == 0 ? -EINVAL : note(v, n_v, &found, n_key);
}

int bundle_members_find(const char *bytes, size_t n, struct bundle_member *v, size_t n_v)
{
	struct cursor c = { bytes, bytes + n };
	int r = 0;

	for (size_t i = 0; i < n_v; i++)
		v[i] = (struct bundle_member){ .key = v[i].key };
	if (!take(&c, '{'))
		return -EINVAL;
	do
		r = take_member(&c, v, n_v);
	while (r == 0 && take(&c, ','));
	if (r < 0 || !take(&c, '}'))
		return -EINVAL;
	skip_space(&c);
	return c.at == c.end ? 0 : -EINVAL;
}
