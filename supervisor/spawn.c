/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spawn - see spawn.h
 *
 * Theory: every descriptor that a child shall have is moved above SPAWN_FD_FLOOR first, so that putting it at its
 * number (wire/fds.h) can never overwrite another one that is still needed. All are close-on-exec; only the copy at the
 * number is not.
 */
#include "supervisor/spawn.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "base/io.h"
#include "base/text.h"
#include "wire/control.h"
#include "wire/fds.h"
#include "wire/net_layout.h"
#include "wire/report.h"

enum {
	SPAWN_FD_FLOOR = 32,
	SPAWN_SHOWN = 512,
	SPAWN_FDS_NEEDED = 64,
	SPAWN_FDS_MAX = GATEWAY_FD_PUBLISH + NET_PUBLISH_MAX,
	FIND_MS = 2000,
	/* As many as can be served at once; what finds no room comes again after a second (tcp(7), SYN). */
	PUBLISH_BACKLOG = NET_SPARES
};

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
		return diag_fail(d, -r, "cannot start %s: %s; reinstall stockade, its programs belong together",
			c->path, strerror(r));
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
	int records[2];		   /* a pipe: [0] is ours */
	int plan, config;
	/* with a network */
	int gateway[2], dial[2]; /* events: [0] is ours */
	int sockets[2];		 /* [0] the gateway's, [1] enter's */
	int requests[2];	 /* [0] the gateway's, [1] dial's */
	int net_config, null;
	int publish[NET_PUBLISH_MAX];
};

static void wiring_init(struct wiring *w)
{
	/* Every member is a descriptor. */
	memset(w, 0xff, sizeof(*w));
}

static void wiring_done(struct wiring *w)
{
	int *all = (int *)w;

	for (size_t i = 0; i < sizeof(*w) / sizeof(int); i++)
		if (all[i] >= 0)
			close(all[i]);
}

/* The shim's configuration holds the values of secrets. */
static void wipe(struct wire_writer *w)
{
	if (w->buf.data)
		explicit_bzero(w->buf.data, w->buf.len);
	wire_writer_done(w);
}

static int seal(const char *name, struct wire_writer *w, int r, int *ret)
{
	if (r == 0)
		r = io_memfd_sealed(name, w->buf.data, w->buf.len, ret);
	wipe(w);
	return r < 0 ? r : lift(ret);
}

static int wire_up_shim(const struct effective *e, struct wiring *w)
{
	struct wire_writer config = { 0 };
	int r = seal("stockade-shim", &config, shim_config_encode(&e->shim, &config), &w->config);

	if (r == 0)
		r = lifted_pair(w->in, false);
	if (r == 0)
		r = lifted_pair(w->out, false);
	if (r == 0)
		r = lifted_pair(w->err, false);
	if (r == 0)
		r = lifted_pair(w->control, true);
	if (r == 0)
		r = lifted_pair(w->records, false);
	return r == 0 && fcntl(w->records[0], F_SETFL, O_NONBLOCK) < 0 ? -errno : r;
}

static int wire_up_enter(const struct effective *e, struct wiring *w)
{
	struct wire_writer plan = { 0 };
	int r = seal("stockade-plan", &plan, plan_encode(&e->plan, &plan), &w->plan);

	return r < 0 ? r : lifted_pair(w->report, true);
}

/* fcntl(2): F_DUPFD is EINVAL when the limit does not reach the floor. */
static int wire_failed(int r, const char *what, struct diag *d)
{
	struct rlimit limit;

	if ((r == -EINVAL || r == -EMFILE) && getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
		limit.rlim_cur < SPAWN_FDS_NEEDED)
		return diag_fail(d, r,
			"cannot %s: stockade may open only %llu files here and needs %d; whatever starts it lowered "
			"the limit: raise it there "
			"(ulimit -n %d, or LimitNOFILE= of a service)",
			what, (unsigned long long)limit.rlim_cur, SPAWN_FDS_NEEDED, SPAWN_FDS_NEEDED);
	return diag_fail(d, r, "cannot %s: %s", what, strerror(-r));
}

/* Of all that is handed to the shim these are what grows: with what a person wrote, and with what a server says. */
static int shim_failed(const struct effective *e, int r, const char *what, struct diag *d)
{
	char shown[SPAWN_SHOWN];

	if (r != -E2BIG)
		return wire_failed(r, what, d);
	return diag_fail(d, r,
		"cannot %s: the rules of its profile%s%s are more than the %d MiB that a session can hold; make the "
		"rules on "
		"arguments shorter%s",
		what, e->pinned ? " and the pins in " : "",
		e->pinned ? text_escape_str(e->pins.file, shown, sizeof(shown)) : "", SHIM_CONFIG_BYTES_MAX >> 20,
		e->pinned ? ", or remove that file and pin the server again" : "");
}

