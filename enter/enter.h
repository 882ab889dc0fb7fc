/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enter - one launch: its state, and the functions of its stages (the table and the order are in main.c)
 *
 * Process:  enter
 * Returns:  a stage gives 0 or -errno; it names a path or a thing in detail where that helps
 * Limits:   ENTER_TMPFS_MAX file systems of our own, PROC_ENTRIES_MAX entries of /proc
 */
#pragma once
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>
#include "base/cleanup.h"
#include "enter/role.h"
#include "wire/plan.h"
#include "wire/report.h"

#define ENTER_STAGING ".stockade" /* below the new root, while it is built */

/* In a new network namespace lo is always the first interface (net/core/dev.c, LOOPBACK_IFINDEX). */
enum { ENTER_LOOPBACK_INDEX = 1 };

enum { ENTER_TMPFS_MAX = 256, PROC_ENTRIES_MAX = 4096 };

/* Which of the three processes of a launch this is. */
enum enter_who {
	ENTER_OUTER = 1 << 0,  /* as executed by the supervisor, until the namespaces exist */
	ENTER_INIT = 1 << 1,   /* PID 1 of the sandbox */
	ENTER_SERVER = 1 << 2, /* PID 2, until it executes the server */
};

struct enter {
	enum enter_who who;
	enum enter_stage stage; /* the one that runs, or that failed */
	char detail[REPORT_DETAIL_MAX];
	struct plan plan;
	bool privileged;	   /* started by root */
	mode_t umask;		   /* the caller's, for the server */
	int *trees;		   /* started by root: one detached copy a mount, -1 where none */
	int announced;		   /* pipe: holds one byte when outer has sent REPORT_INIT */
	int root;		   /* the new root, O_PATH */
	int empty_file, empty_dir; /* on the staging file system; what masks are made of */
	int staging;
	dev_t own[ENTER_TMPFS_MAX]; /* file systems made here: only there are mount points created */
	size_t n_own;
	unsigned n_files; /* on the staging file system */
	pid_t server;
	int channel;  /* between PID 1 and PID 2: reports one way, the release the other; closed by exec */
	int signals;  /* signalfd of PID 1 */
	int landlock; /* ABI in force */
};

/* tell.c */
/* Puts the thing that failed into the report and returns err, so that a failing line reads: return enter_fail(e,
 * -EPERM, path). */
int enter_fail(struct enter *e, int err, const char *detail) _must_check_;
/* Sends one report; fds may be NULL. */
int enter_tell(int sock, const struct report *r, const int *fds, size_t n_fds) _must_check_;

/* identity.c */
int stage_privilege(struct enter *e) _must_check_;
int stage_plan(struct enter *e) _must_check_;
int stage_identity(struct enter *e) _must_check_;
int stage_signals(struct enter *e) _must_check_;
int stage_idmap(struct enter *e) _must_check_;
int stage_session(struct enter *e) _must_check_;
int stage_keyring(struct enter *e) _must_check_;
int stage_cgroup(struct enter *e) _must_check_;
int stage_hostname(struct enter *e) _must_check_;

/* self.c */
/* Goes on from a sealed copy where the effective user could change our file; for root's user it refuses. */
int self_check(struct enter *e) _must_check_;

/* clone.c */
int stage_clone(struct enter *e) _must_check_;
int stage_lifeline(struct enter *e) _must_check_;
/* PID 1 waits here until outer has announced it: REPORT_INIT is always the first report. */
int enter_await_announced(struct enter *e) _must_check_;

/* source.c */
int stage_sources(struct enter *e) _must_check_;
/* A detached copy of what m->source is, checked against the plan, its flags set. */
int source_clone(struct enter *e, const struct plan_mount *m, int *ret) _must_check_;
/* Sets MOUNT_ATTR_* on the detached copy and everything mounted below; takes none away (inherited flags may be locked).
 */
int source_restrict(int tree, unsigned long long attributes) _must_check_;

/* target.c */
/* Opens (O_PATH) the target below the new root, made as a directory or an empty file where it is missing on a file
 * system of ours. */
int target_make(struct enter *e, const char *path, bool directory, int *ret) _must_check_;
/* The same for what must be there. */
int target_open(const struct enter *e, const char *path, int *ret) _must_check_;
/* The directory that holds path, made where missing; *ret_name is the last component, within path. */
int target_parent(struct enter *e, const char *path, int *ret, const char **ret_name) _must_check_;
bool target_is_own(const struct enter *e, int fd);
int target_attach(int tree, int target) _must_check_;

/* mounts.c */
int stage_propagation(struct enter *e) _must_check_;
int stage_root(struct enter *e) _must_check_;
int stage_mounts(struct enter *e) _must_check_;
int stage_pivot(struct enter *e) _must_check_;
/* Hides name in dir (or, when name is empty, what dir is) behind the empty file or directory. Follows no symbolic link.
 */
int mount_mask(struct enter *e, int dir, const char *name, bool directory) _must_check_;
/* A new file system, detached; options are NAME, VALUE pairs up to NULL. */
int mount_new(const char *type, const char *const *options, unsigned attributes, int *ret) _must_check_;

/* special.c */
int stage_dev(struct enter *e) _must_check_;
int stage_proc(struct enter *e) _must_check_;
int stage_userns_limit(struct enter *e) _must_check_;
int stage_readonly(struct enter *e) _must_check_;

/* loopback.c */
int stage_loopback(struct enter *e) _must_check_;
/* The same for an error of libnl, in errno's numbers as far as a person can act on it. */
int enter_fail_nl(struct enter *e, int error) _must_check_;

/* network.c */
int stage_network(struct enter *e) _must_check_;

/* capabilities.c */
int stage_capabilities(struct enter *e) _must_check_;

/* fence.c */
int stage_landlock(struct enter *e) _must_check_;

/* server.c */
int stage_fork(struct enter *e) _must_check_;
int stage_rlimits(struct enter *e) _must_check_;
int stage_descriptors(struct enter *e) _must_check_;
int stage_cwd(struct enter *e) _must_check_;
int stage_seccomp(struct enter *e) _must_check_;
int stage_exec(struct enter *e) _must_check_;

/* init.c */
int stage_init(struct enter *e) _must_check_;
/* PID 1's life after the stages; returns its exit status. */
int init_run(struct enter *e);
