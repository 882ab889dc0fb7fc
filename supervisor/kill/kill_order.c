/* SPDX-License-Identifier: Apache-2.0 */
/* kill_order - see kill_order.h */
#include "supervisor/kill/kill_order.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include "base/fs.h"

/* In the middle of an answer: the words are those of the protocol. */
static const char OBEYED[] = "obeyed", NOT_MEANT[] = "not-meant";
_Static_assert(AUDIT_SESSION_ID_LEN + 1 + sizeof(NOT_MEANT) <= KILL_HINT_SIZE, "an answer fits");

/* Whatever the length of the runtime directory's path, this fits: unix(7) has 108 bytes. */
static void address_of(int dir, const char *name, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d/%s", dir, name);
}

void kill_order_done(struct kill_order *o)
{
	kill_entry_done(&o->entry);
	if (o->answer >= 0)
		close(o->answer);
	o->answer = -1;
}

int kill_order_listen(int dir, const char *id, int *ret)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un to;
	char name[64];
	const int on = 1;

	snprintf(name, sizeof(name), "%s.kill", id);
	address_of(dir, name, &to);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0 ||
		bind(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	*ret = steal_fd(&fd);
	return 0;
}

void kill_order_forget(int dir, const char *id, int sock)
{
	char name[64];

	snprintf(name, sizeof(name), "%s.kill", id);
	unlinkat(dir, name, 0);
	close(sock);
}

/* --- messages with what the kernel says beside them --- */

union room {
	char bytes[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
	struct cmsghdr align;
};

/* Takes the first descriptor, closes any other. */
static void take_descriptors(const struct cmsghdr *c, int *ret)
{
	size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

	for (size_t i = 0; i < n; i++) {
		int fd;
		memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
		if (*ret < 0)
			*ret = fd;
		else
			close(fd);
	}
}

static void take_beside(struct msghdr *m, int *ret_fd, struct ucred *ret_who)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_RIGHTS)
			take_descriptors(c, ret_fd);
		else if (c->cmsg_type == SCM_CREDENTIALS && ret_who)
			memcpy(ret_who, CMSG_DATA(c), sizeof(*ret_who));
	}
}

/* Returns the length, -errno; -EMSGSIZE when it was cut. */
static long receive(int sock, void *p, size_t n, int *ret_fd, struct ucred *ret_who)
{
	union room room = { 0 };
	struct iovec v = { p, n };
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1, .msg_control = room.bytes, .msg_controllen = sizeof(room.bytes)
	};
	ssize_t got = recvmsg(sock, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	*ret_fd = -1;
	if (got < 0)
		return -errno;
	take_beside(&m, ret_fd, ret_who);
	if (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		if (*ret_fd >= 0)
			close(steal_fd(ret_fd));
		return -EMSGSIZE;
	}
	return got;
}

