/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_groups - "groups": which servers and tools are whose (policy.h)
 *
 * Process:  supervisor
 * Owns:     its strings; free with policy_groups_done
 * Limits:   POLICY_GROUPS_MAX groups, POLICY_GROUP_MEMBERS_MAX bytes of a group's line of /etc/group
 *
 * A server that no group names is everybody's. One that some name is for the members of those, with the tools that
 * their groups have for it together.
 *
 * A static program has no NSS. What can be known is /etc/group, read at each launch, so that it decides for every group
 * that stands there: who was taken out of it since the login is out. A group of a directory server is known to this
 * machine by its number alone, among the groups that the kernel keeps of the process: in a policy it is "gid:70001".
 */
#pragma once
#include "base/diag.h"
#include "supervisor/paths.h"
#include "wire/shim_config.h"

enum { POLICY_GROUPS_MAX = 256 };

struct policy_group {
	char *name;  /* as in /etc/group, or "gid:70001" */
	char *where; /* "FILE:LINE (groups.mcp-dev)" */
	struct strv servers;
	struct shim_rules tools; /* allowed ones; restricted is false without the key: all of them */
};

struct policy_groups {
	struct policy_group *v;
	size_t n;
};

/* May this user start that server? -EPERM with words. above: with what tools; its rules are added to when there is a
 * bound, and nothing is when there is none. */
int policy_judge_groups(const struct policy_groups *g, const struct paths *p, const char *server,
	struct shim_rules *above, struct diag *d) _must_check_;
/* Is the user of this process in it now? As /etc/group, or another file of that form, says. */
bool policy_group_has(const char *group_file, const struct paths *p, const char *name);
void policy_groups_done(struct policy_groups *g);
