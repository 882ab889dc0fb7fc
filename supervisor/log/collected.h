/* SPDX-License-Identifier: Apache-2.0 */
/*
 * collected - the directories of the machine's collector, for the commands that are given there
 *
 * Process:  supervisor
 * Owns:     the descriptors; close with collected_done
 * Returns:  0, -errno with words
 *
 * Everything in them is the collector's user's own, and stays so: root becomes that user before it touches anything.
 */
#pragma once
#include "base/diag.h"
#include "supervisor/role.h"

#define COLLECTOR_LOGS	"/var/log/stockade"
#define COLLECTOR_STATE "/var/lib/stockade-collector"
/* Of a place. */
#define COLLECTOR_NEVER_RAN "%s is not there: no collector has run on this machine (stockade-collector(8))"

struct collected {
	int state, logs;
};

/* Opens both as the user that the collector runs as; whoever is neither root nor that user is refused. */
int collected_open(struct collected *ret, struct diag *d) _must_check_;
void collected_done(struct collected *c);
#define _cleanup_collected_ _cleanup_(collected_done)
#define COLLECTED_NONE	    ((struct collected){ -1, -1 })
