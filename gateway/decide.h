/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decide - what a connection to an address and port means, and which grant lets it out
 *
 * Process:  gateway
 * Returns:  enum decide_verdict
 */
#pragma once
#include "gateway/role.h"
#include "gateway/hello.h"
#include "gateway/names.h"
#include "gateway/record.h"

enum decide_verdict {
	DECIDE_GO,    /* ask dial */
	DECIDE_HELLO, /* the ClientHello says which of the names is meant, or whether it is one at all */
	DECIDE_DENY,
};

struct decision {
	uint32_t grant;
	const struct name *name;   /* NULL: the address itself is meant */
	const char *rule, *reason; /* DECIDE_DENY */
};

enum decide_verdict decide_address(
	const struct names *n, const struct net_address *a, uint16_t port, struct decision *ret);
/* After DECIDE_HELLO, and never DECIDE_HELLO again. */
enum decide_verdict decide_hello(
	const struct names *n, const struct net_address *a, uint16_t port, const struct hello *h, struct decision *ret);
/* Fills host, address, port and a reason that ends in what would grant it. */
void decide_denial(const struct names *n, const struct net_address *a, uint16_t port, const char *protocol,
	const struct decision *d, struct denial *ret);
bool decide_is_loopback(const struct net_address *a);
