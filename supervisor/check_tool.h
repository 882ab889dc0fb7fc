/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_tool - one decision on a call, and the rule behind it (`stockade check --tool`)
 *
 * Process:  supervisor
 * Returns:  an exit status (EXIT_FINDINGS: denied), -errno with words
 *
 * What the shim would say by the profile, by the names that are pinned and by the grants that run. What the tool's own
 * inputSchema says, and whether its definition is still the pinned one, is the running server's to tell.
 */
#pragma once
#include <stdbool.h>
#include <stdio.h>
#include "base/diag.h"
#include "supervisor/kill/kill_entry.h"
#include "wire/shim_config.h"

struct check_call {
	const struct shim_rules *tools;
	const struct shim_arguments *arguments;
	const struct meters *meters;
	const struct shim_pins *pins; /* NULL: there are none */
	const struct scopes *scopes;
	const struct definitions *pinned; /* with their fields: what the server said of its tools; NULL: not known */
	uint32_t lifted;		  /* scopes that a grant lifts now */
	const struct kill_entry *killed;  /* of the tool or its server; NULL: it is not */
	const char *tool;
	const char *args; /* a JSON object, or NULL: not given */
};

/* May that be the arguments of a call: one JSON object that the shim would read? */
bool check_tool_takes(const char *args);
int check_tool(FILE *out, const struct check_call *c, bool json, struct diag *d) _must_check_;
