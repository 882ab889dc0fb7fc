/* SPDX-License-Identifier: Apache-2.0 */
/* profile_keys - the table of the profile's keys (profile_parse.h) */
#include <string.h>
#include "supervisor/profile_parse.h"

#define FIELD(member)	  offsetof(struct profile, member)
#define NET_LIMIT(member) offsetof(struct profile, network.limits.member)
#define PARAM(member)	  offsetof(struct profile_param, member)
#define TOOL(member)	  offsetof(struct meters_tool, member)

/* Sorted as design.md, section 5, has them: this is the format. */
static const struct key_row key_table[] = {
	{ "$schema", KEY_STRING, key_set_accepted },
	{ "stockade", KEY_INTEGER, key_set_format },
	{ "name", KEY_STRING, key_set_name, FIELD(name) },
	{ "version", KEY_INTEGER, key_set_integer, FIELD(version), 1, INT32_MAX },
	{ "description", KEY_STRING, key_set_text, FIELD(description) },
	{ "owner", KEY_STRING, key_set_text, FIELD(owner) },
	{ "reviewed", KEY_STRING, key_set_date, FIELD(reviewed) },
	{ "expires", KEY_STRING, key_set_date, FIELD(expires) },
	{ "approval", KEY_SECTION },
	{ "approval.by", KEY_STRING, key_set_accepted },
	{ "approval.ticket", KEY_STRING, key_set_accepted },
	{ "data", KEY_SECTION },
	{ "data.classification", KEY_STRING, key_set_text, FIELD(classification) },
	{ "data.residency", KEY_STRINGS, key_set_accepted },
	{ "package", KEY_SECTION },
	{ "package.npm", KEY_STRING, key_set_package },
	{ "package.pypi", KEY_STRING, key_set_package },
	{ "package.version", KEY_STRING, key_set_text, FIELD(package_version) },
	{ "package.integrity", KEY_STRING, key_set_refused,
		.words = "the integrity of packages, which is over the archive that was fetched and not over what is "
			 "installed ('code' binds that)" },
	{ "parameters", KEY_OBJECT, key_set_parameters },
	{ "parameters.*.type", KEY_STRING, key_set_param_type },
	{ "parameters.*.many", KEY_BOOLEAN, key_set_boolean, PARAM(many) },
	{ "parameters.*.within", KEY_STRINGS, key_set_within, PARAM(within) },
	{ "parameters.*.choices", KEY_STRINGS, key_set_strings, PARAM(choices) },
	{ "parameters.*.default", KEY_ANY, key_set_accepted }, /* read once the type is known */
	{ "command", KEY_STRINGS, key_set_items, FIELD(command) },
	{ "code", KEY_OBJECT, key_set_code },
	{ "cwd", KEY_STRING, key_set_path, FIELD(cwd) },
	{ "env", KEY_SECTION },
	{ "env.set", KEY_OBJECT, key_set_env, FIELD(env_set) },
	{ "env.pass", KEY_STRINGS, key_set_env_names, FIELD(env_pass) },
	{ "filesystem", KEY_SECTION },
	{ "filesystem.read", KEY_STRINGS, key_set_paths, FIELD(fs_read) },
	{ "filesystem.write", KEY_STRINGS, key_set_paths, FIELD(fs_write) },
	{ "filesystem.protect", KEY_STRING, key_set_protect },
	{ "filesystem.deny", KEY_STRINGS, key_set_patterns, FIELD(fs_deny) },
	{ "filesystem.home", KEY_STRING, key_set_home },
	{ "filesystem.tmp", KEY_STRING, key_set_size, FIELD(tmp_size), 64 << 10, (uint64_t)64 << 30 },
	{ "network", KEY_SECTION },
	{ "network.allow", KEY_LIST, key_set_hosts, FIELD(network) },
	{ "network.allow[].host", KEY_STRING, key_set_accepted }, /* taken first: the others are about it */
	{ "network.allow[].ports", KEY_LIST, key_set_host_ports },
	{ "network.allow[].sni", KEY_BOOLEAN, key_set_boolean, offsetof(struct net_grant, sni) },
	{ "network.allow[].private", KEY_BOOLEAN, key_set_boolean, offsetof(struct net_grant, private_allowed) },
	{ "network.publish", KEY_LIST, key_set_publish, FIELD(network) },
	{ "network.addresses", KEY_STRING, key_set_addresses, FIELD(network) },
	{ "network.limits", KEY_SECTION },
	{ "network.limits.connections", KEY_INTEGER, key_set_network_limit, NET_LIMIT(connections), 1, 8192 },
	{ "network.limits.names", KEY_INTEGER, key_set_network_limit, NET_LIMIT(names), 1, 65536 },
	{ "network.limits.queries", KEY_INTEGER, key_set_network_limit, NET_LIMIT(queries), 1, 10000 },
	{ "network.limits.connect", KEY_STRING, key_set_network_time, NET_LIMIT(connect_ms), 1, 300 },
	{ "network.limits.hello", KEY_STRING, key_set_network_time, NET_LIMIT(hello_ms), 1, 60 },
	{ "network.limits.resolve", KEY_STRING, key_set_network_time, NET_LIMIT(resolve_ms), 1, 60 },
	{ "network.limits.idle", KEY_STRING, key_set_network_time, NET_LIMIT(idle_s), 1, 604800 },
	{ "ipc", KEY_SECTION },
	{ "ipc.unix", KEY_STRINGS, key_set_paths, FIELD(unix_sockets) },
	{ "seccomp", KEY_STRING, key_set_seccomp },
	{ "limits", KEY_SECTION },
	{ "limits.memory", KEY_STRING, key_set_refused, .words = "limits of memory (it sets up no cgroup)" },
	{ "limits.cpu", KEY_STRING, key_set_refused, .words = "limits of CPU time (it sets up no cgroup)" },
	{ "limits.processes", KEY_INTEGER, key_set_integer, FIELD(limit_processes), 1, 65536 },
	{ "limits.files", KEY_INTEGER, key_set_integer, FIELD(limit_files), 16, 1 << 20 },
	{ "limits.message", KEY_STRING, key_set_size, FIELD(limit_message), 4 << 10, SHIM_LINE_MAX },
	{ "limits.message_client", KEY_STRING, key_set_size, FIELD(limit_message_client), 4 << 10, SHIM_LINE_MAX },
	{ "limits.message_server", KEY_STRING, key_set_size, FIELD(limit_message_server), 4 << 10, SHIM_LINE_MAX },
	{ "limits.calls", KEY_INTEGER, key_set_inflight, FIELD(meters.in_flight) },
	{ "tools", KEY_SECTION },
	{ "tools.allow", KEY_LIST, key_set_allow, FIELD(tools) },
	{ "tools.allow[].name", KEY_STRING, key_set_accepted },
	{ "tools.allow[].confirm", KEY_BOOLEAN, key_set_confirm, TOOL(confirm) },
	{ "tools.allow[].rate", KEY_STRING, key_set_rate, TOOL(rate) },
	{ "tools.allow[].time", KEY_STRING, key_set_call_time, TOOL(time) },
	{ "tools.allow[].output", KEY_STRING, key_set_output, TOOL(output), 4 << 10, SHIM_LINE_MAX },
	{ "tools.allow[].arguments", KEY_OBJECT, key_set_accepted }, /* read once the name is known */
	{ "tools.allow[].strict", KEY_BOOLEAN, key_set_accepted },   /* the same */
	{ "tools.deny", KEY_LIST, key_set_deny, FIELD(tools) },
	{ "tools.strict", KEY_BOOLEAN, key_set_strict },
	{ "tools.rate", KEY_STRING, key_set_rate, FIELD(meters.each) },
	{ "tools.total", KEY_STRING, key_set_rate, FIELD(meters.total) },
	{ "tools.time", KEY_STRING, key_set_call_time, FIELD(meters.time) },
	{ "tools.output", KEY_STRING, key_set_output, FIELD(meters.output), 4 << 10, SHIM_LINE_MAX },
	{ "tools.scopes", KEY_OBJECT, key_set_scopes, FIELD(scopes) },
	{ "tools.allow_scopes", KEY_STRINGS, key_set_allow_scopes, FIELD(allow_scopes) },
	{ "tools.grant_scopes", KEY_STRINGS, key_set_items, FIELD(grant_scopes) },
	{ "tools.grant_time", KEY_STRING, key_set_grant_time, FIELD(scopes.lift_max_s) },
	{ "tools.text", KEY_STRING, key_set_text_mode, FIELD(text) },
	{ "tools.redact", KEY_LIST, key_set_redact, FIELD(text) },
	{ "tools.redact[].name", KEY_STRING, key_set_accepted },
	{ "tools.redact[].pattern", KEY_STRING, key_set_accepted },
	{ "tools.scan", KEY_STRING, key_set_scan },
	{ "resources", KEY_SECTION },
	{ "resources.allow", KEY_LIST, key_set_allow, FIELD(resources) },
	{ "resources.deny", KEY_LIST, key_set_deny, FIELD(resources) },
	{ "prompts", KEY_SECTION },
	{ "prompts.allow", KEY_LIST, key_set_allow, FIELD(prompts) },
	{ "prompts.deny", KEY_LIST, key_set_deny, FIELD(prompts) },
	{ "extensions", KEY_SECTION },
	{ "extensions.allow", KEY_LIST, key_set_allow, FIELD(extensions) },
	{ "extensions.deny", KEY_LIST, key_set_deny, FIELD(extensions) },
	{ "client", KEY_SECTION },
	{ "client.sampling", KEY_ANY, key_set_sampling, FIELD(client.sampling) },
	{ "client.sampling.rate", KEY_STRING, key_set_rate, FIELD(client.sampling.rate) },
	{ "client.sampling.max_tokens", KEY_INTEGER, key_set_max_tokens, FIELD(client.sampling.max_tokens) },
	{ "client.sampling.tools", KEY_BOOLEAN, key_set_boolean, FIELD(client.sampling.tools) },
	{ "client.sampling.context", KEY_STRING, key_set_context, FIELD(client.sampling.context) },
	{ "client.elicitation", KEY_ANY, key_set_elicitation, FIELD(client.elicitation) },
	{ "client.elicitation.rate", KEY_STRING, key_set_rate, FIELD(client.elicitation.rate) },
	{ "client.elicitation.form", KEY_BOOLEAN, key_set_form, FIELD(client.elicitation.no_form) },
	{ "client.elicitation.url", KEY_ANY, key_set_ask_hosts, FIELD(client) },
	{ "client.logging", KEY_ANY, key_set_logging, FIELD(client.logging) },
	{ "client.logging.level", KEY_STRING, key_set_level, FIELD(client.logging) },
	{ "client.logging.rate", KEY_STRING, key_set_rate, FIELD(client.logging.rate) },
	{ "client.roots", KEY_STRINGS, key_set_paths, FIELD(roots) },
	{ "audit", KEY_SECTION },
	{ "audit.arguments", KEY_STRING, key_set_audit_arguments },
	{ "audit.delete_after", KEY_STRING, key_set_duration, FIELD(delete_after), 86400, (uint64_t)86400 * 36500 },
	{ "pins", KEY_STRING, key_set_pins, FIELD(pins) },
};

/* What other files for the same purpose have, and where it goes here. */
static const char *foreign_key(const char *section, const char *name)
{
	static const struct {
		const char *section, *name, *mend;
	} rows[] = {
		{ "", "args", "; arguments follow the program in the list of 'command'" },
		{ "", "mcpServers", "; that belongs into the client's configuration, a profile holds one server" },
		{ "", "servers", "; that belongs into the client's configuration, a profile holds one server" },
		{ "env", NULL,
			"; a variable goes into 'env.set' with its value, or by its name into the list 'env.pass'" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (!strcmp(section, rows[i].section) && (!rows[i].name || !strcmp(name, rows[i].name)))
			return rows[i].mend;
	return NULL;
}

const struct key_table profile_keys = {
	.rows = key_table, .n = ARRAY_LEN(key_table), .format = "profile", .foreign = foreign_key
};
