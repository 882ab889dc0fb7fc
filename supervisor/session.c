/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session - see session.h
 *
 * Theory: one thread, one poll(2) loop over a table of sources (session_loop.c), one phase, one deadline. Every way to
 * end goes the same road:
 *
 *     BUILDING --ready--> RUNNING --end wanted--> STOPPING --PID 1 gone--> DRAINING --shim gone--> OVER
 *
 * A launch that nobody has approved yet comes to BUILDING from WAITING, or goes to REFUSED (session_wait.c).
 *
 * BUILDING  Should: fail within BUILD_MS when a layer hangs. Mustn't: release the exec before the log has the launch.
 * RUNNING   Should: write each record before the next is taken. Mustn't: go on when a record cannot be written.
 * STOPPING  Should: give the server its grace, then kill PID 1, and with it every process it ever started.
 * DRAINING  Should: let the shim answer what is in flight. Mustn't: wait for a client that does not read.
 */
#include "supervisor/session_internal.h"
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "audit/audit.h"
#include "base/io.h"
#include "base/text.h"
#include "profiles/seccomp_filters.h"
#include "supervisor/command.h"
#include "supervisor/exit.h"
#include "supervisor/filesystem.h"
#include "supervisor/kill/session_kill.h"
#include "supervisor/launch_words.h"
#include "supervisor/registry.h"
#include "supervisor/spawn.h"
#include "wire/control.h"
#include "wire/report.h"

/* Milliseconds. */
enum {
	BUILD_MS = 15000,
	KILL_MS = 5000,
};

void session_set_deadline(struct session *s, unsigned ms)
{
	s->deadline = io_now_us() + (uint64_t)ms * 1000;
}

void session_say(const struct session *s, const char *words)
{
	char name[128];

	command_error("%s: %s", text_escape_str(s->args->effective->name, name, sizeof(name)), words);
}

/* --- ends --- */

void session_signal_init(const struct session *s)
{
	if (s->spawned.init_pidfd >= 0)
		syscall(SYS_pidfd_send_signal, s->spawned.init_pidfd, SIGKILL, NULL, 0);
	else if (s->spawned.enter_pidfd >= 0)
		syscall(SYS_pidfd_send_signal, s->spawned.enter_pidfd, SIGKILL, NULL, 0);
}

void session_kill_init(struct session *s)
{
	s->killed = true;
	session_signal_init(s);
	if (s->phase < PHASE_STOPPING)
		s->phase = PHASE_STOPPING;
	session_set_deadline(s, KILL_MS);
}

void session_stop(struct session *s, unsigned grace_ms, const char *status)
{
	if (s->phase < PHASE_BUILDING) {
		session_wait_over(s);
		return;
	}
	if (s->phase == PHASE_BUILDING && s->missing) {
		diag_set(&s->diag, "%s while the sandbox was built; nothing was started", status);
		session_say(s, s->diag.text);
	}
	if (!s->close_status)
		s->close_status = status;
	if (s->phase >= PHASE_DRAINING)
		return;
	if (s->phase != PHASE_RUNNING || session_send_control(s->spawned.report, CONTROL_SIGNAL, SIGTERM, "") < 0) {
		session_kill_init(s);
		return;
	}
	s->phase = PHASE_STOPPING;
	session_set_deadline(s, grace_ms);
}

/* A layer of ours failed: nothing may go on, and who waits for an answer is told so. */
static void fail(struct session *s, int status, const char *close_status)
{
	session_say(s, s->diag.text);
	s->exit_status = status;
	s->close_status = close_status;
	session_kill_init(s);
	if (s->spawned.control >= 0)
		(void)!session_send_control(s->spawned.control, CONTROL_CLOSE, 0, s->diag.text);
	else if (s->spawned.report < 0)
		s->phase = PHASE_OVER;
}

