/* SPDX-License-Identifier: Apache-2.0 */
/* clone - the step from the caller's world into the namespaces, and the ties that are left to it */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/io.h"
#include "enter/enter.h"
#include "wire/fds.h"

/* A PID 1 that the supervisor does not know of must not live. */
static int announce(int pidfd, pid_t pid, int done)
{
	struct report r = { .type = REPORT_INIT, .pid = pid };
	int e = enter_tell(ENTER_FD_REPORT, &r, &pidfd, 1);

	if (e == 0)
		e = io_write_full(done, "", 1);
	if (e < 0)
		(void)syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	return e;
}

int stage_clone(struct enter *e)
{
	int pidfd = -1, announced[2];
	struct clone_args args = {
		.flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
			 CLONE_PIDFD | CLONE_PARENT,
		.pidfd = (uintptr_t)&pidfd,
	};
	long pid;

	if (pipe2(announced, O_CLOEXEC) < 0)
		return -errno;
	/* The exit signal is the parent's own: CLONE_PARENT takes no other. */
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		return -errno;
	if (pid > 0)
		return announce(pidfd, (pid_t)pid, announced[1]);
	close(announced[1]);
	e->announced = announced[0];
	e->who = ENTER_INIT;
	return 0;
}

int enter_await_announced(struct enter *e)
{
	char byte;
	ssize_t n;

	if (e->announced < 0)
		return 0;
	do
		n = read(e->announced, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		return n < 0 ? -errno : -ECONNRESET;
	close(e->announced);
	e->announced = -1;
	return 0;
}

/* The end of file on the report socket is the truth about the supervisor's death; this is the backup. */
int stage_lifeline(struct enter *e)
{
	return prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ? -errno : 0;
}
