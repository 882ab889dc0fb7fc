/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pins - definitions that a person approved, held against what the server says now
 *
 * Process:  shim
 * Owns:     its marks; free with pins_done
 * Returns:  0, -errno
 * Limits:   PINS_UNKNOWN_MAX unknown names are recorded one by one; of a list that the shim asks for itself
 *           PINS_PAGES_MAX pages, PINS_LIST_BYTES_MAX bytes and PINS_LIST_US are enough
 *
 * Where pins are in force, what has none is neither listed nor callable. A definition that is not as it was pinned is
 * withheld, and so is everything under its name for the rest of the session, whatever the server says later: it has
 * shown that it rewrites what was approved. A pinned name that the server has not listed yet is no proof: it is asked
 * for its list first, by the shim, and the call waits.
 */
#pragma once
#include "shim/role.h"
#include "shim/methods.h"
#include "shim/policy.h"

enum {
	PINS_UNKNOWN_MAX = 256,
	PINS_NAME_DIGEST_BYTES = 16,
	PINS_PAGES_MAX = 256,
	PINS_LIST_BYTES_MAX = 64 << 20,
	PINS_LIST_US = 60000000,
	PINS_META_MAX = 64 << 10,
};

enum pins_mark {
	PINS_UNSEEN, /* not listed yet, or not since the list changed */
	PINS_SAME,
	PINS_QUARANTINED,
};

struct pins_list {
	bool asking;	/* a tools/list of ours is on its way */
	unsigned pages; /* that it has had */
	uint64_t bytes, since_us;
	const char *why; /* nothing could be learnt from the last one; NULL: it was whole */
};

struct pins {
	unsigned char *marks; /* enum pins_mark, one a pin */
	uint8_t (*unknown)[PINS_NAME_DIGEST_BYTES];
	size_t n_unknown;
	struct pins_list lists[DEFINITION_INSTRUCTIONS];
	bool replaying;	 /* what was parked is decided now: it is not parked again */
	bool learning;	 /* the list at hand is one of the shim's own */
	struct buf room; /* for canonical forms */
	struct buf meta; /* _meta for requests of ours, in the modern era */
	struct buf cursor;
	char failure[256]; /* why the last answer to a request for a list was none */
};

struct shim;
struct message;

void pins_init(struct pins *p);
void pins_done(struct pins *p);
/* What was pinned while the launch waited: fd is a configuration whose pins take the place of those there are. It is
 * closed. -EPROTO: something was judged by them already. */
int pins_replace(struct shim *s, int fd) _must_check_;
/* May the definition stay in what goes to the client? Learns from it. name: inside of the string, "" of instructions.
 */
int pins_keep(
	struct shim *s, enum definition_kind kind, struct slice name, struct slice definition, bool *ret) _must_check_;
/* The definitions that such a list holds, or -1. */
int pins_kind_of(enum method_result kind);
/* A stage (stages.h) of calls, prompts and references: POLICY_DENY, or POLICY_PARKED when it waits for the server's
 * list. */
int pins_guard(struct shim *s, struct message *m) _must_check_;
/* For other stages: the request waits until the shim has seen the server's list of that kind, POLICY_PARKED, or
 * POLICY_DENY when too many wait. Of one that has waited nothing becomes any more, and *ret_why says why there is no
 * list, or is NULL. */
int pins_await_list(struct shim *s, const struct message *m, enum definition_kind kind, struct decision *d,
	const char **ret_why) _must_check_;
/* The server says that a list of it has changed. */
void pins_list_changed(struct shim *s, struct slice method);
/* An answer to a list that the shim asked for (failure: why it is none). What waited for it is decided. */
int pins_answered(
	struct shim *s, const struct message *m, const struct method *method, const char *failure) _must_check_;
/* Ends all that is parked with an error in these words. */
int pins_abandon(struct shim *s, const char *text) _must_check_;