/* On the host's loopback alone. Two launches of one plan at once are normal, so the port is shared (SO_REUSEPORT,
 * socket(7)); with those alone, see supervisor/publish.h. */
static int listen_published(uint16_t port, int *ret)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int one = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) < 0 ||
		bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, PUBLISH_BACKLOG) < 0)
		return -errno;
	*ret = steal_fd(&fd);
	return lift(ret);
}

static int wire_up_publish(const struct net_config *c, struct wiring *w, struct diag *d)
{
	for (size_t i = 0; i < c->n_publish; i++) {
		int r = listen_published(c->publish[i], &w->publish[i]);
		if (r < 0)
			return diag_fail(d, r,
				"cannot offer port %u on 127.0.0.1 (network.publish): %s; end the program that listens "
				"there (ss -ltnp shows it), or publish another port",
				c->publish[i], strerror(-r));
	}
	return 0;
}

static int wire_up_network(const struct net_config *c, struct wiring *w, struct diag *d)
{
	struct wire_writer text = { 0 };
	int r = seal("stockade-net", &text, net_config_encode(c, &text), &w->net_config);

	if (r == 0)
		r = lifted_pair(w->gateway, true);
	if (r == 0)
		r = lifted_pair(w->dial, true);
	if (r == 0)
		r = lifted_pair(w->sockets, true);
	if (r == 0)
		r = lifted_pair(w->requests, true);
	if (r == 0) {
		w->null = open("/dev/null", O_RDWR | O_CLOEXEC);
		r = w->null < 0 ? -errno : lift(&w->null);
	}
	if (r < 0)
		return wire_failed(r, "wire up the network", d);
	return wire_up_publish(c, w, d);
}

static int spawn_gateway(const struct net_config *c, struct wiring *w, struct spawned *ret, struct diag *d)
{
	struct child gateway = { STOCKADE_LIBEXECDIR "/stockade-gateway", "stockade-gateway",
		{ [0] = w->null,
			[1] = 2,
			[2] = 2,
			[GATEWAY_FD_CONFIG] = w->net_config,
			[GATEWAY_FD_EVENTS] = w->gateway[1],
			[GATEWAY_FD_SOCKETS] = w->sockets[0],
			[GATEWAY_FD_DIAL] = w->requests[0] },
		GATEWAY_FD_PUBLISH + c->n_publish };
	int r;

	for (size_t i = 0; i < c->n_publish; i++)
		gateway.fd[GATEWAY_FD_PUBLISH + i] = w->publish[i];
	r = spawn_child(&gateway, &ret->gateway.pid, &ret->gateway.pidfd, d);
	if (r == 0)
		ret->gateway.events = steal_fd(&w->gateway[0]);
	return r;
}

static int spawn_dial(struct wiring *w, struct spawned *ret, struct diag *d)
{
	struct child dial = { STOCKADE_LIBEXECDIR "/stockade-dial", "stockade-dial",
		{ [0] = w->null,
			[1] = 2,
			[2] = 2,
			[DIAL_FD_CONFIG] = w->net_config,
			[DIAL_FD_EVENTS] = w->dial[1],
			[DIAL_FD_GATEWAY] = w->requests[1] },
		DIAL_FD_END };
	int r = spawn_child(&dial, &ret->dial.pid, &ret->dial.pidfd, d);

	if (r == 0)
		ret->dial.events = steal_fd(&w->dial[0]);
	return r;
}

static int spawn_shim(const struct wiring *w, struct spawned *ret, struct diag *d)
{
	struct child shim = { STOCKADE_LIBEXECDIR "/stockade-shim", "stockade-shim",
		{ [0] = 0,
			[1] = 1,
			[2] = 2,
			[SHIM_FD_CONFIG] = w->config,
			[SHIM_FD_CONTROL] = w->control[1],
			[SHIM_FD_SERVER_IN] = w->in[1],
			[SHIM_FD_SERVER_OUT] = w->out[0],
			[SHIM_FD_SERVER_ERR] = w->err[0],
			[SHIM_FD_RECORDS] = w->records[1] },
		SHIM_FD_END };

	return spawn_child(&shim, &ret->shim_pid, &ret->shim_pidfd, d);
}

static int spawn_enter(const struct wiring *w, bool network, struct spawned *ret, struct diag *d)
{
	struct child enter = { STOCKADE_LIBEXECDIR "/stockade-enter", "stockade-enter",
		{ [0] = w->in[0],
			[1] = w->out[1],
			[2] = w->err[1],
			[ENTER_FD_PLAN] = w->plan,
			[ENTER_FD_REPORT] = w->report[1],
			[ENTER_FD_SOCKETS] = w->sockets[1] },
		network ? ENTER_FD_NET_END : ENTER_FD_END };

	return spawn_child(&enter, &ret->enter_pid, &ret->enter_pidfd, d);
}

