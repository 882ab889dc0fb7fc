/* SPDX-License-Identifier: Apache-2.0 */
/* doctor_machine - what this machine is: kernel, rights we were started with, container, WSL, cgroups */
#include "supervisor/doctor.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <linux/magic.h>
#include <unistd.h>

enum { KERNEL_MAJOR = 6, KERNEL_MINOR = 1 };

static void check_kernel(const struct doctor_env *env, struct doctor_result *r)
{
	char release[DOCTOR_RELEASE_MAX];
	unsigned major = 0, minor = 0;

	doctor_release(env, release);
	if (sscanf(release, "%u.%u", &major, &minor) != 2) {
		doctor_no(r, "cannot tell which kernel this is");
		return;
	}
	if (major > KERNEL_MAJOR || (major == KERNEL_MAJOR && minor >= KERNEL_MINOR)) {
		doctor_yes(r, "%s", release);
		return;
	}
	doctor_no(r, "%s is older than %d.%d", release, KERNEL_MAJOR, KERNEL_MINOR);
	doctor_mend(r, "use Debian 12, Ubuntu 24.04, Fedora 37, or newer, or their kernels");
}

static void check_setuid(const struct doctor_env *env, struct doctor_result *r)
{
	if (getuid() == geteuid() && getgid() == getegid() && !getauxval(AT_SECURE)) {
		doctor_yes(r, "stockade holds no rights that its user lacks");
		return;
	}
	doctor_no(r, "stockade is installed setuid, setgid or with file capabilities");
	doctor_mend(r, "it needs none and refuses to run with them: chmod ug-s and setcap -r on the program");
}

static void check_container(const struct doctor_env *env, struct doctor_result *r)
{
	const char *c = doctor_container(env);

	if (c)
		doctor_note(r, "inside of %s: whether namespaces can nest shows below", c);
	else
		doctor_yes(r, "none");
}

static void check_wsl(const struct doctor_env *env, struct doctor_result *r)
{
	char release[DOCTOR_RELEASE_MAX];

	doctor_release(env, release);
	if (!strcasestr(release, "microsoft") && !strcasestr(release, "wsl")) {
		doctor_yes(r, "no, a Linux of its own");
		return;
	}
	if (!strcasestr(release, "wsl2")) {
		doctor_no(r, "WSL 1 is not a Linux kernel: it has no namespaces");
		doctor_mend(r, "in PowerShell: wsl --set-version DISTRIBUTION 2");
		return;
	}
	doctor_note(r, "WSL 2: Windows drives under /mnt and Windows programs (binfmt interop) are outside of Linux's "
		       "file rights");
	doctor_mend(r, "grant nothing under /mnt; a sandboxed server sees neither /mnt nor interop unless you do");
}

static void check_cgroup(const struct doctor_env *env, struct doctor_result *r)
{
	char path[PATH_MAX];
	struct statfs fs;

	snprintf(path, sizeof(path), "%s/sys/fs/cgroup", env->root);
	if (statfs(path, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
		doctor_note(r, "cgroup v2 is mounted; this version does not use it: processes and files are limited by "
			       "rlimits, memory and CPU are not limited");
	else
		doctor_note(r, "no unified cgroup v2; this version does not need it");
}

const struct doctor_check doctor_machine_checks[] = {
	{ "kernel 6.1 or newer", check_kernel },
	{ "not setuid", check_setuid },
	{ "container", check_container },
	{ "WSL", check_wsl },
	{ "cgroups", check_cgroup },
};
const size_t doctor_machine_checks_n = ARRAY_LEN(doctor_machine_checks);
