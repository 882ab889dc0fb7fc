/* SPDX-License-Identifier: Apache-2.0 */
/* test_policy_groups - whose servers are whose (supervisor/policy/policy_groups.h) */
#include <errno.h>
#include "tests/unit/policy_unit.h"
#include "tests/unit/unprivileged.h"

static void put_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void a_group_of_this_machine_has_the_members_that_its_file_names_now(void **state)
{
	static const struct {
		const char *file, *name;
		bool member;
	} rows[] = {
		{ "dev:x:4000000:alice,bob\n", "dev", true },
		{ "dev:x:4000000:bob\n", "dev", false }, /* revoked since the login */
		{ "dev:x:4000000:\n", "dev", false },
		{ "dev:x:4000000:alicex,xalice\n", "dev", false },
		{ "devs:x:4000000:alice\n", "dev", false },
		{ "dev:x:4000000:bob\ndev:x:4000000:alice\n", "dev", true },
		{ "dev:x:4000000:alice\n", "gid:4000000", true },
		{ "dev:x:4000000:bob\n", "gid:4000000", false },
		{ "", "dev", false },
		{ "", "gid:4000001", false },
	};
	const struct paths p = { .uid = 4000000, .user = (char *)(uintptr_t) "alice" };
	char path[] = "/tmp/stockade-group-XXXXXX", own[64];

	(void)state;
	close(mkstemp(path));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		put_file(path, rows[i].file);
		if (policy_group_has(path, &p, rows[i].name) != rows[i].member)
			fail_msg("row %zu", i);
	}
	/* What no file names, the kernel says, by its number. */
	put_file(path, "");
	snprintf(own, sizeof(own), "gid:%u", getgid());
	assert_true(policy_group_has(path, &p, own));
	/* The file decides about what stands in it: with a primary group that nobody else can know. */
	assert_int_equal(unlink(path), 0);
	assert_false(policy_group_has(path, &p, "dev"));
}

/* A policy whose only groups are the caller's own, by number, and one that nobody is in. */
static void groups_of(const char *mine, const char *others, struct policy *ret)
{
	char text[512];

	snprintf(text, sizeof(text), POLICY("\"groups\": {\"gid:%u\": {%s}%s%s}"), getgid(), mine, *others ? ",\n" : "",
		others);
	policy_ok(text, ret);
}

static void a_server_is_for_members_with_the_tools_of_their_groups_together(void **state)
{
	static const struct {
		const char *mine, *others, *server, *tool;
		int r;
		bool allowed;
	} rows[] = {
		{ "\"servers\": [\"github\"]", "", "github", "x", 0, true },
		{ "\"servers\": [\"github\"]", "", "other", "x", 0, true }, /* named by none */
		{ "\"servers\": [\"git*\"], \"tools\": [\"get_*\"]", "", "github", "get_a", 0, true },
		{ "\"servers\": [\"git*\"], \"tools\": [\"get_*\"]", "", "github", "put_a", 0, false },
		{ "\"servers\": [\"git*\"], \"tools\": []", "", "github", "get_a", 0, false },
		{ "\"servers\": [\"x\"]", "\"gid:4000001\": {\"servers\": [\"github\"]}", "github", "x", -EPERM,
			false },
		{ "\"servers\": [\"github\"], \"tools\": [\"a\"]",
			"\"gid:4000001\": {\"servers\": [\"github\"], \"tools\": [\"b\"]}", "github", "b", 0, false },
		{ "\"servers\": [\"github\"], \"tools\": [\"a\"]", "\"gid:4000001\": {\"servers\": [\"github\"]}",
			"github", "b", 0, false },
	};
	struct paths p = { .uid = getuid(), .user = (char *)(uintptr_t) "nobody-at-all" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct shim_rules tools = { .ceiling = calloc(1, sizeof(*tools.ceiling)) };
		_cleanup_policy_ struct policy policy;
		struct diag d = { "" };
		groups_of(rows[i].mine, rows[i].others, &policy);
		int r = policy_judge_groups(&policy.groups, &p, rows[i].server, tools.ceiling, &d);
		bool allowed = r == 0 && shim_rules_judge(&tools, rows[i].tool, strlen(rows[i].tool)).allowed;
		if (r != rows[i].r || allowed != rows[i].allowed || (r < 0 && !strstr(d.text, "(groups.gid:4000001)")))
			fail_msg("row %zu: %d, %d: %s", i, r, allowed, d.text);
		shim_rules_done(&tools);
	}
}

static void two_groups_of_one_user_have_their_tools_together(void **state)
{
	struct paths p = { .uid = getuid(), .user = (char *)(uintptr_t) "nobody-at-all" };
	struct shim_rules tools = { .ceiling = calloc(1, sizeof(*tools.ceiling)) };
	_cleanup_policy_ struct policy policy;
	struct diag d = { "" };

	(void)state;
	groups_of("\"servers\": [\"x\"], \"tools\": [\"a\"]",
		"\"gid:4000001\": {\"servers\": [\"*\"], \"tools\": [\"b\"]}", &policy);
	/* Of the one group that every process has, twice. */
	free(policy.groups.v[1].name);
	policy.groups.v[1].name = strdup(policy.groups.v[0].name);
	assert_int_equal(policy_judge_groups(&policy.groups, &p, "x", tools.ceiling, &d), 0);
	assert_true(shim_rules_judge(&tools, "a", 1).allowed);
	assert_true(shim_rules_judge(&tools, "b", 1).allowed);
	assert_false(shim_rules_judge(&tools, "c", 1).allowed);
	shim_rules_done(&tools);
}

static void what_names_no_group_denies_every_launch_in_words(void **state)
{
	static const char *const rows[][2] = {
		{ POLICY("\"groups\": []"), "groups must be an object" },
		{ POLICY("\"groups\": {\"\": {\"servers\": [\"x\"]}}"), "is no name of a group" },
		{ POLICY("\"groups\": {\"a:b\": {\"servers\": [\"x\"]}}"), "is no name of a group" },
		{ POLICY("\"groups\": {\"gid:-1\": {\"servers\": [\"x\"]}}"), "is no name of a group" },
		{ POLICY("\"groups\": {\"a\": []}"), "must hold \"servers\"" },
		{ POLICY("\"groups\": {\"a\": {}}"), "without \"servers\"" },
		{ POLICY("\"groups\": {\"a\": {\"servers\": []}}"), "without \"servers\"" },
		{ POLICY("\"groups\": {\"a\": {\"servers\": \"x\"}}"), "must hold lists of names" },
		{ POLICY("\"groups\": {\"a\": {\"servers\": [\"x\"], \"tool\": []}}"), "more than \"servers\"" },
		{ POLICY("\"groups\": {\"a\": {\"servers\": [\"x?\"]}}"), "'*' is the only" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		policy_refused(rows[i][0], rows[i][1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_group_of_this_machine_has_the_members_that_its_file_names_now),
		cmocka_unit_test(a_server_is_for_members_with_the_tools_of_their_groups_together),
		cmocka_unit_test(two_groups_of_one_user_have_their_tools_together),
		cmocka_unit_test(what_names_no_group_denies_every_launch_in_words),
	};

	return become_unprivileged() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
