/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_alerts - the rules asked about each record of a session (alert_rules.h)
 *
 * Process:  supervisor
 *
 * Should:   cost nothing where there is no rule, and little where there is: a comparison of each record with each rule.
 * Mustn't:  hold the session up for a hook, or be silent about one that was not run or has failed.
 */
#pragma once
#include "wire/event.h"

struct session;
struct session_alerts;

/* Before the supervisor's filter is on: reads the rules, and starts what runs hooks where a rule needs it. */
int session_alerts_begin(struct session *s) _must_check_;
/* After each record: what fires is recorded, then told. */
int session_alerts_take(struct session *s, const struct event *e) _must_check_;
/* How a hook ended. */
int session_on_alerts(struct session *s) _must_check_;
int session_alerts_fd(const struct session *s);
void session_alerts_done(struct session *s);
