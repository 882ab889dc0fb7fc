/* SPDX-License-Identifier: Apache-2.0 */
/*
 * changes - what one launch loses and gains where another policy holds, right by right, each with its rule
 *
 * Process:  supervisor
 * Owns:     its strings; free with changes_done
 * Returns:  0, -ENOMEM
 *
 * Both sides were drawn by the code of a launch; here they are only held against each other. Of lists of names, which
 * no two can be intersected, known names are asked about: those that are pinned, and the patterns of both sides
 * themselves.
 */
#pragma once
#include "supervisor/effective.h"

struct change {
	bool worse;
	bool recorded; /* of what is let through for no other reason than to be recorded (policy/observe.h): neither
			* granted nor taken away, so never worse */
	char *what;
	char *rule; /* "FILE:LINE (KEY)": of the new policy where it is worse, else of the one that held; NULL: not
		       known */
};

struct changes {
	struct change *v;
	size_t n, room;
};

int changes_find(const struct effective *now, const struct effective *then, struct changes *ret) _must_check_;
int changes_add(struct changes *c, bool worse, const char *rule, const char *fmt, ...) _printf_(4, 5) _must_check_;
void changes_done(struct changes *c);
#define _cleanup_changes_ _cleanup_(changes_done)
