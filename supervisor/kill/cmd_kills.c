/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_kills - `stockade kills`: what is killed, by whom, since when and why */
#include <errno.h>
#include <string.h>
#include "base/text.h"
#include "supervisor/commands.h"
#include "supervisor/exit.h"
#include "supervisor/json_list.h"
#include "supervisor/kill/kill_bundle.h"
#include "supervisor/output.h"

enum { SHOWN = 1024 };

struct kills_options {
	bool json;
};

static const struct option_row kills_rows[] = {
	{ "json", 0, OPTION_FLAG, offsetof(struct kills_options, json), NULL, "one JSON array instead of text" },
	{ NULL },
};

static json_t *list_json(const struct kill_set *set)
{
	json_t *all = json_array();

	for (size_t i = 0; all && i < set->n; i++)
		all = json_list_add(all, kill_entry_json(&set->v[i]));
	return all;
}

static void print_entry(const struct kill_entry *e)
{
	char what[SHOWN], by[KILL_WORDS_SIZE], file[SHOWN], server[SHOWN], tool[SHOWN];
	bool everything = e->server && strcmp(e->server, "*") == 0 && !e->tool;

	printf("%s\n    killed  %s\n", kill_entry_what(e, what, sizeof(what)), kill_entry_by(e, by, sizeof(by)));
	if (!e->damaged)
		printf("    file    %s\n", text_escape_str(e->file, file, sizeof(file)));
	if (e->origin != KILL_BY_USER)
		printf("    lifted  by %s alone\n", e->origin == KILL_BY_ROOT ? "root" : "a newer bundle");
	else if (!e->damaged)
		printf("    lifted  by 'stockade restore%s%s%s%s'\n", everything ? " --all" : " ",
			everything ? "" : text_escape_str(e->server, server, sizeof(server)), e->tool ? " " : "",
			e->tool ? text_escape_str(e->tool, tool, sizeof(tool)) : "");
}

static int kills_run(const struct command_ctx *ctx)
{
	const struct kills_options *o = ctx->options;
	_cleanup_paths_ struct paths p = { 0 };
	_cleanup_kill_bundle_ struct kill_bundle bundle = { 0 };
	_cleanup_kill_set_ struct kill_set set = { 0 };
	struct diag d = { "out of memory" };
	int status = EXIT_OK;

	if (paths_init(&p, &d) < 0 || kill_set_read_with(&p, &bundle, &set) < 0)
		return command_refuse(&d, 0);
	if (bundle.why.text[0])
		command_error("what a bundle kills may be missing here: %s", bundle.why.text);
	if (o->json)
		status = output_json(stdout, list_json(&set), "what is killed");
	else if (set.n == 0)
		puts("Nothing is killed.");
	for (size_t i = 0; i < set.n; i++) {
		if (!o->json)
			print_entry(&set.v[i]);
		status = status == EXIT_OK && set.v[i].damaged ? EXIT_FINDINGS : status;
	}
	return status;
}

const struct command_row cmd_kills = {
	.name = "kills",
	.synopsis = "[--json]",
	.summary = "list what is killed: by whom, since when and why",
	.details = "Your own entries, those of root and those of the bundle: any one of them is enough. Exit status 1 "
		   "when one is damaged; it kills all that it can have meant.",
	.options = kills_rows,
	.options_size = sizeof(struct kills_options),
	.run = kills_run,
};
