/* SPDX-License-Identifier: Apache-2.0 */
/*
 * code_bound - is the code that runs the one that was signed, or only its path?
 *
 * Process:  supervisor
 * Returns:  0, -EPERM with words
 *
 * A profile's "code" gives a digest to each of its trees and files that others than root can change (code_digest.h:
 * over every name, type, executable bit and content). Where it is there, it says what all such code is, and a launch
 * with another, with one more or with one that is not there starts nothing. What a package's "integrity" covers is the
 * archive that was fetched; nothing that is installed can be held against it, so it binds nothing here.
 */
#pragma once
#include "supervisor/effective.h"

/* Holds the digests of e->canonical (effective_digest calls it) against the profile's, and marks the trees that are
 * bound. */
int code_check(struct effective *e, struct diag *d) _must_check_;
/* After effective_digest: may a policy approve it, since whoever signed the profile has bound all that runs? -EPERM
 * with words: what is not bound, and what to do. */
int code_bound(const struct effective *e, struct diag *d) _must_check_;
