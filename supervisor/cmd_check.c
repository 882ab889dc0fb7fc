/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_check - `stockade check`: the effective sandbox in words, or one decision and the rule behind it */
#include <errno.h>
#include <string.h>
#include "base/text.h"
#include "supervisor/alerts/alert_show.h"
#include "supervisor/check_list.h"
#include "supervisor/check_matrix.h"
#include "supervisor/check_profile.h"
#include "supervisor/check_reach.h"
#include "supervisor/check_tool.h"
#include "supervisor/check_words.h"
#include "supervisor/commands.h"
#include "supervisor/consent.h"
#include "supervisor/consent/standing.h"
#include "supervisor/exit.h"
#include "supervisor/kill/kill_show.h"
#include "supervisor/output.h"
#include "supervisor/question.h"
#include "supervisor/question_words.h"
#include "supervisor/signing/vouch.h"

struct check_options {
	struct grants grants;
	bool json, names;
	char *tool, *args, *reach;
};

static const struct option_row check_rows[] = {
	{ "json", 0, OPTION_FLAG, offsetof(struct check_options, json), NULL, "JSON instead of text" },
	{ "names", 0, OPTION_FLAG, offsetof(struct check_options, names), NULL,
		"only the names of the profiles there are, one a line; of NAME: of the scopes that one may lift" },
	{ "tool", 0, OPTION_STR, offsetof(struct check_options, tool), "TOOL", "only the decision on a call of TOOL" },
	{ "args", 0, OPTION_STR, offsetof(struct check_options, args), "JSON",
		"arguments of that call, a JSON object: judged by the profile's rules on them" },
	{ "reach", 0, OPTION_STR, offsetof(struct check_options, reach), "HOST[:PORT]",
		"only the decision on a connection to HOST" },
	GRANT_OPTION_ROWS(struct check_options, grants),
	{ 0 },
};

static void check_done(void *options)
{
	grants_done(&((struct check_options *)options)->grants);
}

static void print_shown(FILE *out, const char *s)
{
	_cleanup_buf_ struct buf b = BUF_INIT(QUESTION_TEXT_MAX);

	if (s && text_escape(&b, s, strlen(s), TEXT_KEEP_BACKSLASH) == 0)
		fputs(b.data, out);
}

static void print_sentences(const char *title, const json_t *list, bool colour)
{
	const json_t *v;
	size_t i;

	if (json_array_size(list) == 0)
		return;
	printf("\n  %s%s%s\n", colour ? "\033[1m" : "", title, colour ? "\033[0m" : "");
	json_array_foreach(list, i, v)
	{
		fputs("    - ", stdout);
		print_shown(stdout, json_string_value(v));
		putchar('\n');
	}
}

static void print_mounts(const json_t *list, bool colour)
{
	const json_t *v;
	size_t i;

	printf("\n  %sEvery mount, in order; nothing else of this machine is there%s\n", colour ? "\033[1m" : "",
		colour ? "\033[0m" : "");
	json_array_foreach(list, i, v)
	{
		fputs("    ", stdout);
		print_shown(stdout, json_string_value(json_object_get(v, "target")));
		fputs("  ", stdout);
		print_shown(stdout, json_string_value(json_object_get(v, "what")));
		fputs("\n        ", stdout);
		print_shown(stdout, json_string_value(json_object_get(v, "why")));
		putchar('\n');
	}
}

