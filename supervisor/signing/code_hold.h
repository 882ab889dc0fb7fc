/* SPDX-License-Identifier: Apache-2.0 */
/*
 * code_hold - what starts is what the digest was taken of
 *
 * Process:  supervisor
 * Returns:  0, -errno with words
 *
 * A digest takes its time, and so does the sandbox. Where a signature or root's approval rests on the digest of code
 * that others can write, a file that is exchanged in between would run under their word. So each tree gets a stamp
 * (code_digest.h) before its digest is taken, what is stamped has to be what is mounted, and when all is mounted and
 * nothing of the server runs yet, the stamps are taken again. Where the word is the user's own, nothing is stamped.
 * A change after that is not seen: code that nobody but root can write has none.
 */
#pragma once
#include "supervisor/effective.h"

/* Does somebody else than the user answer for the code that others can write? */
bool code_is_for_others(const struct effective *e);
/* Before the digests. -ESTALE: what lies there is not what the plan mounts. */
int code_hold(struct effective *e, struct diag *d) _must_check_;
/* Before the server's first instruction. -ESTALE: something was changed since. */
int code_held(const struct effective *e, struct diag *d) _must_check_;
