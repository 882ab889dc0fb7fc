/* SPDX-License-Identifier: Apache-2.0 */
/* scans_known - what scans knows: part of struct shim */
#pragma once
#include "shim/role.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SCANS_SEVERITIES = 4 };

struct scans_entry {
	uint8_t digest[16];
	uint8_t verdict; /* 0: an empty slot */
};

struct scans {
	struct scan *scan; /* made when it is needed */
	struct scans_entry *known;
	size_t n, cap;
	uint32_t records[SCANS_SEVERITIES];
	uint64_t forgotten; /* how often all that was known, or all but what was withheld, was */
	bool crowded;	    /* more was withheld than could be kept: nothing passes for being unknown */
};
