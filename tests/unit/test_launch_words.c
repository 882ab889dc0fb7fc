/* SPDX-License-Identifier: Apache-2.0 */
/* test_launch_words - each stage that fails is named with its reason, and with the mend for that reason */
#include "tests/unit/unit.h"
#include <errno.h>
#include "supervisor/exit.h"
#include "supervisor/launch_words.h"

static const char general[] = "'stockade doctor' tries every layer on this machine";

static int words(enum enter_stage stage, int error, const char *detail, struct diag *d)
{
	struct report r = { .type = REPORT_FAILED, .stage = stage, .error = error };

	snprintf(r.detail, sizeof(r.detail), "%s", detail);
	return launch_words(&r, d);
}

/* A word of the mend that no other row has. */
static const struct {
	enum enter_stage stage;
	int error;
	const char *mend;
} mends[] = {
	{ ENTER_STAGE_CLONE, EPERM, "kernel.unprivileged_userns_clone" },
	{ ENTER_STAGE_CLONE, EACCES, "security module" },
	{ ENTER_STAGE_CLONE, ENOSPC, "raise it with sysctl" },
	{ ENTER_STAGE_CLONE, EUSERS, "nested too deep" },
	{ ENTER_STAGE_CLONE, EINVAL, "Linux 6.1 with USER_NS" },
	{ ENTER_STAGE_CLONE, EAGAIN, "ulimit -u" },
	{ ENTER_STAGE_IDMAP, EPERM, "AppArmor on Ubuntu does this" },
	{ ENTER_STAGE_IDMAP, EIO, "AppArmor on Ubuntu does this" },
	{ ENTER_STAGE_LOOPBACK, EPERM, "install the AppArmor profile" },
	{ ENTER_STAGE_PROPAGATION, EACCES, "install the AppArmor profile" },
	{ ENTER_STAGE_PROC, EPERM, "masks parts of /proc" },
	{ ENTER_STAGE_LANDLOCK, EOPNOTSUPP, "'lsm=' list at boot" },
	{ ENTER_STAGE_SOURCES, ESTALE, "changed between the question and the launch" },
	{ ENTER_STAGE_MOUNTS, ESTALE, "changed between the question and the launch" },
	{ ENTER_STAGE_MOUNTS, ENOENT, "take the grant out" },
	{ ENTER_STAGE_MOUNTS, EACCES, "the user whom the server runs as may not reach it" },
	{ ENTER_STAGE_RLIMITS, EPERM, "lower limits.files" },
	{ ENTER_STAGE_PLAN, EPROTO, "reinstall" },
	{ ENTER_STAGE_PRIVILEGE, EPERM, "setuid or setgid" },
	{ ENTER_STAGE_EXEC, ENOENT, "inside the sandbox" },
	{ ENTER_STAGE_EXEC, EACCES, "check its mode" },
	{ ENTER_STAGE_EXEC, ENOEXEC, "in no format" },
	/* The reason of one stage is not that of another. */
	{ ENTER_STAGE_MOUNTS, EPERM, general },
	{ ENTER_STAGE_LOOPBACK, EACCES, general },
	{ ENTER_STAGE_SOURCES, ENOENT, general },
	{ ENTER_STAGE_EXEC, EIO, general },
};

static void each_reason_has_its_own_mend(void **state)
{
	struct diag d;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(mends); i++) {
		(void)!words(mends[i].stage, mends[i].error, "", &d);
		const char *mend = strstr(d.text, ". Nothing was started: ");
		if (!mend || !strstr(mend, mends[i].mend))
			fail_msg("%zu: '%s' lacks '%s'", i, d.text, mends[i].mend);
	}
}

/* An errno that no row names: a stage that is mended whatever the reason has its own row here. */
static void every_stage_is_named_with_a_mend_whatever_the_reason(void **state)
{
	(void)state;
	for (int s = 0; s < ENTER_STAGE_COUNT; s++) {
		struct diag d = { "" };
		char expected[256];
		(void)!words((enum enter_stage)s, ENOTTY, "", &d);
		snprintf(expected, sizeof(expected),
			"cannot %s: %s (stage %s). Nothing was started: ", enter_stage_words((enum enter_stage)s),
			strerror(ENOTTY), enter_stage_name((enum enter_stage)s));
		assert_memory_equal(d.text, expected, strlen(expected));
		assert_true(d.text[strlen(expected)]);
		if (s != ENTER_STAGE_IDMAP && s != ENTER_STAGE_PRIVILEGE)
			assert_string_equal(d.text + strlen(expected), general);
	}
}

static void a_detail_stands_beside_the_stage_and_cannot_drive_the_terminal(void **state)
{
	struct diag d;

	(void)state;
	(void)!words(ENTER_STAGE_SOURCES, ENOENT, "/home/a\033[2J\xff", &d);
	assert_string_equal(d.text, "cannot open the granted paths (/home/a\\x1b[2J\\xff): No such file or directory "
				    "(stage SOURCES). Nothing was started: 'stockade doctor' tries every layer on this "
				    "machine");
	(void)!words(ENTER_STAGE_SOURCES, ENOENT, "", &d);
	assert_null(strstr(d.text, "paths ("));
}

static void the_longest_detail_leaves_room_for_the_mend(void **state)
{
	char detail[REPORT_DETAIL_MAX];
	struct diag d;

	(void)state;
	memset(detail, '\033', sizeof(detail) - 1);
	detail[sizeof(detail) - 1] = '\0';
	(void)!words(ENTER_STAGE_MOUNTS, ESTALE, detail, &d);
	assert_non_null(strstr(d.text, "...): "));
	assert_non_null(strstr(d.text, "start it again"));
}

static const struct {
	enum enter_stage stage;
	int error, status;
} statuses[] = {
	{ ENTER_STAGE_EXEC, ENOENT, EXIT_NOT_FOUND },
	{ ENTER_STAGE_EXEC, EACCES, EXIT_NOT_EXECUTABLE },
	{ ENTER_STAGE_EXEC, ENOEXEC, EXIT_NOT_EXECUTABLE },
	{ ENTER_STAGE_EXEC, EIO, EXIT_REFUSED },
	{ ENTER_STAGE_MOUNTS, ENOENT, EXIT_REFUSED },
	{ ENTER_STAGE_CWD, EACCES, EXIT_REFUSED },
	{ ENTER_STAGE_SECCOMP, ENOEXEC, EXIT_REFUSED },
};

static void only_an_exec_that_failed_is_not_found_or_not_executable(void **state)
{
	struct diag d;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		assert_int_equal(words(statuses[i].stage, statuses[i].error, "", &d), statuses[i].status);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_reason_has_its_own_mend),
		cmocka_unit_test(every_stage_is_named_with_a_mend_whatever_the_reason),
		cmocka_unit_test(a_detail_stands_beside_the_stage_and_cannot_drive_the_terminal),
		cmocka_unit_test(the_longest_detail_leaves_room_for_the_mend),
		cmocka_unit_test(only_an_exec_that_failed_is_not_found_or_not_executable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