void session_on_deadline(struct session *s)
{
	uint64_t now = io_now_us();

	s->deadline = 0;
	switch (s->phase) {
	case PHASE_WAITING:
	case PHASE_REFUSED:
		break;
	case PHASE_BUILDING:
		diag_set(&s->diag,
			"the sandbox was not built within %d s; nothing was started: a granted path on a file system "
			"that hangs?",
			BUILD_MS / 1000);
		fail(s, EXIT_REFUSED, "could not be started");
		break;
	case PHASE_RUNNING:
		/* Only after the client's end of file is there a deadline here. */
		session_stop(s, TERM_GRACE_MS, now >= s->eof_limit ? "client closed, server went on" : "client closed");
		break;
	case PHASE_STOPPING:
		if (s->killed)
			s->phase = PHASE_OVER;
		else
			session_kill_init(s);
		break;
	case PHASE_DRAINING:
		s->phase = PHASE_OVER;
		break;
	case PHASE_OVER:
		break;
	}
}

int session_reap(int *pidfd, siginfo_t *ret)
{
	*ret = (siginfo_t){ 0 };
	if (waitid(P_PIDFD, (id_t)*pidfd, ret, WEXITED | WNOHANG | __WALL) < 0 || ret->si_pid == 0)
		return -EAGAIN;
	close(*pidfd);
	*pidfd = -1;
	return 0;
}

/* --- beginning and end --- */

static int watch_outside(struct session *s)
{
	const struct lineage *l = s->args->lineage;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 || (s->signals = signalfd(-1, &set, SFD_CLOEXEC)) < 0)
		return diag_fail(&s->diag, -errno, "cannot watch for signals: %s", strerror(errno));
	/* A write that cannot be made is an errno here, and ends the session in words. */
	signal(SIGPIPE, SIG_IGN);
	/* The parent that started us; when it is PID 1 already, there is nobody left to watch. */
	if (l->n > 0 && l->v[0].pid > 1)
		s->client = (int)syscall(SYS_pidfd_open, l->v[0].pid, 0);
	if (l->n > 0 && l->v[0].pid > 1 && (s->client < 0 || getppid() != l->v[0].pid))
		return diag_fail(&s->diag, -ESRCH, "the client that started this launch is gone already");
	return 0;
}

/* Everything that has to be executed or opened from now on is inside the filter's list; it cannot be on before the
 * spawn, since children inherit it. */
static int lock_down(struct session *s)
{
	int r = seccomp_load(&seccomp_filter_supervisor);

	return r < 0 ? diag_fail(&s->diag, r, "cannot load the supervisor's own system call filter: %s", strerror(-r))
		     : 0;
}

/* The server can see to it that nothing can be found (paths too long, a directory that cannot be listed): that is said
 * too. */
static void report_unsearched(struct session *s, int error)
{
	static const char what[] = "a directory granted for writing could not be looked through";
	char words[256];

	snprintf(words, sizeof(words), "%s: %s", what, strerror(-error));
	if (s->log && session_record_own(s, EVENT_PLANTED, words, "unknown") < 0)
		session_say(s, s->diag.text);
	diag_set(&s->diag, "%s for what your own tools may execute (%s): look through it before you use them there",
		what, strerror(-error));
	session_say(s, s->diag.text);
}

static void report_planted(struct session *s)
{
	_cleanup_strv_ struct strv planted = { 0 };
	char shown[512];
	int r = fs_grants_planted(&s->args->effective->grants, &planted);

	if (r < 0)
		report_unsearched(s, r);
	for (size_t i = 0; i < planted.n; i++) {
		text_escape_str(planted.v[i], shown, sizeof(shown));
		if (s->log && session_record_own(s, EVENT_PLANTED, shown, "created") < 0)
			session_say(s, s->diag.text);
		diag_set(&s->diag,
			"while it ran, %s was created: your own tools may execute what it says; look at it before you "
			"use them there",
			shown);
		session_say(s, s->diag.text);
	}
}

