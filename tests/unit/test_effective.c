/* SPDX-License-Identifier: Apache-2.0 */
/* test_effective - what enter and the shim are told is what was shown, and what cannot be launched is refused in words
 */
#include "tests/unit/launch_change.h"
#include "supervisor/exit.h"
#include "tests/unit/unprivileged.h"

/* --- what is made of it for enter and the shim --- */

/* What the plan has at HOME/relative: 'r', 'w', 'l' for a link, or ' '. */
static char mounted(const struct launch *l, const char *relative)
{
	const char *target = LAUNCH_AT(l, relative);
	char found = ' ';

	for (size_t i = 0; i < l->e.plan.n_mounts; i++) {
		const struct plan_mount *m = &l->e.plan.mounts[i];
		if (strcmp(m->target, target) == 0)
			found = m->kind == PLAN_SYMLINK ? 'l' : m->flags & PLAN_WRITE ? 'w' : 'r';
	}
	return found;
}

static void the_plan_holds_what_was_shown(void **state)
{
	struct launch *l = *state;

	launch_describe(l);
	assert_string_equal(l->e.name, "notes");
	assert_string_equal(l->e.subject, "profile:notes");
	assert_int_equal(l->e.plan.uid, geteuid());
	assert_false(l->e.plan.drop_root);
	assert_string_equal(l->e.plan.cwd, LAUNCH_AT(l, "work"));
	assert_string_equal(l->e.plan.argv.v[2], "--level=3");
	assert_int_equal(l->e.plan.limits.processes, 20);
	assert_int_equal(l->e.plan.limits.files, 64);
	assert_false(l->e.plan.allow_unix);
	assert_true(l->e.plan.network.on);
	assert_int_equal(mounted(l, "docs"), 'r');
	assert_int_equal(mounted(l, "work"), 'w');
	assert_int_equal(mounted(l, "code/server"), 'r');
	assert_int_equal(mounted(l, "bin/server"), 'l');
	assert_int_equal(mounted(l, "other"), ' ');
	assert_true(strv_contains(&l->e.plan.envp, "MODE=quiet"));
	assert_true(strv_contains(&l->e.plan.envp, "API_TOKEN=abc"));
}

static void the_shim_enforces_what_was_shown(void **state)
{
	struct launch *l = *state;
	const struct shim_config *c = &l->e.shim;
	bool allowed;

	launch_describe(l);
	assert_int_equal(c->line_max, 1 << 20);
	assert_int_equal(c->args, SHIM_ARGS_KEYS);
	assert_false(c->client.sampling.on || c->client.elicitation.on);
	assert_int_equal(c->roots.n, 1);
	assert_string_equal(c->roots.v[0], LAUNCH_AT(l, "work"));
	assert_string_equal(c->stderr_prefix, "[notes] ");
	(void)!shim_rules_match(&c->scope[SHIM_TOOLS], "read_one", 8, &allowed);
	assert_true(allowed);
	(void)!shim_rules_match(&c->scope[SHIM_TOOLS], "write_one", 9, &allowed);
	assert_false(allowed);
	(void)!shim_rules_match(&c->scope[SHIM_PROMPTS], "ask", 3, &allowed);
	assert_true(allowed);
	(void)!shim_rules_match(&c->scope[SHIM_EXTENSIONS], "y/z", 3, &allowed);
	assert_false(allowed);
}

static void without_a_list_the_roots_are_what_is_granted_by_both_of_its_names(void **state)
{
	struct launch *l = *state;

	launch_link(l, "alias", "other");
	launch_edit(l, ", \"roots\": [\"~/work\"]", "");
	launch_grant(l, "--ro", "alias");
	launch_describe(l);
	assert_true(strv_contains(&l->e.shim.roots, LAUNCH_AT(l, "docs")));
	assert_true(strv_contains(&l->e.shim.roots, LAUNCH_AT(l, "work")));
	assert_true(strv_contains(&l->e.shim.roots, LAUNCH_AT(l, "other")));
	assert_true(strv_contains(&l->e.shim.roots, LAUNCH_AT(l, "alias")));
	assert_int_equal(l->e.shim.roots.n, 4);
}

