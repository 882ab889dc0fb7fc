/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit - the chained log: one file a session, and a per-user index chain over the sessions
 *
 * Process:  supervisor
 * Owns:     the open log; close with audit_close, free with audit_free
 * Returns:  0, -errno with words; -ENOSPC, -EIO, ... end the session; -EDQUOT when this session's budget is used up
 * Limits:   AUDIT_RECORD_MAX a record, the session's byte budget
 *
 * Format: design.md section 6, docs/audit.md. "Acknowledged" is write(2) returning; fsync at checkpoints and close.
 */
#pragma once
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include "base/diag.h"
#include "wire/event.h"

enum {
	AUDIT_RECORD_MAX = 64 << 10,
	AUDIT_BUDGET_DEFAULT = 64 << 20,
	AUDIT_SESSION_ID_LEN = 32, /* hex */
};

struct audit;

/* Constant over a session; every record carries them. All borrowed for the call of audit_open. */
struct audit_identity {
	const char *session; /* AUDIT_SESSION_ID_LEN hex digits, audit_new_session_id() */
	const char *user;
	const char *groups;	    /* "alice,dev,docker" */
	const char *client;	    /* "code (pid 812) < bash (pid 700)": chain of programs */
	const char *server;	    /* profile or command name */
	const char *version;	    /* of the profile, or "" */
	const char *plan_digest;    /* hex */
	const char *approval;	    /* id of the approval */
	const char *channel;	    /* "terminal", "approve", "digest", ... */
	const char *classification; /* data.classification or "" */
	const char *delete_after;   /* "90d" or "" */
	const json_t *opening;	    /* what the detail of session.open holds; NULL: nothing */
	const char *opening_text;   /* the same as JSON text that came from elsewhere */
	size_t opening_len;
	/* Of the collector alone: what the kernel says of the sender, and which of the above only the sender says. */
	const char *uid, *pid, *claimed;
};

struct log_key;
struct log_keys;

struct audit_options {
	int dirfd;		   /* the audit directory, open, 0700, owned by the user */
	uint64_t budget;	   /* bytes; 0: AUDIT_BUDGET_DEFAULT */
	int sender;		   /* a socket to the collector, taken: records go there and not into dirfd; 0: none */
	const struct log_key *key; /* signs checkpoints and close; borrowed for the call; NULL: nothing is signed */
};

void audit_new_session_id(char ret[AUDIT_SESSION_ID_LEN + 1]);
/* Creates the session's file, preallocates, writes session.open and the index's open record. */
int audit_open(const struct audit_options *o, const struct audit_identity *id, struct audit **ret,
	struct diag *d) _must_check_;
/* The session's id; behind a collector it is the collector's, and not the one that was given. */
const char *audit_session(const struct audit *a);
/* What becomes known only later: records carry it from now on. */
int audit_set_identity(struct audit *a, const struct audit_identity *id) _must_check_;
/* Stamps v, seq, ts, session, source and identity; writes one record with one write(2). -EACCES when the table of
 * wire/event.h does not let that source send that event. extra (may be NULL, borrowed): more members for supervisor
 * events. */
int audit_append(struct audit *a, enum event_source source, const struct event *e, const json_t *extra,
	struct diag *d) _must_check_;
/* The same with the members as JSON text that came from elsewhere; n 0: none. -EINVAL for what is no object. */
int audit_append_text(struct audit *a, enum event_source source, const struct event *e, const char *text, size_t n,
	struct diag *d) _must_check_;
/* Waits until the collector has acknowledged what the shim handed over; without a collector everything is already. */
int audit_settle(struct audit *a, struct diag *d) _must_check_;
/* The collector's socket, whose end (POLLRDHUP) is the end of the log; -1: there is none. */
int audit_socket(const struct audit *a);
/* fsync and a checkpoint record here and in the index. The session's loop calls it every AUDIT_CHECKPOINT_S when
 * records came. */
enum { AUDIT_CHECKPOINT_S = 10 };
int audit_checkpoint(struct audit *a, struct diag *d) _must_check_;
/* The close record (status, totals), fsync, index close. The log is then finished. */
int audit_close(struct audit *a, const char *status, struct diag *d) _must_check_;
void audit_free(struct audit *a);
static inline void audit_freep(struct audit **a)
{
	audit_free(*a);
}
#define _cleanup_audit_ _cleanup_(audit_freep)

/* --- readers, for `stockade audit` --- */

struct audit_filter {
	int64_t since, until;		     /* seconds since the epoch, 0: open */
	const char *session, *server, *tool; /* globs ('*'), NULL: any; session also how an id begins */
	const char *client;		     /* a glob, or what the chain of programs holds */
	enum event_decision decision;	     /* EVENT_NONE: any */
};

struct audit_show_options {
	struct audit_filter filter;
	bool json;     /* the records as they are, one a line */
	bool follow;   /* wait for more until SIGINT */
	bool tail;     /* of what is there already, only the last records that pass the filter */
	uint64_t last; /* so many */
	bool denied;   /* what was denied, one row a thing, instead of the records */
	bool colour;
};

enum audit_shown { AUDIT_SHOWN = 0, AUDIT_NOTHING_SHOWN = 1 }; /* the positive outcomes of audit_show */
/* Prints records of all sessions in order of time. AUDIT_SHOWN, AUDIT_NOTHING_SHOWN or -errno. */
int audit_show(int dirfd, const struct audit_show_options *o, FILE *out, struct diag *d) _must_check_;

enum audit_verdict { AUDIT_WHOLE = 0, AUDIT_DAMAGED = 1 }; /* the positive outcomes of audit_verify */
/* Checks index and sessions; prints one line a finding (or JSON lines) and a summary. AUDIT_WHOLE, AUDIT_DAMAGED or
 * -errno. A torn last line of a session that no longer runs is closed and recorded (log.torn), unless read_only. */
struct audit_verify_options {
	const char *session; /* a glob, or how an id begins; NULL: all */
	bool json;
	bool read_only;
	const struct log_keys *keys; /* what signatures are checked with; NULL: they are not, which is said */
	bool demand;		     /* what none of these keys signed is damage, also when nothing at all is signed */
	const struct log_key *key;   /* signs the end that a killed session gets; NULL: such sessions keep none */
};
int audit_verify(int dirfd, const struct audit_verify_options *o, FILE *out, struct diag *d) _must_check_;
