/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_enter_stages - single stages of enter, each in a child of its own: what they take away, and how they fail
 *
 * tests/enter has the whole of them, in their order, in the real program.
 */
#include "tests/unit/enter_unit.h"
#include <linux/capability.h>
#include <linux/securebits.h>
#include <net/if.h>
#include <netlink/errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include "base/io.h"
#include "tests/unit/tree.h"

#define IS(e, words) (strstr((e).detail, words) != NULL)

static bool has_capabilities(void)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2] = { { 0 } };

	if (syscall(SYS_capget, &h, sets) < 0)
		return true;
	return (sets[0].effective | sets[0].permitted | sets[0].inheritable | sets[1].effective | sets[1].permitted |
		       sets[1].inheritable) != 0;
}

static int lose_capabilities(void)
{
	struct enter e = enter_nothing();

	if (!own_namespaces(0))
		return 1;
	if (!has_capabilities() || prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN) != 1)
		return 2;
	if (stage_capabilities(&e) != 0)
		return 3;
	if (has_capabilities() || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 4;
	for (unsigned long cap = 0; cap <= CAP_CHECKPOINT_RESTORE; cap++)
		if (prctl(PR_CAPBSET_READ, cap) != 0)
			return 5;
	int bits = prctl(PR_GET_SECUREBITS), locked = SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP_LOCKED |
						      SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
	if ((bits & locked) != locked || !(bits & SECBIT_NOROOT) || bits & SECBIT_KEEP_CAPS)
		return 6;
	return unshare(CLONE_NEWNET) < 0 && errno == EPERM ? 0 : 7;
}

static int keep_what_cannot_be_dropped(void)
{
	struct enter e = enter_nothing();

	if (become_unprivileged() < 0 || has_capabilities())
		return 1;
	return stage_capabilities(&e) == -EPERM && IS(e, "securebits") ? 0 : 2;
}

static void no_capability_is_left_in_any_set_or_can_be_had_again(void **state)
{
	assert_int_equal(in_child(lose_capabilities), 0);
	assert_int_equal(in_child(keep_what_cannot_be_dropped), 0);
}

static int flags_of_lo(void)
{
	struct ifreq r = { .ifr_name = "lo" };
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd < 0 || ioctl(fd, SIOCGIFFLAGS, &r) < 0 ? -1 : r.ifr_flags;
}

static int raise_loopback(void)
{
	struct enter e = enter_nothing();

	if (!own_namespaces(CLONE_NEWNET) || flags_of_lo() & IFF_UP)
		return 1;
	if (stage_loopback(&e) != 0)
		return 2;
	return flags_of_lo() & IFF_UP ? 0 : 3;
}

static int raise_a_loopback_of_others(void)
{
	struct enter e = enter_nothing();

	/* Down, so that there is something to do, and not ours to raise. */
	if (!own_namespaces(CLONE_NEWNET) || stage_capabilities(&e) != 0)
		return 1;
	return stage_loopback(&e) == -EPERM && e.detail[0] && !(flags_of_lo() & IFF_UP) ? 0 : 2;
}

static void lo_is_raised_or_the_launch_fails(void **state)
{
	assert_int_equal(in_child(raise_loopback), 0);
	assert_int_equal(in_child(raise_a_loopback_of_others), 0);
}

static void the_numbers_of_libnl_become_those_of_errno(void **state)
{
	static const struct {
		int nl, error;
	} cases[] = { { NLE_PERM, -EPERM }, { -NLE_PERM, -EPERM }, { -NLE_NOACCESS, -EPERM }, { -NLE_NOMEM, -ENOMEM },
		{ -NLE_FAILURE, -EIO }, { -NLE_OBJ_NOTFOUND, -EIO } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct enter e = enter_nothing();
		assert_int_equal(enter_fail_nl(&e, cases[i].nl), cases[i].error);
		assert_true(strlen(e.detail) > 0);
	}
}

static int forbid_user_namespaces(void)
{
	struct enter e = enter_nothing();

	if (!own_namespaces(0))
		return 1;
	if (stage_userns_limit(&e) != 0)
		return 2;
	return unshare(CLONE_NEWUSER) < 0 && errno == ENOSPC ? 0 : 3;
}

static int forbid_without_the_right(void)
{
	struct enter e = enter_nothing();

	if (become_unprivileged() < 0)
		return 1;
	return stage_userns_limit(&e) < 0 && IS(e, "max_user_namespaces") ? 0 : 2;
}

