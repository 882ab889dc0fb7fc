/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sockets - what enter hands out, received and looked at
 *
 * Process:  gateway
 * Returns:  0, -errno with a diag
 *
 * Each is checked to be what the layout says: a gateway that took a listener for another would decide wrongly ever
 * after.
 */
#pragma once
#include "gateway/role.h"
#include "base/diag.h"
#include "wire/net_layout.h"

/* Fills ret[l->n_sockets] from the socket `from`; -1 where the kernel had no such socket to make. */
int sockets_receive(int from, const struct net_layout *l, int *ret, struct diag *d) _must_check_;
/* Is fd the socket s? Makes it non-blocking. */
int sockets_check(int fd, const struct net_socket *s) _must_check_;
/* Is fd a listener on 127.0.0.1? Makes it non-blocking. */
int sockets_check_publish(int fd) _must_check_;
/* Is fd a connection of TCP, and no listener? What dial hands over. */
int sockets_check_upstream(int fd) _must_check_;
