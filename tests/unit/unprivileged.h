/* SPDX-License-Identifier: Apache-2.0 */
/* unprivileged - a test of launches is the same for everybody, so root's run of it is somebody's */
#pragma once
#include <grp.h>
#include <sys/types.h>
#include <unistd.h>

enum { UNPRIVILEGED_ID = 61817 };

/* For main, before anything is made. Nobody has the number, so nothing on the machine is this user's. */
static inline int become_unprivileged(void)
{
	if (geteuid() != 0)
		return 0;
	if (setgroups(0, NULL) < 0 || setresgid(UNPRIVILEGED_ID, UNPRIVILEGED_ID, UNPRIVILEGED_ID) < 0)
		return -1;
	return setresuid(UNPRIVILEGED_ID, UNPRIVILEGED_ID, UNPRIVILEGED_ID);
}
