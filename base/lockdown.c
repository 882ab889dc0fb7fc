/* SPDX-License-Identifier: Apache-2.0 */
/* lockdown - see lockdown.h */
#include "base/lockdown.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include "base/landlock.h"

/* With 0 a handler that core_pattern pipes to would still get a dump (core(5)). */
enum { LOCKDOWN_CORE = 1 };

/* No more than the limit; the caller's own ceiling may be lower, and cannot be raised. */
static int limit(__rlimit_resource_t what, rlim_t most)
{
	struct rlimit now, l = { most, most };

	if (getrlimit(what, &now) < 0)
		return -errno;
	if (l.rlim_max > now.rlim_max)
		l.rlim_cur = l.rlim_max = now.rlim_max;
	return setrlimit(what, &l) < 0 ? -errno : 0;
}

static int limit_all(const struct lockdown *l)
{
	int r = limit(RLIMIT_CORE, LOCKDOWN_CORE);

	return r < 0 || l->files == 0 ? r : limit(RLIMIT_NOFILE, l->files);
}

static int apply_landlock(const struct lockdown *l)
{
	_cleanup_close_ int ruleset = -1;
	int abi = landlock_abi(), r;

	if (abi < 0)
		return abi;
	struct landlock_attr all = landlock_all(abi);
	r = landlock_create(&all, &ruleset);
	if (r == 0 && l->allow)
		r = l->allow(ruleset, l->ctx);
	return r < 0 ? r : landlock_restrict(ruleset);
}

int lockdown_apply(const struct lockdown *l, struct diag *d)
{
	int r;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return diag_fail(d, -errno, "cannot set no_new_privs: %s", strerror(errno));
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return diag_fail(d, -errno, "cannot become undumpable: %s", strerror(errno));
	if (l->dies_with_parent && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return diag_fail(d, -errno, "cannot be tied to the program that started it: %s", strerror(errno));
	r = limit_all(l);
	if (r < 0)
		return diag_fail(d, r, "cannot set resource limits: %s", strerror(-r));
	r = apply_landlock(l);
	if (r < 0)
		return diag_fail(d, r, "cannot apply Landlock: %s; run stockade doctor", strerror(-r));
	r = seccomp_load(l->filter);
	if (r < 0)
		return diag_fail(d, r, "cannot load the system call filter: %s; run stockade doctor", strerror(-r));
	return 0;
}

void lockdown_ignore_signals(void)
{
	static const int ignored[] = { SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT };

	for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
		signal(ignored[i], SIG_IGN);
}
