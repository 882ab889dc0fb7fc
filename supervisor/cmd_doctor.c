/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_doctor - `stockade doctor`: the tables of checks, run and printed */
#include "supervisor/doctor.h"

#include <jansson.h>
#include <stdio.h>

#include "supervisor/commands.h"
#include "supervisor/exit.h"
#include "supervisor/output.h"

struct doctor_options {
	bool json;
};

static const struct option_row rows[] = {
	{ "json", 0, OPTION_FLAG, offsetof(struct doctor_options, json), NULL, "one JSON object instead of text" },
	{ 0 },
};

static const struct {
	const char *title;
	const struct doctor_check *checks;
	const size_t *n;
} groups[] = {
	{ "machine", doctor_machine_checks, &doctor_machine_checks_n },
	{ "layers", doctor_layer_checks, &doctor_layer_checks_n },
	{ "places", doctor_place_checks, &doctor_place_checks_n },
};

static const struct {
	const char *word, *json, *colour;
} verdicts[] = {
	[DOCTOR_YES] = { "yes ", "yes", "\033[32m" },
	[DOCTOR_NO] = { "NO  ", "no", "\033[1;31m" },
	[DOCTOR_NOTE] = { "note", "note", "\033[33m" },
};

static void print_result(const char *name, const struct doctor_result *r, bool colour)
{
	printf("  %s%s%s  %s: %s\n", colour ? verdicts[r->verdict].colour : "", verdicts[r->verdict].word,
		colour ? "\033[0m" : "", name, r->found);
	if (r->mend[0])
		printf("        to mend: %s\n", r->mend);
}

static int add_json(json_t *checks, const char *group, const char *name, const struct doctor_result *r)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:s}", "group", group, "name", name, "result", verdicts[r->verdict].json,
		"found", r->found);

	if (!o || (r->mend[0] && json_object_set_new(o, "mend", json_string(r->mend)) < 0)) {
		json_decref(o);
		return -1;
	}
	return json_array_append_new(checks, o);
}

/* Counts what is missing; checks NULL: prints. */
static size_t run_group(size_t g, const struct doctor_env *env, json_t *checks)
{
	bool colour = !checks && command_colour(stdout);
	size_t missing = 0;

	if (!checks)
		printf("%s\n", groups[g].title);
	for (size_t i = 0; i < *groups[g].n; i++) {
		const struct doctor_check *c = &groups[g].checks[i];
		struct doctor_result r = { 0 };

		fflush(stdout); /* a child must not print our buffer again */
		c->probe(env, &r);
		missing += r.verdict == DOCTOR_NO;
		if (!checks)
			print_result(c->name, &r, colour);
		else if (add_json(checks, groups[g].title, c->name, &r) < 0)
			missing++;
	}
	return missing;
}

static int doctor_run(const struct command_ctx *ctx)
{
	const struct doctor_options *o = ctx->options;
	_cleanup_paths_ struct paths paths = { 0 };
	struct diag d = { 0 };
	bool known = paths_init(&paths, &d) == 0;
	const struct doctor_env env = { STOCKADE_LIBEXECDIR, "/proc/sys", "", known ? &paths : NULL, d.text };
	json_t *checks = o->json ? json_array() : NULL;
	size_t missing = 0;

	for (size_t g = 0; g < ARRAY_LEN(groups); g++)
		missing += run_group(g, &env, checks);
	if (checks) {
		int status = output_json(stdout,
			json_pack("{s:b, s:I, s:o}", "ready", missing == 0, "missing", (json_int_t)missing, "checks",
				checks),
			"what was found");
		if (status != EXIT_OK)
			return status;
	} else if (missing) {
		printf("%zu missing: until that is mended stockade refuses to start servers.\n", missing);
	} else {
		printf("Every layer works here.\n");
	}
	return missing ? EXIT_FINDINGS : EXIT_OK;
}

const struct command_row cmd_doctor = {
	.name = "doctor",
	.synopsis = "[--json]",
	.summary = "try every layer on this machine: yes, or no and how to mend it",
	.details = "Each layer of the sandbox is put up for real in a child process and looked at: namespaces, mounts, "
		   "/proc, loopback, seccomp,\n"
		   "Landlock, pidfds, sealed memory; then the helper programs, the audit log, the runtime "
		   "directory, the policy, the bundle and the collector. Exit status 0 when\n"
		   "nothing is missing, 1 otherwise.",
	.options = rows,
	.options_size = sizeof(struct doctor_options),
	.run = doctor_run,
};