static void no_user_namespace_can_be_made_below(void **state)
{
	assert_int_equal(in_child(forbid_user_namespaces), 0);
	assert_int_equal(in_child(forbid_without_the_right), 0);
}

static int name_the_host(void)
{
	char name[] = "stockade";
	struct enter e = enter_nothing();
	struct utsname u;

	e.plan.hostname = name;
	if (!own_namespaces(CLONE_NEWUTS) || stage_hostname(&e) != 0 || uname(&u) < 0)
		return 1;
	return strcmp(u.nodename, "stockade") == 0 && u.domainname[0] == '\0' ? 0 : 2;
}

static void the_host_is_named_by_the_plan(void **state)
{
	assert_int_equal(in_child(name_the_host), 0);
}

/* A caller that leaves signals ignored and blocked, even the two that the C library keeps for itself. */
static int forget_signals(void)
{
	struct enter e = enter_nothing();
	struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		uint64_t mask;
	} ignore = { SIG_IGN, 0, NULL, 0 }, now;
	sigset_t set;

	sigfillset(&set);
	umask(027);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return 1;
	for (int s = 1; s < 65; s++)
		if (s != SIGKILL && s != SIGSTOP && syscall(SYS_rt_sigaction, s, &ignore, NULL, 8) < 0)
			return 2;
	if (stage_signals(&e) != 0)
		return 3;
	for (int s = 1; s < 65; s++)
		if (syscall(SYS_rt_sigaction, s, NULL, &now, 8) < 0 || now.handler != SIG_DFL)
			return 4;
	if (sigprocmask(SIG_BLOCK, NULL, &set) < 0 || !sigisemptyset(&set))
		return 5;
	/* What is made until the server runs has the modes that are asked for; the server gets the caller's. */
	return umask(0) == 0 && e.umask == 027 ? 0 : 6;
}

static void nothing_of_the_callers_signals_and_umask_is_left(void **state)
{
	assert_int_equal(in_child(forget_signals), 0);
}

static int limit_of(__rlimit_resource_t what)
{
	struct rlimit l;

	return getrlimit(what, &l) < 0 || l.rlim_cur != l.rlim_max ? -1 : (int)l.rlim_max;
}

static int wall_in(void)
{
	struct enter e = enter_nothing();

	e.plan.limits = (struct plan_limits){ .processes = 20, .files = 40 };
	if (stage_rlimits(&e) != 0)
		return 1;
	if (limit_of(RLIMIT_NOFILE) != 40)
		return 2;
	if (limit_of(RLIMIT_NPROC) != 21)
		return 3;
	/* A dump of 0 bytes would still go to a program that the host names. */
	if (limit_of(RLIMIT_CORE) != 1)
		return 4;
	return limit_of(RLIMIT_MSGQUEUE) <= 819200 && limit_of(RLIMIT_MEMLOCK) <= 8 << 20 ? 0 : 5;
}

static int wall_in_below_a_ceiling(void)
{
	const struct rlimit low = { 10, 10 };
	struct enter e = enter_nothing();

	e.plan.limits = (struct plan_limits){ .processes = 20, .files = 40 };
	if (setrlimit(RLIMIT_NOFILE, &low) < 0 || stage_rlimits(&e) != 0)
		return 1;
	return limit_of(RLIMIT_NOFILE) == 10 ? 0 : 2;
}

