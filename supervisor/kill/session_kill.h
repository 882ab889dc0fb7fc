/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_kill - the kill switch in a session: entries that come and go, and orders of `stockade kill`
 *
 * Process:  supervisor
 * Owns:     watch, socket and what the shim was told; free with session_kills_done
 * Returns:  0, -errno with words in the session's diag
 * Limits:   CONTROL_KILLS_MAX tools of one server; with more of them killed, the server is
 *
 * Should:   end the server, or have the shim hear of a tool, before anything is written or said about it.
 * Mustn't:  wait for who ordered it, or believe anybody but the user and root.
 */
#pragma once
#include <stdint.h>
#include "wire/control.h"
#include "supervisor/role.h"

struct session;

/* Watches and listens, before the session's system call filter. -EPERM: it is killed already. */
int session_kills_begin(struct session *s) _must_check_;
/* The last look before the server is released; from here on the shim is told. Where it is killed the session ends:
 * *ret. */
int session_kills_live(struct session *s, bool *ret) _must_check_;
/* An entry has come or gone, or it is time for a look. */
int session_on_kills(struct session *s) _must_check_;
/* Somebody has sent an order. */
int session_on_kill_order(struct session *s) _must_check_;
int session_kills_fd(const struct session *s);
int session_kill_order_fd(const struct session *s);
uint64_t session_kills_due(const struct session *s);
/* What those hear who are left without an answer, when it was the kill switch that ended the server; else NULL. */
const char *session_kill_words(const struct session *s);
void session_kills_done(struct session *s);
