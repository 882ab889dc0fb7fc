/* SPDX-License-Identifier: Apache-2.0 */
/*
 * minisign - public keys and signatures as minisign(1) writes them, and what they prove
 *
 * Process:  whoever links sign/ (the supervisor)
 * Owns:     the trusted comment of a signature; free with sign_signature_done
 * Returns:  0, -EINVAL with words (what is wrong with the text), -EBADMSG with words (the signature does not fit)
 * Limits:   SIGN_COMMENT_MAX, SIGN_TRUSTED_MAX bytes a comment, SIGN_FILE_MAX a signature, SIGN_PUB_MAX a public key
 *
 * The text is taken exactly as minisign writes it: these lines and no others, each ended by one line feed, base64 in
 * its one canonical spelling. So a file that was cut, joined or edited is an error and nothing is guessed. Of the bytes
 * of a key or a signature only the untrusted comment is free: nothing covers it, and nothing is drawn from it.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/diag.h"
#include "sign/role.h"

enum {
	SIGN_ID_BYTES = 8,
	SIGN_ID_HEX = 17, /* with the NUL */
	SIGN_KEY_BYTES = 32,
	SIGN_SIGNATURE_BYTES = 64,
	SIGN_COMMENT_MAX = 1024, /* minisign's COMMENTMAXBYTES, the words before it included */
	SIGN_TRUSTED_MAX = 8192, /* TRUSTEDCOMMENTMAXBYTES */
	SIGN_PUB_MAX = 2048,
	SIGN_FILE_MAX = 16384,
};

/* A public key. What names it is the id; what it is, are all 40 bytes. */
struct sign_key {
	uint8_t id[SIGN_ID_BYTES];
	uint8_t key[SIGN_KEY_BYTES];
};

struct sign_signature {
	uint8_t id[SIGN_ID_BYTES]; /* of the key that is said to have made it */
	bool prehashed;		   /* "ED": of the BLAKE2b-512 of the bytes; else "Ed", minisign's legacy form */
	uint8_t signature[SIGN_SIGNATURE_BYTES];
	char *trusted; /* the trusted comment, without the words before it; covered by global */
	uint8_t global[SIGN_SIGNATURE_BYTES];
};

/* libsodium made ready; whatever is below may then be called. 0, -EIO. */
int sign_init(void) _must_check_;

/* name: what the bytes are called in words ("/etc/stockade/keys/release.pub"); it need not be escaped. */
int sign_key_parse(const char *name, const char *bytes, size_t n, struct sign_key *ret, struct diag *d) _must_check_;
int sign_signature_parse(
	const char *name, const char *bytes, size_t n, struct sign_signature *ret, struct diag *d) _must_check_;
void sign_signature_done(struct sign_signature *s);
#define _cleanup_sign_signature_ _cleanup_(sign_signature_done)

/* Does the key's owner vouch for these very bytes, and for the trusted comment? 0, -EBADMSG with words; a signature of
 * another key is one that does not fit. name: the signature's. */
int sign_verify(const struct sign_key *k, const struct sign_signature *s, const char *name, const void *bytes, size_t n,
	struct diag *d) _must_check_;

/* Sixteen capitals of hexadecimal, as minisign prints it. Returns ret. */
const char *sign_id_text(const uint8_t id[SIGN_ID_BYTES], char ret[SIGN_ID_HEX]);
/* The other way: exactly that form, or -EINVAL. */
int sign_id_parse(const char *text, uint8_t ret[SIGN_ID_BYTES]) _must_check_;
bool sign_key_is(const struct sign_key *a, const struct sign_key *b);

/* "timestamp:N" at the beginning of a trusted comment, seconds since the epoch; 0: it says none. The signer says it,
 * nobody else. */
int64_t sign_timestamp(const char *trusted);

/* The text of a .pub and of a .minisig. comment: behind "untrusted comment: ", one line; NULL: the usual one. */
int sign_key_text(const struct sign_key *k, const char *comment, struct buf *ret) _must_check_;
int sign_signature_text(const struct sign_signature *s, const char *comment, struct buf *ret) _must_check_;
