/* SPDX-License-Identifier: Apache-2.0 */
/* test_privilege - from root to one user for good, or not at all; each case in a child of its own */
#include "tests/unit/unit.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/capability.h>
#include "base/privilege.h"

enum { UID = 61817, GID = 61818, OTHER = 61819 };

static int in_child(int (*fn)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(fn());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static bool has_capabilities(void)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2] = { { 0 } };

	if (syscall(SYS_capget, &h, sets) < 0)
		return true;
	return (sets[0].effective | sets[0].permitted | sets[0].inheritable | sets[1].effective | sets[1].permitted |
		       sets[1].inheritable) != 0;
}

static bool is_everywhere(uid_t uid, gid_t gid)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;

	return getresuid(&r, &e, &s) == 0 && r == uid && e == uid && s == uid && getresgid(&rg, &eg, &sg) == 0 &&
	       rg == gid && eg == gid && sg == gid && setfsuid((uid_t)-1) == (int)uid &&
	       setfsgid((gid_t)-1) == (int)gid;
}

static int from_root(void)
{
	const gid_t groups[] = { 4, 27, OTHER };

	if (setgroups(ARRAY_LEN(groups), groups) < 0 || privilege_drop(UID, GID) != 0)
		return 1;
	if (!is_everywhere(UID, GID))
		return 2;
	if (getgroups(0, NULL) != 0)
		return 3;
	if (has_capabilities())
		return 4;
	/* And no way back. */
	if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0 || setgroups(0, NULL) == 0)
		return 5;
	return open("/etc/shadow", O_RDONLY | O_CLOEXEC) < 0 && errno == EACCES ? 0 : 6;
}

static void root_becomes_one_user_with_nothing_of_root_left(void **state)
{
	assert_true(has_capabilities());
	assert_int_equal(in_child(from_root), 0);
}

/* A program with the set-user-id bit off for the moment: root is what it really is. */
static int from_hidden_root(void)
{
	if (setresuid(0, OTHER, 0) < 0)
		return 1;
	int r = privilege_drop(UID, GID);
	/* Without the capability for setgroups it cannot be done, and it says so. */
	return r == -EPERM ? 0 : 2;
}

static void a_root_that_hides_is_not_taken_for_somebody_else(void **state)
{
	assert_int_equal(in_child(from_hidden_root), 0);
}

/* In a user namespace that has one user, no other can be become. */
static int to_an_unmapped_user(void)
{
	if (unshare(CLONE_NEWUSER) < 0)
		return 1;
	int fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
	char map[64];
	int n = snprintf(map, sizeof(map), "0 0 1");
	if (fd < 0 || write(fd, map, (size_t)n) != n || geteuid() != 0)
		return 2;
	return privilege_drop(UID, GID) < 0 ? 0 : 3;
}

static void a_user_that_cannot_be_become_is_an_error(void **state)
{
	assert_int_equal(in_child(to_an_unmapped_user), 0);
}

static int root_to_nothing(void)
{
	const uid_t uid = geteuid();
	const gid_t gid = getegid();

	if (privilege_drop(0, GID) != -EPERM || privilege_drop(UID, 0) != -EPERM || privilege_drop(0, 0) != -EPERM)
		return 1;
	return is_everywhere(uid, gid) ? 0 : 2;
}

static void nobody_becomes_root_or_its_group(void **state)
{
	assert_int_equal(in_child(root_to_nothing), 0);
}

static int as_somebody(void)
{
	uid_t uid;
	gid_t gid;

	if (geteuid() == 0 &&
		(setgroups(0, NULL) < 0 || setresgid(OTHER, OTHER, OTHER) < 0 || setresuid(OTHER, OTHER, OTHER) < 0))
		return 1;
	uid = geteuid();
	gid = getegid();
	if (privilege_drop(UID, GID) != 0)
		return 2;
	return is_everywhere(uid, gid) ? 0 : 3;
}

static void who_is_not_root_stays_who_it_is(void **state)
{
	assert_int_equal(in_child(as_somebody), 0);
}

/* The last rows need root, and are no rows for anybody else. */
enum { ROOTS = 3 };

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_becomes_root_or_its_group),
		cmocka_unit_test(who_is_not_root_stays_who_it_is),
		cmocka_unit_test(root_becomes_one_user_with_nothing_of_root_left),
		cmocka_unit_test(a_root_that_hides_is_not_taken_for_somebody_else),
		cmocka_unit_test(a_user_that_cannot_be_become_is_an_error),
	};

	return _cmocka_run_group_tests("privilege", tests, ARRAY_LEN(tests) - (geteuid() != 0 ? ROOTS : 0), NULL, NULL);
}
