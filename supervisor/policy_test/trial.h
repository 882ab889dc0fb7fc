/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trial - one launch as it is under the policy in force, and as it would be under another one
 *
 * Process:  supervisor
 * Owns:     both sides; free with trial_done
 * Returns:  0, -errno; that a launch is refused is no error but what a side says
 * Limits:   TRIALS_MAX launches
 *
 * Theory of operation. Both sides are drawn by effective_build, as `run` draws a launch, and differ in nothing but the
 * file that the policy is read from. So what a trial says is what a launch does, and cannot drift from it.
 *
 * A profile that needs parameters has no launch of its own. It is drawn as it is written (effective_as_written), and
 * for an approval of it with the paths and hosts that were approved in the place of those that the parameters name. A
 * command without a profile is drawn from what its approval says of it.
 */
#pragma once
#include "supervisor/consent.h"
#include "supervisor/effective.h"

enum { TRIALS_MAX = 16384 };

/* Who starts it, the more the later (trial_word.h). */
enum trial_word {
	WORD_UNKNOWN, /* no digest was taken, or it does not start */
	WORD_REFUSED, /* nobody is asked, and who manages the machine has not approved it */
	WORD_ASKS,
	WORD_APPROVAL, /* the user's */
	WORD_ADMIN,
	WORD_POLICY,
	WORD_COUNT
};

struct trial_side {
	int r; /* 0: it starts, or asks; -errno: d says why not */
	struct diag d;
	struct effective e;
	enum trial_word word;
	char *word_why; /* WORD_REFUSED: in words; else NULL */
};

struct trial {
	char *server;
	const struct approval *approval; /* that it was drawn for; NULL: none */
	bool written;			 /* a profile that needs parameters */
	bool digested;			 /* both digests were taken, where a side starts at all */
	struct trial_side now, then;
};

struct trial_args {
	const struct paths *paths;
	const struct approvals *approvals;
	char *const *environ;
	const char *workspace;
	const struct effective_policy *other;
};

/* The profile of that name; digest: an approval will be held against it. */
int trial_of_profile(const struct trial_args *a, const char *name, bool digest, struct trial **ret) _must_check_;
/* A launch that was approved: of a profile that needs parameters, or of none. */
int trial_of_approval(const struct trial_args *a, const struct approval *of, struct trial **ret) _must_check_;
/* Nothing but a name, of a server that only the log knows: what the policies say of any. */
int trial_of_name(const struct trial_args *a, const char *server, struct trial **ret) _must_check_;
void trial_free(struct trial *t);
