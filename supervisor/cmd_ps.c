/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_ps - stockade ps: the sessions that run */
#include <string.h>
#include <time.h>
#include "base/text.h"
#include "supervisor/commands.h"
#include "supervisor/exit.h"
#include "supervisor/registry.h"

struct ps_options {
	bool json;
};

static const struct option_row ps_rows[] = {
	{ "json", 0, OPTION_FLAG, offsetof(struct ps_options, json), NULL, "one JSON array" },
	{ NULL },
};

static void format_time(int64_t t, char *ret, size_t size)
{
	time_t at = (time_t)t;
	struct tm tm;

	if (!gmtime_r(&at, &tm) || strftime(ret, size, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		snprintf(ret, size, "?");
}

static json_t *entry_json(const struct registry_entry *e)
{
	char since[32];

	format_time(e->since, since, sizeof(since));
	return json_pack("{s:s, s:s, s:s, s:i, s:s, s:I, s:I, s:I}", "session", e->id, "server", e->name, "client", e->client, "pid", e->pid, "since",
		since, "calls", (json_int_t)e->counters.calls, "denials", (json_int_t)e->counters.denials, "memory",
		(json_int_t)registry_memory(e->pid));
}

static int print_json(const struct registry_list *l)
{
	json_t *all = json_array();
	int r = 0;

	for (size_t i = 0; i < l->n; i++)
		r |= json_array_append_new(all, entry_json(&l->v[i]));
	r |= json_dumpf(all, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(all);
	return r ? EXIT_REFUSED : EXIT_OK;
}

static int print_table(const struct registry_list *l)
{
	char name[64], client[128], since[32];

	if (l->n == 0) {
		fputs("no server runs through stockade\n", stderr);
		return EXIT_OK;
	}
	printf("%-12s  %-24s  %-20s  %8s  %8s  %8s  %s\n", "SESSION", "SERVER", "SINCE", "CALLS", "DENIED", "MEMORY", "CLIENT");
	for (size_t i = 0; i < l->n; i++) {
		const struct registry_entry *e = &l->v[i];
		format_time(e->since, since, sizeof(since));
		printf("%-12.12s  %-24s  %-20s  %8llu  %8llu  %5llu MB  %s\n", e->id, text_escape_str(e->name, name, sizeof(name)), since,
			(unsigned long long)e->counters.calls, (unsigned long long)e->counters.denials,
			(unsigned long long)(registry_memory(e->pid) >> 20), text_escape_str(e->client, client, sizeof(client)));
	}
	return EXIT_OK;
}

static int run_ps(const struct command_ctx *ctx)
{
	const struct ps_options *o = ctx->options;
	_cleanup_paths_ struct paths p = { 0 };
	_cleanup_registry_ struct registry_list l = { 0 };
	struct diag d = { "" };

	if (paths_init(&p, &d) < 0 || registry_read(&p, &l, &d) < 0) {
		command_error("%s", d.text);
		return EXIT_REFUSED;
	}
	return o->json ? print_json(&l) : print_table(&l);
}

const struct command_row cmd_ps = {
	.name = "ps",
	.synopsis = "[--json]",
	.summary = "list the servers that run through stockade",
	.details = "Session, server, client, since when, calls, denials, and the memory of all its processes, stockade's own included "
		   "(proportional set size where it can be read, else resident set size).",
	.options = ps_rows,
	.options_size = sizeof(struct ps_options),
	.run = run_ps,
};
