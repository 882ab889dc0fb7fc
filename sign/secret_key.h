/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret_key - the half of a key that signs: minisign's file, or ours, which Argon2id protects
 *
 * Process:  supervisor (key new, profile sign)
 * Owns:     the key in locked memory; free with sign_secret_free, which wipes it
 * Returns:  0, -EINVAL with words (not a key), -EACCES with words (the passphrase does not open it), -ENOMEM
 * Limits:   SIGN_SECRET_MAX a file, SIGN_PASSPHRASE_MAX a passphrase, SIGN_KDF_MEMORY_MAX and SIGN_KDF_WORK_MAX of work
 *
 * minisign's file names the function that protects it by two bytes: "Sc" for scrypt, two zeros for none. Ours is the
 * same file with "A2" in that place, Argon2id (RFC 9106); minisign refuses it in words. The public key and every
 * signature are minisign's own in both cases, so that only whoever signs is bound to stockade, and he can choose
 * SIGN_SCRYPT instead.
 */
#pragma once
#include "sign/minisign.h"

enum sign_protection {
	SIGN_ARGON2ID, /* our own form */
	SIGN_SCRYPT,   /* minisign's */
	SIGN_BARE,     /* minisign's without a passphrase */
};

enum {
	SIGN_SECRET_MAX = 2048,
	SIGN_PASSPHRASE_MAX = 1024,
};
#define SIGN_KDF_MEMORY_MAX ((uint64_t)2 << 30)
#define SIGN_KDF_WORK_MAX   ((uint64_t)1 << 26)

/* What deriving costs; 0: what new keys get (Argon2id: 256 MiB three times over; scrypt: minisign's own). */
struct sign_cost {
	uint64_t work, memory;
};

struct sign_secret;

/* A new key pair with a random id. */
int sign_secret_new(struct sign_secret **ret, struct diag *d) _must_check_;
/* The text of a .key; passphrase is not used with SIGN_BARE. */
int sign_secret_text(const struct sign_secret *s, enum sign_protection how, const struct sign_cost *cost,
	const char *passphrase, struct buf *ret, struct diag *d) _must_check_;
/* How that text is protected, so that nobody is asked for a passphrase in vain: 0, -EINVAL with words. */
int sign_secret_protection(
	const char *name, const char *bytes, size_t n, enum sign_protection *ret, struct diag *d) _must_check_;
/* Opens it. passphrase may be NULL with SIGN_BARE. */
int sign_secret_parse(const char *name, const char *bytes, size_t n, const char *passphrase, struct sign_secret **ret,
	struct diag *d) _must_check_;
void sign_secret_public(const struct sign_secret *s, struct sign_key *ret);
/* A prehashed signature of the bytes; trusted: one line without controls, at most SIGN_TRUSTED_MAX. */
int sign_secret_sign(const struct sign_secret *s, const void *bytes, size_t n, const char *trusted,
	struct sign_signature *ret, struct diag *d) _must_check_;
void sign_secret_free(struct sign_secret **s);
#define _cleanup_sign_secret_ _cleanup_(sign_secret_free)
/* Memory that is locked, where the limit of the process allows it, wiped when freed, and in no core dump. */
void *sign_wiped_alloc(size_t n);
void sign_wiped_free(void *p);
/* buf_done, of one that holds the text of a key; it must not have grown (buf_reserve first). */
void sign_wipe_buf(struct buf *b);
#define _cleanup_wiped_buf_ _cleanup_(sign_wipe_buf)
