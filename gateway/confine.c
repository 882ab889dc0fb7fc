/* SPDX-License-Identifier: Apache-2.0 */
/* confine - see confine.h */
#include "gateway/confine.h"
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include "base/landlock.h"
#include "profiles/seccomp_filters.h"

static int set_limit(int what, rlim_t limit)
{
	struct rlimit l = { limit, limit };

	return setrlimit((__rlimit_resource_t)what, &l) < 0 ? -errno : 0;
}

/* The limit is met exactly: a leak shows as an error, and what the configuration grants is there. */
int raise_files(uint64_t files, struct diag *d)
{
	struct rlimit now;
	int r = set_limit(RLIMIT_CORE, 0);

	if (r < 0 || getrlimit(RLIMIT_NOFILE, &now) < 0)
		return diag_fail(d, r < 0 ? r : -errno, "cannot set resource limits: %s", strerror(r < 0 ? -r : errno));
	if (now.rlim_max != RLIM_INFINITY && files > now.rlim_max)
		return diag_fail(d, -EMFILE,
			"network.limits.connections needs %ju open files, and this user may have %ju (ulimit -Hn): "
			"raise the one "
			"or lower the other",
			(uintmax_t)files, (uintmax_t)now.rlim_max);
	r = set_limit(RLIMIT_NOFILE, files);
	return r < 0 ? diag_fail(d, r, "cannot set resource limits: %s", strerror(-r)) : 0;
}

/* No path, no port, no signal to anyone outside: every right that this kernel knows, with no exception. */
static int apply_landlock(void)
{
	_cleanup_close_ int ruleset = -1;
	int abi = landlock_abi(), r;

	if (abi < 0)
		return abi;
	struct landlock_attr all = landlock_all(abi);
	r = landlock_create(&all, &ruleset);
	return r ? r : landlock_restrict(ruleset);
}

int confine(struct diag *d)
{
	int r;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return diag_fail(d, -errno, "cannot set no_new_privs: %s", strerror(errno));
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return diag_fail(d, -errno, "cannot become undumpable: %s", strerror(errno));
	r = apply_landlock();
	if (r < 0)
		return diag_fail(d, r, "cannot apply Landlock: %s; run stockade doctor", strerror(-r));
	r = seccomp_load(&seccomp_filter_gateway);
	if (r < 0)
		return diag_fail(d, r, "cannot load the system call filter: %s; run stockade doctor", strerror(-r));
	return 0;
}
