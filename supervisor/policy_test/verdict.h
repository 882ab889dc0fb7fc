/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verdict - what one side of a trial says of a tool or a host: denied, let through to be recorded, or allowed
 *
 * Process:  supervisor
 *
 * The rules are those that shim and gateway ask. What is only recorded is what policy/observe.h lets through, and no
 * list of the policy denies.
 */
#pragma once
#include "supervisor/effective.h"

enum verdict { VERDICT_DENIED, VERDICT_RECORDED, VERDICT_ALLOWED };

/* "denied", "recorded", "allowed". */
const char *verdict_word(enum verdict v);
/* ret_where: the rule that denies, or would; borrowed, NULL: none has words. */
enum verdict verdict_tool(const struct effective *e, const char *tool, const char **ret_where);
/* By name where there is one, else by address. */
enum verdict verdict_host(const struct effective *e, const char *name, const struct net_address *a, uint16_t port,
	const char **ret_where);
