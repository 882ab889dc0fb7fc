/* SPDX-License-Identifier: Apache-2.0 */
/*
 * waiting - what the client hears while approval waits, and what its server hears of it afterwards
 *
 * Process:  shim
 * Owns:     the messages that are kept for the server; free with waiting_done
 * Returns:  0, -errno
 * Limits:   one initialize, no longer than a message may be; WAITING_KEPT_MAX other messages, WAITING_BYTES_MAX in all
 *
 * Theory of operation, with the states of enum waiting_state in their order:
 *
 *     OFF        there is a server, or none is waited for: this module decides nothing
 *     APPROVAL   the shim is the server: it answers the handshake with what any server may have, lists are empty, and
 *                whatever would need the server is told that approval waits. Each request is answered at once, so that
 *                nothing gathers.
 *     HANDSHAKE  the server is there and gets what the client sent for it; the client is not read, so that nothing
 *                gathers. A server that does not know the modern era is asked in the older way: shim/bridge.h
 *     FAILED     the server cannot do what the client was promised: words for every request
 *
 * From HANDSHAKE it goes on to OFF, and the client is told that its lists have changed. What was promised stays
 * promised: of a list that the server does not have, the client goes on to get an empty one.
 *
 * Its files, and what they share: shim/waiting_parts.h
 */
#pragma once
#include "shim/role.h"
#include <stdbool.h>
#include "base/buf.h"
#include "shim/methods.h"
#include "wire/control.h"

struct shim;
struct message;
struct pending_entry;

enum {
	WAITING_KEPT_MAX = 16,
	WAITING_BYTES_MAX = 64 << 10,
	WAITING_HANDSHAKE_MS = 60000, /* as long as clients wait for an answer of a server */
	WAITING_DISCOVER_MS = 30000,  /* who says nothing to server/discover is asked in the older way */
};

enum waiting_state { WAITING_OFF, WAITING_APPROVAL, WAITING_HANDSHAKE, WAITING_FAILED };

/* A message that the server is to get, as the client would have sent it. */
struct waiting_kept {
	char *line;
	size_t n;
	char *id;	  /* its lexeme */
	bool listens;	  /* subscriptions/listen: its answer is the client's; of any other it had one */
	unsigned changes; /* listens: which lists, by LISTS_* bits (shim/waiting_parts.h) */
};

struct waiting {
	enum waiting_state state;
	char words[CONTROL_TEXT_MAX]; /* APPROVAL: the sentence of the supervisor; FAILED: why */
	struct buf hello;    /* initialize or server/discover, as the server gets it; empty: the client sent none */
	struct buf greeting; /* modern: an initialize, for a server that does not know server/discover */
	bool modern;	     /* that is how it spoke */
	bool bridges;	     /* it still does, and its server cannot (shim/bridge.h) */
	uint64_t until_us;   /* HANDSHAKE: io_now_us */
	char version[16];    /* which it was told */
	bool initialized;    /* the client sent notifications/initialized meanwhile */
	bool roots_changed;  /* and that */
	bool owes_changes;   /* lists have changed, to be told once the client is initialized */
	bool replays;	     /* what is handled now was said, and recorded, before */
	unsigned lacks;	     /* lists that were promised and the server does not have */
	struct waiting_kept kept[WAITING_KEPT_MAX];
	size_t n_kept, kept_bytes;
};

void waiting_done(struct waiting *w);
/* There is no server before a person has approved the launch; words: the one sentence that says so. */
void waiting_begin(struct shim *s, const char *words);
/* The client's request or notification while approval waits, or after the server has failed. */
int waiting_request(struct shim *s, struct message *m, const struct method *method) _must_check_;
int waiting_notification(struct shim *s, struct message *m, const struct method *method) _must_check_;
/* The server is there: it gets the handshake. */
int waiting_release(struct shim *s) _must_check_;
/* The server's answer to a message that was kept: swallowed. */
int waiting_answer(struct shim *s, struct message *m, struct pending_entry *e) _must_check_;
/* The same for one that was refused, and is out of the table. */
int waiting_refused(struct shim *s, const char *reason) _must_check_;
/* The handshake lasts too long: that is its end. */
bool waiting_is_late(const struct shim *s);
int waiting_give_up(struct shim *s) _must_check_;
/* notifications/initialized came and was passed on. */
int waiting_initialized(struct shim *s) _must_check_;
/* Is that the id of a subscription that is kept here? It has no other answer than its end. */
bool waiting_holds(const struct shim *s, struct slice id);
/* The client cancels it; false: there is none. */
bool waiting_forget(struct shim *s, struct slice id);
/* Those that wanted to know hear that the list has changed; method: the server's notification. */
int waiting_tell(struct shim *s, struct slice method) _must_check_;
/* There is no server any more: what is kept gets an error in these words. */
int waiting_abandon(struct shim *s, const char *text) _must_check_;
/* Says the line to the server, whose answer is for waiting_answer(). */
int waiting_greet(struct shim *s, const char *line, size_t n) _must_check_;
/* Is it a list that was promised and the server does not have? Then waiting_request() answers it. */
bool waiting_covers(const struct shim *s, const struct method *method);
