/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_grant - `stockade grant`: lifts a scope for a while, where the profile lets it; `stockade grants`: lists and ends
 */
#include <errno.h>
#include <string.h>
#include "base/parse.h"
#include "base/text.h"
#include "supervisor/commands.h"
#include "supervisor/effective_scopes.h"
#include "supervisor/exit.h"
#include "supervisor/json_list.h"
#include "supervisor/output.h"
#include "supervisor/profile_parse.h"
#include "supervisor/record_alone.h"
#include "supervisor/registry.h"
#include "supervisor/scope_grant.h"
#include "supervisor/signing/usable.h"

enum { SHOWN = 256 };

struct grant_options {
	char *how_long;
};

static const struct option_row grant_rows[] = {
	{ "for", 0, OPTION_STR, offsetof(struct grant_options, how_long), "TIME",
		"how long: digits and s, min, h or d, such as 30min" },
	{ 0 },
};

struct grants_options {
	bool json;
};

static const struct option_row grants_rows[] = {
	{ "json", 0, OPTION_FLAG, offsetof(struct grants_options, json), NULL, "one JSON array instead of text" },
	{ 0 },
};

static const struct option_row end_rows[] = { { 0 } };

struct granting {
	struct paths paths;
	struct lineage lineage;
	struct scope_clock clock;
};

static void granting_done(struct granting *g)
{
	lineage_done(&g->lineage);
	paths_done(&g->paths);
}

static int granting_init(struct granting *g, struct diag *d)
{
	int r = paths_init(&g->paths, d);

	r = r < 0 ? r : lineage_read(&g->lineage, d);
	return r < 0 ? r : scope_clock_init(&g->clock, d);
}

/* --- the record --- */

/* Written before the grant is, or there is none. rule: that lets it be given; NULL: it is taken away. */
static int record(const struct granting *g, const char *server, const char *scope, const char *rule, const char *status,
	const char *reason, struct diag *d)
{
	struct event e = { .type = EVENT_SCOPE_GRANT, .decision = rule ? EVENT_ALLOW : EVENT_NONE };
	const struct record_alone_args a = {
		.paths = &g->paths, .lineage = &g->lineage, .server = server, .channel = "grant"
	};

	snprintf(e.scope, sizeof(e.scope), "%s", scope);
	snprintf(e.status, sizeof(e.status), "%s", status);
	snprintf(e.rule, sizeof(e.rule), "%s", rule ? rule : "");
	text_escape_str(reason, e.reason, sizeof(e.reason));
	return record_alone(&a, &e, NULL, d);
}

/* --- grant --- */

static int refuse_unknown(const struct profile *f, const char *scope, struct diag *d)
{
	const char *names[SCOPES_MAX], *near;
	char shown[SHOWN];

	if (!f->scopes.where)
		return diag_fail(d, -EPERM,
			"%s: the profile has no scopes (tools.scopes), so there is nothing to lift: its rules hold as "
			"they "
			"are",
			f->name);
	for (size_t i = 0; i < f->scopes.n; i++)
		names[i] = f->scopes.v[i].name;
	near = text_nearest(scope, names, f->scopes.n);
	return diag_fail(d, -ENOENT, "%s: %s names no scope '%s'%s%s%s", f->name, f->scopes.where,
		text_escape_str(scope, shown, sizeof(shown)), near ? "; did you mean '" : "", near ? near : "",
		near ? "'?" : "");
}

static int check_policy(const struct profile *f, struct diag *d)
{
	_cleanup_policy_ struct policy policy = { 0 };
	int r = policy_load(&policy, d);

	if (r < 0 || !policy.persons.no_grants)
		return r;
	return diag_fail(d, -EPERM,
		"%s: nothing was lifted: %s lets nobody lift a scope on this machine; ask who manages it", f->name,
		policy.persons.no_grants);
}

static int check_rules(const struct profile *f, const char *scope, uint64_t seconds, struct diag *d)
{
	const struct scopes *s = &f->scopes;
	int at = scopes_find(s, scope), r = at < 0 ? refuse_unknown(f, scope, d) : check_policy(f, d);
	char longest[SCOPE_TIME_WORDS];

	if (r < 0)
		return r;
	if (s->v[at].allowed)
		return diag_fail(d, -EPERM, "%s: '%s' is allowed by %s: there is nothing to lift", f->name, scope,
			s->allowed_where);
	if (!s->v[at].lift)
		return diag_fail(d, -EPERM,
			"%s: '%s' may not be lifted: %s has no tools.grant_scopes that names it; only whoever writes "
			"the "
			"profile can change that",
			f->name, scope, f->file);
	if (seconds > s->lift_max_s)
		return diag_fail(d, -EPERM, "%s: '%s' may be lifted for at most %s (tools.grant_time; %s)", f->name,
			scope, effective_time_words(s->lift_max_s, longest), s->v[at].lift);
	return 0;
}

