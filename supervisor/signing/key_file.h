/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key_file - files of keys: made, opened, and the public keys of this machine
 *
 * Process:  supervisor
 * Returns:  0, -errno with words
 */
#pragma once
#include "sign/keyring.h"
#include "sign/secret_key.h"
#include "supervisor/command.h"

/* Where the keys are that IT puts on a machine. */
#define KEYS_DIR "/etc/stockade/keys"

/* A file that must not be there yet, with exactly that mode, on the disk when this returns. */
int key_file_make(int dirfd, const char *name, const struct buf *text, mode_t mode, struct diag *d) _must_check_;
/* The secret key of a file (path) or of a descriptor; a passphrase is asked for where one is needed. */
int key_file_open(const char *path, const struct option_fd *from, const struct option_fd *passphrase,
	struct sign_secret **ret, struct diag *d) _must_check_;
/* Splits a path into its directory, open for reading, and the rest; the directory is the user's or root's and nobody
 * else writes it. */
int key_file_dir(const char *path, int *ret_dir, const char **ret_name, struct diag *d) _must_check_;
/* KEYS_DIR, and in personal mode the user's own (`keys` below the configuration), as far as they exist. */
int key_file_keyring(const struct paths *p, struct keyring *ret, struct diag *d) _must_check_;
