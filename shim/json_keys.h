/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_keys - which keys the open objects have had, to find duplicates and keys that differ by case alone
 *
 * Process:  shim
 * Owns:     its arrays; keys are offsets into the canonical bytes of the message
 * Returns:  0, -ENOMEM, or JSON_KEYS_*
 * Limits:   JSON_KEYS_MAX keys of all open objects together; JSON_PROBES_MAX steps a look-up
 *
 * Objects nest, so what they need is a stack. A small object is compared key by key; a larger one gets a hash table on
 * top of a second stack. Hashes are over the folded key, keyed with a secret, so that equal ones are worth a compare.
 */
#pragma once
#include "shim/role.h"
#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"

enum { JSON_KEYS_MAX = 1 << 20, JSON_PROBES_MAX = 4096, JSON_LINEAR_MAX = 16, JSON_WATCH_SLOTS = 1024 };

enum json_keys_found { JSON_KEYS_DUPLICATE = 1, JSON_KEYS_COLLIDE, JSON_KEYS_TOO_MANY };

struct json_key {
	uint32_t at; /* offset of the key, without its quotes */
	uint32_t len;
	uint32_t hash;
};

/* Names of which imitations are counted: keys that fold to one of them and are not it. By hash, 0 where there is none.
 */
struct json_watch {
	uint32_t hash[JSON_WATCH_SLOTS];
	const char *name[JSON_WATCH_SLOTS];
	uint8_t len[JSON_WATCH_SLOTS];
};

struct json_keys {
	uint64_t secret;
	const struct json_watch *watch; /* borrowed, or NULL */
	uint32_t imitations;		/* in the message, at any depth */
	struct json_key *keys;
	uint32_t n, cap;
	uint32_t *tables; /* index + 1 into keys, 0 empty */
	uint32_t tables_len, tables_cap;
	struct buf folded;
};

/* One open object: its part of both stacks. */
struct json_frame {
	uint32_t first;
	uint32_t table, table_size; /* 0 while linear */
};

void json_keys_init(struct json_keys *k, uint64_t secret);
void json_keys_done(struct json_keys *k);
void json_keys_reset(struct json_keys *k);
static inline void json_keys_open(const struct json_keys *k, struct json_frame *f)
{
	*f = (struct json_frame){ .first = k->n };
}
static inline void json_keys_close(struct json_keys *k, const struct json_frame *f)
{
	k->n = f->first;
	if (f->table_size)
		k->tables_len = f->table;
}
/* Adds the key at base + at. COLLIDE: added, and a key of the object folds to the same but differs. */
int json_keys_add(struct json_keys *k, struct json_frame *f, const char *base, uint32_t at, uint32_t len,
	bool ascii) _must_check_;
/* Adds a name (canonical, ASCII, at most half as many as there are slots). */
void json_watch_add(struct json_watch *w, uint64_t secret, const char *name);
/* Gives memory back after a large message. */
void json_keys_trim(struct json_keys *k);
