/* SPDX-License-Identifier: Apache-2.0 */
/*
 * moments - what the clock says, and whether that can be true
 *
 * Process:  supervisor
 * Returns:  0, -errno with words
 * Limits:   MOMENTS_FILE_MAX bytes the file
 *
 * What ends at a moment ends only if the clock cannot be set back. So the latest moment that is known from elsewhere is
 * kept beside the clock's: that of the user's last launches (STATE/versions/clock, which only grows), that of each
 * signature that was verified, that at which root last wrote the policy or the profile. A clock that is behind the
 * latest of them by more than MOMENTS_TOLERANCE_S is wrong, and whatever hangs on time is denied until it is right.
 * What hangs on no time is not asked about: a laptop whose clock starts in 1970 until a network is there runs what
 * never expires.
 *
 * The file is the user's, who can take it away; it is against a clock that is set back, not against him. What is root's
 * or signed holds against both.
 */
#pragma once
#include <stdint.h>
#include "supervisor/paths.h"

#define MOMENTS_FILE "clock" /* below VERSIONS_DIR */

enum {
	MOMENTS_TOLERANCE_S = 600, /* two clocks that are kept right differ by less */
	MOMENTS_STEP_S = 600,	   /* the file is written no oftener */
	MOMENTS_FILE_MAX = 32,
	MOMENTS_WHAT_MAX = 600,
};

struct moments {
	int64_t now;		     /* CLOCK_REALTIME, seconds since the epoch */
	int64_t latest;		     /* 0: nothing tells of any */
	char what[MOMENTS_WHAT_MAX]; /* told it: "the signature /etc/... was made" */
	int64_t remembered;	     /* of the file; 0: none */
	struct diag damaged;	     /* of the file; empty: it is whole, or there is none */
};

/* The clock, and the moment that is remembered. */
int moments_look(const struct paths *p, struct moments *ret, struct diag *d) _must_check_;
/* Something else that has happened by then; the sentence is completed by "on DATE". */
void moments_tell(struct moments *m, int64_t when, const char *fmt, ...) _printf_(3, 4);
/* When root wrote that file, if it is root's; nothing where it cannot be looked at. */
void moments_tell_file(struct moments *m, const char *path);
/* Can the clock be right? -EPERM with words; why: what hangs on it, "profile 'x' expires". */
int moments_check(const struct moments *m, const char *why, struct diag *d) _must_check_;
/* Is it the user's own file that the clock cannot be right by, or that is damaged? */
bool moments_own_file(const struct moments *m);
/* Keeps now, if it is later than what is kept by a step; never what is earlier. */
int moments_remember(const struct paths *p, const struct moments *m, struct diag *d) _must_check_;
