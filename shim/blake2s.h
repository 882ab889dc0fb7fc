/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blake2s - keyed BLAKE2s-256 (RFC 7693), for the hash of arguments in the log
 *
 * Process:  shim
 *
 * The shim links no cryptographic library: what it hashes is hostile, what it makes is a tag in a log line, keyed with
 * the salt of the session so that short arguments cannot be guessed from it.
 */
#pragma once
#include "shim/role.h"
#include <stddef.h>
#include <stdint.h>

enum { BLAKE2S_BYTES = 32, BLAKE2S_KEY_MAX = 32, BLAKE2S_BLOCK = 64 };

/* A key that much is hashed with: the block that it takes is compressed once. */
struct blake2s_key {
	uint8_t block[BLAKE2S_BLOCK];
	uint32_t h[8]; /* behind that block, where it is not the last */
	size_t len;
};

void blake2s_key_init(struct blake2s_key *k, const void *key, size_t key_len);
void blake2s_keyed(const struct blake2s_key *k, const void *p, size_t n, uint8_t ret[BLAKE2S_BYTES]);
void blake2s(const void *key, size_t key_len, const void *p, size_t n, uint8_t ret[BLAKE2S_BYTES]);
