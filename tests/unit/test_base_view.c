/* SPDX-License-Identifier: Apache-2.0 */
/* What every sandbox holds: the rows on this machine, what must never be among them, and the published table. */
#include "tests/unit/unit.h"
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include "supervisor/base_view.h"

static struct base_view_args args_for(const char *user, const char *home)
{
	return (struct base_view_args){ .tmp_size = 64 << 20, .user = user, .uid = 1000, .gid = 1000, .home = home };
}

static const struct plan_mount *find(const struct plan *plan, const char *target)
{
	for (size_t i = 0; i < plan->n_mounts; i++)
		if (strcmp(plan->mounts[i].target, target) == 0)
			return &plan->mounts[i];
	return NULL;
}

static const struct plan_mount *need(const struct plan *plan, const char *target)
{
	const struct plan_mount *m = find(plan, target);

	if (!m) {
		fprintf(stderr, "no mount at %s\n", target);
		abort();
	}
	return m;
}

static void build(struct plan *plan)
{
	struct base_view_args a = args_for("ada", "/home/ada");
	struct diag d = { "" };
	int r = base_view_add(plan, &a, &d);

	if (r < 0)
		fail_msg("%d: %s", r, d.text);
}

static void usr_is_bound_read_only_and_identified(void **state)
{
	_cleanup_plan_ struct plan plan = { 0 };
	struct stat st;

	build(&plan);
	const struct plan_mount *m = need(&plan, "/usr");
	assert_int_equal(stat("/usr", &st), 0);
	assert_int_equal(m->kind, PLAN_BIND);
	assert_int_equal(m->flags & PLAN_WRITE, 0);
	assert_int_equal(m->dev, st.st_dev);
	assert_int_equal(m->ino, st.st_ino);
	assert_int_equal(m->type, S_IFDIR);
}

static void only_temporary_directories_and_the_home_are_writable(void **state)
{
	_cleanup_plan_ struct plan plan = { 0 };
	size_t writable = 0;

	build(&plan);
	for (size_t i = 0; i < plan.n_mounts; i++) {
		const struct plan_mount *m = &plan.mounts[i];
		if (!(m->flags & PLAN_WRITE))
			continue;
		writable++;
		assert_int_equal(m->kind, PLAN_TMPFS);
		assert_int_equal(m->size, 64 << 20);
	}
	assert_int_equal(writable, 4);
	assert_int_equal(need(&plan, "/dev/shm")->flags, PLAN_WRITE | PLAN_NOEXEC);
	assert_int_equal(need(&plan, "/home/ada")->mode, 0700);
	assert_int_equal(need(&plan, "/tmp")->mode, 01777);
}

static void nothing_secret_or_of_this_machine_is_in_the_view(void **state)
{
	static const char *const never[] = { "/etc", "/etc/ssl", "/etc/ssl/private", "/etc/machine-id", "/etc/shadow",
		"/etc/npmrc", "/etc/pip.conf", "/home", "/root", "/sys", "/var", "/opt", "/etc/krb5.conf" };
	_cleanup_plan_ struct plan plan = { 0 };

	build(&plan);
	for (size_t i = 0; i < ARRAY_LEN(never); i++) {
		assert_null(find(&plan, never[i]));
		assert_false(base_view_covers(never[i]));
	}
	assert_int_equal(need(&plan, "/run")->kind, PLAN_DIR);
}

static void parents_come_before_children(void **state)
{
	_cleanup_plan_ struct plan plan = { 0 };

	build(&plan);
	for (size_t i = 0; i < plan.n_mounts; i++)
		for (size_t j = 0; j < i; j++) {
			size_t n = strlen(plan.mounts[i].target);
			assert_false(strncmp(plan.mounts[j].target, plan.mounts[i].target, n) == 0 &&
				     plan.mounts[j].target[n] == '/');
		}
}

static void synthetic_files_name_only_the_server_and_the_neutral_host(void **state)
{
	_cleanup_plan_ struct plan plan = { 0 };

	build(&plan);
	assert_non_null(strstr(need(&plan, "/etc/passwd")->content, "ada:x:1000:1000::/home/ada:/bin/sh\n"));
	assert_non_null(strstr(need(&plan, "/etc/group")->content, "ada:x:1000:\n"));
	assert_string_equal(need(&plan, "/etc/hostname")->content, "stockade\n");
	assert_null(strstr(need(&plan, "/etc/resolv.conf")->content, "search"));
	assert_non_null(strstr(need(&plan, "/etc/nsswitch.conf")->content, "hosts: files dns\n"));
}

