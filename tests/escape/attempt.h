/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attempt - one hostile deed each: tried for real, told in one line
 *
 * Process:  tests (attempts)
 * Limits:   ATTEMPT_ARGS_MAX arguments, OUTCOME_MAX bytes of outcome
 *
 * The line begins with one of three words: SUCCEEDED, BLOCKED and why, ABSENT when there was nothing to attack.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "base/cleanup.h"

enum { ATTEMPT_ARGS_MAX = 8, OUTCOME_MAX = 256 };

struct outcome {
	char text[OUTCOME_MAX];
};

struct attempt {
	const char *name;
	void (*run)(struct outcome *o, char *const *arg);
	size_t args; /* how many it needs */
};

/* Tables by area, each ended by a row without a name. */
extern const struct attempt attempts_files[];
extern const struct attempt attempts_proc[];
extern const struct attempt attempts_calls[];
extern const struct attempt attempts_sockets[];
extern const struct attempt attempts_ipc[];
extern const struct attempt attempts_peers[];
extern const struct attempt attempts_resources[];
extern const struct attempt attempts_lifetime[];

void outcome_set(struct outcome *o, const char *fmt, ...) _printf_(2, 3);
/* What a call returned: >= 0 SUCCEEDED; ENOENT and ESRCH are absence, every other errno a wall. */
void outcome_of(struct outcome *o, long result);
/* For calls whose errno proves that the kernel's own code was reached: only EPERM and ENOSYS are a wall. */
void outcome_reached(struct outcome *o, long result);
/* Runs it in a child and takes its outcome; a child that a signal ends gives "BLOCKED SIGSYS" and the like. */
void outcome_in_child(struct outcome *o, void (*run)(struct outcome *o, char *const *arg), char *const *arg);
