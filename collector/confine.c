/* SPDX-License-Identifier: Apache-2.0 */
/* confine - see confine.h */
#include "collector/confine.h"
#include <errno.h>
#include <fcntl.h>
#include "base/landlock.h"
#include "base/lockdown.h"
#include "profiles/seccomp_filters.h"

/* LANDLOCK_ACCESS_FS_* (landlock(7)); TRUNCATE is newer than Debian 12's headers. */
enum {
	WRITE_FILE = 1 << 1,
	READ_FILE = 1 << 2,
	READ_DIR = 1 << 3,
	REMOVE_FILE = 1 << 5,
	MAKE_DIR = 1 << 7,
	MAKE_REG = 1 << 8,
	TRUNCATE = 1 << 14,
	LOG_RIGHTS = WRITE_FILE | READ_FILE | READ_DIR | REMOVE_FILE | MAKE_REG | TRUNCATE,
	COLLECTOR_FILES = 64,
};

static int allow_collector(int ruleset, const void *ctx)
{
	_cleanup_close_ int etc = open("/etc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = landlock_allow_path(ruleset, *(const int *)ctx, LOG_RIGHTS | MAKE_DIR);

	/* Who manages users replaces passwd and group by renaming: a rule for the files would be one for what they
	 * were. */
	return r < 0 ? r : etc < 0 ? -errno : landlock_allow_path(ruleset, etc, READ_FILE);
}

static int allow_writer(int ruleset, const void *ctx)
{
	return landlock_allow_path(ruleset, *(const int *)ctx, LOG_RIGHTS);
}

int confine_collector(int logs, struct diag *d)
{
	const struct lockdown l = {
		.filter = &seccomp_filter_collector, .files = COLLECTOR_FILES, .allow = allow_collector, .ctx = &logs
	};

	return lockdown_apply(&l, d);
}

int confine_writer(int dir, struct diag *d)
{
	const struct lockdown l = { .filter = &seccomp_filter_writer, .allow = allow_writer, .ctx = &dir };

	return lockdown_apply(&l, d);
}
