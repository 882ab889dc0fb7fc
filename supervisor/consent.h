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
 *
 * An approval stores the canonical JSON and is believed only when its digest is the file's name: what was shown is what
 * is approved. Code that can rewrite itself (never_remember) has no approval; each launch of it waits for its own
 * answer.
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
	CONSENT_DENIED = 5,    /* nobody is asked: the policy allows neither this client (effective->client_refused) nor
				* that anybody here approves (launch->unapproved) */
};

enum { CONSENT_WAIT_S = 20, CONSENT_FILE_MAX = 5 << 20 };

struct approval {
	char id[17]; /* first 16 hex digits of the digest */
	char digest[65];
	char *name;
	char *subject;
	char *channel; /* "terminal", "approve", "digest"; "policy" (consent/granted.h), "admin" (consent/admin.h) */
	char *user;
	char *lineage;
	int64_t when;
	json_t *canonical;
	json_t *client;	 /* who asked, as client_json() writes it; NULL: it is not told */
	json_t *signers; /* who had signed its profile, as vouched_json() writes it; NULL: it is not told */
	char *damaged;	 /* in a list: why this file approves nothing, and only id and digest are there; else NULL */
};
void approval_done(struct approval *a);
#define _cleanup_approval_ _cleanup_(approval_done)

struct approvals {
	struct approval *v;
	size_t n;
};
void approvals_done(struct approvals *l);
#define _cleanup_approvals_ _cleanup_(approvals_done)

/* Looks up the digest: CONSENT_APPROVED (ret filled) or CONSENT_UNKNOWN. A file that does not parse or is not trusted
 * denies: -errno. */
int consent_lookup(const struct paths *p, const char *digest, struct approval *ret, struct diag *d) _must_check_;
/* The newest approval of the same subject with another digest, or NULL. */
const struct approval *consent_earlier(const struct approvals *l, const char *subject, const char *digest);
/* -EPERM for what is never remembered. */
int consent_remember(const struct paths *p, const struct effective *e, const char *channel, const struct lineage *l,
	struct diag *d) _must_check_;
/* What an approval is made of; consent_remember takes it from the effective launch, approve from one that waits. */
struct consent_facts {
	const char *digest, *name, *subject;
	const json_t *canonical;
	bool never_remember;
	const json_t *client;  /* who asked; NULL: not known */
	const json_t *signers; /* of the profile; NULL: none */
};
int consent_remember_facts(const struct paths *p, const struct consent_facts *f, const char *channel,
	const struct lineage *l, struct diag *d) _must_check_;
/* All of them, oldest first, damaged ones marked. */
int consent_list(const struct paths *p, struct approvals *ret, struct diag *d) _must_check_;
/* Removes the one whose digest begins with prefix (ret: which). -ENOENT none, -EEXIST several, or it is
 * shorter than 4 digits: with words. */
int consent_revoke(const struct paths *p, const char *prefix, struct approval *ret, struct diag *d) _must_check_;
/* May run ask here: stdin and stdout are the controlling terminal and we are its foreground group. */
bool consent_terminal_is_ours(void);
/* One line from the terminal after a prompt on stderr; what was typed before is thrown away, and the rest of a line
 * that is too long. -ENODATA: no line came; -E2BIG. */
int consent_read_line(const char *prompt, char *ret, size_t size) _must_check_;
/* What an answer is still wanted for; asked several times a second. */
struct consent_still {
	bool (*wanted)(const void *arg);
	const void *arg;
};
/* The same for as long as it is: -ESTALE. still NULL: always. */
int consent_read_line_while(const char *prompt, const struct consent_still *still, char *ret, size_t size) _must_check_;
/* CONSENT_APPROVED for "y" or "yes", else CONSENT_REFUSED. */
int consent_yes_or_no(const char *prompt) _must_check_;
/* Columns of the terminal behind stderr, 0 when there is none. */
unsigned consent_width(void);
/* The question on stderr, the answer from stdin, default No. CONSENT_APPROVED or CONSENT_REFUSED. */
int consent_ask_terminal(const struct approvals *all, const struct effective *e, struct diag *d) _must_check_;

struct kill_bundle; /* supervisor/kill/kill_bundle.h */

/* A launch that waits. cancel_fd: readable (POLLIN|POLLHUP) when the client is gone, -1 none. Wakes on the approval
 * file (inotify, else polling every 100 ms). CONSENT_APPROVED, _REFUSED, _TIMEOUT, _CANCELLED. */
struct consent_wait {
	const struct paths *paths;
	const struct approvals *approvals; /* for the difference to an earlier one */
	const struct effective *effective;
	const struct lineage *lineage;
	int cancel_fd;
	int signal_fd; /* signalfd with TERM, INT, HUP; -1 none */
	unsigned seconds;
	/* Called once the launch is listed and can be answered; NULL: nobody is told. */
	void (*waits)(const struct consent_wait *w);
	/* Asked at each look of consent_wait: -errno with words ends the wait; NULL: nobody is asked. */
	int (*still)(const struct consent_wait *w, struct diag *d);
	struct kill_bundle *kills; /* what still looks at */
};
int consent_wait(const struct consent_wait *w, struct diag *d) _must_check_;

/* The same in steps, for who has a loop of its own: begin; look when notify is readable and at the latest after
 * consent_tick_ms(); end, which NULL and what never began survive. */
struct consent_waiting;
int consent_wait_begin(const struct consent_wait *w, struct consent_waiting **ret, struct diag *d) _must_check_;
/* CONSENT_UNKNOWN: no answer yet. */
int consent_wait_look(const struct consent_wait *w, struct consent_waiting *c, struct diag *d) _must_check_;
int consent_wait_notify(const struct consent_waiting *c); /* a descriptor, or -1 */
unsigned consent_wait_tick_ms(const struct consent_waiting *c);
void consent_wait_end(struct consent_waiting *c);
