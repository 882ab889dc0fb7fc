/* SPDX-License-Identifier: Apache-2.0 */
/* profile_keys - the table of the profile's keys, and the walker that holds a file against it (profile_parse.h) */
#include "supervisor/profile_parse.h"
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include "base/text.h"

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
	{ "expires", KEY_STRING, key_set_expires, FIELD(expires) },
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
	{ "package.integrity", KEY_STRING, key_set_refused, .words = "the integrity of packages" },
	{ "parameters", KEY_OBJECT, key_set_parameters },
	{ "parameters.*.type", KEY_STRING, key_set_param_type },
	{ "parameters.*.many", KEY_BOOLEAN, key_set_boolean, PARAM(many) },
	{ "parameters.*.within", KEY_STRINGS, key_set_within, PARAM(within) },
	{ "parameters.*.choices", KEY_STRINGS, key_set_strings, PARAM(choices) },
	{ "parameters.*.default", KEY_ANY, key_set_accepted }, /* read once the type is known */
	{ "command", KEY_STRINGS, key_set_items, FIELD(command) },
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

const struct key_row *key_rows(size_t *ret_n)
{
	*ret_n = ARRAY_LEN(key_table);
	return key_table;
}

static const char *const type_words[] = { "an object", "an object", "a string", "a list of strings", "a list",
	"an integer", "true or false", "anything" };
static_assert(ARRAY_LEN(type_words) == KEY_TYPE_COUNT, "a word for each type");

static bool type_fits(enum key_type t, const json_t *v)
{
	switch (t) {
	case KEY_SECTION:
	case KEY_OBJECT:
		return json_is_object(v);
	case KEY_STRING:
		return json_is_string(v);
	case KEY_STRINGS:
	case KEY_LIST:
		return json_is_array(v);
	case KEY_INTEGER:
		return json_is_integer(v);
	case KEY_BOOLEAN:
		return json_is_boolean(v);
	case KEY_ANY:
	case KEY_TYPE_COUNT:
		break;
	}
	return true;
}

__attribute__((format(printf, 3, 0))) static int fail_va(
	const struct key *k, unsigned line, const char *fmt, va_list ap)
{
	char text[DIAG_MAX];

	vsnprintf(text, sizeof(text), fmt, ap);
	return diag_fail(k->parse->d, -EINVAL, "%s:%u: %s %s", k->parse->file.name, line, k->shown, text);
}

int key_fail(const struct key *k, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = fail_va(k, k->line, fmt, ap);
	va_end(ap);
	return r;
}

int key_fail_at(const struct key *k, unsigned line, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = fail_va(k, line, fmt, ap);
	va_end(ap);
	return r;
}

unsigned key_item_line(const struct key *k, size_t i)
{
	return json_file_line(&k->parse->file, k->v, i);
}

int key_where(const struct key *k, unsigned line, const char *text, char **ret)
{
	char shown[PROFILE_SHOWN_MAX];
	const char *file = k->parse->file.name;
	int n;

	if (text)
		n = asprintf(
			ret, "%s:%u (%s \"%s\")", file, line, k->shown, text_escape_str(text, shown, sizeof(shown)));
	else
		n = asprintf(ret, "%s:%u (%s)", file, line, k->shown);
	if (n < 0)
		*ret = NULL;
	return n < 0 ? -ENOMEM : 0;
}

int key_word(const struct key *k, const char *const *words, size_t n, size_t *ret)
{
	_cleanup_buf_ struct buf list = BUF_INIT(PROFILE_STRING_MAX);
	const char *word = json_string_value(k->v), *near;
	char shown[PROFILE_SHOWN_MAX];
	int r = 0;

	for (size_t i = 0; i < n; i++)
		if (!strcmp(words[i], word)) {
			*ret = i;
			return 0;
		}
	near = text_nearest(word, words, n);
	text_escape_str(word, shown, sizeof(shown));
	if (near)
		return key_fail(k, "cannot be \"%s\"; did you mean \"%s\"?", shown, near);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = buf_printf(&list, "%s\"%s\"", i == 0 ? "" : i + 1 == n ? " or " : ", ", words[i]);
	return r < 0 ? r : key_fail(k, "cannot be \"%s\"; it is %s", shown, list.data);
}

/* What follows prefix and a dot in the row's path, when that is one name; else NULL. */
static const char *row_name(const struct key_row *row, const char *prefix)
{
	size_t n = strlen(prefix);
	const char *rest = row->path;

	if (n) {
		if (strncmp(rest, prefix, n) || rest[n] != '.')
			return NULL;
		rest += n + 1;
	}
	return strchr(rest, '.') ? NULL : rest;
}

static const struct key_row *row_find(const char *prefix, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(key_table); i++) {
		const char *row = row_name(&key_table[i], prefix);

		if (row && !strcmp(row, name))
			return &key_table[i];
	}
	return NULL;
}

