/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_block - which kinds of addresses there are, and what it takes to reach one
 *
 * Process:  dial (decides by it), supervisor (says it, and refuses grants that lead nowhere)
 *
 * RFC 6890 and IANA's registries of special purposes. One table for both, so that what is shown is what is done.
 */
#pragma once
#include "wire/net.h"

/* What it takes to be allowed. */
enum net_block_level {
	NET_BLOCK_PUBLIC,  /* nothing */
	NET_BLOCK_PRIVATE, /* a grant that allows private answers, or a literal prefix that covers it */
	NET_BLOCK_PREFIX,  /* a literal prefix that covers it */
	NET_BLOCK_EXACT,   /* a literal grant of this one address */
	NET_BLOCK_NEVER,
};

struct net_block {
	struct net_address net;
	uint8_t prefix;
	enum net_block_level level;
	const char *words; /* "a private address" */
};

/* The block that speaks for the address; never NULL. */
const struct net_block *net_block_of(const struct net_address *a);
/* Does the network hold blocks smaller than itself that it opens, private ones for instance? */
bool net_block_is_mixed(const struct net_address *net, uint8_t prefix);
