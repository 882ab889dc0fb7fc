/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trial_word - whose word starts a launch under one side of a trial: consent.by, what root approved, what a user did
 *
 * Process:  supervisor
 * Returns:  0, -errno
 */
#pragma once
#include "supervisor/policy_test/trial.h"

/* The side's digest is there: fills s->word, and s->word_why where nobody here can start it. */
int trial_word_find(const struct trial_args *a, struct trial_side *s) _must_check_;
/* Of that approval: does it start its server under that side? d: why not. */
enum trial_word trial_word_of(
	const struct trial *t, const struct trial_side *s, const struct approval *a, struct diag *d);
/* "policy", "admin", "approval", "asks", "refused"; NULL: it is not known. */
const char *trial_word_text(enum trial_word w);
/* Does it start, or ask? Where nobody's word would start it, there are no calls either. */
bool trial_starts(const struct trial_side *s);
