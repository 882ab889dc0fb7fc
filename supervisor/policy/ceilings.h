/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ceilings - what a launch is granted becomes what the policy grants as well
 *
 * Process:  supervisor
 * Returns:  0, -errno with words
 *
 * effective = policy ∩ profile ∩ command line. A grant that is wider than its ceiling is not refused, it becomes the
 * ceiling's part of it: a directory that holds the ceiling's becomes that one, of hosts and ports stays what both name.
 * What goes is told in a line of its own (LINE_CUT) that names the rule, and what was cut names the rule besides its
 * own. All of that happens in e->profile before anything else is drawn from it, so that plan, shim's configuration,
 * question and digest have what is left and nothing else.
 *
 * Lists of names are no sets that could be intersected: two patterns have no pattern for what both match. There the
 * policy's list stands above the profile's, and the shim asks both (wire/shim_config.h).
 */
#pragma once
#include "supervisor/effective.h"

/* After the profile is expanded and the command line is in it. */
int ceilings_apply(const struct paths *p, struct effective *e, struct diag *d) _must_check_;
/* All but paths: of a profile that is shown without the values of its parameters. */
int ceilings_apply_rules(struct effective *e, struct diag *d) _must_check_;
/* Those alone: of a profile that is shown with paths that were approved, and after the rules. */
int ceilings_apply_paths(const struct paths *p, struct effective *e, struct diag *d) _must_check_;
/* May this user start it, by the groups that the policy names, and by those of the bundle? And the tools that both
 * give. After its name is known. */
int ceilings_apply_groups(const struct paths *p, struct effective *e, struct diag *d) _must_check_;
/* The directories and files that were opened in the end lie where the policy grants any. */
int ceilings_check_opened(
	const struct paths *p, const struct effective *e, const struct fs_grants *g, struct diag *d) _must_check_;
/* So do the sockets that will be mounted, which have no descriptors. After they are in e->plan. */
int ceilings_check_sockets(const struct paths *p, const struct effective *e, struct diag *d) _must_check_;
/* The user's home as root's files have it: what the environment says of it counts only where nobody else does, and
 * where it lies in a directory of root's, as homes do (below /proc, /sys, /dev and /run none do). NULL: there is none.
 */
int ceilings_home(const struct paths *p, char **ret) _must_check_;
