/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alert_show - the rules that a session would be asked about, in words (alert_rules.h)
 *
 * Process:  supervisor
 * Returns:  0, -errno with words: what a launch would be refused with
 */
#pragma once
#include "supervisor/alerts/alert_rules.h"

/* A list of sentences, each with the line that lays it down. policy: its list, which counts alone where it is there. */
int alert_show(const struct paths *p, const struct alert_rules *policy, json_t **ret, struct diag *d) _must_check_;
