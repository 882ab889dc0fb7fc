/* SPDX-License-Identifier: Apache-2.0 */
/* blake2s - see blake2s.h; names as in RFC 7693 */
#include "shim/blake2s.h"
#include <endian.h>
#include <string.h>

enum { BLOCK = BLAKE2S_BLOCK };

static const uint32_t iv[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab,
	0x5be0cd19 };

#define ROTR(x, n) ((x) >> (n) | (x) << (32 - (n)))
#define G(a, b, c, d, x, y)                                                                                            \
	do {                                                                                                           \
		v[a] += v[b] + m[x];                                                                                   \
		v[d] = ROTR(v[d] ^ v[a], 16);                                                                          \
		v[c] += v[d];                                                                                          \
		v[b] = ROTR(v[b] ^ v[c], 12);                                                                          \
		v[a] += v[b] + m[y];                                                                                   \
		v[d] = ROTR(v[d] ^ v[a], 8);                                                                           \
		v[c] += v[d];                                                                                          \
		v[b] = ROTR(v[b] ^ v[c], 7);                                                                           \
	} while (0)
/* A row of SIGMA. Written out, since what is known when it is compiled is twice as fast. */
#define ROUND(s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15)                                    \
	do {                                                                                                           \
		G(0, 4, 8, 12, s0, s1);                                                                                \
		G(1, 5, 9, 13, s2, s3);                                                                                \
		G(2, 6, 10, 14, s4, s5);                                                                               \
		G(3, 7, 11, 15, s6, s7);                                                                               \
		G(0, 5, 10, 15, s8, s9);                                                                               \
		G(1, 6, 11, 12, s10, s11);                                                                             \
		G(2, 7, 8, 13, s12, s13);                                                                              \
		G(3, 4, 9, 14, s14, s15);                                                                              \
	} while (0)

/* NOLINTNEXTLINE(readability-function-size): ten rounds that a macro writes out, the permutations of RFC 7693 */
static void compress(uint32_t h[8], const uint8_t block[BLOCK], uint64_t count, int last)
{
	uint32_t v[16], m[16];

	memcpy(m, block, sizeof(m));
	for (int i = 0; i < 16; i++)
		m[i] = le32toh(m[i]);
	memcpy(v, h, 32);
	memcpy(v + 8, iv, 32);
	v[12] ^= (uint32_t)count;
	v[13] ^= (uint32_t)(count >> 32);
	v[14] ^= last ? UINT32_MAX : 0;
	ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
	ROUND(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3);
	ROUND(11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4);
	ROUND(7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8);
	ROUND(9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13);
	ROUND(2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9);
	ROUND(12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11);
	ROUND(13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10);
	ROUND(6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5);
	ROUND(10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0);
	for (int i = 0; i < 8; i++)
		h[i] ^= v[i] ^ v[i + 8];
}

static void begin(uint32_t h[8], size_t key_len)
{
	memcpy(h, iv, 32);
	h[0] ^= 0x01010000u ^ (uint32_t)key_len << 8 ^ BLAKE2S_BYTES;
}

/* The last block, even a full one, is compressed as the last; there is one even of nothing. */
static void finish(uint32_t h[8], uint64_t count, const uint8_t *at, size_t n, uint8_t ret[BLAKE2S_BYTES])
{
	uint8_t block[BLOCK] = { 0 };

	for (; n > BLOCK; n -= BLOCK, at += BLOCK)
		compress(h, at, count += BLOCK, 0);
	if (n > 0)
		memcpy(block, at, n);
	compress(h, block, count + n, 1);
	for (int i = 0; i < 8; i++)
		h[i] = htole32(h[i]);
	memcpy(ret, h, BLAKE2S_BYTES);
}

void blake2s_key_init(struct blake2s_key *k, const void *key, size_t key_len)
{
	*k = (struct blake2s_key){ .len = key_len };
	memcpy(k->block, key, key_len);
	begin(k->h, key_len);
	compress(k->h, k->block, BLOCK, 0);
}

void blake2s_keyed(const struct blake2s_key *k, const void *p, size_t n, uint8_t ret[BLAKE2S_BYTES])
{
	uint32_t h[8];

	if (n == 0) {
		begin(h, k->len);
		finish(h, 0, k->block, BLOCK, ret);
		return;
	}
	memcpy(h, k->h, sizeof(h));
	finish(h, BLOCK, p, n, ret);
}

void blake2s(const void *key, size_t key_len, const void *p, size_t n, uint8_t ret[BLAKE2S_BYTES])
{
	struct blake2s_key k;
	uint32_t h[8];

	if (key_len > 0) {
		blake2s_key_init(&k, key, key_len);
		blake2s_keyed(&k, p, n, ret);
		return;
	}
	begin(h, 0);
	finish(h, 0, p, n, ret);
}
