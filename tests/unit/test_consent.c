/* SPDX-License-Identifier: Apache-2.0 */
/* test_consent - approvals: remembered, looked up, listed, revoked; damaged ones approve nothing */
#include "tests/unit/consent_world.h"
#include <errno.h>
#include <sys/stat.h>
#include "supervisor/consent.h"

static void path_of(const struct world *w, const char *digest, char ret[512])
{
	snprintf(ret, 512, "%s/approvals/%s.json", w->paths.state, digest);
}

static void remember(struct world *w, const struct effective *e, const char *channel)
{
	struct diag d = { "" };

	if (consent_remember(&w->paths, e, channel, &w->lineage, &d) < 0)
		fail_msg("%s", d.text);
}

static void test_an_approval_comes_back_as_it_was_given(void **state)
{
	struct world *w = *state;
	struct effective e;
	struct approval a = { 0 };

	make_launch(&e, "git \xc3\xa9", "/data");
	assert_int_equal(consent_lookup(&w->paths, e.digest, &a, NULL), CONSENT_UNKNOWN);
	remember(w, &e, "terminal");
	assert_int_equal(consent_lookup(&w->paths, e.digest, &a, NULL), CONSENT_APPROVED);
	assert_string_equal(a.digest, e.digest);
	assert_memory_equal(a.id, e.digest, 16);
	assert_string_equal(a.name, e.name);
	assert_string_equal(a.subject, e.subject);
	assert_string_equal(a.channel, "terminal");
	assert_string_equal(a.user, w->paths.user);
	assert_non_null(strstr(a.lineage, "pid "));
	assert_true(json_equal(a.canonical, e.canonical));
	approval_done(&a);
	launch_done(&e);
}