static void limits_are_the_plans_and_never_above_the_callers(void **state)
{
	assert_int_equal(in_child(wall_in), 0);
	assert_int_equal(in_child(wall_in_below_a_ceiling), 0);
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* Numbers 3 to 30 are open; the server keeps 0, 1, 2 and its channel, PID 1 its sockets and nothing of the server's. */
static int close_others(enum enter_who who)
{
	struct enter e = enter_nothing();

	e.who = who;
	e.channel = 9;
	e.signals = 7;
	for (int fd = 0; fd <= 30; fd++)
		if (!is_open(fd) && dup2(open("/dev/null", O_RDWR), fd) < 0)
			return 1;
	if (stage_descriptors(&e) != 0)
		return 2;
	for (int fd = 0; fd <= 30; fd++) {
		bool kept = fd == 9 || (who == ENTER_SERVER ? fd < 3 : fd == 7 || fd == 4 /* the report socket */);
		if (is_open(fd) != kept)
			return 100 + fd;
	}
	return 0;
}

static int close_for_server(void)
{
	return close_others(ENTER_SERVER);
}

static int close_for_init(void)
{
	return close_others(ENTER_INIT);
}

static void each_process_keeps_its_own_descriptors_alone(void **state)
{
	assert_int_equal(in_child(close_for_server), 0);
	assert_int_equal(in_child(close_for_init), 0);
}

static int lead_a_session(void)
{
	struct enter e = enter_nothing();

	if (stage_session(&e) != 0 || getsid(0) != getpid())
		return 1;
	/* Who leads one already has perhaps a terminal, and no way to lose it. */
	return stage_session(&e) == -EPERM ? 0 : 2;
}

static void there_is_no_controlling_terminal(void **state)
{
	assert_int_equal(in_child(lead_a_session), 0);
}

static int go_where_there_is_nothing(void)
{
	char nowhere[] = "/nonexistent", tmp[] = "/tmp", at[64];
	struct enter e = enter_nothing();

	e.plan.cwd = nowhere;
	if (stage_cwd(&e) != -ENOENT || !IS(e, "/nonexistent"))
		return 1;
	e.plan.cwd = tmp;
	return stage_cwd(&e) == 0 && getcwd(at, sizeof(at)) && strcmp(at, "/tmp") == 0 ? 0 : 2;
}

static void it_starts_where_the_plan_says(void **state)
{
	assert_int_equal(in_child(go_where_there_is_nothing), 0);
}

static int filter_of_no_table(void)
{
	char name[] = "none";
	struct enter e = enter_nothing();

	e.who = ENTER_SERVER;
	e.plan.seccomp = name;
	return stage_seccomp(&e) == -EINVAL && IS(e, "none") ? 0 : 1;
}

static int filter(bool with_unix)
{
	char name[] = "default";
	struct enter e = enter_nothing();

	e.who = ENTER_SERVER;
	e.plan.seccomp = name;
	e.plan.allow_unix = with_unix;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || stage_seccomp(&e) != 0)
		return 100;
	return socket(AF_UNIX, SOCK_STREAM, 0) >= 0 ? 0 : errno;
}

static int filter_with_unix(void)
{
	return filter(true);
}

static int filter_without_unix(void)
{
	return filter(false);
}

static void the_filter_is_the_one_that_the_plan_names(void **state)
{
	assert_int_equal(in_child(filter_of_no_table), 0);
	assert_int_equal(in_child(filter_with_unix), 0);
	assert_int_equal(in_child(filter_without_unix), EPERM);
}

static void pid_1_waits_until_it_is_announced(void **state)
{
	struct enter e = enter_nothing();
	int p[2];

	assert_int_equal(enter_await_announced(&e), 0);
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	assert_int_equal(write(p[1], "", 1), 1);
	e.announced = p[0];
	assert_int_equal(enter_await_announced(&e), 0);
	assert_int_equal(e.announced, -1);
	assert_false(is_open(p[0]));
	close(p[1]);
	/* The end without a word: outer could not tell the supervisor, so nobody knows of us. */
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	close(p[1]);
	e.announced = p[0];
	assert_int_equal(enter_await_announced(&e), -ECONNRESET);
	close(p[0]);
}

static void a_report_is_told_with_its_descriptor(void **state)
{
	const struct report sent = { .type = REPORT_INIT, .pid = 7 };
	char bytes[REPORT_BYTES_MAX];
	struct report got;
	size_t n_fds = 1;
	int p[2], null = open("/dev/null", O_RDONLY | O_CLOEXEC), fd = -1;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, p), 0);
	assert_int_equal(enter_tell(p[0], &sent, &null, 1), 0);
	long n = io_recv_msg(p[1], bytes, sizeof(bytes), &fd, &n_fds);
	assert_true(n > 0 && n_fds == 1 && fd >= 0);
	assert_int_equal(report_decode(bytes, (size_t)n, &got), 0);
	assert_int_equal(got.pid, 7);
	close(fd);
	close(null);
	close(p[1]);
	assert_true(enter_tell(p[0], &sent, NULL, 0) < 0);
	close(p[0]);
}

static void what_failed_is_kept_and_cut_to_its_room(void **state)
{
	char wide[2 * REPORT_DETAIL_MAX];
	struct enter e = enter_nothing();

	memset(wide, 'x', sizeof(wide));
	wide[sizeof(wide) - 1] = '\0';
	assert_int_equal(enter_fail(&e, -EPERM, "/path"), -EPERM);
	assert_string_equal(e.detail, "/path");
	assert_int_equal(enter_fail(&e, -EIO, wide), -EIO);
	assert_int_equal(strlen(e.detail), REPORT_DETAIL_MAX - 1);
	assert_int_equal(enter_fail(&e, -EIO, NULL), -EIO);
	assert_string_equal(e.detail, "");
}

