/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_audit - where audit records go: "audit" (policy.h)
 *
 * Process:  supervisor
 * Owns:     its strings; free with policy_audit_done
 */
#pragma once
#include <stdbool.h>
#include "supervisor/role.h"

struct policy_audit {
	bool collector; /* audit.to "collector": no session without it; else into the user's own directory */
	char *where;	/* "FILE:LINE (audit.to "collector")"; NULL: nothing is laid down */
};

void policy_audit_done(struct policy_audit *p);
