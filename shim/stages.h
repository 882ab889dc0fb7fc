/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stages - what a message must pass before it is passed on: a table for each sort of message, from its first row to its
 * last
 *
 * Process:  shim
 * Owns:     nothing; words that a stage makes are in the shim until the next message
 * Returns:  0, -errno
 *
 * Theory of operation. The tables stand in requests.c, questions.c (those of the server), from_server.c and
 * from_client.c (answers) and notifications.c, the stages in the modules that know. A row names the kinds of message
 * that it is asked about. The first that does not let the message go on decides, and no row behind it is asked:
 *
 *     0                          the message goes on
 *     0, stages_refuse()         it has no single meaning, and is refused in these words (m->d is POLICY_MALFORMED)
 *     0, m->d is POLICY_DENY     it may not be: whoever waits for it is told so in the way of its sort
 *     0, m->d is POLICY_PARKED   the stage has kept it, and it comes again
 *     0, m->edited               what is in s->edited takes its place and is validated like what came; then it goes on
 *     STAGE_OVER                 the stage has answered it, or dropped it, and recorded that
 *     -errno                     the session ends
 *
 * The last rows record that the message passes, and forward it: nothing is recorded as allowed that a row behind could
 * still turn down. What a stage borrows from the message (a name, a value) is gone after the next edit. A new rule is a
 * row and a function of its own module.
 */
#pragma once
#include "shim/role.h"
#include "shim/handle.h"
#include "shim/methods.h"

enum { STAGE_OVER = 1 };

typedef int stage_fn(struct shim *s, struct message *m);

enum {
	STAGE_RESULTS = 1 << 0, /* asked about results alone, not about errors */
	STAGE_FRESH = 1 << 1,	/* and not about what has waited here and comes again */
};

/* A bit for each kind: of requests enum method_gate, of answers the enum method_result of what they answer. */
#define STAGE_OF(kind) (1u << (kind))
#define STAGE_ANY      (~0u)

struct stage {
	unsigned when, kinds;
	stage_fn *ask;
};

struct stages {
	const struct stage *v;
	size_t n;
	bool by_result; /* kinds are those of results, not gates */
	stage_fn *deny; /* tells no, records it; 0, -errno. NULL: no row of it denies */
};

/* Takes the message through the table. */
int stages_run(struct shim *s, struct message *m, const struct stages *t) _must_check_;
/* The message is refused: reason is a clause. */
static inline int stages_refuse(struct message *m, const char *reason)
{
	m->d.verdict = POLICY_MALFORMED;
	m->d.reason = reason;
	return 0;
}
/* What a stage returns that has done all that there is to do. */
static inline int stages_over(int r)
{
	return r < 0 ? r : STAGE_OVER;
}
/* A stage: has what its params say one meaning (clarity.h)? Of a call requests.c knows more. */
int stages_clear(struct shim *s, struct message *m) _must_check_;
/* A stage: the rules of the profile and of the protocol (policy.h). */
int stages_by_rules(struct shim *s, struct message *m) _must_check_;
/* A stage: takes out what may not pass (text_out.h), and records how much. */
int stages_clean(struct shim *s, struct message *m) _must_check_;
