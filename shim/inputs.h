/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inputs - what a server asks for in an answer: input requests, and addresses that a person is to visit first
 *
 * Process:  shim
 * Owns:     nothing
 * Returns:  0, -errno
 * Limits:   INPUTS_MAX requests in one answer
 *
 * Theory of operation. In the modern era a server that needs something says so in its result (inputRequests), or in the
 * state of a task; in the legacy era in an error, too (code -32042, data.elicitations). Each is judged as the request
 * it stands for. When one may not be, the client gets none of them: the server waits for nothing, a retry without an
 * answer to each would only be asked again, and answers in the client's name are not ours to give. So the client's own
 * request is denied, in words.
 */
#pragma once
#include "shim/role.h"
#include "shim/stages.h"

enum { INPUTS_MAX = ASKS_PASSED_MAX };

/* Stages, of answers and of notifications that may ask. Of those that may not: it asks for nothing. */
int inputs_none(struct shim *s, struct message *m) _must_check_;
/* May it ask for all that it asks for? */
int inputs_guard(struct shim *s, struct message *m) _must_check_;
/* What was judged is edited (asks.h). */
int inputs_edit(struct shim *s, struct message *m) _must_check_;
/* And recorded, once nothing keeps the message back any more. */
int inputs_record(struct shim *s, struct message *m) _must_check_;
/* Is there any in a notification? */
bool inputs_are_in_params(const struct shim *s);
