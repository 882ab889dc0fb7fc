/* SPDX-License-Identifier: Apache-2.0 */
/* server - PID 2: from the fork to the server's first instruction; and what PID 1 does of the same stages */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/io.h"
#include "enter/enter.h"
#include "profiles/seccomp_filters.h"
#include "wire/fds.h"

/* Tables of what a server may use up; the plan gives the rest. */
/* CORE_BYTES: 0 does not keep a dump from a handler that core_pattern pipes it to, outside and as root, which logs
 * command line and environment; 1 is what the kernel takes for "none at all" (fs/coredump.c), and no file is that
 * short. */
enum { CORE_BYTES = 1, MSGQUEUE_BYTES = 819200, MEMLOCK_BYTES = 8 << 20 };

static int become_server(struct enter *e, int channel)
{
	sigset_t none;

	e->who = ENTER_SERVER;
	e->channel = channel;
	sigemptyset(&none);
	/* A session of its own: kill(0) of the server is not for PID 1. */
	if (setsid() < 0 || sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		return -errno;
	/* Built with 0; the server gets the caller's, as it would without us. */
	umask(e->umask);
	return 0;
}

int stage_fork(struct enter *e)
{
	int ends[2], r = enter_await_announced(e);
	pid_t pid;

	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	close(ends[pid == 0 ? 0 : 1]);
	if (pid == 0)
		return become_server(e, ends[1]);
	e->server = pid;
	e->channel = ends[0];
	return 0;
}

int stage_rlimits(struct enter *e)
{
	const struct {
		__rlimit_resource_t what;
		const char *name;
		rlim_t value;
	} limits[] = {
		{ RLIMIT_CORE, "core", CORE_BYTES },
		{ RLIMIT_NOFILE, "nofile", e->plan.limits.files },
		{ RLIMIT_MSGQUEUE, "msgqueue", MSGQUEUE_BYTES },
		{ RLIMIT_MEMLOCK, "memlock", MEMLOCK_BYTES },
		/* One more for PID 1, which counts in this user namespace too. */
		{ RLIMIT_NPROC, "nproc", e->plan.limits.processes + 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		struct rlimit now, want = { limits[i].value, limits[i].value };
		if (getrlimit(limits[i].what, &now) < 0)
			return enter_fail(e, -errno, limits[i].name);
		/* The caller's own ceiling may be lower; it cannot and shall not be raised. */
		if (want.rlim_max > now.rlim_max)
			want.rlim_cur = want.rlim_max = now.rlim_max;
		if (setrlimit(limits[i].what, &want) < 0)
			return enter_fail(e, -errno, limits[i].name);
	}
	return 0;
}

static void sort_ints(int *v, size_t n)
{
	for (size_t i = 1; i < n; i++)
		for (size_t j = i; j > 0 && v[j - 1] > v[j]; j--) {
			int swap = v[j];
			v[j] = v[j - 1];
			v[j - 1] = swap;
		}
}

/* PID 1 keeps none of the server's pipes: their ends must be the server's alone for an end of file to mean anything. */
int stage_descriptors(struct enter *e)
{
	int of_init[] = { ENTER_FD_REPORT, e->channel, e->signals };

	if (e->who == ENTER_SERVER)
		return io_close_except(3, &e->channel, 1);
	sort_ints(of_init, ARRAY_LEN(of_init));
	return io_close_except(0, of_init, ARRAY_LEN(of_init));
}

int stage_cwd(struct enter *e)
{
	return chdir(e->plan.cwd) < 0 ? enter_fail(e, -errno, e->plan.cwd) : 0;
}

static const struct {
	const char *name;
	const struct seccomp_filter *plain, *with_unix;
} sets[] = {
	{ "default", &seccomp_filter_default, &seccomp_filter_default_unix },
	{ "browser", &seccomp_filter_browser, &seccomp_filter_browser_unix },
};

int stage_seccomp(struct enter *e)
{
	if (e->who == ENTER_INIT)
		return seccomp_load(&seccomp_filter_init);
	for (size_t i = 0; i < ARRAY_LEN(sets); i++)
		if (strcmp(sets[i].name, e->plan.seccomp) == 0)
			return seccomp_load(e->plan.allow_unix ? sets[i].with_unix : sets[i].plain);
	return enter_fail(e, -EINVAL, e->plan.seccomp);
}

int stage_exec(struct enter *e)
{
	struct report ready = { .type = REPORT_READY, .landlock = e->landlock };
	char byte;
	ssize_t n;
	int r = enter_tell(e->channel, &ready, NULL, 0);

	if (r < 0)
		return r;
	do
		n = read(e->channel, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		return n < 0 ? -errno : -ECANCELED;
	execve(e->plan.exec_path, e->plan.argv.v, e->plan.envp.v ? e->plan.envp.v : (char *[]){ NULL });
	return enter_fail(e, -errno, e->plan.exec_path);
}
