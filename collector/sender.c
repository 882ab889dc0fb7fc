/* SPDX-License-Identifier: Apache-2.0 */
/* sender - see sender.h */
#include "collector/sender.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/names.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5; Debian 12's headers are older */
#endif

int sender_read(int sock, struct sender *ret)
{
	struct ucred c;
	socklen_t n = sizeof(c);
	int pidfd = -1;

	*ret = (struct sender){ .pidfd = -1 };
	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &c, &n) < 0)
		return -errno;
	ret->uid = c.uid;
	ret->gid = c.gid;
	ret->pid = c.pid;
	snprintf(ret->uid_text, sizeof(ret->uid_text), "%u", c.uid);
	snprintf(ret->pid_text, sizeof(ret->pid_text), "%d", c.pid);
	sender_set_owner(ret, c.uid);
	n = sizeof(pidfd);
	if (getsockopt(sock, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &n) == 0) {
		ret->pidfd = pidfd;
		if (fcntl(pidfd, F_SETFD, FD_CLOEXEC) < 0)
			return -errno;
	} else if (errno != ENOPROTOOPT) {
		return -errno; /* it is gone already */
	}
	return 0;
}

void sender_set_owner(struct sender *s, uid_t owner)
{
	s->owner = owner;
	snprintf(s->owner_text, sizeof(s->owner_text), "%u", owner);
}

static int user_name(uid_t uid, char **ret)
{
	int r = names_user(uid, ret, NULL);

	return r == 0 && !*ret && asprintf(ret, "%u", uid) < 0 ? -ENOMEM : r;
}

static int groups_name(int sock, gid_t primary, char **ret)
{
	gid_t list[NAMES_GROUPS_MAX];
	socklen_t n = sizeof(list);
	bool many = getsockopt(sock, SOL_SOCKET, SO_PEERGROUPS, list, &n) < 0;

	if (many && errno != ERANGE)
		return -errno;
	return names_groups(primary, list, many ? 0 : n / sizeof(*list), many, ret);
}

int sender_name(int sock, struct sender *s)
{
	int r = user_name(s->uid, &s->user);

	return r < 0 ? r : groups_name(sock, s->gid, &s->groups);
}

void sender_done(struct sender *s)
{
	if (s->pidfd >= 0)
		close(s->pidfd);
	free(s->user);
	free(s->groups);
	*s = (struct sender){ .pidfd = -1 };
}
