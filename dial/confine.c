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

/* What c-ares reads again and again, wherever it really lies. */
static const char *const resolver_files[] = { "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf",
	"/etc/host.conf" };

/* Who manages these files replaces them by renaming, and a rule for a file is one for what it was (landlock(7)): so it
 * is their directory that may be read, where it is one of the system's. */
static const struct {
	const char *path;
	bool itself; /* or only what is below */
} system_trees[] = {
	{ "/etc", true },
	{ "/mnt/wsl", true },
	{ "/run", false },
	{ "/usr", false },
	{ "/var", false },
};
/* Of people, and not of the system. */
static const char *const other_trees[] = { "/run/media", "/run/user", "/usr/home", "/usr/local", "/var/home",
	"/var/roothome", "/var/tmp" };

/* 0: it is not in the tree; 1: it is its root; 2: it is below. */
static int depth_in(const char *path, const char *tree)
{
	size_t n = strlen(tree);

	if (strncmp(path, tree, n) != 0 || (path[n] && path[n] != '/'))
		return 0;
	return path[n] ? 2 : 1;
}

bool confine_is_system_directory(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(other_trees); i++)
		if (depth_in(path, other_trees[i]))
			return false;
	for (size_t i = 0; i < ARRAY_LEN(system_trees); i++)
		if (depth_in(path, system_trees[i].path) >= (system_trees[i].itself ? 1 : 2))
			return true;
	return false;
}

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

static int allow_path(int ruleset, const char *path)
{
	_cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	return landlock_allow_path(ruleset, fd, READ_FILE);
}

int confine_allow_reading(int ruleset, const char *path)
{
	char real[PATH_MAX], directory[PATH_MAX];

	/* What leads nowhere, or where this user may not go, c-ares does without. */
	if (!realpath(path, real))
		return 0;
	snprintf(directory, sizeof(directory), "%s", real);
	dirname(directory);
	return allow_path(ruleset, confine_is_system_directory(directory) ? directory : real);
}

/* Where c-ares seeds the numbers of its questions, again each time that it reads resolv.conf(5). Refused this, it would
 * take rand(3) without a seed: the same numbers in every session, for anybody who forges answers. */
static int allow_random(int ruleset)
{
	_cleanup_close_ int fd = open("/dev/urandom", O_PATH | O_CLOEXEC);

	return fd < 0 ? -errno : landlock_allow_path(ruleset, fd, READ_FILE);
}

static int allow_reader(int ruleset, const void *ctx)
{
	int r = allow_random(ruleset);

	/* What is not there yet will be there. */
	if (r == 0)
		r = allow_path(ruleset, "/etc");
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(resolver_files); i++)
		r = confine_allow_reading(ruleset, resolver_files[i]);
	return r < 0 ? r : landlock_allow_port(ruleset, DNS_PORT, LANDLOCK_CONNECT_TCP);
}

static int allow_dial(int ruleset, const void *ctx)
{
	const struct net_config *c = ctx;
	int r = 0;

	if (c->proxy_host)
		r = landlock_allow_port(ruleset, c->proxy_port, LANDLOCK_CONNECT_TCP);
	for (size_t i = 0; r == 0 && i < c->n_publish; i++)
		r = landlock_allow_port(ruleset, c->publish[i], LANDLOCK_CONNECT_TCP);
	for (size_t i = 0; i < c->n_grants; i++)
		for (size_t k = 0; r == 0 && k < c->grants[i].n_ports; k++)
			r = landlock_allow_port(ruleset, c->grants[i].ports[k], LANDLOCK_CONNECT_TCP);
	return r;
}

static int apply(const struct lockdown *l, struct diag *d)
{
	int r = raise_files(d);

	return r < 0 ? r : lockdown_apply(l, d);
}

int confine(const struct net_config *c, struct diag *d)
{
	return apply(
		&(struct lockdown){
			.filter = &seccomp_filter_dial, .allow = allow_dial, .ctx = c, .dies_with_parent = true },
		d);
}

int confine_reader(struct diag *d)
{
	return apply(
		&(struct lockdown){ .filter = &seccomp_filter_reader, .allow = allow_reader, .dies_with_parent = true },
		d);
}
