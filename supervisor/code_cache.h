/* SPDX-License-Identifier: Apache-2.0 */
/*
 * code_cache - digests of files that have not changed since they were read (code_digest.h)
 *
 * Process:  supervisor
 * Owns:     its tables; free with code_cache_done
 * Limits:   CODE_FILES_MAX records a tree
 *
 * One file a tree, STATE/digests/DEV-INO, records of fixed size behind a header with a checksum. A file that is short,
 * of another version or fails its checksum is not used: what it would have saved is read again.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include "supervisor/code_digest.h"

enum { CODE_HASH_BYTES = 32 };

struct code_record {
	uint64_t dev, ino, size;
	int64_t mtime_s, mtime_ns, ctime_s, ctime_ns;
	unsigned char hash[CODE_HASH_BYTES];
};

struct code_cache {
	int dirfd;
	char name[64];
	struct code_record *old; /* as read, found through slots */
	uint32_t *slots;	 /* index + 1 into old, 0 free; a power of two of them */
	size_t n_old, n_slots;
	struct code_record *fresh; /* to be written */
	size_t n_fresh;
	struct timespec now; /* CLOCK_REALTIME at the beginning: younger changes are not settled */
};

int code_cache_open(
	const struct paths *p, const struct stat *tree, struct code_cache *ret, struct diag *d) _must_check_;
/* The digest of a file that is still as it was, or false. */
bool code_cache_find(const struct code_cache *c, const struct stat *st, unsigned char ret[CODE_HASH_BYTES]);
/* Keeps a digest for the next time, if the file had settled before it was read. */
int code_cache_keep(
	struct code_cache *c, const struct stat *st, const unsigned char hash[CODE_HASH_BYTES]) _must_check_;
/* Writes what is kept when it differs from what was read. A cache that cannot be written costs time only. */
void code_cache_save(struct code_cache *c);
void code_cache_done(struct code_cache *c);
#define _cleanup_code_cache_ _cleanup_(code_cache_done)
