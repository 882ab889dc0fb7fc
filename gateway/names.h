/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names - which address stands for which name inside the sandbox
 *
 * Process:  gateway
 * Owns:     every name it was given, until names_done: pointers to them hold for the whole session
 * Returns:  0, enum names_outcome, -ENOMEM
 * Limits:   config.limits.names that wildcards map; NAMES_ADDRESSES_MAX pairs of address and name in real-address mode
 *
 * Nothing is ever evicted or given to another name: an address that a client kept means what it meant. Names come from
 * hostile questions, so they are kept in balanced trees (tsearch(3)), which no choice of names makes slow.
 */
#pragma once
#include "gateway/role.h"
#include "wire/net_layout.h"

enum { NAMES_ADDRESSES_MAX = 64 << 10 };

enum names_outcome {
	NAMES_DENIED = 1, /* no grant on any port */
	NAMES_FULL,	  /* granted, and there is no room for one more */
};

struct name {
	char *text;
	struct net_address address; /* that stands for it; family 0 in real-address mode */
};

/* Every name that an address was given for, in the order they came. */
struct name_set {
	struct net_address address;
	const struct name **names;
	size_t n;
};

struct names {
	const struct net_config *config;
	const struct net_layout *layout;
	void *by_text;	  /* struct name */
	void *by_address; /* struct name_set */
	uint32_t n_wildcard, n_pairs;
};

int names_init(struct names *n, const struct net_config *c, const struct net_layout *l) _must_check_;
void names_done(struct names *n);
/* May the name be looked up at all? One label falls under a grant for that very name and never under "*". */
bool names_granted(const struct names *n, const char *name);
/* The name with its address, which it gets now if it has none. */
int names_map(struct names *n, const char *name, const struct name **ret) _must_check_;
/* Real-address mode: the name resolved to a. */
int names_add(struct names *n, const struct name *name, const struct net_address *a) _must_check_;
/* The names that a stands for, or NULL. */
const struct name_set *names_at(const struct names *n, const struct net_address *a);
