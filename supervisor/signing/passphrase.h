/* SPDX-License-Identifier: Apache-2.0 */
/*
 * passphrase - from the terminal, unseen, or from a descriptor
 *
 * Process:  supervisor
 * Returns:  0, -errno with words; -ECANCELED: the person gave up
 * Limits:   SIGN_PASSPHRASE_MAX
 */
#pragma once
#include "base/diag.h"
#include "supervisor/command.h"
#include "supervisor/role.h"

/* This process may not be looked into from now on: no core dump, no other process of the user's in its memory. */
int passphrase_hide(struct diag *d) _must_check_;
/* Where from: the first line of that descriptor if one was given, else the terminal, which must be standard input and
 * error; what: "for the new key". twice: it is asked for again, and both must be the same. *ret is freed by
 * sign_wiped_free. */
int passphrase_read(
	const struct option_fd *from, const char *what, bool twice, char **ret, struct diag *d) _must_check_;
void passphrase_free(char **p);
#define _cleanup_passphrase_ _cleanup_(passphrase_free)
