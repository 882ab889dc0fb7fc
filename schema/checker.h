/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checker - what checking a value against a schema keeps in mind, and its parts
 *
 * Process:  shim, supervisor
 *
 * What has been evaluated is a trail of child nodes. A schema that fails takes back what it put there; one whose rules
 * are about another value leaves nothing. Whoever asks (unevaluated*, and an object that strict closes) looks at the
 * part of the trail that is its own.
 */
#pragma once
#include "schema/program.h"
#include "schema/schema.h"

enum { TRAIL_MAX = 1 << 20 };

/* Why a value does not fit, in so far as words need it. */
struct failure {
	const struct rule *rule; /* NULL: the schema is false */
	enum keyword keyword;
	uint32_t node;	       /* of the value; the place after the last one: a name */
	uint32_t detail;       /* as the keyword goes: an entry, a count, another node, a sub */
	unsigned rank;	       /* how near the value came to fitting */
	struct tree_node name; /* which, where it is about one: that place holds each in turn */
};

struct hashed {
	uint32_t hash, node;
};

struct schema_checker {
	struct tree tree;
	bool holds; /* a text that was read */
	int unread; /* TREE_*: why it could not be */
	struct regex_memory *regex;
	uint32_t *marks; /* by node: the number of the look that found it on the trail */
	uint32_t n_marks, look;
	uint32_t *trail;
	uint32_t cap_trail;
	struct hashed *hashed;
	uint32_t cap_hashed;
};

struct check {
	const struct schema_compiled *s;
	struct schema_checker *c;
	const struct tree *t;
	uint64_t steps;
	unsigned depth; /* of schemas */
	unsigned level; /* of values */
	uint32_t n_trail;
	uint32_t own_trail; /* where that of the schema at work begins */
	bool closing;
	int stop; /* why nothing more can be said: SCHEMA_UNDECIDED or -errno */
	const char *stop_why;
	struct failure failure;
	uint32_t n_scopes;
	uint16_t scopes[SCHEMA_DEPTH_MAX];
};

/* False: the budget is used up. */
bool check_spend(struct check *k, uint64_t steps);
/* Ends the whole check; false. */
bool check_stop(struct check *k, int result, const char *why);
/* Notes why; false. */
bool check_fail(struct check *k, const struct rule *r, enum keyword keyword, uint32_t node, uint32_t detail);
/* The schema for the same value. */
bool check_sub(struct check *k, uint32_t sub, uint32_t node, bool collect);
/* The schema for a value of its own: an element, a member, the outermost one. */
bool check_value(struct check *k, uint32_t sub, uint32_t node);
void check_mark(struct check *k, uint32_t child);
/* From here on check_marked() knows what is on the trail from that place. */
uint32_t check_look(struct check *k, uint32_t from);
bool check_marked(const struct check *k, uint32_t child, uint32_t look);

/* Equality as JSON Schema means it: numbers by value, members in any order. Takes steps. */
bool equal_nodes(struct check *k, const struct tree *a, uint32_t x, const struct tree *b, uint32_t y);
uint32_t equal_hash(struct check *k, uint32_t node);

/* The words for k->failure or k->stop. */
int words_of(const struct check *k, struct schema_error *ret) _must_check_;

keyword_check_fn check_types, check_const, check_enum, check_maximum, check_exclusive_maximum, check_minimum,
	check_exclusive_minimum, check_multiple, check_max_length, check_min_length, check_pattern, check_max_count,
	check_min_count, check_required, check_dependent_required, check_members, check_property_names, check_elements,
	check_contains, check_unique, check_reference, check_all, check_any, check_one, check_not, check_if,
	check_dependent_schemas, check_unevaluated;
