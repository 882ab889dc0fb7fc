/* SPDX-License-Identifier: Apache-2.0 */
/* json_keys - see json_keys.h */
#include "shim/json_keys.h"
#include <errno.h>
#include <string.h>
#include "shim/fold.h"

enum { KEYS_FIRST = 64, TABLE_FIRST = 64, KEYS_KEEP = 4096 };

void json_keys_init(struct json_keys *k, uint64_t secret)
{
	/* Folding makes text longer by half at most (two bytes to three). */
	*k = (struct json_keys){ .secret = secret, .folded = BUF_INIT(32 << 20) };
}

void json_keys_done(struct json_keys *k)
{
	free(k->keys);
	free(k->tables);
	buf_done(&k->folded);
	*k = (struct json_keys){ 0 };
}

void json_keys_reset(struct json_keys *k)
{
	k->n = 0;
	k->tables_len = 0;
	k->imitations = 0;
}

void json_keys_trim(struct json_keys *k)
{
	if (k->cap <= KEYS_KEEP && k->tables_cap <= KEYS_KEEP && k->folded.cap <= KEYS_KEEP)
		return;
	free(STEAL_PTR(k->keys));
	free(STEAL_PTR(k->tables));
	buf_done(&k->folded);
	k->n = k->cap = k->tables_len = k->tables_cap = 0;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static uint64_t load8(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* The n < 8 bytes at p as one word. */
static uint64_t load_tail(const char *p, size_t n)
{
	uint32_t a, b;

	if (n >= 4) {
		memcpy(&a, p, sizeof(a));
		memcpy(&b, p + n - 4, sizeof(b));
		return (uint64_t)a << 32 | b;
	}
	if (n == 0)
		return 0;
	return (uint64_t)(unsigned char)p[0] << 16 | (uint64_t)(unsigned char)p[n / 2] << 8 | (unsigned char)p[n - 1];
}

static uint32_t hash_folded(uint64_t secret, const char *p, size_t n)
{
	uint64_t h = secret ^ n * 0x9e3779b97f4a7c15ULL;

	for (; n >= 8; p += 8, n -= 8)
		h = mix(h ^ fold_ascii8(load8(p)), 0xa0761d6478bd642fULL ^ secret);
	h = mix(h ^ fold_ascii8(load_tail(p, n)), 0xe7037ed1a0b428dbULL);
	return (uint32_t)(h ^ h >> 32);
}

static int hash_key(struct json_keys *k, const char *p, size_t n, bool ascii, uint32_t *ret)
{
	if (!ascii) {
		buf_clear(&k->folded);
		int r = fold_append(&k->folded, p, n);
		if (r < 0)
			return r;
		p = k->folded.data;
		n = k->folded.len;
	}
	*ret = hash_folded(k->secret, p, n);
	return 0;
}

/* Slot 0 of the hash means empty. */
static uint32_t watch_hash(uint32_t hash)
{
	return hash ? hash : 1;
}

void json_watch_add(struct json_watch *w, uint64_t secret, const char *name)
{
	uint32_t hash = watch_hash(hash_folded(secret, name, strlen(name))), slot = hash % JSON_WATCH_SLOTS;

	while (w->hash[slot])
		slot = (slot + 1) % JSON_WATCH_SLOTS;
	w->hash[slot] = hash;
	w->name[slot] = name;
	w->len[slot] = (uint8_t)strlen(name);
}

static bool imitates(const struct json_watch *w, const char *p, const struct json_key *key)
{
	uint32_t hash = watch_hash(key->hash);

	for (uint32_t slot = hash % JSON_WATCH_SLOTS; w->hash[slot]; slot = (slot + 1) % JSON_WATCH_SLOTS) {
		size_t n = w->len[slot];
		if (w->hash[slot] != hash)
			continue;
		if (n == key->len && memcmp(w->name[slot], p, n) == 0)
			return false;
		if (fold_equal(w->name[slot], n, p, key->len))
			return true;
	}
	return false;
}

/* 0: they have nothing to do with one another. */
static int compare(const char *base, const struct json_key *a, const struct json_key *b)
{
	if (a->hash != b->hash)
		return 0;
	if (a->len == b->len && memcmp(base + a->at, base + b->at, a->len) == 0)
		return JSON_KEYS_DUPLICATE;
	return fold_equal(base + a->at, a->len, base + b->at, b->len) ? JSON_KEYS_COLLIDE : 0;
}

static int find_linear(
	const struct json_keys *k, const struct json_frame *f, const char *base, const struct json_key *key)
{
	int found = 0;

	for (uint32_t i = f->first; i < k->n; i++) {
		if (k->keys[i].hash != key->hash)
			continue;
		int c = compare(base, &k->keys[i], key);
		if (c == JSON_KEYS_DUPLICATE)
			return c;
		found = c ? c : found;
	}
	return found;
}

/* Looks the key up; *ret_slot is where it belongs. */
static int find_hashed(const struct json_keys *k, const struct json_frame *f, const char *base,
	const struct json_key *key, uint32_t *ret_slot)
{
	const uint32_t *table = k->tables + f->table;
	uint32_t mask = f->table_size - 1, slot = key->hash & mask;
	int found = 0;

	for (int probes = 0; table[slot]; slot = (slot + 1) & mask) {
		if (++probes > JSON_PROBES_MAX)
			return JSON_KEYS_TOO_MANY;
		int c = compare(base, &k->keys[table[slot] - 1], key);
		if (c == JSON_KEYS_DUPLICATE)
			return c;
		found = c ? c : found;
	}
	*ret_slot = slot;
	return found;
}

/* The object on top gets a table of twice the size, or its first. */
static int grow_table(struct json_keys *k, struct json_frame *f)
{
	uint32_t size = f->table_size ? f->table_size * 2 : TABLE_FIRST;
	uint32_t at = f->table_size ? f->table : k->tables_len;

	if (at + size > k->tables_cap) {
		uint32_t cap = k->tables_cap ? k->tables_cap : TABLE_FIRST;
		while (cap < at + size)
			cap *= 2;
		uint32_t *p = realloc(k->tables, cap * sizeof(*p));
		if (!p)
			return -ENOMEM;
		k->tables = p;
		k->tables_cap = cap;
	}
	f->table = at;
	f->table_size = size;
	k->tables_len = at + size;
	memset(k->tables + at, 0, size * sizeof(*k->tables));
	for (uint32_t i = f->first; i < k->n; i++) {
		uint32_t slot = k->keys[i].hash & (size - 1);
		while (k->tables[at + slot])
			slot = (slot + 1) & (size - 1);
		k->tables[at + slot] = i + 1;
	}
	return 0;
}

static int push(struct json_keys *k, const struct json_key *key)
{
	if (k->n == k->cap) {
		uint32_t cap = k->cap ? k->cap * 2 : KEYS_FIRST;
		struct json_key *p = realloc(k->keys, cap * sizeof(*p));
		if (!p)
			return -ENOMEM;
		k->keys = p;
		k->cap = cap;
	}
	k->keys[k->n++] = *key;
	return 0;
}

int json_keys_add(struct json_keys *k, struct json_frame *f, const char *base, uint32_t at, uint32_t len, bool ascii)
{
	struct json_key key = { .at = at, .len = len };
	uint32_t count = k->n - f->first, slot = 0;
	int found, r;

	if (k->n >= JSON_KEYS_MAX)
		return JSON_KEYS_TOO_MANY;
	r = hash_key(k, base + at, len, ascii, &key.hash);
	if (r < 0)
		return r;
	if (k->watch && k->watch->hash[watch_hash(key.hash) % JSON_WATCH_SLOTS])
		k->imitations += imitates(k->watch, base + at, &key);
	if (count >= JSON_LINEAR_MAX && count * 2 >= f->table_size) {
		r = grow_table(k, f);
		if (r < 0)
			return r;
	}
	found = f->table_size ? find_hashed(k, f, base, &key, &slot) : find_linear(k, f, base, &key);
	if (found == JSON_KEYS_DUPLICATE || found == JSON_KEYS_TOO_MANY)
		return found;
	r = push(k, &key);
	if (r < 0)
		return r;
	if (f->table_size)
		k->tables[f->table + slot] = k->n;
	return found;
}
