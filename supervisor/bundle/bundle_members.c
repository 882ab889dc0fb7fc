/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_members - see bundle_members.h */
#include "supervisor/bundle/bundle_members.h"
#include <errno.h>
#include <jansson.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "supervisor/json_file.h"

/* Keys of the objects that are open, hashed: those of one object lie at the end, in the order that they came. */
struct keys {
	uint64_t *v;
	size_t n, room;
};

struct cursor {
	const char *at, *end;
	size_t depth;
	struct keys keys;
};

static void cursor_done(struct cursor *c)
{
	free(c->keys.v);
}

static void skip_space(struct cursor *c)
{
	while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\r' || *c->at == '\n'))
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

/* --- strings --- */

/* Four digits of a "\u"; -1: they are none. */
static long take_unit(struct cursor *c)
{
	long unit = 0;

	for (int i = 0; i < 4; i++, c->at++) {
		static const char digits[] = "0123456789abcdef";
		char byte = c->at < c->end ? *c->at : '\0';
		const char *digit =
			byte ? strchr(digits, byte >= 'A' && byte <= 'F' ? byte + ('a' - 'A') : byte) : NULL;
		if (!digit)
			return -1;
		unit = unit * 16 + (digit - digits);
	}
	return unit;
}

/* Behind "\u": a character, or two units that make one. No string holds a NUL. */
static int skip_unicode(struct cursor *c)
{
	long unit = take_unit(c);

	if (unit <= 0 || (unit >= 0xdc00 && unit <= 0xdfff))
		return -EINVAL;
	if (unit < 0xd800 || unit > 0xdbff)
		return 0;
	if (c->end - c->at < 2 || c->at[0] != '\\' || c->at[1] != 'u')
		return -EINVAL;
	c->at += 2;
	unit = take_unit(c);
	return unit >= 0xdc00 && unit <= 0xdfff ? 0 : -EINVAL;
}

/* From behind the quotation mark to behind the other. */
static int skip_string(struct cursor *c)
{
	int r = 0;

	while (r == 0 && c->at < c->end) {
		unsigned char byte = (unsigned char)*c->at++;
		if (byte == '"')
			return 0;
		if (byte < 0x20)
			return -EINVAL;
		if (byte != '\\')
			continue;
		byte = c->at < c->end ? (unsigned char)*c->at++ : '\0';
		if (byte == 'u')
			r = skip_unicode(c);
		else if (!byte || !strchr("\"\\/bfnrt", byte))
			return -EINVAL;
	}
	return -EINVAL;
}

/* --- keys --- */

static uint64_t hash(const char *bytes, size_t n)
{
	static const unsigned char key[crypto_shorthash_KEYBYTES];
	uint64_t sum;

	_Static_assert(sizeof(sum) == crypto_shorthash_BYTES, "one number a key");
	crypto_shorthash((unsigned char *)&sum, (const unsigned char *)bytes, n, key);
	return sum;
}

static int add_key(struct keys *k, uint64_t sum)
{
	if (k->n == k->room) {
		size_t room = k->room ? 2 * k->room : 64;
		uint64_t *grown = reallocarray(k->v, room, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		k->v = grown;
		k->room = room;
	}
	k->v[k->n++] = sum;
	return 0;
}

/* A key may be written with escapes. */
static int note_key(struct cursor *c, const char *lexeme, size_t n)
{
	json_t *text;
	int r;

	if (!memchr(lexeme, '\\', n))
		return add_key(&c->keys, hash(lexeme + 1, n - 2));
	text = json_loadb(lexeme, n, JSON_DECODE_ANY, NULL);
	r = text ? add_key(&c->keys, hash(json_string_value(text), json_string_length(text))) : -ENOMEM;
	json_decref(text);
	return r;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The keys from begin on are those of an object that is over. */
static int close_keys(struct keys *k, size_t begin)
{
	int r = 0;

	if (k->n > begin)
		qsort(k->v + begin, k->n - begin, sizeof(*k->v), compare);
	for (size_t i = begin + 1; i < k->n; i++)
		if (k->v[i - 1] == k->v[i])
			r = -EINVAL;
	k->n = begin;
	return r;
}

/* --- values --- */

static int skip_value(struct cursor *c);

/* What it may be, and whether it is too large for any number, is jansson's to say. */
static int skip_number(struct cursor *c)
{
	const char *begin = c->at;
	json_t *number;

	while (c->at < c->end && *c->at && strchr("+-.0123456789eE", *c->at))
		c->at++;
	number = json_loadb(begin, (size_t)(c->at - begin), JSON_DECODE_ANY, NULL);
	json_decref(number);
	return number ? 0 : -EINVAL;
}

static int skip_word(struct cursor *c)
{
	static const char *const words[] = { "true", "false", "null" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		size_t n = strlen(words[i]);
		if ((size_t)(c->end - c->at) < n || memcmp(c->at, words[i], n) != 0)
			continue;
		c->at += n;
		return 0;
	}
	return -EINVAL;
}

static int take_key(struct cursor *c, const char **ret, size_t *ret_n)
{
	int r;

	skip_space(c);
	*ret = c->at;
	if (!take(c, '"'))
		return -EINVAL;
	r = skip_string(c);
	*ret_n = (size_t)(c->at - *ret);
	if (r == 0)
		r = note_key(c, *ret, *ret_n);
	return r < 0 ? r : take(c, ':') ? 0 : -EINVAL;
}

static int skip_object(struct cursor *c)
{
	size_t begin = c->keys.n, n;
	const char *key;
	int r = 0;

	if (take(c, '}'))
		return 0;
	do {
		r = take_key(c, &key, &n);
		if (r == 0)
			r = skip_value(c);
	} while (r == 0 && take(c, ','));
	if (r == 0)
		r = take(c, '}') ? 0 : -EINVAL;
	return r < 0 ? r : close_keys(&c->keys, begin);
}

static int skip_array(struct cursor *c)
{
	int r;

	if (take(c, ']'))
		return 0;
	do
		r = skip_value(c);
	while (r == 0 && take(c, ','));
	return r < 0 ? r : take(c, ']') ? 0 : -EINVAL;
}

static int skip_value(struct cursor *c)
{
	bool object;
	int r;

	if (take(c, '"'))
		return skip_string(c);
	object = take(c, '{');
	if (!object && !take(c, '[')) {
		if (c->at == c->end)
			return -EINVAL;
		return *c->at == '-' || (*c->at >= '0' && *c->at <= '9') ? skip_number(c) : skip_word(c);
	}
	if (c->depth == JSON_FILE_DEPTH_MAX)
		return -EINVAL;
	c->depth++;
	r = object ? skip_object(c) : skip_array(c);
	c->depth--;
	return r;
}

/* --- the members --- */

static int take_member(struct cursor *c, struct bundle_member *v, size_t n_v)
{
	const char *key, *at;
	size_t n;
	int r = take_key(c, &key, &n);

	if (r < 0)
		return r;
	skip_space(c);
	at = c->at;
	r = skip_value(c);
	for (size_t i = 0; r == 0 && i < n_v; i++) {
		if (c->keys.v[c->keys.n - 1] != hash(v[i].key, strlen(v[i].key)))
			continue;
		v[i].at = at;
		v[i].n = (size_t)(c->at - at);
	}
	return r;
}

static int find(struct cursor *c, struct bundle_member *v, size_t n_v)
{
	int r = 0;

	if (!take(c, '{'))
		return -EINVAL;
	c->depth = 1;
	if (!take(c, '}')) {
		do
			r = take_member(c, v, n_v);
		while (r == 0 && take(c, ','));
		if (r == 0)
			r = take(c, '}') ? close_keys(&c->keys, 0) : -EINVAL;
	}
	skip_space(c);
	return r == 0 && c->at != c->end ? -EINVAL : r;
}

int bundle_members_find(const char *bytes, size_t n, struct bundle_member *v, size_t n_v)
{
	_cleanup_(cursor_done) struct cursor c = { .at = bytes, .end = bytes + n };

	for (size_t i = 0; i < n_v; i++)
		v[i] = (struct bundle_member){ .key = v[i].key };
	return utf8_valid(bytes, n) ? find(&c, v, n_v) : -EINVAL;
}
