/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_ps - stockade ps: the sessions that run, the launches that wait for an approval, the calls that wait for a person
 */
#include <string.h>
#include "base/parse.h"
#include "base/text.h"
#include "supervisor/commands.h"
#include "supervisor/exit.h"
#include "supervisor/output.h"
#include "supervisor/ps/watch.h"

enum { INTERVAL_MAX = 3600 };

struct ps_options {
	bool json, watch;
	char *interval;
};

static const struct option_row ps_rows[] = {
	{ "json", 0, OPTION_FLAG, offsetof(struct ps_options, json), NULL,
		"one JSON array; with --watch one a line and tick" },
	{ "watch", 'w', OPTION_FLAG, offsetof(struct ps_options, watch), NULL, "again and again, until interrupted" },
	{ "interval", 0, OPTION_STR, offsetof(struct ps_options, interval), "SECONDS",
		"of --watch: how often; 1 unless given, 3600 at the most" },
	{ NULL },
};

static void say_kills(const struct listed *l)
{
	if (l->kills.n)
		fprintf(stderr, "%zu entr%s of the kill switch hold%s: 'stockade kills' lists %s\n", l->kills.n,
			l->kills.n > 1 ? "ies" : "y", l->kills.n > 1 ? "" : "s", l->kills.n > 1 ? "them" : "it");
}

static int print_table(struct listed *l, const struct paths *p)
{
	say_kills(l);
	if (listed_none(l)) {
		char shown[512];
		fprintf(stderr, "no server runs through stockade (looked in %s)\n",
			text_escape_str(p->runtime, shown, sizeof(shown)));
		return EXIT_OK;
	}
	listed_print(l, stdout);
	if (l->launches.n || l->calls.n)
		fputs("'stockade approve' shows what waits\n", stderr);
	return EXIT_OK;
}

static int run_ps(const struct command_ctx *ctx)
{
	const struct ps_options *o = ctx->options;
	struct watch_options watch = { .json = o->json, .interval = 1 };
	_cleanup_paths_ struct paths p = { 0 };
	_cleanup_listed_ struct listed l = { 0 };
	struct diag d = { "" };
	int r;

	if (o->interval && !o->watch)
		return command_usage(ctx, "--interval is of --watch");
	if (o->interval && parse_u64(o->interval, 1, INTERVAL_MAX, &watch.interval) < 0)
		return command_usage(ctx, "--interval takes 1 to %d seconds", INTERVAL_MAX);
	r = paths_init(&p, &d);
	if (r == 0)
		r = o->watch ? watch_run(&p, &watch, &d) : listed_read(&p, &l, &d);
	if (r < 0)
		return command_refuse(&d, r);
	if (o->watch)
		return EXIT_OK;
	return o->json ? output_json(stdout, listed_json(&l), "the list of sessions") : print_table(&l, &p);
}

const struct command_row cmd_ps = {
	.name = "ps",
	.synopsis = "[--json] [--watch [--interval SECONDS]]",
	.summary = "list the servers that run through stockade",
	.details = "Session, server, client, since when, calls, denials, calls a minute, connections (open now, and "
		   "made), "
		   "and the memory of all its\n"
		   "processes, stockade's own included (proportional set size where it can be read, else resident set "
		   "size); and what waits for a\n"
		   "person: launches for an approval, calls of tools for a look.",
	.options = ps_rows,
	.options_size = sizeof(struct ps_options),
	.run = run_ps,
};