static json_t *not_enforced(const struct effective *e)
{
	json_t *array = json_array();

	for (size_t i = 0; i < e->profile.not_enforced.n; i++) {
		_cleanup_free_ char *shown = question_shown(e->profile.not_enforced.v[i]);
		if (!shown || json_array_append_new(array, json_string(shown)) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *matrix_of(const struct effective *e, uint32_t lifted)
{
	const struct matrix_args a = { .tools = &e->shim.scope[SHIM_TOOLS],
		.meters = &e->shim.meters,
		.scopes = &e->shim.scopes,
		.pinned = e->pinned ? &e->pins.definitions : NULL,
		.lifted = lifted };

	return check_matrix(&a);
}

/* What it would get if it could be started. */
static json_t *killed(const struct paths *p, const char *server)
{
	_cleanup_kill_set_ struct kill_set set = { 0 };

	return kill_set_read(p, &set) < 0 ? NULL : kill_show_json(&set, server);
}

/* The question's facts and those that only check tells. */
static json_t *check_json(const struct paths *p, const struct effective *e, const char *approval, uint32_t lifted)
{
	json_t *root = question_json(e, NULL);
	int r = json_object_set_new(root, "mounts", check_mounts(e));

	r |= json_object_set_new(root, "killed", killed(p, e->name));

	r |= json_object_set_new(root, "matrix", matrix_of(e, lifted));
	r |= json_object_set_new(root, "overlaps", check_overlaps(&e->shim.scopes));

	r |= json_object_set_new(root, "binds", check_binds(e));
	r |= json_object_set_new(root, "cannot_bind", check_cannot_bind(e));
	r |= json_object_set_new(root, "not_enforced", not_enforced(e));
	r |= json_object_set_new(root, "approval", approval ? json_string(approval) : json_null());
	r |= json_object_del(root, "changes");
	if (r == 0)
		return root;
	json_decref(root);
	return NULL;
}

/* earlier: was another plan of this server approved? */
static int print_text(const json_t *root, const struct approval *approval, bool earlier, const struct effective *e)
{
	const struct question_options o = { .colour = command_colour(stdout), .all = true };
	int r = question_render(stdout, root, &o);

	if (r < 0)
		return r;
	check_matrix_print(stdout, json_object_get(root, "matrix"), e->pinned, o.colour);
	print_sentences("Scopes that overlap", json_object_get(root, "overlaps"), o.colour);
	print_mounts(json_object_get(root, "mounts"), o.colour);
	print_sentences("The digest, and so an approval, binds", json_object_get(root, "binds"), o.colour);
	print_sentences("It cannot bind", json_object_get(root, "cannot_bind"), o.colour);
	print_sentences("Not enforced by this version", json_object_get(root, "not_enforced"), o.colour);
	print_sentences("Told at once (alerts)", json_object_get(root, "alerts"), o.colour);
	kill_show_lines(stdout, json_object_get(root, "killed"), "Killed, until that is lifted");
	printf("\n  Digest %s\n", json_string_value(json_object_get(root, "digest")));
	if (json_is_true(json_object_get(root, "never_remember")))
		puts("  No answer is remembered, since it can rewrite itself: each start asks.");
	else if (approval)
		printf("  Approved (%s, through \"%s\"): it starts without a question.\n", approval->id,
			approval->channel);
	else if (e->policy.consent.by == CONSENT_BY_ADMIN)
		printf("  Not approved, and only who manages this machine can approve it: its start is refused.\n");
	else if (earlier)
		puts("  Not approved as it is now: it was before, and has changed since. The next start asks and shows "
		     "the "
		     "difference;\n  so does 'stockade approve' with the same words.");
	else
		puts("  Not approved: the first start asks.");
	return 0;
}

/* What stdout did not take command_main says. */
static int print_failed(int r, struct diag *d)
{
	return ferror(stdout) ? EXIT_REFUSED : diag_fail(d, r, "cannot print: %s", strerror(-r));
}

/* What beside the profile decides on scopes: what the server said of its tools, and the grants that run. */
static int see_scopes(const struct paths *p, struct effective *e, uint32_t *ret_lifted, struct diag *d)
{
	const struct scopes *s = &e->profile.scopes;
	int r = s->where && e->pinned ? pin_read_texts(&e->pins, d) : 0;

	*ret_lifted = 0;
	return r < 0 || !e->profile.file ? r : check_lifted(p, e->name, e->profile.file, s, ret_lifted, d);
}

static int check_plan(const struct paths *p, struct effective *e, bool json, struct diag *d)
{
	_cleanup_approvals_ struct approvals all = { 0 };
	_cleanup_approval_ struct approval a = { 0 };
	_cleanup_lineage_ struct lineage l = { 0 };
	const struct approval *approval;
	uint32_t lifted = 0;
	bool earlier;
	json_t *root, *alerts;
	int r = consent_list(p, &all, d);

	r = r < 0 ? r : effective_look(e, d);
	r = r < 0 ? r : effective_digest(p, &all, e, d);
	r = r < 0 ? r : lineage_read(&l, d);
	r = r < 0 ? r : effective_identify(p, &l, e, d);
	earlier = r == 0 && consent_earlier(&all, e->subject, e->digest);
	r = r < 0 ? r : consent_standing(p, e, &a, d);
	if (r < 0)
		return r;
	approval = r == CONSENT_APPROVED ? &a : NULL;
	r = see_scopes(p, e, &lifted, d);
	if (r < 0)
		return r;
	r = alert_show(p, &e->policy.alerts, &alerts, d);
	if (r < 0)
		return r;
	root = check_json(p, e, approval ? approval->id : NULL, lifted);
	if (json_object_set_new(root, "alerts", alerts) < 0) {
		json_decref(root);
		root = NULL;
	}
	if (json)
		return output_json(stdout, root, "what it gets");
	if (!root)
		return diag_fail(d, -ENOMEM, "out of memory");
	r = print_text(root, approval, earlier, e);
	json_decref(root);
	return r < 0 ? print_failed(r, d) : EXIT_OK;
}

static int check_call(
	const struct paths *p, const char *server, struct check_call c, const struct check_options *o, struct diag *d)
{
	_cleanup_kill_set_ struct kill_set set = { 0 };
	int r = kill_set_read(p, &set);

	if (r < 0)
		return r;
	c.tool = o->tool;
	c.args = o->args;
	c.killed = kill_set_server(&set, server);
	if (!c.killed)
		c.killed = kill_set_tool(&set, server, c.tool);
	return check_tool(stdout, &c, o->json, d);
}

/* Of a plan, or of a profile as it is written: no parameter changes these rules. */
static int check_call_of(const struct paths *p, struct effective *e, const struct check_options *o, struct diag *d)
{
	const struct profile *f = &e->profile;
	struct check_call c = { .tools = &f->tools,
		.arguments = &f->arguments,
		.meters = &f->meters,
		.pins = &e->shim.pins,
		.scopes = &f->scopes };
	int r = see_scopes(p, e, &c.lifted, d);

	if (e->pinned && f->scopes.where)
		c.pinned = &e->pins.definitions;
	r = r < 0 ? r : check_call(p, e->name ? e->name : f->name, c, o, d);
	if (r >= 0 && e->observe_until && !o->json)
		printf("Until %s this machine only observes: what the profile's own rules on names deny passes and is "
		       "recorded.\n",
			e->observe_until);
	return r;
}

static bool says_more(const struct grants *g)
{
	return g->sets.n || g->env_pass.n || g->env_set.n || g->read.n || g->write.n || g->hosts.n || g->cwd ||
	       g->command.n;
}

static int check_usage(const struct command_ctx *ctx, const struct check_options *o)
{
	if (o->names &&
		(o->json || o->tool || o->reach || ctx->rest_given || o->grants.profile_file || says_more(&o->grants)))
		return command_usage(
			ctx, "--names lists all profiles, or the scopes of NAME: nothing else goes with it");
	if (o->reach && o->tool)
		return command_usage(ctx, "--reach asks for one decision: nothing else is asked with it");
	if (o->args && !o->tool)
		return command_usage(ctx, "--args are arguments of a tool: name it with --tool");
	return !o->args || check_tool_takes(o->args)
		       ? EXIT_OK
		       : command_usage(ctx, "--args takes one JSON object, as in --args '{\"path\": \"/tmp\"}'");
}

/* What cannot be asked is bad usage, and no plan that cannot be built. */
static int reach(const struct net_config *c, const struct check_options *o, struct diag *d)
{
	int r = check_reach(stdout, c, o->reach, o->json, d);

	if (r != -EINVAL)
		return r;
	command_error("%s", d->text);
	return EXIT_USAGE;
}

static int check_written(const struct paths *p, struct effective *e, bool json, struct diag *d)
{
	uint32_t lifted;
	int r = see_scopes(p, e, &lifted, d);

	if (r < 0)
		return r;
	r = check_profile_print(stdout, e, lifted, json);
	return r < 0 ? print_failed(r, d) : EXIT_OK;
}

/* 1: a profile that needs a parameter, and none is given: described as it is written. Whoever gives some means a plan.
 */
static int check_bare_profile(const struct paths *p, const struct check_options *o, int *ret_status, struct diag *d)
{
	const char *from = o->grants.profile_file ? o->grants.profile_file : o->grants.name;
	_cleanup_effective_ struct effective e = { 0 };
	_cleanup_vouching_ struct vouching v = { 0 };
	int r;

	/* What is wrong with it the plan says. */
	if (!from || says_more(&o->grants) || vouching_load(p, &v, d) < 0 ||
		profile_load(&v, from, &e.profile, d) < 0 || !check_profile_needs(&e.profile))
		return 0;
	r = effective_as_written(p, NULL, &e, d);
	if (r == 0)
		r = o->tool    ? check_call_of(p, &e, o, d)
		    : o->reach ? reach(&e.profile.network, o, d)
			       : check_written(p, &e, o->json, d);
	*ret_status = r;
	return r < 0 ? r : 1;
}

/* No word of a plan: which there are to choose from. */
static int list_names(const struct command_ctx *ctx, const struct check_options *o)
{
	_cleanup_paths_ struct paths p = { 0 };
	struct diag d = { "out of memory" };
	int r = paths_init(&p, &d);

	if (r == 0 && ctx->args.n)
		r = check_list_scopes(stdout, &p, ctx->args.v[0], &d);
	else if (r == 0)
		r = check_list_print(stdout, &p, o->names, o->json, &d);
	if (r >= 0)
		return r;
	return command_refuse(&d, r);
}

static bool says_nothing(const struct command_ctx *ctx, const struct check_options *o)
{
	return !ctx->args.n && !ctx->rest_given && !o->tool && !o->reach && !o->grants.profile_file &&
	       !says_more(&o->grants);
}

/* Who has a policy asks whoever manages the machine. */
static void say_hint(const struct paths *p, const struct effective *e)
{
	_cleanup_free_ char *hint = NULL;

	if (!e->policy.file && freshness_hint(p, &e->profile, &e->moments, &hint) == 0 && hint)
		command_error("%s", hint);
}

static int check_run(const struct command_ctx *ctx)
{
	struct check_options *o = ctx->options;
	_cleanup_effective_ struct effective e = { .exit_hint = EXIT_REFUSED };
	_cleanup_paths_ struct paths p = { 0 };
	struct diag d = { "out of memory" };
	int status = check_usage(ctx, o), r;

	if (status == EXIT_OK && (o->names || says_nothing(ctx, o)))
		return list_names(ctx, o);
	status = status == EXIT_OK ? command_take_grants(ctx, &o->grants) : status;
	if (status != EXIT_OK)
		return status;
	r = paths_init(&p, &d);
	r = r < 0 ? r : check_bare_profile(&p, o, &status, &d);
	if (r == 1)
		return status;
	r = r < 0 ? r : command_build_plan(ctx, &p, &o->grants, &e, &d);
	if (r == 0)
		r = o->tool    ? check_call_of(&p, &e, o, &d)
		    : o->reach ? reach(&e.profile.network, o, &d)
			       : check_plan(&p, &e, o->json, &d);
	if (r >= 0)
		return r;
	command_error("%s", d.text);
	say_hint(&p, &e);
	return e.exit_hint ? e.exit_hint : EXIT_REFUSED;
}

const struct command_row cmd_check = {
	.name = "check",
	.synopsis = "[--json]\n"
		    "--names [NAME]\n"
		    "[--json] [--tool TOOL [--args JSON] | --reach HOST[:PORT]] [--set P=V]... NAME|FILE\n"
		    "[--json] [--tool TOOL [--args JSON] | --reach HOST[:PORT]] [GRANT]... -- COMMAND [ARG]...",
	.summary = "which profiles there are, what one comes to here, or one decision",
	.details =
		"Without a word: lists the profiles, where each lies and whether an approval of it is remembered. Else "
		"says what a server would get here and now: every grant, every mount, what an approval binds and "
		"what it cannot, and which\n"
		"defaults this version does not enforce yet. Nothing is started. With --tool: whether a call would "
		"pass, and by which rule;\n"
		"exit status 0 allowed, 1 denied.",
	.options = check_rows,
	.options_size = sizeof(struct check_options),
	.options_done = check_done,
	.max_args = 1,
	.rest = true,
	.run = check_run,
};
