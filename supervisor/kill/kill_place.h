/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill_place - where another user's sessions lie, opened so that this user can let nobody wait
 *
 * Process:  supervisor, as root
 * Owns:     struct kill_place its descriptor; free with kill_place_done
 * Returns:  0, -errno
 * Limits:   KILL_MOUNTS_BYTES of mountinfo
 *
 * Theory of operation. A directory of one's own can be mounted over without being root (fusermount), and whoever asks
 * such a file system anything waits as long as its user likes. Opening a path with O_PATH asks it nothing, nor does
 * what the kernel itself knows: its mount and that mount's type. So /run/user/UID is opened that way, and looked into
 * only where it is part of the file system of /run/user, or a tmpfs, which root alone can have mounted. Nothing is
 * entered below it that is mounted there.
 */
#pragma once
#include <stdint.h>
#include <sys/types.h>
#include "base/buf.h"
#include "supervisor/role.h"

enum { KILL_MOUNTS_BYTES = 8 << 20, KILL_PLACE_WORDS = 128 };

struct kill_place {
	uid_t uid;
	int top;	/* O_PATH */
	uint64_t mount; /* its id, where it is a mount of its own, else 0 */
};
#define KILL_PLACE_NONE ((struct kill_place){ .top = -1 })

/* The directory of that user, which has the number for a name, in that of all users. */
int kill_place_open(int users, const char *name, uid_t uid, struct kill_place *ret) _must_check_;
/* The text of mountinfo (proc(5)), to be read after all that it shall tell of is open. */
int kill_place_mounts(struct buf *ret) _must_check_;
/* The directory of sessions. -ENOENT: no stockade of theirs has run there; else why has words. */
int kill_place_sessions(
	const struct kill_place *p, const struct buf *mounts, int *ret, char why[KILL_PLACE_WORDS]) _must_check_;
void kill_place_done(struct kill_place *p);
