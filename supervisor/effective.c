/* SPDX-License-Identifier: Apache-2.0 */
/*
 * effective - see effective.h
 *
 * Theory: the steps below run in the order of the table; each fills its part of the struct from those before it and
 * from nothing else. A step that fails names the rule; nothing is started from a half-built description.
 */
#include "supervisor/effective.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/fs.h"
#include "base/landlock.h"
#include "base/text.h"
#include "supervisor/effective_grants.h"
#include "supervisor/effective_hints.h"
#include "supervisor/effective_lines.h"
#include "supervisor/effective_network.h"
#include "supervisor/effective_scopes.h"
#include "supervisor/effective_steps.h"
#include "supervisor/environment.h"
#include "supervisor/exit.h"
#include "supervisor/filesystem.h"
#include "supervisor/identity.h"
#include "supervisor/pin_others.h"
#include "supervisor/policy/ceilings.h"
#include "supervisor/policy/observe.h"
#include "supervisor/signing/usable.h"

/* --- profile and command line --- */

static int find_home(const struct paths *p, char **ret, struct diag *d)
{
	char shown[SHOWN];
	int r = ceilings_home(p, ret);

	if (r < 0 || *ret)
		return r;
	return diag_fail(d, -EPERM,
		"the home of user %s is not known, and a profile of this machine's is not taken to wherever HOME says "
		"(%s): "
		"/etc/passwd does not name the user, and that directory lies in none of root's; set HOME to the user's "
		"home",
		p->user, text_escape_str(p->home, shown, sizeof(shown)));
}

static int step_profile(struct effective_build *b, struct diag *d)
{
	const struct grants *g = b->args->grants;
	const char *from = g->profile_file ? g->profile_file : g->name;
	struct profile_args pa = { .paths = b->args->paths, .sets = &g->sets, .workspace = b->args->workspace };
	_cleanup_free_ char *home = NULL;
	int r;

	r = usable_load(&b->vouching, from, &b->e->profile, &b->e->fresh, d);
	b->e->moments = b->vouching.moments;
	/* Where a policy is present, HOME turns the grants of its profiles nowhere else. */
	if (r == 0 && b->e->policy.file && b->e->profile.managed)
		r = find_home(b->args->paths, &home, d);
	pa.home = home;
	if (r == 0)
		r = profile_expand(&b->e->profile, &pa, d);
	if (r == 0)
		effective_scopes_forbid(&b->e->policy, &b->e->profile.scopes);
	return r;
}

static int step_line(struct effective_build *b, struct diag *d)
{
	struct effective *e = b->e;
	int r = effective_take_grants(b->args, &e->profile, d);

	e->added = effective_added(b->args->grants);
	if (r == -EINVAL || r == -EEXIST)
		e->exit_hint = EXIT_USAGE;
	return r < 0 ? r : ceilings_apply(b->args->paths, e, d);
}

static int step_provide(struct effective_build *b, struct diag *d)
{
	int r = effective_network_provide(b->e, d);

	return r < 0 ? r : observe_apply(b->e, d);
}

static int step_policy(struct effective_build *b, struct diag *d)
{
	const struct effective_policy *other = b->args->policy;
	int r = b->args->trial ? 0
		: other	       ? policy_load_file(other->file, other->trust, b->args->paths->uid, &b->e->policy, d)
			       : policy_load(&b->e->policy, d);

	if (r == 0)
		r = vouching_init(b->args->paths, &b->e->policy, &b->vouching, d);
	b->e->moments = b->vouching.moments;
	b->e->bundle_version = r == 0 ? b->vouching.bundle.version : 0;
	b->e->bundle_groups = b->vouching.bundle.groups;
	b->vouching.bundle.groups = (struct policy_groups){ 0 };
	kill_bundle_take(&b->e->bundle_kills, &b->vouching.kills);
	if (r == 0 && *b->vouching.bundle.warning) {
		b->e->bundle_warning = strdup(b->vouching.bundle.warning);
		r = b->e->bundle_warning ? 0 : -ENOMEM;
	}
	return r < 0 ? r : policy_judge_layers(&b->e->policy.consent, landlock_abi(), d);
}

