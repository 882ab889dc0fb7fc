/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay - what the audit log records, held against another policy: what would be denied, what only recorded
 *
 * Process:  supervisor
 * Owns:     its rows and the trials that it drew itself; free with replay_done
 * Returns:  0, -errno with words
 * Limits:   REPLAY_ROWS_MAX rows, REPLAY_NAMES_MAX servers that only the log knows; what is beyond is counted and said
 *
 * Looked at are launches, calls of tools and connections, of sessions of any age. Each is asked about under both
 * policies, as profiles, approvals and pins are now. A row is what was let through, passes now (if only to be recorded)
 * and would not; or, let through or not, what would pass for no other reason than to be recorded.
 */
#pragma once
#include "audit/each.h"
#include "supervisor/policy_test/trial.h"

enum { REPLAY_ROWS_MAX = 4096, REPLAY_NAMES_MAX = 256 };

struct replay_row {
	char *server, *what, *rule; /* rule NULL: not known */
	const char *kind;	    /* "launch", "call", "connection" */
	const char *now;	    /* verdict_word() of what would only be recorded; NULL: it would be denied */
	uint64_t count, last_us;
};

struct replay {
	const struct trial_args *args;
	struct trial *const *trials; /* borrowed */
	size_t n_trials;
	void (*progress)(uint64_t bytes, uint64_t of_bytes, void *arg); /* may be NULL */
	struct trial *named[REPLAY_NAMES_MAX];
	size_t n_named;
	struct replay_row *v;
	size_t n, room;
	json_t *index;	 /* where the row of a thing is */
	uint64_t asked;	 /* records that were asked about */
	uint64_t more;	 /* denials beyond the rows */
	uint64_t beyond; /* records of servers whose profile is gone, or beyond the names */
	struct each_totals totals;
};

/* args, trials and progress are there. */
int replay_log(struct replay *r, int dirfd, struct diag *d) _must_check_;
/* "FILE:LINE (KEY)" of that file in a sentence, heap; NULL: it names none. */
char *replay_rule_in(const char *words, const char *file);
void replay_done(struct replay *r);
