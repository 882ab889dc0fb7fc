/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notifications - what either side says without waiting for an answer
 *
 * Process:  shim
 * Owns:     nothing
 * Returns:  0, -errno
 */
#pragma once
#include "shim/role.h"
#include "shim/handle.h"

/* Passes it on, or drops it with a record. */
int notifications_from_client(struct shim *s, struct message *m) _must_check_;
int notifications_from_server(struct shim *s, struct message *m) _must_check_;
