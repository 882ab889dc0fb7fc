/* SPDX-License-Identifier: Apache-2.0 */
/*
 * offers - what each side says that it can do, narrowed to what the profile allows, so that no honest peer asks for
 * more
 *
 * Process:  shim
 * Owns:     nothing
 * Returns:  0, -errno
 */
#pragma once
#include "shim/role.h"
#include "shim/shim.h"

/* The client's capabilities, of initialize or of _meta. *ret_hidden members are left out of what is in out. */
int offers_filter(struct shim *s, struct slice offers, struct buf *out, uint64_t *ret_hidden) _must_check_;
/* Appends them narrowed. */
int offers_put(struct shim *s, struct slice offers, struct buf *out) _must_check_;
/* The server's capabilities, or a request's _meta: without logging, where the profile has none. */
int offers_filter_logging(struct shim *s, struct slice object, struct buf *out, uint64_t *ret_hidden) _must_check_;
