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
#include "supervisor/signing/judging.h"

struct bundle_judging {
	struct bundle_args args; /* points to what follows */
	struct judge_rule rule;
	struct judge_key *keys;
};

/* by is borrowed, and may not change as long as ret is used; nor may ret be moved. */
int bundle_judging_init(const struct judging *by, struct bundle_judging *ret, struct diag *d) _must_check_;
void bundle_judging_done(struct bundle_judging *j);
#define _cleanup_bundle_judging_ _cleanup_(bundle_judging_done)
/* The same, and bundle_load. */
int bundle_load_machine(const struct judging *by, struct bundle *ret, struct diag *d) _must_check_;
