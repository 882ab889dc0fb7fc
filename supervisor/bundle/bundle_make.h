/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle_make - a bundle put together from a directory that is laid out as /etc/stockade is
 *
 * Process:  supervisor (bundle new)
 * Returns:  0, -errno with words
 * Limits:   those of bundle.h
 *
 * profiles/NAME.json and their signatures, profiles/NAME.pins or pins/NAME.pins, revocations/NAME.json,
 * kill.d/NAME.json, groups.json. Whatever else lies in those directories is an error: what somebody thinks is in a
 * bundle and is not would be missed too late.
 */
#pragma once
#include <jansson.h>
#include "base/cleanup.h"
#include "base/diag.h"
#include "supervisor/role.h"

/* Adds what the directory holds to the bundle. */
int bundle_make(const char *dir, json_t *bundle, struct diag *d) _must_check_;
