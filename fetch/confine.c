/* SPDX-License-Identifier: Apache-2.0 */
/* confine - see confine.h */
#include "fetch/confine.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "base/landlock.h"
#include "base/lockdown.h"
#include "profiles/seccomp_filters.h"

/* FILES_MAX: a few connections, the resolver's, our own. */
enum { READ_FILE = 1 << 2 /* LANDLOCK_ACCESS_FS_READ_FILE */, DNS_PORT = 53, FILES_MAX = 64 };

static int allow_path(int ruleset, const char *path)
{
	_cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	return landlock_allow_path(ruleset, fd, READ_FILE);
}

static int allow(int ruleset, const void *ctx)
{
	static const char *const readable[] = { "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf",
		"/etc/host.conf", "/etc/gai.conf", "/etc/services", "/dev/urandom" };
	const struct fetch_request *f = ctx;
	int r = 0;

	/* A rule for a link is one for what it leads to. */
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(readable); i++)
		r = allow_path(ruleset, readable[i]);
	if (r == 0)
		r = landlock_allow_port(ruleset, f->proxy_host ? f->proxy_port : f->port, LANDLOCK_CONNECT_TCP);
	return r < 0 ? r : landlock_allow_port(ruleset, DNS_PORT, LANDLOCK_CONNECT_TCP);
}

int confine(const struct fetch_request *f, struct diag *d)
{
	return lockdown_apply(&(struct lockdown){ .filter = &seccomp_filter_fetch,
				      .files = FILES_MAX,
				      .allow = allow,
				      .ctx = f,
				      .dies_with_parent = true },
		d);
}
