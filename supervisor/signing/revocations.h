/* SPDX-License-Identifier: Apache-2.0 */
/*
 * revocations - keys that vouch for nothing any more, and versions of profiles that start nothing
 *
 * Process:  supervisor
 * Owns:     its list; free with revocations_done
 * Returns:  0, -errno with words; a statement that is not whole is an error, and denies
 * Limits:   REVOCATIONS_MAX statements, REVOCATIONS_BYTES_MAX a file, REVOCATIONS_FILES_MAX files
 *
 * A file: {"stockade": 1, "revoke": [{"key": "0123456789ABCDEF"}, {"profile": "github", "versions": "..3"}]}, each
 * statement with "why", "when" and "who" where somebody wants to say them. "versions" is "3", "3..9", "..9" or "3..";
 * without it every version is meant; a profile without a version may be any, and is meant by each. A profile's pattern
 * may stand for many ("db-*").
 *
 * Taking away is easier than giving: where policy demands signatures, one of its keys is enough for a statement, even
 * one that has expired or was revoked itself. Two keys that revoke one another are both revoked.
 */
#pragma once
#include "sign/keyring.h"
#include "sign/signed.h"
#include "supervisor/policy/policy.h"
#include "supervisor/signing/version_range.h"

enum { REVOCATIONS_MAX = 4096, REVOCATIONS_BYTES_MAX = 1 << 20, REVOCATIONS_FILES_MAX = 256 };

struct revoked_profile {
	char *glob;
	struct version_range versions;
	char *where; /* "FILE:LINE (revoke \"github\"): the reason that it gives" */
};

struct revocations {
	uint8_t (*keys)[SIGN_ID_BYTES];
	size_t n_keys;
	struct revoked_profile *profiles;
	size_t n_profiles;
};

/* Adds what the bytes say, which somebody else has verified (a bundle does). name: the file's, for words. */
int revocations_add(struct revocations *r, const char *name, const char *bytes, size_t n, struct diag *d) _must_check_;
/* The same for who writes or signs them: the words are about the file alone. */
int revocations_parse(
	struct revocations *r, const char *name, const char *bytes, size_t n, struct diag *d) _must_check_;
/* Adds the files *.json of a directory of root's; none where there is no such directory. policy: whose keys must have
 * signed them, if it demands signatures at all. */
int revocations_add_dir(struct revocations *r, const char *dir, enum fs_trust trust, uid_t uid,
	const struct keyring *keys, const struct policy *policy, struct diag *d) _must_check_;
bool revocations_has_key(const struct revocations *r, const uint8_t id[SIGN_ID_BYTES]);
/* Is that version of that profile still good? -EPERM with words. */
int revocations_check(const struct revocations *r, const char *name, uint64_t version, struct diag *d) _must_check_;
void revocations_done(struct revocations *r);
