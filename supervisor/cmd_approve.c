/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_approve - `stockade approve`: answers what waits, or asks here about a plan and remembers the answer */
#include <errno.h>
#include <string.h>
#include "base/parse.h"
#include "base/text.h"
#include "supervisor/approve_waiting.h"
#include "supervisor/canonical.h"
#include "supervisor/commands.h"
#include "supervisor/consent/admin.h"
#include "supervisor/consent/standing.h"
#include "supervisor/exit.h"
#include "supervisor/question.h"

struct approve_options {
	struct grants grants;
	bool all, json, print_digest;
	char *digest;
};

static const struct option_row approve_rows[] = {
	{ "all", 0, OPTION_FLAG, offsetof(struct approve_options, all), NULL,
		"everything that waits on one page, one question" },
	{ "json", 0, OPTION_FLAG, offsetof(struct approve_options, json), NULL,
		"list what waits as a JSON array; nothing is asked" },
	{ "print-digest", 0, OPTION_FLAG, offsetof(struct approve_options, print_digest), NULL,
		"the question on stderr, the digest alone on stdout; nothing is asked" },
	{ "digest", 0, OPTION_STR, offsetof(struct approve_options, digest), "D",
		"approve exactly the plan with digest D without asking" },
	GRANT_OPTION_ROWS(struct approve_options, grants),
	{ 0 },
};

static void approve_done(void *options)
{
	grants_done(&((struct approve_options *)options)->grants);
}

static bool names_plan(const struct command_ctx *ctx)
{
	const struct approve_options *o = ctx->options;

	return ctx->args.n > 0 || ctx->rest_given || o->grants.profile_file;
}

static int show(const struct approvals *all, const struct effective *e, struct diag *d)
{
	const struct approval *earlier = consent_earlier(all, e->subject, e->digest);
	struct question_options o = { .colour = command_colour(stderr),
		.width = consent_width(),
		.earlier = earlier ? earlier->canonical : NULL };
	int r = question_print(stderr, e, &o);

	return r < 0 ? diag_fail(d, r, "cannot show the question: %s", strerror(-r)) : 0;
}

/* Remembered first; what waits for this very plan may then go on. */
static int remember(
	const struct paths *p, const struct effective *e, const char *channel, const struct lineage *l, struct diag *d)
{
	char name[256];
	int r = consent_remember(p, e, channel, l, d);

	if (r == 0)
		r = pending_answer(p, e->digest, true, d);
	if (r < 0)
		return r;
	fprintf(stderr, "%s: approved.\n", text_escape_str(e->name, name, sizeof(name)));
	return EXIT_OK;
}

static int by_digest(
	const struct paths *p, const struct effective *e, const char *digest, const struct lineage *l, struct diag *d)
{
	int r = policy_judge_channel(&e->policy.consent, "digest", e->name, d);

	if (r < 0)
		return r;
	if (strcmp(digest, e->digest) != 0)
		return diag_fail(d, -EPERM,
			"the plan is not the one that was named, nothing was approved: its digest is %s, --digest says "
			"%s%s",
			e->digest, digest,
			admin_here(&e->policy.consent)
				? ". The plan is that of root's own launch: to approve a user's, "
				  "leave the name out ('stockade approve --digest D')"
				: "");
	return remember(p, e, "digest", l, d);
}

static int by_question(const struct paths *p, const struct approvals *all, const struct effective *e,
	const struct lineage *l, struct diag *d)
{
	_cleanup_approval_ struct approval a = { 0 };
	char name[256];
	int r;

	text_escape_str(e->name, name, sizeof(name));
	if (e->never_remember)
		return diag_fail(d, -EPERM,
			"%s can rewrite its own code, so an answer is never remembered: it is asked at each start",
			name);
	r = e->granted ? 0 : policy_judge_channel(&e->policy.consent, "approve", e->name, d);
	if (r == 0)
		r = consent_standing(p, e, &a, d);
	if (r < 0)
		return r;
	if (r == CONSENT_APPROVED) {
		fprintf(stderr, "%s is approved already (%s, through \"%s\").\n", name, a.id, a.channel);
		return EXIT_OK;
	}
	r = consent_ask_terminal(all, e, d);
	if (r == CONSENT_APPROVED)
		return remember(p, e, "approve", l, d);
	if (r >= 0)
		r = pending_answer(p, e->digest, false, d);
	if (r < 0)
		return r;
	fprintf(stderr, "%s: refused.\n", name);
	return EXIT_REFUSED;
}

static int plan_status(const struct command_ctx *ctx, const struct paths *p, const struct approvals *all,
	const struct effective *e, const struct lineage *l, struct diag *d)
{
	const struct approve_options *o = ctx->options;
	int r;

	if (o->digest)
		return by_digest(p, e, o->digest, l, d);
	if (!o->print_digest)
		return by_question(p, all, e, l, d);
	r = show(all, e, d);
	if (r < 0)
		return r;
	puts(e->digest);
	return EXIT_OK;
}

