/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill_watch - wakes who waits when an entry of the kill switch comes or goes
 *
 * Process:  supervisor
 * Owns:     an inotify instance, of which a user has 128; free with kill_watch_done
 * Returns:  nothing that could fail: without a watch its owner looks every KILL_POLL_MS
 *
 * Theory of operation. A directory that is not there yet is watched for in the one above it, so that the first entry is
 * heard as soon as any other; what was watched may be replaced, so that after each event everything is watched for anew
 * and read anew. What inotify cannot see (another machine's writing on a network file system, a mount over the
 * directory) is seen by a look every KILL_LOOK_MS.
 */
#pragma once
#include <stdbool.h>
#include "supervisor/paths.h"

enum { KILL_POLL_MS = 500, KILL_LOOK_MS = 30000 };

struct kill_watch {
	int fd; /* -1: there is none, or it does not see everything */
};
#define KILL_WATCH_NONE ((struct kill_watch){ .fd = -1 })

void kill_watch_begin(const struct paths *p, struct kill_watch *ret);
/* After its descriptor was readable, before the entries are read again. */
void kill_watch_renew(const struct paths *p, struct kill_watch *w);
/* How long its owner may go without a look. */
unsigned kill_watch_look_ms(const struct kill_watch *w);
void kill_watch_done(struct kill_watch *w);
