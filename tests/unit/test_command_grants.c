/* SPDX-License-Identifier: Apache-2.0 */
/* test_command_grants - a profile by its name, a file or a command: one of them, and a profile is not added to */
#include "tests/unit/captured.h"
#include <errno.h>
#include "supervisor/commands.h"
#include "supervisor/exit.h"
#include "tests/unit/launch_world.h"
#include "tests/unit/unprivileged.h"

enum { SAID_MAX = 1024 };

/* One command line, as the parser of options leaves it. */
struct line {
	struct grants grants;
	struct command_ctx ctx;
	char said[SAID_MAX];
};

static const struct command_row row = { .name = "run", .max_args = 1, .rest = true };

static void line_name(struct line *l, const char *name)
{
	assert_int_equal(strv_add(&l->ctx.args, name), 0);
}

/* NULL: "--" and nothing after it. */
static void line_rest(struct line *l, const char *word)
{
	l->ctx.rest_given = true;
	if (word)
		assert_int_equal(strv_add(&l->ctx.rest, word), 0);
}

static int line_take(struct line *l)
{
	struct captured c = capture(stderr);
	int status;

	l->ctx.row = &row;
	status = command_take_grants(&l->ctx, &l->grants);
	captured_read(&c, l->said, sizeof(l->said));
	return status;
}

static void line_done(struct line *l)
{
	grants_done(&l->grants);
	strv_done(&l->ctx.args);
	strv_done(&l->ctx.rest);
}

static void a_name_is_that_of_a_profile(void **state)
{
	struct line l = { 0 };

	(void)state;
	line_name(&l, "notes");
	assert_int_equal(strv_add(&l.grants.sets, "level=3"), 0);
	assert_int_equal(line_take(&l), EXIT_OK);
	assert_string_equal(l.grants.name, "notes");
	assert_int_equal(l.grants.command.n, 0);
	assert_string_equal(l.said, "");
	line_done(&l);
}

static void the_words_after_the_dashes_are_the_command(void **state)
{
	struct line l = { 0 };

	(void)state;
	line_rest(&l, "node");
	line_rest(&l, "--ro");
	assert_int_equal(strv_add(&l.grants.read, "/srv"), 0);
	assert_int_equal(line_take(&l), EXIT_OK);
	assert_null(l.grants.name);
	assert_int_equal(l.grants.command.n, 2);
	assert_string_equal(l.grants.command.v[0], "node");
	assert_string_equal(l.grants.command.v[1], "--ro");
	assert_string_equal(l.said, "");
	line_done(&l);
}

static void a_file_of_a_profile_starts_with_a_command_or_with_its_own(void **state)
{
	struct line own = { 0 }, with = { 0 };

	(void)state;
	own.grants.profile_file = strdup("/x.json");
	assert_int_equal(line_take(&own), EXIT_OK);
	assert_int_equal(own.grants.command.n, 0);
	line_done(&own);
	with.grants.profile_file = strdup("/x.json");
	line_rest(&with, "node");
	assert_int_equal(line_take(&with), EXIT_OK);
	assert_int_equal(with.grants.command.n, 1);
	line_done(&with);
}

static void without_name_file_and_dashes_there_is_nothing_to_start(void **state)
{
	struct line l = { 0 };

	(void)state;
	assert_int_equal(strv_add(&l.grants.read, "/srv"), 0);
	assert_int_equal(line_take(&l), EXIT_USAGE);
	assert_string_equal(l.said, "stockade: run: nothing to start: give the NAME of a profile, or a command after "
				    "\"--\"\n\nSee 'stockade run --help'.\n");
	line_done(&l);
}

static void a_name_and_a_command_are_not_started_together(void **state)
{
	struct line l = { 0 };

	(void)state;
	line_name(&l, "no\033te\\s");
	line_rest(&l, NULL);
	assert_int_equal(line_take(&l), EXIT_USAGE);
	assert_non_null(strstr(l.said, "'no\\x1bte\\\\s' names a profile and \"--\" a command: only one of the two"));
	assert_null(l.grants.name);
	line_done(&l);
}

static const char *const options[] = { "--env", "--setenv", "--ro", "--rw", "--host", "--cwd", "--profile" };