static void without_a_profile_it_is_named_by_its_package(void **state)
{
	struct launch *l = *state;

	launch_mkdir(l, "node_modules/@scope/tool");
	launch_put(l, "node_modules/@scope/tool/index.sh", 0755, "#!/bin/sh\n");
	l->file[0] = '\0';
	launch_grant(l, "--", "sh");
	launch_grant(l, "--", LAUNCH_AT(l, "node_modules/@scope/tool/index.sh"));
	launch_describe(l);
	assert_string_equal(l->e.name, "tool");
	assert_string_equal(l->e.subject, LAUNCH_AT(l, "node_modules/@scope/tool/index.sh"));
}

static void without_a_profile_the_working_directory_is_where_it_was_started_if_that_is_granted(void **state)
{
	struct launch *l = *state;

	l->file[0] = '\0';
	launch_grant(l, "--", "true");
	launch_describe(l);
	assert_string_equal(l->e.plan.cwd, l->world->paths.home);
	launch_grant(l, "--ro", "work");
	launch_describe(l);
	assert_string_equal(l->e.plan.cwd, l->workspace);
}

static void a_profile_without_one_starts_in_the_home_wherever_the_client_stands(void **state)
{
	struct launch *l = *state;

	launch_edit(l, ", \"cwd\": \"~/work\"", "");
	launch_describe(l);
	assert_string_equal(l->e.plan.cwd, l->world->paths.home);
}

/* --- refusals --- */

struct refusal {
	const char *words; /* of the message */
	int error, exit_hint;
	enum launch_change what;
	const char *a, *b;
};

static const struct refusal refusals[] = {
	{ "'..'; write the directory itself", -EINVAL, EXIT_USAGE, GRANT, "--ro", "docs/../work" },
	{ "absent (--ro): No such file or directory; make it, or leave the option out", -ENOENT, EXIT_REFUSED, GRANT,
		"--ro", "absent" },
	{ "--env 1X: not the name of a variable", -EINVAL, EXIT_USAGE, GRANT, "--env", "1X" },
	{ "--env A=B: not the name of a variable", -EINVAL, EXIT_USAGE, GRANT, "--env", "A=B" },
	{ "--env : not the name of a variable", -EINVAL, EXIT_USAGE, GRANT, "--env", "" },
	{ "--setenv NAME: write NAME=VALUE", -EINVAL, EXIT_USAGE, GRANT, "--setenv", "NAME" },
	{ "--setenv =VALUE: write NAME=VALUE", -EINVAL, EXIT_USAGE, GRANT, "--setenv", "=VALUE" },
	{ "--setenv A-B=C: write NAME=VALUE", -EINVAL, EXIT_USAGE, GRANT, "--setenv", "A-B=C" },
	{ "--host", -EINVAL, EXIT_USAGE, GRANT, "--host", "*.com" },
	{ "working directory", -ENOENT, EXIT_REFUSED, GRANT, "--cwd", "other" },
	{ "it is not a socket", -ENOTSOCK, EXIT_REFUSED, CONTENT, "absent.socket", "text" },
	{ "absent.socket: No such file", -ENOENT, EXIT_REFUSED, PROFILE, "?~/absent.socket", "~/absent.socket" },
	{ "npx", -EPERM, EXIT_REFUSED, PROFILE, "\"sh\", \"~/bin/server\"", "\"npx\", \"-y\", \"notes\"" },
	{ "names it so: put its directory into PATH", -ENOENT, EXIT_NOT_FOUND, PROFILE, "\"sh\", ",
		"\"no-such-program-here\", " },
	{ "", -EACCES, EXIT_NOT_EXECUTABLE, PROFILE, "\"sh\", \"~/bin/server\"", "\"~/docs/one\"" },
	{ "not UTF-8", -EILSEQ, EXIT_REFUSED, GRANT, "--setenv", "A=\xff" },
	{ "not UTF-8", -EILSEQ, EXIT_REFUSED, ENVIRON, "NODE_OPTIONS=\xff", NULL },
	{ "level", -EINVAL, EXIT_REFUSED, SET, "level=high", NULL },
};

