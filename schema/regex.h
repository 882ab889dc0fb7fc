/* SPDX-License-Identifier: Apache-2.0 */
/*
 * regex - a pattern compiled once and matched with a budget (pcre2api(3))
 *
 * Process:  shim, supervisor
 * Owns:     the compiled code; free with regex_free
 * Limits:   REGEX_PATTERN_MAX bytes a pattern, REGEX_HEAP_KIB of memory a match, and the steps that the caller gives
 *
 * Every item of a pattern that is tried takes a step from the caller's budget, so that a pattern which would try for
 * ever (CWE-1333) ends when the budget does. No code is generated at run time: the shim may not make memory executable.
 */
#pragma once
#include <stdint.h>
#include "base/diag.h"

enum { REGEX_PATTERN_MAX = 4096, REGEX_HEAP_KIB = 2048 };

enum { REGEX_NO_MATCH, REGEX_MATCH, REGEX_TOO_COSTLY };

struct regex;
struct regex_memory;

/* 0, -ENOMEM, -EINVAL with a diag: where the pattern is no ECMA-262, or is what PCRE2 cannot do. */
int regex_compile(const char *pattern, size_t n, struct regex **ret, struct diag *d) _must_check_;
void regex_free(struct regex *r);
/* Bytes of memory that it takes. */
size_t regex_size(const struct regex *r);
/* What all matches of a program share. NULL: out of memory. */
struct regex_memory *regex_memory_new(void) _must_check_;
void regex_memory_free(struct regex_memory *m);
/* REGEX_*. Takes from *steps. */
int regex_match(
	const struct regex *r, struct regex_memory *m, const char *text, size_t n, uint64_t *steps) _must_check_;
struct regex_span {
	size_t at, len;
};
/* The same from there on, and where; a match of nothing is none. */
int regex_find(const struct regex *r, struct regex_memory *m, const char *text, size_t n, size_t from, uint64_t *steps,
	struct regex_span *ret) _must_check_;
