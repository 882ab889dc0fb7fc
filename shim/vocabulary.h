/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vocabulary - the protocol's own words, which stay what they are whatever a secret or a pattern of a profile says
 *
 * Process:  shim
 * Owns:     nothing
 *
 * Somebody's password may be "complete", and a pattern may fit "text". Taken out where the protocol has that word, no
 * client could read the message. Keys of fewer than SHIM_SECRET_BYTES_MIN bytes are not here: no secret is as short,
 * and patterns do not look at keys.
 */
#pragma once
#include "shim/role.h"
#include <stdbool.h>
#include "shim/walk.h"

enum { VOCABULARY_WORD_MAX = 48 };

/* Is it a key of the protocol's? */
bool vocabulary_has_key(struct slice key);
/* Is it a word that the protocol has after that key? */
bool vocabulary_has_word(struct slice key, struct slice value);
