/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_kill - `stockade kill`: nothing of a server, or no call of a tool, from this moment on
 *
 * Order: each session is told and heard, the entry is put where everybody sees it, those that have come meanwhile are
 * told and heard, the entry is made safe, the ends are waited for, and then it is recorded and said. A step that fails
 * keeps no later one from being taken: what runs is reached although nothing can be written, and what cannot be reached
 * does not start again.
 */
#include <errno.h>
#include <string.h>
#include <time.h>
#include "base/io.h"
#include "base/text.h"
#include "supervisor/commands.h"
#include "supervisor/exit.h"
#include "supervisor/kill/kill_report.h"
#include "supervisor/kill/kill_write.h"
#include "supervisor/output.h"
#include "supervisor/record_alone.h"

struct kill_options {
	char *why;
	bool all, own, json;
};

static const struct option_row kill_rows[] = {
	{ "all", 0, OPTION_FLAG, offsetof(struct kill_options, all), NULL, "every server, whatever its name" },
	{ "why", 0, OPTION_STR, offsetof(struct kill_options, why), "TEXT",
		"what people are told who meet it, and perhaps a model" },
	{ "own", 0, OPTION_FLAG, offsetof(struct kill_options, own), NULL,
		"by root: for root's own sessions alone, not for every user" },
	{ "json", 0, OPTION_FLAG, offsetof(struct kill_options, json), NULL, "what came of it, as a JSON object" },
	{ NULL },
};

struct killing {
	struct paths paths;
	struct kill_entry entry;
	struct kill_written written;
	struct kill_told told; /* and in the end what came of the others' */
	struct kill_others others;
	struct diag not_written, not_told, not_recorded;
	uint64_t took_us;
};

static void killing_done(struct killing *k)
{
	kill_others_done(&k->others);
	kill_told_done(&k->told);
	kill_written_done(&k->written);
	kill_entry_done(&k->entry);
	paths_done(&k->paths);
}

static int describe(const struct command_ctx *ctx, const struct kill_options *o, struct killing *k)
{
	const char *server = o->all ? "*" : ctx->args.v[0];
	char when[OUTPUT_TIME_SIZE];

	k->entry = (struct kill_entry){ .server = strdup(server),
		.tool = ctx->args.n > 1 ? strdup(ctx->args.v[1]) : NULL,
		.who = strdup(k->paths.user),
		.when = strdup(output_time((int64_t)time(NULL), when)),
		.why = strdup(o->why ? o->why : ""),
		.origin = k->paths.uid == 0 && !o->own ? KILL_BY_ROOT : KILL_BY_USER };
	return k->entry.server && k->entry.who && k->entry.when && k->entry.why && (k->entry.tool || ctx->args.n < 2)
		       ? 0
		       : -ENOMEM;
}

/* Nobody's sessions go untold because another's cannot be. */
static bool tell(struct killing *k)
{
	bool own = kill_tell(&k->paths, KILL_ORDER_KILL, &k->entry, &k->told, &k->not_told) == 0;

	return k->entry.origin != KILL_BY_ROOT
		       ? own
		       : kill_others_tell(KILL_ORDER_KILL, &k->entry, &k->others, &k->not_told) == 0 && own;
}

static bool tell_again(struct killing *k)
{
	bool own = kill_tell_again(&k->told, &k->not_told) == 0;

	return kill_others_tell_again(&k->others, &k->not_told) == 0 && own;
}

/* All have been told by now: how long one is waited for is time for the others as well. */
static bool hear(struct killing *k, enum kill_round round)
{
	bool own = kill_tell_hear(&k->paths, &k->told, round, &k->not_told) == 0;

	return kill_others_hear(&k->others, round, &k->not_told) == 0 && own;
}

static unsigned alive(const struct killing *k, uint64_t ms)
{
	uint64_t until = io_now_us() + ms * 1000;

	return kill_told_alive(&k->told, until) + kill_others_alive(&k->others, until);
}

/* What runs ends before anything is written: a disk that hangs or is full saves nobody. */
static bool end_running(struct killing *k)
{
	bool told = tell(k);

	told = hear(k, KILL_ROUND_FIRST) && told;
	(void)alive(k, KILL_ANSWER_MS);
	return told;
}

