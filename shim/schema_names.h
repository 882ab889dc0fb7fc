/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema_names - the property names that a schema gives, to refuse keys that imitate them
 *
 * Process:  shim
 * Owns:     copies of the names
 * Returns:  0, -ENOMEM
 * Limits:   SCHEMA_NAMES_MAX names a schema, SCHEMA_NAMES_BYTES_MAX in all. What does not fit counts as not known, and
 *           for an unknown schema all keys that differ by case alone are refused.
 *
 * No $ref is followed: every key under any "properties" of the document is a name, and so is what a pattern of
 * "patternProperties" spells out from ^ to $.
 */
#pragma once
#include "shim/role.h"
#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "shim/walk.h"

enum { SCHEMA_NAMES_MAX = 2048, SCHEMA_NAMES_BYTES_MAX = 2 << 20 };

struct schema_name {
	uint64_t hash; /* of the folded name */
	uint32_t at, len;
};

struct schema_names {
	struct buf text;
	struct schema_name *names; /* by hash, and then by their bytes */
	size_t n;
	bool known;
};

uint64_t schema_names_hash(uint64_t secret, struct slice key);
/* Replaces what there was; *bytes counts what all names of the program take. */
int schema_names_gather(struct schema_names *x, uint64_t secret, size_t *bytes, struct slice schema) _must_check_;
void schema_names_done(struct schema_names *x, size_t *bytes);
/* A key at any depth of value that folds to a name of the schema and is no name of it: true, and the key. */
bool schema_names_imitated(const struct schema_names *x, uint64_t secret, struct slice value, struct slice *ret_key);
