/* SPDX-License-Identifier: Apache-2.0 */
/* wire_unit - what the tests of messages share */
#pragma once
#include "tests/unit/unit.h"
#include <stdbool.h>
#include "wire/shim_config.h"

#define T(text) ((char *)(uintptr_t)(text))

static inline bool same(const struct strv *a, const struct strv *b)
{
	for (size_t i = 0; i < a->n && a->n == b->n; i++)
		if (strcmp(a->v[i], b->v[i]) != 0)
			return false;
	return a->n == b->n;
}

/* Nothing in it is zero, and no two fields are alike. Owned: meters_done(). */
static inline void make_meters(struct meters *m)
{
	m->each = (struct meters_rate){ 60, 60, strdup("the default") };
	m->total = (struct meters_rate){ METERS_CALLS_MAX, METERS_PERIOD_MAX, strdup("p.json:41 (tools.total)") };
	m->time = (struct meters_bound){ METERS_TIME_MAX, strdup("p.json:42 (tools.time)") };
	m->output = (struct meters_bound){ 4096, strdup("p.json:43 (tools.output)") };
	m->in_flight = (struct meters_bound){ METERS_INFLIGHT_MAX, strdup("p.json:44 (limits.calls)") };
	m->tools = calloc(2, sizeof(*m->tools));
	assert_non_null(m->tools);
	m->tools[0] = (struct meters_tool){ .glob = strdup("create_*"),
		.rate = { 10, 3600, strdup("p.json:45") },
		.time = { 5, strdup("p.json:46") },
		.output = { 9000, strdup("p.json:47") },
		.confirm = { 1, strdup("p.json:48") } };
	m->tools[1] = (struct meters_tool){ .glob = strdup("*") };
	m->n = 2;
}
