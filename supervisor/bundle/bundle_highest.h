/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle_highest - the highest version of a bundle that this machine ever kept
 *
 * Process:  supervisor; sync alone writes it
 * Owns:     nothing
 * Returns:  0, -errno with words; a file that is there and cannot be read denies, since nobody knows what it said
 * Limits:   BUNDLE_HIGHEST_MAX bytes the file
 *
 * What is kept may be unbelievable one day: its key was revoked, its disk is damaged. Which version it was nobody could
 * tell any more, and an older one, which lifts what the newer had revoked and killed, would be as good as any. So the
 * number stands in a file of root's by itself, which is no secret and needs no signature: it can only refuse.
 *
 * It is written as soon as the bundle is kept, and not before: a machine that stops in between keeps what it has
 * verified, and the next sync, which looks at what is kept first, remembers it. The other way round nothing could be
 * started until a server is reached.
 */
#pragma once
#include "supervisor/bundle/bundle.h"

enum { BUNDLE_HIGHEST_MAX = 4096 };

struct bundle_highest {
	uint64_t version;	 /* 0: none was ever kept */
	char name[BUNDLE_WORDS]; /* as that bundle called itself, escaped for words */
};

int bundle_highest_read(
	const char *path, enum fs_trust trust, uid_t uid, struct bundle_highest *ret, struct diag *d) _must_check_;
/* dir: BUNDLE_KEPT_DIR, open and locked. Never lowers what is there. */
int bundle_highest_raise(int dir, const struct bundle *b, struct diag *d) _must_check_;
