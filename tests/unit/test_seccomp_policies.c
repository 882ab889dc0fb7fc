/* SPDX-License-Identifier: Apache-2.0 */
/* test_seccomp_policies - what the compiled filters answer, by a small interpreter of their bytes (no kernel involved)
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <cmocka.h>
#include "profiles/seccomp_filters.h"

#define ALLOW	  SECCOMP_RET_ALLOW
#define KILL	  SECCOMP_RET_KILL_PROCESS
#define DENY(err) (SECCOMP_RET_ERRNO | (err))
#define DIRTY	  0xdead00000000ULL
#define X32_BIT	  0x40000000

enum { STEPS_MAX = 100000 };

static bool jumps(unsigned short code, uint32_t a, uint32_t k)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		return a == k;
	case BPF_JGT:
		return a > k;
	case BPF_JGE:
		return a >= k;
	case BPF_JSET:
		return a & k;
	}
	fail_msg("jump 0x%x", code);
	return false;
}

/* linux/filter.h, as far as seccomp(2) allows it and libseccomp uses it. */
static uint32_t run(const struct seccomp_filter *f, const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (size_t pc = 0, steps = 0; pc < f->len && steps < STEPS_MAX; pc++, steps++) {
		const struct sock_filter *i = &f->code[pc];
		switch (BPF_CLASS(i->code)) {
		case BPF_LD:
			assert_true(i->k + sizeof(a) <= sizeof(*data));
			memcpy(&a, (const char *)data + i->k, sizeof(a));
			break;
		case BPF_ALU:
			assert_int_equal(i->code, BPF_ALU | BPF_AND | BPF_K);
			a &= i->k;
			break;
		case BPF_JMP:
			pc += BPF_OP(i->code) == BPF_JA ? i->k : jumps(i->code, a, i->k) ? i->jt : i->jf;
			break;
		case BPF_RET:
			return i->k;
		default:
			fail_msg("instruction 0x%x", i->code);
		}
	}
	fail_msg("%s: ran off the end", f->name);
	return 0;
}

struct row {
	const struct seccomp_filter *filter;
	long nr;
	uint64_t args[3];
	uint32_t want;
};

static void check_rows(const struct row *rows, size_t n, uint32_t arch)
{
	for (size_t i = 0; i < n; i++) {
		struct seccomp_data d = { .nr = (int)rows[i].nr, .arch = arch };
		memcpy(d.args, rows[i].args, sizeof(rows[i].args));
		uint32_t got = run(rows[i].filter, &d);
		if (got != rows[i].want)
			fail_msg("%s: call %ld (%#jx, %#jx, %#jx): %#x, not %#x", rows[i].filter->name, rows[i].nr,
				(uintmax_t)rows[i].args[0], (uintmax_t)rows[i].args[1], (uintmax_t)rows[i].args[2], got,
				rows[i].want);
	}
}

#define DEFAULT	     &seccomp_filter_default
#define DEFAULT_UNIX &seccomp_filter_default_unix
#define BROWSER	     &seccomp_filter_browser
#define BROWSER_UNIX &seccomp_filter_browser_unix
#define CHECK(rows)  check_rows(rows, ARRAY_LEN(rows), AUDIT_ARCH_X86_64)

static void calls_that_runtimes_need_are_allowed(void **state)
{
	static const long calls[] = { SYS_read, SYS_write, SYS_openat, SYS_execve, SYS_mmap, SYS_futex, SYS_rseq,
		SYS_membarrier, SYS_statx, SYS_openat2, SYS_faccessat2, SYS_close_range, SYS_pidfd_open,
		SYS_pidfd_send_signal, SYS_memfd_create, SYS_pkey_alloc, SYS_pkey_mprotect, SYS_preadv2,
		SYS_copy_file_range, SYS_epoll_pwait2, SYS_futex_waitv, SYS_get_mempolicy, SYS_mincore,
		SYS_sched_setaffinity, SYS_landlock_create_ruleset, SYS_landlock_restrict_self, SYS_seccomp, SYS_clone,
		SYS_vfork, SYS_getrandom, SYS_rt_sigreturn, SYS_restart_syscall, SYS_inotify_add_watch,
		451 /* cachestat */, 452 /* fchmodat2 */ };

	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		CHECK(((struct row[]){ { DEFAULT, calls[i], { 0 }, ALLOW }, { BROWSER, calls[i], { 0 }, ALLOW } }));
}

