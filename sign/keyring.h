/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyring - the public keys of a directory, by name
 *
 * Process:  supervisor
 * Owns:     its keys and names; free with keyring_done
 * Returns:  0, -errno with words; -EINVAL for a file that is no key, two keys with one id, one key with two
 * Limits:   KEYRING_MAX keys, KEYRING_NAME_MAX bytes a name
 *
 * DIR/NAME.pub, NAME of letters, digits, '-' and '_'. Directory and files must be trusted as told, on the descriptors
 * that are read. Other names in the directory are not looked at, but what is called *.pub and is no key is an error: a
 * keyring that is half read could miss the key that a rule needs, and say "unknown" of it. A key under two names is one
 * key.
 */
#pragma once
#include "base/fs.h"
#include "sign/minisign.h"

enum { KEYRING_MAX = 256, KEYRING_NAME_MAX = 64 };

struct keyring_key {
	char *name;
	char *file; /* for words */
	struct sign_key key;
};

struct keyring {
	struct keyring_key *v; /* by name */
	size_t n;
};

/* Adds the keys of that directory to r, so that several may be read one after another; the same name twice is an error.
 */
int keyring_add_dir(
	struct keyring *r, int dirfd, const char *dir, enum fs_trust trust, uid_t uid, struct diag *d) _must_check_;
/* Adds one key; name and file are copied. */
int keyring_add(
	struct keyring *r, const char *name, const char *file, const struct sign_key *k, struct diag *d) _must_check_;
/* The first of that id, or that name; NULL: there is none. */
const struct keyring_key *keyring_by_id(const struct keyring *r, const uint8_t id[SIGN_ID_BYTES]);
const struct keyring_key *keyring_by_name(const struct keyring *r, const char *name);
bool keyring_name_valid(const char *name, size_t n);
void keyring_done(struct keyring *r);
#define _cleanup_keyring_ _cleanup_(keyring_done)
