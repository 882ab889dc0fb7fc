/* SPDX-License-Identifier: Apache-2.0 */
/*
 * define - the one form of a definition that digests are over, and its parts by their paths
 *
 * Process:  shim
 * Owns:     nothing; works on canonical bytes (json.h)
 * Returns:  0, -ENOMEM, DEFINE_TOO_LARGE
 * Limits:   DEFINITION_BYTES_MAX, DEFINITION_FIELDS_MAX, DEFINITION_PATH_MAX (wire/definition.h)
 *
 * The form: the canonical JSON of json.h with the keys of every object in the order of their bytes. A server that keeps
 * its schemas in hash maps writes them in another order each time and means the same; arrays keep their order, numbers
 * their spelling, strings every byte. All members of a definition count, known ones or not.
 */
#pragma once
#include "shim/role.h"
#include "shim/walk.h"
#include "wire/definition.h"

enum { DEFINE_TOO_LARGE = 1 };

/* Replaces what is in out (whose max is DEFINITION_BYTES_MAX or less). */
int define_sorted(struct buf *out, struct slice value) _must_check_;
/* BLAKE2s-256 of that form; room is for it. */
int define_digest(struct buf *room, struct slice value, uint8_t ret[DEFINITION_DIGEST_BYTES]) _must_check_;
/* Fills digest and fields of ret, whose kind and name are there. */
int define_fields(struct buf *room, struct slice value, struct definition *ret) _must_check_;
