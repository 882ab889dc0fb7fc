/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_kill - `stockade kill`: nothing of a server, or no call of a tool, from this moment on
 *
 * Order: each session is told, the entry is put where everybody sees it, those that have come meanwhile are told, the
 * entry is made safe, the ends are waited for, and then it is recorded and said. A step that fails keeps no later one
 * from being taken: what runs is reached although nothing can be written, and what cannot be reached does not start
 * again.
 */
#include <errno.h>
#include <string.h>
#include <time.h>
#include "base/io.h"
#include "base/text.h"
#include "supervisor/commands.h"
#include "supervisor/exit.h"
#include "supervisor/kill/kill_others.h"
#include "supervisor/kill/kill_tell.h"
#include "supervisor/kill/kill_write.h"
#include "supervisor/output.h"
#include "supervisor/record_alone.h"

enum { SHOWN = 512 };

struct kill_options {
	char *why;
	bool all, own;
};

static const struct option_row kill_rows[] = {
	{ "all", 0, OPTION_FLAG, offsetof(struct kill_options, all), NULL, "every server, whatever its name" },
	{ "why", 0, OPTION_STR, offsetof(struct kill_options, why), "TEXT",
		"what people are told who meet it, and perhaps a model" },
	{ "own", 0, OPTION_FLAG, offsetof(struct kill_options, own), NULL,
		"by root: for root's own sessions alone, not for every user" },
	{ NULL },
};

struct killing {
	struct paths paths;
	struct kill_entry entry;
	struct kill_written written;
	struct kill_told told; /* and in the end what came of the others' */
	struct kill_others others;
	struct diag not_written, not_told;
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

static bool tell_rest(struct killing *k)
{
	bool own = kill_tell_rest(&k->paths, &k->told, &k->not_told) == 0;

	return kill_others_tell_rest(&k->others, &k->not_told) == 0 && own;
}

static void act(struct killing *k, uint64_t since_us)
{
	bool written, told = true;

	/* A session that is told of a tool looks for the entry, which else held there after its file is taken away. */
	if (!k->entry.tool)
		told = tell(k);
	written = kill_write(&k->paths, &k->entry, &k->written, &k->not_written) == 0;
	if (k->entry.tool)
		told = tell(k);
	if (!tell_rest(k) || !told)
		k->told.left++;
	if (written && kill_write_sync(&k->written, &k->not_written) < 0)
		k->written.path[0] = '\0';
	kill_told_wait(&k->told);
	kill_others_wait(&k->others, &k->told);
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

/* --- what came of it --- */

static bool holds(const struct killing *k)
{
	return k->written.path && *k->written.path;
}

static void say_done(const struct killing *k)
{
	char what[SHOWN], path[SHOWN];
	unsigned n = k->told.reached + k->told.forced;

	fprintf(stderr, "%s is killed: ", kill_entry_what(&k->entry, what, sizeof(what)));
	if (n == 0)
		fputs("no session of it runs now", stderr);
	else
		fprintf(stderr, "%u session%s %s, %llu.%llu ms", n, n == 1 ? "" : "s",
			k->entry.tool ? n == 1 ? "was told" : "were told" : "ended",
			(unsigned long long)(k->took_us / 1000), (unsigned long long)(k->took_us / 100 % 10));
	if (k->told.forced)
		fprintf(stderr, " (%u did not answer, and %s processes were killed)", k->told.forced,
			k->told.forced == 1 ? "its" : "their");
	if (holds(k))
		fprintf(stderr, ".\n  It holds until it is lifted: %s\n",
			text_escape_str(k->written.path, path, sizeof(path)));
	else
		fputs(".\n", stderr);
}

static int say_failures(const struct killing *k)
{
	int status = EXIT_OK;

	if (!holds(k)) {
		command_error(
			"it does not hold: %s. What starts from now on is not stopped by it", k->not_written.text);
		status = EXIT_REFUSED;
	}
	if (k->told.left) {
		command_error(
			"not every session was reached: %s", k->not_told.text[0] ? k->not_told.text : k->told.why.text);
		status = EXIT_REFUSED;
	}
	if (k->told.left_alive) {
		command_error("%u session%s still %s processes after %d s: they hang in the kernel", k->told.left_alive,
			k->told.left_alive == 1 ? "" : "s", k->told.left_alive == 1 ? "has" : "have",
			KILL_GONE_MS / 1000);
		status = EXIT_REFUSED;
	}
	return status;
}

static int run_killing(const struct command_ctx *ctx, struct killing *k, uint64_t since_us)
{
	struct diag d = { "out of memory" };
	int status;

	if (paths_locate(&k->paths, &d) < 0 || describe(ctx, ctx->options, k) < 0) {
		command_error("nothing was killed: %s", d.text);
		return EXIT_REFUSED;
	}
	act(k, since_us);
	say_done(k);
	status = say_failures(k);
	if (record(k, &d) < 0) {
		command_error("it is not recorded: %s", d.text);
		status = EXIT_REFUSED;
	}
	return status;
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
	.synopsis = "[--why TEXT] [--own] NAME [TOOL]\n[--why TEXT] [--own] --all",
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
