/* SPDX-License-Identifier: Apache-2.0 */
/* attempt_peers - into a process of another program, by its number: its life, its memory, its descriptors */
#include "tests/escape/attempt.h"
#include <errno.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include "base/parse.h"

/* 0, which no attempt on a process takes, for what is no number. */
static pid_t pid_of(const char *text)
{
	uint64_t pid = 0;

	return parse_u64(text, 1, INT32_MAX, &pid) < 0 ? 0 : (pid_t)pid;
}

static void trace(struct outcome *o, char *const *arg)
{
	outcome_of(o, ptrace(PTRACE_SEIZE, pid_of(arg[0]), NULL, NULL));
}

/* EFAULT: its memory was open, and nothing is mapped at that place. */
static void outcome_of_memory(struct outcome *o, ssize_t n)
{
	outcome_of(o, n < 0 && errno == EFAULT ? 0 : n);
}

static void read_memory(struct outcome *o, char *const *arg)
{
	char here[1];
	struct iovec local = { here, 1 }, remote = { here, 1 };

	outcome_of_memory(o, process_vm_readv(pid_of(arg[0]), &local, 1, &remote, 1, 0));
}

/* At an address that nothing has: the control harms nobody. */
static void write_memory(struct outcome *o, char *const *arg)
{
	char here[1] = { 0 };
	struct iovec local = { here, 1 }, remote = { (void *)UINTPTR_MAX, 1 };

	outcome_of_memory(o, process_vm_writev(pid_of(arg[0]), &local, 1, &remote, 1, 0));
}

static void take_descriptor(struct outcome *o, char *const *arg)
{
	long pidfd = syscall(SYS_pidfd_open, pid_of(arg[0]), 0);

	outcome_of(o, pidfd < 0 ? -1 : syscall(SYS_pidfd_getfd, pidfd, 0, 0));
}

const struct attempt attempts_peers[] = {
	{ "peer-trace", trace, 1 },
	{ "peer-read", read_memory, 1 },
	{ "peer-write", write_memory, 1 },
	{ "peer-take", take_descriptor, 1 },
	{ NULL },
};
