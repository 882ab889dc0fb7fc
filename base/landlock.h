/* SPDX-License-Identifier: Apache-2.0 */
/*
 * landlock - the three system calls and what each ABI knows (landlock(7))
 *
 * Process:  enter, shim, gateway, dial
 * Returns:  0, -errno; -EOPNOTSUPP when the kernel has no Landlock or it is switched off
 *
 * The caller names the rights of the newest ABI it knows; those that this kernel's ABI lacks are masked off, and the
 * caller reports them (nothing degrades silently).
 */
#pragma once
#include <stdint.h>
#include "base/cleanup.h"

enum { LANDLOCK_BIND_TCP = 1 << 0, LANDLOCK_CONNECT_TCP = 1 << 1 };

struct landlock_attr {
	uint64_t fs;	/* LANDLOCK_ACCESS_FS_* that are denied unless a rule allows */
	uint64_t net;	/* LANDLOCK_ACCESS_NET_* likewise (ABI 4) */
	uint64_t scope; /* LANDLOCK_SCOPE_* (ABI 6) */
};

/* Every right that ABI abi knows. */
struct landlock_attr landlock_all(int abi);
enum { LANDLOCK_ABI_KNOWN = 6 };
/* What ABI abi brought, in words; NULL for 1, which the floor is, and for those beyond LANDLOCK_ABI_KNOWN. */
const char *landlock_brought(int abi);
/* The ABI of the running kernel (>= 1), or -errno. */
int landlock_abi(void) _must_check_;
int landlock_create(const struct landlock_attr *attr, int *ret) _must_check_;
/* Allows access beneath the file or directory open (O_PATH) as fd; rights that do not fit a non-directory are masked
 * off. */
int landlock_allow_path(int ruleset, int fd, uint64_t access) _must_check_;
/* Allows LANDLOCK_ACCESS_NET_* on the TCP port; nothing on a kernel whose ABI (3 and below) does not restrict ports. */
int landlock_allow_port(int ruleset, uint16_t port, uint64_t access) _must_check_;
/* Enforces on the calling thread; needs no_new_privs. */
int landlock_restrict(int ruleset) _must_check_;
