/* SPDX-License-Identifier: Apache-2.0 */
/* keyed - see keyed.h; names as in the paper */
#include "shim/keyed.h"
#include <endian.h>
#include <string.h>

struct state {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotl(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

static inline void rounds(struct state *s, int n)
{
	while (n-- > 0) {
		s->v0 += s->v1;
		s->v2 += s->v3;
		s->v1 = rotl(s->v1, 13) ^ s->v0;
		s->v3 = rotl(s->v3, 16) ^ s->v2;
		s->v0 = rotl(s->v0, 32);
		s->v2 += s->v1;
		s->v0 += s->v3;
		s->v1 = rotl(s->v1, 17) ^ s->v2;
		s->v3 = rotl(s->v3, 21) ^ s->v0;
		s->v2 = rotl(s->v2, 32);
	}
}

static inline void absorb(struct state *s, uint64_t m)
{
	s->v3 ^= m;
	rounds(s, 2);
	s->v0 ^= m;
}

static inline uint64_t load(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	memcpy(&v, p, n);
	return le64toh(v);
}

static uint64_t squeeze(struct state *s, unsigned mark)
{
	/* The two halves are marked apart in different words. */
	if (mark == 0xee)
		s->v2 ^= mark;
	else
		s->v1 ^= mark;
	rounds(s, 4);
	return htole64(s->v0 ^ s->v1 ^ s->v2 ^ s->v3);
}

void keyed_siphash(const uint8_t key[16], const void *p, size_t n, uint8_t ret[KEYED_BYTES])
{
	uint64_t k0 = load(key, 8), k1 = load(key + 8, 8), out[2];
	struct state s = { k0 ^ 0x736f6d6570736575ULL, k1 ^ 0x646f72616e646f6dULL ^ 0xee, k0 ^ 0x6c7967656e657261ULL,
		k1 ^ 0x7465646279746573ULL };
	const uint8_t *at = p;
	size_t left = n;

	for (; left >= 8; left -= 8, at += 8)
		absorb(&s, load(at, 8));
	absorb(&s, (uint64_t)n << 56 | (left ? load(at, left) : 0));
	out[0] = squeeze(&s, 0xee);
	out[1] = squeeze(&s, 0xdd);
	memcpy(ret, out, sizeof(out));
}

void keyed_digest(uint64_t secret, uint64_t of, struct slice text, uint8_t ret[KEYED_BYTES])
{
	const uint64_t key[2] = { secret, of };

	keyed_siphash((const uint8_t *)key, text.p, text.n, ret);
}
