/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema - the property names that each listed tool's schemas give, to refuse keys that imitate them
 *
 * Process:  shim
 * Owns:     copies of the names
 * Returns:  0, -ENOMEM
 * Limits:   SCHEMA_TOOLS_MAX tools, SCHEMA_NAMES_MAX names a schema, SCHEMA_BYTES_MAX in all. What does not fit counts
 *           as not known, and for an unknown schema all keys that differ by case alone are refused.
 *
 * No schema is evaluated and no $ref is followed: every key under any "properties" of the document is a name.
 */
#pragma once
#include "shim/role.h"
#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "shim/walk.h"

/* Twice as many slots as tools: a look-up meets an empty one soon. */
enum {
	SCHEMA_TOOLS_MAX = 2048,
	SCHEMA_SLOTS = 2 * SCHEMA_TOOLS_MAX,
	SCHEMA_NAMES_MAX = 2048,
	SCHEMA_BYTES_MAX = 2 << 20
};

struct schema_name {
	uint64_t hash; /* of the folded name */
	uint32_t at, len;
};

struct schema {
	struct buf text;
	struct schema_name *names; /* by hash */
	size_t n;
	bool known;
};

struct schema_tool {
	uint64_t hash; /* of the folded name */
	char *name;    /* canonical inside of the string */
	size_t name_len;
	struct schema input, output;
};

struct schemas {
	uint64_t secret;
	struct schema_tool *tools;
	size_t n;
	uint16_t slots[SCHEMA_SLOTS]; /* by hash: the tool's place + 1, or 0 */
	size_t bytes;
};

void schemas_init(struct schemas *s, uint64_t secret);
void schemas_done(struct schemas *s);
/* Learns, or learns anew, what a tool object of a list says. */
int schemas_learn(struct schemas *s, struct slice name, struct slice input, struct slice output) _must_check_;
/* NULL: not known. */
const struct schema *schemas_input(const struct schemas *s, struct slice tool);
const struct schema *schemas_output(const struct schemas *s, struct slice tool);
/* A key at any depth of value that folds to a name of the schema and is no name of it: true, and the key. */
bool schema_imitated(const struct schemas *s, const struct schema *schema, struct slice value, struct slice *ret_key);
