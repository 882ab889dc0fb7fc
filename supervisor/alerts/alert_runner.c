/* SPDX-License-Identifier: Apache-2.0 */
/* alert_runner - see alert_runner.h */
#include "supervisor/alerts/alert_runner.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include "audit/export/form.h"
#include "base/io.h"
#include "base/text.h"

enum { LOG_LINE_MAX = 1024, LOG_TEXT_MAX = 900, SOCK_FD = 3 };

struct hook {
	pid_t pid;
	int pidfd;
	uint32_t rule;
	uint64_t until_us;
	bool late;
};

struct runner {
	int sock;
	const struct alert_rules *rules;
	const char *syslog;
	unsigned seconds;
	struct hook v[RUNNER_HOOKS];
	size_t n;
};

struct message {
	uint32_t rule;
	char text[RUNNER_TEXT_MAX];
};

/* --- the child --- */

static void answer(const struct runner *r, uint32_t rule, enum runner_outcome outcome, int value)
{
	const struct runner_answer a = { .rule = rule, .outcome = outcome, .value = value };

	if (r->sock >= 0)
		(void)!send(r->sock, &a, sizeof(a), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* The form of syslog(3): "<PRI>Mmm dd hh:mm:ss tag: text", which journald and all syslog daemons read on that socket.
 */
static int tell_syslog(const struct runner *r, const struct message *m)
{
	const struct alert_rule *rule = &r->rules->v[m->rule];
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	char line[LOG_LINE_MAX], when[32] = "";
	time_t now = time(NULL);
	struct tm tm;

	if (strlen(r->syslog) >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	memcpy(to.sun_path, r->syslog, strlen(r->syslog) + 1);
	if (localtime_r(&now, &tm))
		(void)strftime(when, sizeof(when), "%b %e %H:%M:%S", &tm);
	snprintf(line, sizeof(line), "<%u>%s stockade: alert %s: %.*s", FORM_FACILITY * 8 + rule->severity, when,
		rule->name, LOG_TEXT_MAX, m->text);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
		send(fd, line, strlen(line), MSG_NOSIGNAL) < 0)
		return -errno;
	return 0;
}

static int input_of(const char *text)
{
	int fd = memfd_create("stockade-alert", MFD_CLOEXEC);

	if (fd >= 0 && (io_write_full(fd, text, strlen(text)) < 0 || lseek(fd, 0, SEEK_SET) < 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

static int attributes(posix_spawnattr_t *a)
{
	sigset_t all, none;

	sigfillset(&all);
	sigemptyset(&none);
	return posix_spawnattr_setsigdefault(a, &all) || posix_spawnattr_setsigmask(a, &none) ||
	       posix_spawnattr_setpgroup(a, 0) ||
	       posix_spawnattr_setflags(a, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
}

static int execute(const struct alert_rule *rule, int input, pid_t *ret)
{
	static char path[] = "PATH=/usr/local/bin:/usr/bin:/bin", lang[] = "LANG=C.UTF-8";
	char *argv[ALERT_EXEC_MAX + 1] = { NULL }, *envp[] = { path, lang, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int r;

	for (size_t i = 0; i < rule->exec.n; i++)
		argv[i] = rule->exec.v[i];
	if (posix_spawn_file_actions_init(&actions) || posix_spawnattr_init(&attr))
		return -ENOMEM;
	r = attributes(&attr);
	/* Standard output and error are /dev/null here already. */
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	if (r == 0)
		r = posix_spawn(ret, argv[0], &actions, &attr, argv, envp);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

static void run_hook(struct runner *r, const struct message *m)
{
	_cleanup_close_ int input = input_of(m->text);
	struct hook *h = &r->v[r->n];
	int error;

	if (r->n == RUNNER_HOOKS) {
		answer(r, m->rule, RUNNER_BUSY, 0);
		return;
	}
	*h = (struct hook){ .rule = m->rule, .until_us = io_now_us() + (uint64_t)r->seconds * US_PER_S };
	error = input < 0 ? -errno : execute(&r->rules->v[m->rule], input, &h->pid);
	if (error == 0)
		h->pidfd = (int)syscall(SYS_pidfd_open, h->pid, 0);
	if (error < 0 || h->pidfd < 0)
		answer(r, m->rule, RUNNER_FAILED, error ? -error : errno);
	else
		r->n++;
}

static void take_message(struct runner *r)
{
	struct message m = { 0 };
	ssize_t n = recv(r->sock, &m, sizeof(m) - 1, 0);
	int error;

	if (n <= (ssize_t)sizeof(m.rule)) {
		close(steal_fd(&r->sock));
		return;
	}
	if (m.rule >= r->rules->n)
		return;
	if (r->rules->v[m.rule].exec.n > 0)
		run_hook(r, &m);
	error = r->rules->v[m.rule].syslog ? tell_syslog(r, &m) : 0;
	if (error < 0)
		answer(r, m.rule, RUNNER_NO_SYSLOG, -error);
}

static void reap(struct runner *r, size_t i)
{
	siginfo_t info = { 0 };
	struct hook h = r->v[i];

	if (waitid(P_PIDFD, (id_t)h.pidfd, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
		return;
	close(h.pidfd);
	r->v[i] = r->v[--r->n];
	answer(r, h.rule,
		h.late			     ? RUNNER_TIMEOUT
		: info.si_code == CLD_EXITED ? RUNNER_EXITED
					     : RUNNER_KILLED,
		info.si_status);
}

static int end_late(struct runner *r)
{
	uint64_t now = io_now_us(), next = UINT64_MAX;

	for (size_t i = 0; i < r->n; i++) {
		if (now >= r->v[i].until_us && !r->v[i].late) {
			r->v[i].late = true;
			(void)kill(-r->v[i].pid, SIGKILL);
		}
		if (!r->v[i].late && r->v[i].until_us < next)
			next = r->v[i].until_us;
	}
	return next == UINT64_MAX ? -1 : (int)((next - now) / 1000) + 1;
}

/* Until nobody tells it anything any more and the last hook has ended. */
static void serve(struct runner *r)
{
	while (r->sock >= 0 || r->n > 0) {
		struct pollfd p[RUNNER_HOOKS + 1] = { { .fd = r->sock, .events = POLLIN } };
		size_t n = r->n;
		int wait = end_late(r);
		for (size_t i = 0; i < n; i++)
			p[i + 1] = (struct pollfd){ .fd = r->v[i].pidfd, .events = POLLIN };
		if (poll(p, n + 1, wait) < 0 && errno != EINTR)
			return;
		/* From the last on: what takes the place of one that has gone was looked at already. */
		for (size_t i = n; i > 0; i--)
			if (p[i].revents)
				reap(r, i - 1);
		if (p[0].revents)
			take_message(r);
	}
}

/* Nothing that the supervisor has open is left but the socket. */
static int isolate(int *sock)
{
	const int keep[] = { SOCK_FD };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
		return -errno;
	if (*sock != SOCK_FD && dup3(*sock, SOCK_FD, O_CLOEXEC) < 0)
		return -errno;
	*sock = SOCK_FD;
	return io_close_except(SOCK_FD, keep, ARRAY_LEN(keep));
}

static _Noreturn void be_child(struct runner r)
{

	(void)setsid();
	signal(SIGPIPE, SIG_IGN);
	if (isolate(&r.sock) == 0)
		serve(&r);
	_exit(0);
}

/* --- the supervisor's side --- */

int runner_start(const struct alert_rules *rules, const char *syslog, unsigned seconds, int *ret)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		be_child((struct runner){ .sock = pair[1], .rules = rules, .syslog = syslog, .seconds = seconds });
	}
	close(pair[1]);
	if (pid < 0) {
		int error = -errno;
		close(pair[0]);
		return error;
	}
	*ret = pair[0];
	return 0;
}

int runner_tell(int sock, uint32_t rule, const char *text)
{
	struct iovec v[] = { { &rule, sizeof(rule) }, { (char *)(uintptr_t)text, strlen(text) } };
	struct msghdr m = { .msg_iov = v, .msg_iovlen = ARRAY_LEN(v) };

	if (v[1].iov_len >= RUNNER_TEXT_MAX)
		return -EMSGSIZE;
	return sendmsg(sock, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int runner_hear(int sock, struct runner_answer *ret)
{
	ssize_t n = recv(sock, ret, sizeof(*ret), MSG_DONTWAIT);

	if (n == sizeof(*ret))
		return 1;
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -EPIPE;
}

const char *runner_words(const struct runner_answer *a, char *ret, size_t size)
{
	switch (a->outcome) {
	case RUNNER_EXITED:
		snprintf(ret, size, "exited with status %d", a->value);
		break;
	case RUNNER_KILLED:
		snprintf(ret, size, "ended by signal %d", a->value);
		break;
	case RUNNER_TIMEOUT:
		snprintf(ret, size, "killed: it took longer than it may");
		break;
	case RUNNER_BUSY:
		snprintf(ret, size, "not run: %d hooks run already", RUNNER_HOOKS);
		break;
	case RUNNER_NO_SYSLOG:
		snprintf(ret, size, "the system's log does not take it: %s", strerror(a->value));
		break;
	default:
		snprintf(ret, size, "not run: %s", strerror(a->value));
	}
	return ret;
}
