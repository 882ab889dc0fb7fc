/* SPDX-License-Identifier: Apache-2.0 */
/*
 * effective_grants - what a command line adds to a profile, or chooses from it
 *
 * Process:  supervisor
 * Returns:  0, -errno with words; -EINVAL and -EEXIST are bad usage
 *
 * To no profile and to a user's own it adds. Of one of root's it can only choose (narrow.h).
 */
#pragma once
#include "supervisor/effective.h"

int effective_take_grants(const struct effective_args *a, struct profile *f, struct diag *d) _must_check_;
int effective_add_item(struct profile_items *items, const char *value, const char *where, bool optional) _must_check_;
/* The first option that adds anything to what a profile grants, or chooses from it, but for values of its parameters;
 * NULL: none is given. */
const char *effective_added(const struct grants *g);
/* --ro and --rw: relative ones are below the directory we were started in. */
int effective_path_item(struct profile_items *items, const char *value, const char *option, const char *workspace,
	struct diag *d) _must_check_;
