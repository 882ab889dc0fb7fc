/* SPDX-License-Identifier: Apache-2.0 */
/*
 * remote - the log of one session behind the collector's socket: what a sender does instead of writing
 *
 * Process:  supervisor
 * Owns:     the socket; close with remote_done
 * Returns:  0, -errno with words: the collector's own, or that it is gone
 * Limits:   COLLECT_WINDOW requests without an answer, REMOTE_WAIT_S for one
 *
 * Handed over is the send: what is in the socket is written even when the sender dies. Acknowledged is the answer,
 * which comes after the collector's write(2). Records of the shim are sent one behind the other and settled together,
 * so that a batch costs one round trip; everything else waits for its own answer.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "audit/role.h"
#include "base/diag.h"
#include "wire/collect.h"

enum { REMOTE_WAIT_S = 10 };

struct remote {
	bool on;  /* records go there, also when it is over */
	int sock; /* -1: it is over */
	uint64_t asked, done;
};

/* Takes the connected socket. */
int remote_init(struct remote *r, int sock, struct diag *d) _must_check_;
/* Sends one request; wait: and has its answer. ret_words: of that answer, or NULL. */
int remote_ask(
	struct remote *r, const struct collect_request *q, bool wait, char ret_words[512], struct diag *d) _must_check_;
/* Waits until everything that was sent is answered. */
int remote_settle(struct remote *r, struct diag *d) _must_check_;
void remote_done(struct remote *r);
