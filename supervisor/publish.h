/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publish - which plan a published port of this user belongs to, while sessions of it run: RUNTIME/publish/PORT
 *
 * Process:  supervisor
 * Owns:     struct publish_claims its descriptors; free with publish_release
 * Returns:  0, -errno with words; -EADDRINUSE: another plan has the port
 *
 * Sessions of one plan share their ports (SO_REUSEPORT), and the kernel deals connections out among all that listen. A
 * session of another plan must not be among them: it would get callbacks, and the codes in them, that are for this one.
 * Each session holds a shared lock on the port's file, which names the plan (open file description locks, fcntl(2));
 * they end with it.
 */
#pragma once
#include "base/diag.h"
#include "supervisor/paths.h"
#include "wire/net.h"

struct publish_claims {
	int fds[NET_PUBLISH_MAX];
	size_t n;
};

int publish_claim(const struct paths *p, const struct net_config *c, const char *digest, struct publish_claims *ret,
	struct diag *d) _must_check_;
void publish_release(struct publish_claims *c);
