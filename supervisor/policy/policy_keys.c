/* SPDX-License-Identifier: Apache-2.0 */
/* policy_keys - see policy_keys.h */
#include "supervisor/policy/policy_keys.h"

#define FIELD(member) offsetof(struct policy, member)

int policy_set_accepted(const struct key *k)
{
	(void)k;
	return 0;
}

int policy_set_refused(const struct key *k)
{
	return key_fail(k, "is not enforced by this version, so a policy that relies on it denies every launch; take "
			   "it out, and do not rely on it");
}

int policy_set_format(const struct key *k)
{
	return json_integer_value(k->v) == 1 ? 0
					     : key_fail(k, "must be 1: this version reads no other format of policies");
}

/* Every key there is. What the whole format has and this version does not keep is known by name, and refused. */
static const struct key_row rows[] = {
	{ "$schema", KEY_STRING, policy_set_accepted },
	{ "stockade", KEY_INTEGER, policy_set_format },
	{ "description", KEY_STRING, policy_set_accepted },
	{ "owner", KEY_STRING, policy_set_accepted },
	{ "provide", KEY_SECTION },
	{ "provide.proxy", KEY_STRING, policy_set_proxy, FIELD(provide) },
	{ "provide.ca", KEY_STRING, policy_set_ca, FIELD(provide) },
	{ "provide.env", KEY_ANY, policy_set_refused },
	{ "pins", KEY_SECTION },
	{ "pins.findings", KEY_STRING, policy_set_findings, FIELD(persons) },
	{ "mode", KEY_ANY, policy_set_refused },
	{ "observe_until", KEY_ANY, policy_set_refused },
	{ "profiles", KEY_SECTION },
	{ "profiles.unprofiled", KEY_STRING, policy_set_unprofiled, FIELD(servers) },
	{ "profiles.user", KEY_STRING, policy_set_user, FIELD(servers) },
	{ "signatures", KEY_ANY, policy_set_refused },
	{ "keys", KEY_ANY, policy_set_refused },
	{ "servers", KEY_SECTION },
	{ "servers.allow", KEY_LIST, policy_set_servers, FIELD(servers.allow) },
	{ "servers.deny", KEY_LIST, policy_set_servers, FIELD(servers.deny) },
	{ "packages", KEY_SECTION },
	{ "packages.allow", KEY_LIST, policy_set_packages, FIELD(servers.package_allow) },
	{ "packages.deny", KEY_LIST, policy_set_packages, FIELD(servers.package_deny) },
	{ "clients", KEY_SECTION },
	{ "clients.allow", KEY_LIST, policy_set_clients_allow, FIELD(clients) },
	{ "clients.deny", KEY_LIST, policy_set_clients_deny, FIELD(clients) },
	{ "groups", KEY_ANY, policy_set_refused },
	{ "filesystem", KEY_ANY, policy_set_refused },
	{ "env", KEY_ANY, policy_set_refused },
	{ "network", KEY_ANY, policy_set_refused },
	{ "ipc", KEY_ANY, policy_set_refused },
	{ "seccomp", KEY_ANY, policy_set_refused },
	{ "limits", KEY_ANY, policy_set_refused },
	{ "tools", KEY_SECTION },
	{ "tools.grants", KEY_STRING, policy_set_grants, FIELD(persons) },
	{ "tools.allow", KEY_ANY, policy_set_refused },
	{ "tools.deny", KEY_ANY, policy_set_refused },
	{ "tools.rate", KEY_ANY, policy_set_refused },
	{ "tools.time", KEY_ANY, policy_set_refused },
	{ "tools.scopes", KEY_ANY, policy_set_refused },
	{ "resources", KEY_ANY, policy_set_refused },
	{ "prompts", KEY_ANY, policy_set_refused },
	{ "client", KEY_ANY, policy_set_refused },
	{ "consent", KEY_ANY, policy_set_refused },
	{ "layers", KEY_ANY, policy_set_refused },
	{ "audit", KEY_SECTION },
	{ "audit.to", KEY_STRING, policy_set_audit_to, FIELD(audit) },
	{ "audit.arguments", KEY_ANY, policy_set_refused },
	{ "audit.delete_after", KEY_ANY, policy_set_refused },
	{ "audit.size", KEY_ANY, policy_set_refused },
	{ "audit.alerts", KEY_ANY, policy_set_refused },
	{ "bundle", KEY_ANY, policy_set_refused },
	{ "kill", KEY_ANY, policy_set_refused },
	{ "inventory", KEY_ANY, policy_set_refused },
};

const struct key_table policy_keys = { .rows = rows, .n = ARRAY_LEN(rows), .format = "policy" };
