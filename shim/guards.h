/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guards - what a request must pass once the rules allow it, and a result before it is passed on: a table each
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
/* Words in *ret_refusal: the result is not passed on, and its request gets an error with them. */
typedef int guard_result_fn(struct shim *s, const struct pending_entry *e, const char **ret_refusal);

int guards_request(
	struct shim *s, const struct message *m, const struct method *method, struct decision *d) _must_check_;
/* A result that came and is no error of JSON-RPC, whatever it says of itself. */
int guards_result(struct shim *s, const struct pending_entry *e, const char **ret_refusal) _must_check_;
