/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry - the sessions that run: RUNTIME/sessions/ID.json (who) and ID.stat (counters, mapped and shared)
 *
 * Process:  supervisor
 * Owns:     struct registration its files and mapping; free with registration_done, which removes them
 * Returns:  0, -errno with words
 *
 * A reader never asks the session itself, so a stuck one cannot hold it up; and never believes an entry whose process
 * is not there with the same start time: pids are used again. Nor one of an earlier boot, whose times began anew: where
 * there is no /run/user, the directory lies on a disk.
 */
#pragma once
#include <jansson.h>
#include <stdint.h>
#include <sys/types.h>
#include "audit/audit.h"
#include "base/diag.h"
#include "supervisor/client/client.h"
#include "supervisor/effective.h"
#include "supervisor/lineage.h"
#include "supervisor/paths.h"

/* As ID.stat has it. Members are only ever added, at the end: a reader of an earlier version reads the beginning, and a
 * shorter file is one that an earlier version wrote. */
struct registry_counters {
	uint64_t calls;
	uint64_t denials;
	uint64_t last_us; /* CLOCK_REALTIME of the last message, microseconds */
	uint64_t version; /* REGISTRY_COUNTERS_VERSION or greater: what follows is counted; 0: it is not known */
	uint64_t connections_open, connections;
	uint64_t minute; /* since the epoch: in which calls_now were made, and calls_before in the one before it */
	uint64_t calls_now, calls_before;
};

enum {
	REGISTRY_COUNTERS_VERSION = 1,
	REGISTRY_COUNTERS_FIRST = 24, /* bytes of the members that there always were */
	REGISTRY_MINUTE_US = 60 * 1000000,
	REGISTRY_OTHERS_MAX = 1024,
	REGISTRY_OTHERS_NAMES = 16384,
	REGISTRY_OTHERS_BYTES = 4 << 20,
};

struct registration {
	int dirfd;
	char id[AUDIT_SESSION_ID_LEN + 1];
	bool made;			    /* the files of that name are its own */
	struct registry_counters *counters; /* never NULL once made */
};

struct registry_entry {
	char id[AUDIT_SESSION_ID_LEN + 1];
	char *name;
	char *client;
	json_t *writes;	     /* an array of paths */
	json_t *identity;    /* as client_json() writes it; NULL: nobody looked */
	char *observe_until; /* as in registry_args; NULL: it is denied */
	pid_t pid, init_pid;
	uint64_t start, init_start;
	int64_t since;
	bool other_boot; /* of another boot of this machine: nothing of it runs */
	bool foreign;	 /* of another PID namespace: its process ids mean nothing here, nor does its absence from our
			    /proc */
	struct registry_counters counters;
};

struct registry_list {
	struct registry_entry *v;
	size_t n, room;
	bool more; /* there are entries that nobody has looked at */
};

struct registry_args {
	const struct paths *paths;
	const char *id, *name, *client, *digest;
	const struct lineage *lineage;
	const struct fs_grants *grants; /* what it may write is noted, for who starts code that lies there */
	pid_t init_pid;
	const struct client *identity; /* of the client; NULL: nobody looked */
	const char *observe_until;     /* what its profile denies is only recorded; NULL: it is denied */
};

int registry_add(const struct registry_args *a, struct registration *ret, struct diag *d) _must_check_;
void registration_done(struct registration *r);
/* Living sessions, oldest first; what is left of dead ones is removed. Those of another PID namespace, of a container
 * that shares the runtime directory, may live or not: they are listed and left alone. */
int registry_read(const struct paths *p, struct registry_list *ret, struct diag *d) _must_check_;
/* What another user's directory says, of REGISTRY_OTHERS_MAX files (of REGISTRY_OTHERS_NAMES names) and
 * REGISTRY_OTHERS_BYTES at most: entries, as they lie there, without counters. Whether there is such a process is for
 * the reader to find out, and nothing is changed. No file system is asked that is mounted there. */
int registry_read_others(int dir, uid_t uid, struct registry_list *ret, struct diag *d) _must_check_;
/* Is it, now, PID 1 of a PID namespace below ours, and in all respects that user's? It tells what that user may do to
 * it, whatever program it is: an upgrade takes the file of that away. */
bool registry_is_init_of(pid_t pid, uid_t uid);
void registry_list_done(struct registry_list *l);
#define _cleanup_registry_ _cleanup_(registry_list_done)
/* The inode of our PID namespace, 0 when it cannot be read: pid_namespaces(7). */
uint64_t registry_pid_namespace(void);
/* Field 22 of /proc/PID/stat: start time in clock ticks since boot. proc(5) */
int registry_start_time(pid_t pid, uint64_t *ret) _must_check_;
/* A pidfd of the process that had this start time; -ESRCH: it is gone; another -errno: nobody can tell. */
int registry_open_verified(pid_t pid, uint64_t start, int *ret) _must_check_;
/* Calls a minute: those of this minute, and of the last one the share that is not a minute ago yet. */
uint64_t registry_rate(const struct registry_counters *c, uint64_t wall_us);

struct registry_process;
struct registry_processes {
	struct registry_process *v; /* NULL when memory ran out: then only the process itself is measured */
	size_t n;
};

/* All processes there are, once for as many sessions as are to be measured. */
void registry_processes_read(struct registry_processes *ret);
void registry_processes_done(struct registry_processes *p);
/* Bytes of memory (PSS where readable, else RSS) of a process and all that descends from it. */
uint64_t registry_memory(struct registry_processes *p, pid_t root);
