/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop - descriptors and what is done when they are ready (epoll(7))
 *
 * Process:  dial
 * Owns:     the epoll descriptor; never the descriptors that are watched
 * Limits:   LOOP_BATCH events a turn
 */
#pragma once
#include <stdint.h>
#include "dial/role.h"
#include "base/cleanup.h"

enum { LOOP_BATCH = 64 };

/* Embedded in what is watched; must stay where it is until the turn after loop_forget. */
struct loop_watch {
	int fd; /* -1: forgotten, events that are under way are dropped */
	uint32_t events;
	void (*ready)(struct loop_watch *w, uint32_t events);
	void *owner;
};

struct loop {
	int epoll;
};

int loop_init(struct loop *l) _must_check_;
void loop_done(struct loop *l);
/* Watches w->fd for events, or changes what it is watched for. */
int loop_watch(struct loop *l, struct loop_watch *w, int fd, uint32_t events) _must_check_;
void loop_forget(struct loop *l, struct loop_watch *w);
/* Waits up to timeout_ms (-1: for ever) and calls what is ready. */
int loop_turn(struct loop *l, int timeout_ms) _must_check_;
