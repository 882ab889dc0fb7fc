/* SPDX-License-Identifier: Apache-2.0 */
/* confine - see confine.h */
#include "gateway/confine.h"
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include "base/lockdown.h"
#include "profiles/seccomp_filters.h"

/* The limit is met exactly: a leak shows as an error, and what the configuration grants is there. */
int raise_files(uint64_t files, struct diag *d)
{
	struct rlimit now, l = { files, files };

	if (getrlimit(RLIMIT_NOFILE, &now) < 0)
		return diag_fail(d, -errno, "cannot set resource limits: %s", strerror(errno));
	if (now.rlim_max != RLIM_INFINITY && files > now.rlim_max)
		return diag_fail(d, -EMFILE,
			"network.limits.connections needs %ju open files, and this user may have %ju (ulimit -Hn): "
			"raise the one "
			"or lower the other",
			(uintmax_t)files, (uintmax_t)now.rlim_max);
	if (setrlimit(RLIMIT_NOFILE, &l) < 0)
		return diag_fail(d, -errno, "cannot set resource limits: %s", strerror(errno));
	return 0;
}

int confine(struct diag *d)
{
	const struct lockdown l = { .filter = &seccomp_filter_gateway, .dies_with_parent = true };

	return lockdown_apply(&l, d);
}
