/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report - what another policy changes, as one JSON object and as a table drawn from it
 *
 * Process:  supervisor
 * Returns:  the object, NULL when there is no memory; 0, -errno
 */
#pragma once
#include <stdio.h>
#include "supervisor/policy_test/replay.h"
#include "supervisor/policy_test/trial.h"

/* {"server", "profile", "judged", "refused", "refused_now", "rule", "answers_now", "answers", "changes": [{"worse",
 * "recorded", "what", "rule"}]}; *worse is set where it is. */
json_t *report_server(const struct trial *t, const char *file, bool *worse);
/* {"id", "server", "channel", "outcome", "why", "rule"}. t NULL: there is no launch that it would be for. */
json_t *report_approval(const struct approval *a, const struct trial *t, const char *file, bool *worse);
/* {"sessions", "records", "asked", "damaged", "unjudged", "more", "denied": [...], "recorded": [...]}. */
json_t *report_log(const struct replay *r, bool *worse);
int report_print(FILE *out, const json_t *report, bool colour) _must_check_;