static void act(struct killing *k, uint64_t since_us)
{
	/* A session that is told of a tool looks for the entry, which else held there after its file is taken away. */
	bool told = k->entry.tool || end_running(k);
	bool written = kill_write(&k->paths, &k->entry, &k->written, &k->not_written) == 0;

	if (k->entry.tool)
		told = tell(k);
	told = tell_again(k) && told;
	told = hear(k, KILL_ROUND_LAST) && told;
	if (written && kill_write_sync(&k->written, &k->not_written) < 0)
		k->written.path[0] = '\0';
	k->told.left_alive = alive(k, KILL_GONE_MS);
	kill_others_add(&k->others, &k->told);
	k->told.left += !told;
	k->took_us = io_now_us() - since_us;
}

static int record(const struct killing *k, struct diag *d)
{
	_cleanup_lineage_ struct lineage lineage = { 0 };
	const struct record_alone_args a = {
		.paths = &k->paths, .lineage = &lineage, .server = k->entry.server, .channel = "kill"
	};
	struct event e = { .type = EVENT_KILL, .decision = EVENT_DENY, .status = "ordered" };
	int r = lineage_read(&lineage, d);

	if (k->entry.tool)
		text_escape_str(k->entry.tool, e.tool, sizeof(e.tool));
	kill_entry_by(&k->entry, e.reason, sizeof(e.reason));
	if (k->written.path)
		text_escape_str(k->written.path, e.rule, sizeof(e.rule));
	return r < 0 ? r : record_alone(&a, &e, NULL, d);
}

static int report(const struct killing *k, bool json)
{
	const struct kill_report r = { .entry = &k->entry,
		.path = k->written.path && *k->written.path ? k->written.path : NULL,
		.told = &k->told,
		.others = &k->others,
		.not_written = k->not_written.text,
		.not_told = k->not_told.text,
		.not_recorded = k->not_recorded.text,
		.took_us = k->took_us };
	int status = kill_report_status(&r);

	if (!json)
		kill_report_say(&r);
	else if (output_json(stdout, kill_report_json(&r), "what came of it") != EXIT_OK)
		status = EXIT_REFUSED;
	return status;
}

static int run_killing(const struct command_ctx *ctx, struct killing *k, uint64_t since_us)
{
	const struct kill_options *o = ctx->options;
	struct diag d = { "out of memory" };

	if (paths_locate(&k->paths, &d) < 0 || describe(ctx, o, k) < 0) {
		command_error("nothing was killed: %s", d.text);
		return EXIT_REFUSED;
	}
	act(k, since_us);
	if (record(k, &d) < 0)
		k->not_recorded = d;
	return report(k, o->json);
}

static int check_usage(const struct command_ctx *ctx, const struct kill_options *o)
{
	if (o->all ? ctx->args.n > 0 : ctx->args.n == 0)
		return command_usage(ctx, "name a server, and perhaps a tool of it; or --all");
	for (size_t i = 0; i < ctx->args.n; i++)
		if (!*ctx->args.v[i] || strlen(ctx->args.v[i]) > KILL_NAME_MAX)
			return command_usage(ctx, "a name has 1 to %d bytes", KILL_NAME_MAX);
	if (o->why && strlen(o->why) > KILL_WHY_MAX)
		return command_usage(ctx, "--why takes at most %d bytes", KILL_WHY_MAX);
	return EXIT_OK;
}

static int kill_run(const struct command_ctx *ctx)
{
	_cleanup_(killing_done) struct killing k = { .written = KILL_WRITTEN_NONE, .told = KILL_TOLD_NONE };
	uint64_t since_us = io_now_us();
	int status = check_usage(ctx, ctx->options);

	return status == EXIT_OK ? run_killing(ctx, &k, since_us) : status;
}

const struct command_row cmd_kill = {
	.name = "kill",
	.synopsis = "[--why TEXT] [--own] [--json] NAME [TOOL]\n[--why TEXT] [--own] [--json] --all",
	.summary = "the kill switch: end a server, or forbid a tool of it, until that is lifted",
	.details = "Every process of the server's sessions ends now, and none starts again; of a TOOL every call is "
		   "refused, and it is listed no more. In NAME and TOOL a * stands for any run of characters. It "
		   "holds over restarts of the machine.\n"
		   "By root it is for every user of the machine.",
	.options = kill_rows,
	.options_size = sizeof(struct kill_options),
	.max_args = 2,
	.run = kill_run,
};