/* All but the shim, whose ends of the server's pipes are the only ones that are still missing to it. */
static int spawn_rest(const struct effective *e, struct wiring *w, struct spawned *ret, bool shim, struct diag *d)
{
	const struct net_config *net = &e->profile.network;
	bool network = e->plan.network.on;
	int r = network ? wire_up_network(net, w, d) : 0;

	/* The longest way first: side by side, the server's path is the critical one. */
	if (r == 0)
		r = spawn_enter(w, network, ret, d);
	if (r == 0 && shim)
		r = spawn_shim(w, ret, d);
	if (r == 0 && network)
		r = spawn_gateway(net, w, ret, d);
	if (r == 0 && network)
		r = spawn_dial(w, ret, d);
	if (r == 0)
		ret->report = steal_fd(&w->report[0]);
	return r;
}

int spawn_session(const struct effective *e, struct spawned *ret, struct diag *d)
{
	_cleanup_(wiring_done) struct wiring w;
	int r;

	wiring_init(&w);
	*ret = (struct spawned)SPAWNED_NONE;
	r = wire_up_shim(e, &w);
	if (r < 0)
		return shim_failed(e, r, "wire up the session", d);
	r = wire_up_enter(e, &w);
	if (r < 0)
		return wire_failed(r, "wire up the session", d);
	r = spawn_rest(e, &w, ret, true, d);
	if (r < 0) {
		spawned_done(ret);
		return r;
	}
	ret->control = steal_fd(&w.control[0]);
	ret->records = steal_fd(&w.records[0]);
	return 0;
}

int spawn_waiting(const struct effective *e, struct spawned *ret, struct diag *d)
{
	_cleanup_(wiring_done) struct wiring w;
	int r;

	wiring_init(&w);
	*ret = (struct spawned)SPAWNED_NONE;
	r = wire_up_shim(e, &w);
	if (r < 0)
		return shim_failed(e, r, "wire up an answer to the client", d);
	r = spawn_shim(&w, ret, d);
	if (r < 0)
		return r;
	ret->control = steal_fd(&w.control[0]);
	ret->records = steal_fd(&w.records[0]);
	ret->server_in = steal_fd(&w.in[0]);
	ret->server_out = steal_fd(&w.out[1]);
	ret->server_err = steal_fd(&w.err[1]);
	return 0;
}

int spawn_behind(const struct effective *e, struct spawned *s, struct diag *d)
{
	_cleanup_(wiring_done) struct wiring w;
	int r;

	wiring_init(&w);
	w.in[0] = steal_fd(&s->server_in);
	w.out[1] = steal_fd(&s->server_out);
	w.err[1] = steal_fd(&s->server_err);
	r = wire_up_enter(e, &w);
	if (r < 0)
		return wire_failed(r, "wire up the session", d);
	return spawn_rest(e, &w, s, false, d);
}

int spawn_send_pins(const struct effective *e, const struct spawned *s)
{
	const struct control c = { .type = CONTROL_PINS };
	_cleanup_(wipe) struct wire_writer config = { 0 }, w = { 0 };
	_cleanup_close_ int fd = -1;
	int r = shim_config_encode(&e->shim, &config);

	if (r == 0)
		r = io_memfd_sealed("stockade-shim", config.buf.data, config.buf.len, &fd);
	if (r == 0)
		r = control_encode(&c, &w);
	return r < 0 ? r : io_send_msg(s->control, w.buf.data, w.buf.len, &fd, 1);
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

/* Nobody has read yet who PID 1 is. enter is left to tell it, for a PID 1 that it has made and not told of ends by
 * itself (enter/clone.c) and would stay ours to reap; our end of the socket ends what waits for a word of us. */
static void find_init(struct spawned *s)
{
	char bytes[REPORT_BYTES_MAX];
	struct pollfd p = { .fd = s->report, .events = POLLIN };
	long n = 1;
	int fd = -1;

	if (s->report < 0 || s->init_pidfd >= 0 || shutdown(s->report, SHUT_WR) < 0)
		return;
	while (n > 0 && s->init_pidfd < 0 && poll(&p, 1, FIND_MS) == 1) {
		size_t n_fds = 1;
		n = io_recv_msg(s->report, bytes, sizeof(bytes), &fd, &n_fds);
		if (n > 0 && n_fds == 1)
			s->init_pidfd = fd;
	}
}

void spawned_done(struct spawned *s)
{
	/* PID 1 first: with it goes all that the server started. */
	find_init(s);
	end_child(&s->init_pidfd);
	end_child(&s->enter_pidfd);
	end_child(&s->gateway.pidfd);
	end_child(&s->dial.pidfd);
	end_child(&s->shim_pidfd);
	int *sockets[] = { &s->report, &s->control, &s->records, &s->gateway.events, &s->dial.events, &s->server_in,
		&s->server_out, &s->server_err };
	for (size_t i = 0; i < ARRAY_LEN(sockets); i++)
		if (*sockets[i] >= 0)
			close(steal_fd(sockets[i]));
}
