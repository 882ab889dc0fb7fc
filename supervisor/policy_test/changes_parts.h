/* SPDX-License-Identifier: Apache-2.0 */
/*
 * changes_parts - what the files of the changes share; nobody else includes it
 *
 * Process:  supervisor
 * Limits:   CHANGE_TEXT_MAX bytes of what is left of one grant
 */
#pragma once
#include "base/buf.h"
#include "supervisor/policy_test/changes.h"

enum { CHANGE_TEXT_MAX = 64 << 10 };

struct sides {
	const struct effective *now, *then;
	struct changes *ret;
};

/* The ceiling that makes it so: of the side that has less. */
const char *changes_rule(const struct sides *s, bool worse, const char *key);

/* changes_observe.c */
int changes_observe(struct sides *s) _must_check_;
/* changes_network.c */
int changes_network(struct sides *s) _must_check_;
/* Does b let through the whole of g, for good (observed false) or to be recorded? */
bool changes_holds_host(const struct net_config *b, bool observed, const struct net_grant *g);
/* changes_names.c */
int changes_names(struct sides *s) _must_check_;
/* Which tools are asked about: pinned ones, the patterns of both sides, and "*". */
int changes_tool_names(const struct sides *s, struct strv *ret) _must_check_;
