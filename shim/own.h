/* SPDX-License-Identifier: Apache-2.0 */
/*
 * own - requests that the shim itself makes to the server, and what answers them
 *
 * Process:  shim
 * Owns:     the table of its requests; free with own_done
 * Returns:  0, -errno
 * Limits:   OWN_TIMEOUT_US for an answer
 *
 * Their ids are strings with random digits that no client has seen, so that neither a client's request nor a server's
 * answer to one can be taken for ours; nothing of them ever reaches the client.
 */
#pragma once
#include "shim/role.h"
#include "shim/pending.h"

enum { OWN_PREFIX_SIZE = 40, OWN_TIMEOUT_US = 20000000 };

struct own {
	struct pending table;
	char prefix[OWN_PREFIX_SIZE];
	uint64_t asked;
};

struct own_question {
	const char *method;
	struct slice params; /* members of params in canonical form, without braces; or empty */
	struct slice cursor; /* a lexeme, or empty */
	struct slice meta;   /* the object for params._meta, or empty */
};

struct shim;
struct message;

void own_init(struct own *o, uint64_t secret);
void own_done(struct own *o);
/* Records and sends. Uses s->edited. */
int own_ask(struct shim *s, const struct own_question *q) _must_check_;
/* A notification of ours without params. */
int own_notify(struct shim *s, const char *method) _must_check_;
/* s->doc answers the request e: whoever asked gets it, or hears that it is no use. */
int own_answered(struct shim *s, const struct message *m, struct pending_entry *e) _must_check_;
/* The same when what came under its id was refused, and recorded as that. */
int own_refused(struct shim *s, struct pending_entry *e, const char *reason, uint64_t bytes) _must_check_;
/* Gives up on what has had its time. */
int own_tick(struct shim *s, uint64_t now_us) _must_check_;
