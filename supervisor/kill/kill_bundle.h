/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill_bundle - the kill entries of the bundle of this machine, and what is kept of them while it cannot be believed
 *
 * Process:  supervisor, also in a session's loop
 * Owns:     its entries; free with kill_bundle_done
 * Returns:  0, -ENOMEM
 * Limits:   KILL_ENTRIES_MAX entries; BUNDLE_BYTES_MAX a bundle
 *
 * Theory of operation. A bundle counts by the policy of this machine, verified as a launch does it (bundle_machine.h).
 * What lies in its two places is looked at by stat(2) each time, and read anew only when that is not what it was: then
 * it is verified whole, and of what is in it the version and the kill entries alone are parsed (bundle_members.h).
 *
 * What was read once holds until a bundle that verifies, of the same version or a higher one, says something else. So a
 * copy under way, one that nobody signed, an older one, none at all, a policy or a key that is missing just now change
 * nothing for a session that runs. Moments are not looked at: the entries of a bundle that has expired kill on, since
 * launches are denied by it as well. The same goes for one that is older than what this machine kept
 * (bundle_highest.h): it may say too little, and that is told, but what it kills is killed.
 */
#pragma once
#include <stdint.h>
#include "supervisor/kill/kill_set.h"

enum { KILL_BUNDLE_PRINT = 32 };

struct bundle;

struct kill_bundle {
	unsigned char print[KILL_BUNDLE_PRINT]; /* of what stat(2) says of the files */
	bool looked;				/* print is that of what was read, and can be relied upon */
	uint64_t version;			/* 0: none was ever good */
	struct kill_set set;			/* of that version */
	struct diag why;			/* what lies there now is not believed; "": it is, or there is none */
};

int kill_bundle_look(struct kill_bundle *b) _must_check_;
/* For a launch, which reads the whole bundle anyhow: so nobody has to read and verify it once more for its kill
 * entries, until one of the files changes. Before it is read: what the files look like. */
void kill_bundle_before(struct kill_bundle *b);
/* Then: what was read and verified. */
int kill_bundle_fill(struct kill_bundle *b, const struct bundle *from) _must_check_;
/* Moves from to b, unless b knows of a newer one. from is as nothing then. */
void kill_bundle_take(struct kill_bundle *b, struct kill_bundle *from);
void kill_bundle_done(struct kill_bundle *b);
#define _cleanup_kill_bundle_ _cleanup_(kill_bundle_done)
