/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signed - a file's bytes, read once, and who signed these very bytes
 *
 * Process:  supervisor
 * Owns:     bytes and signers; free with verified_done
 * Returns:  0, -errno with words
 * Limits:   SIGNED_MAX signatures a file; the caller's limit for the bytes
 *
 * Theory of operation: the file is read once, whole, through a descriptor whose owner and mode are checked; then its
 * signatures, FILE.minisig and FILE.WORD.minisig (WORD of letters, digits, '-' and '_') in the same directory; each is
 * verified over these bytes. Whoever parses afterwards parses verified.bytes and never opens the file again. So nothing
 * is parsed before it is verified, and nothing can change in between.
 *
 * A signature that is damaged, not trusted as the file is, or does not fit is an error of the whole and never
 * skipped: an honest signer left none such, and whoever skips it lets damage lower the number of signers unseen. One of
 * a key that is not in the keyring cannot be verified: it is listed as unknown and counts for nothing.
 */
#pragma once
#include "sign/keyring.h"

enum { SIGNED_MAX = 16 };

struct signer {
	uint8_t id[SIGN_ID_BYTES];
	char *name;    /* in the keyring, the first of that key; NULL: unknown, nothing is proved */
	char *file;    /* the signature's path, for words */
	int64_t when;  /* as the signer says in the trusted comment; 0: nothing. Unknown signers: 0 */
	char *comment; /* the trusted comment; NULL for an unknown signer, whose word nobody can check */
	bool prehashed;
};

/* Distinct keys: a key that signed twice stands here once, with the later moment. */
struct verified {
	struct buf bytes;
	struct signer *v;
	size_t n;
	size_t known; /* how many of them have a name */
};

struct signed_place {
	int dirfd;	 /* the directory, open for reading; checked here */
	const char *dir; /* its path, for words */
	enum fs_trust trust;
	uid_t uid;
};

/* Reads DIR/name of at most max bytes, and its signatures. None at all is no error: v is empty then, and what is
 * demanded is judge's matter. */
int signed_read(const struct signed_place *at, const char *name, size_t max, const struct keyring *r,
	struct verified *ret, struct diag *d) _must_check_;
/* The same of a path: its directory is opened and checked. */
int signed_read_file(const char *path, enum fs_trust trust, uid_t uid, size_t max, const struct keyring *r,
	struct verified *ret, struct diag *d) _must_check_;
/* Bytes that are in memory, whose signature is too (what was fetched): adds a signer to v, whose bytes are set. name:
 * the signature's, for words. */
int signed_add(struct verified *v, const char *name, const char *signature, size_t n, const struct keyring *r,
	struct diag *d) _must_check_;
/* Bytes that lie within others: who signed the whole, of those that are known, signed the part as well. */
int signed_within(struct verified *part, const struct verified *whole, struct diag *d) _must_check_;
void verified_done(struct verified *v);
#define _cleanup_verified_ _cleanup_(verified_done)