static int send_beside(int sock, const struct sockaddr_un *to, const void *p, size_t n, int fd)
{
	union room room = { 0 };
	struct iovec v = { (void *)(uintptr_t)p, n };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

	if (to) {
		m.msg_name = (void *)(uintptr_t)to;
		m.msg_namelen = sizeof(*to);
	}
	if (fd >= 0) {
		m.msg_control = room.bytes;
		m.msg_controllen = CMSG_SPACE(sizeof(fd));
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	return sendmsg(sock, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* --- the session's side --- */

static int take_order(const char *bytes, size_t n, struct kill_order *ret)
{
	int r;

	if (n < 1 || (bytes[0] != KILL_ORDER_KILL && bytes[0] != KILL_ORDER_LOOK))
		return -EPROTO;
	ret->verb = (enum kill_verb)bytes[0];
	r = kill_entry_parse(bytes + 1, n - 1, &ret->entry);
	return r == KILL_DAMAGED ? -EPROTO : r;
}

int kill_order_receive(int sock, uid_t uid, struct kill_order *ret)
{
	_cleanup_kill_order_ struct kill_order o = { .answer = -1 };
	struct ucred who = { .uid = (uid_t)-1 };
	char bytes[KILL_FILE_MAX + 1];
	long n = receive(sock, bytes, sizeof(bytes), &o.answer, &who);
	int r = n < 0 ? (int)n : 0;

	if (r == 0)
		r = who.uid == 0 || who.uid == uid ? take_order(bytes, (size_t)n, &o) : -EPROTO;
	if (r < 0)
		return r == -EMSGSIZE ? -EPROTO : r;
	o.entry.origin = who.uid == 0 ? KILL_BY_ROOT : KILL_BY_USER;
	*ret = o;
	o = (struct kill_order){ .answer = -1 };
	return 0;
}

/* fcntl(2) asks no file system, whatever it is that came. */
static bool is_pipe(int fd)
{
	return fcntl(fd, F_GETPIPE_SZ) > 0;
}

static void write_hint(int fd, const char text[KILL_HINT_SIZE])
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	/* Whoever ordered may have taken O_NONBLOCK away. */
	if (poll(&p, 1, 0) == 1 && p.revents == POLLOUT)
		(void)!write(fd, text, KILL_HINT_SIZE);
}

void kill_order_answer(const struct kill_order *o, const char *id, enum kill_answer answer, int init)
{
	char text[KILL_HINT_SIZE] = "";

	if (o->answer < 0)
		return;
	snprintf(text, sizeof(text), "%s %s", id, answer == KILL_OBEYED ? OBEYED : NOT_MEANT);
	if (is_pipe(o->answer))
		write_hint(o->answer, text);
	else
		(void)!send_beside(o->answer, NULL, text, strlen(text), init);
}

/* --- the side of who kills --- */

/* A link there could lead an order of root's to any socket of the machine, and whose file system is mounted there is
 * asked by fstat(2). */
static int open_socket(int dir, const char *name, int *ret)
{
	_cleanup_close_ int fd =
		fs_openat2(dir, name, O_PATH | O_NOFOLLOW, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
	struct stat at, above;

	if (fd < 0)
		return fd;
	if (fstat(fd, &at) < 0 || fstat(dir, &above) < 0)
		return -errno;
	if (!S_ISSOCK(at.st_mode) || at.st_uid != above.st_uid)
		return -EPERM;
	*ret = steal_fd(&fd);
	return 0;
}

int kill_order_send(int sock, int dir, const char *name, enum kill_verb verb, const char *entry, int answer)
{
	_cleanup_close_ int at = -1;
	char bytes[KILL_FILE_MAX + 1];
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int r = open_socket(dir, name, &at);
	int n = snprintf(bytes, sizeof(bytes), "%c%s", (char)verb, entry);

	if (n < 0 || (size_t)n >= sizeof(bytes))
		return -E2BIG;
	if (r < 0)
		return r;
	snprintf(to.sun_path, sizeof(to.sun_path), "/proc/self/fd/%d", at);
	return send_beside(sock, &to, bytes, (size_t)n, answer);
}

/* text has a NUL behind its n bytes. */
static int read_answer(char *text, size_t n, char ret_id[AUDIT_SESSION_ID_LEN + 1], enum kill_answer *ret)
{
	const char *words = text + AUDIT_SESSION_ID_LEN + 1;

	if (n <= AUDIT_SESSION_ID_LEN || text[AUDIT_SESSION_ID_LEN] != ' ' ||
		(strcmp(words, OBEYED) != 0 && strcmp(words, NOT_MEANT) != 0))
		return -EPROTO;
	text[AUDIT_SESSION_ID_LEN] = '\0';
	memcpy(ret_id, text, AUDIT_SESSION_ID_LEN + 1);
	*ret = strcmp(words, OBEYED) == 0 ? KILL_OBEYED : KILL_NOT_MEANT;
	return 0;
}

int kill_order_take_answer(int sock, char ret_id[AUDIT_SESSION_ID_LEN + 1], enum kill_answer *ret, int *ret_init)
{
	char text[KILL_ANSWER_SIZE];
	long n = receive(sock, text, sizeof(text) - 1, ret_init, NULL);
	int r;

	if (n == 0)
		return -ECONNRESET;
	if (n < 0)
		return (int)n;
	text[n] = '\0';
	r = read_answer(text, (size_t)n, ret_id, ret);
	if (r < 0 && *ret_init >= 0)
		close(steal_fd(ret_init));
	return r;
}

int kill_order_hints(int ret[2])
{
	return pipe2(ret, O_CLOEXEC | O_NONBLOCK) < 0 ? -errno : 0;
}

int kill_order_take_hint(int fd, char ret_id[AUDIT_SESSION_ID_LEN + 1], enum kill_answer *ret)
{
	char text[KILL_HINT_SIZE + 1];
	ssize_t n = read(fd, text, KILL_HINT_SIZE);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	return n == KILL_HINT_SIZE ? read_answer(text, (size_t)n, ret_id, ret) : -EPROTO;
}
