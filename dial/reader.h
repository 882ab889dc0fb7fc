/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader - the half of dial that reads what name servers say: a process of its own, without the ports of the grants
 *
 * Process:  dial (starts it), the reader
 * Returns:  0, -errno with words
 * Limits:   limits.connections questions at once
 *
 * Landlock filters ports, not addresses: whoever took over a process that may connect to a granted port could reach
 * that port of any machine, this one's loopback among them. So the bytes of the network are read here (c-ares), where
 * UDP and TCP port 53 are all that is left, and the other half, which connects, reads only lookup.h's structures.
 */
#pragma once
#include "base/diag.h"
#include "dial/role.h"
#include "wire/net.h"

/* Starts it, waits until it is locked down, and gives the socket for lookups_init(). It ends with that socket, and with
 * the process that started it. */
int reader_start(const struct net_config *c, int *ret_fd, struct diag *d) _must_check_;
