/* SPDX-License-Identifier: Apache-2.0 */
/* sender - see sender.h */
#include "collector/sender.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>
#include <stdbool.h>
#include "base/buf.h"

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

static char *user_name(uid_t uid)
{
	_cleanup_fclose_ FILE *f = fopen("/etc/passwd", "re");
	const struct passwd *pw;
	char *name = NULL;

	while (f && (pw = fgetpwent(f)))
		if (pw->pw_uid == uid)
			return strdup(pw->pw_name);
	return asprintf(&name, "%u", uid) < 0 ? NULL : name;
}

static int group_append(struct buf *b, gid_t gid)
{
	_cleanup_fclose_ FILE *f = fopen("/etc/group", "re");
	const char *comma = b->len ? "," : "";
	const struct group *gr;

	while (f && (gr = fgetgrent(f)))
		if (gr->gr_gid == gid)
			return buf_printf(b, "%s%s", comma, gr->gr_name);
	return buf_printf(b, "%s%u", comma, gid);
}

static int groups_name(int sock, gid_t primary, char **ret)
{
	_cleanup_buf_ struct buf b = BUF_INIT(SENDER_GROUPS_BYTES);
	gid_t list[SENDER_GROUPS_MAX];
	socklen_t n = sizeof(list);
	int r = group_append(&b, primary);
	bool many = getsockopt(sock, SOL_SOCKET, SO_PEERGROUPS, list, &n) < 0;

	if (many && errno != ERANGE)
		return -errno;
	for (size_t i = 0; r == 0 && !many && i < n / sizeof(*list); i++)
		if (list[i] != primary)
			r = group_append(&b, list[i]);
	if (r == 0 && many)
		r = buf_puts(&b, ",...");
	if (r < 0)
		return r;
	*ret = buf_steal(&b);
	return *ret ? 0 : -ENOMEM;
}

int sender_name(int sock, struct sender *s)
{
	s->user = user_name(s->uid);
	return s->user ? groups_name(sock, s->gid, &s->groups) : -ENOMEM;
}

void sender_done(struct sender *s)
{
	if (s->pidfd >= 0)
		close(s->pidfd);
	free(s->user);
	free(s->groups);
	*s = (struct sender){ .pidfd = -1 };
}
