/* SPDX-License-Identifier: Apache-2.0 */
/* test_doctor_machine - kernels, containers, cgroups and rights of other machines, judged as this one's are */
#include "tests/unit/unit.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "supervisor/doctor.h"
#include "tests/unit/tree.h"

enum { SOMEBODY = 61817 };

static void probe(const char *name, const struct doctor_env *env, struct doctor_result *ret)
{
	*ret = (struct doctor_result){ .verdict = (enum doctor_verdict) - 1 };
	for (size_t i = 0; i < doctor_machine_checks_n; i++)
		if (strcmp(doctor_machine_checks[i].name, name) == 0) {
			doctor_machine_checks[i].probe(env, ret);
			return;
		}
	fail_msg("there is no check '%s'", name);
}

static const struct {
	const char *release;
	enum doctor_verdict verdict;
	const char *found;
} kernels[] = {
	{ "6.1.0-32-amd64", DOCTOR_YES, "6.1.0-32-amd64" },
	{ "6.2", DOCTOR_YES, "6.2" },
	{ "6.18.3", DOCTOR_YES, "6.18.3" },
	{ "7.0-rc1", DOCTOR_YES, "7.0-rc1" },
	{ "10.0.1", DOCTOR_YES, "10.0.1" },
	{ "6.0.19", DOCTOR_NO, "6.0.19 is older than 6.1" },
	{ "5.15.0-100-generic", DOCTOR_NO, "5.15.0-100-generic is older than 6.1" },
	{ "4.19", DOCTOR_NO, "4.19 is older than 6.1" },
	{ "", DOCTOR_NO, "cannot tell which kernel this is" },
	{ "six", DOCTOR_NO, "cannot tell which kernel this is" },
};

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void a_kernel_is_new_enough_from_6_1_on(void **state)
{
	char sysctl[] = "/tmp/stockade-machine-XXXXXX", path[64];
	struct doctor_env env = { .root = "", .sysctl = sysctl };
	struct doctor_result r;

	(void)state;
	assert_non_null(mkdtemp(sysctl));
	snprintf(path, sizeof(path), "%s/kernel", sysctl);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/kernel/osrelease", sysctl);
	for (size_t i = 0; i < ARRAY_LEN(kernels); i++) {
		put(path, kernels[i].release);
		probe("kernel 6.1 or newer", &env, &r);
		assert_int_equal(r.verdict, kernels[i].verdict);
		assert_string_equal(r.found, kernels[i].found);
		assert_int_equal(strstr(r.found, "older") != NULL, strstr(r.mend, "Debian 12") != NULL);
	}
	assert_int_equal(remove_tree(sysctl), 0);
}

static void a_container_is_named_and_a_plain_machine_is_none(void **state)
{
	char root[] = "/tmp/stockade-machine-XXXXXX", path[64];
	struct doctor_env env = { .root = root };
	struct doctor_result r;

	(void)state;
	assert_non_null(mkdtemp(root));
	probe("container", &env, &r);
	assert_int_equal(r.verdict, DOCTOR_YES);
	assert_string_equal(r.found, "none");
	snprintf(path, sizeof(path), "%s/.dockerenv", root);
	put(path, "");
	probe("container", &env, &r);
	assert_int_equal(r.verdict, DOCTOR_NOTE);
	assert_string_equal(r.found, "inside of docker: whether namespaces can nest shows below");
	assert_int_equal(remove_tree(root), 0);
}

/* As the kernel tells it elsewhere. */
static bool has_unified_cgroups(void)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[4096];
	bool found = false;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (strstr(line, " /sys/fs/cgroup "))
			found = strstr(line, " - cgroup2 ") != NULL;
	fclose(f);
	return found;
}

static void cgroups_are_noted_and_never_a_reason_to_refuse(void **state)
{
	struct doctor_env here = { .root = "" }, nowhere = { .root = "/nonexistent" };
	struct doctor_result r;

	(void)state;
	probe("cgroups", &here, &r);
	assert_int_equal(r.verdict, DOCTOR_NOTE);
	assert_int_equal(strstr(r.found, "cgroup v2 is mounted") != NULL, has_unified_cgroups());
	assert_int_equal(strstr(r.found, "no unified cgroup v2") != NULL, !has_unified_cgroups());
	probe("cgroups", &nowhere, &r);
	assert_int_equal(r.verdict, DOCTOR_NOTE);
	assert_string_equal(r.found, "no unified cgroup v2; this version does not need it");
}

static int other_user(void)
{
	return seteuid(SOMEBODY);
}

static int other_group(void)
{
	return setegid(SOMEBODY);
}

static int nobody_else(void)
{
	return 0;
}

/* The verdict of a child that has become something, with its words; -1: it could not. */
static int verdict_after(int (*become)(void), struct doctor_result *ret)
{
	struct doctor_env env = { .root = "" };
	struct doctor_result r = { 0 };
	int p[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		if (become() < 0)
			_exit(1);
		probe("not setuid", &env, &r);
		_exit(write(p[1], &r, sizeof(r)) == (ssize_t)sizeof(r) ? 0 : 1);
	}
	close(p[1]);
	n = read(p[0], &r, sizeof(r));
	close(p[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	*ret = r;
	return n == (ssize_t)sizeof(r) && status == 0 ? (int)r.verdict : -1;
}

/* Only root can make itself two users at once; for anybody else the first row is all there is. */
static void rights_that_the_user_lacks_are_refused(void **state)
{
	struct doctor_result r;

	(void)state;
	assert_int_equal(verdict_after(nobody_else, &r), DOCTOR_YES);
	assert_string_equal(r.mend, "");
	if (geteuid() != 0)
		return;
	assert_int_equal(verdict_after(other_user, &r), DOCTOR_NO);
	assert_non_null(strstr(r.mend, "chmod ug-s"));
	assert_int_equal(verdict_after(other_group, &r), DOCTOR_NO);
	assert_non_null(strstr(r.mend, "setcap -r"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kernel_is_new_enough_from_6_1_on),
		cmocka_unit_test(a_container_is_named_and_a_plain_machine_is_none),
		cmocka_unit_test(cgroups_are_noted_and_never_a_reason_to_refuse),
		cmocka_unit_test(rights_that_the_user_lacks_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