/* "tool" is "tools" of this object; "read" at the top belongs into filesystem. */
static const char *suggest(const char *prefix, const char *name)
{
	const char *names[ARRAY_LEN(key_table)];
	const char *near, *last;
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(key_table); i++) {
		names[n] = row_name(&key_table[i], prefix);
		n += names[n] != NULL;
	}
	near = text_nearest(name, names, n);
	for (size_t i = 0; !near && i < ARRAY_LEN(key_table); i++) {
		last = strrchr(key_table[i].path, '.');
		if (last && !strcmp(last + 1, name) && !strpbrk(key_table[i].path, "*["))
			near = key_table[i].path;
	}
	return near;
}

/* What other files for the same purpose have, and where it goes here. */
static const char *foreign_key(const char *prefix, const char *name)
{
	static const struct {
		const char *prefix, *name, *mend;
	} rows[] = {
		{ "", "args", "; arguments follow the program in the list of 'command'" },
		{ "", "mcpServers", "; that belongs into the client's configuration, a profile holds one server" },
		{ "", "servers", "; that belongs into the client's configuration, a profile holds one server" },
		{ "env", NULL,
			"; a variable goes into 'env.set' with its value, or by its name into the list 'env.pass'" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (!strcmp(prefix, rows[i].prefix) && (!rows[i].name || !strcmp(name, rows[i].name)))
			return rows[i].mend;
	return NULL;
}

static int refuse_unknown(struct parse *ps, const char *prefix, const char *shown, const char *name, unsigned line)
{
	const char *foreign = foreign_key(prefix, name), *near = foreign && !*prefix ? NULL : suggest(prefix, name);
	char key[PROFILE_SHOWN_MAX];
	char mend[PROFILE_SHOWN_MAX] = "; stockade's profile format has no such key";

	if (foreign && !near)
		snprintf(mend, sizeof(mend), "%s", foreign);
	if (near)
		snprintf(mend, sizeof(mend), ", did you mean '%s'?", near);
	text_escape_str(name, key, sizeof(key));
	return diag_fail(ps->d, -EINVAL, "%s:%u: unknown key '%s%s%s'%s", ps->file.name, line, shown, *shown ? "." : "",
		key, mend);
}

static int check_strings(const struct key *k)
{
	const json_t *item;
	size_t i;

	if (json_array_size(k->v) > PROFILE_ITEMS_MAX)
		return key_fail(k, "has more than %d items", PROFILE_ITEMS_MAX);
	json_array_foreach((json_t *)(uintptr_t)k->v, i, item)
	{
		if (k->row->type == KEY_STRINGS && !json_is_string(item))
			return key_fail_at(k, key_item_line(k, i), "must hold strings only, and item %zu is %s", i + 1,
				json_file_type(item));
		if (json_string_length(item) > PROFILE_STRING_MAX)
			return key_fail_at(k, key_item_line(k, i), "has an item (%zu) longer than %d bytes", i + 1,
				PROFILE_STRING_MAX);
	}
	return 0;
}

static int key_take(const struct key *k)
{
	const struct key_row *row = k->row;
	int r = 0;

	if (!type_fits(row->type, k->v))
		return key_fail(k, "must be %s, not %s", type_words[row->type], json_file_type(k->v));
	if (json_string_length(k->v) > PROFILE_STRING_MAX)
		return key_fail(k, "is longer than %d bytes", PROFILE_STRING_MAX);
	if (json_object_size(k->v) > PROFILE_ITEMS_MAX)
		return key_fail(k, "has more than %d members", PROFILE_ITEMS_MAX);
	if (row->type == KEY_SECTION)
		return key_walk(k->parse, row->path, k->shown, k->v, k->target);
	if (row->type == KEY_STRINGS || row->type == KEY_LIST)
		r = check_strings(k);
	return r < 0 ? r : row->set(k);
}

int key_walk(struct parse *ps, const char *prefix, const char *shown, const json_t *obj, void *target)
{
	json_t *o = (json_t *)(uintptr_t)obj;
	size_t index = 0;

	for (void *i = json_object_iter(o); i; i = json_object_iter_next(o, i), index++) {
		const char *name = json_object_iter_key(i);
		char path[2 * PROFILE_SHOWN_MAX];
		struct key k = { .parse = ps,
			.row = row_find(prefix, name),
			.shown = path,
			.v = json_object_iter_value(i),
			.line = json_file_line(&ps->file, obj, index),
			.target = target };
		int r;

		if (!k.row)
			return refuse_unknown(ps, prefix, shown, name, k.line);
		snprintf(path, sizeof(path), "%s%s%s", shown, *shown ? "." : "", name);
		r = key_take(&k);
		if (r < 0)
			return r;
	}
	return 0;
}