static void give(struct grants *g, size_t option)
{
	struct strv *const lists[] = { &g->env_pass, &g->env_set, &g->read, &g->write, &g->hosts };

	if (option < ARRAY_LEN(lists))
		assert_int_equal(strv_add(lists[option], "x"), 0);
	else
		*(option == ARRAY_LEN(lists) ? &g->cwd : &g->profile_file) = strdup("x");
}

static void no_grant_is_added_to_a_profile_by_its_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		struct line l = { 0 };
		char expected[256];
		give(&l.grants, i);
		line_name(&l, "notes");
		snprintf(expected, sizeof(expected),
			"stockade: run: %s cannot be added to the profile 'notes': a profile says itself what its "
			"server "
			"gets; edit it, or use --set for its parameters\n",
			options[i]);
		assert_int_equal(line_take(&l), EXIT_USAGE);
		assert_memory_equal(l.said, expected, strlen(expected));
		assert_null(l.grants.name);
		line_done(&l);
	}
}

static void done_grants_hold_nothing_and_can_be_done_again(void **state)
{
	static const struct grants nothing;
	struct grants g = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		give(&g, i);
	grants_done(&g);
	assert_memory_equal(&g, &nothing, sizeof(g));
	grants_done(&g);
}

/* --- the plan --- */

static int build(const struct launch *l, struct effective *ret, struct diag *d)
{
	struct command_ctx ctx = { .row = &row, .environ = (char **)(uintptr_t)l->env };

	return command_build_plan(&ctx, &l->world->paths, &l->grants, ret, d);
}

static void the_workspace_is_where_this_was_started(void **state)
{
	struct launch *l = *state;
	_cleanup_effective_ struct effective e = { 0 };
	_cleanup_free_ char *before = getcwd(NULL, 0);
	struct diag d = { "" };
	int r;

	assert_int_equal(strv_add(&l->grants.command, "true"), 0);
	assert_int_equal(strv_add(&l->grants.write, LAUNCH_AT(l, "work")), 0);
	assert_int_equal(strv_add(&l->grants.env_pass, "API_TOKEN"), 0);
	assert_int_equal(chdir(LAUNCH_AT(l, "work")), 0);
	r = build(l, &e, &d);
	assert_int_equal(chdir(before), 0);
	if (r < 0)
		fail_msg("%s", d.text);
	assert_string_equal(e.plan.cwd, LAUNCH_AT(l, "work"));
	assert_string_equal(strv_env_get(&e.plan.envp, "API_TOKEN"), "abc");
}

static void a_directory_that_is_gone_is_said_and_nothing_is_built(void **state)
{
	struct launch *l = *state;
	_cleanup_effective_ struct effective e = { 0 };
	_cleanup_free_ char *before = getcwd(NULL, 0);
	struct diag d = { "" };
	int r;

	assert_int_equal(strv_add(&l->grants.command, "true"), 0);
	launch_mkdir(l, "gone");
	assert_int_equal(chdir(LAUNCH_AT(l, "gone")), 0);
	assert_int_equal(rmdir(LAUNCH_AT(l, "gone")), 0);
	r = build(l, &e, &d);
	assert_int_equal(chdir(before), 0);
	assert_int_equal(r, -ENOENT);
	assert_string_equal(
		d.text, "the directory this was started in does not exist any more: change to one that does");
	assert_int_equal(e.exit_hint, EXIT_REFUSED);
	assert_int_equal(e.n_lines, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, launch_up, launch_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_that_of_a_profile),
		cmocka_unit_test(the_words_after_the_dashes_are_the_command),
		cmocka_unit_test(a_file_of_a_profile_starts_with_a_command_or_with_its_own),
		cmocka_unit_test(without_name_file_and_dashes_there_is_nothing_to_start),
		cmocka_unit_test(a_name_and_a_command_are_not_started_together),
		cmocka_unit_test(no_grant_is_added_to_a_profile_by_its_name),
		cmocka_unit_test(done_grants_hold_nothing_and_can_be_done_again),
		T(the_workspace_is_where_this_was_started),
		T(a_directory_that_is_gone_is_said_and_nothing_is_built),
	};
	if (become_unprivileged() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
