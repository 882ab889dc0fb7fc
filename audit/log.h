/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log - the open log of one session: what append, checkpoint, close and repair share
 *
 * Process:  supervisor
 * Owns:     the session's file (with its lock, which says that the session runs) and the directory's descriptor
 * Limits:   AUDIT_RECORD_MAX a record, LOG_IDENTITY_MAX of it the identity
 *
 * Theory of operation. Space for LOG_CHUNK bytes is preallocated beyond the end of the file, and an ordinary record is
 * only written while LOG_RESERVE of it stays free. When no more can be had, or the budget is used up, the log is
 * ending: what happened is written into the reserve, and after it the record that found no room and those that had been
 * handed over before anybody knew, down to LOG_OWN_RESERVE for the supervisor's own and LOG_CLOSE_RESERVE for the
 * close. A file that readers no longer find (unlinked, another in its name, its directory moved) is no log: that is
 * looked for at each note and before a record when LOG_PLACE_US have passed.
 */
#pragma once
#include "audit/audit.h"
#include "audit/index.h"
#include "audit/log_key.h"
#include "audit/record.h"
#include "audit/remote.h"
#include "audit/tally.h"

enum {
	LOG_CHUNK = 256 << 10,
	LOG_RESERVE = 256 << 10,
	LOG_CLOSE_RESERVE = 64 << 10,
	LOG_OWN_RESERVE = 16 << 10, /* of the supervisor's own records before the close */
	LOG_IDENTITY_MAX = 28 << 10,
	LOG_FIELD_MAX = 2 << 10, /* escaped bytes of one field of the identity */
	LOG_DETAIL_MAX = 12 << 10,
	LOG_FILE_NAME_MAX = 64,
	LOG_PLACE_US = 1000000, /* how long a record may trust that the file is still where readers look for it */
};

enum log_state { LOG_OPEN, LOG_ENDING, LOG_BROKEN, LOG_CLOSED };

struct audit {
	int dirfd, fd;
	enum log_state state;
	int error; /* why it is ending or broken */
	bool no_fallocate;
	bool lead_newline; /* the next write ends a torn line first */
	char file[LOG_FILE_NAME_MAX];
	char *place;	    /* the directory's path when it was opened; NULL: a repair, which is over at once */
	uint64_t placed_us; /* when the file was last seen in its place */
	char session[AUDIT_SESSION_ID_LEN + 1];
	struct remote remote; /* not on: the log is written here */
	char *claimed;	      /* which members of the identity only the sender says, or NULL */
	char *identity;	      /* ,"host":... as every record carries it */
	size_t identity_len;
	char *bytes;  /* AUDIT_RECORD_MAX + 1: a newline's place, then the record being built */
	uint64_t seq; /* of the last record */
	char head[RECORD_HASH_HEX + 1];
	uint64_t size, allocated, budget;
	uint64_t noted; /* seq at the last checkpoint */
	uint64_t calls, denied, dropped;
	struct log_key key; /* signs checkpoints and close; without an id nothing is signed */
	struct record_clock clock;
	struct tally tally;
};

/* What a record of the supervisor's own carries beside the fields of an event. All may be left empty. */
struct log_extra {
	const json_t *detail;
	uint64_t coalesced;
	uint64_t records; /* checkpoint, close: with the totals, and signed */
	bool totals;
	uint64_t torn_bytes;
	const char *torn_hash;
};

/* ".../20261001T120000Z-SESSION.jsonl" */
void log_file_name(uint64_t us, const char *session, char ret[LOG_FILE_NAME_MAX]);
/* Takes the lock that says "this session runs" on an open file: false when another process has it. */
bool log_lock(int fd);
/* Does a process hold that lock? Also true where nobody can tell: a filesystem without locks. */
bool log_locked(int fd);
/* Is the file closed for good (mode 0400)? The last step of a close, after the index has it. Then a close that the
 * index lacks was removed there; in a file that is not sealed the supervisor was killed between the two writes. */
bool log_sealed(int dirfd, const char *file);
int log_seal(struct audit *a, struct diag *d) _must_check_;
/* The index event that goes with session.open, checkpoint and session.close; false for all others. */
bool log_noted_event(const char *name, enum index_event *ret);
/* Renders the identity, each field cut to LOG_FIELD_MAX. host may be NULL: this machine's name. */
int log_set_identity(struct audit *a, const struct audit_identity *id, const char *host) _must_check_;
/* Remembers where the directory is. */
int log_find_place(struct audit *a, struct diag *d) _must_check_;
/* Builds one record, makes sure of its space and writes it with one write(2). */
int log_write(struct audit *a, enum event_source source, const struct event *e, const struct log_extra *x,
	struct diag *d) _must_check_;
/* Writes the counts that wait. */
int log_flush(struct audit *a, struct diag *d) _must_check_;
/* The record and its index record, a few microseconds apart, then fdatasync of both. e->type: SESSION_OPEN (no
 * fdatasync), CHECKPOINT or SESSION_CLOSE. */
int log_note(struct audit *a, const struct event *e, const struct log_extra *x, struct diag *d) _must_check_;
