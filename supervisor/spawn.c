/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spawn - see spawn.h
 *
 * Theory: every descriptor that a child shall have is moved above SPAWN_FD_FLOOR first, so that putting it at its number
 * (wire/fds.h) can never overwrite another one that is still needed. All are close-on-exec; only the copy at the number is not.
 */
#include "supervisor/spawn.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "base/io.h"
#include "wire/fds.h"

enum { SPAWN_FD_FLOOR = 32, SPAWN_FDS_NEEDED = 64, SPAWN_FDS_MAX = 8 };

/* Child's number i is our descriptor fd[i]. */
struct child {
	const char *path;
	const char *name;
	int fd[SPAWN_FDS_MAX];
	size_t n;
};

static int spawn_attributes(posix_spawnattr_t *a)
{
	sigset_t all, none;

	sigfillset(&all);
	sigemptyset(&none);
	return posix_spawnattr_setsigdefault(a, &all) || posix_spawnattr_setsigmask(a, &none) ||
		posix_spawnattr_setflags(a, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
}

/* Returns 0 or a positive errno, as posix_spawn(3) does. */
static int spawn_with(const struct child *c, posix_spawn_file_actions_t *actions, posix_spawnattr_t *attr, pid_t *ret)
{
	char *argv[] = { (char *)(uintptr_t)c->name, NULL };
	char *envp[] = { NULL };
	int r = spawn_attributes(attr);

	for (size_t i = 0; r == 0 && i < c->n; i++)
		r = posix_spawn_file_actions_adddup2(actions, c->fd[i], (int)i);
	return r ? r : posix_spawn(ret, c->path, actions, attr, argv, envp);
}

static int spawn_child(const struct child *c, pid_t *ret, int *ret_pidfd, struct diag *d)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	long pidfd;
	int r;

	if (posix_spawn_file_actions_init(&actions) || posix_spawnattr_init(&attr))
		return -ENOMEM;
	r = spawn_with(c, &actions, &attr, ret);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	if (r)
		return diag_fail(d, -r, "cannot start %s: %s; reinstall stockade, its programs belong together", c->path, strerror(r));
	pidfd = syscall(SYS_pidfd_open, *ret, 0);
	if (pidfd < 0)
		return diag_fail(d, -errno, "cannot watch %s: %s", c->name, strerror(errno));
	*ret_pidfd = (int)pidfd;
	return 0;
}

/* Out of the way of the children's numbers. */
static int lift(int *fd)
{
	int high = fcntl(*fd, F_DUPFD_CLOEXEC, SPAWN_FD_FLOOR);

	if (high < 0)
		return -errno;
	close(*fd);
	*fd = high;
	return 0;
}

static int lifted_pair(int pair[2], bool socket)
{
	int r = socket ? socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) : pipe2(pair, O_CLOEXEC);

	if (r < 0) {
		pair[0] = pair[1] = -1;
		return -errno;
	}
	r = lift(&pair[0]);
	return r < 0 ? r : lift(&pair[1]);
}

struct wiring {
	int in[2], out[2], err[2]; /* pipes: [0] is read, [1] is written */
	int report[2], control[2]; /* sockets: [0] is ours */
	int plan, config;
};

static void wiring_done(struct wiring *w)
{
	int *all[] = { &w->in[0], &w->in[1], &w->out[0], &w->out[1], &w->err[0], &w->err[1], &w->report[0], &w->report[1], &w->control[0],
		&w->control[1], &w->plan, &w->config };

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (*all[i] >= 0)
			close(*all[i]);
}

static int seal(const char *name, struct wire_writer *w, int r, int *ret)
{
	if (r == 0)
		r = io_memfd_sealed(name, w->buf.data, w->buf.len, ret);
	wire_writer_done(w);
	return r < 0 ? r : lift(ret);
}

static int wire_up(const struct effective *e, struct wiring *w)
{
	struct wire_writer plan = { 0 }, config = { 0 };
	int r = seal("stockade-plan", &plan, plan_encode(&e->plan, &plan), &w->plan);

	if (r == 0)
		r = seal("stockade-shim", &config, shim_config_encode(&e->shim, &config), &w->config);
	if (r == 0)
		r = lifted_pair(w->in, false);
	if (r == 0)
		r = lifted_pair(w->out, false);
	if (r == 0)
		r = lifted_pair(w->err, false);
	if (r == 0)
		r = lifted_pair(w->report, true);
	return r < 0 ? r : lifted_pair(w->control, true);
}

