/* SPDX-License-Identifier: Apache-2.0 */
/* args - see args.h */
#include "shim/args.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/text.h"
#include "shim/fold.h"

/* A key that contains one of these, folded, has a secret for a value. */
static const char *const secret_words[] = {
	"password",
	"passwd",
	"passphrase",
	"secret",
	"token",
	"apikey",
	"api_key",
	"api-key",
	"authorization",
	"credential",
	"private_key",
	"privatekey",
	"private-key",
	"cookie",
};

static const char REMOVED[] = "\"[removed]\"";

/* One key. Its canonical form is escaped where it matters already; what is left is deceptive characters, the comma that
 * stands between keys, and a key of nothing. */
static int put_key(struct buf *b, struct slice key)
{
	size_t left = key.n < EVENT_KEYS_MAX ? key.n : EVENT_KEYS_MAX;
	const char *p = key.p, *comma;
	int r = key.n == 0 ? buf_puts(b, "\"\"") : 0;

	while (r == 0 && (comma = memchr(p, ',', left))) {
		r = text_escape(b, p, (size_t)(comma - p), TEXT_KEEP_BACKSLASH);
		if (r == 0)
			r = buf_puts(b, "\\u002c");
		left -= (size_t)(comma - p) + 1;
		p = comma + 1;
	}
	return r ? r : text_escape(b, p, left, TEXT_KEEP_BACKSLASH);
}

/* Most keys need no escape, and all of them fit. False: they do not, and nothing is there. */
static bool put_plain_keys(struct event *e, struct slice arguments)
{
	struct walk w = walk_object(arguments);
	struct slice key, value;
	size_t at = 0;

	while (walk_member(&w, &key, &value)) {
		bool fits = key.n > 0 && key.n + 2 < sizeof(e->arg_keys) - at;
		for (size_t i = 0; fits && i < key.n; i++)
			fits = key.p[i] >= 0x20 && key.p[i] < 0x7f && key.p[i] != ',';
		if (!fits) {
			e->arg_keys[0] = '\0';
			return false;
		}
		if (at > 0)
			e->arg_keys[at++] = ',';
		memcpy(e->arg_keys + at, key.p, key.n);
		at += key.n;
	}
	e->arg_keys[at] = '\0';
	return true;
}

static void put_keys(struct event *e, struct slice arguments)
{
	_cleanup_buf_ struct buf b = BUF_INIT(2 * EVENT_KEYS_MAX);
	struct walk w = walk_object(arguments);
	struct slice key, value;
	int r = 0;

	while (r == 0 && b.len < EVENT_KEYS_MAX && walk_member(&w, &key, &value)) {
		if (b.len > 0)
			r = buf_putc(&b, ',');
		if (r == 0)
			r = put_key(&b, key);
	}
	if (b.len == 0)
		return;
	if (r < 0 || b.len >= sizeof(e->arg_keys)) {
		size_t n = b.len < sizeof(e->arg_keys) - 4 ? b.len : sizeof(e->arg_keys) - 4;
		while (n > 0 && (b.data[n] & 0xc0) == 0x80)
			n--;
		memcpy(e->arg_keys, b.data, n);
		memcpy(e->arg_keys + n, "...", 4);
		return;
	}
	memcpy(e->arg_keys, b.data, b.len + 1);
}

static void put_hash(struct event *e, const struct blake2s_key *salt, struct slice arguments)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t hash[BLAKE2S_BYTES];

	blake2s_keyed(salt, arguments.p, arguments.n, hash);
	for (size_t i = 0; i < sizeof(hash); i++) {
		e->arg_hash[2 * i] = digits[hash[i] >> 4];
		e->arg_hash[2 * i + 1] = digits[hash[i] & 15];
	}
}

static bool sounds_secret(struct slice key)
{
	_cleanup_buf_ struct buf b = BUF_INIT(64 << 10);

	/* A key too long to look at is treated as one that does. */
	if (fold_append(&b, key.p, key.n) < 0)
		return true;
	for (size_t i = 0; b.len && i < ARRAY_LEN(secret_words); i++)
		if (strstr(b.data, secret_words[i]))
			return true;
	return false;
}

int args_put_string(struct buf *b, struct slice s)
{
	const char *end = s.p + s.n, *p = s.p, *scheme;
	int r = 0;

	while (r == 0 && (scheme = memmem(p, (size_t)(end - p), "://", 3))) {
		const char *user = scheme + 3, *stop = user;
		while (stop < end && !strchr("/?# \"\\", *stop))
			stop++;
		const char *at = memrchr(user, '@', (size_t)(stop - user));
		const char *colon = at ? memchr(user, ':', (size_t)(at - user)) : NULL;
		const char *keep = colon ? colon + 1 : stop;
		r = buf_append(b, p, (size_t)(keep - p));
		if (r == 0 && colon)
			r = buf_puts(b, "[removed]");
		p = colon ? at : stop;
	}
	return r ? r : buf_append(b, p, (size_t)(end - p));
}

/* Copies canonical JSON without its secrets: strings one by one, all between them as it is. */
static int put_redacted(struct buf *b, struct slice v)
{
	const char *p = v.p, *end = v.p + v.n, *quote;
	int r = 0;

	while (r == 0 && (quote = memchr(p, '"', (size_t)(end - p)))) {
		const char *after = walk_skip(quote);
		bool key = after < end && *after == ':';
		r = buf_append(b, p, (size_t)(quote - p));
		if (r == 0)
			r = args_put_string(b, (struct slice){ quote, (size_t)(after - quote) });
		p = after;
		if (r == 0 && key && sounds_secret((struct slice){ quote + 1, (size_t)(after - quote) - 2 })) {
			p = walk_skip(after + 1);
			r = buf_putc(b, ':');
			if (r == 0)
				r = buf_puts(b, REMOVED);
		}
	}
	return r ? r : buf_append(b, p, (size_t)(end - p));
}

static int put_full(struct event *e, struct slice arguments, struct buf *room)
{
	size_t n;
	int r;

	buf_clear(room);
	r = put_redacted(room, arguments);
	if (r < 0 && r != -E2BIG)
		return r;
	n = room->len;
	if (r == -E2BIG || n > EVENT_ARGS_MAX) {
		n = n < EVENT_ARGS_MAX ? n : EVENT_ARGS_MAX;
		while (n > 0 && n < room->len && (room->data[n] & 0xc0) == 0x80)
			n--;
		snprintf(e->reason, sizeof(e->reason), "the arguments are cut at %d bytes", EVENT_ARGS_MAX);
	}
	e->args = room->data;
	e->args_len = (uint32_t)n;
	return 0;
}

int args_record(
	struct event *e, enum shim_args mode, const struct blake2s_key *salt, struct slice arguments, struct buf *room)
{
	if (!walk_is_object(arguments))
		return 0;
	if (!put_plain_keys(e, arguments))
		put_keys(e, arguments);
	if (mode == SHIM_ARGS_HASH)
		put_hash(e, salt, arguments);
	return mode == SHIM_ARGS_FULL ? put_full(e, arguments, room) : 0;
}
