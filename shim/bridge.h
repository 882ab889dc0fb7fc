/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bridge - a client of 2026-07-28 whose server knows the earlier versions alone
 *
 * Process:  shim
 * Returns:  0, -errno
 *
 * Theory of operation. While approval waits nobody knows what the server speaks, and a client that asks in the modern
 * era is answered in it (shim/waiting.h): a client that would take the older one too does not ask again. So when the
 * server turns out to know the older one alone, the shim speaks that to it, until the session ends:
 *
 *     handshake      initialize, which offers nothing: such a client takes no requests of a server
 *     discover       answered here, and so are subscriptions, which are kept here
 *     requests       pass as they are: _meta is open in every version, and the methods are the same
 *     results        get resultType, and what may be cached says that it may not
 *     list_changed   goes to the subscriptions that want it; what the client did not ask for (log messages, updates)
 *                    is dropped
 */
#pragma once
#include "shim/role.h"
#include <stdbool.h>
#include "base/buf.h"
#include "shim/handle.h"

/* The initialize that it would be; info: the client's name and version, or empty. */
int bridge_greeting(struct slice info, struct buf *ret) _must_check_;
/* The server does not know server/discover: it gets that. */
int bridge_begin(struct shim *s) _must_check_;
/* Is it a request that the shim answers itself (waiting_request)? */
bool bridge_covers(const struct shim *s, const struct method *method);
/* A stage of results (stages.h): as the client expects them. */
int bridge_result(struct shim *s, struct message *m) _must_check_;
/* A notification of the server; *ret: nothing more is to be done with it. */
int bridge_notification(struct shim *s, const struct message *m, bool *ret) _must_check_;
