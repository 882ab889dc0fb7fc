/* SPDX-License-Identifier: Apache-2.0 */
/*
 * requests - what the client asks of the server
 *
 * Process:  shim
 * Owns:     nothing
 * Returns:  0, -errno
 */
#pragma once
#include "shim/role.h"
#include "shim/handle.h"

/* Passes the request on, parks it, or answers it. */
int requests_from_client(struct shim *s, struct message *m) _must_check_;
