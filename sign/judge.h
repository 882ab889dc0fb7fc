/* SPDX-License-Identifier: Apache-2.0 */
/*
 * judge - do enough of the right keys vouch for it, now, and for this server?
 *
 * Process:  supervisor
 * Returns:  0: enough; -EACCES with words: who signed, why which did not count, how many are missing, by which rule
 * Limits:   those of keyring and signed
 *
 * A key counts once, whatever number of names and signatures it has. It counts if the rule names it, it has not expired
 * at `now` (whatever moment its signature tells: who stole a key writes any moment), it was not revoked, and one of its
 * patterns takes the server's name.
 */
#pragma once
#include "sign/signed.h"

struct judge_key {
	const char *name;	  /* in the keyring */
	int64_t expires;	  /* seconds since the epoch, the first that is too late; 0: never */
	const char *const *scope; /* globs over server names (base/glob.h); n_scope 0: every name */
	size_t n_scope;
	const char *where; /* "FILE:LINE (signatures.keys.release)", for words; may be NULL */
};

struct judge_rule {
	unsigned need;		      /* at least one */
	const struct judge_key *keys; /* those that count */
	size_t n_keys;
	const uint8_t (*revoked)[SIGN_ID_BYTES]; /* ids */
	size_t n_revoked;
	int64_t now;
	const char
		*server; /* NULL: it is about no server (a bundle, a revocation), and only keys for every name count */
	const char *where; /* "FILE:LINE (signatures)" */
};

/* Of a signer: why it counts, or does not. */
enum judge_reason {
	JUDGE_COUNTS,
	JUDGE_UNKNOWN,	 /* not in the keyring */
	JUDGE_NOT_NAMED, /* the rule does not name it */
	JUDGE_EXPIRED,
	JUDGE_REVOKED,
	JUDGE_OUT_OF_SCOPE,
	JUDGE_REASON_COUNT
};

struct verdict {
	unsigned need, counted;
	enum judge_reason of[SIGNED_MAX]; /* by the index of verified.v */
	int64_t expires; /* of those that count the first expiry without which it would not be enough; 0: none */
};

/* r: the keyring that v was verified with. d gets the words in both cases: "signed by release and security (2 of 2
 * needed)". */
int judge(const struct judge_rule *rule, const struct keyring *r, const struct verified *v, struct verdict *ret,
	struct diag *d) _must_check_;
/* "has expired", "was revoked": behind a key's name. */
const char *judge_reason_words(enum judge_reason reason);
