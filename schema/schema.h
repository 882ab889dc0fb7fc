/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema - JSON Schema 2020-12 and draft-07: compiled once, checked often
 *
 * Process:  shim, supervisor
 * Owns:     a compiled schema owns a copy of its text; a checker owns the memory that checks need, whatever the schema
 * Returns:  0, -errno, or SCHEMA_*
 * Limits:   SCHEMA_TEXT_MAX bytes a schema, SCHEMA_PATTERN_BYTES_MAX of compiled patterns, SCHEMA_RESOURCES_MAX and
 *           SCHEMA_ANCHORS_MAX names in it, SCHEMA_URI_MAX bytes a reference, SCHEMA_COMPILE_STEPS of work;
 *           SCHEMA_STEPS of work a check, SCHEMA_DEPTH_MAX schemas within one another; values as in tree.h
 *
 * Schemas come from the server and are as hostile as what it says. Nothing is fetched: a $ref that leads out of the
 * document refuses the schema. Formats and content* describe and are not checked. A keyword with a value that the
 * specification does not allow refuses the schema; a keyword that is not known is ignored.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/diag.h"

enum {
	SCHEMA_TEXT_MAX = 256 << 10,
	SCHEMA_PATTERN_BYTES_MAX = 1 << 20,
	SCHEMA_RESOURCES_MAX = 256,
	SCHEMA_ANCHORS_MAX = 1024,
	SCHEMA_URI_MAX = 2048,
	SCHEMA_COMPILE_STEPS = 16 << 20, /* a nanosecond or a few each */
	SCHEMA_STEPS = 4 << 20,		 /* some tens of nanoseconds each */
	SCHEMA_DEPTH_MAX = 512,
};

enum { SCHEMA_WHERE_MAX = 256, SCHEMA_TEXT_SHOWN_MAX = 1024 };

enum schema_result {
	SCHEMA_FITS,
	SCHEMA_MISFIT,	  /* it breaks a rule */
	SCHEMA_UNDECIDED, /* it could not be judged within the limits: to be refused like a misfit */
};

struct schema_options {
	const char *root; /* what errors call the value: "arguments" */
	/* An object that a schema gives "properties" holds no others, unless the schema says what others may be.
	 * Schemas that apply to one object together (allOf, $ref and the like) count as one. What is refused without
	 * it, is. */
	bool strict;
	/* For a schema that a person wrote as a rule: a keyword that is not known, or that describes and is not checked
	 * though it sounds like a rule (format), refuses the schema, since it would be a rule that nobody keeps. */
	bool rule;
	uint64_t *steps; /* what compiling may take, of which it takes; NULL: SCHEMA_COMPILE_STEPS */
};

/* What a person or a model can act on: "arguments.path[2].name must be at most 10 characters long, but has 12". */
struct schema_error {
	char where[SCHEMA_WHERE_MAX];
	char text[SCHEMA_TEXT_SHOWN_MAX];
};

/* How long the text is without the value that was found, for a record that is to hold no values. */
size_t schema_error_without_value(const struct schema_error *e);

struct schema_compiled;
struct schema_checker;

/* 0, -ENOMEM, -EINVAL with a diag. */
int schema_compile(const char *text, size_t n, const struct schema_options *options, struct schema_compiled **ret,
	struct diag *d) _must_check_;
void schema_compiled_free(struct schema_compiled *s);
/* Bytes of memory that it takes. */
size_t schema_compiled_size(const struct schema_compiled *s);
/* Was it compiled from this very text? */
bool schema_compiled_is(const struct schema_compiled *s, const char *text, size_t n);
/* NULL: out of memory. */
struct schema_checker *schema_checker_new(void) _must_check_;
void schema_checker_free(struct schema_checker *c);
/* Judges a JSON text. 0, -ENOMEM, or SCHEMA_* and the words. */
int schema_check(const struct schema_compiled *s, struct schema_checker *c, const char *text, size_t n,
	struct schema_error *ret) _must_check_;
/* The same in steps, where several schemas are about one text: it is read, judged by each, and let go of. It stays the
 * caller's, and has to be as it was read until then. Reading: 0, -ENOMEM; a text that cannot be read is said so by
 * each judgement. Judging without one that was read: -EINVAL. */
int schema_read(struct schema_checker *c, const char *text, size_t n) _must_check_;
int schema_judge(const struct schema_compiled *s, struct schema_checker *c, struct schema_error *ret) _must_check_;
void schema_let_go(struct schema_checker *c);
