/* SPDX-License-Identifier: Apache-2.0 */
/*
 * roots - is a root that the client names within what the sandbox holds?
 *
 * Process:  shim
 */
#pragma once
#include "shim/role.h"
#include <stdbool.h>
#include "base/strv.h"
#include "shim/walk.h"

/* uri is the inside of a string. Only file URIs with a clean absolute path (RFC 8089) can be within. */
bool roots_within(const struct strv *granted, struct slice uri);
