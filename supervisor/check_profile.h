/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_profile - a profile as it is written, for `check NAME` while a parameter that it needs has no value
 *
 * Process:  supervisor
 * Returns:  0, -errno
 *
 * Without its parameters there is no plan: no path exists yet, and nothing can be resolved or digested. What the
 * profile grants stands there all the same, with ${name} where a value will be.
 */
#pragma once
#include <stdio.h>
#include "supervisor/effective.h"

/* The first parameter that has no default; NULL: none. */
const struct profile_param *check_profile_needs(const struct profile *p);
/* Prints what it says, and what pins and policy make of that (effective_as_written); the lines of e are added. lifted:
 * the scopes that a grant lifts now; json: one object, else words. */
int check_profile_print(FILE *out, struct effective *e, uint32_t lifted, bool json) _must_check_;
