/* SPDX-License-Identifier: Apache-2.0 */
/* session_entries - sessions in the registry that a test's own children play, for the tests of ps and stop */
#pragma once
#include "tests/unit/captured.h"
#include "tests/unit/consent_world.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include "supervisor/commands.h"
#include "supervisor/exit.h"
#include "supervisor/registry.h"

enum { ENTRY_MAX = 1024, SAID_MAX = 4096 };

/* What a row of the table holds; the supervisor is its own PID 1 where init is 0. */
struct session_entry {
	const char *id; /* 32 characters */
	const char *name, *client;
	pid_t pid, init;
	long long since;
	bool foreign;
	struct registry_counters counters;
};

/* A child that waits for its end; SIGTERM is the end of an obedient one. */
static inline pid_t child(bool obedient)
{
	void (*before)(int) = signal(SIGTERM, obedient ? SIG_DFL : SIG_IGN);
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* of a case that failed nothing stays */
		for (;;)
			pause();
	}
	signal(SIGTERM, before);
	assert_true(pid > 0);
	return pid;
}

/* The signal that ended it; 0: it lives, and is ended now. */
static inline int ended_by(pid_t pid)
{
	int status = 0;

	if (waitpid(pid, &status, WNOHANG) == pid)
		return WTERMSIG(status);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return 0;
}

static inline unsigned long long start_of(pid_t pid)
{
	uint64_t start = 0;

	assert_int_equal(registry_start_time(pid, &start), 0);
	return start;
}

static inline void put_file(const struct world *w, const char *id, const char *suffix, const void *bytes, size_t n)
{
	char path[256];
	int dir = -1, fd;
	struct diag d;

	assert_int_equal(paths_open_runtime(&w->paths, "sessions", &dir, &d), 0);
	snprintf(path, sizeof(path), "%s.%s", id, suffix);
	fd = openat(dir, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), (ssize_t)n);
	close(fd);
	close(dir);
}

static inline void put_session(const struct world *w, const struct session_entry *e)
{
	pid_t init = e->init ? e->init : e->pid;
	json_t *j = json_pack("{s:s, s:s, s:s, s:[], s:i, s:I, s:i, s:I, s:I, s:I}", "session", e->id, "name", e->name,
		"client", e->client ? e->client : "editor", "writes", "pid", e->pid, "start",
		(json_int_t)start_of(e->pid), "init_pid", init, "init_start", (json_int_t)start_of(init), "since",
		(json_int_t)e->since, "pid_namespace", (json_int_t)(registry_pid_namespace() + e->foreign));
	char text[ENTRY_MAX];
	size_t n = json_dumpb(j, text, sizeof(text), 0);

	assert_in_range(n, 1, sizeof(text));
	put_file(w, e->id, "json", text, n);
	put_file(w, e->id, "stat", &e->counters, sizeof(e->counters));
	json_decref(j);
}