/* fcntl(2): F_DUPFD is EINVAL when the limit does not reach the floor. */
static int wire_failed(int r, const char *what, struct diag *d)
{
	struct rlimit limit;

	if ((r == -EINVAL || r == -EMFILE) && getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < SPAWN_FDS_NEEDED)
		return diag_fail(d, r,
			"cannot %s: stockade may open only %llu files here and needs %d; whatever starts it lowered the limit: raise it there "
			"(ulimit -n %d, or LimitNOFILE= of a service)",
			what, (unsigned long long)limit.rlim_cur, SPAWN_FDS_NEEDED, SPAWN_FDS_NEEDED);
	return diag_fail(d, r, "cannot %s: %s", what, strerror(-r));
}

static int spawn_shim(const struct wiring *w, struct spawned *ret, struct diag *d)
{
	struct child shim = { STOCKADE_LIBEXECDIR "/stockade-shim", "stockade-shim",
		{ [0] = 0, [1] = 1, [2] = 2, [SHIM_FD_CONFIG] = w->config, [SHIM_FD_CONTROL] = w->control[1], [SHIM_FD_SERVER_IN] = w->in[1],
			[SHIM_FD_SERVER_OUT] = w->out[0], [SHIM_FD_SERVER_ERR] = w->err[0] },
		SHIM_FD_END };

	return spawn_child(&shim, &ret->shim_pid, &ret->shim_pidfd, d);
}

int spawn_session(const struct effective *e, struct spawned *ret, struct diag *d)
{
	_cleanup_(wiring_done) struct wiring w = { { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 }, -1, -1 };
	int r = wire_up(e, &w);

	*ret = (struct spawned){ -1, -1, -1, -1, -1, 0, 0, 0 };
	if (r < 0)
		return wire_failed(r, "wire up the session", d);
	struct child enter = { STOCKADE_LIBEXECDIR "/stockade-enter", "stockade-enter",
		{ [0] = w.in[0], [1] = w.out[1], [2] = w.err[1], [ENTER_FD_PLAN] = w.plan, [ENTER_FD_REPORT] = w.report[1] }, ENTER_FD_END };
	r = spawn_child(&enter, &ret->enter_pid, &ret->enter_pidfd, d);
	if (r == 0)
		r = spawn_shim(&w, ret, d);
	if (r < 0) {
		spawned_done(ret);
		return r;
	}
	ret->report = steal_fd(&w.report[0]);
	ret->control = steal_fd(&w.control[0]);
	return 0;
}

/* A shim with no server behind it, to tell the client why there is none. */
int spawn_refusal(const struct shim_config *config, struct spawned *ret, struct diag *d)
{
	_cleanup_(wiring_done) struct wiring w = { { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 }, -1, -1 };
	struct wire_writer text = { 0 };
	int r = seal("stockade-shim", &text, shim_config_encode(config, &text), &w.config);

	*ret = (struct spawned){ -1, -1, -1, -1, -1, 0, 0, 0 };
	if (r == 0)
		r = lifted_pair(w.in, false);
	if (r == 0)
		r = lifted_pair(w.out, false);
	if (r == 0)
		r = lifted_pair(w.err, false);
	if (r == 0)
		r = lifted_pair(w.control, true);
	if (r < 0)
		return wire_failed(r, "wire up an answer to the client", d);
	r = spawn_shim(&w, ret, d);
	if (r < 0)
		return r;
	ret->control = steal_fd(&w.control[0]);
	return 0;
}

static void end_child(int *pidfd)
{
	siginfo_t info;

	if (*pidfd < 0)
		return;
	syscall(SYS_pidfd_send_signal, *pidfd, SIGKILL, NULL, 0);
	/* __WALL: PID 1 was cloned by enter, with no exit signal of its own. */
	while (waitid(P_PIDFD, (id_t)*pidfd, &info, WEXITED | __WALL) < 0 && errno == EINTR)
		;
	close(*pidfd);
	*pidfd = -1;
}

void spawned_done(struct spawned *s)
{
	/* PID 1 first: with it goes all that the server started. */
	end_child(&s->init_pidfd);
	end_child(&s->enter_pidfd);
	end_child(&s->shim_pidfd);
	if (s->report >= 0)
		close(s->report);
	if (s->control >= 0)
		close(s->control);
	s->report = s->control = -1;
}
