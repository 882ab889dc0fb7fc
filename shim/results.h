/* SPDX-License-Identifier: Apache-2.0 */
/*
 * results - stages (stages.h) of what a server says that it has: what the client is not to see goes, and is recorded
 *
 * Process:  shim
 * Owns:     nothing
 * Returns:  as stages do
 */
#pragma once
#include "shim/role.h"
#include "shim/stages.h"

/* Of lists: items that the rules, pins, schemas or the scan keep back (lists.h). */
int results_list(struct shim *s, struct message *m) _must_check_;
/* Of the handshake: who the server is, and tools within its capabilities. */
int results_hello(struct shim *s, struct message *m) _must_check_;
/* Instructions that are not as they were pinned, or that the scan finds fault with. */
int results_instructions(struct shim *s, struct message *m) _must_check_;
/* Where a grant can change the list of tools, the client has to listen for that. */
int results_promise(struct shim *s, struct message *m) _must_check_;
/* Of lists: what the protocol has no name for. */
int results_fields(struct shim *s, struct message *m) _must_check_;
/* A client that knows of logging would ask for it. */
int results_logging(struct shim *s, struct message *m) _must_check_;
