/* SPDX-License-Identifier: Apache-2.0 */
/* confine - see confine.h */
#include "inventory/confine.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include "base/landlock.h"
#include "base/lockdown.h"
#include "profiles/seccomp_filters.h"

enum { READ = 1 << 2 | 1 << 3 /* LANDLOCK_ACCESS_FS_READ_FILE, _READ_DIR */, FILES = 64 };

static int allow_reading(int ruleset, const void *ctx)
{
	_cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	(void)ctx;
	return root < 0 ? -errno : landlock_allow_path(ruleset, root, READ);
}

int confine_inventory(struct diag *d)
{
	const struct rlimit time = { CONFINE_SECONDS, CONFINE_SECONDS }, memory = { CONFINE_MEMORY, CONFINE_MEMORY };
	const struct lockdown l = {
		.filter = &seccomp_filter_inventory, .files = FILES, .allow = allow_reading, .dies_with_parent = true
	};

	if (setrlimit(RLIMIT_CPU, &time) < 0 || setrlimit(RLIMIT_AS, &memory) < 0)
		return diag_fail(d, -errno, "cannot set limits: %s", strerror(errno));
	return lockdown_apply(&l, d);
}
