/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privilege - from root to one user, for good
 *
 * Process:  shim, gateway, dial
 * Returns:  0, -errno; -EPERM when anything of root is left
 */
#pragma once
#include <sys/types.h>
#include "base/cleanup.h"

/* Started by root: no supplementary groups, gid and uid in every slot, no capability. As another user: nothing. Neither
 * may be 0. */
int privilege_drop(uid_t uid, gid_t gid) _must_check_;
