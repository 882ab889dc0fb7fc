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

/* Opens the log of one session, with the key of this installation, which is made where there is none. */
int log_open(const struct paths *p, const struct audit_identity *id, struct audit **ret, struct diag *d) _must_check_;
/* The public keys of this installation; none is no error. */
int log_open_keys(const struct paths *p, struct log_keys *ret, struct diag *d) _must_check_;
