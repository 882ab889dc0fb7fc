/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filesystem - grants, code trees, protect and deny become mounts of the plan
 *
 * Process:  supervisor
 * Owns:     the list; free with filesystem_done
 * Returns:  0, -errno with words that name the grant and the rule
 *
 * Theory: each grant is opened once (O_PATH, links resolved), its canonical path is what is shown, bound and mounted,
 * and device, inode and type go into the plan for enter to compare. A grant reached by a link gets the link inside,
 * too. Mounts are sorted by target, so parents come before what lies in them.
 */
#pragma once
#include "supervisor/effective.h"

/* Opens and checks what the profile names (deny patterns and '?' included). */
int fs_grants_open(
	const struct paths *p, const struct profile *profile, struct fs_grants *ret, struct diag *d) _must_check_;
/* Appends the mounts for grants and code to the plan, which holds the base view already. */
int fs_grants_mount(
	const struct fs_grants *g, const struct resolved *cmd, struct plan *plan, struct diag *d) _must_check_;
/* Walks the grants for protected names and deny patterns and appends what is found. */
int fs_grants_guard(struct fs_grants *g, const struct profile *profile, struct plan *plan, struct diag *d) _must_check_;
/* By target from row first on: parents before what lies in them. */
void fs_sort_mounts(struct plan *plan, size_t first);
/* Does any writable grant hold or lie within path? The grant, or NULL. */
const struct fs_grant *fs_grants_writable_over(const struct fs_grants *g, const char *path);
/* Is path visible through a grant? */
bool fs_grants_cover(const struct fs_grants *g, const char *path);
/* Protected names that exist below a writable grant now and did not at the start; for the record at the session's end.
 * On an error ret holds those that were found all the same. */
int fs_grants_planted(const struct fs_grants *g, struct strv *ret) _must_check_;
/* The names that protect keeps, for check. */
extern const char *const fs_protected_names[];
extern const size_t fs_protected_names_n;
void fs_grants_done(struct fs_grants *g);
/* device, inode and type of an absolute path into a bind row. */
int fs_identify(const char *path, struct plan_mount *m) _must_check_;
/* Does a deny pattern ("**" any depth, "*" within a name) match a path relative to a grant? */
bool fs_pattern_match(const char *pattern, const char *path);
