/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle_after - who may sign the next bundle: nobody whose key the one that is kept revokes
 *
 * Process:  supervisor, also in a session's loop
 * Owns:     what is revoked; free with bundle_after_done
 * Returns:  0, -errno with words; what cannot be read whole denies
 *
 * Otherwise whoever has a stolen key signs a newer bundle, in which nothing revokes it. What is kept had signatures
 * enough when it came; that its signers have expired or were revoked since gives no key back, so one of them is enough,
 * as it is for a statement of its own (revocations.h). A key that is to count again needs a bundle of others first.
 */
#pragma once
#include "supervisor/bundle/bundle.h"
#include "supervisor/signing/revocations.h"

struct bundle_after {
	struct judge_rule rule;
	struct revocations revoked;
};

/* by, borrowed, with the keys besides that the verified bytes of path revoke; kept may be without bytes: there is none.
 */
int bundle_after_init(const struct judge_rule *by, const struct keyring *keys, const char *path,
	const struct verified *kept, struct bundle_after *ret, struct diag *d) _must_check_;
/* Of one that is good but for that, and newer. path: its own, for words. */
int bundle_after_judge(const struct bundle_after *a, const struct keyring *keys, const char *path,
	const struct verified *next, struct diag *d) _must_check_;
/* Adds what a bundle revokes. file: its own, for words. */
int bundle_revocations(const char *file, const json_t *list, struct revocations *ret, struct diag *d) _must_check_;
void bundle_after_done(struct bundle_after *a);
#define _cleanup_bundle_after_ _cleanup_(bundle_after_done)
