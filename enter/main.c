/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main - stockade-enter: builds one sandbox, then is its PID 1
 *
 * Process:  enter
 * Owns:     the launch
 *
 * Theory of operation. The supervisor executes us with a sealed plan and a socket. One table of stages is walked by
 * three processes in turn, each doing the rows that name it:
 *
 *    outer   ── clone3(CLONE_PARENT, all namespaces) ──►  PID 1  ── fork ──►  PID 2  ── execve ──►  the server
 *    announces PID 1 and ends                             watches, reaps      waits for the release
 *
 * The first stage that fails ends the launch with its name and errno; nothing is retried with less. An exec after the
 * clone would lose all capabilities, so PID 1 is this very image, and PID 2 is forked from it while both still hold
 * what the later stages need. PID 1 puts on its own system call filter only after that fork, since filters are
 * inherited and PID 2 needs another one. PID 2 has every wall up, filter included, before it says that it is ready;
 * what is left for the release is execve alone.
 *
 *    PRIVILEGE     Should: run with the caller's own ids. Mustn't: be setuid, or be a file that the
 *                  server's user can write.
 *    PLAN          Should: read the sealed plan and nothing else. Mustn't: accept uid 0, or a plan of
 *                  another build.
 *    SOURCES       Should: as root, take detached copies while root's eyes can see them. Mustn't:
 *                  follow a symbolic link.
 *    IDENTITY      Should: stop being root. Mustn't: keep a supplementary group that can be dropped.
 *    SIGNALS       Should: forget the caller's dispositions, mask and umask.
 *    CLONE         Should: make every namespace but the cgroups' in one call and announce PID 1. Mustn't:
 *                  make a second user namespace.
 *    IDMAP         Should: map the one user to itself, setgroups denied first (CVE-2014-8989). Mustn't:
 *                  stay dumpable after.
 *    LIFELINE      Should: die with the supervisor.
 *    LOOPBACK      Should: bring lo up, and nothing else.
 *    NETWORK       Should: make what the gateway needs inside, and hand it out. Mustn't: keep a socket of it.
 *    PROPAGATION   Should: cut the mount tree off. Mustn't: mount anything before.
 *    ROOT          Should: mount an empty root over "/". Mustn't: use a path of the host.
 *    MOUNTS        Should: mount by descriptor only. Mustn't: create anything on a file system of the
 *                  host.
 *    DEV           Should: bind five devices, checked to be those. Mustn't: offer a terminal.
 *    PROC          Should: mount a fresh /proc and hide what is not in the table. Mustn't: bind the
 *                  host's.
 *    PIVOT         Should: leave the old root unreachable (CVE-2024-21626).
 *    USERNS_LIMIT  Should: write and read back, while /proc/sys can be written.
 *    READONLY      Should: take away the staging mounts, seal /proc/sys and the root.
 *    SESSION       Should: have no controlling terminal (CVE-2017-5226).
 *    KEYRING       Should: leave the user's keys behind.
 *    CGROUP        Should: hide where in the host's cgroups we are: the paths name the user's units.
 *                  Mustn't: come before the process is moved to a leaf.
 *    HOSTNAME      Should: tell the server nothing of the host.
 *    INIT          Should: receive every signal by descriptor.
 *    FORK          Should: make PID 2. Mustn't: happen after PID 1's filter.
 *    RLIMITS       Should: wall in fork bombs; NPROC counts per user namespace. Mustn't: limit address
 *                  space (V8, JVM, Go).
 *    CAPABILITIES  Should: leave none in any set, in PID 1 too, and prove it.
 *    DESCRIPTORS   Should: leave 0, 1, 2 to the server and none of those to PID 1.
 *    LANDLOCK      Should: say the mount table again in the kernel's other words.
 *    CWD           Should: start where the plan says.
 *    SECCOMP       Should: come last. Mustn't: be compiled here.
 *    EXEC          Should: wait for the release. Mustn't: leave a failure unreported.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "enter/enter.h"
#include "wire/fds.h"

enum { EXIT_LAUNCH_FAILED = 125 };

struct stage {
	enum enter_stage stage;
	unsigned who; /* enum enter_who */
	int (*run)(struct enter *e);
};

