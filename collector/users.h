/* SPDX-License-Identifier: Apache-2.0 */
/*
 * users - how much of the collector each user may take, so that nobody is held up by another
 *
 * Process:  collector
 * Owns:     its table, and memory that it shares with the writers of sessions; free with users_done
 * Returns:  enum users_outcome
 * Limits:   the enum below
 *
 * A user is whoever owns the id that connects (owner.h). A rate is one number: the moment until which what was taken so
 * far is paid for (GCRA, as in ATM's traffic control). Who is ahead of it by more than the burst waits.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/cleanup.h"
#include "collector/role.h"

enum {
	USERS_MAX = 1024,	      /* with a session at the same time */
	USERS_SESSIONS_MAX = 4096,    /* of all users */
	USERS_SESSIONS_EACH = 256,    /* of one */
	USERS_OPENS_PER_S = 16,	      /* sessions that one may begin, after a burst of USERS_SESSIONS_EACH */
	USERS_BYTES_PER_S = 16 << 20, /* that one may write, after a burst of USERS_BURST_S times as much */
	USERS_BURST_S = 16,
	USERS_FILES = 100000,		    /* that one may keep */
	USERS_COUNT_US = 60 * 1000000,	    /* so long what was counted of a user's files is believed, */
	USERS_COUNT_FULL_US = 10 * 1000000, /* and so long when that was too much */
};

/* What a user has taken, for all writers of that user. */
struct users_account {
	_Atomic uint64_t paid_until;   /* what was written is paid for until then */
	_Atomic uint64_t files, bytes; /* as counted, and what came since */
	_Atomic uint64_t counted_us;   /* when; 0: never */
};

struct users;

enum users_outcome { USERS_OK, USERS_TOO_MANY, USERS_TOO_FAST };

int users_new(struct users **ret) _must_check_;
/* May that user begin one more session? With USERS_OK it counts, until users_leave, and *ret_row is the user's. */
enum users_outcome users_enter(struct users *u, uid_t uid, uint64_t now_us, size_t *ret_row);
/* Has that user a row, being an owner? */
bool users_knows(struct users *u, uid_t uid);
/* Where what a user writes is counted. */
struct users_account *users_account(const struct users *u, size_t row);
/* The writer of a session of that user, by its process id. */
void users_began(struct users *u, size_t row, pid_t writer);
/* The process ended. */
void users_leave(struct users *u, pid_t writer);
/* It was never started. */
void users_cancel(struct users *u, size_t row);
size_t users_sessions(const struct users *u);
void users_free(struct users *u);

/* Counts bytes in and says how many microseconds to wait before they are written. */
uint64_t users_charge(struct users_account *a, uint64_t bytes, uint64_t now_us);
/* Must the user's files be counted anew? full: the last count was too much. */
bool users_must_count(const struct users_account *a, bool full, uint64_t now_us);
void users_counted(struct users_account *a, uint64_t files, uint64_t bytes, uint64_t now_us);
