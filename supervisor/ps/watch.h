/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch - `ps --watch`: the list again and again until SIGINT, SIGTERM, or until nobody reads
 *
 * Process:  supervisor
 * Returns:  0, -errno with words
 *
 * On a terminal the list is drawn over itself: each frame is one write(2) that goes to the upper left, ends each line
 * by clearing what is left of it, and clears what is below, so that nothing is ever blank in between. Lines are cut at
 * the terminal's width and rows at its height. The other screen of the terminal is used and given back, also when it is
 * stopped (SIGTSTP).
 */
#pragma once
#include "supervisor/ps/listed.h"

struct watch_options {
	bool json;	   /* one array a line and tick */
	uint64_t interval; /* seconds */
};

int watch_run(const struct paths *p, const struct watch_options *o, struct diag *d) _must_check_;
/* One frame of a screen of that size: text cut to it, with what draws it over the one before. For tests too. */
int watch_frame(const char *text, unsigned columns, unsigned rows, struct buf *ret) _must_check_;
