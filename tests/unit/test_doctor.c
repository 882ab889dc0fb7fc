/* SPDX-License-Identifier: Apache-2.0 */
/* test_doctor - the mend that is named for each kind of refusal, and the layers of the machine that runs this */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/doctor.h"
#include "tests/unit/tree.h"

struct machine {
	char root[64];
	char sysctl[80];
	struct doctor_env env;
};

static void put(const char *root, const char *path, const char *text)
{
	char full[256];
	FILE *f;

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (char *p = full + strlen(root) + 1; (p = strchr(p, '/')); p++) {
		*p = 0;
		(void)!mkdir(full, 0755);
		*p = '/';
	}
	f = fopen(full, "we");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void machine_make(struct machine *m)
{
	memset(m, 0, sizeof(*m));
	strncpy(m->root, "/tmp/stockade-doctor-XXXXXX", sizeof(m->root) - 1);
	assert_non_null(mkdtemp(m->root));
	snprintf(m->sysctl, sizeof(m->sysctl), "%s/proc/sys", m->root);
	m->env = (struct doctor_env){ "/usr/libexec/stockade", m->sysctl, m->root, NULL, "" };
}

static void machine_done(struct machine *m)
{
	assert_int_equal(remove_tree(m->root), 0);
}

static void mend_of(const struct machine *m, int error, struct doctor_result *r)
{
	struct doctor_attempt a = { .error = error };

	memset(r, 0, sizeof(*r));
	doctor_mend_namespaces(&m->env, &a, r);
}

/* One row a wall: the file that says so, and a word of the mend. */
static const struct {
	const char *path, *text, *mend;
	int error;
} walls[] = {
	{ "/proc/sys/kernel/unprivileged_userns_clone", "0\n", "kernel.unprivileged_userns_clone=1", EPERM },
	{ "/proc/sys/user/max_user_namespaces", "0\n", "user.max_user_namespaces=15000", ENOSPC },
	{ "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n",
		"apparmor/stockade-enter /etc/apparmor.d/ and apparmor_parser -r", EPERM },
	{ "/.dockerenv", "", "docker container", EPERM },
	{ "/run/.containerenv", "", "podman container", EPERM },
	{ "/run/systemd/container", "lxc\n", "security.nesting", EPERM },
	{ "/proc/1/cgroup", "0::/kubepods/x\n", "kubernetes", EPERM },
	{ "/etc/none", "", "chroot", EPERM },
	{ "/etc/none", "", "used up", ENOSPC },
	{ "/etc/none", "", "CONFIG_USER_NS", EINVAL },
};

static void each_wall_gets_its_own_mend(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(walls); i++) {
		struct machine m;
		struct doctor_result r;

		machine_make(&m);
		put(m.root, walls[i].path, walls[i].text);
		mend_of(&m, walls[i].error, &r);
		if (!strstr(r.mend, walls[i].mend))
			fail_msg("%s: '%s' lacks '%s'", walls[i].path, r.mend, walls[i].mend);
		machine_done(&m);
	}
}

static void a_sysctl_that_allows_is_not_blamed(void **state)
{
	struct machine m;
	struct doctor_result r;

	machine_make(&m);
	put(m.root, "/proc/sys/kernel/unprivileged_userns_clone", "1\n");
	put(m.root, "/proc/sys/user/max_user_namespaces", "15000\n");
	put(m.root, "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "0\n");
	mend_of(&m, EPERM, &r);
	assert_null(strstr(r.mend, "sysctl -w"));
	assert_null(strstr(r.mend, "apparmor_parser"));
	machine_done(&m);
}

static void a_sysctl_that_is_no_number_is_unknown(void **state)
{
	struct machine m;

	machine_make(&m);
	put(m.root, "/proc/sys/user/max_user_namespaces", "many\n");
	assert_int_equal(doctor_sysctl(&m.env, "user/max_user_namespaces"), -1);
	assert_int_equal(doctor_sysctl(&m.env, "user/absent"), -1);
	machine_done(&m);
}

/* What the kernel calls itself, what is said of WSL then, and a word of the mend. */
static const struct {
	const char *release, *found, *mend;
	enum doctor_verdict verdict;
} releases[] = {
	{ "6.1.0-18-amd64\n", "a Linux of its own", "", DOCTOR_YES },
	{ "6.6.87.2-microsoft-standard-WSL2\n", "Windows drives under /mnt", "grant nothing under /mnt", DOCTOR_NOTE },
	{ "4.4.0-19041-Microsoft\n", "WSL 1 is not a Linux kernel", "wsl --set-version DISTRIBUTION 2", DOCTOR_NO },
};

static void machine_check(const struct machine *m, const char *name, struct doctor_result *r)
{
	memset(r, 0, sizeof(*r));
	for (size_t i = 0; i < doctor_machine_checks_n; i++)
		if (strcmp(doctor_machine_checks[i].name, name) == 0)
			doctor_machine_checks[i].probe(&m->env, r);
}

static void each_kind_of_wsl_is_known_by_its_kernel(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(releases); i++) {
		struct machine m;
		struct doctor_result r;

		machine_make(&m);
		put(m.root, "/proc/sys/kernel/osrelease", releases[i].release);
		machine_check(&m, "WSL", &r);
		if (r.verdict != releases[i].verdict || !strstr(r.found, releases[i].found) ||
			!strstr(r.mend, releases[i].mend))
			fail_msg("%s: %d '%s' '%s'", releases[i].release, (int)r.verdict, r.found, r.mend);
		machine_done(&m);
	}
}

