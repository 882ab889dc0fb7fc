/* SPDX-License-Identifier: Apache-2.0 */
/*
 * args - what the log gets to know of a call's arguments (audit.arguments: keys, hash, full)
 *
 * Process:  shim
 * Owns:     nothing; text is borrowed from the buf that the caller gives
 * Limits:   EVENT_KEYS_MAX of keys, EVENT_ARGS_MAX of arguments, cut and marked
 *
 * In full mode the values of keys that sound like secrets and passwords inside URLs are removed.
 */
#pragma once
#include "shim/role.h"
#include "base/buf.h"
#include "shim/blake2s.h"
#include "shim/walk.h"
#include "wire/event.h"
#include "wire/shim_config.h"

/* A string value: "scheme://user:password@host" loses its password. */
int args_put_string(struct buf *b, struct slice s) _must_check_;
/* salt: that of the session, for SHIM_ARGS_HASH. */
int args_record(struct event *e, enum shim_args mode, const struct blake2s_key *salt, struct slice arguments,
	struct buf *room) _must_check_;
