/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_key - the key of an installation, which signs checkpoints and closes, and the public keys that check them
 *
 * Process:  supervisor, collector
 * Owns:     struct log_key its secret, wiped by log_key_done; struct log_keys its list, free with log_keys_done
 * Returns:  0, -errno with words
 * Limits:   LOG_KEYS_MAX public keys, LOG_KEY_FILE_MAX bytes a file of them
 *
 * Ed25519 (RFC 8032) over "stockade-audit-1 " and the hash, in hex, of the record as it would be without a signature:
 * docs/audit.md says it byte by byte. A public key is one line, "stockade-audit-key 1 ID PUBLIC", both in hex; ID is
 * the first eight bytes of BLAKE2b-256 over the key. The secret is the seed, in the file audit-key (0600) of the
 * installation's directory; keys of before are audit-keys/ID.pub beside it.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "audit/record.h"
#include "base/diag.h"

enum {
	LOG_KEY_PUBLIC_LEN = 32,
	LOG_KEY_SECRET_LEN = 64,
	LOG_KEYS_MAX = 256,
	LOG_KEY_FILE_MAX = 64 << 10,
	LOG_KEY_LINE_MAX = 128,
};

#define LOG_KEY_FILE	   "audit-key"
#define LOG_KEYS_DIR	   "audit-keys"
#define LOG_KEYS_PUBLISHED "audit.pub" /* of a collector, beside the directories of the users */
#define LOG_KEY_WORDS	   "stockade-audit-key 1 "

struct log_key {
	char id[RECORD_KEY_HEX + 1]; /* "": there is none, and nothing is signed */
	unsigned char public[LOG_KEY_PUBLIC_LEN], secret[LOG_KEY_SECRET_LEN];
};

struct log_public {
	char id[RECORD_KEY_HEX + 1];
	unsigned char key[LOG_KEY_PUBLIC_LEN];
};

struct log_keys {
	struct log_public *v;
	size_t n, room;
};

/* Reads dirfd/audit-key; -ENOENT when there is none yet. Refuses one that others can read. */
int log_key_load(int dirfd, struct log_key *ret, struct diag *d) _must_check_;
/* The same, and makes it where there is none; of two that come at once both get the same. */
int log_key_take(int dirfd, struct log_key *ret, struct diag *d) _must_check_;
/* A new key that is not yet in its place. */
void log_key_make(struct log_key *ret);
/* Keeps the public half of old in audit-keys/, then puts now in its place. */
int log_key_replace(int dirfd, const struct log_key *old, const struct log_key *now, struct diag *d) _must_check_;
/* The line of the public half, without a newline. */
void log_key_line(const struct log_public *p, char ret[LOG_KEY_LINE_MAX]);
struct log_public log_key_public(const struct log_key *k);
/* The signature of a record whose unsigned form has that hash. */
void log_key_sign(const struct log_key *k, const char hash[RECORD_HASH_HEX + 1], char ret[RECORD_SIG_HEX + 1]);
void log_key_done(struct log_key *k);
#define _cleanup_log_key_ _cleanup_(log_key_done)

/* Adds the lines of a file, or of each *.pub in a directory. -EINVAL with file and line. */
int log_keys_read(struct log_keys *k, const char *path, struct diag *d) _must_check_;
/* Adds those of an installation: its own and those of before. None is no error. */
int log_keys_own(struct log_keys *k, int dirfd, struct diag *d) _must_check_;
/* Puts their lines into a file that all may read, in place of what it held; those after the first say "before". */
int log_keys_publish(const struct log_keys *k, int dirfd, const char *name, struct diag *d) _must_check_;
const struct log_public *log_keys_find(const struct log_keys *k, const char *id);
/* Is sig the signature by that key of the record whose unsigned form has that hash? */
bool log_key_check(const struct log_public *p, const char *hash, const char *sig);
void log_keys_done(struct log_keys *k);
#define _cleanup_log_keys_ _cleanup_(log_keys_done)
