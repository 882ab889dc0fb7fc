/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clarity - has the message one meaning for every peer, as far as its keys go? (mcp.md section 3, rule 3)
 *
 * Process:  shim
 * Returns:  NULL, or a clause that says what is unclear
 *
 * Keys that collide by case, and keys that imitate the protocol's, are refused in params, _meta, task and results.
 * Within arguments and structured content a tool's schema is the judge, and within arguments the profile's too; where
 * it is not known, no two keys may collide. A tool that was listed without an outputSchema gives whatever keys it
 * likes: maps of names, files or symbols have them.
 */
#pragma once
#include "shim/role.h"
#include "shim/envelope.h"
#include "shim/shim.h"

/* A request or notification of either side. tool: of tools/call, else empty. */
const char *clarity_of_params(struct shim *s, const struct envelope *e, struct slice tool);
/* A result or error of either side; tool: what was called, else empty; tools_list: tools with schemas are in it. */
const char *clarity_of_result(const struct shim *s, const struct envelope *e, struct slice tool, bool tools_list);
