/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confine - what the two halves of dial give up before the first request
 *
 *    dial         files, programs, UDP, every TCP port that is not granted
 *    its reader   files but the resolver's, programs, every TCP port but 53
 *
 * Process:  dial
 * Returns:  0, -errno with words
 *
 * Landlock filters TCP ports, not addresses (landlock(7)): which address may be dialled is dial/filter.h's work, and
 * dial is a program of its own so that nothing that parses the server's bytes can reach for a socket, and its reader a
 * process of its own so that nothing that parses a name server's can connect.
 */
#pragma once
#include "base/diag.h"
#include "dial/role.h"
#include "wire/net.h"

/* Lets a file of the resolver's be read: with all that its directory holds where that is one of the system's, alone
 * where it is not. */
int confine_allow_reading(int ruleset, const char *path) _must_check_;
bool confine_is_system_directory(const char *path);
int confine(const struct net_config *c, struct diag *d) _must_check_;
int confine_reader(struct diag *d) _must_check_;
