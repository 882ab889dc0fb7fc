/* SPDX-License-Identifier: Apache-2.0 */
/* test_overlap - code that another server may write is known as such, from both sides */
#include "tests/unit/launch_world.h"
#include "supervisor/consent.h"
#include "supervisor/registry.h"
#include "tests/unit/unprivileged.h"

static void words(struct launch *l, const char *one, const char *two)
{
	strv_done(&l->grants.command);
	assert_int_equal(strv_add(&l->grants.command, one), 0);
	if (two)
		assert_int_equal(strv_add(&l->grants.command, LAUNCH_AT(l, two)), 0);
}

static void writes(struct launch *l, const char *path)
{
	strv_done(&l->grants.write);
	if (path)
		assert_int_equal(strv_add(&l->grants.write, LAUNCH_AT(l, path)), 0);
}

/* Another server, which may write path; it is described and left in l->e. */
static void describe_writer(struct launch *l, const char *path)
{
	l->file[0] = '\0';
	words(l, "true", NULL);
	writes(l, path);
	launch_describe(l);
}

static void describe_owner(struct launch *l)
{
	l->file[0] = '\0';
	words(l, "sh", "code/server");
	writes(l, NULL);
	launch_describe(l);
}

static void approve(struct launch *l)
{
	if (consent_remember(&l->world->paths, &l->e, "terminal", &l->world->lineage, &l->d) < 0)
		fail_msg("%s", l->d.text);
}

static void an_approved_server_that_may_write_the_code_spoils_the_answer(void **state)
{
	static const char *const places[] = { "code", "code/server" };
	struct launch *l = *state;

	describe_owner(l);
	assert_false(l->e.never_remember);
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		struct approval gone = { 0 };
		char digest[65];
		describe_writer(l, places[i]);
		approve(l);
		memcpy(digest, l->e.digest, sizeof(digest));
		describe_owner(l);
		assert_true(l->e.never_remember);
		assert_true(l->e.danger & DANGER_OWN_CODE);
		assert_non_null(launch_line(l, LINE_NOTE, "can be rewritten by the approved server 'true'"));
		assert_int_equal(consent_revoke(&l->world->paths, digest, &gone, &l->d), 0);
		approval_done(&gone);
		describe_owner(l);
		assert_false(l->e.never_remember);
	}
}

/* A script of a package, whose tree is the whole package. */
static void describe_package(struct launch *l)
{
	l->file[0] = '\0';
	words(l, "/usr/bin/python3", "code/pkg/server.py");
	writes(l, NULL);
	launch_describe(l);
	assert_string_equal(l->e.cmd.trees[0].path, LAUNCH_AT(l, "code/pkg"));
}

static void a_writer_whose_path_lies_inside_a_code_tree_spoils_the_answer(void **state)
{
	struct launch *l = *state;

	launch_mkdir(l, "code/pkg");
	launch_put(l, "code/pkg/pyproject.toml", 0644, "[project]\nname = \"x\"\n");
	launch_put(l, "code/pkg/server.py", 0644, "pass\n");
	launch_mkdir(l, "code/pkg/cache/deep");
	launch_mkdir(l, "code/pkgs");
	describe_writer(l, "code/pkgs");
	approve(l);
	describe_package(l);
	assert_false(l->e.never_remember);
	describe_writer(l, "code/pkg/cache/deep");
	approve(l);
	describe_package(l);
	assert_true(l->e.never_remember);
	assert_true(l->e.danger & DANGER_OWN_CODE);
	assert_non_null(launch_line(l, LINE_NOTE, "can be rewritten by the approved server 'true', which may write "));
	assert_non_null(launch_line(l, LINE_NOTE, "/code/pkg/cache/deep: this answer is not remembered"));
}

static void an_approved_server_that_writes_beside_it_does_not(void **state)
{
	struct launch *l = *state;

	describe_writer(l, "work");
	approve(l);
	launch_put(l, "code/server2", 0755, "#!/bin/sh\n");
	describe_writer(l, "code/server2");
	approve(l);
	describe_owner(l);
	assert_false(l->e.never_remember);
	assert_null(launch_line(l, LINE_NOTE, "can be rewritten"));
}

