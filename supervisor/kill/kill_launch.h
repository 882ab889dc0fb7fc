/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill_launch - what is killed is not started
 *
 * Process:  supervisor
 * Returns:  0, -EPERM with words, and recorded; another -errno with words
 */
#pragma once
#include "supervisor/kill/kill_bundle.h"
#include "supervisor/lineage.h"

/* b: what is kept of the bundle between two looks. */
int kill_launch_check(const struct paths *p, const struct lineage *l, struct kill_bundle *b, const char *server,
	struct diag *d) _must_check_;
