/* SPDX-License-Identifier: Apache-2.0 */
/*
 * effective_network - what the description of a launch says about the network (effective.h)
 *
 * Process:  supervisor
 * Returns:  0, -errno with words
 */
#pragma once
#include "supervisor/effective.h"

/* --host of the command line, beside what the profile grants. */
int effective_network_merge(const struct grants *g, struct profile *f, struct diag *d) _must_check_;
/* What policy provides, where there is a network: the proxy. */
int effective_network_provide(struct effective *e, struct diag *d) _must_check_;
/* Does the sandbox trust the authority that policy provides? */
bool effective_network_trusts(const struct effective *e);
/* The layout into the plan, the server's user into the configuration; after the plan's identity. */
int effective_network_plan(struct effective *e, struct diag *d) _must_check_;
/* The address of the DNS stub, for resolv.conf; NULL without a network. */
const char *effective_network_stub(const struct profile *f);
int effective_network_lines(struct effective *e) _must_check_;
/* What the digest binds; a new reference, NULL when memory is short. */
json_t *effective_network_canonical(const struct effective *e);
