/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay_client - the client of a recorded launch, and what rules on clients say of it
 *
 * Process:  supervisor
 *
 * What the record holds is what was known then (client_json): nothing is looked up anew, and a file that was root's
 * then counts as root's.
 */
#pragma once
#include "audit/line.h"
#include "supervisor/client/client_rule.h"

/* what: "from CLIENT", cut to size. A record that says nothing of its client is let be. */
bool replay_client_allowed(
	const struct client_rules *rules, const struct line *opening, char *what, size_t size, struct diag *d);
