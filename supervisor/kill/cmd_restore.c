/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_restore - `stockade restore`: lifts what `stockade kill` laid down, where whoever asks may */
#include <errno.h>
#include <string.h>
#include "base/text.h"
#include "supervisor/commands.h"
#include "supervisor/exit.h"
#include "supervisor/kill/kill_others.h"
#include "supervisor/kill/kill_tell.h"
#include "supervisor/kill/kill_write.h"
#include "supervisor/output.h"
#include "supervisor/record_alone.h"

enum { SHOWN = 512 };

struct restore_options {
	bool all;
};

static const struct option_row restore_rows[] = {
	{ "all", 0, OPTION_FLAG, offsetof(struct restore_options, all), NULL,
		"what 'kill --all' laid down; single servers and tools that are killed stay so" },
	{ NULL },
};

struct restoring {
	struct paths paths;
	struct kill_set set;
	struct kill_entry target; /* server and tool alone */
	unsigned lifted;
	bool refused;
};

static void restoring_done(struct restoring *r)
{
	kill_entry_done(&r->target);
	kill_set_done(&r->set);
	paths_done(&r->paths);
}

static bool is_meant(const struct kill_entry *e, const struct kill_entry *target)
{
	return strcmp(e->server, target->server) == 0 &&
	       (e->tool && target->tool ? strcmp(e->tool, target->tool) == 0 : e->tool == target->tool);
}

/* That it was lifted, by whom, is recorded before it is: without a record it stays. */
static int record(const struct restoring *x, const struct kill_entry *e, struct diag *d)
{
	_cleanup_lineage_ struct lineage lineage = { 0 };
	const struct record_alone_args a = {
		.paths = &x->paths, .lineage = &lineage, .server = e->server, .channel = "restore"
	};
	struct event event = { .type = EVENT_KILL, .decision = EVENT_ALLOW, .status = "lifted" };
	char by[KILL_WORDS_SIZE];
	int r = lineage_read(&lineage, d);

	if (e->tool)
		text_escape_str(e->tool, event.tool, sizeof(event.tool));
	snprintf(event.reason, sizeof(event.reason), "it was killed %.480s", kill_entry_by(e, by, sizeof(by)));
	text_escape_str(e->file, event.rule, sizeof(event.rule));
	return r < 0 ? r : record_alone(&a, &event, NULL, d);
}

static void refuse(const struct kill_entry *e)
{
	char what[SHOWN], by[KILL_WORDS_SIZE], file[SHOWN];

	command_error("%s stays killed, %s (%s): only %s can lift that", kill_entry_what(e, what, sizeof(what)),
		kill_entry_by(e, by, sizeof(by)), text_escape_str(e->file, file, sizeof(file)),
		e->origin == KILL_BY_ROOT ? "root" : "whoever ships that bundle, with a newer one,");
}

static int lift(struct restoring *x, const struct kill_entry *e)
{
	char what[SHOWN], by[KILL_WORDS_SIZE];
	struct diag d = { "out of memory" };

	if (e->origin == KILL_BY_BUNDLE || (e->origin == KILL_BY_ROOT && x->paths.uid != 0)) {
		refuse(e);
		return -EPERM;
	}
	if (record(x, e, &d) < 0 || kill_remove(e, &d) < 0) {
		command_error("%s stays killed: %s", kill_entry_what(e, what, sizeof(what)), d.text);
		return -EIO;
	}
	fprintf(stderr, "%s is not killed any more; it was %s\n", kill_entry_what(e, what, sizeof(what)),
		kill_entry_by(e, by, sizeof(by)));
	return 0;
}

static int tell_all(struct restoring *x, struct kill_told *told, struct kill_others *others, struct diag *d)
{
	int r = kill_tell(&x->paths, KILL_ORDER_LOOK, &x->target, told, d);
	int o = x->paths.uid == 0 ? kill_others_tell(KILL_ORDER_LOOK, &x->target, others, d) : 0;

	if (r == 0)
		r = kill_tell_again(told, d);
	if (r == 0)
		r = kill_tell_hear(&x->paths, told, KILL_ROUND_LAST, d);
	if (o == 0)
		o = kill_others_tell_again(others, d);
	if (o == 0)
		o = kill_others_hear(others, KILL_ROUND_LAST, d);
	return r < 0 ? r : o;
}

