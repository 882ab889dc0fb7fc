/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch - the first packets of what no listener takes, so that denied ports are recorded
 *
 * Process:  gateway
 * Limits:   WATCH_A_TURN packets a turn; what comes faster is dropped by the kernel, counted by nobody, and was denied
 * anyway
 */
#pragma once
#include "gateway/role.h"
#include "gateway/gateway.h"

enum { WATCH_A_TURN = 64, WATCH_PACKET = 96 };

void watch_ready(struct gateway *g, struct source *s, uint32_t events);
/* Where an IP packet goes. False: it is neither the first of a TCP connection nor UDP, or not whole. */
bool watch_parse(const void *packet, size_t n, struct net_address *ret_to, uint16_t *ret_port, bool *ret_udp);
