/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_alone - what a person does while no session runs that could record it: one event, in a log of its own
 *
 * Process:  supervisor
 * Returns:  0, -errno with words
 *
 * Who it was, and from which chain of programs, is in every record (audit/audit.h). It is called before what it tells
 * of takes effect: without a record there is none.
 */
#pragma once
#include <jansson.h>
#include "base/diag.h"
#include "supervisor/lineage.h"
#include "supervisor/paths.h"
#include "wire/event.h"

struct record_alone_args {
	const struct paths *paths;
	const struct lineage *lineage;
	const char *server, *channel; /* channel: the command */
	const char *plan, *approval;  /* that it goes with; NULL: none */
};
/* extra: as for audit_append; borrowed, may be NULL. */
int record_alone(
	const struct record_alone_args *a, const struct event *e, const json_t *extra, struct diag *d) _must_check_;
