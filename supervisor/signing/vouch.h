/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vouch - who stands behind a file that grants rights, and whether that is enough
 *
 * Process:  supervisor
 * Owns:     keys, revocations, and the policy where it was read here; free with vouching_done
 * Returns:  0, -errno with words; whatever is wrong with a key, a signature or a revocation denies
 *
 * Theory of operation: what a launch judges signatures by is gathered once (vouching_init): policy, trusted keys,
 * revocations, moments. Then each file that grants something, a profile and its pins, is read once by vouching_read,
 * and its signatures are verified over the bytes that the caller then parses.
 *
 * With a policy the keys are those of /etc/stockade/keys and no others: nothing that a user can write vouches for
 * anything. Where it has "signatures", each such file needs as many of its keys as it says. Without a policy the keys
 * are the user's own, nothing is demanded, and who signed is said.
 */
#pragma once
#include "supervisor/bundle/bundle_machine.h"
#include "supervisor/kill/kill_bundle.h"
#include "supervisor/signing/judging.h"
#include "supervisor/signing/moments.h"
#include "supervisor/signing/vouched.h"

struct vouching {
	const struct paths *paths;
	const struct policy *policy;
	struct policy own; /* what policy points to after vouching_load */
	struct judging by;
	struct moments moments;
	struct bundle bundle;	  /* of this machine; file NULL: there is none, or no policy that would judge it */
	struct kill_bundle kills; /* of that bundle */
};

/* paths and policy are borrowed. */
int vouching_init(
	const struct paths *p, const struct policy *policy, struct vouching *ret, struct diag *d) _must_check_;
/* The same, with the policy of this machine. ret may not be moved. */
int vouching_load(const struct paths *p, struct vouching *ret, struct diag *d) _must_check_;
/* A file that grants something: whose it has to be, how many bytes it may have, and which server it is about. */
struct vouching_file {
	const char *path, *server; /* borrowed */
	enum fs_trust trust;
	size_t max;
};

/* Reads the file and judges it. ret_bytes has what was verified. */
int vouching_read(struct vouching *v, const struct vouching_file *f, struct vouched *ret, struct buf *ret_bytes,
	struct diag *d) _must_check_;
/* The same of a file in the bundle, whose bytes are verified already. */
int vouching_take(struct vouching *v, const struct bundle_file *f, const char *server, struct vouched *ret,
	struct diag *d) _must_check_;
void vouching_done(struct vouching *v);
#define _cleanup_vouching_ _cleanup_(vouching_done)
