/* SPDX-License-Identifier: Apache-2.0 */
/*
 * effective_meters - what holds calls down (wire/meters.h), for people and for the digest
 *
 * Process:  supervisor
 * Returns:  0, -errno
 */
#pragma once
#include "supervisor/effective.h"

/* What the shim counts by, in words: "a minute". */
const char *effective_period_words(uint32_t seconds);
/* Calls and seconds, not the quotient: how many may come at once is part of it. null for none. */
json_t *effective_rate_json(const struct meters_rate *r);
/* What is there for every tool: lines of kind LINE_LIMIT. */
int effective_meters_walls(struct effective *e) _must_check_;
/* What single rules of tools.allow say: lines of kind LINE_TOOLS. */
int effective_meters_tools(struct effective *e) _must_check_;
/* New; NULL when it cannot be written down. */
json_t *effective_meters_canonical(const struct meters *m);