static void a_link_into_usr_stays_a_link(void **state)
{
	_cleanup_plan_ struct plan plan = { 0 };
	struct stat st;

	build(&plan);
	assert_int_equal(lstat("/lib64", &st), 0);
	const struct plan_mount *m = need(&plan, "/lib64");
	assert_int_equal(m->kind, S_ISLNK(st.st_mode) ? PLAN_SYMLINK : PLAN_BIND);
}

static void a_home_that_would_hide_the_view_is_refused(void **state)
{
	static const char *const homes[] = { "/", "/usr", "/etc", "/var", "/proc", "/home/a:b" };

	for (size_t i = 0; i < ARRAY_LEN(homes); i++) {
		_cleanup_plan_ struct plan plan = { 0 };
		struct base_view_args a = args_for("ada", homes[i]);
		struct diag d = { "" };
		assert_int_equal(base_view_add(&plan, &a, &d), -EINVAL);
		assert_true(*d.text);
	}
}

static void a_name_that_passwd_cannot_hold_is_refused(void **state)
{
	_cleanup_plan_ struct plan plan = { 0 };
	struct base_view_args a = args_for("root:x:0:0\nada", "/home/ada");
	struct diag d = { "" };

	assert_int_equal(base_view_add(&plan, &a, &d), -EINVAL);
}

static void every_mount_but_the_home_has_a_sentence(void **state)
{
	_cleanup_plan_ struct plan plan = { 0 };

	build(&plan);
	for (size_t i = 0; i < plan.n_mounts; i++)
		if (strcmp(plan.mounts[i].target, "/home/ada") != 0 && !base_view_why(plan.mounts[i].target))
			fail_msg("no sentence for %s", plan.mounts[i].target);
	assert_null(base_view_why("/home/ada/x"));
	assert_null(base_view_why("/usr/bin"));
}

static void code_under_usr_is_covered_and_its_lookalikes_are_not(void **state)
{
	assert_true(base_view_covers("/usr/bin/node"));
	assert_true(base_view_covers("/etc/alternatives/java"));
	assert_true(base_view_covers("/etc/java-17-openjdk/jvm-amd64.cfg"));
	assert_true(base_view_covers("/lib64"));
	assert_false(base_view_covers("/usrlocal/bin/node"));
	assert_false(base_view_covers("/etc/javascript-common"));
	assert_false(base_view_covers("/etc/passwd"));
	assert_false(base_view_covers("/tmp/x"));
}

static void the_published_table_is_the_table(void **state)
{
	_cleanup_fclose_ FILE *f = fopen(STOCKADE_DOCS "/base-view.md", "re");
	char line[1024], target[256], kind[256], why[512];
	size_t rows = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "| `%255[^`]` | %255[^|] | %511[^|\n]", target, kind, why) != 3)
			continue;
		rows++;
		if (strcmp(target, "HOME") == 0)
			continue;
		why[strlen(why) - 1] = '\0';
		const char *have = base_view_why(target);
		if (!have)
			fail_msg("%s is published and not in the table", target);
		assert_string_equal(have, why);
	}
	assert_int_equal(rows, base_view_rows());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usr_is_bound_read_only_and_identified),
		cmocka_unit_test(only_temporary_directories_and_the_home_are_writable),
		cmocka_unit_test(nothing_secret_or_of_this_machine_is_in_the_view),
		cmocka_unit_test(parents_come_before_children),
		cmocka_unit_test(synthetic_files_name_only_the_server_and_the_neutral_host),
		cmocka_unit_test(a_link_into_usr_stays_a_link),
		cmocka_unit_test(a_home_that_would_hide_the_view_is_refused),
		cmocka_unit_test(a_name_that_passwd_cannot_hold_is_refused),
		cmocka_unit_test(every_mount_but_the_home_has_a_sentence),
		cmocka_unit_test(code_under_usr_is_covered_and_its_lookalikes_are_not),
		cmocka_unit_test(the_published_table_is_the_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
