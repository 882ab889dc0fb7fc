/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trust - the certificate authority that policy provides, in the trust store of a sandbox
 *
 * Process:  supervisor
 * Returns:  0, -errno with words
 * Limits:   TRUST_BUNDLE_MAX the host's own bundle
 *
 * TRUST_CA holds the provided authority alone, TRUST_BUNDLE the host's bundle and it. Over each place where a bundle of
 * the host lies in the base view, the same is laid; variables name the files for what does not look there. Java's own
 * store (cacerts) is a format of its own and stays the host's.
 */
#pragma once
#include "supervisor/policy/policy.h"
#include "wire/plan.h"

enum { TRUST_BUNDLE_MAX = 2 << 20 };

#define TRUST_CA     "/etc/ssl/stockade/ca.pem"
#define TRUST_BUNDLE "/etc/ssl/stockade/bundle.pem"

struct trust_variable {
	const char *name, *path;
};

/* Appends the files to the plan; after the base view's mounts. Nothing when policy provides no authority. */
int trust_add(struct plan *plan, const struct policy *policy, struct diag *d) _must_check_;
/* The variables that name the files; a profile's own come after them and win. */
const struct trust_variable *trust_variables(size_t *ret_n);
/* Is it one of the files above, or laid over a bundle? For the words on a mount. */
bool trust_is_file(const struct plan_mount *m);