static void test_approval_files_are_for_the_user_alone(void **state)
{
	struct world *w = *state;
	struct effective e;
	char path[512];
	struct stat st;

	make_launch(&e, "x", "/data");
	umask(0);
	remember(w, &e, "digest");
	path_of(w, e.digest, path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	launch_done(&e);
}

static void test_another_plan_is_unknown_and_shows_the_earlier_one(void **state)
{
	struct world *w = *state;
	struct effective before, after;
	struct approval a = { 0 };
	struct approvals all = { 0 };
	const struct approval *earlier;

	make_launch(&before, "x", "/data");
	make_launch(&after, "x", "/other");
	remember(w, &before, "approve");
	assert_int_equal(consent_lookup(&w->paths, after.digest, &a, NULL), CONSENT_UNKNOWN);
	assert_int_equal(consent_list(&w->paths, &all, NULL), 0);
	earlier = consent_earlier(&all, after.subject, after.digest);
	assert_string_equal(earlier ? earlier->digest : "", before.digest);
	assert_null(consent_earlier(&all, before.subject, before.digest));
	assert_null(consent_earlier(&all, "/another/server", after.digest));
	approvals_done(&all);
	launch_done(&before);
	launch_done(&after);
}

static void test_what_can_rewrite_itself_is_never_remembered(void **state)
{
	struct world *w = *state;
	struct approval a = { 0 };
	struct effective e;
	struct diag d = { "" };

	make_launch(&e, "x", "/data");
	e.never_remember = true;
	assert_int_equal(consent_remember(&w->paths, &e, "terminal", &w->lineage, &d), -EPERM);
	assert_non_null(strstr(d.text, "never remembered"));
	assert_int_equal(consent_lookup(&w->paths, e.digest, &a, NULL), CONSENT_UNKNOWN);
	launch_done(&e);
}

static void test_a_digest_that_is_not_the_plans_is_refused(void **state)
{
	struct world *w = *state;
	struct effective e;
	struct diag d = { "" };

	make_launch(&e, "x", "/data");
	e.digest[0] = e.digest[0] == '0' ? '1' : '0';
	assert_int_equal(consent_remember(&w->paths, &e, "terminal", &w->lineage, &d), -EINVAL);
	assert_non_null(strstr(d.text, "not the one that was shown"));
	launch_done(&e);
}

static void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

/* Changes one stored approval by a shell command and expects a denial that says so. */
static void test_a_damaged_approval_approves_nothing_and_says_so(void **state)
{
	static const struct {
		const char *damage, *words;
	} cases[] = {
		{ ": >FILE", "not JSON" },
		{ "printf '{}' >FILE", "members of an approval" },
		{ "printf '[]' >FILE", "members of an approval" },
		{ "truncate -s 100 FILE", "not JSON" },
		{ "sed -i 's|/data|/etc/|' FILE", "changed after the approval" },
		{ "sed -i 's|\"v\": 1|\"v\": 2|' FILE", "members of an approval" },
		{ "sed -i 's|\"when\": \"20|\"when\": \"x0|' FILE", "members of an approval" },
		{ "sed -i 's|\"channel\"|\"chanel\"|' FILE", "members of an approval" },
		{ "sed -i 's|{|{\"v\": 1,|' FILE", "not JSON" }, /* a key twice */
		{ "chmod 0666 FILE", "written by others" },
		{ "chmod 0620 FILE", "written by others" },
		{ "ln -sf /etc/passwd FILE", "symbolic link" },
		{ "rm FILE; mkdir FILE", "not a regular file" },
		{ "rm FILE; mkfifo FILE", "not a regular file" },
		{ "truncate -s 6M FILE", "longer than" },
	};
	struct world *w = *state;
	struct effective e;
	char path[512];

	make_launch(&e, "x", "/data");
	path_of(w, e.digest, path);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char command[2048];
		struct approval a = { 0 };
		struct approvals l = { 0 };
		struct diag d = { "" };
		remember(w, &e, "terminal");
		snprintf(command, sizeof(command), "FILE=%s; %s", path, cases[i].damage);
		for (char *p = command + 5; (p = strstr(p, "FILE"));)
			memmove(p + 5, p + 4, strlen(p + 4) + 1), memcpy(p, "$FILE", 5), p += 5;
		assert_int_equal(system(command), 0);
		if (consent_lookup(&w->paths, e.digest, &a, &d) >= 0 || !strstr(d.text, cases[i].words))
			fail_msg("%s: %s", cases[i].damage, d.text);
		assert_int_equal(consent_list(&w->paths, &l, &d), 0);
		assert_int_equal(l.n, 1);
		assert_non_null(l.v[0].damaged);
		approvals_done(&l);
		snprintf(command, sizeof(command), "rm -rf %s", path);
		assert_int_equal(system(command), 0);
	}
	launch_done(&e);
}

static void test_a_state_directory_open_to_others_approves_nothing(void **state)
{
	struct world *w = *state;
	struct approval a = { 0 };
	struct effective e;
	struct diag d = { "" };
	char path[512];

	make_launch(&e, "x", "/data");
	remember(w, &e, "terminal");
	snprintf(path, sizeof(path), "%s/approvals", w->paths.state);
	assert_int_equal(chmod(path, 0777), 0);
	assert_true(consent_lookup(&w->paths, e.digest, &a, &d) < 0);
	assert_non_null(strstr(d.text, "approvals"));
	launch_done(&e);
}

static void test_the_list_is_in_order_and_passes_over_what_is_no_approval(void **state)
{
	struct world *w = *state;
	struct approvals l = { 0 };
	struct effective a, b;
	char path[512];

	make_launch(&a, "a", "/a");
	make_launch(&b, "b", "/b");
	remember(w, &a, "terminal");
	sleep(1);
	remember(w, &b, "approve");
	path_of(w, "notes", path);
	write_file(path, "x", 0600);
	assert_int_equal(consent_list(&w->paths, &l, NULL), 0);
	assert_int_equal(l.n, 2);
	assert_string_equal(l.v[0].name, "a");
	assert_string_equal(l.v[1].channel, "approve");
	approvals_done(&l);
	launch_done(&a);
	launch_done(&b);
}

