/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor_mend - why this machine refuses user namespaces, and what its owner can do
 *
 * Ubuntu's restriction lets unshare(2) succeed and takes the capabilities inside away, so it shows later, as EPERM from
 * rtnetlink or mount; the sysctls say which wall it is. Order matters: the first row that fits is the one that refused.
 */
#include "supervisor/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/parse.h"

enum { SMALL_FILE_MAX = 64 << 10 };

#define DOCTOR_WORDS(name, value)                                                                                      \
	void doctor_##name(struct doctor_result *r, const char *fmt, ...)                                              \
	{                                                                                                              \
		va_list ap;                                                                                            \
		r->verdict = value;                                                                                    \
		va_start(ap, fmt);                                                                                     \
		vsnprintf(r->found, sizeof(r->found), fmt, ap);                                                        \
		va_end(ap);                                                                                            \
	}
DOCTOR_WORDS(yes, DOCTOR_YES)
DOCTOR_WORDS(no, DOCTOR_NO)
DOCTOR_WORDS(note, DOCTOR_NOTE)

void doctor_mend(struct doctor_result *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->mend, sizeof(r->mend), fmt, ap);
	va_end(ap);
}

static int read_small(const char *prefix, const char *path, struct buf *b)
{
	char full[512];
	_cleanup_close_ int fd = -1;

	if (snprintf(full, sizeof(full), "%s%s", prefix, path) >= (int)sizeof(full))
		return -ENAMETOOLONG;
	fd = open(full, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return io_read_all(fd, b);
}

long doctor_sysctl(const struct doctor_env *env, const char *name)
{
	_cleanup_buf_ struct buf b = BUF_INIT(SMALL_FILE_MAX);
	char path[256];
	uint64_t v;

	snprintf(path, sizeof(path), "/%s", name);
	if (read_small(env->sysctl, path, &b) < 0 || !b.data)
		return -1;
	b.data[strcspn(b.data, "\n\t ")] = 0;
	return parse_u64(b.data, 0, LONG_MAX, &v) == 0 ? (long)v : -1;
}

void doctor_release(const struct doctor_env *env, char ret[static DOCTOR_RELEASE_MAX])
{
	_cleanup_buf_ struct buf b = BUF_INIT(DOCTOR_RELEASE_MAX - 1);
	bool known = read_small(env->sysctl, "/kernel/osrelease", &b) == 0 && b.data;

	snprintf(ret, DOCTOR_RELEASE_MAX, "%.*s", known ? (int)strcspn(b.data, "\n") : 0, known ? b.data : "");
}

static bool exists(const struct doctor_env *env, const char *path)
{
	char full[512];
	struct stat st;

	return snprintf(full, sizeof(full), "%s%s", env->root, path) < (int)sizeof(full) && stat(full, &st) == 0;
}

static bool holds(const struct doctor_env *env, const char *path, const char *word)
{
	_cleanup_buf_ struct buf b = BUF_INIT(SMALL_FILE_MAX);

	return read_small(env->root, path, &b) == 0 && b.data && memmem(b.data, b.len, word, strlen(word));
}

/* What each container leaves lying about; the first that fits names it. word NULL: the file's being there is enough. */
static const struct {
	const char *path, *word, *name;
} container_marks[] = {
	{ "/run/.containerenv", NULL, "podman" },
	{ "/.dockerenv", NULL, "docker" },
	{ "/var/run/secrets/kubernetes.io", NULL, "kubernetes" },
	{ "/run/systemd/container", "lxc", "lxc" },
	{ "/run/systemd/container", "docker", "docker" },
	{ "/run/systemd/container", "podman", "podman" },
	{ "/run/systemd/container", "systemd-nspawn", "systemd-nspawn" },
	{ "/proc/1/cgroup", "/docker/", "docker" },
	{ "/proc/1/cgroup", "/kubepods", "kubernetes" },
	{ "/proc/1/cgroup", "/lxc", "lxc" },
	{ "/dev/lxd/sock", NULL, "lxc" },
};

const char *doctor_container(const struct doctor_env *env)
{
	for (size_t i = 0; i < ARRAY_LEN(container_marks); i++) {
		const char *word = container_marks[i].word;
		if (word ? holds(env, container_marks[i].path, word) : exists(env, container_marks[i].path))
			return container_marks[i].name;
	}
	return NULL;
}

static bool in_container(const char *c, const char *const *names)
{
	for (; c && *names; names++)
		if (strcmp(c, *names) == 0)
			return true;
	return false;
}

static bool mend_container(const struct doctor_env *env, struct doctor_result *r)
{
	const char *c = doctor_container(env);

	if (in_container(c, (const char *const[]){ "docker", "podman", NULL }))
		doctor_mend(r,
			"this is a %s container, whose seccomp profile and masked /proc forbid namespaces: run "
			"stockade on the "
			"host, or start the container with --security-opt seccomp=unconfined --security-opt "
			"apparmor=unconfined --security-opt systempaths=unconfined (all three weaken the container "
			"itself)",
			c);
	else if (in_container(c, (const char *const[]){ "lxc", "systemd-nspawn", NULL }))
		doctor_mend(r,
			"this is a container (%s) that may not nest: on its host, 'lxc config set NAME "
			"security.nesting true' "
			"or the like, and restart it",
			c);
	else if (c)
		doctor_mend(r, "this is a %s container; its runtime forbids namespaces: run stockade outside of it", c);
	return c != NULL;
}

void doctor_mend_namespaces(const struct doctor_env *env, const struct doctor_attempt *a, struct doctor_result *r)
{
	if (doctor_sysctl(env, "kernel/unprivileged_userns_clone") == 0)
		doctor_mend(r, "as root: sysctl -w kernel.unprivileged_userns_clone=1, and write the line "
			       "kernel.unprivileged_userns_clone=1 into /etc/sysctl.d/50-stockade.conf to keep it");
	else if (doctor_sysctl(env, "user/max_user_namespaces") == 0)
		doctor_mend(r, "as root: sysctl -w user.max_user_namespaces=15000, and write the line "
			       "user.max_user_namespaces=15000 into /etc/sysctl.d/50-stockade.conf to keep it");
	else if (doctor_sysctl(env, "kernel/apparmor_restrict_unprivileged_userns") > 0)
		doctor_mend(r,
			"AppArmor keeps user namespaces from programs without a profile, and there is one for "
			"%s/stockade-enter: as root, install -m 0644 %s/apparmor/stockade-enter /etc/apparmor.d/ and "
			"apparmor_parser -r /etc/apparmor.d/stockade-enter ('./dev install' does both)",
			env->libexec, STOCKADE_DATADIR);
	else if (mend_container(env, r))
		return;
	else if (a->error == ENOSPC || a->error == EUSERS)
		doctor_mend(r, "the limit on namespaces is used up: see sysctl user.max_user_namespaces and its "
			       "neighbours, and what "
			       "holds namespaces (lsns)");
	else if (a->error == ENOSYS || a->error == EINVAL)
		doctor_mend(r, "this kernel was built without the namespace: use one with CONFIG_USER_NS, "
			       "CONFIG_PID_NS, CONFIG_NET_NS, "
			       "CONFIG_IPC_NS and CONFIG_UTS_NS, as every distribution's is");
	else
		doctor_mend(r, "something confines this process: a chroot, a seccomp filter or a security module; see "
			       "/proc/self/status "
			       "(Seccomp) and the kernel's log (dmesg, journalctl -k)");
}
