/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill_order - `stockade kill` tells a session, and the session answers: RUNTIME/sessions/ID.kill
 *
 * Process:  supervisor, on both sides
 * Owns:     struct kill_order its entry and descriptor; free with kill_order_done
 * Returns:  0, -errno
 * Limits:   KILL_FILE_MAX bytes an order
 *
 * A datagram of one letter and the bytes of a kill entry, so that a session of another version understands it; beside
 * it what the answer goes to. Who sent it is the kernel's word (SCM_CREDENTIALS): the user, or root. The answer names
 * the session and says whether it obeys or is not meant. Neither side ever waits for the other.
 *
 * To the user's own `stockade kill` it goes through a socket and brings a pidfd of the session's PID 1 where there is
 * one, whose end is the end of every process of the server. Root gives other users a pipe instead, which no descriptor
 * fits through: whoever drops one that came from somebody else may have to wait for it (a socket that lingers), and
 * recvmsg(2) drops what it is not asked for. Answers are of one size there, so that each write is atomic and as many
 * fit as sessions are told.
 */
#pragma once
#include <sys/types.h>
#include "audit/audit.h"
#include "supervisor/kill/kill_entry.h"

enum { KILL_ANSWER_SIZE = 128, KILL_HINT_SIZE = 48 };

/* KILL_ORDER_LOOK: an entry was taken away. */
enum kill_verb { KILL_ORDER_KILL = 'K', KILL_ORDER_LOOK = 'L' };

struct kill_order {
	enum kill_verb verb;
	struct kill_entry entry; /* its origin: who sent it */
	int answer;		 /* -1: nobody wants one */
};

/* Whether it obeys, or is another's server. */
enum kill_answer { KILL_OBEYED, KILL_NOT_MEANT };

/* The session's socket, made in that directory; before the session's system call filter. */
int kill_order_listen(int dir, const char *id, int *ret) _must_check_;
/* Its end, the name with it. */
void kill_order_forget(int dir, const char *id, int sock);
/* -EAGAIN: there is none. One that is out of form, or of somebody else, is -EPROTO. */
int kill_order_receive(int sock, uid_t uid, struct kill_order *ret) _must_check_;
/* init: pidfd of PID 1, or -1. An answer that nobody takes is none. */
void kill_order_answer(const struct kill_order *o, const char *id, enum kill_answer answer, int init);
void kill_order_done(struct kill_order *o);
#define _cleanup_kill_order_ _cleanup_(kill_order_done)

/* To the session's socket of that name in dir, never waiting. -ECONNREFUSED: it has ended. */
int kill_order_send(
	int sock, int dir, const char *name, enum kill_verb verb, const char *entry, int answer) _must_check_;
/* One answer: *ret_init is the caller's, or -1. -EAGAIN: there is none. */
int kill_order_take_answer(
	int sock, char ret_id[AUDIT_SESSION_ID_LEN + 1], enum kill_answer *ret, int *ret_init) _must_check_;
/* What those are given whose descriptors are not wanted: both ends, which never wait. */
int kill_order_hints(int ret[2]) _must_check_;
/* One answer that came through it. -EAGAIN: there is none; -EPROTO: what came is none. */
int kill_order_take_hint(int fd, char ret_id[AUDIT_SESSION_ID_LEN + 1], enum kill_answer *ret) _must_check_;
