/* SPDX-License-Identifier: Apache-2.0 */
/* collected - see collected.h */
#include "supervisor/log/collected.h"
#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "supervisor/cmd_audit.h"

/* For good: nothing that comes after it is root's work. */
static int become(const struct stat *st, struct diag *d)
{
	if (geteuid() == st->st_uid)
		return 0;
	if (geteuid() != 0)
		return diag_fail(d, -EPERM, COLLECTOR_STATE " is the collector's: only root and its user may do this");
	if (setgroups(0, NULL) < 0 || setresgid(st->st_gid, st->st_gid, st->st_gid) < 0 ||
		setresuid(st->st_uid, st->st_uid, st->st_uid) < 0)
		return diag_fail(d, -errno, "cannot become the collector's user: %s", strerror(errno));
	return 0;
}

int collected_open(struct collected *ret, struct diag *d)
{
	struct stat st;
	int r;

	*ret = COLLECTED_NONE;
	r = cmd_audit_open_dir(COLLECTOR_STATE, &ret->state, d);
	if (r == -ENOENT)
		return diag_fail(d, r, COLLECTOR_NEVER_RAN, COLLECTOR_STATE);
	if (r == -EACCES)
		return diag_fail(d, r, COLLECTOR_STATE " is the collector's: only root and its user may do this");
	if (r == 0 && fstat(ret->state, &st) < 0)
		r = diag_fail(d, -errno, COLLECTOR_STATE ": %s", strerror(errno));
	if (r == 0)
		r = become(&st, d);
	return r < 0 ? r : cmd_audit_open_dir(COLLECTOR_LOGS, &ret->logs, d);
}

void collected_done(struct collected *c)
{
	if (c->state >= 0)
		close(c->state);
	if (c->logs >= 0)
		close(c->logs);
	*c = COLLECTED_NONE;
}
