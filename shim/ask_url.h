/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ask_url - may a person be sent to that address (elicitation, mode "url")?
 *
 * Process:  shim
 * Owns:     nothing
 *
 * Only what every reader takes for the same place passes: RFC 3986 and the URL standard of browsers differ about
 * backslashes, blanks, control characters, user information and numbers as hosts, and a person reads neither. So an
 * address is plain ASCII, begins with https://, and names a granted host and port and nobody.
 */
#pragma once
#include "shim/role.h"
#include "shim/secrets.h"
#include "shim/walk.h"
#include "wire/shim_client.h"

enum { ASK_URL_MAX = 4096, ASK_URL_HOST_MAX = 253 };

/* Why not, a clause; NULL: it may. */
const char *ask_url_refusal(const struct shim_client *c, const struct secrets *secrets, struct slice inside);
