/* SPDX-License-Identifier: Apache-2.0 */
/*
 * effective - see effective.h
 *
 * Theory: the steps below run in the order of the table; each fills its part of the struct from those before it and
 * from nothing else. A step that fails names the rule; nothing is started from a half-built description.
 */
#include "supervisor/effective.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include "base/fs.h"
#include "base/landlock.h"
#include "base/text.h"
#include "supervisor/base_view.h"
#include "supervisor/effective_grants.h"
#include "supervisor/effective_hints.h"
#include "supervisor/effective_lines.h"
#include "supervisor/effective_network.h"
#include "supervisor/effective_scopes.h"
#include "supervisor/environment.h"
#include "supervisor/exit.h"
#include "supervisor/filesystem.h"
#include "supervisor/identity.h"
#include "supervisor/pin_others.h"
#include "supervisor/policy/ceilings.h"
#include "supervisor/policy/observe.h"
#include "supervisor/private_home.h"
#include "supervisor/secret_values.h"
#include "supervisor/signing/usable.h"
#include "supervisor/trust.h"

enum { SHOWN = 512, ROOT_TMPFS_BYTES = 4 << 20 };

struct build {
	const struct effective_args *args;
	struct effective *e;
	struct vouching vouching;
	struct identity identity;
	struct fs_grants grants;
	size_t base_mounts;
};

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

static int step_profile(struct build *b, struct diag *d)
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

static int step_line(struct build *b, struct diag *d)
{
	struct effective *e = b->e;
	int r = effective_take_grants(b->args, &e->profile, d);

	e->added = effective_added(b->args->grants);
	if (r == -EINVAL || r == -EEXIST)
		e->exit_hint = EXIT_USAGE;
	return r < 0 ? r : ceilings_apply(b->args->paths, e, d);
}

static int step_provide(struct build *b, struct diag *d)
{
	int r = effective_network_provide(b->e, d);

	return r < 0 ? r : observe_apply(b->e, d);
}

static int step_policy(struct build *b, struct diag *d)
{
	const struct effective_policy *other = b->args->policy;
	int r = b->args->trial ? 0
		: other	       ? policy_load_file(other->file, other->trust, b->args->paths->uid, &b->e->policy, d)
			       : policy_load(&b->e->policy, d);

	if (r == 0)
		r = vouching_init(b->args->paths, &b->e->policy, &b->vouching, d);
	b->e->moments = b->vouching.moments;
	b->e->bundle_groups = b->vouching.bundle.groups;
	b->vouching.bundle.groups = (struct policy_groups){ 0 };
	if (r == 0 && *b->vouching.bundle.warning) {
		b->e->bundle_warning = strdup(b->vouching.bundle.warning);
		r = b->e->bundle_warning ? 0 : -ENOMEM;
	}
	return r < 0 ? r : policy_judge_layers(&b->e->policy.consent, landlock_abi(), d);
}

/* --- command --- */

static int step_cwd(struct build *b, struct diag *d)
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

static int step_grants(struct build *b, struct diag *d)
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
static int resolve(struct build *b, const struct strv *words, const char *path, struct diag *d)
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

static int step_command(struct build *b, struct diag *d)
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

/* --- plan --- */

/* The server's own /tmp is empty but for the ways to what is mounted there. */
static bool exists_in_tmp(const struct plan *p, const char *path)
{
	bool found = strcmp(path, "/tmp") == 0;

	for (size_t i = 0; !found && i < p->n_mounts && fs_path_within(path, "/tmp"); i++)
		found = fs_path_within(p->mounts[i].target, path);
	return found;
}

/* The working directory must exist inside: covered by a grant, by code, by the base view, or the home. */
static int check_cwd(const struct build *b, struct diag *d)
{
	const struct effective *e = b->e;
	char shown[SHOWN];

	if (strcmp(e->plan.cwd, b->args->paths->home) == 0 || strcmp(e->plan.cwd, "/") == 0 ||
		exists_in_tmp(&e->plan, e->plan.cwd) || fs_grants_cover(&b->grants, e->plan.cwd) ||
		base_view_covers(e->plan.cwd))
		return 0;
	for (size_t i = 0; i < e->cmd.n_trees; i++)
		if (fs_path_within(e->plan.cwd, e->cmd.trees[i].path))
			return 0;
	return diag_fail(d, -ENOENT,
		"the working directory %s (%s) is not granted, so it does not exist for the server: grant it, or name "
		"another",
		text_escape_str(e->plan.cwd, shown, sizeof(shown)),
		e->profile.cwd.where ? e->profile.cwd.where : "default");
}

/* Started by root, the server's user may not be able to read what was granted: said now, not by an empty answer later.
 */
static int check_readable(const struct build *b, struct diag *d)
{
	char shown[SHOWN];

	for (size_t i = 0; b->identity.drop_root && i < b->grants.n; i++) {
		const struct fs_grant *g = &b->grants.v[i];
		_cleanup_close_ int fd = open(g->canonical, O_PATH | O_CLOEXEC);
		if (fd < 0 || identity_may_read(&b->identity, fd, g->write) < 0)
			return diag_fail(d, -EACCES,
				"%s (%s) cannot be %s by the user " IDENTITY_USER
				", as whom servers run when root starts them: change its owner or mode",
				text_escape_str(g->canonical, shown, sizeof(shown)), g->where,
				g->write ? "written" : "read");
	}
	return 0;
}

