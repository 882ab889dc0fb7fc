/* SPDX-License-Identifier: Apache-2.0 */
/*
 * version_range - "3", "3..9", "..9", "3..": which versions of a profile are meant
 *
 * Process:  supervisor
 * Returns:  0, -EINVAL
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/cleanup.h"
#include "supervisor/role.h"

/* Both included. A profile that names no version has version 0, and may be any: whoever gives asks version_range_has,
 * whoever takes away version_range_may_have. */
struct version_range {
	uint64_t first, last;
};

#define VERSION_RANGE_ALL ((struct version_range){ 0, INT32_MAX })

int version_range_parse(const char *text, struct version_range *ret) _must_check_;
bool version_range_has(const struct version_range *r, uint64_t version);
bool version_range_may_have(const struct version_range *r, uint64_t version);
