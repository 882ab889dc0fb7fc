/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signable - is a file one of those whose signature means something here, and one that will be read?
 *
 * Process:  supervisor
 * Returns:  0, -errno with words
 *
 * Looked at before it is signed: what was signed with a mistake in it denies on every machine that it is sent to.
 */
#pragma once
#include <stddef.h>
#include "base/diag.h"
#include "supervisor/role.h"

enum signable { SIGNABLE_PROFILE, SIGNABLE_PINS, SIGNABLE_BUNDLE, SIGNABLE_REVOCATION, SIGNABLE_COUNT };

enum { SIGNABLE_BYTES_MAX = 64 << 20 };

/* path: as given; its last part counts as the name that a profile must have. */
int signable_check(const char *path, const char *bytes, size_t n, enum signable *ret, struct diag *d) _must_check_;
/* "profile", "pins": for words. */
const char *signable_words(enum signable s);
