/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ask_form - does a form that a server puts before the user ask for a secret, or mean two things?
 *
 * Process:  shim
 * Owns:     nothing
 * Limits:   ASK_FORM_TEXT_MAX bytes of a text: what is longer is no question for a person
 *
 * Words are looked for as people read them: in small letters, without accents and what nobody sees, with look-alikes
 * replaced as the scan has them (scan/letters.h), and once more without what stands between words. It is a list: what
 * is asked for in other words, or in another language, is not known for what it is.
 */
#pragma once
#include "shim/role.h"
#include <stdbool.h>
#include "shim/walk.h"

enum { ASK_FORM_TEXT_MAX = 64 << 10 };

/* A field anywhere in the schema, or the words above it, for a password, a key, a token, a code or a card? */
bool ask_form_wants_secret(struct slice message, struct slice schema);
/* Is there a key in the schema that differs from one of the protocol's by upper and lower case alone? */
bool ask_form_imitates(struct slice schema);
