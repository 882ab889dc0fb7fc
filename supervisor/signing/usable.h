/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usable - a profile that may start something here and now: signed as it must be, allowed, neither old nor over
 *
 * Process:  supervisor
 * Returns:  0, -errno with words
 *
 * Whoever takes rights from a profile loads it through here: run, approve, check, grant.
 */
#pragma once
#include "supervisor/signing/freshness.h"
#include "supervisor/signing/vouch.h"

/* name_or_file as profile_load takes it; NULL: the empty profile of a run without one. ret_fresh: freshness_done. */
int usable_load(struct vouching *v, const char *name_or_file, struct profile *ret, struct freshness *ret_fresh,
	struct diag *d) _must_check_;
