/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_servers - which servers a machine may start: "profiles", "servers", "packages" (policy.h)
 *
 * Process:  supervisor
 * Owns:     its strings; free with policy_servers_done
 * Returns:  0, -errno with words; -EPERM what the policy does not allow
 *
 * A server is known by the name of its profile. Without a profile it has only the name of its program, which is its
 * user's to choose: so no list that allows lets it through, and every list that denies holds for it.
 */
#pragma once
#include <stdint.h>
#include "base/diag.h"
#include "supervisor/profile.h"
#include "supervisor/resolve.h"
#include "supervisor/signing/version_range.h"

struct policy_pattern {
	char *glob;		       /* of a name; of a package "npm:@scope/name" */
	struct version_range versions; /* of the profile */
	char *where;		       /* "FILE:LINE (servers.allow "db-*")" */
};

struct policy_patterns {
	char *where; /* "FILE:LINE (servers.allow)"; NULL: there is no such list */
	struct policy_pattern *v;
	size_t n;
};

struct policy_servers {
	char *no_unprofiled, *no_user; /* "FILE:LINE (profiles.user)" of what is denied; NULL: allowed */
	struct policy_patterns allow, deny, package_allow, package_deny;
};

/* May a server of this profile (of none: f->file is NULL) be started at all? Before anything of it is looked at. */
int policy_judge_profile(const struct policy_servers *p, const struct profile *f, struct diag *d) _must_check_;
/* What only the command shows: its name, where there is no profile, and the package that its code lies in. */
int policy_judge_command(const struct policy_servers *p, const struct profile *f, const char *name,
	const struct resolved *cmd, struct diag *d) _must_check_;
void policy_servers_done(struct policy_servers *p);
