/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lineage - which programs started us: the chain of parents, and whether an MCP client is among them
 *
 * Process:  supervisor
 * Owns:     its strings; free with lineage_done
 * Limits:   LINEAGE_MAX ancestors; of a longer chain the nearest are there, and cut says so
 *
 * Identification, not authentication: read from /proc/PID/{stat,exe,cmdline}; for interpreters the script is named too.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/diag.h"
#include "supervisor/paths.h"

enum { LINEAGE_MAX = 32 };

struct ancestor {
	pid_t pid;
	uint64_t start; /* field 22 of stat: the pid's identity over reuse */
	char *exe;	/* NULL when unreadable */
	char *script;	/* for interpreters, else NULL */
	char *comm;
	const char *client; /* the row of the table of known MCP clients, or NULL */
};

struct lineage {
	struct ancestor v[LINEAGE_MAX];
	size_t n; /* v[0] is our parent */
	bool cut; /* there are more, and nobody looked at them */
};

/* One process, by its number; and its parent's. -ESRCH, -ENOENT: it is gone. */
int lineage_read_process(pid_t pid, struct ancestor *ret, pid_t *ret_ppid) _must_check_;
void ancestor_done(struct ancestor *a);
int lineage_read(struct lineage *ret, struct diag *d) _must_check_;
/* Marks ancestors that are the client of a session in RUNTIME/sessions (by pid and start time): their ->client says so.
 */
int lineage_mark_sessions(struct lineage *l, const struct paths *p, struct diag *d) _must_check_;
/* "code (/usr/share/code/code) < bash < ..." for records and approvals; heap. */
char *lineage_words(const struct lineage *l);
/* The first ancestor whose ->client is set: a known MCP client, or one that lineage_mark_sessions marked; or NULL. */
const struct ancestor *lineage_find_client(const struct lineage *l);
/* Fields of /proc/PID/stat; comm may hold blanks, newlines and parentheses, so it ends at the last ')'
 * (proc_pid_stat(5)). */
struct lineage_stat {
	pid_t ppid;
	uint64_t start;
	char comm[64];
};
int lineage_parse_stat(const char *stat, struct lineage_stat *ret) _must_check_;
/* Is the program at that path known as one that runs scripts? By its base name. */
bool lineage_is_interpreter(const char *exe);
/* Why nobody may approve from here, heap; NULL when that is nobody's business but the user's: a client stands above us,
 * or may stand beyond what we can see. Marks the clients of running sessions first. */
int lineage_client_above(struct lineage *l, const struct paths *p, char **ret, struct diag *d) _must_check_;
void lineage_done(struct lineage *l);
#define _cleanup_lineage_ _cleanup_(lineage_done)
