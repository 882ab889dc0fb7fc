/* SPDX-License-Identifier: Apache-2.0 */
/* skim - see skim.h */
#include "shim/skim.h"
#include <string.h>

void skim_init(struct skim *s)
{
	*s = (struct skim){ 0 };
}

static bool key_is(const struct skim *s, const char *name)
{
	return s->key_len == strlen(name) && memcmp(s->key, name, s->key_len) == 0;
}

static void end_key(struct skim *s)
{
	s->in_key = false;
	s->want_key = false;
	s->methods += key_is(s, "method");
	s->answers += key_is(s, "result") || key_is(s, "error");
	if (key_is(s, "id")) {
		s->ids++;
		s->id_len = 0;
		s->id_too_long = false;
	} else {
		s->key_len = 0;
	}
}

static void keep_id(struct skim *s, char c)
{
	if (s->id_len == 0 && c == ' ')
		return;
	if (s->id_len < SKIM_ID_MAX)
		s->id[s->id_len++] = c;
	else
		s->id_too_long = true;
}

/* A byte inside a string. */
static void string_byte(struct skim *s, char c)
{
	if (s->in_id)
		keep_id(s, c);
	if (s->escaped) {
		s->escaped = false;
	} else if (c == '\\') {
		s->escaped = true;
	} else if (c == '"') {
		s->in_string = false;
		if (s->in_key)
			end_key(s);
		return;
	}
	/* A key with an escape in it is none of ours: it gets one byte too many and matches nothing. */
	if (s->in_key && s->key_len < SKIM_KEY_MAX)
		s->key[s->key_len++] = c;
}

static void begin_string(struct skim *s)
{
	s->in_string = true;
	s->in_key = s->depth == 1 && s->want_key;
	if (s->in_key)
		s->key_len = 0;
}

/* A byte outside of strings, in the outermost object. */
static void outer_byte(struct skim *s, char c)
{
	if (c == ',' || c == '}') {
		s->want_key = c == ',';
		s->in_id = false;
		s->key_len = 0;
	} else if (c == ':') {
		s->in_id = key_is(s, "id");
		return;
	}
	if (s->in_id && c != '"')
		keep_id(s, c);
}

static void plain_byte(struct skim *s, char c)
{
	if (!s->started) {
		if (c == ' ' || c == '\t' || c == '\r')
			return;
		s->started = true;
		s->want_key = true;
		s->depth = c == '{';
		return;
	}
	if (s->depth == 1)
		outer_byte(s, c);
	if (c == '"') {
		if (s->in_id)
			keep_id(s, c);
		begin_string(s);
	} else if (c == '{' || c == '[') {
		s->depth++;
	} else if (c == '}' || c == ']') {
		s->depth--;
	}
}

void skim_feed(struct skim *s, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s->depth == 0 && s->started)
			return;
		if (s->in_string && !s->in_id && !s->in_key && !s->escaped && p[i] != '"' && p[i] != '\\')
			continue;
		if (s->in_string)
			string_byte(s, p[i]);
		else
			plain_byte(s, p[i]);
	}
}

const char *skim_id(const struct skim *s, size_t *ret_len)
{
	size_t n = s->id_len;

	if (s->ids != 1 || s->id_too_long)
		return NULL;
	while (n > 0 && (s->id[n - 1] == ' ' || s->id[n - 1] == '\t' || s->id[n - 1] == '\r'))
		n--;
	*ret_len = n;
	return n > 0 ? s->id : NULL;
}
