/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alert_match - which rules an event fires: so many of them within so long a time, and then no more often than once in
 * ALERT_QUIET_US
 *
 * Process:  supervisor
 * Owns:     the moments of what matched lately; free with alert_match_done
 * Returns:  0, -errno with words
 */
#pragma once
#include "base/diag.h"
#include "supervisor/alerts/alert_rules.h"
#include "supervisor/paths.h"
#include "supervisor/scope_grant.h"

enum { ALERT_QUIET_US = 60 * 1000000 };

struct alert_state {
	uint64_t *moments; /* a ring of the rule's count */
	size_t n, at;
	bool fired;
	uint64_t quiet_until;
	uint64_t suppressed; /* firings since the last one that was told */
	uint64_t before;     /* so many of them before the one that fires now */
	/* Where the user's other sessions count as well (alert_share.h). */
	int shared;	      /* -1: this one alone */
	bool alone;	      /* it could not be written: until it can be, this one alone as well */
	uint64_t generation;  /* of what was read */
	uint64_t stuck_until; /* nobody waits for its lock until then */
};

struct alert_match {
	const struct alert_rules *rules; /* borrowed */
	struct alert_state *v;		 /* one a rule */
	struct scope_clock clock;	 /* of what is counted together */
};

/* paths: rules that count to more than one do so over all sessions of this user; NULL: over this one. */
int alert_match_init(
	struct alert_match *m, const struct alert_rules *rules, const struct paths *paths, struct diag *d) _must_check_;
/* Does the i-th rule fire on this event of that server? is_new: it is the server's first connection to its host; now_us
 * by io_boot_us. */
bool alert_match_take(
	struct alert_match *m, size_t i, const struct event *e, const char *server, bool is_new, uint64_t now_us);
/* Is it a connection that was made? Also one that only passed since the policy observes. */
bool alert_is_connection(const struct event *e);
void alert_match_done(struct alert_match *m);
