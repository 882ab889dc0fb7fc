/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redact - finds personal data in text: named sets, each with its form and its check digits, and a profile's patterns
 *
 * Process:  shim
 * Owns:     the compiled patterns; free with redact_done
 * Returns:  0, 1, -ENOMEM, -E2BIG
 * Limits:   REDACT_STEPS of matching a message; a text that would need more goes whole (CWE-1333)
 */
#pragma once
#include "shim/role.h"
#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/diag.h"
#include "wire/shim_config.h"

enum { REDACT_STEPS = 1 << 24, REDACT_KINDS_MAX = SHIM_SET_COUNT + SHIM_PATTERNS_MAX };

struct regex;
struct regex_memory;

struct redact {
	const struct shim_text *config; /* borrowed */
	struct regex **patterns;
	struct regex_memory *memory;
};

/* -EINVAL with words for a pattern that cannot be used. */
int redact_init(struct redact *r, const struct shim_text *config, struct diag *d) _must_check_;
void redact_done(struct redact *r);
bool redact_is_on(const struct redact *r);
/* Appends the text (UTF-8) with marks in the place of what was found: 1. Nothing found: 0, and out is as it was. Adds
 * to counts, one for each kind: enum shim_set, then the patterns. steps: the budget of the message. */
int redact_replace(const struct redact *r, struct buf *out, const char *p, size_t n, uint64_t *steps,
	uint64_t *counts) _must_check_;
/* The same, of the sets alone. */
int redact_replace_sets(
	const struct redact *r, struct buf *out, const char *p, size_t n, uint64_t *counts) _must_check_;
const char *redact_name(const struct redact *r, unsigned kind);
/* May something be found in a string of these canonical bytes? False is certain. */
bool redact_may_find(const struct redact *r, const char *p, size_t n);
/* The length of what the set knows at p, where a word begins; else 0. */
size_t redact_match(enum shim_set set, const char *p, const char *end);

/* Where the next mail address may begin, and its '@'; zeroed at the beginning of a text. */
struct redact_ahead {
	const char *mail, *sign;
};

/* The first place from p on where one of the sets may know something, or end. escaped: the text is canonical bytes, and
 * what an escape stands for separates words. */
const char *redact_next(
	uint32_t sets, const char *text, const char *p, const char *end, bool escaped, struct redact_ahead *a);
/* May it stand before the '@' of a mail address? */
bool redact_is_local(char c);
