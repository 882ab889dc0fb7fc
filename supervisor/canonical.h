/* SPDX-License-Identifier: Apache-2.0 */
/*
 * canonical - the one serialisation of a plan that digests are over, and the digest
 *
 * Process:  supervisor
 * Limits:   CANONICAL_BYTES_MAX bytes of text
 *
 * Compact, keys sorted, UTF-8: the same value gives the same bytes. Whoever stores the JSON (approvals, waiting
 * launches) can recompute the digest from what is stored, and does.
 */
#pragma once
#include <jansson.h>
#include "base/cleanup.h"
#include "supervisor/role.h"

enum { CANONICAL_BYTES_MAX = 4 << 20, CANONICAL_DIGEST_HEX = 65 };

/* The text; heap. -ENOMEM, -E2BIG. */
int canonical_text(const json_t *value, char **ret) _must_check_;
/* BLAKE2b-256 of the text, lower-case hex. */
int canonical_digest(const json_t *value, char ret[CANONICAL_DIGEST_HEX]) _must_check_;
/* The same of any text. */
int canonical_digest_text(const char *text, char ret[CANONICAL_DIGEST_HEX]) _must_check_;
/* True when s is 64 lower-case hex digits. */
int canonical_is_digest(const char *s);
