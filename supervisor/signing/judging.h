/* SPDX-License-Identifier: Apache-2.0 */
/*
 * judging - what signatures are judged by on this machine: trusted keys, and what is revoked
 *
 * Process:  supervisor, also in a session's loop
 * Owns:     keys and revocations; free with judging_done
 * Returns:  0, -errno with words; whatever is wrong with a key or a revocation denies
 *
 * A launch, `stockade sync` and the kill switch of a session that runs gather it here and nowhere else, so that one and
 * the same bundle is good, or is not, for all of them. With a policy the keys are root's and no others: nothing that a
 * user can write vouches for anything.
 */
#pragma once
#include "sign/judge.h"
#include "supervisor/paths.h"
#include "supervisor/policy/policy.h"
#include "supervisor/signing/revocations.h"

#define JUDGING_KEYS_DIR    "/etc/stockade/keys"
#define JUDGING_REVOKED_DIR "/etc/stockade/revocations"

struct judging {
	const struct policy *policy; /* borrowed */
	struct keyring keys;
	struct revocations revoked;
	int64_t now;
};

/* own: whose keys count where there is no policy; NULL: root's count all the same. */
int judging_init(const struct policy *policy, const struct paths *own, int64_t now, struct judging *ret,
	struct diag *d) _must_check_;
void judging_done(struct judging *j);
#define _cleanup_judging_ _cleanup_(judging_done)
