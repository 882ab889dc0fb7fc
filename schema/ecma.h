/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ecma - a pattern of ECMA-262 (with the flag u) as PCRE2 has to be told it
 *
 * Process:  shim, supervisor
 * Returns:  0, -ENOMEM, -E2BIG, or -EINVAL with a diag
 *
 * What the two read differently is rewritten: \s . \v \c \0 \u \p{...} and a class with a bracket in it. What ECMA-262
 * does not know but PCRE2 does is refused and never passed on: \A \Z \G \K \Q \R \h, (?i), (?P<, (?>, (*VERB),
 * possessive quantifiers. Outside of letters and digits every character may be escaped, as patterns in the wild do (\-
 * \" \@).
 */
#pragma once
#include "base/buf.h"
#include "base/diag.h"

/* Appends to b. */
int ecma_translate(const char *pattern, size_t n, struct buf *b, struct diag *d) _must_check_;