/* Sessions that were told by an order alone. */
static int tell(struct restoring *x, struct diag *d)
{
	_cleanup_kill_told_ struct kill_told told = KILL_TOLD_NONE;
	_cleanup_(kill_others_done) struct kill_others others = { 0 };
	char when[OUTPUT_TIME_SIZE];

	x->target.who = strdup(x->paths.user);
	x->target.when = strdup(output_time(0, when));
	x->target.why = strdup("");
	if (!x->target.who || !x->target.when || !x->target.why)
		return diag_fail(d, -ENOMEM, "out of memory");
	return tell_all(x, &told, &others, d);
}

/* What else still kills it: a wider entry, or another's. */
static void say_what_is_left(const struct restoring *x)
{
	const struct kill_entry *t = &x->target;
	char what[SHOWN], by[KILL_WORDS_SIZE];

	for (size_t i = 0; i < x->set.n; i++) {
		const struct kill_entry *e = &x->set.v[i];
		bool hits = kill_entry_hits_server(e, t->server) ||
			    (t->tool && kill_entry_hits_tool(e, t->server, t->tool));
		if (hits && !is_meant(e, t))
			fprintf(stderr, "  It is killed all the same: %s, %s\n", kill_entry_what(e, what, sizeof(what)),
				kill_entry_by(e, by, sizeof(by)));
	}
}

static int run_restoring(struct restoring *x)
{
	char what[SHOWN];
	struct diag d = { "" };

	for (size_t i = 0; i < x->set.n; i++) {
		if (!is_meant(&x->set.v[i], &x->target))
			continue;
		if (lift(x, &x->set.v[i]) < 0)
			x->refused = true;
		else
			x->lifted++;
	}
	if (tell(x, &d) < 0) {
		command_error("sessions that run may not have heard of it: %s", d.text);
		x->refused = true;
	}
	if (!x->lifted && !x->refused)
		command_error("%s is not killed; 'stockade kills' lists what is",
			kill_entry_what(&x->target, what, sizeof(what)));
	say_what_is_left(x);
	return x->refused ? EXIT_REFUSED : x->lifted ? EXIT_OK : EXIT_FINDINGS;
}

static int restore_run(const struct command_ctx *ctx)
{
	const struct restore_options *o = ctx->options;
	_cleanup_(restoring_done) struct restoring x = { 0 };
	struct diag d = { "out of memory" };

	if (o->all ? ctx->args.n > 0 : ctx->args.n == 0)
		return command_usage(ctx, "name a server, and perhaps a tool of it; or --all");
	x.target.server = strdup(o->all ? "*" : ctx->args.v[0]);
	x.target.tool = ctx->args.n > 1 ? strdup(ctx->args.v[1]) : NULL;
	if (!x.target.server || (ctx->args.n > 1 && !x.target.tool) || paths_init(&x.paths, &d) < 0 ||
		kill_set_read(&x.paths, &x.set) < 0)
		return command_refuse(&d, 0);
	return run_restoring(&x);
}

const struct command_row cmd_restore = {
	.name = "restore",
	.synopsis = "NAME [TOOL]\n--all",
	.summary = "lift what 'stockade kill' laid down",
	.details = "NAME and TOOL as they were killed, a * in them as well. What root killed, root alone lifts; what a "
		   "bundle kills is lifted by a newer one. Servers are not started by it, their clients do that; a "
		   "tool is listed again at once. Recorded. Refused when\n"
		   "an MCP client is among the programs that started this command.",
	.options = restore_rows,
	.options_size = sizeof(struct restore_options),
	.max_args = 2,
	.loosens = true,
	.run = restore_run,
};
