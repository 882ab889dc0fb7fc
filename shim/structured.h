/* SPDX-License-Identifier: Apache-2.0 */
/*
 * structured - the stage of a call's structuredContent: it fits the outputSchema that the tool was listed with
 *
 * Process:  shim
 * Owns:     nothing
 *
 * A result without structuredContent passes, though a tool with an outputSchema has to give one: servers leave it out,
 * and a client that wants it says so itself. A result that is an error (isError) passes as it is, and nothing else that
 * a result says of itself keeps its content from being judged.
 */
#pragma once
#include "shim/role.h"
#include "shim/stages.h"

/* A stage (stages.h). */
int structured_guard(struct shim *s, struct message *m) _must_check_;
/* What a task came to, in a result or a notification; tool: whose task it is, or empty where that is not known. */
int structured_judge_task(struct shim *s, struct slice tool, const char **ret_refusal) _must_check_;
