/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch - from the words of a command line to a plan that somebody has approved: what run, pin and diff share
 *
 * Process:  supervisor
 * Owns:     everything in struct launch but the description; free with launch_done
 * Returns:  CONSENT_*, -errno with words
 *
 * The digest has to look at each file of the code, and the sandbox takes as long to build. Where the server has been
 * approved before, the one is done beside the other: enter builds and waits, as it always does, for the word that only
 * session_run sends. A plan that is not the approved one ends it, before anybody is asked.
 */
#pragma once
#include "supervisor/commands.h"
#include "supervisor/consent.h"
#include "supervisor/effective.h"
#include "supervisor/kill/kill_bundle.h"
#include "supervisor/spawn.h"

struct launch {
	struct paths paths;
	struct lineage lineage;
	struct effective *effective;
	struct approvals approvals;
	struct approval approval; /* that allows it */
	struct kill_bundle kills; /* of the bundle, which is looked at again and again */
	struct spawned prepared;
	const struct command_ctx *ctx; /* what the plan was drawn from, to draw it again */
	const struct grants *grants;
	/* An answer that is given here is remembered by launch_remember() alone, which other launches of this plan may
	 * be waiting for. */
	bool remembers_later, answered_here;
	char *unapproved; /* CONSENT_DENIED: nobody here can approve it, in words for the person; NULL: its client may
			   * not (effective->client_refused) */
	bool client;	  /* there is one, and the policy may deny it */
	bool pin_texts; /* the texts of the pins are wanted: up to PIN_FILE_MAX, which no session holds for its life */
	/* What has to be so whenever the plan is drawn, and so before anybody is asked. -errno with words; NULL:
	 * nothing. */
	int (*check)(const struct effective *e, struct diag *d);
};

/* client: there is one, so enter and shim may be started beside the look at the code; and CONSENT_UNKNOWN says that
 * nobody is here to ask, but that client can be answered while it waits. The sentence of a failure is in d. */
int launch_approved(const struct command_ctx *ctx, const struct grants *g, bool client, struct launch *l,
	struct diag *d) _must_check_;
/* A launch that waited was approved: the plan is drawn once more, profile, policy, code and pins with it, and has to be
 * the one that was shown. CONSENT_APPROVED or -errno. */
int launch_answered(struct launch *l, struct diag *d) _must_check_;
/* Says why it failed, and returns the exit status that tells it. */
int launch_failed(const struct launch *l, int r, const struct diag *d);
/* remembers_later: what it waited for is done. */
int launch_remember(struct launch *l, struct diag *d) _must_check_;
void launch_done(struct launch *l);
#define _cleanup_launch_ _cleanup_(launch_done)
