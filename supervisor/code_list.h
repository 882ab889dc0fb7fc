/* SPDX-License-Identifier: Apache-2.0 */
/*
 * code_list - the names in a directory
 *
 * Process:  supervisor
 * Owns:     its two blocks; free with code_names_done
 * Returns:  0, -errno; -EFBIG past CODE_NAMES_MAX bytes of names
 *
 * One block for all names, used again for the next directory, and getdents64(2) with a large buffer: thousands of files
 * are listed before every launch.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "base/cleanup.h"
#include "supervisor/role.h"

enum { CODE_NAMES_MAX = 64 << 20 };

struct code_names {
	char *text; /* the names, each with its NUL and behind a byte for its type */
	size_t len, cap;
	uint32_t *at; /* offsets of the names in text */
	size_t n, n_cap;
};

/* In the place of what is in ret; in the directory's own order. */
int code_list(int dirfd, struct code_names *ret) _must_check_;
/* By their bytes. */
void code_names_sort(struct code_names *n);
/* DT_*, as the directory tells it (readdir(3)): DT_UNKNOWN on some file systems. */
unsigned char code_names_type(const struct code_names *n, size_t i);
void code_names_set_type(struct code_names *n, size_t i, unsigned char type);
void code_names_done(struct code_names *n);
#define _cleanup_code_names_ _cleanup_(code_names_done)
