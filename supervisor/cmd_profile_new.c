/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_profile_new - `stockade profile new`: what a command line grants, as a profile to start from
 *
 * Theory of operation: the plan is drawn as run would draw it, so that what could not be started is refused in the same
 * words. Its grants become keys; what nobody granted is left at the profile's own defaults, which grant nothing. The
 * text is then read back as every profile is and held against those grants: a word that a profile means otherwise than
 * a command line (~, ${NAME}) makes no profile.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/fs.h"
#include "base/text.h"
#include "supervisor/commands.h"
#include "supervisor/exit.h"
#include "supervisor/json_list.h"
#include "supervisor/network.h"
#include "supervisor/profile_parse.h"
#include "supervisor/signing/key_file.h"

enum { SHOWN = 300 };

struct new_options {
	struct grants grants;
	char *output;
};

static const struct option_row new_rows[] = {
	{ "output", 'o', OPTION_STR, offsetof(struct new_options, output), "FILE",
		"write it to FILE, which must not be there yet, instead of printing it" },
	GRANT_ROWS(struct new_options, grants),
	{ 0 },
};

static void new_done(void *options)
{
	struct new_options *o = options;

	grants_done(&o->grants);
	free(o->output);
	o->output = NULL;
}

/* --- grants become keys --- */

/* What lies in the home lies in everybody's. */
static json_t *path_value(const char *path, const char *home)
{
	if (strcmp(home, "/") == 0 || !fs_path_within(path, home))
		return json_string(path);
	return json_sprintf("~%s", path + strlen(home));
}

static json_t *path_list(const struct profile_items *l, const char *home)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < l->n; i++)
		list = json_list_add(list, path_value(l->v[i].value, home));
	return list;
}

static json_t *variables(const struct profile_items *l)
{
	json_t *o = json_object();

	for (size_t i = 0; o && i < l->n; i++) {
		size_t n = strcspn(l->v[i].value, "=");
		_cleanup_free_ char *name = strndup(l->v[i].value, n);
		if (!name || json_object_set_new(o, name, json_string(l->v[i].value + n + 1)) < 0) {
			json_decref(o);
			return NULL;
		}
	}
	return o;
}

static json_t *hosts(const struct net_config *c)
{
	char text[NETWORK_TEXT_MAX];
	json_t *list = json_array();

	for (size_t i = 0; list && i < c->n_grants; i++)
		list = json_list_add(list, json_string(network_grant_text(&c->grants[i], text, sizeof(text))));
	return list;
}

/* Where a profile would start it by itself is not written. */
static json_t *cwd_of(const struct effective *e, const char *home)
{
	return e->profile.cwd.value || strcmp(e->plan.cwd, home) != 0 ? path_value(e->plan.cwd, home) : NULL;
}

/* NULL: some of it is not UTF-8. */
static json_t *profile_of(const char *name, const struct effective *e, const char *home)
{
	const struct profile *f = &e->profile;

	return json_pack("{s:i, s:s, s:i, s:o, s:o*, s:{s:o, s:o}, s:{s:o, s:o, s:s}, s:{s:o}}", "stockade", 1, "name",
		name, "version", 1, "command", path_list(&f->command, home), "cwd", cwd_of(e, home), "env", "set",
		variables(&f->env_set), "pass", path_list(&f->env_pass, "/"), "filesystem", "read",
		path_list(&f->fs_read, home), "write", path_list(&f->fs_write, home), "home", "empty", "network",
		"allow", hosts(&f->network));
}

/* --- and mean the same --- */

static int same_items(const struct profile_items *a, const struct profile_items *b, struct diag *d)
{
	char from[SHOWN], to[SHOWN];

	for (size_t i = 0; i < a->n || i < b->n; i++) {
		const char *was = i < a->n ? a->v[i].value : "", *is = i < b->n ? b->v[i].value : "";
		if (strcmp(was, is) != 0)
			return diag_fail(d, -EINVAL,
				"'%s' would be read as '%s': in a profile ~ and ${NAME} stand for something, so what "
				"has them as they are cannot be written there",
				text_escape_str(was, from, sizeof(from)), text_escape_str(is, to, sizeof(to)));
	}
	return 0;
}

