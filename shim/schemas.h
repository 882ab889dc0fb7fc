/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schemas - what each listed tool's schemas say: compiled, to judge arguments and results, and the names in them
 *
 * Process:  shim
 * Owns:     copies of all that it is told
 * Returns:  0, -errno, SCHEMAS_*, SCHEMA_* (schema/schema.h)
 * Limits:   SCHEMAS_TOOLS_MAX tools, SCHEMAS_BYTES_MAX of compiled schemas, SCHEMAS_STEPS of compiling a message. What
 *           the newest list does not name gives way first; what does not fit then is not usable.
 *
 * A tool whose schema cannot be compiled is not usable: whoever offers it could not say what a call of it means. It
 * stays known with the reason, so that a call of it can be refused in words.
 */
#pragma once
#include "shim/role.h"
#include <stdbool.h>
#include <stdint.h>
#include "schema/schema.h"
#include "shim/schema_names.h"
#include "shim/walk.h"

/* Twice as many slots as tools: a look-up meets an empty one soon. */
enum {
	SCHEMAS_TOOLS_MAX = 2048,
	SCHEMAS_SLOTS = 2 * SCHEMAS_TOOLS_MAX,
	SCHEMAS_BYTES_MAX = 32 << 20,
	SCHEMAS_STEPS = 8 * SCHEMA_COMPILE_STEPS,
	SCHEMAS_WHY_MAX = 384,
	SCHEMAS_DIGEST_BYTES = 16,
};

enum { SCHEMAS_UNUSABLE = 1 };

/* The inputSchema or the outputSchema of a tool. */
struct tool_schema {
	struct schema_names names;
	struct schema_compiled *compiled; /* NULL: the tool has none, or why says why */
	size_t bytes;
	char *why;			      /* it cannot be used: a sentence that begins with where */
	uint8_t digest[SCHEMAS_DIGEST_BYTES]; /* of the text that cannot be used, or zeros */
};

struct schema_tool {
	uint64_t hash; /* of the folded name */
	char *name;    /* canonical inside of the string */
	size_t name_len;
	uint32_t list; /* the last that had it */
	struct tool_schema input, output;
};

struct schemas {
	uint64_t secret;
	struct schema_tool *tools;
	size_t n;
	uint16_t slots[SCHEMAS_SLOTS]; /* by hash: the tool's place + 1, or 0 */
	size_t name_bytes;	       /* of all names */
	size_t bytes;		       /* of all that is compiled */
	uint64_t steps;		       /* of compiling that are left in this message */
	uint32_t list;
	bool full;  /* the newest list had tools for which there was no room */
	bool lost;  /* there was no room for a tool, in this list or an older one, or one gave way */
	bool whole; /* the newest list was seen to its end, and the server has not said since that it changed */
	struct schema_checker *checker;
};

void schemas_init(struct schemas *s, uint64_t secret);
void schemas_done(struct schemas *s);
/* A message of a list of tools begins: its first page, or a further one; last: none follows. */
void schemas_begin(struct schemas *s, bool first, bool last);
/* Learns, or learns anew, what a tool object says; strict: its inputSchema closes objects. SCHEMAS_UNUSABLE: the tool
 * is to be withheld, and *ret_why says why, until the next call. A text that is known already costs a comparison. */
int schemas_learn(struct schemas *s, struct slice name, struct slice input, struct slice output, bool strict,
	const char **ret_why) _must_check_;
/* NULL: never listed, or without schemas, or it gave way. Valid until the next schemas_learn(). */
const struct schema_tool *schemas_of_tool(const struct schemas *s, struct slice tool);
/* The names in a tool's schema; NULL: not known. */
const struct schema_names *schemas_input(const struct schemas *s, struct slice tool);
const struct schema_names *schemas_output(const struct schemas *s, struct slice tool);
/* 0, -ENOMEM, or SCHEMA_* and the words. */
int schemas_check(struct schemas *s, const struct schema_compiled *schema, struct slice value,
	struct schema_error *ret) _must_check_;

/* One value that several schemas may be about: it is read for the first of them, and let go of with schemas_let_go().
 * Until then it stays as it is, and no other value is judged. */
struct schemas_value {
	struct slice text;
	bool read;
};

/* As schemas_check(). */
int schemas_judge(struct schemas *s, const struct schema_compiled *schema, struct schemas_value *value,
	struct schema_error *ret) _must_check_;
void schemas_let_go(struct schemas *s, struct schemas_value *value);
