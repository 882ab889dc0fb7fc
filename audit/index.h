/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index - the per-user chain over the sessions: one line for each open, checkpoint and close
 *
 * Process:  supervisor
 * Owns:     the open file and its lock; free with index_done
 * Returns:  0, -errno with words
 * Limits:   INDEX_RECORD_MAX a record; INDEX_LOCK_US waiting for the lock
 *
 * Theory of operation. index_begin takes the lock and reads the end of the file, the caller writes its own record into
 * the session's file, index_commit appends one line and lets go: both writes lie microseconds apart, so that a SIGKILL
 * hardly ever finds one without the other.
 *
 * No lock that a stuck process can hold may stop a session. Whoever cannot have the lock in INDEX_LOCK_US appends
 * without it and says so ("unlocked": true). Then two records can name the same record as the one before them: the
 * chain forks. Every writer looks for ends that no later line names and names them in its own record ("merges"), so the
 * last line covers all others again. A reader accepts a fork only where an unlocked record explains it.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "audit/log_key.h"
#include "audit/record.h"
#include "base/diag.h"

enum {
	INDEX_RECORD_MAX = 8 << 10,
	INDEX_LOCK_US = 50 * 1000,
	INDEX_MERGES_MAX = 16,
	INDEX_WINDOW_MAX = 64 << 10, /* bytes from the end in which ends of the chain are looked for */
	INDEX_RESERVE = 64 << 10,    /* preallocated, so that a full disk still takes the closes */
};

#define INDEX_FILE "index.jsonl"

/* The first three go with records of the session; a drop tells that its file was removed (prune.h). */
enum index_event {
	INDEX_OPEN,
	INDEX_CHECKPOINT,
	INDEX_CLOSE,
	INDEX_NOTED_COUNT,
	INDEX_DROP = INDEX_NOTED_COUNT,
	INDEX_EVENT_COUNT
};

struct index {
	int fd;
	bool locked;
	uint64_t seq; /* of the next record */
	char prev[RECORD_HASH_HEX + 1];
	char merges[INDEX_MERGES_MAX][RECORD_HASH_HEX + 1];
	size_t n_merges;
	uint64_t torn_bytes; /* of a last line without its end, 0: none */
	char torn_hash[RECORD_HASH_HEX + 1];
};

#define INDEX_INIT ((struct index){ .fd = -1 })

struct index_entry {
	enum index_event event;
	const char *session;
	const char *file;
	uint64_t records;   /* in the session's file, the one named by head included */
	uint64_t size;	    /* its bytes */
	const char *head;   /* hash of its last record */
	const char *status; /* INDEX_CLOSE; INDEX_DROP: the rule; else NULL */
};

/* "index.open" and so on. */
const char *index_event_name(enum index_event e);
/* Opens (or makes) the index, locks it or gives up the wait, and reads its end. */
int index_begin(int dirfd, struct index *ret, struct diag *d) _must_check_;
/* Preallocates INDEX_RESERVE bytes beyond the end; -ENOSPC with words. Filesystems without fallocate(2) are fine. */
int index_reserve(struct index *i, struct diag *d) _must_check_;
/* Appends one record with one write(2), a checkpoint or close signed by the key (NULL: not), and gives up the lock. */
int index_commit(struct index *i, const struct index_entry *e, const struct log_key *key, struct diag *d) _must_check_;
/* fdatasync(2), after the lock is given up. */
int index_sync(const struct index *i, struct diag *d) _must_check_;
void index_done(struct index *i);
#define _cleanup_index_ _cleanup_(index_done)