static int approve_plan(const struct command_ctx *ctx, const struct paths *p, const struct lineage *l)
{
	struct approve_options *o = ctx->options;
	_cleanup_effective_ struct effective e = { .exit_hint = EXIT_REFUSED };
	_cleanup_approvals_ struct approvals all = { 0 };
	struct diag d = { "out of memory" };
	int status = command_take_grants(ctx, &o->grants), r;

	if (status == EXIT_OK && !o->digest && !o->print_digest)
		status = command_need_terminal(ctx, "nothing was approved", "the plan's digest");
	if (status != EXIT_OK)
		return status;
	r = command_build_plan(ctx, p, &o->grants, &e, &d);
	r = r < 0 ? r : consent_list(p, &all, &d);
	r = r < 0 ? r : effective_look(&e, &d);
	r = r < 0 ? r : effective_digest(p, &all, &e, &d);
	r = r < 0 ? r : effective_identify(p, l, &e, &d);
	r = r < 0 ? r : plan_status(ctx, p, &all, &e, l, &d);
	if (r >= 0)
		return r;
	command_error("%s", d.text);
	return e.exit_hint ? e.exit_hint : EXIT_REFUSED;
}

/* Root need not have the plan: whose digest it is, its user has shown ('approve --print-digest' as that user). */
static int approve_for_all(const struct command_ctx *ctx, const struct paths *p, const struct lineage *l)
{
	const struct approve_options *o = ctx->options;
	struct diag d = { "out of memory" };

	if (admin_remember(p, o->digest, l, &d) < 0)
		return command_refuse(&d, 0);
	fprintf(stderr, "%.16s: approved on this machine (" ADMIN_DIR ").\n", o->digest);
	return EXIT_OK;
}

/* May whoever asks approve for others? EXIT_OK, or what the error is. */
static int look_admin(bool *ret)
{
	_cleanup_policy_ struct policy policy = { 0 };
	struct diag d = { "out of memory" };

	if (policy_load(&policy, &d) < 0)
		return command_refuse(&d, 0);
	*ret = admin_here(&policy.consent);
	return EXIT_OK;
}

static int approve_waiting(const struct command_ctx *ctx, const struct paths *p, const struct lineage *l)
{
	const struct approve_options *o = ctx->options;
	const struct approve_waiting w = { p, l };
	uint64_t n = 0;
	int status;

	bool admin = false;

	if (o->json)
		return approve_waiting_json(&w);
	status = o->digest ? look_admin(&admin) : EXIT_OK;
	if (status != EXIT_OK)
		return status;
	if (admin)
		return approve_for_all(ctx, p, l);
	if (o->digest)
		return approve_waiting_digest(&w, o->digest);
	status = command_need_terminal(ctx, "nothing was approved", "the plan's digest");
	if (status != EXIT_OK)
		return status;
	if (o->all)
		return approve_waiting_all(&w);
	if (ctx->args.n == 0)
		return approve_waiting_choose(&w);
	if (parse_u64(ctx->args.v[0], 1, UINT32_MAX, &n) < 0)
		return command_usage(ctx, "numbers of what waits begin at 1");
	return approve_waiting_number(&w, n);
}

static bool is_number(const char *word)
{
	return *word && word[strspn(word, "0123456789")] == '\0';
}

/* Which combinations mean nothing; EXIT_OK when the rest is clear. */
static int check_usage(const struct command_ctx *ctx, bool plan)
{
	const struct approve_options *o = ctx->options;

	if (o->all + o->json + o->print_digest + (o->digest != NULL) > 1)
		return command_usage(ctx, "--all, --json, --print-digest and --digest exclude one another");
	if ((o->all || o->json) && (plan || ctx->args.n > 0))
		return command_usage(ctx, "--all and --json are about everything that waits: name no plan with them");
	if (o->print_digest && !plan)
		return command_usage(ctx, "--print-digest needs a plan: NAME, or -- COMMAND");
	if (o->digest && ctx->args.n > 0 && !plan)
		return command_usage(ctx, "--digest names what waits by itself: give no number with it");
	if (o->digest && !canonical_is_digest(o->digest))
		return command_usage(
			ctx, "--digest takes 64 hexadecimal digits in lower case, as --print-digest prints them");
	return EXIT_OK;
}

static int approve_run(const struct command_ctx *ctx)
{
	_cleanup_paths_ struct paths p = { 0 };
	_cleanup_lineage_ struct lineage l = { 0 };
	struct diag d = { "out of memory" };
	bool number = ctx->args.n > 0 && !ctx->rest_given && is_number(ctx->args.v[0]);
	bool plan = !number && names_plan(ctx);
	int status = check_usage(ctx, plan);

	if (status != EXIT_OK)
		return status;
	if (paths_init(&p, &d) < 0 || lineage_read(&l, &d) < 0)
		return command_refuse(&d, 0);
	return plan ? approve_plan(ctx, &p, &l) : approve_waiting(ctx, &p, &l);
}

const struct command_row cmd_approve = {
	.name = "approve",
	.synopsis = "[NUMBER | --all | --json]\n"
		    "[--print-digest | --digest D] [--set P=V]... NAME\n"
		    "[--print-digest | --digest D] [GRANT]... -- COMMAND [ARG]...\n"
		    "--digest D",
	.summary = "answer what waits, or ask here and remember",
	.details = "Without a plan: lists the launches, and the calls of tools, that wait for an answer and asks for a "
		   "number. With NAME or a "
		   "command: shows the question\n"
		   "for that plan on this terminal and remembers a yes, so that a client can start it at once. The "
		   "default is No.\n"
		   "Refused when an MCP client is among the programs that started this command; needs a terminal "
		   "unless --digest is given.",
	.options = approve_rows,
	.options_size = sizeof(struct approve_options),
	.options_done = approve_done,
	.max_args = 1,
	.rest = true,
	.loosens = true,
	.run = approve_run,
};
