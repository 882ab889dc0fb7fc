/* SPDX-License-Identifier: Apache-2.0 */
/* attempt_calls - system calls that build namespaces, reach other processes or parts of the kernel nobody needs */
#include "tests/escape/attempt.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/kcmp.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define DIRTY (0xdead00000000UL)
enum {
	X32_GETPID = 0x40000000 | 39,
	I386_GETPID = 20,
	UFFD_USER_MODE_ONLY = 1,
	BPF_OBJ_GET = 7,
	TIOCL_GETFGCONSOLE = 12
};
/* Of no table of ours, yet real: set_mempolicy_home_node(2). */
enum { UNMENTIONED = 450 };

static long clone_flags(unsigned long flags)
{
	long pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	if (pid > 0)
		waitpid((pid_t)pid, NULL, 0);
	return pid;
}

static void unshare_user(struct outcome *o, char *const *arg)
{
	outcome_of(o, unshare(CLONE_NEWUSER));
}

static void unshare_mount(struct outcome *o, char *const *arg)
{
	outcome_of(o, unshare(CLONE_NEWNS));
}

static void unshare_time(struct outcome *o, char *const *arg)
{
	outcome_of(o, unshare(CLONE_NEWTIME));
}

static void clone_user(struct outcome *o, char *const *arg)
{
	outcome_of(o, clone_flags(CLONE_NEWUSER));
}

static void clone_user_dirty(struct outcome *o, char *const *arg)
{
	outcome_of(o, clone_flags(CLONE_NEWUSER | DIRTY));
}

static void clone3_user(struct outcome *o, char *const *arg)
{
	struct {
		uint64_t flags, rest[7];
	} args = { .flags = CLONE_NEWUSER };
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0)
		_exit(0);
	outcome_of(o, pid);
}

static void join_namespace(struct outcome *o, char *const *arg)
{
	int fd = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);

	outcome_of(o, fd < 0 ? -1 : setns(fd, CLONE_NEWUTS));
}

static void mount_tmpfs(struct outcome *o, char *const *arg)
{
	outcome_of(o, mount("none", arg[0], "tmpfs", 0, NULL));
}

static void unmount(struct outcome *o, char *const *arg)
{
	outcome_of(o, umount2(arg[0], MNT_DETACH));
}

static void pivot(struct outcome *o, char *const *arg)
{
	outcome_reached(o, syscall(SYS_pivot_root, ".", "."));
}

static void change_root(struct outcome *o, char *const *arg)
{
	outcome_of(o, chroot("/"));
}

static void mount_attributes(struct outcome *o, char *const *arg)
{
	struct mount_attr attr = { .attr_clr = MOUNT_ATTR_RDONLY };

	outcome_reached(o, mount_setattr(AT_FDCWD, arg[0], 0, &attr, sizeof(attr)));
}

static void clone_tree(struct outcome *o, char *const *arg)
{
	outcome_of(o, open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE));
}

static void open_filesystem(struct outcome *o, char *const *arg)
{
	outcome_of(o, fsopen("tmpfs", 0));
}

static void host_name(struct outcome *o, char *const *arg)
{
	outcome_of(o, sethostname("mine", 4));
}

static void io_uring(struct outcome *o, char *const *arg)
{
	char params[256] = "";

	outcome_of(o, syscall(SYS_io_uring_setup, 1, params));
}

/* i386 numbers: a filter that knows only x86-64 numbers would let 20 through as writev. */
static void int_0x80(struct outcome *o, char *const *arg)
{
	long r = -ENOSYS;
#ifdef __x86_64__
	__asm__ volatile("int $0x80" : "=a"(r) : "a"((long)I386_GETPID) : "memory", "r8", "r9", "r10", "r11");
#endif
	outcome_set(o, r == getpid() ? "SUCCEEDED" : "BLOCKED %ld", r);
}

/* Few kernels have x32; the filter must end it before the kernel is asked. */
static void x32(struct outcome *o, char *const *arg)
{
	(void)syscall(X32_GETPID);
	outcome_set(o, "SUCCEEDED");
}

static void unmentioned(struct outcome *o, char *const *arg)
{
	outcome_reached(o, syscall(UNMENTIONED, 0, 0, 0, 0));
}

static void bpf(struct outcome *o, char *const *arg)
{
	struct {
		uint64_t path;
		uint32_t fd, flags;
	} attr = { .path = (uintptr_t) "/nonexistent" };

	outcome_reached(o, syscall(SYS_bpf, BPF_OBJ_GET, &attr, sizeof(attr)));
}

static void perf(struct outcome *o, char *const *arg)
{
	outcome_reached(o, syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0));
}

static void user_fault(struct outcome *o, char *const *arg)
{
	outcome_of(o, syscall(SYS_userfaultfd, UFFD_USER_MODE_ONLY | O_CLOEXEC));
}

static pid_t victim(void)
{
	pid_t pid = fork();

	while (pid == 0)
		pause();
	return pid;
}

static void with_victim(struct outcome *o, long (*attack)(pid_t))
{
	pid_t pid = victim();
	long r = attack(pid);

	outcome_of(o, r);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static long seize(pid_t pid)
{
	return ptrace(PTRACE_SEIZE, pid, NULL, NULL);
}

static long read_memory(pid_t pid)
{
	static char here[1], there[1];
	struct iovec local = { here, 1 }, remote = { there, 1 };

	return process_vm_readv(pid, &local, 1, &remote, 1, 0);
}

static long write_memory(pid_t pid)
{
	static char here[1], there[1];
	struct iovec local = { here, 1 }, remote = { there, 1 };

	return process_vm_writev(pid, &local, 1, &remote, 1, 0);
}

static long take_descriptor(pid_t pid)
{
	return syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, pid, 0), 0, 0);
}

