/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_mode - "mode" and "observe_until": for how long what profiles deny is only recorded (policy.h)
 *
 * Process:  supervisor
 * Owns:     its strings; free with policy_mode_done
 * Returns:  0, -errno with words
 * Limits:   POLICY_OBSERVE_DAYS ahead, no further
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/diag.h"
#include "supervisor/role.h"

enum { POLICY_OBSERVE_DAYS = 90 };

struct policy_mode {
	bool observe;
	char *where; /* "FILE:LINE (mode "observe")"; NULL: enforce */
	char *until; /* as it is written; NULL: the key is not there */
	char *until_where;
	int64_t until_s; /* the first second in which everything is enforced */
};

/* Of the whole: observing has an end, and one that is near. now: seconds since the epoch. -EINVAL with words. */
int policy_mode_check(const struct policy_mode *m, int64_t now, struct diag *d) _must_check_;
bool policy_mode_observes(const struct policy_mode *m, int64_t now);
void policy_mode_done(struct policy_mode *m);
