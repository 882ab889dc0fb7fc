/* SPDX-License-Identifier: Apache-2.0 */
/*
 * asks - what a server may ask of the client's model and of the person at the client (wire/shim_client.h)
 *
 * Process:  shim
 * Owns:     nothing
 * Returns:  0, -errno
 *
 * A form that the client shows looks like the client's own. The protocol says that servers must not ask for secrets in
 * one (elicitation, security considerations); whoever wants them does not keep to that. The words that give a form away
 * are a table: a secret asked for in other words still gets through, and then the server's name stands before them.
 *
 * Denied is what the profile does not have. Lowered, as the protocol lets a client do without telling the server, is
 * maxTokens ("MAY choose to sample fewer tokens") and includeContext ("MAY modify or ignore"); the record says so.
 */
#pragma once
#include "shim/role.h"
#include "shim/policy.h"
#include "shim/rates.h"

enum { ASKS_SHOWN_MAX = 32, ASKS_PASSED_MAX = 32, ASKS_NOTE_MAX = 160 };

/* An input request that was judged and edited, of a message that is still on its way. */
struct asks_passed {
	const struct method *method;
	uint64_t shown; /* what it is known by */
	size_t bytes;
	char note[ASKS_NOTE_MAX]; /* what was lowered, a clause for the record; "" */
};

struct asks {
	struct rates_bucket sampling, elicitation;
	uint64_t shown[ASKS_SHOWN_MAX]; /* input requests of tasks, which come again with each look at the task */
	size_t next;
	struct asks_passed passed[ASKS_PASSED_MAX]; /* of the message at hand */
	size_t n_passed;
};

/* A message that is being rewritten: copied into s->edited up to from, which points into s->doc. */
struct asks_edit {
	const char *from;
	bool changed;
	char note[ASKS_NOTE_MAX];
};

struct shim;

/* Denies an allowed request of the server for what it asks: *d gets verdict, rule, reason and code. url: it can only
 * be one for a web address, whatever mode it has. */
int asks_judge(
	struct shim *s, const struct method *method, struct slice params, bool url, struct decision *d) _must_check_;
/* Denies what the rates have no room for, with so many before it in the same message, and takes nothing: of what is
 * over them nothing else is looked at. */
int asks_await(struct shim *s, uint32_t samplings, uint32_t elicitations, struct decision *d) _must_check_;
/* Takes so many out of the rates, or denies: ANSWER_BUSY, with when to come again. */
int asks_take(struct shim *s, uint32_t samplings, uint32_t elicitations, struct decision *d) _must_check_;
/* The next request in the order of the message: the server's name goes before the words that a person reads, and what
 * is too much is lowered. */
int asks_edit(struct shim *s, const struct method *method, struct slice params, struct asks_edit *x) _must_check_;
/* The rest of the message. When x->changed, it is in s->edited. */
int asks_edited(struct shim *s, struct asks_edit *x) _must_check_;
