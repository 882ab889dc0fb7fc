/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limits - what a profile's meters do to calls: too often, too many at once, too long, too large (wire/meters.h)
 *
 * Process:  shim
 * Returns:  0, -errno
 *
 * A call's time runs from when the server gets it until its answer; progress does not prolong it. When it is over the
 * client gets the shim's own answer, the server a notifications/cancelled, and what it answers later is dropped. Its id
 * stays taken until then: the late answer must not become that of another call.
 */
#pragma once
#include "shim/role.h"
#include "shim/stages.h"

/* A stage of calls (stages.h): the rate, the number in flight, and what cannot be held to its limits at all. */
int limits_guard(struct shim *s, struct message *m) _must_check_;
/* A call that was let through is in flight: its time begins. */
int limits_begin(struct shim *s, struct pending_entry *e, struct slice tool) _must_check_;
/* Answers the calls whose time is over; sets the next time. */
int limits_expire(struct shim *s) _must_check_;
/* Stages of answers (stages.h). Of a call whose time was over: dropped, and recorded. */
int limits_late(struct shim *s, struct message *m) _must_check_;
/* Larger than it may be: the client gets words instead. */
int limits_output(struct shim *s, struct message *m) _must_check_;
/* It makes a call into a task, whose result would be held to nothing. */
int limits_no_task(struct shim *s, struct message *m) _must_check_;