static int check_same(
	const struct effective_args *a, const struct profile *f, const char *name, const char *text, struct diag *d)
{
	const struct profile_args pa = { .paths = a->paths, .sets = &a->grants->sets, .workspace = a->workspace };
	_cleanup_profile_ struct profile back = { 0 };
	_cleanup_free_ char *file = NULL;
	const struct profile_items *const lists[][2] = {
		{ &f->command, &back.command },
		{ &f->env_set, &back.env_set },
		{ &f->env_pass, &back.env_pass },
		{ &f->fs_read, &back.fs_read },
		{ &f->fs_write, &back.fs_write },
	};
	int r = asprintf(&file, "%s.json", name) < 0 ? -ENOMEM : 0;

	if (r == 0)
		r = profile_parse(file, text, strlen(text), NULL, &back, d);
	if (r == 0)
		r = profile_expand(&back, &pa, d);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(lists); i++)
		r = same_items(lists[i][0], lists[i][1], d);
	return r;
}

/* --- the command --- */

static int write_new(const char *path, const char *name, const char *text, struct diag *d)
{
	_cleanup_close_ int dir = -1;
	_cleanup_free_ char *expected = NULL;
	const char *last;
	char shown[SHOWN];
	struct stat st;
	int r = key_file_dir(path, &dir, &last, d);

	if (r < 0)
		return r;
	text_escape_str(path, shown, sizeof(shown));
	if (asprintf(&expected, "%s.json", name) < 0)
		return -ENOMEM;
	if (strcmp(last, expected) != 0)
		return diag_fail(d, -EINVAL,
			"%s: the file of the profile \"%s\" has to be called %s: approvals go by the name, so the two "
			"must agree",
			shown, name, expected);
	if (fstatat(dir, last, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return diag_fail(d, -EEXIST, "%s exists: move it away, or print the new one and take from it", shown);
	r = fs_write_atomic(dir, last, text, strlen(text), 0644, d);
	if (r == 0)
		printf("%s: 'stockade profile lint' says what is left to say, 'stockade check --profile' what it "
		       "grants\n",
			shown);
	return r;
}

static int make(const struct effective_args *a, const char *name, const char *path, int *ret_hint, struct diag *d)
{
	_cleanup_effective_ struct effective e = { .exit_hint = EXIT_REFUSED };
	_cleanup_free_ char *text = NULL, *whole = NULL;
	json_t *profile = NULL;
	int r = effective_build(a, &e, d);

	*ret_hint = e.exit_hint ? e.exit_hint : EXIT_REFUSED;
	if (r < 0)
		return r;
	profile = profile_of(name, &e, a->paths->home);
	if (!profile)
		return diag_fail(d, -EILSEQ, "some word is not UTF-8, which a profile has to be");
	text = json_dumps(profile, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	json_decref(profile);
	if (!text || asprintf(&whole, "%s\n", text) < 0)
		return -ENOMEM;
	r = check_same(a, &e.profile, name, whole, d);
	if (r < 0)
		return r;
	return path ? write_new(path, name, whole, d) : fputs(whole, stdout) < 0 ? -EIO : 0;
}

static int run_profile_new(const struct command_ctx *ctx)
{
	struct new_options *o = ctx->options;
	_cleanup_paths_ struct paths p = { 0 };
	_cleanup_free_ char *cwd = getcwd(NULL, 0);
	/* Whoever writes a profile may do so elsewhere than where it is used: no policy of this machine is asked. */
	struct effective_args a = {
		.paths = &p, .grants = &o->grants, .environ = ctx->environ, .workspace = cwd, .trial = true
	};
	struct diag d = { "out of memory" };
	int hint = EXIT_REFUSED, r;

	if (!ctx->rest_given)
		return command_usage(ctx, "nothing to make a profile of: give the server's command after \"--\"");
	if (strv_extend(&o->grants.command, ctx->rest.v, ctx->rest.n) < 0)
		r = -ENOMEM;
	else if (!cwd || cwd[0] != '/')
		r = diag_fail(&d, -ENOENT, "the directory this was started in does not exist any more");
	else
		r = paths_init(&p, &d);
	if (r == 0)
		r = make(&a, ctx->args.v[0], o->output, &hint, &d);
	if (r == 0)
		return EXIT_OK;
	command_error("no profile was made: %s", d.text);
	return hint;
}

const struct command_row cmd_profile_new = {
	.name = "profile new",
	.synopsis = "[-o FILE] [GRANT]... NAME -- COMMAND [ARG]...",
	.summary = "make a profile of a command line, to start from",
	.details =
		"Prints a profile that starts COMMAND with what the options grant and nothing else, as 'stockade run' "
		"with the same words would. What is in the home is written with ~. Owner, review, expiry and the "
		"tools that may be called are for a person to add: 'stockade profile lint' says so.",
	.options = new_rows,
	.options_size = sizeof(struct new_options),
	.options_done = new_done,
	.min_args = 1,
	.max_args = 1,
	.rest = true,
	.run = run_profile_new,
};