/* The owner of a file can always make it writable: of this program that may be us, or it is somebody else's. */
static int own_file_of_a_user_of_root(void)
{
	struct enter e = enter_nothing();
	struct stat st;

	e.privileged = true;
	if (stat("/proc/self/exe", &st) < 0)
		return 1;
	if (st.st_uid != geteuid())
		return self_check(&e) == 0 ? 0 : 2;
	return self_check(&e) == -EPERM && IS(e, "can change stockade-enter") ? 0 : 3;
}

static void a_file_that_the_servers_user_can_change_is_refused_to_root(void **state)
{
	assert_int_equal(in_child(own_file_of_a_user_of_root), 0);
}

/* --- for root alone --- */

static int different_ids(void)
{
	struct enter e = enter_nothing();

	if (setresuid((uid_t)-1, UNPRIVILEGED_ID, (uid_t)-1) < 0)
		return 1;
	if (stage_privilege(&e) != -EPERM || !IS(e, "saved ids differ"))
		return 2;
	if (setresuid((uid_t)-1, 0, (uid_t)-1) < 0 || setresgid((gid_t)-1, UNPRIVILEGED_ID, (gid_t)-1) < 0)
		return 3;
	if (stage_privilege(&e) != -EPERM)
		return 4;
	if (setresgid((gid_t)-1, 0, (gid_t)-1) < 0)
		return 5;
	return stage_privilege(&e) == 0 && e.privileged ? 0 : 6;
}

static void ids_that_differ_are_those_of_a_setuid_program(void **state)
{
	assert_int_equal(in_child(different_ids), 0);
}

static int stop_being_root(void)
{
	const gid_t groups[] = { 4, 27 };
	struct enter e = enter_nothing();
	uid_t r, eff, s;
	gid_t rg, eg, sg;

	e.privileged = true;
	e.plan.uid = UNPRIVILEGED_ID;
	e.plan.gid = UNPRIVILEGED_ID + 1;
	if (setgroups(2, groups) < 0 || stage_identity(&e) != 0)
		return 1;
	if (getresuid(&r, &eff, &s) < 0 || r != UNPRIVILEGED_ID || eff != r || s != r)
		return 2;
	if (getresgid(&rg, &eg, &sg) < 0 || rg != UNPRIVILEGED_ID + 1 || eg != rg || sg != rg)
		return 3;
	if (getgroups(0, NULL) != 0 || setuid(0) == 0)
		return 4;
	/* Its maps are written by itself, for which it must be dumpable. */
	return prctl(PR_GET_DUMPABLE) == 1 ? 0 : 5;
}

static int be_another_user(void)
{
	struct enter e = enter_nothing();

	e.plan.uid = UNPRIVILEGED_ID;
	return stage_identity(&e) == -EPERM ? 0 : 1;
}

static void root_becomes_the_plans_user_and_nobody_else_is_taken_for_him(void **state)
{
	assert_int_equal(in_child(stop_being_root), 0);
	assert_int_equal(in_child(be_another_user), 0);
}

enum { ROOTS = 2 };

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_capability_is_left_in_any_set_or_can_be_had_again),
		cmocka_unit_test(lo_is_raised_or_the_launch_fails),
		cmocka_unit_test(the_numbers_of_libnl_become_those_of_errno),
		cmocka_unit_test(no_user_namespace_can_be_made_below),
		cmocka_unit_test(the_host_is_named_by_the_plan),
		cmocka_unit_test(nothing_of_the_callers_signals_and_umask_is_left),
		cmocka_unit_test(limits_are_the_plans_and_never_above_the_callers),
		cmocka_unit_test(each_process_keeps_its_own_descriptors_alone),
		cmocka_unit_test(there_is_no_controlling_terminal),
		cmocka_unit_test(it_starts_where_the_plan_says),
		cmocka_unit_test(the_filter_is_the_one_that_the_plan_names),
		cmocka_unit_test(pid_1_waits_until_it_is_announced),
		cmocka_unit_test(a_report_is_told_with_its_descriptor),
		cmocka_unit_test(what_failed_is_kept_and_cut_to_its_room),
		cmocka_unit_test(a_file_that_the_servers_user_can_change_is_refused_to_root),
		cmocka_unit_test(ids_that_differ_are_those_of_a_setuid_program),
		cmocka_unit_test(root_becomes_the_plans_user_and_nobody_else_is_taken_for_him),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return _cmocka_run_group_tests(
		"stages of enter", tests, ARRAY_LEN(tests) - (geteuid() != 0 ? ROOTS : 0), NULL, NULL);
}
