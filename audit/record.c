/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record - one line of the log, built by hand in a fixed order of keys
 *
 * Process:  supervisor
 */
#include "audit/record.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <time.h>

#include "audit/log_key.h"
#include "base/text.h"

/* Bytes that stand for themselves in a JSON string: runs of them are copied whole. */
static const unsigned char plain[256] = {
	[0x20 ... 0x21] = 1,
	[0x23 ... 0x5b] = 1,
	[0x5d ... 0x7e] = 1,
};

static const char hex_digits[16] = { '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f' };

static size_t number_text(uint64_t n, char out[20])
{
	char reversed[20];
	size_t len = 0;
	do {
		reversed[len++] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	for (size_t i = 0; i < len; i++)
		out[i] = reversed[len - 1 - i];
	return len;
}

static void put_number(struct record *r, uint64_t n)
{
	char text[20];
	record_raw(r, text, number_text(n, text));
}

static void clock_set(struct record_clock *clock, int64_t second)
{
	time_t t = (time_t)second;
	struct tm tm = { 0 };
	if (clock->text[0] != '\0' && clock->second == second)
		return;
	if (!gmtime_r(&t, &tm) || strftime(clock->text, sizeof clock->text, "%Y-%m-%dT%H:%M:%S", &tm) != 19)
		memcpy(clock->text, "1970-01-01T00:00:00", sizeof clock->text);
	clock->second = second;
}

void record_begin(struct record *r, struct record_clock *clock, uint64_t seq, uint64_t us)
{
	char fraction[8] = { '.', '0', '0', '0', '0', '0', '0', 'Z' };
	uint64_t rest = us % 1000000;
	for (size_t i = 6; i > 0; i--) {
		fraction[i] = (char)('0' + rest % 10);
		rest /= 10;
	}
	clock_set(clock, (int64_t)(us / 1000000));
	r->len = 0;
	r->over = false;
	record_text(r, "{\"v\":1,\"seq\":");
	put_number(r, seq);
	record_text(r, ",\"ts\":\"");
	record_raw(r, clock->text, 19);
	record_raw(r, fraction, sizeof fraction);
	record_text(r, "\"");
}

static size_t put_escape(uint32_t unit, char *out)
{
	out[0] = '\\';
	out[1] = 'u';
	for (size_t i = 0; i < 4; i++)
		out[2 + i] = hex_digits[unit >> (12 - 4 * i) & 15];
	return 6;
}

/* One character that is not plain. Returns the bytes it takes from s; the text goes to out. */
static size_t escape_one(const unsigned char *s, size_t n, char out[12], size_t *ret_len)
{
	uint32_t cp = 0xfffd;
	size_t used = utf8_decode(s, n, &cp);
	if (used == 0 || cp == 0) {
		*ret_len = put_escape(0xfffd, out);
		return 1;
	}
	if (cp == '"' || cp == '\\') {
		out[0] = '\\';
		out[1] = (char)cp;
		*ret_len = 2;
	} else if (cp >= 0x80 && !text_is_deceptive(cp)) {
		memcpy(out, s, used);
		*ret_len = used;
	} else if (cp < 0x10000) {
		*ret_len = put_escape(cp, out);
	} else {
		*ret_len = put_escape(0xd800 + ((cp - 0x10000) >> 10), out);
		*ret_len += put_escape(0xdc00 + ((cp - 0x10000) & 0x3ff), out + 6);
	}
	return used;
}

static bool put_escaped(struct record *r, const unsigned char *s, size_t n, size_t limit)
{
	char out[12];
	size_t len = 0;
	size_t end = r->len + (limit < r->max - r->len ? limit : r->max - r->len);
	for (size_t i = 0; i < n;) {
		size_t run = 0;
		while (i + run < n && plain[s[i + run]])
			run++;
		if (run > end - r->len) {
			record_raw(r, s + i, end - r->len);
			return true;
		}
		record_raw(r, s + i, run);
		i += run;
		if (i == n)
			break;
		size_t used = escape_one(s + i, n - i, out, &len);
		if (len > end - r->len)
			return true;
		record_raw(r, out, len);
		i += used;
	}
	return false;
}

static void put_key(struct record *r, const char *key)
{
	record_raw(r, ",\"", 2);
	record_text(r, key);
	record_raw(r, "\":", 2);
}

bool record_bytes(struct record *r, const char *key, const char *value, size_t n, size_t limit)
{
	if (n == 0)
		return false;
	put_key(r, key);
	record_raw(r, "\"", 1);
	bool cut = put_escaped(r, (const unsigned char *)value, n, limit);
	record_raw(r, "\"", 1);
	return cut;
}

void record_number(struct record *r, const char *key, uint64_t n)
{
	if (n == 0)
		return;
	put_key(r, key);
	put_number(r, n > INT64_MAX ? INT64_MAX : n);
}

static void hash_hex(const unsigned char raw[RECORD_HASH_LEN], char ret[RECORD_HASH_HEX + 1])
{
	for (size_t i = 0; i < RECORD_HASH_LEN; i++) {
		ret[2 * i] = hex_digits[raw[i] >> 4];
		ret[2 * i + 1] = hex_digits[raw[i] & 15];
	}
	ret[RECORD_HASH_HEX] = '\0';
}

void record_hash(const void *p, size_t n, char ret[RECORD_HASH_HEX + 1])
{
	unsigned char raw[RECORD_HASH_LEN];
	/* Fails only for lengths outside 16..64. */
	(void)crypto_generichash(raw, sizeof raw, p, n, NULL, 0);
	hash_hex(raw, ret);
}

struct part {
	const char *p;
	size_t n;
};

/* The hash of what they hold one behind the other. */
static void hash_parts(const struct part *v, size_t n, char ret[RECORD_HASH_HEX + 1])
{
	unsigned char raw[RECORD_HASH_LEN];
	crypto_generichash_state state;

	(void)crypto_generichash_init(&state, NULL, 0, sizeof raw);
	for (size_t i = 0; i < n; i++)
		(void)crypto_generichash_update(&state, (const unsigned char *)v[i].p, v[i].n);
	(void)crypto_generichash_final(&state, raw, sizeof raw);
	hash_hex(raw, ret);
}

int record_seal(struct record *r, const char *prev, char ret_hash[RECORD_HASH_HEX + 1])
{
	record_text(r, ",\"prev\":\"");
	record_raw(r, prev, RECORD_HASH_HEX);
	record_text(r, "\"}");
	if (r->over)
		return -EMSGSIZE;
	record_hash(r->data, r->len, ret_hash);
	r->len--;
	record_text(r, ",\"hash\":\"");
	record_raw(r, ret_hash, RECORD_HASH_HEX);
	record_text(r, "\"}\n");
	return r->over ? -EMSGSIZE : 0;
}

int record_seal_signed(
	struct record *r, const char *prev, const struct log_key *key, char ret_hash[RECORD_HASH_HEX + 1])
{
	char sig[RECORD_SIG_HEX + 1];
	size_t at;

	record_text(r, ",\"key\":\"");
	record_text(r, key ? key->id : "");
	record_text(r, "\",\"sig\":\"");
	at = r->len;
	record_text(r, "\"");
	if (!key || !*key->id)
		return record_seal(r, prev, ret_hash);
	record_text(r, ",\"prev\":\"");
	record_raw(r, prev, RECORD_HASH_HEX);
	record_text(r, "\"}");
	if (r->over)
		return -EMSGSIZE;
	record_hash(r->data, r->len, ret_hash);
	log_key_sign(key, ret_hash, sig);
	r->len = at;
	record_raw(r, sig, RECORD_SIG_HEX);
	record_text(r, "\"");
	return record_seal(r, prev, ret_hash);
}

static bool is_hex(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!((p[i] >= '0' && p[i] <= '9') || (p[i] >= 'a' && p[i] <= 'f')))
			return false;
	}
	return true;
}