/* Sessions of that name; the profile of each decides for itself. */
static int count_running(const struct paths *p, const char *server, size_t *ret, struct diag *d)
{
	_cleanup_registry_ struct registry_list l = { 0 };
	int r = registry_read(p, &l, d);

	*ret = 0;
	for (size_t i = 0; i < l.n; i++)
		*ret += strcmp(l.v[i].name, server) == 0;
	return r;
}

/* The grant is there by now, whatever cannot be counted. */
static void say_who_has_it(const struct granting *g, const struct profile *f)
{
	struct diag d = { "" };
	size_t running = 0;

	if (count_running(&g->paths, f->name, &running, &d) < 0)
		fprintf(stderr,
			"Sessions of %s that run now have it, and any that starts meanwhile (they cannot be "
			"counted: %s).\n",
			f->file, d.text);
	else if (running)
		fprintf(stderr, "%zu %s the scope now if its profile is %s; so has any that starts meanwhile.\n",
			running,
			running == 1 ? "session of that name runs: it has" : "sessions of that name run: each has",
			f->file);
	else
		fputs("No session runs now; any that starts meanwhile has it.\n", stderr);
}

static int give(const struct granting *g, const struct profile *f, const char *scope, uint64_t seconds, struct diag *d)
{
	_cleanup_free_ char *canonical = realpath(f->file, NULL);
	const struct scope_grant_args a = { .paths = &g->paths,
		.server = f->name,
		.scope = scope,
		.profile = canonical ? canonical : f->file,
		.lineage = &g->lineage,
		.seconds = seconds };
	char when[OUTPUT_TIME_SIZE], words[SCOPE_TIME_WORDS], reason[128];
	int r;

	output_time(g->clock.wall_s + (int64_t)seconds, when);
	snprintf(reason, sizeof(reason), "for %s, until %s", effective_time_words(seconds, words), when);
	r = record(g, f->name, scope, f->scopes.v[scopes_find(&f->scopes, scope)].lift, "given", reason, d);
	if (r == 0)
		r = scope_grant_write(&a, &g->clock, d);
	if (r < 0)
		return r;
	fprintf(stderr, "%s: '%s' is lifted for %s, until %s. ", f->name, scope, words, when);
	say_who_has_it(g, f);
	fprintf(stderr, "  'stockade grants end %s %s' ends it earlier.\n", f->name, scope);
	return EXIT_OK;
}

/* One that starts nothing lifts nothing. */
static int load_profile(const struct paths *p, const char *name, struct profile *ret, struct diag *d)
{
	_cleanup_vouching_ struct vouching v = { 0 };
	struct freshness fresh = { 0 };
	int r = vouching_load(p, &v, d);

	r = r < 0 ? r : usable_load(&v, name, ret, &fresh, d);
	freshness_done(&fresh);
	return r;
}

static int grant_run(const struct command_ctx *ctx)
{
	const struct grant_options *o = ctx->options;
	_cleanup_(granting_done) struct granting g = { 0 };
	_cleanup_profile_ struct profile f = { 0 };
	struct diag d = { "out of memory" };
	uint64_t seconds = 0;
	int r;

	if (!o->how_long)
		return command_usage(ctx, "--for TIME says for how long, such as --for 30min");
	if (parse_duration(o->how_long, 1, SCOPES_TIME_MAX, &seconds) < 0)
		return command_usage(ctx, "--for takes a time from 1s to 1d: digits and s, min, h or d, such as 30min");
	r = granting_init(&g, &d);
	r = r < 0 ? r : load_profile(&g.paths, ctx->args.v[0], &f, &d);
	r = r < 0 ? r : check_rules(&f, ctx->args.v[1], seconds, &d);
	r = r < 0 ? r : give(&g, &f, ctx->args.v[1], seconds, &d);
	if (r >= 0)
		return r;
	return command_refuse(&d, r);
}

/* --- grants --- */

static json_t *grant_json(const struct scope_grant *g, const struct scope_clock *c)
{
	char until[OUTPUT_TIME_SIZE];

	if (g->damaged)
		return json_pack("{s:s, s:s}", "file", g->name, "damaged", g->damaged);
	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:s}", "server", g->server, "scope", g->scope, "profile",
		g->profile, "until", output_time(scope_clock_wall(c, g->until_us), until), "seconds_left",
		(json_int_t)((g->until_us - c->boot_us) / 1000000), "user", g->user, "lineage", g->by);
}

static json_t *list_json(const struct scope_grants *l, const struct scope_clock *c)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < l->n; i++)
		array = json_list_add(array, grant_json(&l->v[i], c));
	return array;
}

