/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_rules - a policy's file as a list of its rules, and what looks wrong in it
 *
 * Process:  supervisor
 * Returns:  0, -errno with words
 */
#pragma once
#include <jansson.h>
#include "supervisor/policy/policy.h"

/* [{"line", "key": "tools.deny", "value", "shown"}], an item of a list each a rule of its own. ret is the caller's. */
int policy_rules(const char *path, enum fs_trust trust, uid_t uid, json_t **ret, struct diag *d) _must_check_;
/* Appends {"severity", "words"}: "error" for what a launch would not follow, "warning" for a rule that names what is
 * not there. */
int policy_lint(const char *path, json_t *found, struct diag *d) _must_check_;
