/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_provide - "provide": what every sandbox with a network is given (policy.h)
 *
 * Process:  supervisor
 * Owns:     its strings; free with policy_provide_done
 * Limits:   POLICY_CA_MAX the certificates
 */
#pragma once
#include <stdint.h>
#include "supervisor/role.h"

enum { POLICY_CA_MAX = 1 << 20 };

struct policy_provide {
	char *proxy_host; /* provide.proxy, or NULL */
	uint16_t proxy_port;
	char *proxy_where; /* "FILE:LINE (provide.proxy)" */
	char *ca;	   /* the certificates themselves, PEM; NULL: none are provided */
	char *ca_where;	   /* "FILE:LINE (provide.ca "PATH")" */
};

void policy_provide_done(struct policy_provide *p);
