/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confirm - calls that are parked until a person has answered (wire/confirm.h)
 *
 * Process:  shim
 * Owns:     a copy of each parked call; free with confirms_done
 * Returns:  0, -errno
 * Limits:   CONFIRM_WAITING_MAX calls, CONFIRM_MESSAGE_MAX bytes each, CONFIRM_WAIT_S seconds
 *
 * Theory of operation. A parked call is not among those in flight: no answer of the server's can meet it. It leaves by
 * one of five ways, each answered to the client but the second: yes (it is judged once more, for its tool may have
 * changed meanwhile, and goes on), cancelled by the client, no, time over, the end of the session.
 */
#pragma once
#include "shim/role.h"
#include <stdbool.h>
#include <stdint.h>
#include "shim/lines.h"
#include "shim/walk.h"
#include "wire/confirm.h"
#include "wire/control.h"

enum { CONFIRM_MESSAGE_MAX = 2 * CONFIRM_ARGS_MAX };

struct confirm_call {
	char *id; /* the lexeme */
	size_t id_len;
	char *bytes; /* the message, canonical, NUL after it */
	size_t len;
	char *token;	  /* the lexeme of its progress token, or NULL */
	const char *rule; /* borrowed from the config */
	uint64_t call_id;
	uint64_t due_us, tick_us;
	unsigned ticks;
	bool modern;
};

struct confirms {
	struct confirm_call v[CONFIRM_WAITING_MAX];
	size_t n;
};

struct shim;
struct message;
struct decision;

void confirms_done(struct confirms *c);
/* The parked call with that id, or NULL. */
struct confirm_call *confirm_find(struct confirms *c, struct slice id);
/* A stage (shim/stages.h), the last that can turn a call down: where the profile asks for a person, the verdict is
 * POLICY_PARKED, or a denial. */
int confirm_guard(struct shim *s, struct message *m) _must_check_;
/* The supervisor's CONTROL_CONFIRMED or CONTROL_DECLINED; one for a call that is not there any more is none. */
int confirm_answer(struct shim *s, const struct control *c) _must_check_;
/* The client does not want it any more. false: no such call is parked. */
int confirm_cancel(struct shim *s, struct slice id, bool *ret) _must_check_;
/* Progress for those who asked for it, and an end for those whose time is over; sets the next time. */
int confirm_tick(struct shim *s) _must_check_;
/* Denies all, since reason, a clause. */
int confirm_deny_all(struct shim *s, const char *reason) _must_check_;
/* Those of tools that are killed (kills.h). */
int confirm_deny_killed(struct shim *s) _must_check_;
