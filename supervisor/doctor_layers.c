/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor_layers - each layer of the sandbox, put up once in a child and looked at
 *
 * Mirrors the order of enter's stages without sharing its code (a process folder includes no other): what is tried here
 * is the kernel, what enter does with it is tried by a launch.
 */
#include "supervisor/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/io.h"
#include "base/landlock.h"
#include "base/seccomp_load.h"

static int try_userns(struct doctor_attempt *a)
{
	return doctor_enter_userns(a, 0);
}

#define TRY_NAMESPACE(word, flag)                                                                                      \
	static int try_##word(struct doctor_attempt *a)                                                                \
	{                                                                                                              \
		return doctor_enter_userns(a, flag);                                                                   \
	}
TRY_NAMESPACE(mount, CLONE_NEWNS)
TRY_NAMESPACE(net, CLONE_NEWNET)
TRY_NAMESPACE(ipc, CLONE_NEWIPC)
TRY_NAMESPACE(uts, CLONE_NEWUTS)

/* The first process born into a new pid namespace is its PID 1; anything else is not a pid namespace. */
static int try_pid(struct doctor_attempt *a)
{
	int status, r = doctor_enter_userns(a, CLONE_NEWPID);
	pid_t pid;

	if (r < 0)
		return r;
	pid = fork();
	if (pid == 0)
		_exit(getpid() == 1 ? 0 : 1);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return doctor_step_failed(a, "start PID 1 of the namespace");
	errno = EINVAL;
	return status == 0 ? 0 : doctor_step_failed(a, "be PID 1 in the new pid namespace");
}

static int try_mounts(struct doctor_attempt *a)
{
	_cleanup_close_ int tree = -1;
	struct mount_attr ro = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID };
	int r = doctor_enter_userns(a, CLONE_NEWNS);

	if (r < 0)
		return r;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return doctor_step_failed(a, "make mount propagation private");
	if (mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,mode=0755") < 0)
		return doctor_step_failed(a, "mount a tmpfs");
	tree = (int)syscall(SYS_open_tree, AT_FDCWD, "/usr", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (tree < 0)
		return doctor_step_failed(a, "clone a mount (open_tree)");
	if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &ro, sizeof(ro)) < 0)
		return doctor_step_failed(a, "make a mount read-only (mount_setattr)");
	if (mkdir("/tmp/new", 0755) < 0 || mkdir("/tmp/new/usr", 0755) < 0)
		return doctor_step_failed(a, "make a directory in the tmpfs");
	if (mount("/tmp/new", "/tmp/new", NULL, MS_BIND | MS_REC, NULL) < 0)
		return doctor_step_failed(a, "bind a directory");
	if (syscall(SYS_move_mount, tree, "", AT_FDCWD, "/tmp/new/usr", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return doctor_step_failed(a, "attach a mount (move_mount)");
	if (chdir("/tmp/new") < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0)
		return doctor_step_failed(a, "enter a new root (pivot_root)");
	errno = EEXIST;
	return access("/etc", F_OK) < 0 && access("/usr/bin", F_OK) == 0
		       ? 0
		       : doctor_step_failed(a, "leave the old root behind");
}

static int mount_proc_as_pid1(struct doctor_attempt *a)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return doctor_step_failed(a, "make mount propagation private");
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return doctor_step_failed(a, "mount /proc");
	return 0;
}

static int try_proc(struct doctor_attempt *a)
{
	int status, r = doctor_enter_userns(a, CLONE_NEWNS | CLONE_NEWPID);
	struct doctor_attempt *shared;
	pid_t pid;

	if (r < 0)
		return r;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return doctor_step_failed(a, "share a page");
	pid = fork();
	if (pid == 0)
		_exit(mount_proc_as_pid1(shared) < 0);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return doctor_step_failed(a, "start PID 1 of the namespace");
	if (shared->error)
		*a = *shared;
	return -shared->error;
}

static int try_no_new_privs(struct doctor_attempt *a)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return doctor_step_failed(a, "set no_new_privs");
	errno = EINVAL;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : doctor_step_failed(a, "read no_new_privs back");
}

static int try_seccomp(struct doctor_attempt *a)
{
	static const struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOTUNIQ),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct seccomp_filter f = { "doctor", code, ARRAY_LEN(code) };
	int r = try_no_new_privs(a);

	if (r < 0)
		return r;
	errno = -seccomp_load(&f);
	if (errno)
		return doctor_step_failed(a, "load a system call filter");
	if (syscall(SYS_getppid) < 0 && errno == ENOTUNIQ)
		return 0;
	errno = EINVAL;
	return doctor_step_failed(a, "see the filter refuse a call");
}

