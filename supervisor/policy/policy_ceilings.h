/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_ceilings - the sections of a policy that bound what any launch is granted (policy.h, ceilings.h)
 *
 * Process:  supervisor
 * Owns:     its strings; free with policy_ceilings_done
 *
 * They are written as the same sections of a profile are, and taken by the profile's own setters into a profile of
 * which nothing else is used. A key that does not stand in the policy is no ceiling.
 */
#pragma once
#include "supervisor/profile.h"

struct policy_ceiling_key {
	const char *path; /* "filesystem.read" */
	char *where;	  /* "FILE:LINE (filesystem.read)" */
};

struct policy_ceilings {
	struct policy_ceiling_key *keys; /* those that stand in the policy */
	size_t n;
	struct profile bounds;			/* what they say */
	struct profile_items env_pass, env_set; /* patterns of names */
	struct profile_items seccomp;		/* names of sets */
	bool publish, private_networks, sni, sampling, elicitation;
};

/* Where that ceiling is laid down; NULL: there is none. */
const char *policy_ceiling(const struct policy_ceilings *c, const char *path);
void policy_ceilings_done(struct policy_ceilings *c);
