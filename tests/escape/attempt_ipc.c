/* SPDX-License-Identifier: Apache-2.0 */
/* attempt_ipc - other programs of the same user: by socket, by System V and POSIX objects */
#include "tests/escape/attempt.h"
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdint.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "base/parse.h"

static key_t key_of(const char *text)
{
	uint64_t key = 0;

	return parse_u64(text, 1, INT32_MAX, &key) < 0 ? 1 : (key_t)key;
}

/* '@' at the start stands for the NUL of the abstract name space. */
static socklen_t unix_address(struct sockaddr_un *ret, const char *name)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(ret->sun_path, sizeof(ret->sun_path), "%s", name);
	if (name[0] != '@')
		return sizeof(*ret);
	ret->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
}

static void unix_connect(struct outcome *o, char *const *arg)
{
	struct sockaddr_un a;
	socklen_t n = unix_address(&a, arg[0]);
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	outcome_of(o, s < 0 ? -1 : connect(s, (struct sockaddr *)&a, n));
}

/* A pair is two sockets that may be pointed elsewhere: datagram ones without a question. */
static void retarget(struct outcome *o, char *const *arg, int type)
{
	struct sockaddr_un a;
	socklen_t n = unix_address(&a, arg[0]);
	int pair[2];

	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair) < 0)
		outcome_of(o, -1);
	else
		outcome_of(o, sendto(pair[0], "x", 1, MSG_NOSIGNAL, (struct sockaddr *)&a, n) < 0 ||
					      connect(pair[0], (struct sockaddr *)&a, n) < 0
				      ? -1
				      : 0);
}

static void retarget_datagram(struct outcome *o, char *const *arg)
{
	retarget(o, arg, SOCK_DGRAM);
}

/* A pair sent over itself and bound to a name: a way for others to come in. */
static void pair_bind(struct outcome *o, char *const *arg)
{
	struct sockaddr_un a;
	socklen_t n = unix_address(&a, arg[0]);
	int pair[2];

	outcome_of(o, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0
			      ? -1
			      : bind(pair[0], (struct sockaddr *)&a, n));
}

static void shared_memory(struct outcome *o, char *const *arg)
{
	outcome_of(o, shmget(key_of(arg[0]), 0, 0));
}

static void message_queue(struct outcome *o, char *const *arg)
{
	outcome_of(o, msgget(key_of(arg[0]), 0));
}

static void semaphores(struct outcome *o, char *const *arg)
{
	outcome_of(o, semget(key_of(arg[0]), 0, 0));
}

static void posix_queue(struct outcome *o, char *const *arg)
{
	outcome_of(o, mq_open(arg[0], O_RDONLY));
}

static void posix_memory(struct outcome *o, char *const *arg)
{
	outcome_of(o, shm_open(arg[0], O_RDWR | O_CLOEXEC, 0));
}

const struct attempt attempts_ipc[] = {
	{ "unix-connect", unix_connect, 1 },
	{ "retarget-datagram", retarget_datagram, 1 },
	{ "pair-bind", pair_bind, 1 },
	{ "sysv-memory", shared_memory, 1 },
	{ "sysv-queue", message_queue, 1 },
	{ "sysv-semaphores", semaphores, 1 },
	{ "posix-queue", posix_queue, 1 },
	{ "posix-memory", posix_memory, 1 },
	{ NULL },
};