static void what_is_known_and_forbidden_is_eperm(void **state)
{
	static const long calls[] = { SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register, SYS_ptrace,
		SYS_process_vm_readv, SYS_process_vm_writev, SYS_pidfd_getfd, SYS_kcmp, SYS_bpf, SYS_perf_event_open,
		SYS_userfaultfd, SYS_keyctl, SYS_add_key, SYS_request_key, SYS_mount, SYS_umount2, SYS_pivot_root,
		SYS_chroot, SYS_setns, SYS_unshare, SYS_open_by_handle_at, SYS_name_to_handle_at, SYS_quotactl,
		SYS_syslog, SYS_kexec_load, SYS_kexec_file_load, SYS_init_module, SYS_finit_module, SYS_delete_module,
		SYS_swapon, SYS_swapoff, SYS_reboot, SYS_acct, SYS_settimeofday, SYS_clock_settime, SYS_adjtimex };

	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		CHECK(((struct row[]){
			{ DEFAULT, calls[i], { 0 }, DENY(EPERM) }, { BROWSER_UNIX, calls[i], { 0 }, DENY(EPERM) } }));
}

static void what_nobody_thought_of_is_enosys(void **state)
{
	static const long calls[] = { SYS_clone3, SYS_fsopen, SYS_fsmount, SYS_fspick, SYS_fsconfig, SYS_open_tree,
		SYS_move_mount, SYS_mount_setattr, 457 /* statmount */, 458 /* listmount */,
		459 /* lsm_get_self_attr */, 460, 461, 600, 1000 };

	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		CHECK(((struct row[]){ { DEFAULT, calls[i], { 0 }, DENY(ENOSYS) } }));
}

static void foreign_architectures_are_killed(void **state)
{
	static const struct row rows[] = {
		{ DEFAULT, 3, { 0 }, KILL },
		{ BROWSER, 3, { 0 }, KILL },
		{ &seccomp_filter_init, 3, { 0 }, KILL },
		{ &seccomp_filter_shim, 3, { 0 }, KILL },
		{ &seccomp_filter_gateway, 3, { 0 }, KILL },
		{ &seccomp_filter_supervisor, 3, { 0 }, KILL },
	};
	static const struct row x32[] = { { DEFAULT, X32_BIT | SYS_read, { 0 }, KILL },
		{ &seccomp_filter_shim, X32_BIT | SYS_write, { 0 }, KILL } };

	check_rows(rows, ARRAY_LEN(rows), AUDIT_ARCH_I386);
	check_rows(rows, ARRAY_LEN(rows), AUDIT_ARCH_AARCH64);
	CHECK(x32);
}

