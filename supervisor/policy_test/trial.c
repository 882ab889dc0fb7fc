/* SPDX-License-Identifier: Apache-2.0 */
/* trial - see trial.h */
#include "supervisor/policy_test/trial.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "supervisor/check_profile.h"
#include "supervisor/network.h"
#include "supervisor/policy/ceilings.h"
#include "supervisor/policy_test/trial_word.h"
#include "supervisor/signing/vouch.h"

/* --- whole plans --- */

static int draw_plan(const struct trial_args *a, const struct effective_policy *policy, const struct grants *g,
	bool digest, struct trial_side *s)
{
	const struct effective_args ea = {
		.paths = a->paths, .grants = g, .environ = a->environ, .workspace = a->workspace, .policy = policy
	};
	int r = effective_build(&ea, &s->e, &s->d);

	if (r == 0 && digest)
		r = effective_look(&s->e, &s->d);
	if (r == 0 && digest)
		r = effective_digest(a->paths, a->approvals, &s->e, &s->d);
	s->r = r;
	if (r == 0 && digest)
		r = trial_word_find(a, s);
	return r == -ENOMEM ? r : 0;
}

static int draw_plans(const struct trial_args *a, const struct grants *g, bool digest, struct trial *t)
{
	int r = draw_plan(a, NULL, g, digest, &t->now);

	t->digested = digest;
	return r < 0 ? r : draw_plan(a, a->other, g, digest, &t->then);
}

/* --- as written --- */

static int load_policy(
	const struct trial_args *a, const struct effective_policy *other, struct policy *ret, struct diag *d)
{
	return other ? policy_load_file(other->file, other->trust, a->paths->uid, ret, d) : policy_load(ret, d);
}

static void items_clear(struct profile_items *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].value);
		free(l->v[i].where);
	}
	free(l->v);
	*l = (struct profile_items){ .set = l->set };
}

static int items_take(const json_t *list, struct profile_items *ret)
{
	const json_t *v;
	size_t i;

	items_clear(ret);
	ret->v = calloc(json_array_size(list) + 1, sizeof(*ret->v));
	if (!ret->v)
		return -ENOMEM;
	json_array_foreach(list, i, v)
	{
		struct profile_item *one = &ret->v[ret->n++];
		one->value = strdup(json_is_string(v) ? json_string_value(v) : "");
		one->where = strdup("the approval");
		if (!one->value || !one->where)
			return -ENOMEM;
	}
	return 0;
}

/* As effective_network_canonical wrote it: the grant, then what of it is not the default. */
static int hosts_take(const json_t *list, struct net_config *c, struct diag *d)
{
	const json_t *v;
	size_t i;
	int r = 0;

	for (i = 0; i < c->n_grants; i++)
		network_grant_done(&c->grants[i]);
	c->n_grants = 0;
	json_array_foreach(list, i, v)
	{
		const char *text = json_string_value(v);
		_cleanup_free_ char *host = text ? strndup(text, strcspn(text, " ")) : NULL;
		struct net_grant g;
		r = host ? network_grant_parse(host, "the approval", &g, d) : -EINVAL;
		if (r < 0)
			return r;
		g.sni = g.sni && !strstr(text, " without sni");
		g.private_allowed = strstr(text, " private") != NULL;
		r = network_add(c, &g, d);
		if (r < 0)
			return r;
	}
	return 0;
}

/* What was approved, in the place of what parameters name. */
static int take_approved(const json_t *canonical, struct profile *f, struct diag *d)
{
	const json_t *files = json_object_get(canonical, "filesystem"), *net = json_object_get(canonical, "network");
	int r = items_take(json_object_get(files, "read"), &f->fs_read);

	if (r == 0)
		r = items_take(json_object_get(files, "write"), &f->fs_write);
	if (r == 0)
		r = items_take(json_object_get(canonical, "unix"), &f->unix_sockets);
	items_clear(&f->net_hosts);
	return r < 0 ? r : hosts_take(json_object_get(net, "allow"), &f->network, d);
}

/* As a launch does: the policy's, and the bundle's beside them. */
static int apply_groups(const struct trial_args *a, struct vouching *v, struct effective *e, struct diag *d)
{
	e->bundle_groups = v->bundle.groups;
	v->bundle.groups = (struct policy_groups){ 0 };
	return ceilings_apply_groups(a->paths, e, d);
}

/* ret_needs: does it need a parameter? Else nothing more is drawn. */
static int draw_written(const struct trial_args *a, const struct effective_policy *policy, const char *name,
	const json_t *canonical, struct trial_side *s, bool *ret_needs)
{
	_cleanup_vouching_ struct vouching v = { 0 };
	_cleanup_policy_ struct policy own = { 0 };
	struct effective *e = &s->e;
	int r = load_policy(a, policy, &own, &s->d);

	if (r == 0)
		r = vouching_init(a->paths, &own, &v, &s->d);
	if (r == 0)
		r = profile_load(&v, name, &e->profile, &s->d);
	*ret_needs = r < 0 || check_profile_needs(&e->profile);
	if (r == 0 && *ret_needs) {
		r = canonical ? take_approved(canonical, &e->profile, &s->d) : 0;
		r = r < 0 ? r : effective_as_written(a->paths, policy, e, &s->d);
		r = r < 0 || !canonical ? r : ceilings_apply_paths(a->paths, e, &s->d);
		r = r < 0 ? r : apply_groups(a, &v, e, &s->d);
	}
	s->r = r;
	return r == -ENOMEM ? r : 0;
}

