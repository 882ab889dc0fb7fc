/* SPDX-License-Identifier: Apache-2.0 */
/*
 * code_list - the names in a directory, sorted by bytes
 *
 * Process:  supervisor
 * Owns:     its two blocks; free with code_names_done
 * Returns:  0, -errno; -EFBIG past CODE_NAMES_MAX bytes of names
 *
 * One block for all names and getdents64(2) with a large buffer: thousands of files are listed before every launch.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "base/cleanup.h"
#include "supervisor/role.h"

enum { CODE_NAMES_MAX = 64 << 20 };

struct code_names {
	char *text; /* the names, each with its NUL */
	size_t len, cap;
	uint32_t *at; /* offsets into text */
	size_t n, n_cap;
};

int code_list(int dirfd, struct code_names *ret) _must_check_;
void code_names_done(struct code_names *n);
#define _cleanup_code_names_ _cleanup_(code_names_done)
