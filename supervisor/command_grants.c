/* SPDX-License-Identifier: Apache-2.0 */
/* command_grants - the words of run, approve, check, pin and diff that say what to start (commands.h) */
#include <errno.h>
#include <string.h>
#include "base/text.h"
#include "supervisor/commands.h"
#include "supervisor/exit.h"

/* NAME and --cwd and the like: a profile says for itself what its server gets. */
static const char *grant_given(const struct grants *g)
{
	const struct {
		const char *option;
		bool given;
	} rows[] = {
		{ "--env", g->env_pass.n > 0 },
		{ "--setenv", g->env_set.n > 0 },
		{ "--ro", g->read.n > 0 },
		{ "--rw", g->write.n > 0 },
		{ "--host", g->hosts.n > 0 },
		{ "--cwd", g->cwd != NULL },
		{ "--profile", g->profile_file != NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].given)
			return rows[i].option;
	return NULL;
}

static int check_name(const struct command_ctx *ctx, const struct grants *g)
{
	const char *given = grant_given(g);
	char shown[256];

	text_escape_str(ctx->args.v[0], shown, sizeof(shown));
	if (ctx->rest_given)
		return command_usage(
			ctx, "'%s' names a profile and \"--\" a command: only one of the two can be started", shown);
	if (given)
		return command_usage(ctx,
			"%s cannot be added to the profile '%s': a profile says itself what its server gets; edit it, "
			"or use --set for its parameters",
			given, shown);
	return EXIT_OK;
}

int command_take_grants(const struct command_ctx *ctx, struct grants *g)
{
	if (ctx->args.n > 0) {
		int status = check_name(ctx, g);
		if (status != EXIT_OK)
			return status;
		g->name = strdup(ctx->args.v[0]);
		if (g->name)
			return EXIT_OK;
	} else if (!ctx->rest_given && !g->profile_file) {
		return command_usage(ctx, "nothing to start: give the NAME of a profile, or a command after \"--\"");
	} else if (strv_extend(&g->command, ctx->rest.v, ctx->rest.n) == 0) {
		return EXIT_OK;
	}
	command_error("out of memory");
	return EXIT_REFUSED;
}

int command_build_plan(const struct command_ctx *ctx, const struct paths *p, const struct grants *g,
	struct effective *ret, struct diag *d)
{
	_cleanup_free_ char *cwd = getcwd(NULL, 0);
	struct effective_args a = { .paths = p, .grants = g, .environ = ctx->environ, .workspace = cwd };

	ret->exit_hint = EXIT_REFUSED;
	if (!cwd || cwd[0] != '/')
		return diag_fail(d, -ENOENT,
			"the directory this was started in does not exist any more: change to one that does");
	return effective_build(&a, ret, d);
}
