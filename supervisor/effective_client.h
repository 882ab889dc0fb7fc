/* SPDX-License-Identifier: Apache-2.0 */
/*
 * effective_client - what a server may ask of the client, for people and for the digest
 *
 * Process:  supervisor
 * Owns:     nothing
 * Returns:  0, -ENOMEM; NULL
 */
#pragma once
#include "supervisor/effective.h"

/* Requests to the client's model and user, and what the server logs there. */
int effective_client_lines(struct effective *e) _must_check_;
/* Into the protocol's part of the canonical JSON. */
int effective_client_canonical(json_t *protocol, const struct shim_client *c) _must_check_;
