/* SPDX-License-Identifier: Apache-2.0 */
/*
 * program - what a schema is compiled to: for each schema object the rules that it states
 *
 * Process:  shim, supervisor
 *
 * A rule is a keyword with its operand. Rules are run in the order of the table of keywords, where what depends on
 * others comes after them (unevaluated*). Keywords that make sense only together are one rule: properties with
 * patternProperties and additionalProperties, prefixItems with items, contains with its counts, if with then and else.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "schema/keywords.h"
#include "schema/number.h"
#include "schema/regex.h"
#include "schema/tree.h"

enum { SUB_NONE = UINT32_MAX };

/* A name of the schema's, and what belongs to it: a schema, a pattern, or names. */
struct entry {
	const char *name;
	uint32_t len, hash;
	uint32_t sub;	   /* or SUB_NONE */
	uint32_t first, n; /* further entries, that are names */
	struct regex *pattern;
};

struct rule {
	enum keyword keyword;
	uint32_t node;	   /* of the keyword's value in the schema */
	uint32_t first, n; /* among entries or subs, as the keyword goes */
	uint32_t sub;	   /* the schema that applies, or SUB_NONE */
	union {
		unsigned types;
		uint64_t count;
		struct number number;
		struct number_divisor divisor;
		struct regex *pattern;
		struct {
			uint32_t patterns, n_patterns; /* among entries */
			uint32_t slots, mask;	       /* of the names, by hash */
		} members;
		struct {
			uint64_t min, max;
		} contains;
		uint32_t anchor; /* of a $dynamicRef: whose name is looked for at each run, or SUB_NONE */
	};
};

/* One schema object. */
struct sub {
	uint32_t node;
	uint32_t first, n; /* among rules */
	uint16_t resource;
	bool never;    /* it is false: nothing fits */
	bool collects; /* it asks what has been evaluated */
	bool names;    /* it, or a schema that applies to the same object with it, has properties */
};

/* A schema with an identifier of its own. */
struct resource {
	char *uri; /* absolute where the schema's is; without fragment */
	uint32_t node;
	enum draft draft;
};

struct anchor {
	const char *name;
	uint32_t len;
	uint32_t node;
	uint32_t sub;
	uint16_t resource;
	bool dynamic;
};

struct pattern {
	struct regex *regex;
};

/* X(field, type): what grows while a schema is compiled */
#define PROGRAM_TABLES(X)                                                                                              \
	X(subs, struct sub)                                                                                            \
	X(rules, struct rule)                                                                                          \
	X(entries, struct entry)                                                                                       \
	X(lists, uint32_t)                                                                                             \
	X(slots, uint32_t)                                                                                             \
	X(patterns, struct pattern)                                                                                    \
	X(resources, struct resource)                                                                                  \
	X(anchors, struct anchor)

struct schema_compiled {
	char *root;
	char *text;
	size_t n_text;
	struct tree tree;
	bool strict;
	bool turns; /* closing an object can make something fit: what is strict is checked both ways */
	bool marks; /* somebody asks what has been evaluated */
#define X(field, type)                                                                                                 \
	type *field;                                                                                                   \
	uint32_t n_##field, cap_##field;
	PROGRAM_TABLES(X)
#undef X
};
