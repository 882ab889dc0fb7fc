/* SPDX-License-Identifier: Apache-2.0 */
/*
 * repair - gives an end to the log of a session whose supervisor ended without one
 *
 * Process:  supervisor
 * Returns:  enum repair_outcome, -errno with words
 *
 * Nothing is ever cut off: a torn line stays, gets its newline, and the record log.torn after it names its length and
 * hash in the same write. Then come session.close with status "unclosed" and the index's close, so that the end is
 * bounded. A file that has a whole record and no lock is dead: its writer takes the lock before it writes.
 */
#pragma once
#include <stdint.h>
#include "audit/role.h"
#include "audit/log_key.h"
#include "base/diag.h"

enum repair_outcome {
	REPAIR_DONE = 0,
	REPAIR_RUNNING,	   /* a process still writes it */
	REPAIR_NOT_NEEDED, /* it has its close, or it is sealed */
	REPAIR_NOT_WHOLE,  /* no whole record to go on from, or its last line is damaged: evidence is left alone */
};

/* lacks: 0, or the seq of the open, checkpoint or close that the index lacks and that is the last record of the file:
 * the supervisor was killed between the two writes, and the index gets its record now. What is written is signed by the
 * key; NULL, or one without an id: not. */
int repair_session(int dirfd, const char *file, uint64_t lacks, const struct log_key *key, struct diag *d) _must_check_;
/* Repairs sessions among the last of the index that have no close. Bounded work; what fails is left to `audit verify`.
 */
void repair_neighbours(int dirfd, const struct log_key *key);