/* By the names that stockade gives, else by hand. */
static void print_remedy(const struct paths *p, const struct scope_grant *g)
{
	const char *dot = strrchr(g->name, '.');
	char server[SCOPE_GRANT_NAME_SIZE], path[4 * SHOWN];

	snprintf(server, sizeof(server), "%.*s", dot ? (int)(dot - g->name) : 0, g->name);
	if (dot && profile_name_valid(server) && scopes_name_valid(dot + 1))
		printf("    'stockade grants end %s %s' removes it\n", server, dot + 1);
	else
		printf("    it lies in %s/" SCOPE_GRANT_DIR ": remove it there\n",
			text_escape_str(p->runtime, path, sizeof(path)));
}

static void print_grant(const struct paths *p, const struct scope_grant *g, const struct scope_clock *c)
{
	char until[OUTPUT_TIME_SIZE], name[SHOWN], by[4 * SHOWN];

	if (g->damaged) {
		printf("%s  damaged: %s\n", text_escape_str(g->name, name, sizeof(name)),
			text_escape_str(g->damaged, by, sizeof(by)));
		print_remedy(p, g);
		return;
	}
	printf("%s  %s  until %s (%llu s)\n", text_escape_str(g->server, name, sizeof(name)), g->scope,
		output_time(scope_clock_wall(c, g->until_us), until),
		(unsigned long long)((g->until_us - c->boot_us) / 1000000));
	printf("    given by  %s\n", text_escape_str(g->user, name, sizeof(name)));
	printf("    from      %s\n", text_escape_str(g->by, by, sizeof(by)));
}

static int grants_run(const struct command_ctx *ctx)
{
	const struct grants_options *o = ctx->options;
	_cleanup_(granting_done) struct granting g = { 0 };
	_cleanup_scope_grants_ struct scope_grants l = { 0 };
	struct diag d = { "out of memory" };
	int r = granting_init(&g, &d), status = EXIT_OK;

	r = r < 0 ? r : scope_grant_list(&g.paths, &g.clock, &l, &d);
	if (r < 0)
		return command_refuse(&d, r);
	if (o->json)
		status = output_json(stdout, list_json(&l, &g.clock), "the grants");
	else if (l.n == 0)
		puts("Nothing is lifted.");
	for (size_t i = 0; i < l.n; i++) {
		if (!o->json)
			print_grant(&g.paths, &l.v[i], &g.clock);
		status = status == EXIT_OK && l.v[i].damaged ? EXIT_FINDINGS : status;
	}
	return status;
}

/* The file goes first: what takes a right away does not wait for a log that is full. */
static int end(const struct granting *g, const char *server, const char *scope, struct diag *d)
{
	char name[SHOWN], shown[SHOWN];
	int r = scope_grant_remove(&g->paths, server, scope, d);

	text_escape_str(server, name, sizeof(name));
	text_escape_str(scope, shown, sizeof(shown));
	if (r == SCOPE_GRANT_NONE) {
		command_error("%s: '%s' is not lifted; 'stockade grants' lists what is", name, shown);
		return EXIT_FINDINGS;
	}
	if (r == 0)
		r = record(g, server, scope, NULL, "ended", "ended by hand", d);
	if (r < 0)
		return r;
	fprintf(stderr, "%s: '%s' is lifted no longer.\n", name, shown);
	return EXIT_OK;
}

static int end_run(const struct command_ctx *ctx)
{
	_cleanup_(granting_done) struct granting g = { 0 };
	struct diag d = { "out of memory" };
	int r = granting_init(&g, &d);

	r = r < 0 ? r : end(&g, ctx->args.v[0], ctx->args.v[1], &d);
	if (r >= 0)
		return r;
	return command_refuse(&d, r);
}

const struct command_row cmd_grant = {
	.name = "grant",
	.synopsis = "--for TIME NAME|FILE SCOPE",
	.summary = "lift a scope of a server's tools for a while",
	.details = "Only where its profile says that a person may (tools.grant_scopes), for as long as it says at "
		   "most, and where "
		   "the machine's policy does not\n"
		   "forbid it. It holds for servers that run and for those that start meanwhile, ends by itself, and "
		   "is over "
		   "after a reboot. Recorded. Refused when\n"
		   "an MCP client is among the programs that started this command.",
	.options = grant_rows,
	.options_size = sizeof(struct grant_options),
	.min_args = 2,
	.max_args = 2,
	.loosens = true,
	.run = grant_run,
};

const struct command_row cmd_grants = {
	.name = "grants",
	.synopsis = "[--json]\nend NAME SCOPE",
	.summary = "which scopes are lifted, until when, and by whom",
	.details = "Exit status 1 when a file is damaged; it lifts nothing.",
	.options = grants_rows,
	.options_size = sizeof(struct grants_options),
	.run = grants_run,
};

const struct command_row cmd_grants_end = {
	.name = "grants end",
	.synopsis = "NAME SCOPE",
	.summary = "end a grant before its time",
	.details = "Calls that the server has already got go on; the next one is judged without the grant.",
	.options = end_rows,
	.min_args = 2,
	.max_args = 2,
	.run = end_run,
};
