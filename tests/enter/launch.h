/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch - starts stockade-enter as the supervisor would, for tests: a plan built by hand, reports collected
 *
 * Process:  tests
 * Owns:     struct launch; free with launch_done, which kills what still runs
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/buf.h"
#include "wire/plan.h"
#include "wire/report.h"

enum { LAUNCH_OUTPUT_MAX = 1 << 20, LAUNCH_REPORTS_MAX = 16, LAUNCH_TIMEOUT_MS = 60000 };

/* plan_add_mount copies what it is given, but the field is not const. */
#define TEXT(literal) ((char *)(uintptr_t)(literal))

struct launch {
	pid_t outer, init;
	int init_pidfd;
	int report;	  /* our end of the socket */
	int in, out, err; /* our ends of the server's pipes */
	int sockets;	  /* the gateway's end, where the plan has a network; else -1 */
	struct report reports[LAUNCH_REPORTS_MAX];
	size_t n_reports;
	struct buf output, errors;
};

/* A plan that runs exec_path (its directory is bound) with /usr read-only, /tmp, /work writable from scratch. */
void launch_plan(struct plan *p, const char *exec_path, const char *scratch);
/* A network as it is drawn for the grants of tests/enter/launch.c: names, a wildcard, prefixes, the host's loopback, a
 * published port. */
void launch_network(struct plan *p, enum net_addresses addresses);
void launch_add(struct plan *p, struct plan_mount m);
/* Fills dev, ino and type from the path as it is now. */
struct plan_mount launch_bind(const char *source, const char *target, unsigned flags);
/* The user the tests give to a launch by root. */
uid_t launch_uid(void);
/* Executes enter in a child that first calls prepare (may be NULL). */
void launch_start(struct launch *l, const struct plan *p, void (*prepare)(void));
/* The same with another file than the installed one. */
void launch_start_from(struct launch *l, const char *enter, const struct plan *p, void (*prepare)(void));
/* One report; false at the end of the socket or after the time-out. */
bool launch_read_report(struct launch *l);
/* Reads reports until one of the type, the end of the socket, or the time-out; NULL when it did not come. */
const struct report *launch_until(struct launch *l, enum report_type type);
const struct report *launch_find(const struct launch *l, enum report_type type);
void launch_release(struct launch *l);
/* The same where PID 1 may have ended meanwhile, and for threads, in which nothing can be asserted; false: it has. */
bool launch_try_release(struct launch *l);
void launch_signal(struct launch *l, int number);
/* Releases, reads all output, waits for the end; returns PID 1's wait status. */
int launch_finish(struct launch *l);
/* The wait status of the process, -1 when it does not end in time. */
int launch_wait(pid_t pid);
void launch_done(struct launch *l);
/* Is the line in what the server wrote? Both tell what was there when they fail. */
void launch_expect_line(const struct launch *l, const char *line);
void launch_expect_no_line(const struct launch *l, const char *line);
/* Runs the plan with these words added to argv (up to NULL) to its end; the server must have run and given the exit
 * status. */
void launch_probe(struct launch *l, struct plan *p, const char *const *words, int status);
/* A directory of the tests' own that the server's user can write; removed by launch_scratch_done. */
char *launch_scratch(void);
void launch_scratch_done(char **path);
#define _cleanup_launch_  _cleanup_(launch_done)
#define _cleanup_scratch_ _cleanup_(launch_scratch_done)
