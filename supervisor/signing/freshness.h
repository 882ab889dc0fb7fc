/* SPDX-License-Identifier: Apache-2.0 */
/*
 * freshness - a profile's version never goes back, and its "expires" ends it
 *
 * Process:  supervisor
 * Owns:     its words; free with freshness_done
 * Returns:  0, -EPERM with words
 *
 * The version that counts is the highest that was started here (versions.h). From FRESHNESS_AHEAD_S before its end on a
 * profile says so wherever it is looked at: a month is time to review it, to sign it anew, and to bring it everywhere.
 */
#pragma once
#include "supervisor/profile.h"
#include "supervisor/signing/moments.h"

enum { FRESHNESS_DAY_S = 86400, FRESHNESS_AHEAD_S = 30 * FRESHNESS_DAY_S };

struct freshness {
	int64_t expires; /* 0: never */
	char *soon;	 /* what to say of it ahead of time; NULL: nothing */
};

int freshness_check(const struct paths *p, const struct profile *f, const struct moments *m, struct freshness *ret,
	struct diag *d) _must_check_;
/* What a launch leaves behind: the version, and the moment. */
int freshness_remember(
	const struct paths *p, const struct profile *f, const struct moments *m, struct diag *d) _must_check_;
/* What the user may take away where such a refusal is mistaken, for a person who looks: what a launch says is read by
 * clients and their models, and names nothing that would lift it. NULL: nothing. */
int freshness_hint(const struct paths *p, const struct profile *f, const struct moments *m, char **ret) _must_check_;
void freshness_done(struct freshness *f);
