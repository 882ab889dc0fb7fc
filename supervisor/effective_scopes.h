/* SPDX-License-Identifier: Apache-2.0 */
/*
 * effective_scopes - which tools need which scope, what the server has of them and what may be lifted (wire/scopes.h)
 *
 * Process:  supervisor
 * Returns:  0, -errno
 */
#pragma once
#include "supervisor/effective.h"

enum { SCOPE_TIME_WORDS = 48 };

/* What the machine's owner forbids is no right of the launch. */
void effective_scopes_forbid(const struct policy *p, struct scopes *s);
/* Lines of kind LINE_TOOLS. */
int effective_scopes_lines(struct effective *e) _must_check_;
/* Sets protocol's "scopes", where there are any: other plans stay what was approved. */
int effective_scopes_canonical(json_t *protocol, const struct scopes *s) _must_check_;
/* "30 min", "1 h", "90 s". */
const char *effective_time_words(uint64_t seconds, char ret[SCOPE_TIME_WORDS]);