static void arguments_are_compared_by_their_lower_half(void **state)
{
	static const struct row rows[] = {
		{ DEFAULT, SYS_ioctl, { 0, TIOCGWINSZ }, ALLOW },
		{ DEFAULT, SYS_ioctl, { 0, TIOCSTI }, DENY(EPERM) },
		{ DEFAULT, SYS_ioctl, { 0, DIRTY | TIOCSTI }, DENY(EPERM) },
		{ DEFAULT, SYS_ioctl, { 0, TIOCLINUX }, DENY(EPERM) },
		{ DEFAULT, SYS_ioctl, { 0, DIRTY | TIOCLINUX }, DENY(EPERM) },
		{ DEFAULT, SYS_clone, { CLONE_VM | CLONE_THREAD }, ALLOW },
		{ DEFAULT, SYS_clone, { CLONE_NEWUSER }, DENY(EPERM) },
		{ DEFAULT, SYS_clone, { DIRTY | CLONE_NEWNS | CLONE_VM }, DENY(EPERM) },
		{ DEFAULT, SYS_clone, { 0x80 /* CLONE_NEWTIME */ }, DENY(EPERM) },
		{ DEFAULT, SYS_clone, { CLONE_NEWCGROUP }, DENY(EPERM) },
		{ DEFAULT, SYS_clone, { CLONE_NEWPID }, DENY(EPERM) },
		{ DEFAULT, SYS_clone, { CLONE_NEWNET }, DENY(EPERM) },
		{ DEFAULT, SYS_clone, { CLONE_NEWIPC }, DENY(EPERM) },
		{ DEFAULT, SYS_clone, { CLONE_NEWUTS }, DENY(EPERM) },
		{ DEFAULT, SYS_personality, { 0 }, ALLOW },
		{ DEFAULT, SYS_personality, { 8 }, ALLOW },
		{ DEFAULT, SYS_personality, { 0x20000 }, ALLOW },
		{ DEFAULT, SYS_personality, { 0x20008 }, ALLOW },
		{ DEFAULT, SYS_personality, { 0xffffffff }, ALLOW },
		{ DEFAULT, SYS_personality, { 0xffffffffffffffff }, ALLOW },
		{ DEFAULT, SYS_personality, { 0x0400000 }, DENY(EPERM) },
		{ DEFAULT, SYS_personality, { 0x0040000 }, DENY(EPERM) },
		{ DEFAULT, SYS_prctl, { PR_SET_NAME }, ALLOW },
		{ DEFAULT, SYS_prctl, { PR_SET_MM }, DENY(EPERM) },
		{ DEFAULT, SYS_prctl, { DIRTY | PR_SET_MM }, DENY(EPERM) },
		{ DEFAULT, SYS_prctl, { PR_SET_PTRACER }, DENY(EPERM) },
	};

	CHECK(rows);
}

static void sockets_are_of_the_named_families_only(void **state)
{
	static const struct row rows[] = {
		{ DEFAULT, SYS_socket, { AF_INET, SOCK_STREAM }, ALLOW },
		{ DEFAULT, SYS_socket, { AF_INET6, SOCK_DGRAM }, ALLOW },
		{ DEFAULT, SYS_socket, { AF_NETLINK, SOCK_RAW, NETLINK_ROUTE }, ALLOW },
		{ DEFAULT, SYS_socket, { AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER }, DENY(EPERM) },
		{ DEFAULT, SYS_socket, { AF_UNIX, SOCK_STREAM }, DENY(EPERM) },
		{ DEFAULT, SYS_socket, { DIRTY | AF_UNIX, SOCK_STREAM }, DENY(EPERM) },
		{ DEFAULT, SYS_socket, { AF_VSOCK, SOCK_STREAM }, DENY(EPERM) },
		{ DEFAULT, SYS_socket, { AF_ALG, SOCK_SEQPACKET }, DENY(EPERM) },
		{ DEFAULT, SYS_socket, { AF_PACKET, SOCK_RAW }, DENY(EPERM) },
		{ DEFAULT, SYS_socketpair, { AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK }, ALLOW },
		{ DEFAULT, SYS_socketpair, { AF_UNIX, SOCK_SEQPACKET }, ALLOW },
		{ DEFAULT, SYS_socketpair, { AF_UNIX, SOCK_DGRAM }, DENY(EPERM) },
		{ DEFAULT, SYS_socketpair, { AF_INET, SOCK_STREAM }, DENY(EPERM) },
		{ DEFAULT_UNIX, SYS_socket, { AF_UNIX, SOCK_STREAM }, ALLOW },
		{ DEFAULT_UNIX, SYS_socket, { AF_INET, SOCK_STREAM }, ALLOW },
		{ DEFAULT_UNIX, SYS_socket, { AF_VSOCK, SOCK_STREAM }, DENY(EPERM) },
		/* Chromium's lock of its profile and Playwright's own socket are of this type; the system's log is not.
		 */
		{ BROWSER, SYS_socket, { AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK }, ALLOW },
		{ BROWSER, SYS_socket, { DIRTY | AF_UNIX, DIRTY | SOCK_STREAM }, ALLOW },
		{ BROWSER, SYS_socket, { AF_UNIX, SOCK_DGRAM }, DENY(EPERM) },
		{ BROWSER, SYS_socket, { AF_UNIX, SOCK_SEQPACKET }, DENY(EPERM) },
		{ BROWSER, SYS_socket, { AF_UNIX, SOCK_RAW }, DENY(EPERM) },
		{ BROWSER, SYS_socket, { AF_VSOCK, SOCK_STREAM }, DENY(EPERM) },
		{ BROWSER, SYS_clone, { CLONE_NEWUSER }, DENY(EPERM) },
		/* It can be connected anew to a pathname socket: AF_UNIX in all but name. */
		{ BROWSER, SYS_socketpair, { AF_UNIX, SOCK_DGRAM }, DENY(EPERM) },
		{ BROWSER_UNIX, SYS_socketpair, { AF_UNIX, SOCK_DGRAM }, ALLOW },
		{ BROWSER_UNIX, SYS_socket, { AF_UNIX, SOCK_STREAM }, ALLOW },
		{ BROWSER_UNIX, SYS_clone, { CLONE_NEWUSER }, DENY(EPERM) },
	};

	CHECK(rows);
}

