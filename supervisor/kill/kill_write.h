/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill_write - an entry of the kill switch put into its place, and taken away
 *
 * Process:  supervisor
 * Owns:     struct kill_written its descriptors; free with kill_written_done
 * Returns:  0, -errno with words
 *
 * Everybody sees an entry before it is safe on the disk: who is to be told of it need not wait for that. Should power
 * be lost in between, an empty file of that name may be left, which kills what its name says.
 */
#pragma once
#include "supervisor/kill/kill_set.h"

struct kill_written {
	int dir, file;
	char *path;
};
#define KILL_WRITTEN_NONE ((struct kill_written){ .dir = -1, .file = -1 })

/* Into KILL_SYSTEM_DIR (KILL_BY_ROOT) or the user's; e->origin says which. */
int kill_write(
	const struct paths *p, const struct kill_entry *e, struct kill_written *ret, struct diag *d) _must_check_;
/* Now it survives the loss of power. */
int kill_write_sync(const struct kill_written *w, struct diag *d) _must_check_;
/* Takes its file away. */
int kill_remove(const struct kill_entry *e, struct diag *d) _must_check_;
void kill_written_done(struct kill_written *w);
#define _cleanup_kill_written_ _cleanup_(kill_written_done)
