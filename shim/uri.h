/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uri - has a uri one meaning, or could a rule and a server read it differently? (RFC 3986, section 6.2.2)
 *
 * Process:  shim
 * Owns:     nothing; a uri is its text, without the escapes of JSON
 *
 * Rules match the spelling. A server that decodes, folds the scheme, squeezes slashes or reads as browsers do (WHATWG
 * URL, "URL parsing") takes other spellings for the same resource, and a rule that denies one of them would miss the
 * rest.
 */
#pragma once
#include "shim/role.h"
#include <stdbool.h>
#include "shim/walk.h"

/* Is there something that browsers and their like drop before they read: a control character, a blank at either end? */
bool uri_has_dropped(struct slice uri);
/* Does a path segment read "." or "..", percent-encoded or not? */
bool uri_has_dot_segment(struct slice uri);
/* Could the same resource be named in another way? A scheme or host with a capital, a port that goes without saying, an
 * empty segment, a percent-encoded letter or digit, a fragment, anything that RFC 3986 has no place for. */
bool uri_has_other_spelling(struct slice uri);
/* Appends it with all that is percent-encoded decoded, once. */
int uri_decode(struct buf *b, struct slice uri) _must_check_;
