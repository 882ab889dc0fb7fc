/* SPDX-License-Identifier: Apache-2.0 */
/*
 * init - PID 1 of the sandbox: relay PID 2's reports, release it, pass signals on, reap, report the end
 *
 * Process:  enter (PID 1)
 * Owns:     the report socket, the channel to PID 2, a signalfd
 *
 * It ends, and with it the whole namespace, when the server's process has ended, when a stage failed, and when the
 * report socket shows that the supervisor is gone. Only signals from outside the namespace count (ssi_pid 0): the
 * server has this process's uid, and what it sends is read and dropped.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/image.h"
#include "base/io.h"
#include "enter/enter.h"
#include "wire/control.h"
#include "wire/fds.h"

enum { EXIT_LAUNCH_FAILED = 125, EXIT_ORPHANED = 125, EXIT_SIGNALLED = 128, CONTINUE = -1 };

enum phase { PHASE_BUILDING, PHASE_READY, PHASE_RELEASED, PHASE_RUNNING };

struct init {
	const struct enter *e;
	int channel; /* -1 once it has closed */
	enum phase phase;
	bool ended; /* the server's process */
	int status;
};

/* What the supervisor, or a person with kill(1), may ask of the server through us. */
static const int forwarded[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 };

int stage_init(struct enter *e)
{
	sigset_t all;

	sigfillset(&all);
	if (sigprocmask(SIG_SETMASK, &all, NULL) < 0)
		return -errno;
	e->signals = signalfd(-1, &all, SFD_CLOEXEC);
	if (e->signals < 0)
		return -errno;
	/* It is since the maps were written; whoever can attach to PID 1 holds the sandbox, so ask once more. */
	return prctl(PR_GET_DUMPABLE) == 0 ? 0 : -EPERM;
}

/* Sends, or ends: a supervisor that does not hear us is gone. */
static int tell(const struct report *r)
{
	return enter_tell(ENTER_FD_REPORT, r, NULL, 0) < 0 ? EXIT_ORPHANED : CONTINUE;
}

static int fail(int error)
{
	struct report r = { .type = REPORT_FAILED, .stage = ENTER_STAGE_EXEC, .error = error };

	(void)tell(&r);
	return EXIT_LAUNCH_FAILED;
}

/* End of file: exec has closed PID 2's end. */
static int on_channel_closed(struct init *i)
{
	struct report r = { .type = REPORT_RUNNING };

	close(i->channel);
	i->channel = -1;
	if (i->phase != PHASE_RELEASED)
		return fail(ECANCELED);
	i->phase = PHASE_RUNNING;
	int told = tell(&r);
	image_give_back();
	return told;
}

static int on_channel(struct init *i)
{
	char bytes[REPORT_BYTES_MAX];
	struct report r;
	long n = io_recv_msg(i->channel, bytes, sizeof(bytes), NULL, NULL);

	if (n <= 0)
		return on_channel_closed(i);
	if (report_decode(bytes, (size_t)n, &r) < 0)
		return fail(EPROTO);
	if (r.type == REPORT_FAILED) {
		(void)tell(&r);
		return EXIT_LAUNCH_FAILED;
	}
	if (r.type != REPORT_READY || i->phase != PHASE_BUILDING)
		return fail(EPROTO);
	i->phase = PHASE_READY;
	return tell(&r);
}

static void send_signal(const struct init *i, int number)
{
	/* Reaped already, or not released yet (then the end of PID 2 is a launch that failed): both are fine. */
	if (!i->ended)
		(void)kill(i->e->server, number);
}

static int on_report(struct init *i)
{
	char bytes[CONTROL_BYTES_MAX];
	struct control c;
	long n = io_recv_msg(ENTER_FD_REPORT, bytes, sizeof(bytes), NULL, NULL);

	if (n <= 0 || control_decode(bytes, (size_t)n, &c) < 0)
		return EXIT_ORPHANED;
	if (c.type == CONTROL_RELEASE && i->phase == PHASE_READY) {
		i->phase = PHASE_RELEASED;
		/* EPIPE: PID 2 has ended, and what it wrote before, or its silence, says why. */
		int r = io_write_full(i->channel, "", 1);
		if (r < 0 && r != -EPIPE)
			return fail(-r);
	} else if (c.type == CONTROL_SIGNAL && c.value > 0 && c.value < _NSIG) {
		send_signal(i, c.value);
	}
	return CONTINUE;
}

static int reap(struct init *i)
{
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG);
		if (pid < 0 && errno != ECHILD)
			return EXIT_ORPHANED;
		if (pid <= 0)
			return CONTINUE;
		if (pid == i->e->server) {
			i->ended = true;
			i->status = status;
		}
	}
}

static int on_signal(struct init *i)
{
	struct signalfd_siginfo s;

	if (read(i->e->signals, &s, sizeof(s)) != sizeof(s))
		return CONTINUE;
	if (s.ssi_signo == SIGCHLD)
		return reap(i);
	for (size_t k = 0; s.ssi_pid == 0 && k < ARRAY_LEN(forwarded); k++)
		if ((int)s.ssi_signo == forwarded[k])
			send_signal(i, forwarded[k]);
	return CONTINUE;
}

static int on_ended(const struct init *i)
{
	struct report r = { .type = REPORT_EXITED, .status = i->status };

	if (tell(&r) != CONTINUE)
		return EXIT_ORPHANED;
	return WIFEXITED(i->status) ? WEXITSTATUS(i->status) : EXIT_SIGNALLED + WTERMSIG(i->status);
}

int init_run(struct enter *e)
{
	struct init i = { .e = e, .channel = e->channel };
	int status = CONTINUE;

	while (status == CONTINUE) {
		struct pollfd p[] = {
			{ .fd = i.channel, .events = POLLIN },
			{ .fd = ENTER_FD_REPORT, .events = POLLIN },
			{ .fd = e->signals, .events = POLLIN },
		};
		/* The channel is emptied before an end is believed, so that RUNNING always precedes EXITED. */
		if (i.ended && i.channel < 0)
			return on_ended(&i);
		if (poll(p, ARRAY_LEN(p), -1) < 0 && errno != EINTR)
			return EXIT_ORPHANED;
		if (p[0].revents)
			status = on_channel(&i);
		if (status == CONTINUE && p[1].revents)
			status = on_report(&i);
		if (status == CONTINUE && p[2].revents)
			status = on_signal(&i);
	}
	return status;
}
