/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_policy_show - `stockade policy show`, `stockade policy lint`: the rules of a policy, each with its line */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "supervisor/commands.h"
#include "supervisor/exit.h"
#include "supervisor/output.h"
#include "supervisor/policy_test/policy_rules.h"

struct show_options {
	bool json;
};

static const struct option_row show_rows[] = {
	{ "json", 0, OPTION_FLAG, offsetof(struct show_options, json), NULL, "one JSON object instead of text" },
	{ 0 },
};

static int print_rules(const char *file, const json_t *rules)
{
	const json_t *o;
	size_t i;

	json_array_foreach(rules, i, o)
		printf("%s:%lld  %s %s\n", file, (long long)json_integer_value(json_object_get(o, "line")),
			json_string_value(json_object_get(o, "key")), json_string_value(json_object_get(o, "shown")));
	return EXIT_OK;
}

/* What holds is what a launch loads; a file that it cannot follow has no rules but the one that nothing starts. */
static int run_policy_show(const struct command_ctx *ctx)
{
	const struct show_options *o = ctx->options;
	_cleanup_policy_ struct policy p = { 0 };
	struct diag d = { "" };
	json_t *rules = NULL;
	int r = policy_load(&p, &d), status;

	if (r == 0 && p.file)
		r = policy_rules(p.file, FS_TRUST_ROOT, 0, &rules, &d);
	if (r < 0)
		return command_refuse(&d, r);
	if (o->json) {
		json_t *file = p.file ? json_string(p.file) : json_null();
		return output_json(stdout, json_pack("{s:o, s:o}", "file", file, "rules", rules ? rules : json_array()),
			"the policy");
	}
	if (!p.file)
		puts("There is no policy: " POLICY_FILE
		     " does not exist, and nobody but you lays anything down here (stockade-policy(5)).");
	status = print_rules(p.file ? p.file : "", rules);
	json_decref(rules);
	return status;
}

static int run_policy_lint(const struct command_ctx *ctx)
{
	const struct show_options *o = ctx->options;
	_cleanup_free_ char *path = realpath(ctx->args.v[0], NULL);
	struct diag d = { "out of memory" };
	json_t *found = json_array();
	const json_t *one;
	char shown[256];
	size_t i;
	int r;

	if (!path) {
		command_error("%s: %s", text_escape_str(ctx->args.v[0], shown, sizeof(shown)), strerror(errno));
		json_decref(found);
		return EXIT_REFUSED;
	}
	r = policy_lint(path, found, &d);
	if (r < 0) {
		command_error("%s", d.text);
		json_decref(found);
		return EXIT_REFUSED;
	}
	r = json_array_size(found) ? EXIT_FINDINGS : EXIT_OK;
	if (o->json) {
		json_t *root = json_pack("{s:s, s:b, s:o}", "file", text_escape_str(path, shown, sizeof(shown)), "bad",
			r != EXIT_OK, "findings", found);
		return output_json(stdout, root, "what was found") == EXIT_OK ? r : EXIT_REFUSED;
	}
	json_array_foreach(found, i, one) printf("%s %s\n", json_string_value(json_object_get(one, "severity")),
		json_string_value(json_object_get(one, "words")));
	json_decref(found);
	return r;
}

const struct command_row cmd_policy_show = {
	.name = "policy show",
	.synopsis = "[--json]",
	.summary = "the policy in force, each rule with its line",
	.details = "Prints FILE:LINE, the key and what it says, or that there is no policy. What they come to for one "
		   "server "
		   "'stockade check NAME' says.",
	.options = show_rows,
	.options_size = sizeof(struct show_options),
	.run = run_policy_show,
};

const struct command_row cmd_policy_lint = {
	.name = "policy lint",
	.synopsis = "[--json] FILE",
	.summary = "say what is wrong with a policy before it is installed",
	.details = "An error denies every launch; a warning is a rule that does not mean here what it says: a key, a "
		   "group "
		   "or a date that is not what it names. Exit status 0: nothing was found.",
	.options = show_rows,
	.options_size = sizeof(struct show_options),
	.min_args = 1,
	.max_args = 1,
	.run = run_policy_lint,
};
