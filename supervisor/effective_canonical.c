/* SPDX-License-Identifier: Apache-2.0 */
/*
 * effective_canonical - the JSON that the digest is over, and that an approval stores (effective.h)
 *
 * Bound, and nothing else: argv, program, subject, chain, links, cwd, code, mounts, network, tools, limits, every set
 * value, names of passed variables, values of those that steer a loader or an interpreter. Not bound: descriptions and
 * owners of a profile, values of other passed variables, contents of granted directories, what the distribution
 * upgrades below /usr.
 */
#include <errno.h>
#include <string.h>
#include "supervisor/canonical.h"
#include "supervisor/code_digest.h"
#include "supervisor/consent/admin.h"
#include "supervisor/consent/granted.h"
#include "supervisor/danger.h"
#include "supervisor/effective_client.h"
#include "supervisor/effective_lines.h"
#include "supervisor/effective_meters.h"
#include "supervisor/effective_network.h"
#include "supervisor/effective_scopes.h"
#include "supervisor/environment.h"
#include "supervisor/json_list.h"
#include "supervisor/policy/observe.h"
#include "supervisor/signing/code_bound.h"
#include "supervisor/signing/code_hold.h"
#include "supervisor/signing/code_named.h"
#include "supervisor/signing/home_code.h"

enum { CANONICAL_VERSION = 4 };

static json_t *strings(const struct strv *s)
{
	json_t *array = json_array();

	for (size_t i = 0; i < s->n; i++)

		if (json_array_append_new(array, json_string(s->v[i])) < 0) {
			json_decref(array);
			return NULL;
		}
	return array;
}

static json_t *items(const struct profile_items *s)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < s->n; i++)
		array = json_list_add(array, json_string(s->v[i].value));
	return array;
}

static json_t *rules(const struct shim_rules *r)
{
	json_t *allow = json_array(), *deny = json_array();

	for (size_t i = 0; i < r->n; i++) {
		json_t **to = r->rules[i].allow ? &allow : &deny;
		*to = json_list_add(*to, json_string(r->rules[i].glob));
	}
	/* Only where there is one: other plans stay what was approved. */
	if (r->ceiling)
		return json_pack("{s:b, s:o, s:o, s:o}", "restricted", r->restricted, "allow", allow, "deny", deny,
			"ceiling", rules(r->ceiling));
	return json_pack("{s:b, s:o, s:o}", "restricted", r->restricted, "allow", allow, "deny", deny);
}

static json_t *argument_rule(const struct shim_argument_rule *rule)
{
	json_t *schema = rule->schema ? json_loads(rule->schema, 0, NULL) : json_true();

	return json_pack("{s:s, s:o}", "tool", rule->glob, rule->schema ? "arguments" : "strict", schema);
}

/* Only where there are some: other plans stay what was approved. */
static int add_arguments(json_t *protocol, const struct shim_arguments *a)
{
	json_t *array = json_array();
	int r = 0;

	for (size_t i = 0; i < a->n; i++)
		r |= json_array_append_new(array, argument_rule(&a->rules[i]));
	if (a->strict)
		r |= json_array_append_new(array, json_pack("{s:s, s:b}", "tool", "*", "strict", true));
	if (r == 0 && json_array_size(array) > 0)
		r = json_object_set(protocol, "rules_on_arguments", array);
	json_decref(array);
	return r < 0 ? -ENOMEM : 0;
}

/* Likewise. */
static int add_text(json_t *protocol, const struct shim_text *t)
{
	json_t *redact = json_array();
	int r = 0;

	for (unsigned i = 0; i < SHIM_SET_COUNT; i++)
		if (t->sets >> i & 1)
			r |= json_array_append_new(redact, json_string(shim_set_name(i)));
	for (size_t i = 0; i < t->n_patterns; i++)
		r |= json_array_append_new(redact,
			json_pack("{s:s, s:s}", "name", t->patterns[i].name, "pattern", t->patterns[i].pattern));
	if (r == 0 && json_array_size(redact) > 0)
		r = json_object_set(protocol, "redact", redact);
	if (r == 0 && t->pass)
		r = json_object_set_new(protocol, "text", json_string("pass"));
	json_decref(redact);
	return r < 0 ? -ENOMEM : 0;
}

static json_t *grants(const struct fs_grants *g, bool write)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < g->n; i++)
		if (g->v[i].write == write)
			array = json_list_add(array, json_string(g->v[i].canonical));
	return array;
}

