/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listed - what `ps` lists, gathered once, and its two forms
 *
 * Process:  supervisor
 * Owns:     the lists; free with listed_done
 * Returns:  0, -errno with words
 */
#pragma once
#include <jansson.h>
#include <stdio.h>
#include "supervisor/call_list.h"
#include "supervisor/consent_pending.h"
#include "supervisor/kill/kill_set.h"
#include "supervisor/registry.h"

struct listed {
	struct registry_list sessions;
	struct pendings launches;
	struct call_list calls;
	struct kill_set kills;
	struct registry_processes processes;
	uint64_t wall_us; /* when */
};

int listed_read(const struct paths *p, struct listed *ret, struct diag *d) _must_check_;
void listed_done(struct listed *l);
#define _cleanup_listed_ _cleanup_(listed_done)
bool listed_none(const struct listed *l);
/* NULL: memory ran out, or a name is not UTF-8. */
json_t *listed_json(struct listed *l);
/* A line each, below a line of headings. */
void listed_print(struct listed *l, FILE *out);