static void what_cannot_be_launched_is_refused_in_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		const struct refusal *row = &refusals[i];
		void *one;
		assert_int_equal(launch_up(&one), 0);
		struct launch *l = one;
		launch_apply(l, row->what, row->a, row->b);
		int r = launch_build(l);
		if (r != row->error || l->e.exit_hint != row->exit_hint || !strstr(l->d.text, row->words) ||
			!*l->d.text)
			fail_msg("row %zu: %d, exit %d: %s", i, r, l->e.exit_hint, l->d.text);
		assert_int_equal(launch_down(&one), 0);
	}
}

static void an_empty_path_is_no_grant_of_the_working_directory(void **state)
{
	struct launch *l = *state;

	assert_int_equal(strv_add(&l->grants.read, ""), 0);
	assert_int_equal(launch_build(l), -EINVAL);
	assert_non_null(strstr(l->d.text, "--ro: the path is empty"));
}

static void a_failure_without_words_of_its_own_does_not_borrow_those_of_another(void **state)
{
	struct launch *l = *state;
	size_t n = (1 << 20) + 1;
	char *word = malloc(n + 1);

	assert_non_null(word);
	memset(word, 'x', n);
	word[n] = '\0';
	l->file[0] = '\0';
	launch_grant(l, "--", "sh");
	launch_grant(l, "--", LAUNCH_AT(l, "code/server"));
	launch_grant(l, "--", word);
	free(word);
	int r = launch_build(l);
	assert_true(r < 0 && r != -ENOMEM);
	assert_non_null(strstr(l->d.text, "cannot prepare the launch: "));
}

static void below_tmp_there_is_only_what_leads_to_a_grant(void **state)
{
	struct launch *l = *state;

	l->file[0] = '\0';
	launch_grant(l, "--", "true");
	l->grants.cwd = strdup("/tmp");
	launch_describe(l);
	launch_grant(l, "--ro", "docs");
	free(l->grants.cwd);
	l->grants.cwd = strdup(l->world->root);
	launch_describe(l);
	free(l->grants.cwd);
	l->grants.cwd = strdup(LAUNCH_AT(l, "other"));
	assert_int_equal(launch_build(l), -ENOENT);
	assert_non_null(strstr(l->d.text, "is not granted, so it does not exist for the server"));
}

static void a_fetcher_is_told_of_the_profile_that_there_is(void **state)
{
	struct launch *l = *state;

	launch_mkdir(l, ".config/stockade/profiles");
	launch_put(l, ".config/stockade/profiles/server-notes.json", 0644, "{}");
	l->file[0] = '\0';
	launch_grant(l, "--", "npx");
	launch_grant(l, "--", "-y");
	launch_grant(l, "--", "@scope/server-notes@1.2");
	assert_int_equal(launch_build(l), -EPERM);
	assert_non_null(strstr(l->d.text, "'stockade check server-notes' says what it grants"));
	free(l->grants.command.v[2]);
	l->grants.command.v[2] = strdup("@scope/server-others@1.2");
	assert_int_equal(launch_build(l), -EPERM);
	assert_null(strstr(l->d.text, "There is a profile for it"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, launch_up, launch_down)
	const struct CMUnitTest tests[] = {
		T(the_plan_holds_what_was_shown),
		T(the_shim_enforces_what_was_shown),
		T(without_a_list_the_roots_are_what_is_granted_by_both_of_its_names),
		T(without_a_profile_it_is_named_by_its_package),
		T(without_a_profile_the_working_directory_is_where_it_was_started_if_that_is_granted),
		T(a_profile_without_one_starts_in_the_home_wherever_the_client_stands),
		cmocka_unit_test(what_cannot_be_launched_is_refused_in_words),
		T(an_empty_path_is_no_grant_of_the_working_directory),
		T(a_failure_without_words_of_its_own_does_not_borrow_those_of_another),
		T(below_tmp_there_is_only_what_leads_to_a_grant),
		T(a_fetcher_is_told_of_the_profile_that_there_is),
	};
	return become_unprivileged() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
