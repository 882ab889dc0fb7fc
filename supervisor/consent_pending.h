/* SPDX-License-Identifier: Apache-2.0 */
/*
 * consent_pending - RUNTIME/pending: launches that wait, as seen by the waiter and by `stockade approve`
 *
 * Process:  supervisor
 * Owns:     struct pending its strings and JSON; free with pending_done
 * Limits:   CONSENT_FILE_MAX bytes an entry
 *
 *    DIGEST.json           the question and the plan, written by the first waiter
 *    DIGEST.waiters/N      one a waiter, locked by flock(2) while it lives; N is its process id, and a counter
 *    DIGEST.waiters/N.answer  "approved" or "refused", written by approve for each waiter there is at that moment
 *
 * Theory of operation. Nobody waits for a lock: approve only tries (shared, non-blocking) whether a waiter's file is
 * still held; what nobody holds is the litter of a dead process and goes. A stopped waiter holds nothing but its own
 * file. Removing litter can race with a newcomer; therefore each waiter looks every CONSENT_TICK_MS whether its file
 * and the entry are still there and puts them back.
 */
#pragma once
#include "supervisor/consent.h"

enum { CONSENT_TICK_MS = 200 };

struct pending {
	char digest[65];
	char *name, *subject, *lineage; /* lineage: of the first launch that waits */
	int64_t when;
	bool never_remember;
	json_t *canonical, *question;
	unsigned waiters;
	char *damaged; /* why this entry cannot be answered, else NULL */
};
void pending_done(struct pending *e);

struct pendings {
	struct pending *v;
	size_t n;
};
void pendings_done(struct pendings *l);
#define _cleanup_pendings_ _cleanup_(pendings_done)

/* What waits, oldest first; removes what nobody waits for any more. */
int pending_list(const struct paths *p, struct pendings *ret, struct diag *d) _must_check_;
/* Tells every launch that waits for this digest. No waiter left is no error. */
int pending_answer(const struct paths *p, const char *digest, bool approved, struct diag *d) _must_check_;

/* --- the waiter's side --- */
struct pending_waiter {
	int pending, waiters; /* directories */
	int lock;	      /* its own file, held */
	char name[32];	      /* of that file */
	char digest[65];
};
#define PENDING_WAITER_INIT                                                                                            \
	{                                                                                                              \
		.pending = -1, .waiters = -1, .lock = -1                                                               \
	}
/* text: the entry, whole. */
int pending_join(const struct paths *p, const char *digest, const char *text, struct pending_waiter *ret,
	struct diag *d) _must_check_;
/* Puts back what a cleaner took by mistake. */
int pending_keep(const struct paths *p, struct pending_waiter *w, const char *text, struct diag *d) _must_check_;
/* CONSENT_APPROVED, _REFUSED, or _UNKNOWN while there is none. */
int pending_read_answer(const struct paths *p, const struct pending_waiter *w, struct diag *d) _must_check_;
/* Removes the waiter's files and, with the last one, the entry. */
void pending_leave(struct pending_waiter *w);
/* The entry's text; heap. */
int pending_text(const struct effective *e, const struct lineage *l, const json_t *earlier, char **ret,
	struct diag *d) _must_check_;
