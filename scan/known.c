/* SPDX-License-Identifier: Apache-2.0 */
/*
 * known - texts in which nothing was found, since the tools of one server say the same things again and again
 *
 * Process:  shim, supervisor
 * Limits:   KNOWN_TEXTS texts of KNOWN_TEXT_MAX bytes, KNOWN_BYTES together; then all are forgotten
 *
 * They are kept whole and compared whole: what is taken for known is the very same text, whatever a server makes its
 * texts of.
 */
#include <string.h>
#include "scan/work.h"

static uint64_t load8(const unsigned char *p, size_t n)
{
	uint64_t v = 0;

	memcpy(&v, p, n);
	return v;
}

static struct known_text *slot_of(struct scan *s)
{
	const unsigned char *p = s->raw;
	uint64_t h = s->raw_len ^ (s->is_key ? 0x9e3779b97f4a7c15ULL : 0);
	size_t left = s->raw_len;

	for (; left > 8; p += 8, left -= 8)
		h = (h ^ load8(p, 8)) * 0xff51afd7ed558ccdULL, h ^= h >> 32;
	h = (h ^ load8(p, left)) * 0xff51afd7ed558ccdULL;
	return &s->known[h >> 32 & (KNOWN_TEXTS - 1)];
}

/* Whether data in an icon is one depends on where it is. */
static bool may_be_known(const struct scan *s)
{
	return s->raw_len > 0 && s->raw_len <= KNOWN_TEXT_MAX && strncmp(s->path, "icons[", 6) != 0;
}

bool known_is(struct scan *s)
{
	const struct known_text *k;

	if (!may_be_known(s))
		return false;
	k = slot_of(s);
	return k->n == s->raw_len && k->is_key == s->is_key && memcmp(s->known_bytes + k->at, s->raw, k->n) == 0;
}

void known_add(struct scan *s)
{
	if (!may_be_known(s))
		return;
	if (s->raw_len > KNOWN_BYTES - s->known_len)
		known_forget(s);
	memcpy(s->known_bytes + s->known_len, s->raw, s->raw_len);
	*slot_of(s) = (struct known_text){ (uint32_t)s->known_len, (uint16_t)s->raw_len, s->is_key };
	s->known_len += s->raw_len;
}

void known_forget(struct scan *s)
{
	memset(s->known, 0, sizeof(s->known));
	s->known_len = 0;
}
