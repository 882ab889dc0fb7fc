/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_persons - what the people at a machine may answer by themselves: "pins", "tools.grants" (policy.h)
 *
 * Process:  supervisor
 * Owns:     its strings; free with policy_persons_done
 */
#pragma once
#include "supervisor/role.h"
#include "wire/definition.h"

struct policy_persons {
	char *no_grants;		   /* tools.grants "never": "FILE:LINE (tools.grants)"; NULL: as profiles say */
	enum definition_severity findings; /* pins.findings: from which on a finding keeps a server from being pinned */
	char *findings_where;		   /* "FILE:LINE (pins.findings "medium")"; NULL: nothing is laid down */
};

void policy_persons_done(struct policy_persons *p);
