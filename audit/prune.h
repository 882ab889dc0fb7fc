/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prune - removes the logs of sessions that are old enough, and has the index say which, and by which rule
 *
 * Process:  supervisor
 * Returns:  0, -errno with words
 *
 * Only whole files of closed, sealed sessions go, oldest first. The index gets its record (index.drop: file, number of
 * records, head, the rule as status; signed) before the file is removed, so that a crash in between leaves a file that
 * is told of, and never one that is gone untold. verify accepts what a drop tells of, and nothing else.
 */
#pragma once
#include "audit/log_key.h"

/* A rule that is not given keeps everything. where: who says so, for the record. */
struct prune_rules {
	uint64_t older_s;	 /* seconds since a session's last record; 0: no rule */
	const char *older_where; /* "--older 90d", "FILE:LINE (audit.delete_after "90d")" */
	bool profiles;		 /* what a session's own profile says (delete_after) comes before older_s */
	bool only_longer; /* but only where that is longer: what a user's own profile says has nothing removed that
			   * older_s keeps */
	uint64_t size;	  /* bytes that closed sessions may take in all; 0: no rule */
	const char *size_where;
	bool dry; /* say what would go, and remove nothing */
};

/* A session that went, or would; the words are audit_prune's own. */
struct pruned {
	const char *file, *session, *why;
	uint64_t records, bytes;
};

struct prune_teller {
	void (*tell)(void *of, const struct pruned *p);
	void *of;
};

/* teller: hears of each session that has gone; NULL: nobody does. key: signs the drops; NULL or without an id: not. */
int audit_prune(int dirfd, const struct prune_rules *rules, const struct log_key *key, uint64_t now_s,
	const struct prune_teller *teller, struct diag *d) _must_check_;