static int draw_both_written(
	const struct trial_args *a, const char *name, const json_t *canonical, struct trial *t, bool *ret_needs)
{
	bool then_needs = false;
	int r = draw_written(a, NULL, name, canonical, &t->now, ret_needs);

	if (r == 0)
		r = draw_written(a, a->other, name, canonical, &t->then, &then_needs);
	/* What cannot be read under one of the two says nothing of parameters: the other does. */
	*ret_needs = (*ret_needs && then_needs) && (t->now.r == 0 || t->then.r == 0);
	t->written = *ret_needs;
	return r;
}

/* --- the three --- */

static int trial_new(const char *server, const struct approval *of, struct trial **ret)
{
	struct trial *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->approval = of;
	t->server = strdup(server);
	*ret = t;
	return t->server ? 0 : -ENOMEM;
}

static void side_done(struct trial_side *s)
{
	effective_done(&s->e);
	free(s->word_why);
	*s = (struct trial_side){ 0 };
}

void trial_free(struct trial *t)
{
	if (!t)
		return;
	side_done(&t->now);
	side_done(&t->then);
	free(t->server);
	free(t);
}

int trial_of_profile(const struct trial_args *a, const char *name, bool digest, struct trial **ret)
{
	const struct grants g = { .name = (char *)(uintptr_t)name };
	struct trial *t = NULL;
	bool needs = false;
	int r = trial_new(name, NULL, &t);

	if (r == 0)
		r = draw_both_written(a, name, NULL, t, &needs);
	if (r == 0 && !needs) {
		side_done(&t->now);
		side_done(&t->then);
		r = draw_plans(a, &g, digest, t);
	}
	if (r < 0)
		trial_free(t);
	else
		*ret = t;
	return r;
}

static int words_take(const json_t *list, struct strv *ret)
{
	const json_t *v;
	size_t i;
	int r = 0;

	json_array_foreach(list, i, v)
	{
		const char *text = json_string_value(v);
		r = text ? strv_add(ret, text) : -EINVAL;
		if (r < 0)
			return r;
	}
	return 0;
}

/* The command line that was approved, as far as the plan shows it. What it does not show makes another digest, and then
 * the approval is not told to stand. */
static int grants_of(const json_t *canonical, struct grants *g)
{
	const json_t *files = json_object_get(canonical, "filesystem"), *env = json_object_get(canonical, "env");
	const struct {
		const json_t *list;
		struct strv *to;
	} rows[] = {
		{ json_object_get(canonical, "argv"), &g->command },
		{ json_object_get(files, "read"), &g->read },
		{ json_object_get(files, "write"), &g->write },
		{ json_object_get(env, "set"), &g->env_set },
		{ json_object_get(env, "pass"), &g->env_pass },
		{ json_object_get(json_object_get(canonical, "network"), "allow"), &g->hosts },
	};
	const char *cwd = json_string_value(json_object_get(canonical, "cwd"));
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(rows); i++)
		r = words_take(rows[i].list, rows[i].to);
	for (size_t i = 0; i < g->hosts.n; i++)
		g->hosts.v[i][strcspn(g->hosts.v[i], " ")] = '\0';
	g->cwd = cwd ? strdup(cwd) : NULL;
	return r < 0 || g->cwd ? r : -ENOMEM;
}

int trial_of_approval(const struct trial_args *a, const struct approval *of, struct trial **ret)
{
	static const char prefix[] = "profile:";
	_cleanup_grants_ struct grants g = { 0 };
	struct trial *t = NULL;
	bool needs = false;
	int r = trial_new(of->name, of, &t);

	if (r == 0 && strncmp(of->subject, prefix, strlen(prefix)) == 0) {
		r = draw_both_written(a, of->subject + strlen(prefix), of->canonical, t, &needs);
	} else if (r == 0) {
		r = grants_of(of->canonical, &g);
		r = r < 0 ? r : draw_plans(a, &g, true, t);
	}
	if (r < 0)
		trial_free(t);
	else
		*ret = t;
	return r;
}

/* Of its command nothing but the name is known. */
static int draw_name(
	const struct trial_args *a, const struct effective_policy *policy, const char *server, struct trial_side *s)
{
	char none[] = "";
	const struct resolved unknown = { .program = none, .subject = none };
	_cleanup_vouching_ struct vouching v = { 0 };
	_cleanup_policy_ struct policy own = { 0 };
	struct effective *e = &s->e;
	int r = load_policy(a, policy, &own, &s->d);

	if (r == 0)
		r = vouching_init(a->paths, &own, &v, &s->d);
	if (r == 0)
		r = profile_init_unprofiled(&e->profile);
	if (r == 0 && !(e->profile.name = strdup(server)))
		r = -ENOMEM;
	r = r < 0 ? r : effective_as_written(a->paths, policy, e, &s->d);
	if (r == 0)
		r = policy_judge_command(&e->policy.servers, &e->profile, server, &unknown, &s->d);
	r = r < 0 ? r : apply_groups(a, &v, e, &s->d);
	s->r = r;
	return r == -ENOMEM ? r : 0;
}

int trial_of_name(const struct trial_args *a, const char *server, struct trial **ret)
{
	struct trial *t = NULL;
	int r = trial_new(server, NULL, &t);

	if (r == 0)
		r = draw_name(a, NULL, server, &t->now);
	if (r == 0)
		r = draw_name(a, a->other, server, &t->then);
	if (r < 0)
		trial_free(t);
	else
		*ret = t;
	return r;
}
