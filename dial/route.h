/* SPDX-License-Identifier: Apache-2.0 */
/*
 * route - would the kernel take what is sent to an address to be for this very host? (rtnetlink(7), RTM_GETROUTE)
 *
 * Process:  dial
 * Returns:  1, 0, -errno
 *
 * An address is the host's without being any interface's: a route of type local is enough. Clouds give a machine the
 * public addresses that they forward to it in that way, and clusters those of their services.
 */
#pragma once
#include "dial/role.h"
#include "wire/net.h"

/* A socket to ask by. */
int route_open(int *ret) _must_check_;
int route_is_own(int fd, const struct net_address *a) _must_check_;
