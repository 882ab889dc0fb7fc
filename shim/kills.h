/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kills - tools that the kill switch takes away while the session runs
 *
 * Process:  shim
 * Owns:     what is killed; free with kills_done
 * Returns:  0, -errno
 * Limits:   CONTROL_KILLS_MAX entries (wire/control.h)
 *
 * From the moment that the supervisor says so a call is refused, before any other rule but the profile's; what is in
 * flight is answered here, the server is told to stop, and what it answers later is dropped; the tool is listed no
 * more, and the client hears that the list has changed. What has become a task is reached by tasks/cancel alone.
 */
#pragma once
#include "shim/role.h"
#include <stdbool.h>
#include "shim/walk.h"
#include "wire/control.h"

/* In records, and to the client. */
#define KILLS_RULE "the kill switch"

struct kills_tool {
	char *glob, *words; /* NULL: the place is free */
};

struct kills {
	struct kills_tool *v; /* CONTROL_KILLS_MAX of them; NULL before the first */
};

struct shim;
struct message;

/* CONTROL_KILL_TOOL and CONTROL_RESTORE_TOOL. */
int kills_take(struct shim *s, const struct control *c) _must_check_;
/* What kills the tool, in words, or NULL; name: inside of the string. */
int kills_find(struct shim *s, struct slice name, const char **ret_words) _must_check_;
/* A stage (shim/stages.h) of requests. */
int kills_guard(struct shim *s, struct message *m) _must_check_;
void kills_done(struct kills *k);
