/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keywords - every keyword of both drafts that is more than a description
 *
 * Process:  shim, supervisor
 *
 * The order is that in which rules are run: what is cheap first, what asks about others last.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum draft { DRAFT_7 = 1, DRAFT_2020 = 2, DRAFT_BOTH = 3 };

/* X(enum) */
#define KEYWORDS(X)                                                                                                    \
	X(ID)                                                                                                          \
	X(SCHEMA)                                                                                                      \
	X(ANCHOR)                                                                                                      \
	X(DYNAMIC_ANCHOR)                                                                                              \
	X(DEFS)                                                                                                        \
	X(DEFINITIONS)                                                                                                 \
	X(TYPE)                                                                                                        \
	X(CONST)                                                                                                       \
	X(ENUM)                                                                                                        \
	X(MAXIMUM)                                                                                                     \
	X(EXCLUSIVE_MAXIMUM)                                                                                           \
	X(MINIMUM)                                                                                                     \
	X(EXCLUSIVE_MINIMUM)                                                                                           \
	X(MULTIPLE_OF)                                                                                                 \
	X(MAX_LENGTH)                                                                                                  \
	X(MIN_LENGTH)                                                                                                  \
	X(PATTERN)                                                                                                     \
	X(MAX_ITEMS)                                                                                                   \
	X(MIN_ITEMS)                                                                                                   \
	X(MAX_PROPERTIES)                                                                                              \
	X(MIN_PROPERTIES)                                                                                              \
	X(REQUIRED)                                                                                                    \
	X(DEPENDENT_REQUIRED)                                                                                          \
	X(PROPERTIES)                                                                                                  \
	X(PATTERN_PROPERTIES)                                                                                          \
	X(ADDITIONAL_PROPERTIES)                                                                                       \
	X(PROPERTY_NAMES)                                                                                              \
	X(ITEMS)                                                                                                       \
	X(PREFIX_ITEMS)                                                                                                \
	X(ADDITIONAL_ITEMS)                                                                                            \
	X(CONTAINS)                                                                                                    \
	X(MIN_CONTAINS)                                                                                                \
	X(MAX_CONTAINS)                                                                                                \
	X(UNIQUE_ITEMS)                                                                                                \
	X(REF)                                                                                                         \
	X(DYNAMIC_REF)                                                                                                 \
	X(ALL_OF)                                                                                                      \
	X(ANY_OF)                                                                                                      \
	X(ONE_OF)                                                                                                      \
	X(NOT)                                                                                                         \
	X(IF)                                                                                                          \
	X(THEN)                                                                                                        \
	X(ELSE)                                                                                                        \
	X(DEPENDENT_SCHEMAS)                                                                                           \
	X(DEPENDENCIES)                                                                                                \
	X(UNEVALUATED_ITEMS)                                                                                           \
	X(UNEVALUATED_PROPERTIES)

enum keyword {
#define X(id) KEYWORD_##id,
	KEYWORDS(X)
#undef X
		KEYWORD_COUNT
};

struct compiler;
struct rule;
struct check;

/* Fills r, whose keyword is set, from the schema object that is being compiled. */
typedef int keyword_compile_fn(struct compiler *c, struct rule *r);
/* Does the instance at that node keep to the rule? collect: it is asked what has been evaluated. */
typedef bool keyword_check_fn(struct check *k, const struct rule *r, uint32_t node, bool collect);

struct keyword_row {
	const char *name;
	uint32_t len;
	enum draft drafts;
	keyword_compile_fn *compile; /* NULL: its value is read where it is needed */
	keyword_check_fn *check;     /* NULL: nothing is checked by it */
	unsigned types;		     /* of the instances that it is about */
	enum keyword head;	     /* the keyword whose rule it is part of; mostly itself */
	bool in_place;		     /* its schemas apply to the same value */
	const char *says;	     /* the rule in words; %s is its operand */
};

extern const struct keyword_row keyword_rows[KEYWORD_COUNT];
/* KEYWORD_COUNT: it is none, or none of that draft. */
enum keyword keyword_find(const char *name, uint32_t len, enum draft draft);
/* Does it say something to a reader, and nothing about a value (2020-12 validation, section 9)? */
bool keyword_describes(const char *name, uint32_t len);
