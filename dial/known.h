/* SPDX-License-Identifier: Apache-2.0 */
/*
 * known - which addresses which name has led to, for the mode of real addresses
 *
 * Process:  dial
 * Limits:   KNOWN_MAX pairs; when they are used up, new ones are not taken and cannot be dialled
 *
 * In that mode the gateway asks for a name and an address of it. Dial believes neither: only what it resolved and let
 * through itself is dialled.
 */
#pragma once
#include "dial/role.h"
#include "wire/net.h"

enum { KNOWN_MAX = 1 << 16, KNOWN_BUCKETS = 1 << 12 };

struct known;

int known_new(struct known **ret) _must_check_;
void known_free(struct known *k);
int known_add(struct known *k, const char *name, const struct net_address *a) _must_check_; /* -ENOSPC */
bool known_has(const struct known *k, const char *name, const struct net_address *a);
