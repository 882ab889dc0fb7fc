/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compiler - what compiling a schema keeps in mind, and its parts
 *
 * Process:  shim, supervisor
 *
 * First each schema object that the keywords reach from the outermost one becomes a sub, and says its $id and anchors.
 * Then each reference is looked up among them; what it points to may be a schema object that no keyword reaches, with
 * references of its own. Last, where the schema is strict, it is found out which objects are closed.
 */
#pragma once
#include "base/diag.h"
#include "schema/program.h"

/* What the schema object that is being compiled holds. */
struct found {
	uint64_t set;		      /* a bit for each keyword whose rule is to be made */
	uint32_t node[KEYWORD_COUNT]; /* of the value, or 0 */
};

struct reference {
	uint32_t rule, node;
	uint16_t resource; /* in which it stands */
};

struct compiler {
	struct schema_compiled *s;
	struct diag *d;
	uint32_t *sub_of; /* by node: the sub + 1, or 0 */
	struct found *found;
	uint16_t resource; /* of the schema object that is being compiled */
	uint32_t rule;	   /* where the rule that is being compiled will be */
	bool rule_kept;	   /* schema_options.rule */
	size_t pattern_bytes;
	uint64_t steps; /* of work that are left */
	struct reference *references;
	uint32_t n_references, cap_references;
};

_Static_assert(KEYWORD_COUNT <= 64, "a bit for each keyword");

/* Makes room for n more in a table of the program: program_grow(s, subs, 1) */
#define program_grow(s, field, n)                                                                                      \
	table_grow((void **)&(s)->field, &(s)->cap_##field, (s)->n_##field, (n), sizeof(*(s)->field))
int table_grow(void **table, uint32_t *cap, uint32_t used, uint32_t n, size_t size) _must_check_;

/* The sub of the schema at that node. */
int compile_sub(struct compiler *c, uint32_t node, uint32_t *ret) _must_check_;
/* Refuses the schema for what is at that node; the words are a sentence that begins with where. */
int compile_refuse(struct compiler *c, uint32_t node, const char *why) _must_check_;
/* Takes the draft that a $schema names; a schema within another may be of another draft only where it has an $id. */
int compile_dialect(struct compiler *c, uint32_t node, bool own) _must_check_;
/* What looking up takes: as many steps as values are looked at, or refuses the schema. */
int compile_spend(struct compiler *c, uint32_t node, uint64_t steps) _must_check_;
/* Reads $id, $schema and the anchors of the schema object whose sub this is. */
int compile_identity(struct compiler *c, uint32_t node, uint32_t sub) _must_check_;
/* Is it a string that can be a URI reference? */
bool compile_is_reference(const struct tree_node *n);
int compile_references(struct compiler *c) _must_check_;
int compile_closing(struct compiler *c) _must_check_;

keyword_compile_fn compile_number, compile_divisor, compile_count, compile_types, compile_const, compile_enum,
	compile_pattern, compile_names, compile_dependent_names, compile_members, compile_elements, compile_contains,
	compile_flag, compile_schema, compile_schemas, compile_definitions, compile_dependent_schemas,
	compile_dependencies, compile_if, compile_reference;
