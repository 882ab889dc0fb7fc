/* SPDX-License-Identifier: Apache-2.0 */
/* keywords - see keywords.h */
#include "schema/keywords.h"
#include <string.h>
#include "schema/checker.h"
#include "schema/compiler.h"

#define ANY (1u << TREE_TYPE_COUNT) - 1

#define ROW_OF(its_head, id, its_name, its_drafts, ...)                                                                \
	[KEYWORD_##id] = { .name = (its_name),                                                                         \
		.len = sizeof(its_name) - 1,                                                                           \
		.drafts = DRAFT_##its_drafts,                                                                          \
		.head = KEYWORD_##its_head,                                                                            \
		__VA_ARGS__ }
#define ROW(id, name, drafts, ...) ROW_OF(id, id, name, drafts, __VA_ARGS__)
/* Its value is read where it is needed. */
#define READ(id, name, drafts) ROW_OF(id, id, name, drafts, .compile = NULL)
/* It belongs to the rule of another keyword. */
#define PART(head, id, name, drafts) ROW_OF(head, id, name, drafts, .compile = NULL)
/* What it asks, and of what. */
#define RULE(its_compile, its_check, its_types, its_words)                                                             \
	.compile = (its_compile), .check = (its_check), .types = (its_types), .says = (its_words)