/* --- command --- */

static int step_cwd(struct effective_build *b, struct diag *d)
{
	const struct profile *f = &b->e->profile;
	const char *ws = b->args->workspace, *cwd = b->args->paths->home;

	/* A profile without cwd means the same wherever the client, or the terminal of `approve`, was started. */
	if (f->cwd.value)
		cwd = f->cwd.value;
	else if (!f->file && ws && fs_grants_cover(&b->grants, ws))
		cwd = ws;
	b->e->plan.cwd = strdup(cwd);
	return b->e->plan.cwd ? 0 : -ENOMEM;
}

static int step_grants(struct effective_build *b, struct diag *d)
{
	int r = fs_grants_open(b->args->paths, &b->e->profile, &b->grants, d);

	return r < 0 ? r : ceilings_check_opened(b->args->paths, b->e, &b->grants, d);
}

/* What a person calls it: the package where the file lies in one, since half of all servers are an index.js. Borrowed.
 */
static const char *short_name(const char *subject, size_t *n)
{
	const char *from = subject, *at, *slash;

	for (at = subject; (at = strstr(at, "/node_modules/")); at++)
		from = at + strlen("/node_modules/");
	if (from != subject) {
		slash = from[0] == '@' ? strchr(from, '/') : NULL;
		from = slash ? slash + 1 : from;
		*n = strcspn(from, "/");
		return from;
	}
	slash = strrchr(subject, '/');
	from = slash && slash[1] ? slash + 1 : subject;
	*n = strlen(from);
	return from;
}

static int name_profile(struct effective *e)
{
	if (asprintf(&e->subject, "profile:%s", e->name) >= 0)
		return 0;
	e->subject = NULL;
	return -ENOMEM;
}

static int name_launch(struct effective *e)
{
	size_t n;
	const char *name = short_name(e->cmd.subject, &n);

	e->name = e->profile.name && *e->profile.name ? strdup(e->profile.name) : strndup(name, n);
	/* A profile's earlier approval is the profile's; without one it is the program's. */
	if (e->profile.file)
		return e->name ? name_profile(e) : -ENOMEM;
	e->subject = strdup(e->cmd.subject);
	return e->name && e->subject ? 0 : -ENOMEM;
}

/* Where nobody is asked, nobody sees which program a PATH has chosen: it is that of the system, where that has one. */
static int resolve(struct effective_build *b, const struct strv *words, const char *path, struct diag *d)
{
	static const char system_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	struct effective *e = b->e;
	int r;

	if (e->policy.consent.by != CONSENT_BY_ASK && e->profile.managed) {
		r = resolve_command(b->args->paths, words, system_path, e->plan.cwd, &e->cmd, d);
		if (r != -ENOENT && r != -EACCES)
			return r;
		resolved_done(&e->cmd);
		e->by_path = true;
	}
	return resolve_command(b->args->paths, words, path, e->plan.cwd, &e->cmd, d);
}

static int step_command(struct effective_build *b, struct diag *d)
{
	struct effective *e = b->e;
	_cleanup_strv_ struct strv words = { 0 };
	const char *path = environment_get(b->args->environ, "PATH");
	int r = 0;

	for (size_t i = 0; r == 0 && i < e->profile.command.n; i++)
		r = strv_add(&words, e->profile.command.v[i].value);
	if (r < 0 || words.n == 0)
		return diag_fail(d, -EINVAL, "there is no command to start");
	r = resolve_refuse_fetcher(&words, d);
	if (r == -EPERM)
		effective_hint_profile(b->args->paths, &b->vouching.bundle, &words, d);
	if (r == 0)
		r = resolve(b, &words, path, d);
	if (r == -ENOENT)
		effective_hint_program(&e->profile, words.v[0], path, d);
	if (r < 0) {
		e->exit_hint = r == -ENOENT		       ? EXIT_NOT_FOUND
			       : r == -EACCES || r == -ENOEXEC ? EXIT_NOT_EXECUTABLE
							       : EXIT_REFUSED;
		return r;
	}
	r = name_launch(e);
	if (r == 0)
		r = policy_judge_command(&e->policy.servers, &e->profile, e->name, &e->cmd, d);
	return r < 0 ? r : ceilings_apply_groups(b->args->paths, e, d);
}

