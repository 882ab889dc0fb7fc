/* SPDX-License-Identifier: Apache-2.0 */
/*
 * consent - approvals remembered by digest, launches that wait, and the question on a terminal
 *
 * Process:  supervisor
 * Returns:  0, -errno with words; CONSENT_*
 *
 * Files: STATE/approvals/DIGEST.json (one approval each, atomic), RUNTIME/pending/DIGEST.json + DIGEST.waiters/PID (a
 * waiter holds a lock on its own file while it lives). Two launches of one plan share one question; no lock of one
 * launch can hold up another.
 */
#pragma once
#include "supervisor/effective.h"
#include "supervisor/lineage.h"

enum consent_outcome {
	CONSENT_APPROVED = 0,
	CONSENT_REFUSED = 1,
	CONSENT_TIMEOUT = 2,
	CONSENT_CANCELLED = 3, /* the client went away while we waited */
	CONSENT_UNKNOWN = 4,   /* not remembered */
};

enum { CONSENT_WAIT_S = 20 };

struct approval {
	char id[17];	  /* first 16 hex digits of the digest */
	char digest[65];
	char *name;
	char *subject;
	char *channel;	  /* "terminal", "approve", "digest" */
	char *user;
	char *lineage;
	int64_t when;
	json_t *canonical;
};
void approval_done(struct approval *a);

/* Looks up the digest: CONSENT_APPROVED (ret filled) or CONSENT_UNKNOWN. A file that does not parse or is not trusted denies: -errno. */
int consent_lookup(const struct paths *p, const char *digest, struct approval *ret, struct diag *d) _must_check_;
/* The newest approval of the same subject with another digest, or CONSENT_UNKNOWN. */
int consent_earlier(const struct paths *p, const char *subject, const char *digest, struct approval *ret, struct diag *d) _must_check_;
int consent_remember(const struct paths *p, const struct effective *e, const char *channel, const struct lineage *l, struct diag *d) _must_check_;
/* May run ask here: stdin and stdout are the controlling terminal and we are its foreground group. */
bool consent_terminal_is_ours(void);
/* Asks on stdin/stderr, default No. CONSENT_APPROVED or CONSENT_REFUSED. */
int consent_ask_terminal(const struct paths *p, const struct effective *e, struct diag *d) _must_check_;

/* A launch that waits. cancel_fd: readable (POLLIN|POLLHUP) when the client is gone, -1 none. Wakes on the approval file
 * (inotify, else polling every 100 ms). CONSENT_APPROVED, _REFUSED, _TIMEOUT, _CANCELLED. */
struct consent_wait {
	const struct paths *paths;
	const struct effective *effective;
	const struct lineage *lineage;
	int cancel_fd;
	int signal_fd; /* signalfd with TERM, INT, HUP; -1 none */
	unsigned seconds;
};
int consent_wait(const struct consent_wait *w, struct diag *d) _must_check_;
