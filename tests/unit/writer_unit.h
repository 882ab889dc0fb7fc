/* SPDX-License-Identifier: Apache-2.0 */
/* writer_unit - the process that writes a session as the collector starts it, for tests and benchmarks */
#pragma once
#include <errno.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "collector/writer.h"

/* What the user's writers count in; shared with them. */
static inline struct users_account *account_new(void)
{
	void *p = mmap(NULL, sizeof(struct users_account), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* A process, and the sender's end of its connection; like has the rest of what a writer gets. owner: whose share it
 * uses up; (uid_t)-1: its own. -errno when it cannot be started. */
static inline pid_t writer_start(const struct writer_args *like, uid_t owner, int *ret_sock)
{
	struct writer_args a = *like;
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0 || (pid = fork()) < 0)
		return -errno;
	if (pid == 0) {
		static struct sender s;
		close(pair[0]);
		if (sender_read(pair[1], &s) < 0)
			_exit(9);
		if (owner != (uid_t)-1)
			sender_set_owner(&s, owner);
		a.sock = pair[1];
		a.sender = &s;
		writer_run(&a);
	}
	close(pair[1]);
	*ret_sock = pair[0];
	return pid;
}
