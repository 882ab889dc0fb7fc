/* SPDX-License-Identifier: Apache-2.0 */
/*
 * repair - gives an end to the log of a session whose supervisor ended without one
 *
 * Process:  supervisor
 * Returns:  enum repair_outcome, -errno with words
 *
 * Nothing is ever cut off: a torn line stays, gets its newline, and the record log.torn after it names its length and hash
 * in the same write. Then come session.close with status "unclosed" and the index's close, so that the end is bounded.
 */
#pragma once
#include "audit/role.h"
#include "base/diag.h"

enum repair_outcome {
	REPAIR_DONE = 0,
	REPAIR_RUNNING,	   /* a process still writes it */
	REPAIR_NOT_NEEDED, /* it has its close */
	REPAIR_NOT_WHOLE,  /* no whole record to go on from, or its last line is damaged: evidence is left alone */
};

/* file must have an open record in the index: only then is a file without a lock surely not being born. */
int repair_session(int dirfd, const char *file, struct diag *d) _must_check_;
/* Repairs sessions among the last of the index that have no close. Bounded work; what fails is left to `audit verify`. */
void repair_neighbours(int dirfd);
