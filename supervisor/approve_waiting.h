/* SPDX-License-Identifier: Apache-2.0 */
/*
 * approve_waiting - the launches that wait: listed, shown, answered
 *
 * Process:  supervisor
 * Returns:  the exit status, everything said
 */
#pragma once
#include "supervisor/consent_pending.h"

struct approve_waiting {
	const struct paths *paths;
	const struct lineage *lineage;
};

/* Lists on stderr, asks for a number, then asks that question. */
int approve_waiting_choose(const struct approve_waiting *w);
/* The question of number n (from 1). */
int approve_waiting_number(const struct approve_waiting *w, uint64_t n);
/* All of it on one page, one question. */
int approve_waiting_all(const struct approve_waiting *w);
/* The one with this digest, without asking. */
int approve_waiting_digest(const struct approve_waiting *w, const char *digest);
/* The list on stdout; nothing is asked. */
int approve_waiting_json(const struct approve_waiting *w);