/* Before: the file opens. After: it does not. The first half is the control. */
static int try_landlock(struct doctor_attempt *a)
{
	struct landlock_attr attr = { .fs = LANDLOCK_ACCESS_FS_READ_FILE };
	_cleanup_close_ int ruleset = -1, before = open("/proc/self/status", O_RDONLY | O_CLOEXEC), after = -1;
	int abi = landlock_abi(), r;

	if (before < 0)
		return doctor_step_failed(a, "open a file before Landlock");
	errno = abi < 0 ? -abi : 0;
	if (errno)
		return doctor_step_failed(a, "ask for the Landlock ABI");
	r = try_no_new_privs(a);
	if (r < 0)
		return r;
	errno = -landlock_create(&attr, &ruleset);
	if (errno)
		return doctor_step_failed(a, "make a Landlock ruleset");
	errno = -landlock_restrict(ruleset);
	if (errno)
		return doctor_step_failed(a, "enforce a Landlock ruleset");
	after = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	errno = after < 0 ? 0 : EINVAL;
	if (errno)
		return doctor_step_failed(a, "see Landlock refuse a file");
	snprintf(a->detail, sizeof(a->detail), "%d", abi);
	return 0;
}

static int try_pidfd(struct doctor_attempt *a)
{
	_cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	if (fd < 0)
		return doctor_step_failed(a, "open a pidfd");
	if (syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0) < 0)
		return doctor_step_failed(a, "send a signal through a pidfd");
	return 0;
}

static int try_openat2(struct doctor_attempt *a)
{
	_cleanup_close_ int dir = fs_openat2(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY, 0, RESOLVE_NO_SYMLINKS);
	int link;

	if (dir < 0) {
		errno = -dir;
		return doctor_step_failed(a, "openat2");
	}
	link = fs_openat2(dir, "self/status", O_RDONLY, 0, RESOLVE_NO_SYMLINKS);
	if (link == -ELOOP)
		return 0;
	if (link >= 0)
		close(link);
	errno = EINVAL;
	return doctor_step_failed(a, "see openat2 refuse a symbolic link");
}

static int try_memfd(struct doctor_attempt *a)
{
	_cleanup_close_ int fd = -1;

	errno = -io_memfd_sealed("stockade-doctor", "x", 1, &fd);
	if (errno)
		return doctor_step_failed(a, "seal a memfd");
	if (write(fd, "y", 1) < 0 && errno == EPERM)
		return 0;
	errno = EINVAL;
	return doctor_step_failed(a, "see a sealed memfd refuse a write");
}