static const struct stage stages[] = {
	{ ENTER_STAGE_PRIVILEGE, ENTER_OUTER, stage_privilege },
	{ ENTER_STAGE_PLAN, ENTER_OUTER, stage_plan },
	{ ENTER_STAGE_SOURCES, ENTER_OUTER, stage_sources },
	{ ENTER_STAGE_IDENTITY, ENTER_OUTER, stage_identity },
	{ ENTER_STAGE_SIGNALS, ENTER_OUTER, stage_signals },
	{ ENTER_STAGE_CLONE, ENTER_OUTER, stage_clone },
	{ ENTER_STAGE_IDMAP, ENTER_INIT, stage_idmap },
	{ ENTER_STAGE_LIFELINE, ENTER_INIT, stage_lifeline },
	{ ENTER_STAGE_LOOPBACK, ENTER_INIT, stage_loopback },
	{ ENTER_STAGE_NETWORK, ENTER_INIT, stage_network },
	{ ENTER_STAGE_PROPAGATION, ENTER_INIT, stage_propagation },
	{ ENTER_STAGE_ROOT, ENTER_INIT, stage_root },
	{ ENTER_STAGE_MOUNTS, ENTER_INIT, stage_mounts },
	{ ENTER_STAGE_DEV, ENTER_INIT, stage_dev },
	{ ENTER_STAGE_PROC, ENTER_INIT, stage_proc },
	{ ENTER_STAGE_PIVOT, ENTER_INIT, stage_pivot },
	{ ENTER_STAGE_USERNS_LIMIT, ENTER_INIT, stage_userns_limit },
	{ ENTER_STAGE_READONLY, ENTER_INIT, stage_readonly },
	{ ENTER_STAGE_SESSION, ENTER_INIT, stage_session },
	{ ENTER_STAGE_KEYRING, ENTER_INIT, stage_keyring },
	{ ENTER_STAGE_CGROUP, ENTER_INIT, stage_cgroup },
	{ ENTER_STAGE_HOSTNAME, ENTER_INIT, stage_hostname },
	{ ENTER_STAGE_INIT, ENTER_INIT, stage_init },
	{ ENTER_STAGE_FORK, ENTER_INIT, stage_fork },
	{ ENTER_STAGE_RLIMITS, ENTER_SERVER, stage_rlimits },
	{ ENTER_STAGE_CAPABILITIES, ENTER_INIT | ENTER_SERVER, stage_capabilities },
	{ ENTER_STAGE_DESCRIPTORS, ENTER_INIT | ENTER_SERVER, stage_descriptors },
	{ ENTER_STAGE_LANDLOCK, ENTER_SERVER, stage_landlock },
	{ ENTER_STAGE_CWD, ENTER_SERVER, stage_cwd },
	{ ENTER_STAGE_SECCOMP, ENTER_INIT | ENTER_SERVER, stage_seccomp },
	{ ENTER_STAGE_EXEC, ENTER_SERVER, stage_exec },
};
_Static_assert(ARRAY_LEN(stages) == ENTER_STAGE_COUNT, "a row for every stage");

/* CLONE and FORK change who we are in the child: from there on, the other process's rows are the ones that run. */
static int run_stages(struct enter *e)
{
	for (size_t i = 0; i < ARRAY_LEN(stages); i++) {
		int r;
		if (!(stages[i].who & e->who))
			continue;
		e->stage = stages[i].stage;
		e->detail[0] = 0;
		r = stages[i].run(e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* PID 2 has no way to the supervisor but through PID 1. */
static void report_failure(struct enter *e, int err)
{
	struct report r = { .type = REPORT_FAILED, .stage = e->stage, .error = -err };
	int sock = e->who == ENTER_SERVER ? e->channel : ENTER_FD_REPORT;

	memcpy(r.detail, e->detail, sizeof(r.detail));
	if (e->who == ENTER_INIT && enter_await_announced(e) < 0)
		return;
	/* A supervisor that cannot be told is gone; the exit status says the rest. */
	if (enter_tell(sock, &r, NULL, 0) < 0)
		return;
}

int main(void)
{
	struct enter e = { .who = ENTER_OUTER,
		.announced = -1,
		.root = -1,
		.empty_file = -1,
		.empty_dir = -1,
		.staging = -1,
		.channel = -1,
		.signals = -1 };
	int r = run_stages(&e);

	if (r < 0) {
		report_failure(&e, r);
		_exit(EXIT_LAUNCH_FAILED);
	}
	_exit(e.who == ENTER_INIT ? init_run(&e) : 0);
}
