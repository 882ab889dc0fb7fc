/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle_offer - a bundle that may become the one that is kept: fetched, or put in its place by configuration
 * management
 *
 * Process:  supervisor (sync)
 * Owns:     its bytes and signatures; free with bundle_offer_done
 * Returns:  0, BUNDLE_NONE, -errno with words
 * Limits:   BUNDLE_BYTES_MAX, SIGNED_MAX signatures
 *
 * What is kept lies in BUNDLE_KEPT_DIR/current, a directory that is exchanged as a whole (renameat2(2)): whoever opened
 * it before reads one bundle with its own signatures, and so does whoever opens it after. The one before stays beside
 * it until the next time, for those who are reading it.
 */
#pragma once
#include "supervisor/bundle/bundle_machine.h"

struct bundle_offer {
	char *name;   /* its path or address, for words */
	int64_t when; /* its file was last written, which counts as its confirmation; 0: it was fetched just now */
	struct buf bytes;
	struct {
		char id[SIGN_ID_HEX];
		struct buf text;
	} signatures[SIGNED_MAX];
	size_t n;
};

/* BUNDLE_NONE: there is no such file. */
int bundle_offer_read(
	const char *path, const struct bundle_args *a, struct bundle_offer *ret, struct diag *d) _must_check_;
/* By stockade-fetch: the address, the address with ".minisig" behind it, and, until there are enough, with
 * ".ID.minisig" and ".NAME.minisig" for each key of the rule. All of it ends by deadline (io_now_us()). */
int bundle_offer_fetch(const struct policy *policy, const struct bundle_args *a, uint64_t deadline,
	struct bundle_offer *ret, struct diag *d) _must_check_;
/* Is it a bundle by that rule, now? */
int bundle_offer_judge(
	const struct bundle_offer *o, const struct bundle_args *a, struct bundle *ret, struct diag *d) _must_check_;
/* dir: of what is kept, open and locked. */
int bundle_offer_keep(const struct bundle_offer *o, int dir, struct diag *d) _must_check_;
void bundle_offer_done(struct bundle_offer *o);
#define _cleanup_bundle_offer_ _cleanup_(bundle_offer_done)