const struct keyword_row keyword_rows[KEYWORD_COUNT] = {
	READ(ID, "$id", BOTH),
	READ(SCHEMA, "$schema", BOTH),
	READ(ANCHOR, "$anchor", 2020),
	READ(DYNAMIC_ANCHOR, "$dynamicAnchor", 2020),
	ROW(DEFS, "$defs", 2020, .compile = compile_definitions),
	ROW(DEFINITIONS, "definitions", BOTH, .compile = compile_definitions),

	ROW(TYPE, "type", BOTH, RULE(compile_types, check_types, ANY, "must be %s")),
	ROW(CONST, "const", BOTH, RULE(compile_const, check_const, ANY, "must be %s")),
	ROW(ENUM, "enum", BOTH, RULE(compile_enum, check_enum, ANY, "must be one of %s")),
	ROW(MAXIMUM, "maximum", BOTH, RULE(compile_number, check_maximum, TREE_IS(NUMBER), "must be at most %s")),
	ROW(EXCLUSIVE_MAXIMUM, "exclusiveMaximum", BOTH,
		RULE(compile_number, check_exclusive_maximum, TREE_IS(NUMBER), "must be below %s")),
	ROW(MINIMUM, "minimum", BOTH, RULE(compile_number, check_minimum, TREE_IS(NUMBER), "must be at least %s")),
	ROW(EXCLUSIVE_MINIMUM, "exclusiveMinimum", BOTH,
		RULE(compile_number, check_exclusive_minimum, TREE_IS(NUMBER), "must be above %s")),
	ROW(MULTIPLE_OF, "multipleOf", BOTH,
		RULE(compile_divisor, check_multiple, TREE_IS(NUMBER), "must be a multiple of %s")),
	ROW(MAX_LENGTH, "maxLength", BOTH,
		RULE(compile_count, check_max_length, TREE_IS(STRING), "must be at most %s characters long")),
	ROW(MIN_LENGTH, "minLength", BOTH,
		RULE(compile_count, check_min_length, TREE_IS(STRING), "must be at least %s characters long")),
	ROW(PATTERN, "pattern", BOTH,
		RULE(compile_pattern, check_pattern, TREE_IS(STRING), "must match the pattern %s")),
	ROW(MAX_ITEMS, "maxItems", BOTH,
		RULE(compile_count, check_max_count, TREE_IS(ARRAY), "must hold at most %s elements")),
	ROW(MIN_ITEMS, "minItems", BOTH,
		RULE(compile_count, check_min_count, TREE_IS(ARRAY), "must hold at least %s elements")),
	ROW(MAX_PROPERTIES, "maxProperties", BOTH,
		RULE(compile_count, check_max_count, TREE_IS(OBJECT), "must hold at most %s properties")),
	ROW(MIN_PROPERTIES, "minProperties", BOTH,
		RULE(compile_count, check_min_count, TREE_IS(OBJECT), "must hold at least %s properties")),
	ROW(REQUIRED, "required", BOTH, RULE(compile_names, check_required, TREE_IS(OBJECT), NULL)),
	ROW(DEPENDENT_REQUIRED, "dependentRequired", 2020,
		RULE(compile_dependent_names, check_dependent_required, TREE_IS(OBJECT), NULL)),

	ROW(PROPERTIES, "properties", BOTH, RULE(compile_members, check_members, TREE_IS(OBJECT), NULL)),
	PART(PROPERTIES, PATTERN_PROPERTIES, "patternProperties", BOTH),
	PART(PROPERTIES, ADDITIONAL_PROPERTIES, "additionalProperties", BOTH),
	ROW(PROPERTY_NAMES, "propertyNames", BOTH, RULE(compile_schema, check_property_names, TREE_IS(OBJECT), NULL)),
	ROW(ITEMS, "items", BOTH, RULE(compile_elements, check_elements, TREE_IS(ARRAY), NULL)),
	PART(ITEMS, PREFIX_ITEMS, "prefixItems", 2020),
	READ(ADDITIONAL_ITEMS, "additionalItems", 7),
	ROW(CONTAINS, "contains", BOTH, RULE(compile_contains, check_contains, TREE_IS(ARRAY), NULL)),
	READ(MIN_CONTAINS, "minContains", 2020),
	READ(MAX_CONTAINS, "maxContains", 2020),
	ROW(UNIQUE_ITEMS, "uniqueItems", BOTH,
		RULE(compile_flag, check_unique, TREE_IS(ARRAY), "must hold no element twice")),

	ROW(REF, "$ref", BOTH, RULE(compile_reference, check_reference, ANY, NULL), .in_place = true),
	ROW(DYNAMIC_REF, "$dynamicRef", 2020, RULE(compile_reference, check_reference, ANY, NULL), .in_place = true),
	ROW(ALL_OF, "allOf", BOTH, RULE(compile_schemas, check_all, ANY, NULL), .in_place = true),
	ROW(ANY_OF, "anyOf", BOTH,
		RULE(compile_schemas, check_any, ANY, "fits none of the %s forms that are allowed here"),
		.in_place = true),
	ROW(ONE_OF, "oneOf", BOTH,
		RULE(compile_schemas, check_one, ANY, "must fit exactly one of the %s forms that are allowed here"),
		.in_place = true),
	ROW(NOT, "not", BOTH, RULE(compile_schema, check_not, ANY, "has a form that is excluded here")),
	ROW(IF, "if", BOTH, RULE(compile_if, check_if, ANY, NULL), .in_place = true),
	ROW(THEN, "then", BOTH, .compile = compile_schema),
	ROW(ELSE, "else", BOTH, .compile = compile_schema),
	ROW(DEPENDENT_SCHEMAS, "dependentSchemas", 2020,
		RULE(compile_dependent_schemas, check_dependent_schemas, TREE_IS(OBJECT), NULL), .in_place = true),
	ROW(DEPENDENCIES, "dependencies", BOTH,
		RULE(compile_dependencies, check_dependent_schemas, TREE_IS(OBJECT), NULL), .in_place = true),
	ROW(UNEVALUATED_ITEMS, "unevaluatedItems", 2020, RULE(compile_schema, check_unevaluated, TREE_IS(ARRAY), NULL)),
	ROW(UNEVALUATED_PROPERTIES, "unevaluatedProperties", 2020,
		RULE(compile_schema, check_unevaluated, TREE_IS(OBJECT), NULL)),
};

enum keyword keyword_find(const char *name, uint32_t len, enum draft draft)
{
	for (enum keyword i = 0; i < KEYWORD_COUNT; i++) {
		const struct keyword_row *row = &keyword_rows[i];
		if (row->len == len && (row->drafts & draft) && memcmp(row->name, name, len) == 0)
			return i;
	}
	return KEYWORD_COUNT;
}

bool keyword_describes(const char *name, uint32_t len)
{
	static const char *const names[] = {
		"$comment",
		"$vocabulary",
		"title",
		"description",
		"default",
		"examples",
		"deprecated",
		"readOnly",
		"writeOnly",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (len == strlen(names[i]) && memcmp(name, names[i], len) == 0)
			return true;
	return false;
}
