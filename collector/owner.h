/* SPDX-License-Identifier: Apache-2.0 */
/*
 * owner - whose share a user id uses up
 *
 * Process:  collector
 * Returns:  the owner's id
 * Limits:   OWNER_LINE_MAX bytes a line of /etc/subuid; longer ones are none
 *
 * A user has the ids of /etc/subuid as well (subuid(5)): in a user namespace of theirs (newuidmap(1)) any program of
 * theirs is any of 65536 users to the kernel, and to the collector, which would otherwise give each of them a share.
 */
#pragma once
#include <sys/types.h>
#include "collector/role.h"

enum { OWNER_LINE_MAX = 512 };

#define OWNER_SUBUID "/etc/subuid"

/* uid itself when it has an entry in /etc/passwd, or lies in no range of the file (an absent one has none). A range
 * whose owner is not known here by name belongs to its first id: one share for all of it. */
uid_t owner_of(const char *subuid, uid_t uid);
