/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alert_share - what the sessions of a user have counted together for a rule: RUNTIME/alerts/HASH
 *
 * Process:  supervisor
 * Returns:  0, -errno with words
 * Limits:   ALERT_SHARE_TRIES of a millisecond for the lock, once in ALERT_SHARE_STUCK_US while nobody can have it
 *
 * Ten denials a minute are ten denials, however many sessions they come from. Read and written as one, under a lock
 * that is tried for a moment only: a session that was stopped with it holds up nobody, and what the others wrote
 * meanwhile without it shows in the generation, so that it counts anew when it goes on instead of writing over theirs.
 * Between its last look and its write nothing guards them then: a moment may be lost.
 *
 * HASH is that of the rule, so that one that was changed begins anew, and of the clock (time_namespaces(7)). What does
 * not read as such a file of this boot is none, and what cannot be read or written leaves the session its own count.
 * It is the user's own, who could as well kill the session: who must not depend on that asks the collector's log.
 */
#pragma once
#include "base/diag.h"
#include "supervisor/alerts/alert_match.h"
#include "supervisor/paths.h"
#include "supervisor/scope_grant.h"

enum { ALERT_SHARE_TRIES = 4, ALERT_SHARE_STUCK_US = 1000000 };

int alert_share_open(const struct paths *p, const struct alert_rule *rule, const struct scope_clock *clock, int *ret,
	struct diag *d) _must_check_;
/* Into s, which has room for the rule's count; true: with the lock, which alert_share_put gives back. */
bool alert_share_take(const struct alert_rule *rule, const char *boot, uint64_t now_us, struct alert_state *s);
/* False: another session has written since, and nothing was put: take it and count again. */
bool alert_share_put(const struct alert_rule *rule, const char *boot, bool locked, struct alert_state *s);