static void finish(struct session *s)
{
	s->phase = PHASE_OVER;
	session_calls_done(s);
	session_scopes_done(s);
	session_kills_done(s);
	session_wait_done(s);
	if (session_close_network(s) < 0)
		session_say(s, s->diag.text);
	spawned_done(&s->spawned);
	stream_done(&s->records);
	registration_done(&s->registration);
	report_planted(s);
	session_alerts_done(s);
	if (s->log && audit_close(s->log, s->close_status ? s->close_status : "ended", &s->diag) < 0) {
		if (!s->log_failed)
			session_say(s, s->diag.text);
		s->exit_status = EXIT_REFUSED;
	}
	audit_free(s->log);
	session_prune_log(s);
	publish_release(&s->claims);
	if (s->signals >= 0)
		close(s->signals);
	if (s->client >= 0)
		close(s->client);
}

static void run(struct session *s)
{
	while (s->phase != PHASE_OVER) {
		int r = session_turn(s);
		if (r == 0)
			continue;
		/* The log or a part of stockade failed: kill first, then say so; the rest only drains. */
		if (s->killed) {
			/* It was going to end, and now it has another status. */
			if (s->log_failed)
				session_say(s, s->diag.text);
			s->phase = PHASE_OVER;
			continue;
		}
		fail(s, EXIT_REFUSED, "stockade failed");
	}
}

static int take_prepared(struct session *s)
{
	struct spawned *p = s->args->prepared;

	if (s->args->wait)
		return spawn_behind(s->args->effective, &s->spawned, &s->diag);
	if (!p || p->report < 0)
		return spawn_session(s->args->effective, &s->spawned, &s->diag);
	s->spawned = *p;
	*p = (struct spawned)SPAWNED_NONE;
	return 0;
}

int session_build(struct session *s)
{
	const struct session_args *a = s->args;
	int r = publish_claim(a->paths, &a->effective->profile.network, a->effective->digest, &s->claims, &s->diag);

	if (r == 0)
		r = session_scopes_begin(s);
	if (r == 0)
		r = session_alerts_begin(s);
	if (r == 0)
		r = take_prepared(s);
	if (r == 0)
		r = lock_down(s);
	if (r < 0)
		return r;
	s->phase = PHASE_BUILDING;
	s->missing = PART_ENTER | (a->effective->plan.network.on ? PART_GATEWAY | PART_DIAL : 0);
	session_set_deadline(s, BUILD_MS);
	/* A session lasts for days; what reading profiles and approvals took is given back (malloc_trim(3)). */
	malloc_trim(0);
	return 0;
}

static void session_init(struct session *s, const struct session_args *a)
{
	*s = (struct session){
		.args = a, .spawned = SPAWNED_NONE, .registration = { .dirfd = -1 }, .signals = -1, .client = -1
	};
}

int session_run(const struct session_args *a)
{
	struct session s;
	int r;

	session_init(&s, a);
	r = watch_outside(&s);
	if (r == 0)
		r = session_open_log(&s);
	if (r == 0)
		r = session_kills_begin(&s);
	if (r == 0)
		r = a->wait ? session_wait_begin(&s) : session_build(&s);
	if (r < 0) {
		session_say(&s, s.diag.text);
		s.exit_status = EXIT_REFUSED;
		s.close_status = "could not be started";
	} else {
		run(&s);
	}
	finish(&s);
	return s.exit_status;
}

int session_refuse(const struct session_args *a, const char *status)
{
	struct session s;
	int r;

	session_init(&s, a);
	s.close_status = status;
	r = watch_outside(&s);
	if (r == 0)
		r = session_open_log(&s);
	if (r == 0)
		r = session_record_own(&s, EVENT_CONSENT, "nothing was started", status);
	if (r < 0)
		session_say(&s, s.diag.text);
	finish(&s);
	return EXIT_REFUSED;
}
