/* SPDX-License-Identifier: Apache-2.0 */
/* session_enter - what enter and PID 1 report, and what follows from it (session_internal.h) */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include "base/image.h"
#include "base/io.h"
#include "supervisor/exit.h"
#include "supervisor/kill/session_kill.h"
#include "supervisor/launch_words.h"
#include "supervisor/session_internal.h"
#include "supervisor/signing/code_hold.h"
#include "wire/report.h"

/* Every part is locked down: the launch goes into the log, then the exec is released. */
static int release(struct session *s)
{
	struct event e = { .type = EVENT_SESSION_READY };
	const struct effective *effective = s->args->effective;
	json_t *extra = json_pack("{s:i, s:s, s:b, s:s*}", "landlock_abi", s->landlock, "seccomp",
		effective->plan.seccomp, "network", effective->plan.network.on, "pins",
		effective->pinned && !effective->shim.listing ? effective->pins.digest : NULL);
	bool killed = false;
	int x;

	snprintf(e.status, sizeof(e.status), "every layer in force");
	x = extra ? session_record(s, EVENT_FROM_SUPERVISOR, &e, extra) : -ENOMEM;
	json_decref(extra);
	if (x < 0)
		return x;
	x = session_scopes_live(s);
	if (x == 0)
		x = session_kills_live(s, &killed);
	if (x < 0 || killed)
		return x;
	/* The shim first: it must be reading before the server can write. */
	x = session_send_control(s->spawned.control, CONTROL_RELEASE, 0, "");
	if (x == 0)
		x = session_send_control(s->spawned.report, CONTROL_RELEASE, 0, "");
	return x < 0 ? diag_fail(&s->diag, x, "a part of stockade went away while the sandbox was built: %s",
			       strerror(-x))
		     : 0;
}

int session_on_part(struct session *s, enum part part)
{
	int r;

	if (s->phase != PHASE_BUILDING || !(s->missing & part))
		return 0;
	s->missing &= ~part;
	if (s->missing)
		return 0;
	r = code_held(s->args->effective, &s->diag);
	return r < 0 ? r : release(s);
}

static int on_ready(struct session *s, const struct report *r)
{
	s->landlock = r->landlock;
	return session_on_part(s, PART_ENTER);
}

static int on_init(struct session *s, const struct report *r, int pidfd)
{
	const struct session_args *a = s->args;
	struct registry_args reg = { .paths = a->paths,
		.id = s->id,
		.name = a->effective->name,
		.digest = a->effective->digest,
		.lineage = a->lineage,
		.grants = &a->effective->grants,
		.identity = &a->effective->client,
		.observe_until = a->effective->observe_until,
		.init_pid = r->pid };
	_cleanup_free_ char *client = lineage_words(a->lineage);

	if (pidfd < 0 || s->spawned.init_pidfd >= 0)
		return diag_fail(&s->diag, -EPROTO, "enter reported its PID 1 without a descriptor, or twice");
	s->spawned.init_pidfd = pidfd;
	s->spawned.init_pid = r->pid;
	reg.client = client ? client : "";
	return registry_add(&reg, &s->registration, &s->diag);
}

static void on_failed(struct session *s, const struct report *r)
{
	struct event e = { .type = EVENT_SESSION_FAILED };

	s->exit_status = launch_words(r, &s->diag);
	session_say(s, s->diag.text);
	snprintf(e.reason, sizeof(e.reason), "%.500s", s->diag.text);
	snprintf(e.status, sizeof(e.status), "%s", enter_stage_name(r->stage));
	if (session_record(s, EVENT_FROM_SUPERVISOR, &e, NULL) < 0)
		session_say(s, s->diag.text);
	s->close_status = "could not be started";
	session_kill_init(s);
}

static int on_exited(struct session *s, int status)
{
	char words[CONTROL_TEXT_MAX];
	bool signaled = WIFSIGNALED(status);

	if (s->exit_status == 0)
		s->exit_status = signaled ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	snprintf(words, sizeof(words), "the server ended (%s %d)", signaled ? "signal" : "exit status",
		signaled ? WTERMSIG(status) : WEXITSTATUS(status));
	if (!s->close_status)
		s->close_status = "server exited";
	if (session_record_own(s, EVENT_SERVER_EXIT, words, signaled ? "signal" : "exit") < 0)
		return -EIO;
	session_drain(s, words);
	return 0;
}

static int take_report(struct session *s, const struct report *r, int pidfd)
{
	switch (r->type) {
	case REPORT_INIT:
		return on_init(s, r, pidfd);
	case REPORT_FAILED:
		on_failed(s, r);
		return 0;
	case REPORT_READY:
		return on_ready(s, r);
	case REPORT_RUNNING:
		if (s->phase == PHASE_BUILDING) {
			s->phase = PHASE_RUNNING;
			s->deadline = 0;
			image_give_back();
		}
		return 0;
	case REPORT_EXITED:
		return on_exited(s, r->status);
	case REPORT_TYPE_COUNT:
		break;
	}
	return -EPROTO;
}

/* PID 1 ended without a word: killed, by us or by someone else. One that only says nothing any more ends with it. */
static void on_init_gone(struct session *s)
{
	close(s->spawned.report);
	s->spawned.report = -1;
	session_signal_init(s);
	if (s->phase >= PHASE_DRAINING)
		return;
	if (!s->close_status)
		s->close_status = "server killed";
	if (s->exit_status == 0)
		s->exit_status = s->missing || s->phase == PHASE_BUILDING ? EXIT_REFUSED : 128 + SIGKILL;
	if (s->phase == PHASE_BUILDING)
		session_say(s, "the sandbox went away while it was built; nothing was started: try again, and see "
			       "'stockade doctor'");
	session_drain(s, "the server was stopped");
	/* Whoever is at the other end of its connections waits for nobody's last words. */
	if (session_kill_words(s) && session_close_network(s) < 0)
		session_say(s, s->diag.text);
}

int session_on_report(struct session *s)
{
	char bytes[REPORT_BYTES_MAX];
	int fd = -1;
	size_t n_fds = 1;
	struct report r;
	long n = io_recv_msg(s->spawned.report, bytes, sizeof(bytes), &fd, &n_fds);
	int x;

	if (n == 0 || n == -ECONNRESET) {
		on_init_gone(s);
		return 0;
	}
	x = n < 0 ? (int)n : report_decode(bytes, (size_t)n, &r);
	if (x == 0)
		x = take_report(s, &r, n_fds ? fd : -1);
	else
		diag_set(&s->diag, "enter sent what is no report of this build: was stockade upgraded meanwhile? Start "
				   "the server again");
	if (n_fds && s->spawned.init_pidfd != fd)
		close(fd);
	return x;
}
