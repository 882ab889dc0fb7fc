/* SPDX-License-Identifier: Apache-2.0 */
/* log_open - see log_open.h */
#include "supervisor/log/log_open.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include "audit/remote.h"
#include "supervisor/role.h"

static int refuse(const struct policy *p, int error, const char *why, struct diag *d)
{
	return diag_fail(d, error,
		"%s wants records with the collector, and " COLLECTOR_SOCKET
		" %s; nothing runs unrecorded, so nothing is "
		"started. Ask who manages this machine: systemctl enable --now stockade-collector.socket",
		p->audit.where, why);
}

/* Who listens: systemd, as root. Another user's program in its place would get the records, and could lose them. */
static int check_listener(int sock, const struct policy *p, struct diag *d)
{
	struct ucred c;
	socklen_t n = sizeof(c);

	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &c, &n) < 0)
		return refuse(p, -errno, strerror(errno), d);
	return c.uid == 0 ? 0 : refuse(p, -EPERM, "is not root's", d);
}

int log_collector_connect(const struct policy *p, int *ret, struct diag *d)
{
	const struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = COLLECTOR_SOCKET };
	const struct timeval wait = { .tv_sec = REMOTE_WAIT_S };
	_cleanup_close_ int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int r;

	if (sock < 0 || setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) < 0)
		return refuse(p, -errno, strerror(errno), d);
	if (connect(sock, (const struct sockaddr *)&to, sizeof(to)) < 0)
		return refuse(p, -errno,
			errno == ENOENT		? "is not there"
			: errno == ECONNREFUSED ? "has nobody listening"
			: errno == EAGAIN	? "takes no connection"
						: strerror(errno),
			d);
	r = check_listener(sock, p, d);
	if (r == 0)
		*ret = steal_fd(&sock);
	return r;
}

static int open_remote(const struct policy *p, const struct audit_identity *id, struct audit **ret, struct diag *d)
{
	int sock = -1;
	int r = log_collector_connect(p, &sock, d);

	return r < 0 ? r : audit_open(&(struct audit_options){ .dirfd = -1, .sender = sock }, id, ret, d);
}

int log_open(const struct paths *p, const struct policy *policy, const struct audit_identity *id, struct audit **ret,
	struct diag *d)
{
	_cleanup_close_ int state = -1, dir = -1;
	_cleanup_log_key_ struct log_key key = { .id = "" };
	int r;

	if (policy->audit.collector)
		return open_remote(policy, id, ret, d);
	r = paths_open_state(p, "audit", &dir, d);
	if (r == 0)
		r = paths_open_state(p, "", &state, d);
	if (r == 0)
		r = log_key_take(state, &key, d);
	return r < 0 ? r : audit_open(&(struct audit_options){ .dirfd = dir, .key = &key }, id, ret, d);
}