static void internet_sockets_are_tcp_and_udp_alone(void **state)
{
	static const struct row rows[] = {
		{ DEFAULT, SYS_socket, { AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP }, ALLOW },
		{ DEFAULT, SYS_socket, { AF_INET6, SOCK_STREAM, IPPROTO_MPTCP }, ALLOW },
		{ DEFAULT, SYS_socket, { AF_INET6, SOCK_DGRAM, IPPROTO_UDP }, ALLOW },
		{ DEFAULT, SYS_socket, { AF_INET, SOCK_STREAM, IPPROTO_SCTP }, DENY(EPERM) },
		{ DEFAULT, SYS_socket, { AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP }, DENY(EPERM) },
		{ DEFAULT, SYS_socket, { AF_INET6, SOCK_SEQPACKET }, DENY(EPERM) },
		{ DEFAULT, SYS_socket, { AF_INET, 6 /* SOCK_DCCP */ }, DENY(EPERM) },
		{ DEFAULT, SYS_socket, { AF_INET, SOCK_STREAM, 256 /* IPPROTO_SMC */ }, DENY(EPERM) },
		{ DEFAULT, SYS_socket, { AF_INET, SOCK_RAW, IPPROTO_ICMP }, DENY(EPERM) },
		{ DEFAULT, SYS_socket, { AF_INET, SOCK_DGRAM, DIRTY | IPPROTO_UDPLITE }, DENY(EPERM) },
		{ BROWSER_UNIX, SYS_socket, { AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP }, DENY(EPERM) },
	};

	CHECK(rows);
}

static void our_own_programs_can_open_execute_and_connect_nothing(void **state)
{
	static const struct seccomp_filter *const ours[] = { &seccomp_filter_init, &seccomp_filter_shim,
		&seccomp_filter_gateway };
	static const long calls[] = { SYS_open, SYS_openat, SYS_openat2, SYS_execve, SYS_execveat, SYS_socket,
		SYS_connect, SYS_bind, SYS_listen, SYS_socketpair, SYS_clone, SYS_clone3, SYS_fork, SYS_vfork,
		SYS_ptrace, SYS_mount, SYS_unlink, SYS_rename, SYS_setns, SYS_prctl, SYS_memfd_create };
	static const long signals[] = { SYS_kill, SYS_tkill, SYS_tgkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo,
		SYS_pidfd_send_signal };

	for (size_t f = 0; f < ARRAY_LEN(ours); f++)
		for (size_t i = 0; i < ARRAY_LEN(calls); i++)
			CHECK(((struct row[]){ { ours[f], calls[i], { 0 }, DENY(EPERM) } }));
	/* PID 1 passes signals on, in a namespace of its own; the shim has nobody to send one to. */
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		CHECK(((struct row[]){ { &seccomp_filter_shim, signals[i], { 0 }, DENY(EPERM) } }));
	for (size_t i = 3; i < 14; i++)
		CHECK(((struct row[]){ { &seccomp_filter_supervisor, calls[i], { 0 }, DENY(EPERM) } }));
}

