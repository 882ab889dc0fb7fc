/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lookup - names to addresses, asked of the process that reads what name servers say (dial/reader.h)
 *
 * Process:  dial
 * Owns:     the socket to it; a lookup is the caller's, and stays where it is until it is answered or forgotten
 * Limits:   RESOLVE_ADDRESSES_MAX addresses a name
 *
 * Messages are structures of one build: both ends are the same program. Nothing that a name server said reaches this
 * side but addresses, their number and a status, and each is looked at before it is believed.
 */
#pragma once
#include <sys/queue.h>
#include "dial/loop.h"
#include "dial/resolve.h"

struct lookup_question {
	uint64_t id;	  /* never 0 */
	uint32_t give_up; /* milliseconds from now: nobody waits any longer */
	char name[NET_NAME_MAX + 1];
};

/* As much of v as n says is sent. */
struct lookup_answer {
	uint64_t id; /* 0: the reader is locked down and begins */
	uint32_t status, n;
	struct net_address v[RESOLVE_ADDRESSES_MAX];
};

struct lookup {
	TAILQ_ENTRY(lookup) link;
	struct lookup_question question; /* id 0: waits for nothing */
	bool sent;
	resolve_fn fn;
	void *ctx;
};

TAILQ_HEAD(lookup_list, lookup);

struct lookups {
	struct loop *loop;
	struct loop_watch watch;
	struct lookup_list waiting;
	uint64_t last_id;
	int error; /* the reader is gone, or said what it cannot mean */
};

/* Takes fd over. */
int lookups_init(struct lookups *l, struct loop *loop, int fd) _must_check_;
/* Who waits is not called. */
void lookups_done(struct lookups *l);
/* Calls fn once, never before it returns, unless w is forgotten before. */
void lookup_ask(struct lookups *l, struct lookup *w, const char *name, uint32_t give_up_ms);
void lookup_forget(struct lookups *l, struct lookup *w);
