/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_stop - stockade stop SESSION: a grace, then the end of every process
 *
 * The supervisor of the session is asked by SIGTERM; one that does not end is killed together with the session's PID 1,
 * both through descriptors that were checked to be the very processes of the registry.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include "base/text.h"
#include "supervisor/commands.h"
#include "supervisor/consent_pending.h"
#include "supervisor/exit.h"
#include "supervisor/registry.h"

enum { STOP_WAIT_MS = 6000, KILL_WAIT_MS = 5000 };

static int open_verified(pid_t pid, uint64_t start)
{
	int fd = -1, r = registry_open_verified(pid, start, &fd);

	return r < 0 ? r : fd;
}

static bool ends_within(int pidfd, int ms)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return poll(&p, 1, ms) > 0;
}

static int stop_entry(const struct registry_entry *e, struct diag *d)
{
	if (e->foreign)
		return diag_fail(d, -EXDEV,
			"session %.12s was started in another PID namespace (a container that shares the runtime "
			"directory), so it cannot be reached from "
			"here: stop it there",
			e->id);
	_cleanup_close_ int supervisor = open_verified(e->pid, e->start),
			    init = open_verified(e->init_pid, e->init_start);

	if ((supervisor < 0 && supervisor != -ESRCH) || (init < 0 && init != -ESRCH)) {
		int r = supervisor < 0 && supervisor != -ESRCH ? supervisor : init;
		return diag_fail(d, r, "cannot reach session %.12s, so it was not stopped (pidfd_open): %s", e->id,
			strerror(-r));
	}
	if (supervisor >= 0) {
		if (syscall(SYS_pidfd_send_signal, supervisor, SIGTERM, NULL, 0) < 0 && errno != ESRCH)
			return diag_fail(d, -errno, "cannot signal session %.12s: %s", e->id, strerror(errno));
		if (ends_within(supervisor, STOP_WAIT_MS) && (init < 0 || ends_within(init, KILL_WAIT_MS)))
			return 0;
	}
	if (init >= 0)
		syscall(SYS_pidfd_send_signal, init, SIGKILL, NULL, 0);
	if (supervisor >= 0)
		syscall(SYS_pidfd_send_signal, supervisor, SIGKILL, NULL, 0);
	if ((init >= 0 && !ends_within(init, KILL_WAIT_MS)) ||
		(supervisor >= 0 && !ends_within(supervisor, KILL_WAIT_MS)))
		return diag_fail(d, -ETIMEDOUT,
			"session %.12s does not end even when killed: a process of it hangs in the kernel", e->id);
	return 0;
}

struct match {
	const char *word;
	bool by_id; /* it begins exactly one session's id; else it is a server's name */
};

static bool begins_id(const struct registry_entry *e, const char *word)
{
	return *word && strncmp(e->id, word, strlen(word)) == 0;
}

static bool is_match(const struct match *m, const struct registry_entry *e)
{
	return m->by_id ? begins_id(e, m->word) : strcmp(e->name, m->word) == 0;
}

static bool waits(const struct pendings *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (!l->v[i].damaged && strcmp(l->v[i].name, name) == 0)
			return true;
	return false;
}

static int no_match(const struct pendings *l, const char *word, size_t n_ids)
{
	char shown[128];

	text_escape_str(word, shown, sizeof(shown));
	if (n_ids > 1) {
		command_error("'%s' begins %zu sessions: write more of it ('stockade ps --json' shows all of it)",
			shown, n_ids);
		return EXIT_USAGE;
	}
	if (waits(l, word))
		command_error(
			"no server '%s' runs: its launch waits for an approval; 'stockade approve' shows it, and a no "
			"there ends it",
			shown);
	else
		command_error("no session or server '%s' runs; 'stockade ps' lists what does", shown);
	return EXIT_FINDINGS;
}

/* One that cannot be stopped keeps no other alive. */
static int stop_all(const struct registry_list *l, const struct match *m)
{
	int status = EXIT_OK;
	char name[128];

	for (size_t i = 0; i < l->n; i++) {
		const struct registry_entry *e = &l->v[i];
		struct diag d = { "" };
		if (!is_match(m, e))
			continue;
		if (stop_entry(e, &d) == 0) {
			fprintf(stderr, "stopped %.12s (%s)\n", e->id, text_escape_str(e->name, name, sizeof(name)));
			continue;
		}
		command_error("%s", d.text);
		status = EXIT_REFUSED;
	}
	return status;
}

/* By a server's name, else by the unique beginning of a session's id: "db" may be both, and is more likely a name. */
static int stop_matching(const struct registry_list *l, const struct pendings *launches, const char *word)
{
	struct match m = { word, false };
	size_t n_ids = 0, n_names = 0;

	for (size_t i = 0; i < l->n; i++) {
		n_names += is_match(&m, &l->v[i]);
		n_ids += begins_id(&l->v[i], word);
	}
	if (n_names == 0 && n_ids != 1)
		return no_match(launches, word, n_ids);
	m.by_id = n_names == 0;
	return stop_all(l, &m);
}

static int run_stop(const struct command_ctx *ctx)
{
	_cleanup_paths_ struct paths p = { 0 };
	_cleanup_registry_ struct registry_list l = { 0 };
	_cleanup_pendings_ struct pendings launches = { 0 };
	struct diag d = { "out of memory" };

	if (paths_init(&p, &d) < 0 || registry_read(&p, &l, &d) < 0 || pending_list(&p, &launches, &d) < 0)
		return command_refuse(&d, 0);
	return stop_matching(&l, &launches, ctx->args.v[0]);
}

const struct command_row cmd_stop = {
	.name = "stop",
	.synopsis = "SESSION | SERVER",
	.summary = "end a running server and every process it ever started",
	.details = "SESSION is the beginning of an id that 'stockade ps' lists; SERVER ends all sessions of that "
		   "server. The server gets SIGTERM and "
		   "1.5 s, then its whole PID namespace is killed.",
	.min_args = 1,
	.max_args = 1,
	.run = run_stop,
};
