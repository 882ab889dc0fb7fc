/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fields - of a list only the fields that the protocol defines reach the client
 *
 * Process:  shim
 * Owns:     nothing; what is left goes to a buf of the caller's
 * Returns:  0, -errno
 *
 * A client that hands items on as they came shows its model whatever a server writes beside description and schema,
 * where no pin and no scan looks. Schemas and _meta are open: they pass as they are.
 */
#pragma once
#include "shim/role.h"
#include "shim/methods.h"
#include "shim/shim.h"

/* The result in s->doc, of a list of that kind. When nothing has to go *ret_dropped is 0 and out is not touched. */
int fields_filter(struct shim *s, enum method_result kind, struct slice result, struct buf *out,
	uint64_t *ret_dropped) _must_check_;
