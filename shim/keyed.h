/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyed - a short digest under a key that nobody outside knows (SipHash-2-4, 128 bits; Aumasson and Bernstein, 2012)
 *
 * Process:  shim
 *
 * For tables of what has been seen: whoever does not know the key can make no two texts that share a digest. It is no
 * hash for what leaves the process: there it is BLAKE2s (blake2s.h).
 */
#pragma once
#include "shim/role.h"
#include <stdint.h>
#include "shim/walk.h"

enum { KEYED_BYTES = 16 };

/* What the digest is of, so that one sort of text is never taken for another. */
enum keyed_of { KEYED_LISTED_NAME = 1, KEYED_LISTED_ITEM, KEYED_SCAN_NAME = 16, KEYED_SCAN_ITEM = 32, KEYED_LIST = 64 };

void keyed_digest(uint64_t secret, uint64_t of, struct slice text, uint8_t ret[KEYED_BYTES]);
/* The function itself, under a key of 16 bytes. */
void keyed_siphash(const uint8_t key[16], const void *p, size_t n, uint8_t ret[KEYED_BYTES]);
