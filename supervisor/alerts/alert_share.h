/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alert_share - what the sessions of a user have counted together for a rule: RUNTIME/alerts/HASH
 *
 * Process:  supervisor
 * Returns:  0, -errno with words
 * Limits:   ALERT_SHARE_TRIES of a millisecond for the lock
 *
 * Ten denials a minute are ten denials, however many sessions they come from. Read and written as one, under a lock
 * that is tried for a moment only: a session that was stopped with it holds up nobody, and then a moment may be lost.
 * HASH is that of the rule, so that one that was changed begins anew. What does not read as such a file, or is of
 * before this boot, is none. It is the user's own, who could as well kill the session: who must not depend on that asks
 * the collector's log.
 */
#pragma once
#include "base/diag.h"
#include "supervisor/alerts/alert_match.h"
#include "supervisor/paths.h"

enum { ALERT_SHARE_TRIES = 4 };

int alert_share_open(const struct paths *p, const struct alert_rule *rule, int *ret, struct diag *d) _must_check_;
/* Into s, which has room for the rule's count; true: with the lock, which alert_share_put gives back. */
bool alert_share_take(int fd, const struct alert_rule *rule, uint64_t now_us, struct alert_state *s);
void alert_share_put(int fd, const struct alert_rule *rule, bool locked, const struct alert_state *s);
