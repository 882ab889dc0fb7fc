/* SPDX-License-Identifier: Apache-2.0 */
/*
 * finding - what `audit verify` says about one place of the log
 *
 * Process:  supervisor
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "audit/role.h"
#include "base/cleanup.h"

/* X(enum, word, damage). What is no damage is a note. */
#define FINDINGS(X)                                                                                                    \
	X(ALTERED, "altered", true) /* bytes that are not what was written */                                          \
	X(MISSING, "missing", true) /* a record that others count on */                                                \
	X(REORDERED, "reordered", true)                                                                                \
	X(DUPLICATED, "duplicated", true)                                                                              \
	X(REPLACED, "replaced", true)	/* a good record, but not that one */                                          \
	X(TRUNCATED, "truncated", true) /* the end is gone */                                                          \
	X(NO_FILE, "missing file", true)                                                                               \
	X(UNINDEXED, "not in the index", true)                                                                         \
	X(FORGED, "forged", true) /* a signature that is none by its key */                                            \
	X(UNKNOWN_KEY, "unknown key", true)                                                                            \
	X(UNSIGNED, "unsigned", true)	   /* a signature that should be there */                                      \
	X(TAIL, "unsigned tail", false)	   /* what no signature covers yet */                                          \
	X(UNCHECKED, "not checked", false) /* signed, and no key was given */                                          \
	X(TORN, "torn", false)		   /* the last write of a killed process */                                    \
	X(UNCLOSED, "unclosed", false)	   /* killed before its close */                                               \
	X(EMPTY, "empty", false)                                                                                       \
	X(NOT_REMOVED, "not removed", false)                                                                           \
	X(REPAIRED, "repaired", false)                                                                                 \
	X(UNREPAIRED, "not repaired", false)

enum finding {
#define X(name, word, damage) FINDING_##name,
	FINDINGS(X)
#undef X
		FINDING_COUNT
};

struct findings {
	FILE *out;
	bool json;
	uint64_t damage;
};

struct place {
	const char *file;
	uint64_t line, seq; /* 0: not about one */
};

/* Prints "file:line: seq N: word: sentence", or one JSON object. */
void finding_add(struct findings *f, enum finding what, struct place at, const char *fmt, ...) _printf_(4, 5);