/* --- pins --- */

/* Of a profile in the bundle they are there too, and nowhere else. */
static int load_bundled_pins(struct effective_build *b, struct diag *d)
{
	struct effective *e = b->e;
	const struct bundle_file *in = bundle_pins(&b->vouching.bundle, e->profile.pins);
	struct diag why = { "" };
	int r;

	if (!in && b->args->grants && b->args->grants->writes_pins)
		return PIN_NONE;
	if (!in)
		return diag_fail(d, -ENOENT,
			"%s names the pins '%s', and the bundle has none of that name, so nothing is started: whoever "
			"ships it has to put them in",
			e->profile.file, e->profile.pins);
	r = vouching_take(&b->vouching, in, e->name, &e->pins_vouched, &why);
	if (r < 0)
		return diag_fail(
			d, r, "the pins %s cannot be used, so nothing is started: %.1500s", in->where, why.text);
	return pin_load_bytes(in->where, &in->verified.bytes, e->subject, &e->pins, d);
}

/* Those that the profile names hold alone: whoever wrote the rules has looked at what they are about. They are signed
 * as the profile is. */
static int load_shipped_pins(struct effective_build *b, struct diag *d)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(PIN_FILE_MAX);
	_cleanup_free_ char *path = NULL;
	struct vouching_file file = { .server = b->e->name, .max = PIN_FILE_MAX };
	struct diag why = { "" };
	char shown[256];
	int r;

	if (b->e->profile.bundled)
		return load_bundled_pins(b, d);
	r = profile_pins_path(&b->e->profile, &path, &file.trust);
	if (r < 0)
		return r;
	file.path = path;
	text_escape_str(path, shown, sizeof(shown));
	r = vouching_read(&b->vouching, &file, &b->e->pins_vouched, &bytes, &why);
	if (r == 0)
		return pin_load_bytes(path, &bytes, b->e->subject, &b->e->pins, d);
	if (r != -ENOENT)
		return diag_fail(
			d, r, "the pin file %s cannot be used, so nothing is started: %.1500s", shown, why.text);
	if (b->args->grants && b->args->grants->writes_pins)
		return PIN_NONE;
	return diag_fail(d, r,
		"the profile names the pin file %s, and there is none, so nothing is started: whoever wrote the "
		"profile writes it with 'stockade pin -o %s'",
		shown, shown);
}

/* What was approved of the server's own words. It is an approval of its own, so it is no part of the plan. */
static int step_pins(struct effective_build *b, struct diag *d)
{
	struct effective *e = b->e;
	char shown[128];
	char *where;
	int r = e->profile.pins ? load_shipped_pins(b, d) : pin_load(b->args->paths, e->name, e->subject, &e->pins, d);

	if (r >= 0) {
		int others =
			pin_other_names(b->args->paths, e->name, e->subject, &e->shim.scan.others, &e->others_cut, d);
		r = others < 0 ? others : r;
	}
	if (r == PIN_NONE)
		return 0;
	if (r < 0)
		return r;
	e->pinned = true;
	if (asprintf(&where, "the pins of '%s'", text_escape_str(e->name, shown, sizeof(shown))) < 0)
		return -ENOMEM;
	return pin_to_shim(&e->pins, where, &e->shim.pins);
}