static void its_own_answer_is_no_other_servers(void **state)
{
	struct launch *l = *state;

	describe_owner(l);
	approve(l);
	describe_owner(l);
	assert_null(launch_line(l, LINE_NOTE, "rewrite"));
}

/* Another server, which may write path and runs. */
static void run_writer(struct launch *l, const char *path, struct registration *ret)
{
	struct registry_args a = { .paths = &l->world->paths,
		.id = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		.name = "other",
		.client = "",
		.digest = "",
		.lineage = &l->world->lineage,
		.init_pid = getpid() };

	describe_writer(l, path);
	a.grants = &l->e.grants;
	assert_int_equal(registry_add(&a, ret, &l->d), 0);
}

static void a_running_writer_whose_path_lies_inside_a_code_tree_counts_too(void **state)
{
	struct launch *l = *state;
	struct registration r;

	launch_mkdir(l, "code/pkg");
	launch_put(l, "code/pkg/pyproject.toml", 0644, "[project]\nname = \"x\"\n");
	launch_put(l, "code/pkg/server.py", 0644, "pass\n");
	launch_mkdir(l, "code/pkg/cache");
	run_writer(l, "code/pkg/cache", &r);
	describe_package(l);
	assert_true(l->e.never_remember);
	assert_non_null(launch_line(l, LINE_NOTE, "/code/pkg/cache: this answer is not remembered"));
	registration_done(&r);
}

static void a_running_server_that_may_write_the_code_counts_without_an_answer(void **state)
{
	struct launch *l = *state;
	struct registration r;

	run_writer(l, "code", &r);
	describe_owner(l);
	assert_true(l->e.never_remember);
	assert_non_null(
		launch_line(l, LINE_NOTE, "can be rewritten by the server 'other', which is running now (aaaa"));
	registration_done(&r);
	describe_owner(l);
	assert_false(l->e.never_remember);
}

static void code_that_root_alone_can_change_is_nobodys_to_rewrite(void **state)
{
	struct launch *l = *state;

	describe_writer(l, "code");
	approve(l);
	l->file[0] = '\0';
	words(l, "sh", "code/server");
	writes(l, NULL);
	launch_look(l);
	for (size_t i = 0; i < l->e.cmd.n_trees; i++)
		l->e.cmd.trees[i].root_only = true;
	launch_digest(l);
	assert_false(l->e.never_remember);
}

static void whoever_gets_the_code_of_another_is_told_whose_it_is(void **state)
{
	struct launch *l = *state;

	describe_owner(l);
	approve(l);
	describe_writer(l, "code");
	const struct effective_line *line =
		launch_line(l, LINE_NOTE, "it may rewrite the code of the approved server 'server'");
	assert_string_equal(line ? line->where : "", "--rw");
	assert_false(l->e.never_remember);
	describe_writer(l, "work");
	assert_null(launch_line(l, LINE_NOTE, "it may rewrite the code"));
}

static void a_damaged_approval_counts_for_nothing(void **state)
{
	struct launch *l = *state;
	char path[PATH_MAX];

	describe_writer(l, "code");
	approve(l);
	assert_in_range(snprintf(path, sizeof(path), "%s/approvals/%s.json", l->world->paths.state, l->e.digest), 1,
		PATH_MAX - 1);
	launch_put(l, path, 0600, "{}");
	describe_owner(l);
	assert_false(l->e.never_remember);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, launch_up, launch_down)
	const struct CMUnitTest tests[] = {
		T(an_approved_server_that_may_write_the_code_spoils_the_answer),
		T(a_writer_whose_path_lies_inside_a_code_tree_spoils_the_answer),
		T(a_running_writer_whose_path_lies_inside_a_code_tree_counts_too),
		T(an_approved_server_that_writes_beside_it_does_not),
		T(its_own_answer_is_no_other_servers),
		T(a_running_server_that_may_write_the_code_counts_without_an_answer),
		T(code_that_root_alone_can_change_is_nobodys_to_rewrite),
		T(whoever_gets_the_code_of_another_is_told_whose_it_is),
		T(a_damaged_approval_counts_for_nothing),
	};
	return become_unprivileged() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
