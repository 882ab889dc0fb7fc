/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lineage_clients - the table of known MCP clients and how their processes look
 *
 * Process:  supervisor
 */
#pragma once
#include "supervisor/role.h"

/* The words for a client that this executable, script or (when neither tells) comm belongs to, or NULL. Each may be
 * NULL. */
const char *lineage_client_name(const char *exe, const char *script, const char *comm);
