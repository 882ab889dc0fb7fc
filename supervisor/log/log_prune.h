/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_prune - what the policy or a profile says of how long logs are kept, held at the end of a session
 *
 * Process:  supervisor
 * Returns:  0, -errno with words
 */
#pragma once
#include "audit/prune.h"
#include "supervisor/paths.h"
#include "supervisor/policy/policy.h"

enum { LOG_PRUNE_EVERY_S = 24 * 3600 };

/* The rules of the policy. In a user's own log what a session's profile says comes before its age, where that is
 * longer; in the collector's nothing that a sender says counts. */
struct prune_rules log_prune_rules(const struct policy *p, bool collected);
/* Prunes this user's own log, when that was not done for LOG_PRUNE_EVERY_S. own: a profile has a rule of its own. */
int log_prune_daily(const struct paths *p, const struct policy *policy, bool own, struct diag *d) _must_check_;
