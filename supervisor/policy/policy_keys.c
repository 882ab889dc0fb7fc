/* SPDX-License-Identifier: Apache-2.0 */
/* policy_keys - see policy_keys.h */
#include "supervisor/policy/policy_keys.h"

#define FIELD(member)  offsetof(struct policy, member)
#define SIGNER(member) offsetof(struct policy_signer, member)

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
	{ "mode", KEY_STRING, policy_set_mode, FIELD(mode) },
	{ "observe_until", KEY_STRING, policy_set_observe_until, FIELD(mode) },
	{ "profiles", KEY_SECTION },
	{ "profiles.unprofiled", KEY_STRING, policy_set_unprofiled, FIELD(servers) },
	{ "profiles.user", KEY_STRING, policy_set_user, FIELD(servers) },
	{ "signatures", KEY_OBJECT, policy_set_signatures, FIELD(signatures) },
	{ "signatures.need", KEY_INTEGER, policy_set_need },
	{ "signatures.of", KEY_STRINGS, policy_set_signers },
	{ "signatures.keys", KEY_OBJECT, policy_set_signer_keys },
	{ "signatures.keys.*.expires", KEY_STRING, policy_set_signer_expires, SIGNER(expires) },
	{ "signatures.keys.*.servers", KEY_STRINGS, policy_set_signer_servers, SIGNER(servers) },
	{ "servers", KEY_SECTION },
	{ "servers.allow", KEY_LIST, policy_set_servers, FIELD(servers.allow) },
	{ "servers.deny", KEY_LIST, policy_set_servers, FIELD(servers.deny) },
	{ "packages", KEY_SECTION },
	{ "packages.allow", KEY_LIST, policy_set_packages, FIELD(servers.package_allow) },
	{ "packages.deny", KEY_LIST, policy_set_packages, FIELD(servers.package_deny) },
	{ "clients", KEY_SECTION },
	{ "clients.allow", KEY_LIST, policy_set_clients_allow, FIELD(clients) },
	{ "clients.deny", KEY_LIST, policy_set_clients_deny, FIELD(clients) },
	{ "groups", KEY_OBJECT, policy_set_groups, FIELD(groups) },
	{ "filesystem", KEY_SECTION },
	{ "filesystem.read", KEY_STRINGS, policy_set_ceiling_paths, FIELD(ceilings) },
	{ "filesystem.write", KEY_STRINGS, policy_set_ceiling_paths, FIELD(ceilings) },
	{ "filesystem.deny", KEY_STRINGS, policy_set_ceiling_paths, FIELD(ceilings) },
	{ "filesystem.protect", KEY_STRING, policy_set_ceiling, FIELD(ceilings) },
	{ "filesystem.home", KEY_STRING, policy_set_ceiling, FIELD(ceilings) },
	{ "filesystem.tmp", KEY_STRING, policy_set_ceiling, FIELD(ceilings) },
	{ "env", KEY_SECTION },
	{ "env.pass", KEY_STRINGS, policy_set_env_pass, FIELD(ceilings) },
	{ "env.set", KEY_STRINGS, policy_set_env_set, FIELD(ceilings) },
	{ "network", KEY_SECTION },
	{ "network.allow", KEY_LIST, policy_set_ceiling_hosts, FIELD(ceilings) },
	{ "network.publish", KEY_BOOLEAN, policy_set_publish, FIELD(ceilings) },
	{ "network.private", KEY_BOOLEAN, policy_set_private, FIELD(ceilings) },
	{ "network.sni", KEY_BOOLEAN, policy_set_sni, FIELD(ceilings) },
	{ "ipc", KEY_SECTION },
	{ "ipc.unix", KEY_STRINGS, policy_set_ceiling_paths, FIELD(ceilings) },
	{ "seccomp", KEY_STRINGS, policy_set_seccomp, FIELD(ceilings) },
	{ "limits", KEY_SECTION },
	{ "limits.memory", KEY_ANY, policy_set_refused },
	{ "limits.cpu", KEY_ANY, policy_set_refused },
	{ "limits.processes", KEY_INTEGER, policy_set_ceiling, FIELD(ceilings) },
	{ "limits.files", KEY_INTEGER, policy_set_ceiling, FIELD(ceilings) },
	{ "limits.message", KEY_STRING, policy_set_ceiling, FIELD(ceilings) },
	{ "limits.message_client", KEY_STRING, policy_set_ceiling, FIELD(ceilings) },
	{ "limits.message_server", KEY_STRING, policy_set_ceiling, FIELD(ceilings) },
	{ "limits.calls", KEY_INTEGER, policy_set_ceiling, FIELD(ceilings) },
	{ "tools", KEY_SECTION },
	{ "tools.grants", KEY_STRING, policy_set_grants, FIELD(persons) },
	{ "tools.allow", KEY_LIST, policy_set_ceiling_names, FIELD(ceilings) },
	{ "tools.deny", KEY_LIST, policy_set_ceiling_names, FIELD(ceilings) },
	{ "tools.text", KEY_STRING, policy_set_ceiling, FIELD(ceilings) },
	{ "tools.rate", KEY_STRING, policy_set_ceiling, FIELD(ceilings) },
	{ "tools.time", KEY_STRING, policy_set_ceiling, FIELD(ceilings) },
	{ "tools.scopes", KEY_ANY, policy_set_refused },
	{ "resources", KEY_SECTION },
	{ "resources.allow", KEY_LIST, policy_set_ceiling_names, FIELD(ceilings) },
	{ "resources.deny", KEY_LIST, policy_set_ceiling_names, FIELD(ceilings) },
	{ "prompts", KEY_SECTION },
	{ "prompts.allow", KEY_LIST, policy_set_ceiling_names, FIELD(ceilings) },
	{ "prompts.deny", KEY_LIST, policy_set_ceiling_names, FIELD(ceilings) },
	{ "client", KEY_SECTION },
	{ "client.sampling", KEY_BOOLEAN, policy_set_sampling, FIELD(ceilings) },
	{ "client.elicitation", KEY_BOOLEAN, policy_set_elicitation, FIELD(ceilings) },
	{ "client.roots", KEY_STRINGS, policy_set_ceiling_paths, FIELD(ceilings) },
	{ "consent", KEY_SECTION },
	{ "consent.by", KEY_STRING, policy_set_by, FIELD(consent) },
	{ "consent.channels", KEY_STRINGS, policy_set_channels, FIELD(consent) },
	{ "layers", KEY_STRINGS, policy_set_layers, FIELD(consent) },
	{ "audit", KEY_SECTION },
	{ "audit.to", KEY_STRING, policy_set_audit_to, FIELD(audit) },
	{ "audit.arguments", KEY_STRING, policy_set_ceiling, FIELD(ceilings) },
	{ "audit.delete_after", KEY_STRING, policy_set_audit_delete_after, FIELD(audit) },
	{ "audit.size", KEY_STRING, policy_set_audit_size, FIELD(audit) },
	ALERT_ROWS("audit.alerts", FIELD(alerts)),
	{ "bundle", KEY_SECTION },
	{ "bundle.url", KEY_STRING, policy_set_bundle_url, FIELD(bundle) },
	{ "bundle.every", KEY_STRING, policy_set_bundle_every, FIELD(bundle) },
	{ "bundle.stale", KEY_STRING, policy_set_bundle_stale, FIELD(bundle) },
	{ "kill", KEY_ANY, policy_set_refused },
	{ "inventory", KEY_ANY, policy_set_refused },
};

const struct key_table policy_keys = { .rows = rows, .n = ARRAY_LEN(rows), .format = "policy" };
