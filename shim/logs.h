/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logs - which of a server's log messages reach the client (notifications/message; wire/shim_client.h)
 *
 * Process:  shim
 * Owns:     nothing
 * Returns:  0, -errno
 *
 * What is dropped is counted: the first at once, the rest together every LOGS_RECORD_S seconds and at the end. A record
 * for each would fill the log with what nobody wanted to read.
 */
#pragma once
#include "shim/role.h"
#include <stdbool.h>
#include <stdint.h>
#include "shim/rates.h"

enum { LOGS_RECORD_S = 10 };

struct logs {
	struct rates_bucket bucket;
	uint64_t below, over; /* dropped and not recorded yet: for their level, for their number */
	uint64_t due_us;      /* when they are; 0: the next is at once */
};

struct shim;
struct method;

/* Is the notification in s->doc a log message that the profile keeps from the client? Then it is counted. */
int logs_drop(struct shim *s, const struct method *method, bool *ret) _must_check_;
/* Records what is due; sets the next time. */
int logs_tick(struct shim *s) _must_check_;
/* Records what is left. */
int logs_end(struct shim *s) _must_check_;
