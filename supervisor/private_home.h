/* SPDX-License-Identifier: Apache-2.0 */
/*
 * private_home - the home that a server keeps: STATE/homes/NAME, mounted over its home directory
 *
 * Process:  supervisor
 * Returns:  0, -errno with words
 *
 * Code and grants below the home need a place in it to be mounted on, and enter makes none on a file system of the
 * host. So the places are made here, as empty directories, files and links. The server can write this directory: each
 * component is opened without following links, and one that the server has turned into something else is refused by
 * name.
 */
#pragma once
#include "supervisor/identity.h"
#include "wire/plan.h"

/* Opens (makes) the home of that name and appends its mount. */
int private_home_add(const struct paths *p, const struct identity *id, const char *name, struct plan *plan,
	struct diag *d) _must_check_;
/* Makes the places for the mounts from row first on that lie below the home; links are made for good and leave the
 * plan. */
int private_home_places(const struct paths *p, const struct identity *id, const char *name, struct plan *plan,
	size_t first, struct diag *d) _must_check_;
