/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_load - puts filter bytes in force (seccomp(2)); the bytes are made at build time (profiles/seccomp)
 *
 * Process:  enter, shim, gateway, supervisor
 * Needs:    no_new_privs
 */
#pragma once
#include <linux/filter.h>
#include "base/cleanup.h"

struct seccomp_filter {
	const char *name;
	const struct sock_filter *code;
	unsigned short len;
};

int seccomp_load(const struct seccomp_filter *f) _must_check_;
