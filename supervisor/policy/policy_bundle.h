/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_bundle - where the bundle of this machine comes from, and how old it may be: "bundle" (policy.h)
 *
 * Process:  supervisor
 * Owns:     its strings; free with policy_bundle_done
 */
#pragma once
#include <stdint.h>
#include "supervisor/role.h"

struct policy_bundle {
	char *url;	   /* https://HOST/PATH; NULL: `stockade sync` fetches nothing */
	char *where;	   /* "FILE:LINE (bundle.url)" */
	uint64_t every;	   /* seconds between two fetches; 0: not said */
	uint64_t stale;	   /* seconds after which one that nobody confirmed denies; 0: never */
	char *stale_where; /* "FILE:LINE (bundle.stale)" */
};

void policy_bundle_done(struct policy_bundle *b);
