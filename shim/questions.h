/* SPDX-License-Identifier: Apache-2.0 */
/*
 * questions - what a server asks the client: its model, the person at it, its roots
 *
 * Process:  shim
 * Owns:     nothing
 * Returns:  0, -errno
 */
#pragma once
#include "shim/role.h"
#include "shim/handle.h"

/* Passes the request on, or answers it. */
int questions_from_server(struct shim *s, struct message *m) _must_check_;
