/* SPDX-License-Identifier: Apache-2.0 */
/* effective_shim - what the shim is told of a launch (effective_steps.h) */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "base/text.h"
#include "supervisor/effective_steps.h"
#include "supervisor/secret_values.h"

static int copy_arguments(const struct shim_arguments *from, struct shim_arguments *to)
{
	to->strict = from->strict ? strdup(from->strict) : NULL;
	to->rules = from->n ? calloc(from->n, sizeof(*to->rules)) : NULL;
	if ((from->strict && !to->strict) || (from->n && !to->rules))
		return -ENOMEM;
	for (; to->n < from->n; to->n++) {
		const struct shim_argument_rule *x = &from->rules[to->n];
		struct shim_argument_rule *r = &to->rules[to->n];
		*r = (struct shim_argument_rule){ .glob = strdup(x->glob),
			.schema = x->schema ? strdup(x->schema) : NULL,
			.where = strdup(x->where),
			.strict = x->strict };
		if (!r->glob || !r->where || (x->schema && !r->schema)) {
			to->n++;
			return -ENOMEM;
		}
	}
	return 0;
}

/* Both names of a root, as of a grant: a client may say either. One that no grant covers does not exist inside. */
static int add_root(const struct effective_build *b, const struct profile_item *root, struct strv *ret, struct diag *d)
{
	_cleanup_free_ char *canonical = realpath(root->value, NULL);
	bool given = fs_grants_cover(&b->grants, root->value);
	bool real = canonical && fs_grants_cover(&b->grants, canonical);
	char shown[SHOWN];
	int r = 0;

	if (!given && !real && root->optional)
		return 0;
	if (!given && !real)
		return diag_fail(d, -EINVAL,
			"the root %s (%s) is not granted, so it does not exist for the server: grant it "
			"(filesystem.read, filesystem.write), or leave it out",
			text_escape_str(root->value, shown, sizeof(shown)), root->where);
	if (real)
		r = strv_add(ret, canonical);
	return r == 0 && given && (!real || strcmp(canonical, root->value) != 0) ? strv_add(ret, root->value) : r;
}

/* Roots name what the sandbox holds and nothing else; without a list in the profile: what is granted. */
static int fill_roots(const struct effective_build *b, struct strv *ret, struct diag *d)
{
	const struct profile *f = &b->e->profile;
	int r = 0;

	for (size_t i = 0; r == 0 && f->roots.set && i < f->roots.n; i++)
		r = add_root(b, &f->roots.v[i], ret, d);
	for (size_t i = 0; r == 0 && !f->roots.set && i < b->grants.n; i++) {
		r = strv_add(ret, b->grants.v[i].canonical);
		if (r == 0 && strcmp(b->grants.v[i].given, b->grants.v[i].canonical) != 0)
			r = strv_add(ret, b->grants.v[i].given);
	}
	return r;
}

static int fill_text(const struct effective_build *b, struct shim_text *ret, struct diag *d)
{
	const struct shim_text *from = &b->e->profile.text;
	int r = 0;

	ret->pass = from->pass;
	ret->sets = from->sets;
	for (size_t i = 0; r == 0 && i < from->n_patterns; i++)
		r = shim_text_add_pattern(ret, from->patterns[i].name, from->patterns[i].pattern);
	if (r == 0)
		r = secret_values_fill(&b->e->profile, &b->e->plan.envp, ret);
	if (r == -E2BIG)
		return diag_fail(d, r,
			"env.pass and env.set hold more secrets than can be looked for in what the server says (%d, "
			"%d KiB together): pass fewer variables",
			SHIM_SECRETS_MAX, SHIM_SECRETS_BYTES_MAX >> 10);
	return r;
}

int effective_step_shim(struct effective_build *b, struct diag *d)
{
	const struct profile *f = &b->e->profile;
	struct shim_config *c = &b->e->shim;
	const struct {
		enum shim_scope scope;
		const struct shim_rules *rules;
	} rows[] = { { SHIM_TOOLS, &f->tools }, { SHIM_RESOURCES, &f->resources }, { SHIM_PROMPTS, &f->prompts },
		{ SHIM_EXTENSIONS, &f->extensions } };
	char shown[128];
	int r = 0;

	c->name = strdup(b->e->name);
	if (asprintf(&c->stderr_prefix, "[%s] ", text_escape_str(b->e->name, shown, sizeof(shown))) < 0 || !c->name)
		return -ENOMEM;
	c->uid = b->e->plan.uid;
	c->gid = b->e->plan.gid;
	c->line_max = f->limit_message_client ? f->limit_message_client : f->limit_message;
	c->server_line_max = f->limit_message_server ? f->limit_message_server : f->limit_message;
	c->args = f->audit_args;
	r = fill_text(b, &c->text, d);
	if (r < 0)
		return r;
	c->scan.withhold = f->scan_withhold ? strdup(f->scan_withhold) : NULL;
	if (f->scan_withhold && !c->scan.withhold)
		return -ENOMEM;
	if (getrandom(c->salt, sizeof(c->salt), 0) != sizeof(c->salt))
		return diag_fail(d, -EIO, "no random bytes from the kernel");
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(rows); i++)
		r = shim_rules_copy(rows[i].rules, &c->scope[rows[i].scope]);
	if (r == 0)
		r = copy_arguments(&f->arguments, &c->arguments);
	if (r == 0)
		r = meters_copy(&f->meters, &c->meters);
	if (r == 0)
		r = shim_client_copy(&f->client, &c->client);
	if (r == 0)
		r = scopes_copy(&f->scopes, &c->scopes);
	return r < 0 ? r : fill_roots(b, &c->roots, d);
}
