/* SPDX-License-Identifier: Apache-2.0 */
/* privilege - see privilege.h */
#include "base/privilege.h"
#include <errno.h>
#include <grp.h>
#include <unistd.h>

static int check_dropped(uid_t uid, gid_t gid)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;

	if (getresuid(&r, &e, &s) < 0 || getresgid(&rg, &eg, &sg) < 0)
		return -errno;
	/* With all three uids changed from 0, the kernel has cleared every capability set (capabilities(7)). */
	if (r != uid || e != uid || s != uid || rg != gid || eg != gid || sg != gid || getgroups(0, NULL) != 0)
		return -EPERM;
	return setuid(0) == 0 ? -EPERM : 0;
}

int privilege_drop(uid_t uid, gid_t gid)
{
	if (uid == 0 || gid == 0)
		return -EPERM;
	if (geteuid() != 0 && getuid() != 0)
		return 0;
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return -errno;
	return check_dropped(uid, gid);
}
