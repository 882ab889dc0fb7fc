/* SPDX-License-Identifier: Apache-2.0 */
/* identity - who we are: before the namespaces, in them, and what else a process inherits from its caller */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/io.h"
#include "enter/enter.h"
#include "wire/fds.h"

int stage_privilege(struct enter *e)
{
	uid_t ruid, euid, suid;
	gid_t rgid, egid, sgid;

	if (getauxval(AT_SECURE))
		return enter_fail(e, -EPERM, "setuid, setgid or file capabilities");
	if (getresuid(&ruid, &euid, &suid) < 0 || getresgid(&rgid, &egid, &sgid) < 0)
		return -errno;
	if (ruid != euid || euid != suid || rgid != egid || egid != sgid)
		return enter_fail(e, -EPERM, "real, effective and saved ids differ");
	e->privileged = euid == 0;
	/* Root owns the file: whether the server's user can change it is asked again in IDENTITY. */
	return e->privileged ? 0 : self_check(e);
}

/* Exactly one fresh /proc and one /dev: later stages count on both. */
static int check_mounts(struct enter *e)
{
	unsigned proc = 0, dev = 0;

	for (size_t i = 0; i < e->plan.n_mounts; i++) {
		const struct plan_mount *m = &e->plan.mounts[i];
		if (!m->target || m->target[0] != '/' || (unsigned)m->kind >= PLAN_MOUNT_KIND_COUNT)
			return enter_fail(e, -EINVAL, m->target);
		if (m->kind == PLAN_BIND && (!m->source || m->source[0] != '/' || !m->source[1]))
			return enter_fail(e, -EINVAL, "bind of the whole root");
		if (m->kind == PLAN_TMPFS && m->size == 0)
			return enter_fail(e, -EINVAL, m->target);
		if ((m->kind == PLAN_FILE || m->kind == PLAN_SYMLINK) && !m->content)
			return enter_fail(e, -EINVAL, m->target);
		proc += m->kind == PLAN_PROC && strcmp(m->target, "/proc") == 0;
		dev += m->kind == PLAN_DEV && strcmp(m->target, "/dev") == 0;
	}
	return proc == 1 && dev == 1 ? 0 : enter_fail(e, -EINVAL, "one /proc and one /dev are needed");
}

static int check_plan(struct enter *e)
{
	const struct plan *p = &e->plan;

	/* Root's group is refused where we choose the group; a user whose own it is has it with or without us. */
	if (p->uid == 0 || (e->privileged && p->gid == 0) || p->uid == (uid_t)-1 || p->gid == (gid_t)-1) {
		e->stage = ENTER_STAGE_PRIVILEGE;
		return enter_fail(e, -EPERM, "the server may not be root");
	}
	if (e->privileged != p->drop_root || (!e->privileged && (p->uid != getuid() || p->gid != getgid()))) {
		e->stage = ENTER_STAGE_PRIVILEGE;
		return enter_fail(e, -EPERM, "the plan is for another user");
	}
	if (!p->exec_path || p->exec_path[0] != '/' || !p->cwd || p->cwd[0] != '/' || p->argv.n == 0 || !p->seccomp ||
		!p->hostname || p->root_size == 0 || p->limits.processes == 0 || p->limits.files == 0)
		return enter_fail(e, -EINVAL, "a field is missing");
	return check_mounts(e);
}

int stage_plan(struct enter *e)
{
	_cleanup_buf_ struct buf b = BUF_INIT(PLAN_BYTES_MAX);
	int r = io_memfd_read(ENTER_FD_PLAN, &b);

	if (r < 0)
		return r;
	r = plan_decode(b.data, b.len, &e->plan);
	return r < 0 ? r : check_plan(e);
}

int stage_identity(struct enter *e)
{
	uid_t ruid, euid, suid;

	if (e->privileged) {
		if (setgroups(0, NULL) < 0 || setresgid(e->plan.gid, e->plan.gid, e->plan.gid) < 0 ||
			setresuid(e->plan.uid, e->plan.uid, e->plan.uid) < 0)
			return -errno;
		/* A change of ids makes a process undumpable, and then its uid_map cannot be opened. */
		if (prctl(PR_SET_DUMPABLE, 1) < 0)
			return -errno;
	}
	if (getresuid(&ruid, &euid, &suid) < 0)
		return -errno;
	if (ruid != e->plan.uid || euid != e->plan.uid || suid != e->plan.uid)
		return -EPERM;
	return e->privileged ? self_check(e) : 0;
}

/* By the system call: the C library refuses to touch the two signals that it keeps for itself (32 and 33), and a caller
 * may have left even those ignored. All zero is SIG_DFL without flags. */
static int reset_signal(int number)
{
	static const struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		uint64_t mask;
	} reset = { 0 };

	return syscall(SYS_rt_sigaction, number, &reset, NULL, sizeof(reset.mask)) < 0 ? -errno : 0;
}

int stage_signals(struct enter *e)
{
	sigset_t none;

	for (int s = 1; s < _NSIG; s++) {
		int r = s == SIGKILL || s == SIGSTOP ? 0 : reset_signal(s);
		if (r < 0)
			return r;
	}
	sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		return -errno;
	e->umask = umask(0);
	return 0;
}

static int write_file(struct enter *e, const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n;

	if (fd < 0)
		return enter_fail(e, -errno, path);
	/* One write(2): the kernel takes a map whole or not at all. */
	n = write(fd, text, strlen(text));
	if (n < 0)
		return enter_fail(e, -errno, path);
	return (size_t)n == strlen(text) ? 0 : enter_fail(e, -EIO, path);
}

int stage_idmap(struct enter *e)
{
	char uid[64], gid[64];
	int r;

	snprintf(uid, sizeof(uid), "%u %u 1\n", e->plan.uid, e->plan.uid);
	snprintf(gid, sizeof(gid), "%u %u 1\n", e->plan.gid, e->plan.gid);
	/* Denied first: a process that leaves a group could gain what the group is denied (CVE-2014-8989). */
	r = write_file(e, "/proc/self/setgroups", "deny");
	if (r == 0)
		r = write_file(e, "/proc/self/uid_map", uid);
	if (r == 0)
		r = write_file(e, "/proc/self/gid_map", gid);
	if (r < 0)
		return r;
	if (getuid() != e->plan.uid || geteuid() != e->plan.uid || getgid() != e->plan.gid || getegid() != e->plan.gid)
		return enter_fail(e, -EPERM, "the maps did not take");
	return prctl(PR_SET_DUMPABLE, 0) < 0 ? -errno : 0;
}

int stage_session(struct enter *e)
{
	return setsid() < 0 ? -errno : 0;
}

int stage_keyring(struct enter *e)
{
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0)
		return 0;
	/* A kernel without keyrings has none to leave behind. */
	return errno == ENOSYS ? 0 : -errno;
}

/* Apart from clone3: its root is where we are now, and a leaf will be entered before that. */
int stage_cgroup(struct enter *e)
{
	return unshare(CLONE_NEWCGROUP) < 0 ? -errno : 0;
}

int stage_hostname(struct enter *e)
{
	if (sethostname(e->plan.hostname, strlen(e->plan.hostname)) < 0)
		return enter_fail(e, -errno, e->plan.hostname);
	return setdomainname("", 0) < 0 ? -errno : 0;
}