static void test_revoking_takes_a_unique_beginning(void **state)
{
	struct world *w = *state;
	struct approval a = { 0 };
	struct effective e[40];
	struct diag d = { "" };
	char prefix[3] = "";

	/* Forty digests: two of them begin with the same digit. */
	for (size_t i = 0; i < ARRAY_LEN(e); i++) {
		char reads[16];
		snprintf(reads, sizeof(reads), "/%zu", i);
		make_launch(&e[i], "x", reads);
		remember(w, &e[i], "terminal");
	}
	for (size_t i = 1; i < ARRAY_LEN(e) && !prefix[0]; i++)
		if (e[i].digest[0] == e[0].digest[0])
			prefix[0] = e[0].digest[0];
	assert_true(prefix[0]);
	assert_int_equal(consent_revoke(&w->paths, prefix, &a, &d), -EEXIST);
	assert_non_null(strstr(d.text, "more than one"));
	assert_int_equal(consent_revoke(&w->paths, "", &a, &d), -ENOENT);
	assert_int_equal(consent_revoke(&w->paths, "../x", &a, &d), -ENOENT);
	assert_int_equal(consent_revoke(&w->paths, e[0].name, &a, &d), -ENOENT);
	assert_non_null(strstr(d.text, "is a server; revoke its approvals by their ids: "));
	assert_int_equal(consent_revoke(&w->paths, e[0].digest, &a, &d), 0);
	assert_string_equal(a.digest, e[0].digest);
	approval_done(&a);
	assert_int_equal(consent_lookup(&w->paths, e[0].digest, &a, &d), CONSENT_UNKNOWN);
	assert_int_equal(consent_revoke(&w->paths, e[0].digest, &a, &d), -ENOENT);
	for (size_t i = 0; i < ARRAY_LEN(e); i++)
		launch_done(&e[i]);
}

static void test_a_damaged_approval_can_be_revoked(void **state)
{
	struct world *w = *state;
	struct approval a = { 0 };
	struct effective e;
	struct diag d = { "" };
	char path[512], prefix[9];

	make_launch(&e, "x", "/data");
	remember(w, &e, "terminal");
	path_of(w, e.digest, path);
	write_file(path, "{", 0600);
	snprintf(prefix, sizeof(prefix), "%.3s", e.digest);
	assert_int_equal(consent_revoke(&w->paths, prefix, &a, &d), -EEXIST);
	assert_non_null(strstr(d.text, "give 4 digits"));
	snprintf(prefix, sizeof(prefix), "%.4s", e.digest);
	assert_int_equal(consent_revoke(&w->paths, prefix, &a, &d), 0);
	approval_done(&a);
	assert_int_equal(access(path, F_OK), -1);
	launch_done(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_an_approval_comes_back_as_it_was_given, world_up, world_down),
		cmocka_unit_test_setup_teardown(test_approval_files_are_for_the_user_alone, world_up, world_down),
		cmocka_unit_test_setup_teardown(
			test_another_plan_is_unknown_and_shows_the_earlier_one, world_up, world_down),
		cmocka_unit_test_setup_teardown(test_what_can_rewrite_itself_is_never_remembered, world_up, world_down),
		cmocka_unit_test_setup_teardown(test_a_digest_that_is_not_the_plans_is_refused, world_up, world_down),
		cmocka_unit_test_setup_teardown(
			test_a_damaged_approval_approves_nothing_and_says_so, world_up, world_down),
		cmocka_unit_test_setup_teardown(
			test_a_state_directory_open_to_others_approves_nothing, world_up, world_down),
		cmocka_unit_test_setup_teardown(
			test_the_list_is_in_order_and_passes_over_what_is_no_approval, world_up, world_down),
		cmocka_unit_test_setup_teardown(test_revoking_takes_a_unique_beginning, world_up, world_down),
		cmocka_unit_test_setup_teardown(test_a_damaged_approval_can_be_revoked, world_up, world_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
