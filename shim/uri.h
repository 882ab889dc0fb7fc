/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uri - has a uri one meaning, or could a rule and a server read it differently? (RFC 3986, section 6.2.2)
 *
 * Process:  shim
 * Owns:     nothing; a uri is the inside of a canonical JSON string
 *
 * Rules match the spelling. A server that decodes, folds the scheme or squeezes slashes before it looks takes other
 * spellings for the same resource, and a rule that denies one of them would miss the rest.
 */
#pragma once
#include "shim/role.h"
#include <stdbool.h>
#include "shim/walk.h"

/* The value of a hexadecimal digit, or -1. */
int uri_hex(char c);
/* Does a path segment read "." or "..", percent-encoded or not? */
bool uri_has_dot_segment(struct slice uri);
/* Is there a capital in its scheme, an empty segment in its path, or a percent-encoded letter, digit or one of "-._~"?
 */
bool uri_has_other_spelling(struct slice uri);
