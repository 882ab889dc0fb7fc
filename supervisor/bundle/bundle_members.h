/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle_members - the bytes of some members of a bundle, without building the rest
 *
 * Process:  supervisor, also in a session's loop
 * Returns:  0; -EINVAL: not one object to its end, or a member that is wanted stands there twice
 *
 * A session that runs wants a bundle's kill entries and nothing else, and 32 MiB of profiles would hold it up for the
 * better part of a second if all of them were parsed. So this only tells strings from brackets; what is found is parsed
 * by whoever wants it. It looks at bytes that were verified: whoever signed them had them parsed whole.
 */
#pragma once
#include <stddef.h>
#include "base/cleanup.h"
#include "supervisor/role.h"

struct bundle_member {
	const char *key;
	const char *at; /* its value, within the bytes; NULL: it is not there */
	size_t n;
};

int bundle_members_find(const char *bytes, size_t n, struct bundle_member *v, size_t n_v) _must_check_;
