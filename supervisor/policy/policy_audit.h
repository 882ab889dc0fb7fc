/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_audit - where audit records go: "audit" (policy.h)
 *
 * Process:  supervisor
 * Owns:     its strings; free with policy_audit_done
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "supervisor/role.h"

struct policy_audit {
	bool collector;	  /* audit.to "collector": no session without it; else into the user's own directory */
	char *where;	  /* "FILE:LINE (audit.to "collector")"; NULL: nothing is laid down */
	uint64_t older_s; /* audit.delete_after: seconds after the end of a session; 0: nothing is laid down */
	char *older_where;
	uint64_t size; /* audit.size: bytes of a user's closed sessions; 0: nothing is laid down */
	char *size_where;
};

void policy_audit_done(struct policy_audit *p);