static int as_written(struct effective_build *b, struct diag *d)
{
	struct effective *e = b->e;
	int r = step_policy(b, d);

	if (r < 0)
		return r;
	r = freshness_check(b->args->paths, &e->profile, &e->moments, &e->fresh, d);
	if (r < 0)
		return r;
	effective_scopes_forbid(&e->policy, &e->profile.scopes);
	r = policy_judge_profile(&e->policy.servers, &e->profile, d);
	r = r < 0 ? r : ceilings_apply_rules(e, d);
	r = r < 0 ? r : effective_network_provide(e, d);
	r = r < 0 ? r : observe_apply(e, d);
	e->name = r == 0 && e->profile.name ? strdup(e->profile.name) : NULL;
	if (r == 0)
		r = e->name ? name_profile(e) : -ENOMEM;
	return r < 0 ? r : step_pins(b, d);
}

int effective_as_written(
	const struct paths *p, const struct effective_policy *policy, struct effective *e, struct diag *d)
{
	const struct effective_args a = { .paths = p, .policy = policy };
	struct effective_build b = { .args = &a, .e = e };
	int r = as_written(&b, d);

	vouching_done(&b.vouching);
	return r;
}

static int step_words(struct effective_build *b, struct diag *d)
{
	int r = effective_add_lines(b->args->paths, b->e, &b->grants);

	if (r == 0)
		r = effective_canonical(b->e, &b->grants, b->args->environ);
	if (r == -EILSEQ)
		return diag_fail(d, r,
			"the command, a path or a value holds bytes that are not UTF-8: it could not be shown as it "
			"is, so it is not started");
	return r;
}

static int step_identity(struct effective_build *b, struct diag *d)
{
	return identity_find(b->args->paths, &b->identity, d);
}

typedef int step_fn(struct effective_build *b, struct diag *d);

static step_fn *const steps[] = { step_policy, step_profile, step_line, step_provide, step_identity, step_grants,
	step_cwd, step_command, effective_step_plan, effective_step_shim, step_pins, step_words };

int effective_build(const struct effective_args *a, struct effective *ret, struct diag *d)
{
	struct effective_build b = { .args = a, .e = ret };
	int r = 0;

	*ret = (struct effective){ .exit_hint = EXIT_REFUSED };
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(steps); i++) {
		/* What an earlier one has left there, and did not need, is not why this one fails. */
		diag_set(d, "%s", "");
		r = steps[i](&b, d);
	}
	vouching_done(&b.vouching);
	if (r == 0)
		ret->grants = b.grants;
	else
		fs_grants_done(&b.grants);
	if (r < 0 && d && !d->text[0])
		diag_set(d, "cannot prepare the launch: %s", strerror(-r));
	return r;
}

static void forget_client(struct effective *e)
{
	client_done(&e->client);
	free(e->client_refused);
	e->client_refused = NULL;
	e->client_rule = NULL;
}

int effective_identify(const struct paths *p, const struct lineage *l, struct effective *e, struct diag *d)
{
	const struct client_options o = { .anew = client_rules_need_anew(&e->policy.clients) };
	int r;

	forget_client(e);
	r = client_identify(p, l, &o, &e->client);
	if (r < 0)
		return diag_fail(d, r, "cannot find out which client started this: %s", strerror(-r));
	r = client_rules_check(&e->policy.clients, &e->client, &e->client_rule, d);
	if (r != -EPERM)
		return r;
	e->client_refused = strdup(d->text);
	return e->client_refused ? 0 : -ENOMEM;
}

void effective_done(struct effective *e)
{
	forget_client(e);
	free(e->ungranted);
	free(e->home_code);
	free(e->named_code);
	free(e->bundle_warning);
	policy_groups_done(&e->bundle_groups);
	kill_bundle_done(&e->bundle_kills);
	policy_done(&e->policy);
	profile_done(&e->profile);
	freshness_done(&e->fresh);
	vouched_done(&e->pins_vouched);
	resolved_done(&e->cmd);
	free(e->name);
	free(e->subject);
	for (size_t i = 0; i < e->n_lines; i++) {
		free(e->lines[i].text);
		free(e->lines[i].where);
	}
	free(e->lines);
	json_decref(e->canonical);
	plan_done(&e->plan);
	shim_config_done(&e->shim);
	pin_set_done(&e->pins);
	fs_grants_done(&e->grants);
	*e = (struct effective){ 0 };
}
