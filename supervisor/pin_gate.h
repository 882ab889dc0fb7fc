/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pin_gate - may what the scan found be pinned all the same?
 *
 * Process:  supervisor
 * Returns:  0, -EPERM with words
 */
#pragma once
#include "base/diag.h"
#include "base/strv.h"
#include "supervisor/policy/policy.h"
#include "wire/definition.h"

/* Of words that shall name rules of the scan the first that names none, or NULL; *ret_near: a rule that may be meant.
 */
const char *pin_gate_unknown(const struct strv *words, const char **ret_near);
/* A finding is a reason to look. Without a word of the machine's owner one of severity high is a reason not to pin,
 * until a person names its rule (accepted); where the policy says from which severity on, nobody's word lifts it. name:
 * the server's, escaped. */
int pin_gate(const struct definitions *l, const struct policy *policy, const struct strv *accepted, const char *name,
	struct diag *d) _must_check_;
