/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill_tell - an order to every session that runs, and the end of those that do not answer
 *
 * Process:  supervisor
 * Owns:     struct kill_told its descriptors; free with kill_told_done
 * Returns:  0, -errno with words
 *
 * Theory of operation. Every session's socket gets the order, before anything is read of any of them, and each decides
 * whether it is meant. Of those in the registry that are meant and have not answered in time PID 1 is killed, through a
 * pidfd that was held against the start time in the registry: a supervisor that is stopped, or hangs, saves nobody. All
 * this is done twice, for those that came meanwhile, and the entry has to be there before the second time: a session
 * can be found here before it reads the entries for the last time, so that whoever is not found reads it. Between the
 * two, what is killed is left alone to end for a moment: whoever works then takes its time from it.
 *
 * Of another user's sessions, which root tells, an answer is a hint: it is counted, and how long a tool is waited for
 * depends on it. What the registry names and is alive is killed whoever has answered, once it is verified to be PID 1
 * of a PID namespace of that user's; and whether it is gone is asked of the kernel.
 */
#pragma once
#include <stdint.h>
#include "supervisor/kill/kill_order.h"
#include "supervisor/paths.h"

/* How long for an answer. That a tool is killed ends no server as long as its session is only slow. */
enum { KILL_ANSWER_MS = 5, KILL_TOOL_ANSWER_MS = 500, KILL_GONE_MS = 5000 };
/* Of one user: who writes names of sockets into that directory without end is not followed. */
enum { KILL_SESSIONS_MAX = 1024, KILL_NAMES_MAX = 16384 };

struct kill_answered {
	char id[AUDIT_SESSION_ID_LEN + 1];
	bool heard;   /* it has answered */
	bool settled; /* it was waited for */
	bool listed;  /* the registry knows it */
	bool counted; /* among those that ended, or were told of a tool */
};

/* LAST: the entry is there. */
enum kill_round { KILL_ROUND_FIRST, KILL_ROUND_LAST };

/* PID 1 of what was killed. */
struct kill_init {
	int fd; /* pidfd; -1: it is opened when it is waited for, since a user can name as many as there are descriptors
		 */
	pid_t pid;
	uint64_t start;
};

struct kill_told {
	const struct kill_entry *entry; /* borrowed */
	enum kill_verb verb;
	uid_t uid;	    /* whose sessions */
	bool others;	    /* not those of who kills: nothing that lies there is believed */
	int dir, sock;	    /* sessions/, and what the orders go through */
	int answers, other; /* a pair: ours, and theirs */
	uint64_t until;	    /* io_now_us: who has not answered by then does not */
	struct kill_answered *v;
	size_t n, room;
	struct kill_init *inits;
	size_t n_inits, room_inits;
	bool more;	     /* there are sessions that nobody has looked at */
	unsigned unlisted;   /* others': that say nothing and are in no registry */
	unsigned reached;    /* sessions that obeyed */
	unsigned forced;     /* whose PID 1 was killed without them */
	unsigned left;	     /* that could not be reached */
	unsigned left_alive; /* whose processes have not ended */
	struct diag why;     /* of the last of those */
};
#define KILL_TOLD_NONE ((struct kill_told){ .dir = -1, .sock = -1, .answers = -1, .other = -1 })

/* Sends the order to each session of that user that is there now. */
int kill_tell(const struct paths *p, enum kill_verb verb, const struct kill_entry *e, struct kill_told *t,
	struct diag *d) _must_check_;
/* The same to those of another user, whose directory of sessions dir is; it is taken over. */
int kill_tell_other(int dir, uid_t uid, enum kill_verb verb, const struct kill_entry *e, struct kill_told *t,
	struct diag *d) _must_check_;
/* Sends it to those that have come since. */
int kill_tell_again(struct kill_told *t, struct diag *d) _must_check_;
/* Hears them all, until t->until, and kills those that do not answer. p: NULL for others'. */
int kill_tell_hear(const struct paths *p, struct kill_told *t, enum kill_round round, struct diag *d) _must_check_;
/* Waits until that moment (io_now_us) for the end of every process of what was killed; how many are not gone. */
unsigned kill_told_alive(const struct kill_told *t, uint64_t until);
void kill_told_done(struct kill_told *t);
#define _cleanup_kill_told_ _cleanup_(kill_told_done)
