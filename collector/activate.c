/* SPDX-License-Identifier: Apache-2.0 */
/* activate - see activate.h */
#include "collector/activate.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include "base/parse.h"

enum { FIRST_FD = 3 /* SD_LISTEN_FDS_START */ };

static int option_of(int fd, int name)
{
	int value = -1;
	socklen_t n = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, name, &value, &n) < 0 ? -1 : value;
}

static int take_listener(int *ret, struct diag *d)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	uint64_t n;

	if (!pid || !fds || parse_u64(pid, 1, INT_MAX, &n) < 0 || n != (uint64_t)getpid())
		return diag_fail(d, -EINVAL,
			"stockade-collector is started by systemd for its socket: systemctl enable --now "
			"stockade-collector.socket");
	if (parse_u64(fds, 1, 1, &n) < 0)
		return diag_fail(d, -EINVAL, "stockade-collector takes one socket (LISTEN_FDS=1)");
	if (option_of(FIRST_FD, SO_DOMAIN) != AF_UNIX || option_of(FIRST_FD, SO_TYPE) != SOCK_SEQPACKET ||
		option_of(FIRST_FD, SO_ACCEPTCONN) != 1)
		return diag_fail(d, -EINVAL,
			"the socket of stockade-collector must be one of ListenSequentialPacket=, Accept=no");
	if (close_range(FIRST_FD + 1, UINT_MAX, 0) < 0 || fcntl(FIRST_FD, F_SETFD, FD_CLOEXEC) < 0)
		return diag_fail(d, -errno, "cannot close other descriptors: %s", strerror(errno));
	*ret = FIRST_FD;
	return 0;
}

/* A log that others can write into is none of ours. */
static int open_directory(const char *variable, int *ret, struct diag *d)
{
	const char *path = getenv(variable);
	struct stat st;

	if (!path || path[0] != '/' || strchr(path, ':'))
		return diag_fail(d, -EINVAL,
			"%s does not name one directory: its service file has LogsDirectory=stockade and "
			"StateDirectory=stockade-collector",
			variable);
	*ret = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (*ret < 0 || fstat(*ret, &st) < 0)
		return diag_fail(d, -errno, "%s cannot be opened: %s", path, strerror(errno));
	if (st.st_uid != geteuid() || (st.st_mode & 022))
		return diag_fail(
			d, -EPERM, "%s must belong to the collector's user and be writable by nobody else", path);
	return 0;
}

int activate(struct activation *ret, struct diag *d)
{
	int r = take_listener(&ret->listener, d);

	if (r == 0)
		r = open_directory("LOGS_DIRECTORY", &ret->logs, d);
	if (r == 0)
		r = open_directory("STATE_DIRECTORY", &ret->state, d);
	return r;
}
