/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base_view - the published table of what every sandbox holds: mounts, synthetic files, devices, masks
 *
 * Process:  supervisor
 *
 * Each row: kind, target, source or content, a sentence on why. `stockade check` prints it; a test walks a sandbox and
 * finds no other path. Rows whose source this machine lacks are left out (by the table's flag, never by errno).
 */
#pragma once
#include "base/diag.h"
#include "supervisor/paths.h"
#include "wire/plan.h"

struct base_view_args {
	const struct paths *paths;
	uint64_t tmp_size;
	const char *user; /* name in the synthetic passwd */
	uid_t uid;
	gid_t gid;
	const char *home;
	const char *name_server; /* address of the stub inside, NULL without a network */
};

/* Appends the base view's mounts to the plan, sources opened and identified. */
int base_view_add(struct plan *plan, const struct base_view_args *a, struct diag *d) _must_check_;
/* The sentence for a mount target of the base view, or NULL when it is not one of it. */
const char *base_view_why(const char *target);
/* How many rows the table has. */
size_t base_view_rows(void);
/* Is the path (canonical) visible through the base view (under /usr and the like)? */
bool base_view_covers(const char *path);