static void the_gateway_sets_of_a_socket_how_it_ends_and_nothing_else(void **state)
{
	static const struct seccomp_filter *const g = &seccomp_filter_gateway;
	static const struct row rows[] = {
		{ g, SYS_accept4, { 0 }, ALLOW },
		{ g, SYS_splice, { 0 }, ALLOW },
		{ g, SYS_setsockopt, { 0, SOL_SOCKET, SO_LINGER }, ALLOW },
		{ g, SYS_setsockopt, { 0, IPPROTO_TCP, TCP_NODELAY }, ALLOW },
		{ g, SYS_setsockopt, { 0, SOL_SOCKET, SO_ATTACH_FILTER }, DENY(EPERM) },
		{ g, SYS_setsockopt, { 0, SOL_SOCKET, SO_BINDTODEVICE }, DENY(EPERM) },
		{ g, SYS_setsockopt, { 0, IPPROTO_TCP, SO_LINGER }, DENY(EPERM) },
		{ g, SYS_setsockopt, { 0, IPPROTO_IP, TCP_NODELAY }, DENY(EPERM) },
		{ g, SYS_fcntl, { 0, F_GETFL }, ALLOW },
		{ g, SYS_fcntl, { 0, F_SETFL }, ALLOW },
		{ g, SYS_fcntl, { 0, F_SETOWN }, DENY(EPERM) },
		{ g, SYS_fcntl, { 0, F_DUPFD }, DENY(EPERM) },
	};

	CHECK(rows);
}

static void our_own_programs_map_nothing_executable(void **state)
{
	static const struct seccomp_filter *const ours[] = { &seccomp_filter_init, &seccomp_filter_shim,
		&seccomp_filter_gateway, &seccomp_filter_supervisor };

	for (size_t f = 0; f < ARRAY_LEN(ours); f++)
		CHECK(((struct row[]){
			{ ours[f], SYS_mmap, { 0, 4096, PROT_READ | PROT_WRITE }, ALLOW },
			{ ours[f], SYS_mmap, { 0, 4096, PROT_READ | PROT_EXEC }, DENY(EPERM) },
			{ ours[f], SYS_mmap, { 0, 4096, DIRTY | PROT_EXEC }, DENY(EPERM) },
			{ ours[f], SYS_mprotect, { 0, 4096, PROT_EXEC }, DENY(EPERM) },
			{ ours[f], SYS_read, { 0 }, ALLOW },
			{ ours[f], SYS_poll, { 0 }, ALLOW },
		}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_that_runtimes_need_are_allowed),
		cmocka_unit_test(what_is_known_and_forbidden_is_eperm),
		cmocka_unit_test(what_nobody_thought_of_is_enosys),
		cmocka_unit_test(foreign_architectures_are_killed),
		cmocka_unit_test(arguments_are_compared_by_their_lower_half),
		cmocka_unit_test(sockets_are_of_the_named_families_only),
		cmocka_unit_test(internet_sockets_are_tcp_and_udp_alone),
		cmocka_unit_test(our_own_programs_can_open_execute_and_connect_nothing),
		cmocka_unit_test(the_gateway_sets_of_a_socket_how_it_ends_and_nothing_else),
		cmocka_unit_test(our_own_programs_map_nothing_executable),
	};

	return cmocka_run_group_tests_name("seccomp_policies", tests, NULL, NULL);
}
