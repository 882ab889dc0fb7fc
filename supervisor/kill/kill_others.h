/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill_others - root's order to the sessions of every other user: /run/user/UID/stockade/sessions
 *
 * Process:  supervisor, as root
 * Owns:     struct kill_others its descriptors; free with kill_others_done
 * Returns:  0, -errno with words
 * Limits:   KILL_USERS_MAX users, KILL_SESSIONS_MAX sessions of each; who comes after them has the entry to see
 *
 * Theory of operation. What lies there is the user's to write, and root believes none of it. A directory is that of its
 * user or none, is reached by no link and lies on no file system that the user mounted there (kill_place.h); a socket
 * is one and is the user's. Each user has ways of their own for answers, so that nobody speaks for another's session;
 * no descriptor comes back through them, and what is said there spares nobody (kill_tell.h). What the registry names is
 * killed where it is PID 1 of a PID namespace, all of it that user's: what the user could kill as well. All users are
 * told before any is heard, and there is one time limit for all. A session elsewhere (another runtime directory) hears
 * of the entry as everybody does, by watching for it, and so do those of a user who could not be looked at: kept with
 * the reason, for who ordered it.
 */
#pragma once
#include "supervisor/kill/kill_place.h"
#include "supervisor/kill/kill_tell.h"

#define KILL_USERS_DIR "/run/user"
enum { KILL_USERS_MAX = 128 };

/* A user whose sessions nobody has looked at. */
struct kill_passed {
	uid_t uid;
	char why[KILL_PLACE_WORDS];
};

struct kill_others {
	enum kill_verb verb;
	const struct kill_entry *entry; /* borrowed; NULL: nobody is told */
	struct kill_told *v;
	size_t n, room;
	struct kill_passed *passed;
	size_t n_passed, room_passed;
	bool more; /* there are more users than are looked at */
};

/* Sends the order to each session that is there now. */
int kill_others_tell(
	enum kill_verb verb, const struct kill_entry *e, struct kill_others *ret, struct diag *d) _must_check_;
/* Sends it to those that have come since. */
int kill_others_tell_again(struct kill_others *o, struct diag *d) _must_check_;
/* Hears them all, and kills those that do not answer. */
int kill_others_hear(struct kill_others *o, enum kill_round round, struct diag *d) _must_check_;
/* Waits for the ends until that moment (io_now_us); how many are not gone. */
unsigned kill_others_alive(const struct kill_others *o, uint64_t until);
/* Adds what came of it all to that. */
void kill_others_add(const struct kill_others *o, struct kill_told *total);
void kill_others_done(struct kill_others *o);
