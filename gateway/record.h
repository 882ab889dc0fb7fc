/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record - hands events to the supervisor before what they tell of takes effect; denials are coalesced
 *
 * Process:  gateway
 * Returns:  0, -errno; after an error nothing more may take effect
 * Limits:   RECORD_SLOTS denials that are told apart in one period, RECORD_BURST at once and RECORD_RATE a second in
 * full
 *
 * The first of a kind is told at once, what equals it is counted until the period ends. When there are more kinds than
 * the rate allows, they are counted together: a flood costs the log a few lines a period, and no denial is left
 * uncounted.
 */
#pragma once
#include "gateway/role.h"
#include "wire/event.h"
#include "wire/net.h"

enum {
	RECORD_SLOTS = 128,
	RECORD_RATE = 10,
	RECORD_BURST = 100,
	RECORD_PERIOD_US = 10000000,
	RECORD_REASON_MAX = 384,
};

struct denial {
	enum event_type type; /* EVENT_NET_NAME, EVENT_NET_DENIED */
	char host[254];
	char address[NET_ADDRESS_TEXT];
	uint16_t port;
	const char *protocol; /* "tcp", "udp", "dns" */
	const char *rule;     /* lives as long as the configuration, or for ever */
	char reason[RECORD_REASON_MAX];
};

struct record {
	int fd;
	struct denial slots[RECORD_SLOTS];
	uint64_t counts[RECORD_SLOTS];
	uint64_t more[EVENT_TYPE_COUNT]; /* denials that were too many to tell apart */
	unsigned n;
	uint32_t tokens; /* thousandths of an event */
	uint64_t since_us, period_us;
};

void record_init(struct record *r, int fd, uint64_t now_us);
int record_send(struct record *r, const struct event *e) _must_check_;
int record_denied(struct record *r, const struct denial *d, uint64_t now_us) _must_check_;
/* Sends the counts when the period is over, or at once. */
int record_tick(struct record *r, uint64_t now_us) _must_check_;
int record_flush(struct record *r) _must_check_;
/* When record_tick has something to do: CLOCK_MONOTONIC, or UINT64_MAX. */
uint64_t record_due(const struct record *r);
