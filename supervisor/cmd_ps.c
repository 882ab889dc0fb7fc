/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_ps - stockade ps: the sessions that run */
#include <string.h>
#include "base/text.h"
#include "supervisor/commands.h"
#include "supervisor/exit.h"
#include "supervisor/output.h"
#include "supervisor/registry.h"

struct ps_options {
	bool json;
};

static const struct option_row ps_rows[] = {
	{ "json", 0, OPTION_FLAG, offsetof(struct ps_options, json), NULL, "one JSON array" },
	{ NULL },
};

static json_t *entry_json(const struct registry_entry *e)
{
	char since[OUTPUT_TIME_SIZE];

	return json_pack("{s:s, s:s, s:s, s:s, s:i, s:s, s:I, s:I, s:o}", "session", e->id, "state",
		e->foreign ? "unknown" : "running", "server", e->name, "client", e->client, "pid", e->pid, "since",
		output_time(e->since, since), "calls", (json_int_t)e->counters.calls, "denials",
		(json_int_t)e->counters.denials, "memory",
		e->foreign ? json_null() : json_integer((json_int_t)registry_memory(e->pid)));
}

static json_t *list_json(const struct registry_list *l)
{
	json_t *all = json_array();

	for (size_t i = 0; i < l->n; i++)
		if (json_array_append_new(all, entry_json(&l->v[i])) < 0) {
			json_decref(all);
			return NULL;
		}
	return all;
}

static int print_table(const struct registry_list *l)
{
	char name[64], client[128], since[OUTPUT_TIME_SIZE], memory[32];

	if (l->n == 0) {
		fputs("no server runs through stockade\n", stderr);
		return EXIT_OK;
	}
	printf("%-12s  %-24s  %-20s  %8s  %8s  %8s  %s\n", "SESSION", "SERVER", "SINCE", "CALLS", "DENIED", "MEMORY",
		"CLIENT");
	for (size_t i = 0; i < l->n; i++) {
		const struct registry_entry *e = &l->v[i];
		snprintf(memory, sizeof(memory), "unknown");
		if (!e->foreign)
			snprintf(
				memory, sizeof(memory), "%llu MB", (unsigned long long)(registry_memory(e->pid) >> 20));
		printf("%-12.12s  %-24s  %-20s  %8llu  %8llu  %8s  %s%s\n", e->id,
			text_escape_str(e->name, name, sizeof(name)), output_time(e->since, since),
			(unsigned long long)e->counters.calls, (unsigned long long)e->counters.denials, memory,
			e->foreign ? "(in another container, may have ended) " : "",
			text_escape_str(e->client, client, sizeof(client)));
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
	return o->json ? output_json(stdout, list_json(&l), "the list of sessions") : print_table(&l);
}

const struct command_row cmd_ps = {
	.name = "ps",
	.synopsis = "[--json]",
	.summary = "list the servers that run through stockade",
	.details = "Session, server, client, since when, calls, denials, and the memory of all its processes, "
		   "stockade's own included "
		   "(proportional set size where it can be read, else resident set size).",
	.options = ps_rows,
	.options_size = sizeof(struct ps_options),
	.run = run_ps,
};
