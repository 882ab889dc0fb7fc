/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signature - what the signatures of a log are worth, held against the keys that verify was given
 *
 * Process:  supervisor
 * Owns:     the counts; free with signatures_done
 *
 * A good signature covers its record and, by the chain, everything before it. What comes after the last one is the
 * tail: who can write the files can replace or cut that, and nothing shows.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "audit/finding.h"
#include "audit/log_key.h"

enum signature {
	SIGNATURE_NONE,	     /* the place is empty, or there is none */
	SIGNATURE_GOOD,	     /* by one of the keys */
	SIGNATURE_UNCHECKED, /* there is one, and no key was given */
	SIGNATURE_BAD,	     /* a finding says why */
};

struct signatures {
	const struct log_keys *keys; /* NULL: none was given */
	uint64_t *used;		     /* how many good ones, by key */
	uint64_t good, unchecked;
};

int signatures_init(struct signatures *s, const struct log_keys *keys) _must_check_;
/* Of a line whose hash is that of its bytes. What is wrong with it is a finding. */
enum signature signature_look(
	struct signatures *s, const char *line, size_t n, struct findings *f, struct place at) _must_check_;
void signatures_done(struct signatures *s);
