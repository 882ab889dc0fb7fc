/* SPDX-License-Identifier: Apache-2.0 */
/*
 * versions - the highest version of each profile that was started here, and of the bundle that was in force
 *
 * Process:  supervisor
 * Returns:  0, -errno with words
 *
 * STATE/versions/NAME.VERSION, an empty file whose name is what is remembered: making one is atomic, no two launches
 * can undo one another's, and no lock is held. Lower ones are removed behind it. What is the user's he can remove; that
 * a managed profile is the one of its name (profile.h) and what is revoked hold without it.
 */
#pragma once
#include <stdint.h>
#include "supervisor/paths.h"

#define VERSIONS_DIR "versions"
/* The bundle of this machine; no profile can be called so. */
#define VERSIONS_BUNDLE "@bundle"

/* The highest of that name, 0: none. */
int versions_seen(const struct paths *p, const char *name, uint64_t *ret, struct diag *d) _must_check_;
/* Remembers it where it is higher than what is there; 0 is none. */
int versions_remember(const struct paths *p, const char *name, uint64_t version, struct diag *d) _must_check_;
