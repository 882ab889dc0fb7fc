/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signature - what the signatures of a log are worth
 *
 * Process:  supervisor
 */
#include "audit/signature.h"

#include <errno.h>
#include <stdlib.h>

int signatures_init(struct signatures *s, const struct log_keys *keys)
{
	*s = (struct signatures){ .keys = keys };
	s->used = keys ? calloc(keys->n + 1, sizeof *s->used) : NULL;
	return keys && !s->used ? -ENOMEM : 0;
}

enum signature signature_look(struct signatures *s, const char *line, size_t n, struct findings *f, struct place at)
{
	char hash[RECORD_HASH_HEX + 1];
	const char *id, *sig;

	if (!record_line_signature(line, n, &id, &sig, hash))
		return SIGNATURE_NONE;
	if (!s->keys) {
		s->unchecked++;
		return SIGNATURE_UNCHECKED;
	}
	const struct log_public *key = log_keys_find(s->keys, id);
	if (!key) {
		finding_add(f, FINDING_UNKNOWN_KEY, at, "it is signed with the key %.*s, which is none of those given",
			RECORD_KEY_HEX, id);
		return SIGNATURE_BAD;
	}
	if (!log_key_check(key, hash, sig)) {
		finding_add(f, FINDING_FORGED, at, "its signature is not one by the key %.*s", RECORD_KEY_HEX, id);
		return SIGNATURE_BAD;
	}
	s->good++;
	s->used[key - s->keys->v]++;
	return SIGNATURE_GOOD;
}

void signatures_done(struct signatures *s)
{
	free(s->used);
	*s = (struct signatures){ 0 };
}
