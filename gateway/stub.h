/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stub - the name server inside the sandbox: answers from what is granted, asks dial in real-address mode, and nobody
 * else
 *
 * Process:  gateway
 * Limits:   config.limits.queries a second, further ones wait; GATEWAY_DNS_TCP_MAX connections; GATEWAY_PENDING_MAX
 * questions that wait; STUB_A_TURN datagrams a turn; STUB_TCP_IDLE_US for a connection without a question
 */
#pragma once
#include "gateway/role.h"
#include "gateway/dns.h"
#include "gateway/gateway.h"

enum { STUB_A_TURN = 32, STUB_TCP_IDLE_US = 10000000, STUB_PAUSE_US = 10000 };

int stub_new(struct gateway *g) _must_check_;
void stub_free(struct gateway *g);
void stub_udp_ready(struct gateway *g, struct source *s, uint32_t events);
void stub_accept_ready(struct gateway *g, struct source *s, uint32_t events);
/* Reads on what waited for the rate, closes what has been silent for too long, and frees what this turn closed. */
void stub_tick(struct gateway *g);
uint64_t stub_due(const struct gateway *g);

enum stub_verdict { STUB_ANSWER, STUB_ASK /* dial, for *ret_name */, STUB_SILENCE };
/* What becomes of the question; for STUB_ANSWER the answer's code and at most one address. */
int stub_decide(struct gateway *g, int parsed, const struct dns_query *q, enum dns_rcode *ret_rcode,
	struct net_address *ret_a, const struct name **ret_name) _must_check_;
