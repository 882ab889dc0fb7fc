/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report - what enter and PID 1 tell the supervisor; the supervisor words it
 *
 * Process:  enter (writes), supervisor (reads)
 * Limits:   REPORT_DETAIL_MAX bytes of detail (a path or a name), no sentences
 */
#pragma once
#include <stdint.h>
#include <sys/types.h>
#include "wire/codec.h"

enum { REPORT_DETAIL_MAX = 512, REPORT_BYTES_MAX = 1024 };

/* One row a stage of enter, in the order they run. X(enum, word for messages) */
/* clang-format off: a table */
#define ENTER_STAGES(X)                                                                                                \
	X(PRIVILEGE, "refuse setuid, and uid 0 for the server")                                                        \
	X(PLAN, "read the plan")                                                                                       \
	X(SOURCES, "open the granted paths")                                                                           \
	X(IDENTITY, "become the unprivileged user")                                                                    \
	X(SIGNALS, "reset signals and umask")                                                                          \
	X(CLONE, "create the namespaces")                                                                              \
	X(IDMAP, "map the user")                                                                                       \
	X(LIFELINE, "tie the sandbox to the supervisor")                                                               \
	X(LOOPBACK, "bring up the loopback interface")                                                                 \
	X(NETWORK, "make the network of what is granted")                                                              \
	X(PROPAGATION, "make mount propagation private")                                                               \
	X(ROOT, "mount the root")                                                                                      \
	X(MOUNTS, "mount what is granted")                                                                             \
	X(DEV, "set up /dev")                                                                                          \
	X(PROC, "mount /proc and mask it")                                                                             \
	X(PIVOT, "enter the new root and drop the old one")                                                            \
	X(USERNS_LIMIT, "forbid further user namespaces")                                                              \
	X(READONLY, "make the root read-only")                                                                         \
	X(SESSION, "start a new session")                                                                              \
	X(KEYRING, "join a fresh session keyring")                                                                     \
	X(CGROUP, "hide the host's cgroup paths")                                                                      \
	X(HOSTNAME, "set the host name")                                                                               \
	X(INIT, "lock down PID 1")                                                                                     \
	X(FORK, "fork the server's process")                                                                           \
	X(RLIMITS, "set resource limits")                                                                              \
	X(CAPABILITIES, "drop every capability")                                                                       \
	X(DESCRIPTORS, "close every other descriptor")                                                                 \
	X(LANDLOCK, "apply Landlock")                                                                                  \
	X(CWD, "enter the working directory")                                                                          \
	X(SECCOMP, "load the system call filter")                                                                      \
	X(EXEC, "execute the server")
/* clang-format on */

enum enter_stage {
#define X(name, words) ENTER_STAGE_##name,
	ENTER_STAGES(X)
#undef X
		ENTER_STAGE_COUNT
};

const char *enter_stage_name(enum enter_stage s);  /* "LOOPBACK" */
const char *enter_stage_words(enum enter_stage s); /* "bring up the loopback interface" */

enum report_type {
	REPORT_INIT,	/* outer enter: PID 1's pid, its pidfd attached as SCM_RIGHTS */
	REPORT_FAILED,	/* stage, error, detail: the launch is over */
	REPORT_READY,	/* everything but exec is done; landlock = ABI in force; waits for CONTROL_RELEASE */
	REPORT_RUNNING, /* exec succeeded (the CLOEXEC pipe closed) */
	REPORT_EXITED,	/* the server's own wait status; PID 1 then ends the namespace */
	REPORT_TYPE_COUNT,
};

struct report {
	enum report_type type;
	pid_t pid; /* REPORT_INIT: in the supervisor's pid namespace */
	enum enter_stage stage;
	int error;    /* positive errno, REPORT_FAILED */
	int status;   /* as from waitpid(2), REPORT_EXITED */
	int landlock; /* REPORT_READY: the ABI in force */
	char detail[REPORT_DETAIL_MAX];
};

int report_encode(const struct report *r, struct wire_writer *w) _must_check_;
int report_decode(const void *bytes, size_t n, struct report *ret) _must_check_;
