/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_approvals - `stockade approvals`: what was approved, by whom, when, how; and its revocation */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/text.h"
#include "supervisor/commands.h"
#include "supervisor/consent.h"
#include "supervisor/consent/admin.h"
#include "supervisor/exit.h"
#include "supervisor/json_list.h"
#include "supervisor/output.h"

struct approvals_options {
	bool json;
};

static const struct option_row list_rows[] = {
	{ "json", 0, OPTION_FLAG, offsetof(struct approvals_options, json), NULL, "one JSON array instead of text" },
	{ 0 },
};

static const struct option_row revoke_rows[] = { { 0 } };

enum { SHOWN = 1024 };

static void print_field(const char *label, const char *value)
{
	_cleanup_buf_ struct buf b = BUF_INIT(CONSENT_FILE_MAX);

	if (text_escape(&b, value, strlen(value), TEXT_KEEP_BACKSLASH) == 0)
		printf("    %-9s %s\n", label, b.data);
}

static void print_approval(const struct approval *a, bool colour)
{
	char when[OUTPUT_TIME_SIZE], name[SHOWN];

	if (a->damaged) {
		printf("%s  %sdamaged: approves nothing%s\n", a->id, colour ? "\033[1;31m" : "",
			colour ? "\033[0m" : "");
		print_field("why", a->damaged);
		return;
	}
	printf("%s%s%s  %s  %s\n", colour ? "\033[1m" : "", a->id, colour ? "\033[0m" : "", output_time(a->when, when),
		*a->name ? text_escape_str(a->name, name, sizeof(name)) : "(the plan of that digest)");
	if (*a->subject)
		print_field("for", a->subject);
	print_field("by", a->user);
	print_field("through", a->channel);
	print_field("from", a->lineage);
}

static json_t *approval_json(const struct approval *a)
{
	char when[OUTPUT_TIME_SIZE];

	if (a->damaged)
		return json_pack("{s:s, s:s, s:s}", "id", a->id, "digest", a->digest, "damaged", a->damaged);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:O?, s:O?}", "id", a->id, "digest", a->digest,
		"name", a->name, "subject", a->subject, "when", output_time(a->when, when), "user", a->user, "channel",
		a->channel, "lineage", a->lineage, "client", a->client, "signers", a->signers);
}

/* NULL when one of them cannot be written down: a shorter list would be a wrong one. */
static json_t *list_json(const struct approvals *l)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < l->n; i++)
		array = json_list_add(array, approval_json(&l->v[i]));
	return array;
}

static int print_list(const struct approvals *l)
{
	if (l->n == 0)
		puts("Nothing is approved.");
	for (size_t i = 0; i < l->n; i++)
		print_approval(&l->v[i], command_colour(stdout));
	return EXIT_OK;
}

/* Behind the user's own. */
static int add_admin(struct approvals *l, struct diag *d)
{
	_cleanup_approvals_ struct approvals more = { 0 };
	struct approval *v;
	int r = admin_list(&more, d);

	if (r < 0 || more.n == 0)
		return r;
	v = reallocarray(l->v, l->n + more.n, sizeof(*v));
	if (!v)
		return -ENOMEM;
	memcpy(v + l->n, more.v, more.n * sizeof(*v));
	l->v = v;
	l->n += more.n;
	more.n = 0;
	return 0;
}

static int list_run(const struct command_ctx *ctx)
{
	const struct approvals_options *o = ctx->options;
	_cleanup_approvals_ struct approvals l = { 0 };
	_cleanup_paths_ struct paths p = { 0 };
	struct diag d = { "out of memory" };
	int status, r = paths_init(&p, &d);

	r = r < 0 ? r : consent_list(&p, &l, &d);
	r = r < 0 ? r : add_admin(&l, &d);
	if (r < 0)
		return command_refuse(&d, r);
	status = o->json ? output_json(stdout, list_json(&l), "the approvals") : print_list(&l);
	for (size_t i = 0; status == EXIT_OK && i < l.n; i++)
		if (l.v[i].damaged)
			status = EXIT_FINDINGS;
	return status;
}

/* Root's own, for the whole machine, first. */
static int revoke_either(const struct paths *p, const char *prefix, struct approval *ret, struct diag *d)
{
	int r = geteuid() == 0 ? admin_revoke(prefix, ret, d) : -ENOENT;

	return r == -ENOENT ? consent_revoke(p, prefix, ret, d) : r;
}

static int revoke_run(const struct command_ctx *ctx)
{
	_cleanup_approval_ struct approval a = { 0 };
	_cleanup_paths_ struct paths p = { 0 };
	struct diag d = { "out of memory" };
	char name[SHOWN];
	int r = paths_init(&p, &d);

	r = r < 0 ? r : revoke_either(&p, ctx->args.v[0], &a, &d);
	if (r < 0) {
		command_error("%s", d.text);
		return r == -ENOENT ? EXIT_FINDINGS : r == -EEXIST ? EXIT_USAGE : EXIT_REFUSED;
	}
	printf("Revoked %s (%s). Servers that run already go on running; the next start asks.\n", a.id,
		text_escape_str(a.damaged ? "damaged"
				: *a.name ? a.name
					  : "of this machine",
			name, sizeof(name)));
	return EXIT_OK;
}

const struct command_row cmd_approvals = {
	.name = "approvals",
	.synopsis = "[--json]\nrevoke ID",
	.summary = "what was approved, by whom, when, through which channel",
	.details = "Each approval binds one plan by its digest: command, code, files, variables, tools, limits. "
		   "\"from\" is the chain of programs\n"
		   "that started the command in which the answer was given. Exit status 1 when a file is damaged; it "
		   "approves nothing.",
	.options = list_rows,
	.options_size = sizeof(struct approvals_options),
	.run = list_run,
};

const struct command_row cmd_approvals_revoke = {
	.name = "approvals revoke",
	.synopsis = "ID",
	.summary = "forget an approval: the next start asks again",
	.details = "ID is the beginning of a digest as 'stockade approvals' lists them, as long as it takes to tell it "
		   "from the others.",
	.options = revoke_rows,
	.min_args = 1,
	.max_args = 1,
	.run = revoke_run,
};
