/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys - the protocol's own keys, and what some peer would take for one of them (mcp.md section 3, rule 3)
 *
 * Process:  shim
 * Owns:     nothing
 *
 * "Name" beside or instead of "name" is another call to Go and .NET. Where the protocol names the keys of an object, a
 * key that folds to one of them and is not that one is refused.
 */
#pragma once
#include "shim/role.h"
#include "shim/json_keys.h"
#include "shim/walk.h"

/* Whose keys: a key of one object may be anything in another. */
enum keys_of {
	KEYS_OF_PARAMS = 1 << 0,
	KEYS_OF_META = 1 << 1,
	KEYS_OF_TASK = 1 << 2,
	KEYS_OF_RESULT = 1 << 3,
	KEYS_OF_ITEM = 1 << 4, /* tools, resources, prompts, content, messages, roots */
	KEYS_OF_ERROR = 1 << 5,
	KEYS_OF_REQUEST = 1 << 6, /* an input request: method, params */
};

/* Lets the serialiser count imitations of any protocol key, so that messages without any need no closer look. */
void keys_watch(struct json_watch *w, uint64_t secret);
/* The protocol key that this one could be taken for, or NULL. */
const char *keys_imitated(struct slice key, unsigned of);
/* The same for all keys of an object. */
const char *keys_imitated_in(struct slice object, unsigned of);