static int try_userns_limit(struct doctor_attempt *a)
{
	_cleanup_close_ int fd = -1;
	int r = doctor_enter_userns(a, 0);

	if (r < 0)
		return r;
	fd = open("/proc/sys/user/max_user_namespaces", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		return doctor_step_failed(a, "write user.max_user_namespaces");
	errno = EINVAL;
	return unshare(CLONE_NEWUSER) < 0 ? 0 : doctor_step_failed(a, "see a second user namespace refused");
}

/* Where AppArmor restricts user namespaces, our own attempts fail as they should: does enter's succeed? */
static bool only_enter_may(const struct doctor_env *env)
{
	struct doctor_attempt a;

	if (doctor_sysctl(env, "kernel/apparmor_restrict_unprivileged_userns") <= 0)
		return false;
	doctor_try_as_started(doctor_launch, &a);
	return a.error == 0;
}

static void report(
	const struct doctor_env *env, int (*fn)(struct doctor_attempt *a), const char *good, struct doctor_result *r)
{
	struct doctor_attempt a;

	doctor_try(fn, &a);
	if (a.error == 0) {
		doctor_yes(r, "%s", good);
		return;
	}
	if (only_enter_may(env)) {
		doctor_note(r, "refused to this program (%s: %s), given to stockade-enter by its AppArmor profile",
			a.step, strerror(a.error));
		return;
	}
	doctor_no(r, "%s: %s", a.step, strerror(a.error));
	doctor_mend_namespaces(env, &a, r);
}

#define NAMESPACE_CHECK(word, attempt, good)                                                                           \
	static void check_##word(const struct doctor_env *env, struct doctor_result *r)                                \
	{                                                                                                              \
		report(env, attempt, good, r);                                                                         \
	}
NAMESPACE_CHECK(userns, try_userns, "one was made and mapped")
NAMESPACE_CHECK(mount, try_mount, "one was made")
NAMESPACE_CHECK(pid, try_pid, "one was made, and its first process was PID 1")
NAMESPACE_CHECK(net, try_net, "one was made")
NAMESPACE_CHECK(ipc, try_ipc, "one was made")
NAMESPACE_CHECK(uts, try_uts, "one was made")
NAMESPACE_CHECK(loopback, doctor_try_loopback, "lo came up and took an address")
NAMESPACE_CHECK(egress, doctor_try_egress,
	"every address of 198.18.0.0/15 was local, one was reached, and a packet socket opened")
NAMESPACE_CHECK(mounts, try_mounts, "a tree was cloned read-only, attached, and became the root")
NAMESPACE_CHECK(proc, try_proc, "a fresh one was mounted in a pid namespace")
NAMESPACE_CHECK(userns_limit, try_userns_limit, "written, and a second user namespace was refused")

static void kernel_feature(
	int (*fn)(struct doctor_attempt *a), const char *good, const char *mend, struct doctor_result *r)
{
	struct doctor_attempt a;

	doctor_try(fn, &a);
	if (a.error == 0) {
		doctor_yes(r, "%s", good);
		return;
	}
	doctor_no(r, "%s: %s", a.step, strerror(a.error));
	doctor_mend(r, "%s", mend);
}

#define FEATURE_CHECK(word, good, mend)                                                                                \
	static void check_##word(const struct doctor_env *env, struct doctor_result *r)                                \
	{                                                                                                              \
		kernel_feature(try_##word, good, mend, r);                                                             \
	}
#define NEWER_KERNEL "use a kernel of 6.1 or newer; in a container, its seccomp profile may be what refuses"
FEATURE_CHECK(no_new_privs, "set and read back", NEWER_KERNEL)
FEATURE_CHECK(seccomp, "a filter was loaded and refused a call",
	"use a kernel with CONFIG_SECCOMP_FILTER; in a container, let it use seccomp(2)")
FEATURE_CHECK(pidfd, "opened, and took a signal", NEWER_KERNEL)
FEATURE_CHECK(openat2, "refused a symbolic link as told", NEWER_KERNEL)
FEATURE_CHECK(memfd, "sealed, and refused a write", "use a kernel with CONFIG_MEMFD_CREATE, 6.1 or newer")

static void check_landlock(const struct doctor_env *env, struct doctor_result *r)
{
	struct doctor_attempt a;
	int abi;

	doctor_try(try_landlock, &a);
	if (a.error) {
		doctor_no(r, "%s: %s", a.step, strerror(a.error));
		doctor_mend(r, "boot with landlock among the security modules: add "
			       "lsm=landlock,lockdown,yama,integrity,apparmor,bpf to the "
			       "kernel's command line (CONFIG_LANDLOCK must be built in), or use a distribution's "
			       "kernel of 6.1 or newer");
		return;
	}
	abi = landlock_abi();
	doctor_yes(r, "ABI %d is in force and refused a file%s", abi,
		abi >= LANDLOCK_ABI_KNOWN
			? ""
			: "; this kernel lacks what newer ABIs add (4: TCP ports, 5: ioctl on devices, 6: signals and "
			  "abstract sockets), which namespaces and seccomp still cover");
}

const struct doctor_check doctor_layer_checks[] = {
	{ "user namespace", check_userns },
	{ "mount namespace", check_mount },
	{ "pid namespace", check_pid },
	{ "network namespace", check_net },
	{ "ipc namespace", check_ipc },
	{ "uts namespace", check_uts },
	{ "loopback in the network namespace", check_loopback },
	{ "addresses that stand for names", check_egress },
	{ "read-only mounts and a new root", check_mounts },
	{ "fresh /proc", check_proc },
	{ "user.max_user_namespaces=0 inside", check_userns_limit },
	{ "no_new_privs", check_no_new_privs },
	{ "seccomp", check_seccomp },
	{ "Landlock", check_landlock },
	{ "pidfd", check_pidfd },
	{ "openat2", check_openat2 },
	{ "sealed memory", check_memfd },
};
const size_t doctor_layer_checks_n = ARRAY_LEN(doctor_layer_checks);
