/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guards - what a request must pass once the rules allow it
 *
 * Process:  shim
 * Owns:     nothing; words that a guard makes are in shim.words until the next message
 * Returns:  0, -errno
 *
 * Guards are asked before anything is tracked or forwarded, in the order of the table, and the first that says no
 * decides. A new guard is a row and a function of its own module.
 */
#pragma once
#include "shim/role.h"
#include "shim/handle.h"
#include "shim/methods.h"
#include "shim/policy.h"

/* Turns an allowed request down, or leaves *d as it is: verdict, rule, reason, advice. */
typedef int guard_request_fn(struct shim *s, const struct message *m, struct decision *d);

int guards_request(
	struct shim *s, const struct message *m, const struct method *method, struct decision *d) _must_check_;
