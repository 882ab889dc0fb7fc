/* SPDX-License-Identifier: Apache-2.0 */
/*
 * structured - the guard of a call's structuredContent: it fits the outputSchema that the tool was listed with
 *
 * Process:  shim
 * Owns:     nothing
 *
 * A result without structuredContent passes, though a tool with an outputSchema has to give one: servers leave it out,
 * and a client that wants it says so itself. A result that is an error (isError) passes as it is.
 */
#pragma once
#include "shim/role.h"
#include "shim/guards.h"

guard_result_fn structured_guard;
/* The same for a task's state that the server pushes. */
int structured_pushed(struct shim *s, const char **ret_refusal) _must_check_;
