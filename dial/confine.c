/* SPDX-License-Identifier: Apache-2.0 */
/* confine - see confine.h */
#include "dial/confine.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include "base/landlock.h"
#include "profiles/seccomp_filters.h"

enum { READ_FILE = 1 << 2 /* LANDLOCK_ACCESS_FS_READ_FILE */, DNS_PORT = 53 };

/* What resolv.conf(5), hosts(5) and nsswitch.conf(5) are read from, again and again: their directories, since they are
 * replaced by renaming, and often are links into another place. */
static const char *const resolver_files[] = { "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf" };

static int set_limits(void)
{
	struct rlimit none = { 0, 0 }, files;

	if (setrlimit(RLIMIT_CORE, &none) < 0 || getrlimit(RLIMIT_NOFILE, &files) < 0)
		return -errno;
	files.rlim_cur = files.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &files) < 0 ? -errno : 0;
}

static int allow_directory_of(int ruleset, char *path)
{
	_cleanup_close_ int fd = open(dirname(path), O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	return landlock_allow_path(ruleset, fd, READ_FILE);
}

static int allow_files(int ruleset)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(resolver_files); i++) {
		char as_named[PATH_MAX], real[PATH_MAX];
		snprintf(as_named, sizeof(as_named), "%s", resolver_files[i]);
		r = allow_directory_of(ruleset, as_named);
		if (r == 0 && realpath(resolver_files[i], real))
			r = allow_directory_of(ruleset, real);
	}
	return r;
}

static int allow_ports(int ruleset, const struct net_config *c)
{
	int r = landlock_allow_port(ruleset, DNS_PORT, LANDLOCK_CONNECT_TCP);

	if (r == 0 && c->proxy_host)
		r = landlock_allow_port(ruleset, c->proxy_port, LANDLOCK_CONNECT_TCP);
	for (size_t i = 0; r == 0 && i < c->n_publish; i++)
		r = landlock_allow_port(ruleset, c->publish[i], LANDLOCK_CONNECT_TCP);
	for (size_t i = 0; i < c->n_grants; i++)
		for (size_t k = 0; r == 0 && k < c->grants[i].n_ports; k++)
			r = landlock_allow_port(ruleset, c->grants[i].ports[k], LANDLOCK_CONNECT_TCP);
	return r;
}

static int apply_landlock(const struct net_config *c)
{
	_cleanup_close_ int ruleset = -1;
	int abi = landlock_abi(), r;

	if (abi < 0)
		return abi;
	struct landlock_attr all = landlock_all(abi);
	r = landlock_create(&all, &ruleset);
	if (r == 0)
		r = allow_files(ruleset);
	if (r == 0)
		r = allow_ports(ruleset, c);
	return r < 0 ? r : landlock_restrict(ruleset);
}

int confine(const struct net_config *c, struct diag *d)
{
	int r;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return diag_fail(d, -errno, "cannot give up new privileges: %s", strerror(errno));
	r = set_limits();
	if (r < 0)
		return diag_fail(d, r, "cannot set resource limits: %s", strerror(-r));
	r = apply_landlock(c);
	if (r < 0)
		return diag_fail(d, r, "cannot apply Landlock: %s; run stockade doctor", strerror(-r));
	r = seccomp_load(&seccomp_filter_dial);
	if (r < 0)
		return diag_fail(d, r, "cannot load the system call filter: %s; run stockade doctor", strerror(-r));
	return 0;
}
