/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_open - where records go and what signs them: the one place that opens a log to write into
 *
 * Process:  supervisor
 * Returns:  0, -errno with words; what cannot be recorded is not done
 */
#pragma once
#include "audit/audit.h"
#include "audit/log_key.h"
#include "supervisor/paths.h"
#include "supervisor/policy/policy.h"

#define COLLECTOR_SOCKET "/run/stockade/collector.sock"

/* Connects to the machine's collector, which has to be root's. */
int log_collector_connect(const struct policy *p, int *ret, struct diag *d) _must_check_;
/* Opens the log of one session where policy wants it: with the collector, or in the user's own directory with the key
 * of this installation, which is made where there is none. */
int log_open(const struct paths *p, const struct policy *policy, const struct audit_identity *id, struct audit **ret,
	struct diag *d) _must_check_;
