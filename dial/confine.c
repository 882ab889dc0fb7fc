/* SPDX-License-Identifier: Apache-2.0 */
/* confine - see confine.h */
#include "dial/confine.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/resource.h>
#include "base/landlock.h"
#include "base/lockdown.h"
#include "profiles/seccomp_filters.h"

enum { READ_FILE = 1 << 2 /* LANDLOCK_ACCESS_FS_READ_FILE */, DNS_PORT = 53 };

/* What resolv.conf(5), hosts(5) and nsswitch.conf(5) are read from, again and again: their directories, since they are
 * replaced by renaming, and often are links into another place. */
static const char *const resolver_files[] = { "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf",
	"/etc/host.conf" };

static int raise_files(struct diag *d)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return diag_fail(d, -errno, "cannot read resource limits: %s", strerror(errno));
	files.rlim_cur = files.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &files) < 0
		       ? diag_fail(d, -errno, "cannot set resource limits: %s", strerror(errno))
		       : 0;
}

static int allow_directory_of(int ruleset, char *path)
{
	_cleanup_close_ int fd = open(dirname(path), O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	return landlock_allow_path(ruleset, fd, READ_FILE);
}

/* Where c-ares seeds the numbers of its questions, again each time that it reads resolv.conf(5). Refused this, it would
 * take rand(3) without a seed: the same numbers in every session, for anybody who forges answers. */
static int allow_random(int ruleset)
{
	_cleanup_close_ int fd = open("/dev/urandom", O_PATH | O_CLOEXEC);

	return fd < 0 ? -errno : landlock_allow_path(ruleset, fd, READ_FILE);
}

static int allow_files(int ruleset)
{
	int r = allow_random(ruleset);

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

static int allow(int ruleset, const void *ctx)
{
	int r = allow_files(ruleset);

	return r < 0 ? r : allow_ports(ruleset, ctx);
}

int confine(const struct net_config *c, struct diag *d)
{
	const struct lockdown l = {
		.filter = &seccomp_filter_dial, .allow = allow, .ctx = c, .dies_with_parent = true
	};
	int r = raise_files(d);

	return r < 0 ? r : lockdown_apply(&l, d);
}
