/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_approvals - `stockade approvals`: what was approved, by whom, when, how; and its revocation */
#include <errno.h>
#include <string.h>
#include <time.h>
#include "base/text.h"
#include "supervisor/commands.h"
#include "supervisor/consent.h"
#include "supervisor/exit.h"

struct approvals_options {
	bool json;
};

static const struct option_row list_rows[] = {
	{ "json", 0, OPTION_FLAG, offsetof(struct approvals_options, json), NULL, "one JSON array instead of text" },
	{ 0 },
};

static const struct option_row revoke_rows[] = { { 0 } };

enum { TIME_SIZE = 32, SHOWN = 1024 };

static const char *time_words(int64_t when, char ret[TIME_SIZE])
{
	time_t t = (time_t)when;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || strftime(ret, TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		snprintf(ret, TIME_SIZE, "?");
	return ret;
}

static void print_field(const char *label, const char *value)
{
	_cleanup_buf_ struct buf b = BUF_INIT(CONSENT_FILE_MAX);

	if (text_escape(&b, value, strlen(value), TEXT_KEEP_BACKSLASH) == 0)
		printf("    %-9s %s\n", label, b.data);
}

static void print_approval(const struct approval *a, bool colour)
{
	char when[TIME_SIZE], name[SHOWN];

	if (a->damaged) {
		printf("%s  %sdamaged: approves nothing%s\n", a->id, colour ? "\033[1;31m" : "",
			colour ? "\033[0m" : "");
		print_field("why", a->damaged);
		return;
	}
	printf("%s%s%s  %s  %s\n", colour ? "\033[1m" : "", a->id, colour ? "\033[0m" : "", time_words(a->when, when),
		text_escape_str(a->name, name, sizeof(name)));
	print_field("for", a->subject);
	print_field("by", a->user);
	print_field("through", a->channel);
	print_field("from", a->lineage);
}

static json_t *approval_json(const struct approval *a)
{
	char when[TIME_SIZE];

	if (a->damaged)
		return json_pack("{s:s, s:s, s:s}", "id", a->id, "digest", a->digest, "damaged", a->damaged);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "id", a->id, "digest", a->digest, "name", a->name,
		"subject", a->subject, "when", time_words(a->when, when), "user", a->user, "channel", a->channel,
		"lineage", a->lineage);
}

static int print_json(const struct approvals *l)
{
	json_t *array = json_array();
	int r = array ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < l->n; i++)
		r = json_array_append_new(array, approval_json(&l->v[i])) < 0 ? -ENOMEM : 0;
	if (r == 0 && json_dumpf(array, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII) < 0)
		r = -EIO;
	putchar('\n');
	json_decref(array);
	return r;
}

static int list_run(const struct command_ctx *ctx)
{
	const struct approvals_options *o = ctx->options;
	_cleanup_approvals_ struct approvals l = { 0 };
	_cleanup_paths_ struct paths p = { 0 };
	struct diag d = { "out of memory" };
	bool damaged = false;
	int r = paths_init(&p, &d);

	r = r < 0 ? r : consent_list(&p, &l, &d);
	r = r < 0 || !o->json ? r : print_json(&l);
	if (r < 0) {
		command_error("%s", d.text);
		return EXIT_REFUSED;
	}
	if (!o->json && l.n == 0)
		puts("Nothing is approved.");
	for (size_t i = 0; i < l.n; i++) {
		damaged = damaged || l.v[i].damaged;
		if (!o->json)
			print_approval(&l.v[i], command_colour(stdout));
	}
	return damaged ? EXIT_FINDINGS : EXIT_OK;
}

static int revoke_run(const struct command_ctx *ctx)
{
	_cleanup_approval_ struct approval a = { 0 };
	_cleanup_paths_ struct paths p = { 0 };
	struct diag d = { "out of memory" };
	char name[SHOWN];
	int r = paths_init(&p, &d);

	r = r < 0 ? r : consent_revoke(&p, ctx->args.v[0], &a, &d);
	if (r == -EEXIST || r == -ENOENT)
		return command_usage(ctx, "%s", d.text);
	if (r < 0) {
		command_error("%s", d.text);
		return EXIT_REFUSED;
	}
	printf("Revoked %s (%s). Servers that run already go on running; the next start asks.\n", a.id,
		text_escape_str(a.name ? a.name : "damaged", name, sizeof(name)));
	return EXIT_OK;
}

const struct command_row cmd_approvals = {
	.name = "approvals",
	.synopsis = "[--json]",
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