static void ptrace_child(struct outcome *o, char *const *arg)
{
	with_victim(o, seize);
}

static void vm_read(struct outcome *o, char *const *arg)
{
	with_victim(o, read_memory);
}

static void vm_write(struct outcome *o, char *const *arg)
{
	with_victim(o, write_memory);
}

static void pidfd_take(struct outcome *o, char *const *arg)
{
	with_victim(o, take_descriptor);
}

static void compare(struct outcome *o, char *const *arg)
{
	outcome_of(o, syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, 0, 0));
}

static void key_ring(struct outcome *o, char *const *arg)
{
	outcome_of(o, syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 1));
}

static void key_add(struct outcome *o, char *const *arg)
{
	outcome_of(o, syscall(SYS_add_key, "user", "attempt", "x", 1, KEY_SPEC_PROCESS_KEYRING));
}

static void key_request(struct outcome *o, char *const *arg)
{
	outcome_reached(o, syscall(SYS_request_key, "user", "attempt-nowhere", NULL, 0));
}

static void descriptor_table(struct outcome *o, char *const *arg)
{
#ifdef SYS_modify_ldt
	char table[64];

	outcome_of(o, syscall(SYS_modify_ldt, 0, table, sizeof(table)));
#else
	outcome_set(o, "BLOCKED ENOSYS");
#endif
}

static void no_randomisation(struct outcome *o, char *const *arg)
{
	outcome_of(o, personality(ADDR_NO_RANDOMIZE));
}

static void executable_reads(struct outcome *o, char *const *arg)
{
	outcome_of(o, personality(READ_IMPLIES_EXEC));
}

static void tracer(struct outcome *o, char *const *arg)
{
	outcome_reached(o, prctl(PR_SET_PTRACER, 1, 0, 0, 0));
}

static void watch_files(struct outcome *o, char *const *arg)
{
	outcome_of(o, fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_FID, O_RDONLY));
}

static void clock_adjust(struct outcome *o, char *const *arg)
{
	struct timex t = { .modes = 0 };

	outcome_of(o, syscall(SYS_adjtimex, &t));
}

/* A filter of one's own that allows all: filters only ever add up. */
static void looser_filter(struct outcome *o, char *const *arg)
{
	struct sock_filter all[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	struct sock_fprog prog = { .len = 1, .filter = all };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0)
		outcome_set(o, "NO FILTER %s", strerrorname_np(errno));
	else
		unshare_user(o, arg);
}

static void raise_capability(struct outcome *o, char *const *arg)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {
		{ .effective = 1u << CAP_SYS_ADMIN, .permitted = 1u << CAP_SYS_ADMIN, .inheritable = 0 }
	};

	outcome_of(o, syscall(SYS_capset, &header, sets));
}

static void become_root(struct outcome *o, char *const *arg)
{
	outcome_of(o, setresuid(0, 0, 0));
}

/* Either answer of the terminal's own code shows that it was asked. */
static void push_character(struct outcome *o, char *const *arg)
{
	outcome_reached(o, ioctl(0, TIOCSTI, "x"));
}

static void push_character_dirty(struct outcome *o, char *const *arg)
{
	outcome_reached(o, syscall(SYS_ioctl, 0, DIRTY | TIOCSTI, "x"));
}

static void console(struct outcome *o, char *const *arg)
{
	char command = TIOCL_GETFGCONSOLE;

	outcome_reached(o, ioctl(0, TIOCLINUX, &command));
}

const struct attempt attempts_calls[] = {
	{ "unshare-user", unshare_user },
	{ "unshare-mount", unshare_mount },
	{ "unshare-time", unshare_time },
	{ "clone-user", clone_user },
	{ "clone-user-dirty", clone_user_dirty },
	{ "clone3-user", clone3_user },
	{ "setns", join_namespace },
	{ "mount", mount_tmpfs, 1 },
	{ "umount", unmount, 1 },
	{ "pivot-root", pivot },
	{ "chroot", change_root },
	{ "mount-setattr", mount_attributes, 1 },
	{ "open-tree", clone_tree },
	{ "fsopen", open_filesystem },
	{ "sethostname", host_name },
	{ "io-uring", io_uring },
	{ "int-0x80", int_0x80 },
	{ "x32", x32 },
	{ "unmentioned", unmentioned },
	{ "bpf", bpf },
	{ "perf", perf },
	{ "userfaultfd", user_fault },
	{ "ptrace", ptrace_child },
	{ "vm-read", vm_read },
	{ "vm-write", vm_write },
	{ "pidfd-getfd", pidfd_take },
	{ "kcmp", compare },
	{ "keyctl", key_ring },
	{ "add-key", key_add },
	{ "request-key", key_request },
	{ "modify-ldt", descriptor_table },
	{ "no-randomisation", no_randomisation },
	{ "read-implies-exec", executable_reads },
	{ "set-ptracer", tracer },
	{ "fanotify", watch_files },
	{ "adjtimex", clock_adjust },
	{ "looser-filter", looser_filter },
	{ "capset", raise_capability },
	{ "setuid-root", become_root },
	{ "tiocsti", push_character },
	{ "tiocsti-dirty", push_character_dirty },
	{ "tioclinux", console },
	{ NULL },
};
