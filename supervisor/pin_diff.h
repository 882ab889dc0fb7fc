/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pin_diff - what changed between what was pinned and what a server says now, and which change matters
 *
 * Process:  supervisor
 * Owns:     the arrays; definitions and strings are borrowed from both sets. Free with pin_diff_done
 * Returns:  0, -errno
 *
 * A change matters when it can make a model act otherwise: text that it reads, a schema that takes more than before, a
 * hint that a client goes by, anything new. What can only refuse more, and what is for machines, is told and does not.
 */
#pragma once
#include <jansson.h>
#include <stdio.h>
#include "wire/definition.h"
#include "supervisor/role.h"

enum pin_change_kind { PIN_CHANGED, PIN_NEW, PIN_GONE, PIN_CHANGE_KIND_COUNT };

struct pin_field_change {
	const char *path;
	const char *old, *new; /* lexemes; NULL: not there */
	bool matters;
	const char *words; /* what it means */
};

struct pin_change {
	enum pin_change_kind kind;
	const struct definition *old, *new; /* NULL: not there */
	bool matters;
	struct pin_field_change *fields; /* of PIN_CHANGED */
	size_t n;
};

struct pin_diff {
	struct pin_change *v;
	size_t n;
	size_t count[PIN_CHANGE_KIND_COUNT];
	bool matters;
};

/* Both are sorted. */
int pin_diff(const struct definitions *old, const struct definitions *new, struct pin_diff *ret) _must_check_;
int pin_diff_print(FILE *out, const struct pin_diff *d, bool colour) _must_check_;
json_t *pin_diff_json(const struct pin_diff *d);
void pin_diff_done(struct pin_diff *d);
#define _cleanup_pin_diff_ _cleanup_(pin_diff_done)