bool record_line_links(const char *line, size_t n, const char **ret_prev, const char **ret_hash)
{
	static const char before_prev[9] = { ',', '"', 'p', 'r', 'e', 'v', '"', ':', '"' };
	static const char before_hash[10] = { '"', ',', '"', 'h', 'a', 's', 'h', '"', ':', '"' };
	size_t tail = sizeof before_prev + RECORD_HASH_HEX + sizeof before_hash + RECORD_HASH_HEX + 2;
	if (n < tail)
		return false;
	const char *p = line + n - tail;
	const char *prev = p + sizeof before_prev;
	const char *hash = prev + RECORD_HASH_HEX + sizeof before_hash;
	if (memcmp(p, before_prev, sizeof before_prev) != 0 || !is_hex(prev, RECORD_HASH_HEX) ||
		memcmp(prev + RECORD_HASH_HEX, before_hash, sizeof before_hash) != 0 ||
		!is_hex(hash, RECORD_HASH_HEX) || memcmp(hash + RECORD_HASH_HEX, "\"}", 2) != 0)
		return false;
	*ret_prev = prev;
	*ret_hash = hash;
	return true;
}

bool record_line_hash(const char *line, size_t n, char ret[RECORD_HASH_HEX + 1])
{
	const char *prev, *hash;

	if (!record_line_links(line, n, &prev, &hash))
		return false;
	const struct part parts[] = { { line, (size_t)(prev - line) + RECORD_HASH_HEX }, { "\"}", 2 } };
	hash_parts(parts, ARRAY_LEN(parts), ret);
	return true;
}

