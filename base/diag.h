/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diag - the sentence for the person, filled where the fact is known
 *
 * Process:  any
 * Owns:     nothing; the caller holds the struct, no heap
 * Limits:   DIAG_MAX bytes with the NUL; longer text is cut and ends in "..."
 *
 * A message says what happened, why, by which rule, and what to do. What came from a peer or a file is put through
 * text_escape() first.
 */
#pragma once
#include "base/cleanup.h"

enum { DIAG_MAX = 2048 };

struct diag {
	char text[DIAG_MAX];
};

/* Replaces the sentence. A NULL diag is allowed and ignored. */
void diag_set(struct diag *d, const char *fmt, ...) _printf_(2, 3);

/* Replaces the sentence and returns err (0 or -errno), so that a failing line reads: return diag_fail(d, -EINVAL, ...).
 */
int diag_fail(struct diag *d, int err, const char *fmt, ...) _printf_(3, 4) _must_check_;

/* Puts words before the sentence that is there ("profile.json:3: " and the like). */
void diag_prefix(struct diag *d, const char *fmt, ...) _printf_(2, 3);
