/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle_machine - the bundle of this machine by its policy: whose signatures make one, how old it may be
 *
 * Process:  supervisor
 * Returns:  0, BUNDLE_NONE, -errno with words
 *
 * Where policy has "signatures", the same keys, as many of them, make a bundle, and keys for some servers only do not
 * count. Where it has none, one key of the keyring is enough: a bundle that nobody signed counts nowhere.
 */
#pragma once
#include "supervisor/bundle/bundle.h"
#include "supervisor/policy/policy.h"

struct bundle_judging {
	struct judge_rule rule;
	struct judge_key *keys; /* what rule points to */
};

/* policy, keys and revoked are borrowed for as long as the rule is used. */
int bundle_judging_init(const struct policy *policy, const struct keyring *keys,
	const uint8_t (*revoked)[SIGN_ID_BYTES], size_t n_revoked, int64_t now,
	struct bundle_judging *ret) _must_check_;
void bundle_judging_done(struct bundle_judging *j);
#define _cleanup_bundle_judging_ _cleanup_(bundle_judging_done)
/* The same, and bundle_load. */
int bundle_load_machine(const struct policy *policy, const struct keyring *keys,
	const uint8_t (*revoked)[SIGN_ID_BYTES], size_t n_revoked, int64_t now, struct bundle *ret,
	struct diag *d) _must_check_;
