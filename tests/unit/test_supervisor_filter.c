/* SPDX-License-Identifier: Apache-2.0 */
/* test_supervisor_filter - the supervisor's own filter in force, in a process that then tries what it must not do any
 * more
 *
 * Each attempt runs twice, in a child of its own: without the filter it must come to something else than EPERM, so that
 * a call which this machine forbids anyway shows nothing. */
#include "tests/unit/unit.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "profiles/seccomp_filters.h"

enum { CANNOT_LOAD = 255 };

static long try_ptrace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static long try_inet(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static long try_unix(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static long try_connect(void)
{
	return connect(-1, NULL, 0);
}

static long try_bind(void)
{
	return bind(-1, NULL, 0);
}

static long try_accept(void)
{
	return accept4(-1, NULL, NULL, SOCK_CLOEXEC);
}

static long try_mount(void)
{
	return mount(NULL, "/nonexistent-directory", "tmpfs", 0, NULL);
}

static long try_chroot(void)
{
	return chroot("/nonexistent-directory");
}

static long try_execve(void)
{
	char *none[] = { NULL };

	return execve("/nonexistent-program", none, none);
}

static long try_execveat(void)
{
	char *none[] = { NULL };

	return syscall(SYS_execveat, -1, "nonexistent-program", none, none, 0);
}

static long try_fork(void)
{
	long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	return pid;
}

static long try_unshare(void)
{
	return unshare(CLONE_FS);
}

static long try_setns(void)
{
	return setns(-1, 0);
}

static long try_map_executable(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0;
}

static long try_make_executable(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? 0 : mprotect(p, 4096, PROT_READ | PROT_EXEC);
}

static long try_read_memory(void)
{
	return process_vm_readv(getpid(), NULL, 0, NULL, 0, 0);
}

static long try_prctl(void)
{
	return prctl(PR_GET_DUMPABLE);
}

static long try_setuid(void)
{
	return syscall(SYS_setuid, getuid());
}

static long try_symlink(void)
{
	return symlinkat("to", -1, "from");
}

static long try_owner_signal(void)
{
	return fcntl(STDIN_FILENO, F_SETOWN, getpid());
}

static long try_keys(void)
{
	return syscall(SYS_add_key, NULL, NULL, NULL, 0, 0);
}

static const struct {
	const char *what;
	long (*attempt)(void);
} forbidden[] = {
	{ "being traced", try_ptrace },
	{ "a socket of the network", try_inet },
	{ "a UNIX socket", try_unix },
	{ "a connection", try_connect },
	{ "an address of its own", try_bind },
	{ "taking connections", try_accept },
	{ "a mount", try_mount },
	{ "another root", try_chroot },
	{ "a program", try_execve },
	{ "a program by descriptor", try_execveat },
	{ "a process", try_fork },
	{ "a namespace", try_unshare },
	{ "another's namespace", try_setns },
	{ "executable memory", try_map_executable },
	{ "memory made executable", try_make_executable },
	{ "another's memory", try_read_memory },
	{ "prctl", try_prctl },
	{ "another user", try_setuid },
	{ "a symbolic link", try_symlink },
	{ "signals by descriptor", try_owner_signal },
	{ "the kernel's keys", try_keys },
};

/* The error of the attempt, 0 for none. */
static int outcome(long (*attempt)(void), bool filtered)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (filtered &&
			(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || seccomp_load(&seccomp_filter_supervisor) < 0))
			_exit(CANNOT_LOAD);
		_exit(attempt() < 0 ? errno : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status))
		fail_msg("killed by signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

static void what_the_supervisor_must_not_do_any_more_is_refused_by_the_kernel(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(forbidden); i++) {
		if (outcome(forbidden[i].attempt, false) == EPERM)
			fail_msg("%s: this machine refuses it without the filter too", forbidden[i].what);
		int error = outcome(forbidden[i].attempt, true);
		if (error != EPERM)
			fail_msg("%s: %s", forbidden[i].what, error ? strerror(error) : "it was allowed");
	}
}

/* What its loop lives on: one call of each kind. */
static long keep_working(void)
{
	char path[] = "/tmp/stockade-filter-XXXXXX", byte;
	int fd = mkstemp(path), pipe_fds[2];
	struct pollfd p = { fd, POLLIN, 0 };
	bool done = fd >= 0 && write(fd, "x", 1) == 1 && fdatasync(fd) == 0 && pread(fd, &byte, 1, 0) == 1 &&
		    poll(&p, 1, 0) >= 0 && fchmod(fd, 0400) == 0 && unlink(path) == 0 &&
		    pipe2(pipe_fds, O_CLOEXEC) == 0 && syscall(SYS_pidfd_open, getpid(), 0) >= 0 &&
		    kill(getpid(), 0) == 0;

	return done ? 0 : -1;
}

static void what_its_loop_needs_stays(void **state)
{
	assert_int_equal(outcome(keep_working, false), 0);
	assert_int_equal(outcome(keep_working, true), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_supervisor_must_not_do_any_more_is_refused_by_the_kernel),
		cmocka_unit_test(what_its_loop_needs_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