bool record_line_signature(
	const char *line, size_t n, const char **ret_key, const char **ret_sig, char ret_hash[RECORD_HASH_HEX + 1])
{
	static const char before_key[8] = { ',', '"', 'k', 'e', 'y', '"', ':', '"' };
	static const char before_sig[9] = { '"', ',', '"', 's', 'i', 'g', '"', ':', '"' };
	size_t place = sizeof before_key + RECORD_KEY_HEX + sizeof before_sig + RECORD_SIG_HEX + 1;
	const char *prev, *hash;

	if (!record_line_links(line, n, &prev, &hash))
		return false;
	const char *end = prev - 9; /* of what stands before ,"prev":" */
	if (end - line < (ptrdiff_t)place || end[-1] != '"')
		return false;
	const char *sig = end - 1 - RECORD_SIG_HEX, *key = sig - sizeof before_sig - RECORD_KEY_HEX;
	if (memcmp(key - sizeof before_key, before_key, sizeof before_key) != 0 || !is_hex(key, RECORD_KEY_HEX) ||
		memcmp(key + RECORD_KEY_HEX, before_sig, sizeof before_sig) != 0 || !is_hex(sig, RECORD_SIG_HEX))
		return false;
	const struct part parts[] = { { line, (size_t)(sig - line) },
		{ end - 1, (size_t)(prev - end) + 1 + RECORD_HASH_HEX }, { "\"}", 2 } };
	hash_parts(parts, ARRAY_LEN(parts), ret_hash);
	*ret_key = key;
	*ret_sig = sig;
	return true;
}

/* Exactly n digits. */
static bool take_digits(const char *p, size_t n, unsigned *ret)
{
	unsigned value = 0;
	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		value = value * 10 + (unsigned)(p[i] - '0');
	}
	*ret = value;
	return true;
}

bool record_parse_time(const char *s, uint64_t *ret)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd.ddddddZ";
	static const struct {
		unsigned char at, len;
	} field[7] = { { 0, 4 }, { 5, 2 }, { 8, 2 }, { 11, 2 }, { 14, 2 }, { 17, 2 }, { 20, 6 } };
	unsigned v[7] = { 0 };
	if (strlen(s) != RECORD_TIME_LEN)
		return false;
	for (size_t i = 0; i < RECORD_TIME_LEN; i++) {
		if (form[i] != 'd' && s[i] != form[i])
			return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(field); i++) {
		if (!take_digits(s + field[i].at, field[i].len, &v[i]))
			return false;
	}
	if (v[0] < 1970 || v[1] < 1 || v[1] > 12 || v[2] < 1 || v[2] > 31 || v[3] > 23 || v[4] > 59 || v[5] > 60)
		return false;
	struct tm tm = { .tm_year = (int)v[0] - 1900,
		.tm_mon = (int)v[1] - 1,
		.tm_mday = (int)v[2],
		.tm_hour = (int)v[3],
		.tm_min = (int)v[4],
		.tm_sec = (int)v[5] };
	*ret = (uint64_t)timegm(&tm) * 1000000 + v[6];
	return true;
}
