/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle_members - the bytes of some members of a bundle, without building the rest
 *
 * Process:  supervisor, also in a session's loop
 * Returns:  0; -EINVAL: what json_file_parse() would not take as one object, either; -ENOMEM
 * Limits:   JSON_FILE_DEPTH_MAX, as there
 *
 * A session that runs wants a bundle's kill entries and nothing else, and 32 MiB of profiles would hold it up for the
 * better part of a second if all of them were parsed. So this goes over the bytes and builds nothing; what is found is
 * parsed by whoever wants it. It takes what json_file_parse() takes and nothing else (a fuzz target holds the two
 * against each other), so that no session ever goes by a bundle that every launch refuses. A key is known by its hash:
 * only whoever signs could look for two that have the same, and a bundle of his would be refused.
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
