/* SPDX-License-Identifier: Apache-2.0 */
/*
 * approve_calls - single calls that wait for a person: listed, shown, answered (with approve_waiting.h)
 *
 * Process:  supervisor
 * Returns:  the exit status, everything said
 */
#pragma once
#include "supervisor/approve_waiting.h"
#include "supervisor/call_list.h"

/* One line each on stderr, numbered from first. */
void approve_calls_list(const struct call_list *l, size_t first);
/* Server, tool and whole arguments on stderr. */
int approve_calls_show(const struct call_entry *e);
/* Shows it, asks, and hands the answer over. */
int approve_calls_ask(const struct approve_waiting *w, const struct call_entry *e);
int approve_calls_answer(const struct approve_waiting *w, const struct call_entry *e, enum asker_say say);
/* NULL: out of memory. */
json_t *approve_calls_json(const struct call_entry *e, size_t number);
