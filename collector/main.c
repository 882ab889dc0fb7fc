/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main - stockade-collector: takes audit records from the sessions of all users, and alone can write them
 *
 * Process:  collector
 *
 * Stages:   1 take the socket and the directories from systemd   2 read the key that signs   3 confine   4 accept; a
 * writer (writer.h) for each connection. Should: know who connects from the kernel alone. Mustn't: read a byte of
 * theirs here.
 *
 * A writer goes on when this process ends: an upgrade restarts it, and sessions that run keep theirs. Without a session
 * it ends after COLLECTOR_IDLE_MS, and the socket starts it again.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include "audit/log_key.h"
#include "base/io.h"
#include "base/lockdown.h"
#include "collector/activate.h"
#include "collector/confine.h"
#include "collector/owner.h"
#include "collector/users.h"
#include "collector/writer.h"
#include "wire/collect.h"

enum { EXIT_OK = 0, EXIT_FAILED = 1, COLLECTOR_IDLE_MS = 5 * 60 * 1000 };

struct collector {
	struct activation at;
	struct log_key key;
	struct users *users;
	int signals;
	bool over;
};

static int watch_signals(struct collector *c, struct diag *d)
{
	sigset_t set;

	lockdown_ignore_signals();
	signal(SIGTERM, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 || (c->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
		return diag_fail(d, -errno, "cannot watch for signals: %s", strerror(errno));
	return 0;
}

/* Whoever may see the directory may check what is signed, by the keys of before as well. */
static int publish_keys(const struct collector *c, struct diag *d)
{
	_cleanup_log_keys_ struct log_keys keys = { 0 };
	int r = log_keys_own(&keys, c->at.state, d);

	return r < 0 ? r : log_keys_publish(&keys, c->at.logs, LOG_KEYS_PUBLISHED, d);
}

static int prepare(struct collector *c, struct diag *d)
{
	int r = activate(&c->at, d);

	if (r == 0)
		r = log_key_take(c->at.state, &c->key, d);
	if (r == 0)
		r = publish_keys(c, d);
	if (r < 0)
		return r;
	close(steal_fd(&c->at.state));
	r = watch_signals(c, d);
	if (r == 0)
		r = users_new(&c->users);
	return r < 0 ? r : confine_collector(c->at.logs, d);
}

static void refuse(int sock, enum users_outcome why)
{
	_cleanup_(wire_writer_done) struct wire_writer w = { 0 };
	struct collect_answer a = { .done = 1, .error = -EAGAIN };

	snprintf(a.words, sizeof(a.words),
		"the collector of audit records takes no more sessions of this user %s; nothing "
		"runs unrecorded: end some, or try again later",
		why == USERS_TOO_FAST ? "in so short a time" : "at once");
	if (collect_answer_encode(&a, &w) == 0)
		(void)!send(sock, w.buf.data, w.buf.len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void start_writer(struct collector *c, int sock, struct sender *s, size_t row)
{
	const struct writer_args a = { .sock = sock,
		.logs = c->at.logs,
		.sender = s,
		.key = &c->key,
		.account = users_account(c->users, row),
		.user_bytes = WRITER_USER_BYTES,
		.user_files = USERS_FILES };
	pid_t pid = fork();

	if (pid < 0) {
		users_cancel(c->users, row);
		refuse(sock, USERS_TOO_MANY);
	}
	if (pid > 0)
		users_began(c->users, row, pid);
	if (pid != 0)
		return;
	close(c->at.listener);
	close(c->signals);
	lockdown_ignore_signals();
	writer_run(&a);
}

static void on_connection(struct collector *c)
{
	_cleanup_close_ int sock = accept4(c->at.listener, NULL, NULL, SOCK_CLOEXEC);
	_cleanup_sender_ struct sender s = { .pidfd = -1 };
	enum users_outcome outcome;
	size_t row = 0;

	if (sock < 0 || sender_read(sock, &s) < 0)
		return;
	if (!users_knows(c->users, s.uid))
		sender_set_owner(&s, owner_of(OWNER_SUBUID, s.uid));
	outcome = users_enter(c->users, s.owner, io_now_us(), &row);
	if (outcome == USERS_OK)
		start_writer(c, sock, &s, row);
	else
		refuse(sock, outcome);
}

static void on_signal(struct collector *c)
{
	struct signalfd_siginfo info;
	pid_t pid;

	while (read(c->signals, &info, sizeof(info)) == sizeof(info))
		c->over = c->over || info.ssi_signo == SIGTERM;
	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		users_leave(c->users, pid);
}

static void run(struct collector *c)
{
	while (!c->over) {
		struct pollfd p[] = { { .fd = c->at.listener, .events = POLLIN },
			{ .fd = c->signals, .events = POLLIN } };
		int n = poll(p, ARRAY_LEN(p), COLLECTOR_IDLE_MS);
		if (n == 0 && users_sessions(c->users) == 0)
			return;
		if (n > 0 && p[1].revents)
			on_signal(c);
		if (n > 0 && p[0].revents)
			on_connection(c);
	}
}

int main(void)
{
	struct collector c = { .at = { -1, -1, -1 }, .signals = -1 };
	struct diag d = { "" };
	int r = prepare(&c, &d);

	if (r < 0) {
		dprintf(STDERR_FILENO, "stockade-collector: %s\n", d.text[0] ? d.text : strerror(-r));
		return EXIT_FAILED;
	}
	run(&c);
	users_free(c.users);
	log_key_done(&c.key);
	return EXIT_OK;
}
