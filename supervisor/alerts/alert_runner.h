/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alert_runner - the process that runs hooks and speaks to the system's log: the supervisor itself may do neither any
 * more (profiles/seccomp/supervisor.policy)
 *
 * Process:  supervisor, and a child of it that is forked before its filter is on
 * Owns:     the socket; close it and the child ends when its last hook has
 * Returns:  0, -errno
 * Limits:   RUNNER_HOOKS at once, so many seconds each as it is told, RUNNER_TEXT_MAX what a hook is told
 *
 * The child keeps the socket, /dev/null and nothing else: neither the client's pipes nor the log. It runs as the user
 * of the session, without any way to more rights (no_new_privs is inherited). A hook is executed by its path, with its
 * words and no others, a small environment, the alert as JSON on its standard input, and in a process group of its own
 * that is killed when its time is over.
 */
#pragma once
#include "supervisor/alerts/alert_rules.h"

enum { RUNNER_HOOKS = 4, RUNNER_TEXT_MAX = 16 << 10 };

enum runner_outcome { RUNNER_EXITED, RUNNER_KILLED, RUNNER_TIMEOUT, RUNNER_BUSY, RUNNER_FAILED, RUNNER_NO_SYSLOG };

/* What the child says: how a hook of that rule ended; value: status, signal or errno. */
struct runner_answer {
	uint32_t rule;
	uint32_t outcome;
	int32_t value;
};

/* rules are the child's too. syslog: the socket of the system's log. seconds: how long a hook may take. */
int runner_start(const struct alert_rules *rules, const char *syslog, unsigned seconds, int *ret) _must_check_;
/* Never waits: -EAGAIN when the child has not taken what was told before. */
int runner_tell(int sock, uint32_t rule, const char *text) _must_check_;
/* 1 with an answer, 0 when there is none, -EPIPE: the child has ended. */
int runner_hear(int sock, struct runner_answer *ret) _must_check_;
/* "exited with status 1" and the like. */
const char *runner_words(const struct runner_answer *a, char *ret, size_t size);
