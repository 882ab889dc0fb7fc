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

/* changes_network.c */
int changes_network(struct sides *s) _must_check_;
/* changes_names.c */
int changes_names(struct sides *s) _must_check_;