static int add_unix_sockets(struct build *b, struct diag *d)
{
	const struct profile_items *u = &b->e->profile.unix_sockets;
	char shown[SHOWN];

	b->e->plan.allow_unix = u->n > 0;
	for (size_t i = 0; i < u->n; i++) {
		struct plan_mount m = {
			.kind = PLAN_BIND, .flags = PLAN_WRITE, .source = u->v[i].value, .target = u->v[i].value
		};
		int r = fs_identify(u->v[i].value, &m);
		if (r == -ENOENT && u->v[i].optional)
			continue;
		if (r < 0 || m.type != S_IFSOCK)
			return diag_fail(d, r < 0 ? r : -ENOTSOCK, "cannot grant the socket %s (%s): %s",
				text_escape_str(u->v[i].value, shown, sizeof(shown)), u->v[i].where,
				r < 0 ? strerror(-r) : "it is not a socket");
		r = plan_add_mount(&b->e->plan, &m);
		if (r < 0)
			return r;
	}
	return 0;
}

static int fill_identity(struct build *b)
{
	struct plan *p = &b->e->plan;

	p->uid = b->identity.uid;
	p->gid = b->identity.gid;
	p->drop_root = b->identity.drop_root;
	p->name = strdup(b->e->name);
	p->exec_path = strdup(b->e->cmd.program);
	p->hostname = strdup("stockade");
	p->seccomp = strdup(b->e->profile.seccomp);
	p->root_size = ROOT_TMPFS_BYTES;
	p->limits = (struct plan_limits){ b->e->profile.limit_processes, b->e->profile.limit_files,
		b->e->profile.limit_memory };
	if (!p->name || !p->exec_path || !p->hostname || !p->seccomp)
		return -ENOMEM;
	return strv_extend(&p->argv, b->e->cmd.argv.v, b->e->cmd.argv.n);
}

static int step_plan(struct build *b, struct diag *d)
{
	struct effective *e = b->e;
	const struct paths *paths = b->args->paths;
	struct base_view_args base = { .paths = paths,
		.tmp_size = e->profile.tmp_size,
		.user = b->identity.login,
		.uid = b->identity.uid,
		.gid = b->identity.gid,
		.home = paths->home,
		.name_server = effective_network_stub(&e->profile) };
	struct environment_args env = { .paths = paths,
		.environ = b->args->environ,
		.profile = &e->profile,
		.path = &e->cmd.path,
		.login = b->identity.login,
		.trusted = effective_network_trusts(e) };
	int r = check_readable(b, d);

	if (r == 0)
		r = fill_identity(b);
	if (r == 0)
		r = effective_network_plan(e, d);
	if (r == 0)
		r = base_view_add(&e->plan, &base, d);
	if (r == 0 && env.trusted)
		r = trust_add(&e->plan, &e->policy, d);
	if (r == 0 && e->profile.home == HOME_PRIVATE)
		r = private_home_add(paths, &b->identity, e->name, &e->plan, d);
	if (r < 0)
		return r;
	b->base_mounts = e->plan.n_mounts;
	r = fs_grants_mount(&b->grants, &e->cmd, &e->plan, d);
	if (r == 0)
		r = add_unix_sockets(b, d);
	if (r == 0)
		r = ceilings_check_sockets(paths, e, d);
	if (r == 0)
		r = fs_grants_guard(&b->grants, &e->profile, &e->plan, d);
	if (r < 0)
		return r;
	fs_sort_mounts(&e->plan, b->base_mounts);
	if (e->profile.home == HOME_PRIVATE)
		r = private_home_places(paths, &b->identity, e->name, &e->plan, b->base_mounts, d);
	if (r == 0)
		r = check_cwd(b, d);
	return r < 0 ? r : environment_build(&env, &e->plan.envp);
}

/* --- shim --- */

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
static int add_root(const struct build *b, const struct profile_item *root, struct strv *ret, struct diag *d)
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
static int fill_roots(const struct build *b, struct strv *ret, struct diag *d)
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

static int fill_text(const struct build *b, struct shim_text *ret, struct diag *d)
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

static int step_shim(struct build *b, struct diag *d)
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

/* Of a profile in the bundle they are there too, and nowhere else. */
static int load_bundled_pins(struct build *b, struct diag *d)
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
static int load_shipped_pins(struct build *b, struct diag *d)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(PIN_FILE_MAX);
	_cleanup_free_ char *path = NULL;
	enum fs_trust trust;
	struct diag why = { "" };
	char shown[256];
	int r;

	if (b->e->profile.bundled)
		return load_bundled_pins(b, d);
	r = profile_pins_path(&b->e->profile, &path, &trust);
	if (r < 0)
		return r;
	text_escape_str(path, shown, sizeof(shown));
	r = vouching_read(&b->vouching, path, trust, PIN_FILE_MAX, b->e->name, &b->e->pins_vouched, &bytes, &why);
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
static int step_pins(struct build *b, struct diag *d)
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

static int as_written(struct build *b, struct diag *d)
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
	struct build b = { .args = &a, .e = e };
	int r = as_written(&b, d);

	vouching_done(&b.vouching);
	return r;
}

static int step_words(struct build *b, struct diag *d)
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

static int step_identity(struct build *b, struct diag *d)
{
	return identity_find(b->args->paths, &b->identity, d);
}

typedef int step_fn(struct build *b, struct diag *d);

static step_fn *const steps[] = { step_policy, step_profile, step_line, step_provide, step_identity, step_grants,
	step_cwd, step_command, step_plan, step_shim, step_pins, step_words };

int effective_build(const struct effective_args *a, struct effective *ret, struct diag *d)
{
	struct build b = { .args = a, .e = ret };
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
	free(e->bundle_warning);
	policy_groups_done(&e->bundle_groups);
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
