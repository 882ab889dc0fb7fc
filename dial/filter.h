/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter - may this very address be dialled?
 *
 * Process:  dial
 * Owns:     the socket that routes are asked by; words are static
 *
 * A name is granted, not what somebody lets it resolve to: loopback, private, link-local, metadata, transition forms
 * and the host's own addresses are refused unless the profile names them (sandbox.md's rule 9; IANA's special-purpose
 * registries).
 */
#pragma once
#include "dial/role.h"
#include "wire/net_block.h"

/* The addresses of the host itself: those of its interfaces, as of now (getifaddrs(3)), and what its routes say
 * (dial/route.h). */
struct filter_host {
	struct net_address *v;
	size_t n;
	uint64_t as_of_us;
	bool routed; /* route is a socket to ask by; without it v alone counts */
	int route;
};

enum { FILTER_HOST_MAX = 4096, FILTER_HOST_AGE_US = 1000000 };

/* Reads them again when they are older than FILTER_HOST_AGE_US; 0, -errno. */
int filter_host_refresh(struct filter_host *h) _must_check_;
void filter_host_done(struct filter_host *h);

/* The level of the address, and in words what it is ("a loopback address"). */
enum net_block_level filter_level(const struct filter_host *h, const struct net_address *a, const char **ret_words);
/* NULL: may be dialled under the grant on the port. Else the words of what it is. */
const char *filter_forbids(const struct net_config *c, uint32_t grant, const struct filter_host *h,
	const struct net_address *a, uint16_t port);
