/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names - what users and groups are called
 *
 * Process:  any
 * Returns:  0, -ENOMEM, -ENOBUFS
 * Limits:   NAMES_GROUPS_MAX groups are named, in NAMES_GROUPS_BYTES
 *
 * /etc/passwd and /etc/group are read as files: a static program has no NSS, and who is known to a directory server
 * only goes by number, which is all that the kernel knows too.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "base/cleanup.h"

enum { NAMES_GROUPS_MAX = 256, NAMES_GROUPS_BYTES = 16 << 10 };

/* The entry of uid; absent file or entry: both stay NULL. ret_home: NULL when it is not asked for. */
int names_user(uid_t uid, char **ret_name, char **ret_home) _must_check_;
/* The id of that name; false: no entry has it. */
bool names_id(const char *name, uid_t *ret);
/* "alice,dev,1234": the primary group first, then the others of the list; more: and some that it has no room for. */
int names_groups(gid_t primary, const gid_t *list, size_t n, bool more, char **ret) _must_check_;