/* NULL when one of them cannot be written down: a value that is left out would steer without being bound. */
static json_t *steering(const struct profile *f, char *const *env)
{
	json_t *object = json_object();

	for (size_t i = 0; i < f->env_pass.n; i++) {
		const char *name = f->env_pass.v[i].value, *value = environment_get(env, name);
		if (!value || !danger_is_loader_variable(name))
			continue;
		if (json_object_set_new(object, name, json_string(value)) < 0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

/* "LINK\tTEXT" as "LINK -> TEXT". A link that a word of the command goes through chooses what runs as the word itself
 * does. */
static json_t *links(const struct resolved *cmd)
{
	json_t *array = json_array();

	for (size_t i = 0; i < cmd->symlinks.n; i++) {
		const char *row = cmd->symlinks.v[i];
		size_t n = strcspn(row, "\t");
		if (json_array_append_new(array, json_sprintf("%.*s -> %s", (int)n, row, row + n + (row[n] == '\t'))) <
			0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *code(const struct resolved *cmd)
{
	json_t *array = json_array();

	for (size_t i = 0; i < cmd->n_trees; i++)
		if (json_array_append_new(array, json_pack("{s:s}", "path", cmd->trees[i].path)) < 0) {
			json_decref(array);
			return NULL;
		}
	return array;
}

int effective_canonical(struct effective *e, const struct fs_grants *g, char *const *env)
{
	const struct profile *f = &e->profile;
	json_t *protocol;

	json_decref(e->canonical);
	e->canonical = json_pack("{s:i, s:s, s:s, s:s, s:o, s:o, s:o, s:s, s:o, s:{s:o, s:o, s:o, s:b, s:s, s:I}, "
				 "s:{s:o, s:o, s:o}, s:o, s:o, s:b, s:s,"
				 " s:{s:I, s:I, s:I, s:I, s:I}, s:{s:o, s:o, s:o, s:o, s:o, s:o}, s:i}",
		"plan", CANONICAL_VERSION, "name", e->name, "program", e->cmd.program, "subject", e->cmd.subject,
		"chain", strings(&e->cmd.chain), "links", links(&e->cmd), "argv", strings(&e->plan.argv), "cwd",
		e->plan.cwd, "code", code(&e->cmd), "filesystem", "read", grants(g, false), "write", grants(g, true),
		"deny", items(&f->fs_deny), "protect", f->protect, "home",
		f->home == HOME_PRIVATE ? "private" : "empty", "tmp", (json_int_t)f->tmp_size, "env", "set",
		items(&f->env_set), "pass", items(&f->env_pass), "steering", steering(f, env), "network",
		effective_network_canonical(e), "unix", items(&f->unix_sockets), "af_unix", profile_opens_unix(f),
		"seccomp", f->seccomp, "limits", "processes", (json_int_t)f->limit_processes, "files",
		(json_int_t)f->limit_files, "message", (json_int_t)f->limit_message, "message_client",
		(json_int_t)f->limit_message_client, "message_server", (json_int_t)f->limit_message_server, "protocol",
		"tools", rules(&f->tools), "calls", effective_meters_canonical(&f->meters), "resources",
		rules(&f->resources), "prompts", rules(&f->prompts), "extensions", rules(&f->extensions), "roots",
		strings(&e->shim.roots), "arguments", f->audit_args);
	if (!e->canonical)
		return -EILSEQ;
	/* That there are pins is the profile's word; which there are is not the plan's. */
	if (f->pins && json_object_set_new(e->canonical, "pins", json_string(f->pins)) < 0)
		return -ENOMEM;
	protocol = json_object_get(e->canonical, "protocol");
	if (f->scan_withhold && json_object_set_new(protocol, "scan", json_string("withhold")) < 0)
		return -ENOMEM;
	int r = effective_client_canonical(protocol, &f->client);
	if (r == 0)
		r = add_arguments(protocol, &f->arguments);
	if (r == 0)
		r = effective_scopes_canonical(protocol, &f->scopes);
	if (r == 0)
		r = add_text(protocol, &f->text);
	return r < 0 ? r : observe_canonical(e, e->canonical);
}

static int digest_tree(const struct paths *p, const struct code_tree *t, bool with_git, json_t *entry, struct diag *d)
{
	char hex[CODE_DIGEST_HEX];
	int r;

	if (!json_object_get(entry, "root_only"))
		return diag_fail(d, -EINVAL, "the code in %s was not looked at", t->path);
	if (t->root_only)
		return 0;
	r = code_digest_tree(p, t->path, with_git, hex, d);
	if (r < 0)
		return r;
	return json_object_set_new(entry, "digest", json_string(hex)) < 0 ? -ENOMEM : 0;
}

int effective_look(struct effective *e, struct diag *d)
{
	json_t *list = json_object_get(e->canonical, "code");
	int r = 0;

	for (size_t i = 0; r == 0 && i < e->cmd.n_trees; i++) {
		struct code_tree *t = &e->cmd.trees[i];
		r = code_is_root_only(t->path, &t->root_only, NULL, d);
		if (r == 0 && json_object_set_new(json_array_get(list, i), "root_only", json_boolean(t->root_only)) < 0)
			r = -ENOMEM;
	}
	return r;
}

static int take_digests(const struct paths *cache, struct effective *e, struct diag *d)
{
	json_t *list = json_object_get(e->canonical, "code");
	int r = 0;

	for (size_t i = 0; r == 0 && i < e->cmd.n_trees; i++)
		r = digest_tree(cache, &e->cmd.trees[i], e->cmd.git_is_code, json_array_get(list, i), d);
	if (r == 0)
		r = code_check(e, d);
	if (r < 0)
		return r;
	r = canonical_digest(e->canonical, e->digest);
	return r < 0 ? diag_fail(d, r, "cannot compute the plan's digest: %s", strerror(-r)) : 0;
}

/* Root's word counts with any policy, beside the user's. */
static bool root_answers(const struct effective *e)
{
	_cleanup_approval_ struct approval root = { 0 };
	struct diag unsaid;

	return e->policy.file && admin_lookup(e->digest, &root, &unsaid) != CONSENT_UNKNOWN;
}

int effective_digest(const struct paths *p, const struct approvals *all, struct effective *e, struct diag *d)
{
	int r = 0;

	/* What is kept from earlier looks is the user's file. It may spare a user whose own answer counts the reading,
	 * and vouches for no code that a signature binds or that another has to approve. */
	const struct paths *cache = code_is_for_others(e) ? NULL : p;

	r = code_hold(e, d);
	if (r == 0)
		r = take_digests(cache, e, d);
	if (r == 0 && cache && root_answers(e))
		r = take_digests(NULL, e, d);
	if (r < 0)
		return r;
	r = effective_check_overlap(p, all, e, d);
	if (r == 0)
		r = home_code_look(p, e, d);
	if (r == 0)
		r = code_named_look(p, e, d);
	return r < 0 ? r : granted_judge(e, d);
}
