/* SPDX-License-Identifier: Apache-2.0 */
/*
 * narrow - a command line chooses from what a profile of root's grants
 *
 * Process:  supervisor
 * Returns:  0, -errno with words; -EPERM what the profile does not grant
 *
 * --ro and --rw name the files and directories that are granted instead of the profile's, --host the hosts, --env the
 * variables: each has to lie within what the profile grants of its kind, and kinds that no option names stay as they
 * are. Values of variables, the command and its directory are no such choice.
 */
#pragma once
#include "supervisor/effective.h"

int narrow(const struct effective_args *a, struct profile *f, struct diag *d) _must_check_;
