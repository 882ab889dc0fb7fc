/* SPDX-License-Identifier: Apache-2.0 */
/* test_identity - a server runs as the caller, never as root and never in root's group */
#include "tests/unit/unit.h"
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "supervisor/identity.h"

static void a_server_runs_as_whoever_starts_it(void **state)
{
	struct paths p = { .uid = 1234, .gid = 5678, .user = (char[]){ "someone" } };
	struct identity id;
	struct diag d = { "" };

	(void)state;
	assert_int_equal(identity_find(&p, &id, &d), 0);
	assert_int_equal(id.uid, 1234);
	assert_int_equal(id.gid, 5678);
	assert_false(id.drop_root);
	assert_string_equal(id.login, "someone");
}

static void a_login_that_is_too_long_is_cut(void **state)
{
	struct paths p = { .uid = 1234, .gid = 5678, .user = (char[]){ "a-name-of-more-than-thirty-two-letters" } };
	struct identity id;
	struct diag d = { "" };

	(void)state;
	assert_int_equal(identity_find(&p, &id, &d), 0);
	assert_int_equal(strlen(id.login), 32);
}

static void the_group_of_root_is_refused(void **state)
{
	struct paths p = { .uid = 1234, .gid = 0, .user = (char[]){ "someone" } };
	struct identity id;
	struct diag d = { "" };

	(void)state;
	assert_int_equal(identity_find(&p, &id, &d), -EPERM);
	assert_non_null(strstr(d.text, "your group is 0"));
}

static void root_starts_a_server_as_its_own_user_or_not_at_all(void **state)
{
	struct paths p = { .user = (char[]){ "root" } };
	const struct passwd *pw = getpwnam(IDENTITY_USER);
	struct identity id;
	struct diag d = { "" };
	int r = identity_find(&p, &id, &d);

	(void)state;
	if (!pw) {
		assert_int_equal(r, -EPERM);
		assert_non_null(strstr(d.text, "useradd --system"));
		return;
	}
	assert_int_equal(r, 0);
	assert_true(id.drop_root);
	assert_int_equal(id.uid, pw->pw_uid);
	assert_int_equal(id.gid, pw->pw_gid);
	assert_true(id.uid != 0 && id.gid != 0);
	assert_string_equal(id.login, IDENTITY_USER);
}

static const struct {
	const char *words;
	mode_t mode;
	bool owner, group, write, directory, may;
} rows[] = {
	{ "the owner reads by the owner's bits", 0400, true, false, false, false, true },
	{ "and not by those of others", 0044, true, true, false, false, false },
	{ "the owner writes", 0600, true, false, true, false, true },
	{ "the owner does not write what is read-only", 0400, true, false, true, false, false },
	{ "the group reads by the group's bits", 0040, false, true, false, false, true },
	{ "and not by those of others", 0604, false, true, false, false, false },
	{ "the group writes", 0060, false, true, true, false, true },
	{ "others read by theirs", 0004, false, false, false, false, true },
	{ "and by no other's", 0770, false, false, false, false, false },
	{ "others write", 0006, false, false, true, false, true },
	{ "others do not write what they may read", 0664, false, false, true, false, false },
	{ "a directory has to be searched, too", 0004, false, false, false, true, false },
	{ "a directory that is read and searched", 0005, false, false, false, true, true },
	{ "a directory that is written", 0007, false, false, true, true, true },
	{ "to write is not enough without reading", 0200, true, false, true, false, false },
};

static void owner_group_and_others_are_told_apart_as_the_kernel_does(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char path[] = "/tmp/stockade-identity-XXXXXX";
		struct identity id = { .uid = rows[i].owner ? geteuid() : geteuid() + 1,
			.gid = rows[i].group ? getegid() : getegid() + 1 };
		int fd = rows[i].directory ? -1 : mkstemp(path);
		if (rows[i].directory) {
			assert_non_null(mkdtemp(path));
			fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		}
		assert_true(fd >= 0);
		assert_int_equal(fchown(fd, (uid_t)-1, getegid()), 0);
		assert_int_equal(fchmod(fd, rows[i].mode), 0);
		int r = identity_may_read(&id, fd, rows[i].write);
		close(fd);
		remove(path);
		if (r != (rows[i].may ? 0 : -EACCES))
			fail_msg("%s: %d", rows[i].words, r);
	}
}

static void what_is_not_open_may_not_be_read(void **state)
{
	struct identity id = { .uid = geteuid(), .gid = getegid() };

	(void)state;
	assert_int_equal(identity_may_read(&id, -1, false), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_runs_as_whoever_starts_it),
		cmocka_unit_test(a_login_that_is_too_long_is_cut),
		cmocka_unit_test(the_group_of_root_is_refused),
		cmocka_unit_test(root_starts_a_server_as_its_own_user_or_not_at_all),
		cmocka_unit_test(owner_group_and_others_are_told_apart_as_the_kernel_does),
		cmocka_unit_test(what_is_not_open_may_not_be_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