static void a_kernel_below_the_floor_is_refused_with_where_newer_ones_are(void **state)
{
	struct machine m;
	struct doctor_result r;

	machine_make(&m);
	machine_check(&m, "kernel 6.1 or newer", &r);
	assert_int_equal(r.verdict, DOCTOR_NO);
	put(m.root, "/proc/sys/kernel/osrelease", "5.15.0-91-generic\n");
	machine_check(&m, "kernel 6.1 or newer", &r);
	assert_int_equal(r.verdict, DOCTOR_NO);
	assert_non_null(strstr(r.found, "5.15.0-91-generic is older than 6.1"));
	assert_non_null(strstr(r.mend, "Debian 12"));
	put(m.root, "/proc/sys/kernel/osrelease", "6.1.0\n");
	machine_check(&m, "kernel 6.1 or newer", &r);
	assert_int_equal(r.verdict, DOCTOR_YES);
	machine_done(&m);
}

static int attempt_dies(struct doctor_attempt *a)
{
	abort();
}

static int attempt_fails(struct doctor_attempt *a)
{
	errno = EXDEV;
	return doctor_step_failed(a, "cross a device");
}

static void a_child_that_dies_is_a_failure_and_not_a_success(void **state)
{
	struct doctor_attempt a;

	doctor_try(attempt_dies, &a);
	assert_int_equal(a.error, EIO);
	assert_non_null(strstr(a.step, "signal"));
}

static void a_failing_step_is_named_with_its_errno(void **state)
{
	struct doctor_attempt a;

	doctor_try(attempt_fails, &a);
	assert_int_equal(a.error, EXDEV);
	assert_string_equal(a.step, "cross a device");
}

static void every_layer_works_on_a_machine_that_runs_the_tests(void **state)
{
	const struct doctor_env env = { "/nonexistent", "/proc/sys", "", NULL, "" };

	for (size_t i = 0; i < doctor_layer_checks_n; i++) {
		struct doctor_result r = { 0 };

		doctor_layer_checks[i].probe(&env, &r);
		if (r.verdict != DOCTOR_YES)
			fail_msg("%s: %s; %s", doctor_layer_checks[i].name, r.found, r.mend);
	}
}

static void an_absent_helper_and_a_foreign_one_are_told_apart(void **state)
{
	struct machine m;
	struct doctor_result r = { 0 };
	char path[128];

	machine_make(&m);
	m.env.libexec = m.root;
	doctor_place_checks[0].probe(&m.env, &r);
	assert_int_equal(r.verdict, DOCTOR_NO);
	assert_non_null(strstr(r.found, "No such file"));

	put(m.root, "/stockade-enter", "no program of this build");
	snprintf(path, sizeof(path), "%s/stockade-enter", m.root);
	assert_int_equal(chmod(path, 0755), 0);
	doctor_place_checks[0].probe(&m.env, &r);
	assert_int_equal(r.verdict, DOCTOR_NO);
	assert_non_null(strstr(r.found, "not of this build"));

	assert_int_equal(chmod(path, 0777), 0);
	doctor_place_checks[0].probe(&m.env, &r);
	assert_non_null(strstr(r.found, "changed by others"));
	machine_done(&m);
}

static void each_program_that_a_session_needs_is_looked_for(void **state)
{
	static const char *const programs[] = { "stockade-enter", "stockade-shim", "stockade-gateway",
		"stockade-dial" };
	struct machine m;

	machine_make(&m);
	m.env.libexec = m.root;
	for (size_t i = 0; i < ARRAY_LEN(programs); i++) {
		struct doctor_result r = { 0 };
		assert_string_equal(doctor_place_checks[i].name, programs[i]);
		doctor_place_checks[i].probe(&m.env, &r);
		assert_int_equal(r.verdict, DOCTOR_NO);
		assert_non_null(strstr(r.found, programs[i]));
	}
	machine_done(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_wall_gets_its_own_mend),
		cmocka_unit_test(a_sysctl_that_allows_is_not_blamed),
		cmocka_unit_test(a_sysctl_that_is_no_number_is_unknown),
		cmocka_unit_test(each_kind_of_wsl_is_known_by_its_kernel),
		cmocka_unit_test(a_kernel_below_the_floor_is_refused_with_where_newer_ones_are),
		cmocka_unit_test(a_child_that_dies_is_a_failure_and_not_a_success),
		cmocka_unit_test(a_failing_step_is_named_with_its_errno),
		cmocka_unit_test(every_layer_works_on_a_machine_that_runs_the_tests),
		cmocka_unit_test(an_absent_helper_and_a_foreign_one_are_told_apart),
		cmocka_unit_test(each_program_that_a_session_needs_is_looked_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
