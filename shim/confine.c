/* SPDX-License-Identifier: Apache-2.0 */
/* confine - see confine.h */
#include "shim/confine.h"
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include "base/landlock.h"
#include "profiles/seccomp_filters.h"

/* CONFINE_CORE: with 0 a handler that core_pattern pipes to would still get a dump (enter/server.c). CONFINE_FILES:
 * poll(2) refuses to look at more descriptors than the limit. */
enum { CONFINE_CORE = 1, CONFINE_FILES = 16 };

static int set_limits(void)
{
	static const struct {
		int what;
		rlim_t limit;
	} limits[] = { { RLIMIT_CORE, CONFINE_CORE }, { RLIMIT_NOFILE, CONFINE_FILES } };

	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		struct rlimit now, l = { limits[i].limit, limits[i].limit };
		if (getrlimit((__rlimit_resource_t)limits[i].what, &now) < 0)
			return -errno;
		if (l.rlim_max > now.rlim_max)
			l.rlim_cur = l.rlim_max = now.rlim_max;
		if (setrlimit((__rlimit_resource_t)limits[i].what, &l) < 0)
			return -errno;
	}
	return 0;
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
	r = set_limits();
	if (r < 0)
		return diag_fail(d, r, "cannot set resource limits: %s", strerror(-r));
	r = apply_landlock();
	if (r < 0)
		return diag_fail(d, r, "cannot apply Landlock: %s; run stockade doctor", strerror(-r));
	r = seccomp_load(&seccomp_filter_shim);
	if (r < 0)
		return diag_fail(d, r, "cannot load the system call filter: %s; run stockade doctor", strerror(-r));
	return 0;
}
