/* SPDX-License-Identifier: Apache-2.0 */
/* test_enter - what a server sees and can do inside, asked from inside by tests/enter/probe.c */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <cmocka.h>
#include "base/io.h"
#include "tests/enter/launch.h"
#include "wire/sandbox_tables.h"

static void probe(struct launch *l, const char *const *words)
{
	_cleanup_plan_ struct plan p = { 0 };

	launch_plan(&p, PROBE_BINARY, NULL);
	launch_probe(l, &p, words, 0);
}

/* Outside, without any wall: what the probe can do there. */
static void control(struct buf *out, const char *command)
{
	char *argv[] = { TEXT("probe"), TEXT(command), NULL };
	/* Opened as who we are: the build may lie where the other user cannot go. */
	int fds[2], binary = open(PROBE_BINARY, O_RDONLY | O_CLOEXEC);
	pid_t pid;

	assert_true(binary >= 0);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		/* As an unprivileged user, as inside. */
		if (getuid() == 0 && (setgid(launch_uid()) < 0 || setuid(launch_uid()) < 0))
			_exit(97);
		dup2(fds[1], 1);
		fexecve(binary, argv, environ);
		_exit(98);
	}
	close(fds[1]);
	close(binary);
	assert_int_equal(io_read_all(fds[0], out), 0);
	close(fds[0]);
	assert_int_equal(launch_wait(pid), 0);
}

static void expect_control(const char *command, const char *const *lines)
{
	struct launch l = { .output = BUF_INIT(LAUNCH_OUTPUT_MAX) };

	control(&l.output, command);
	for (; *lines; lines++)
		launch_expect_line(&l, *lines);
	buf_done(&l.output);
}

static void reports_come_in_order_and_name_the_abi(void **state)
{
	static const enum report_type order[] = { REPORT_INIT, REPORT_READY, REPORT_RUNNING, REPORT_EXITED };
	_cleanup_launch_ struct launch l = { 0 };

	probe(&l, (const char *[]){ "descriptors", NULL });
	assert_int_equal(l.n_reports, ARRAY_LEN(order));
	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		assert_int_equal(l.reports[i].type, order[i]);
	assert_true(launch_find(&l, REPORT_READY)->landlock >= 1);
	assert_int_equal(launch_wait(l.outer), 0);
	l.outer = 0;
}

static void server_finds_0_1_2_open_and_nothing_else(void **state)
{
	_cleanup_launch_ struct launch l = { 0 };

	probe(&l, (const char *[]){ "descriptors", NULL });
	launch_expect_line(&l, "fds 0 1 2");
}

static void open_more_descriptors(void)
{
	/* The C library keeps 32 and 33 to itself; the kernel does not. */
	static const struct {
		void (*handler)(int);
		unsigned long flags;
		void *restorer;
		uint64_t mask;
	} ignore = { .handler = SIG_IGN };

	for (int s = 32; s < _NSIG; s++)
		if (syscall(SYS_rt_sigaction, s, &ignore, NULL, sizeof(ignore.mask)) < 0)
			_exit(96);
	for (int fd = 5; fd < 60; fd++)
		if (dup2(2, fd) < 0)
			_exit(97);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	umask(027);
}

static void what_the_caller_left_open_ignored_or_blocked_does_not_reach_the_server(void **state)
{
	_cleanup_launch_ struct launch l = { 0 };
	_cleanup_plan_ struct plan p = { 0 };

	launch_plan(&p, PROBE_BINARY, NULL);
	assert_int_equal(
		strv_add(&p.argv, "descriptors") | strv_add(&p.argv, "status") | strv_add(&p.argv, "world"), 0);
	launch_start(&l, &p, open_more_descriptors);
	assert_int_equal(launch_finish(&l), 0);
	launch_expect_line(&l, "fds 0 1 2");
	launch_expect_line(&l, "SigBlk:\t0000000000000000");
	launch_expect_line(&l, "SigIgn:\t0000000000000000");
	launch_expect_line(&l, "umask 027");
}

static void server_is_an_ordinary_user_without_any_capability_under_a_filter(void **state)
{
	static const char *const lines[] = { "CapInh:\t0000000000000000", "CapPrm:\t0000000000000000",
		"CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "CapAmb:\t0000000000000000", "NoNewPrivs:\t1",
		"Seccomp:\t2", "session-leader 1", "pid 2" };
	_cleanup_launch_ struct launch l = { 0 };
	char uid[32];

	probe(&l, (const char *[]){ "status", NULL });
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		launch_expect_line(&l, lines[i]);
	snprintf(uid, sizeof(uid), "uid %u", launch_uid());
	launch_expect_line(&l, uid);
	launch_expect_no_line(&l, "uid 0");
	if (getuid() == 0)
		launch_expect_line(&l, "groups 0");
}

/* What is inherited is another figure, then: the kernel's own defaults are ours. */
static void lower_soft_limit(__rlimit_resource_t what)
{
	struct rlimit own;

	assert_int_equal(getrlimit(what, &own), 0);
	own.rlim_cur = 4096;
	assert_int_equal(setrlimit(what, &own), 0);
}

/* Ours, or the caller's own ceiling where that is lower. */
static void expect_limit(const struct launch *l, const char *name, __rlimit_resource_t what, rlim_t value)
{
	struct rlimit own;
	char line[64];

	assert_int_equal(getrlimit(what, &own), 0);
	value = value < own.rlim_max ? value : own.rlim_max;
	snprintf(line, sizeof(line), "%s %ju %ju", name, (uintmax_t)value, (uintmax_t)value);
	launch_expect_line(l, line);
}

static void world_is_what_the_plan_says(void **state)
{
	static const char *const lines[] = { "hostname sandbox", "cwd /tmp", "core 1 1", "nofile 256 256",
		"nproc 33 33", "env PATH=/usr/bin" };
	_cleanup_launch_ struct launch l = { 0 };
	_cleanup_plan_ struct plan p = { 0 };

	launch_plan(&p, PROBE_BINARY, NULL);
	free(p.cwd);
	p.cwd = strdup("/tmp");
	lower_soft_limit(RLIMIT_MSGQUEUE);
	lower_soft_limit(RLIMIT_MEMLOCK);
	launch_probe(&l, &p, (const char *[]){ "world", NULL }, 0);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		launch_expect_line(&l, lines[i]);
	expect_limit(&l, "msgqueue", RLIMIT_MSGQUEUE, 819200);
	expect_limit(&l, "memlock", RLIMIT_MEMLOCK, 8 << 20);
	/* Never limited: V8, the JVM and Go reserve address space. */
	launch_expect_line(&l, "as 18446744073709551615 18446744073709551615");
	assert_null(strstr(l.output.data, "env LD_"));
}

/* Mounts that the plan does not name: devices, and masks of /proc. */
static bool is_implied(const char *where)
{
	for (size_t i = 0; i < ARRAY_LEN(sandbox_devices); i++)
		if (strncmp(where, "/dev/", 5) == 0 && strcmp(where + 5, sandbox_devices[i].name) == 0)
			return true;
	return strncmp(where, "/proc/", 6) == 0;
}

static void mounts_are_those_of_the_plan_with_the_right_flags(void **state)
{
	static const char *const planned[] = { "/ ro,nosuid,nodev", "/usr ro,nosuid,nodev",
		PROBE_BINARY " ro,nosuid,nodev", "/tmp rw,nosuid,nodev", "/dev/null ro,nosuid,noexec",
		"/dev/shm rw,nosuid,nodev,noexec", "/proc rw,nosuid,nodev,noexec", "/proc/sys ro,nosuid,nodev,noexec",
		"/proc/keys ro,nosuid,nodev,noexec" };
	_cleanup_launch_ struct launch l = { 0 };
	size_t found = 0;
	char *save = NULL;

	probe(&l, (const char *[]){ "mounts", NULL });
	for (char *line = strtok_r(l.output.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char where[256];
		bool known = false;
		assert_int_equal(sscanf(line, "mount %255s", where), 1);
		for (size_t i = 0; i < ARRAY_LEN(planned); i++)
			known |= strncmp(line + 6, planned[i], strlen(planned[i])) == 0;
		found += known;
		if (!known && !is_implied(where))
			fail_msg("not planned: %s", line);
	}
	assert_int_equal(found, ARRAY_LEN(planned));
}

static void root_holds_no_other_name(void **state)
{
	static const char *const names[] = { "root bin", "root lib", "root lib64", "root usr", "root etc", "root tmp",
		"root dev", "root proc", "root empty" };
	_cleanup_launch_ struct launch l = { 0 };
	_cleanup_plan_ struct plan p = { 0 };
	size_t lines = 0;

	launch_plan(&p, "/usr/bin/true", NULL);
	launch_add(&p, launch_bind(PROBE_BINARY, "/tmp/probe", 0));
	free(p.exec_path);
	p.exec_path = strdup("/tmp/probe");
	launch_probe(&l, &p, (const char *[]){ "root", NULL }, 0);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		launch_expect_line(&l, names[i]);
	for (const char *c = l.output.data; *c; c++)
		lines += *c == '\n';
	assert_int_equal(lines, ARRAY_LEN(names));
}

static void network_is_a_working_loopback_and_no_way_out(void **state)
{
	_cleanup_launch_ struct launch l = { 0 };

	probe(&l, (const char *[]){ "interfaces", "loopback", NULL });
	assert_non_null(l.output.data);
	launch_expect_line(&l, "interface lo");
	assert_null(strstr(strstr(l.output.data, "interface lo") + 1, "interface "));
	launch_expect_line(&l, "connect-loopback ok");
	launch_expect_line(&l, "connect-outside ENETUNREACH");
}

static void every_namespace_is_the_sandboxes_own(void **state)
{
	_cleanup_buf_ struct buf outside = BUF_INIT(4096);
	_cleanup_launch_ struct launch l = { 0 };
	char *rest, *line;
	unsigned kinds = 0;

	control(&outside, "own-namespaces");
	probe(&l, (const char *[]){ "own-namespaces", NULL });
	for (rest = outside.data; (line = strsep(&rest, "\n"));) {
		if (strncmp(line, "ns-", 3) != 0)
			continue;
		assert_non_null(strchr(line, '['));
		launch_expect_no_line(&l, line);
		kinds++;
	}
	assert_int_equal(kinds, 7);
}

static void namespaces_cannot_be_made_or_joined(void **state)
{
	_cleanup_launch_ struct launch l = { 0 };

	expect_control(
		"namespaces", (const char *[]){ "clone-newuser ok", "clone-dirty ok", "unshare-newuser ok", NULL });
	probe(&l, (const char *[]){ "namespaces", NULL });
	launch_expect_line(&l, "clone-plain ok");
	launch_expect_line(&l, "clone-newuser EPERM");
	launch_expect_line(&l, "clone-dirty EPERM");
	launch_expect_line(&l, "clone3 ENOSYS");
	launch_expect_line(&l, "setns EPERM");
	launch_expect_line(&l, "unshare-newuser EPERM");
}

static void forbidden_calls_answer_eperm_and_unknown_ones_enosys(void **state)
{
	static const char *const lines[] = { "mount EPERM", "umount EPERM", "pivot_root EPERM", "chroot EPERM",
		"open_tree ENOSYS", "fsopen ENOSYS", "ptrace EPERM", "process_vm_readv EPERM", "keyctl EPERM",
		"bpf EPERM", "io_uring_setup EPERM", "perf_event_open EPERM", "userfaultfd EPERM",
		"name_to_handle_at EPERM", "unknown-call ENOSYS", "tiocsti EPERM", "tiocsti-dirty EPERM",
		"tioclinux EPERM", "personality-ask ok", "personality-rie EPERM", "prctl-mm EPERM",
		"prctl-ptracer EPERM", "prctl-name ok" };
	_cleanup_launch_ struct launch l = { 0 };

	expect_control("calls",
		(const char *[]){ "keyctl ok", "process_vm_readv ok", "tiocsti ENOTTY", "personality-rie ok", NULL });
	probe(&l, (const char *[]){ "calls", NULL });
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		launch_expect_line(&l, lines[i]);
}

static void sockets_are_inet_and_route_and_unix_only_when_granted(void **state)
{
	static const char *const lines[] = { "socket-inet6 ok", "socket-route ok", "socket-netfilter EPERM",
		"socket-vsock EPERM", "socket-alg EPERM", "socket-packet EPERM", "socketpair-stream ok" };
	_cleanup_launch_ struct launch l = { 0 }, granted = { 0 };
	_cleanup_plan_ struct plan p = { 0 };

	expect_control(
		"sockets", (const char *[]){ "socket-unix ok", "socket-unix-dirty ok", "socket-netfilter ok", NULL });
	probe(&l, (const char *[]){ "sockets", NULL });
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		launch_expect_line(&l, lines[i]);
	launch_expect_line(&l, "socket-unix EPERM");
	launch_expect_line(&l, "socket-unix-dirty EPERM");
	launch_expect_line(&l, "socketpair-dgram EPERM");
	launch_plan(&p, PROBE_BINARY, NULL);
	p.allow_unix = true;
	launch_probe(&granted, &p, (const char *[]){ "sockets", NULL }, 0);
	launch_expect_line(&granted, "socket-unix ok");
	launch_expect_line(&granted, "socket-vsock EPERM");
}

static void files_are_as_granted_and_pid_1_is_shut(void **state)
{
	static const char *const lines[] = { "write-root EROFS", "write-usr EROFS", "write-tmp ok", "write-shm ok",
		"write-scratch ok", "write-null ok", "truncate-null ok", "touch-null EROFS", "read-urandom ok",
		"open-tty ENOENT", "sysctl EACCES", "init-mem EACCES", "init-environ EACCES", "init-root EACCES",
		"init-exe EACCES", "dotdot ENOENT", "isatty-null ENOTTY", "kill-init EPERM" };
	_cleanup_launch_ struct launch l = { 0 };
	_cleanup_plan_ struct plan p = { 0 };
	_cleanup_scratch_ char *scratch = launch_scratch();

	launch_plan(&p, PROBE_BINARY, scratch);
	launch_probe(&l, &p, (const char *[]){ "files", NULL }, 0);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		launch_expect_line(&l, lines[i]);
}

static void landlock_refuses_what_only_landlock_refuses(void **state)
{
	_cleanup_launch_ struct launch l = { 0 };

	/* Outside a whiteout may be made without any capability; unlink(2) it again. */
	unlink("/tmp/whiteout");
	expect_control("files", (const char *[]){ "mknod-whiteout ok", NULL });
	unlink("/tmp/whiteout");
	unlink("/tmp/new");
	unlink("/dev/shm/new");
	probe(&l, (const char *[]){ "files", NULL });
	launch_expect_line(&l, "mknod-whiteout EACCES");
}

static void proc_gives_only_what_the_table_keeps(void **state)
{
	_cleanup_launch_ struct launch l = { 0 };
	char *save = NULL;
	size_t n = 0;

	expect_control("proc", (const char *[]){ "readable cmdline", "readable interrupts", "readable cpuinfo", NULL });
	probe(&l, (const char *[]){ "proc", NULL });
	for (char *line = strtok_r(l.output.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		bool kept = false;
		for (size_t i = 0; i < ARRAY_LEN(sandbox_proc_kept); i++)
			kept |= strcmp(line + strlen("readable "), sandbox_proc_kept[i].name) == 0;
		if (!kept)
			fail_msg("%s", line);
		n++;
	}
	assert_true(n >= 5);
}

static void fork_bomb_meets_the_limit(void **state)
{
	_cleanup_launch_ struct launch l = { 0 };

	expect_control("forks", (const char *[]){ "fork ok", NULL });
	probe(&l, (const char *[]){ "forks", NULL });
	launch_expect_line(&l, "fork EAGAIN");
	/* 32 processes: the probe and 31 children. */
	launch_expect_line(&l, "forked 31");
}

static void tmp_is_as_large_as_the_plan_says(void **state)
{
	_cleanup_launch_ struct launch l = { 0 };

	probe(&l, (const char *[]){ "fill", NULL });
	launch_expect_line(&l, "fill ENOSPC");
	launch_expect_line(&l, "filled 1048576");
}

static void pid_1_reaps_orphans(void **state)
{
	_cleanup_launch_ struct launch l = { 0 };

	probe(&l, (const char *[]){ "orphan", NULL });
	launch_expect_line(&l, "orphan ESRCH");
}

static void daemon_that_ignores_signals_dies_with_the_server(void **state)
{
	_cleanup_launch_ struct launch l = { 0 };

	/* The daemon holds stdout: the probe's run only ends because the daemon does. */
	probe(&l, (const char *[]){ "daemon", NULL });
	launch_expect_line(&l, "daemon left");
}

static void exit_status_and_signal_of_the_server_are_reported(void **state)
{
	_cleanup_launch_ struct launch l = { 0 }, killed = { 0 };
	_cleanup_plan_ struct plan p = { 0 }, q = { 0 };
	char byte;

	launch_plan(&p, PROBE_BINARY, NULL);
	launch_probe(&l, &p, (const char *[]){ "exit", "7", NULL }, 7);
	launch_plan(&q, PROBE_BINARY, NULL);
	assert_int_equal(strv_add(&q.argv, "sleep"), 0);
	launch_start(&killed, &q, NULL);
	assert_non_null(launch_until(&killed, REPORT_READY));
	launch_release(&killed);
	assert_int_equal(read(killed.out, &byte, 1), 1);
	launch_signal(&killed, SIGTERM);
	assert_non_null(launch_until(&killed, REPORT_EXITED));
	assert_true(WIFSIGNALED(launch_find(&killed, REPORT_EXITED)->status));
	assert_int_equal(WTERMSIG(launch_find(&killed, REPORT_EXITED)->status), SIGTERM);
	int end = launch_wait(killed.init);
	assert_int_equal(WEXITSTATUS(end), 128 + SIGTERM);
}

/* Started, released, and writing: the server is there. */
static void start_sleeper(struct launch *l)
{
	_cleanup_plan_ struct plan p = { 0 };
	char byte;

	launch_plan(&p, PROBE_BINARY, NULL);
	assert_int_equal(strv_add(&p.argv, "sleep"), 0);
	launch_start(l, &p, NULL);
	assert_non_null(launch_until(l, REPORT_READY));
	launch_release(l);
	assert_int_equal(read(l->out, &byte, 1), 1);
}

static bool its_writers_end(int fd)
{
	char bytes[64];
	struct pollfd p = { .fd = fd, .events = POLLIN };

	while (poll(&p, 1, LAUNCH_TIMEOUT_MS) == 1)
		if (read(fd, bytes, sizeof(bytes)) <= 0)
			return true;
	return false;
}

static void everything_ends_when_the_supervisor_closes_the_socket(void **state)
{
	_cleanup_launch_ struct launch l = { 0 };

	start_sleeper(&l);
	close(steal_fd(&l.report));
	assert_true(its_writers_end(l.out));
	assert_true(WIFEXITED(launch_wait(l.init)));
}

static void signal_from_outside_to_pid_1_reaches_the_server(void **state)
{
	_cleanup_launch_ struct launch l = { 0 };

	start_sleeper(&l);
	assert_int_equal(kill(l.init, SIGHUP), 0);
	assert_non_null(launch_until(&l, REPORT_EXITED));
	assert_int_equal(WTERMSIG(launch_find(&l, REPORT_EXITED)->status), SIGHUP);
}

static void killing_pid_1_ends_everything(void **state)
{
	_cleanup_launch_ struct launch l = { 0 };

	start_sleeper(&l);
	assert_int_equal(kill(l.init, SIGKILL), 0);
	assert_true(its_writers_end(l.out));
}

static void nothing_runs_before_the_release(void **state)
{
	_cleanup_launch_ struct launch l = { 0 };
	_cleanup_plan_ struct plan p = { 0 };
	struct pollfd out;

	launch_plan(&p, PROBE_BINARY, NULL);
	assert_int_equal(strv_add(&p.argv, "descriptors"), 0);
	launch_start(&l, &p, NULL);
	assert_non_null(launch_until(&l, REPORT_READY));
	out = (struct pollfd){ .fd = l.out, .events = POLLIN };
	assert_int_equal(poll(&out, 1, 200), 0);
	close(steal_fd(&l.report));
	assert_true(its_writers_end(l.out));
}

static char *copy_enter(const char *dir, uid_t owner)
{
	static char path[256];
	struct buf b = BUF_INIT(64 << 20);
	_cleanup_close_ int from = open(ENTER_BINARY, O_RDONLY | O_CLOEXEC), to = -1;

	snprintf(path, sizeof(path), "%s/stockade-enter", dir);
	to = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	assert_int_equal(io_read_all(from, &b), 0);
	assert_int_equal(io_write_full(to, b.data, b.len), 0);
	assert_int_equal(fchown(to, owner, (gid_t)-1), 0);
	buf_done(&b);
	return path;
}

/* A file that runs is busy; one whose sealed copy runs is not. The file is the user's here, as below a home. */
static void enter_runs_from_a_sealed_copy_where_its_file_is_the_servers_users(void **state)
{
	_cleanup_scratch_ char *scratch = launch_scratch();
	const char *path = copy_enter(scratch, launch_uid());
	_cleanup_plan_ struct plan p = { 0 };
	_cleanup_launch_ struct launch l = { 0 };

	launch_plan(&p, PROBE_BINARY, NULL);
	launch_start_from(&l, path, &p, NULL);
	if (getuid() == 0) {
		/* Root's descriptors would not survive an exec, and root's file should be root's: refused. */
		launch_finish(&l);
		assert_non_null(launch_find(&l, REPORT_FAILED));
		assert_int_equal(launch_find(&l, REPORT_FAILED)->stage, ENTER_STAGE_IDENTITY);
		assert_int_equal(launch_find(&l, REPORT_FAILED)->error, EPERM);
		return;
	}
	assert_non_null(launch_until(&l, REPORT_READY));
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(launch_finish(&l), 0);
}

static void enter_runs_from_its_own_file_where_only_root_can_change_it(void **state)
{
	_cleanup_scratch_ char *scratch = launch_scratch();
	_cleanup_plan_ struct plan p = { 0 };
	_cleanup_launch_ struct launch l = { 0 };

	/* The file of another owner can only be made by root. */
	const char *path = getuid() == 0 ? copy_enter(scratch, 0) : ENTER_BINARY;
	launch_plan(&p, PROBE_BINARY, NULL);
	launch_start_from(&l, path, &p, NULL);
	assert_non_null(launch_until(&l, REPORT_READY));
	if (getuid() == 0) {
		assert_int_equal(open(path, O_WRONLY | O_CLOEXEC), -1);
		assert_int_equal(errno, ETXTBSY);
	}
	assert_int_equal(launch_finish(&l), 0);
}

/* The supervisor is a child here, so that it can be killed; PID 1 is its child. */
static void killing_the_supervisor_ends_everything(void **state)
{
	int fds[2];
	pid_t supervisor;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	supervisor = fork();
	if (supervisor == 0) {
		struct launch l;
		start_sleeper(&l);
		if (write(fds[1], "", 1) != 1)
			_exit(1);
		/* Splice the server's stdout on, so that its end can be seen from outside. */
		for (char byte; read(l.out, &byte, 1) == 1;)
			;
		_exit(0);
	}
	char byte;
	assert_int_equal(read(fds[0], &byte, 1), 1);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	kill(supervisor, SIGKILL);
	assert_true(WIFSIGNALED(launch_wait(supervisor)));
	/* PID 1 has come to us; its end is the end of its namespace. */
	assert_true(launch_wait(-1) >= 0);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reports_come_in_order_and_name_the_abi),
		cmocka_unit_test(server_finds_0_1_2_open_and_nothing_else),
		cmocka_unit_test(what_the_caller_left_open_ignored_or_blocked_does_not_reach_the_server),
		cmocka_unit_test(server_is_an_ordinary_user_without_any_capability_under_a_filter),
		cmocka_unit_test(world_is_what_the_plan_says),
		cmocka_unit_test(mounts_are_those_of_the_plan_with_the_right_flags),
		cmocka_unit_test(root_holds_no_other_name),
		cmocka_unit_test(network_is_a_working_loopback_and_no_way_out),
		cmocka_unit_test(every_namespace_is_the_sandboxes_own),
		cmocka_unit_test(namespaces_cannot_be_made_or_joined),
		cmocka_unit_test(forbidden_calls_answer_eperm_and_unknown_ones_enosys),
		cmocka_unit_test(sockets_are_inet_and_route_and_unix_only_when_granted),
		cmocka_unit_test(files_are_as_granted_and_pid_1_is_shut),
		cmocka_unit_test(landlock_refuses_what_only_landlock_refuses),
		cmocka_unit_test(proc_gives_only_what_the_table_keeps),
		cmocka_unit_test(fork_bomb_meets_the_limit),
		cmocka_unit_test(tmp_is_as_large_as_the_plan_says),
		cmocka_unit_test(pid_1_reaps_orphans),
		cmocka_unit_test(daemon_that_ignores_signals_dies_with_the_server),
		cmocka_unit_test(exit_status_and_signal_of_the_server_are_reported),
		cmocka_unit_test(everything_ends_when_the_supervisor_closes_the_socket),
		cmocka_unit_test(signal_from_outside_to_pid_1_reaches_the_server),
		cmocka_unit_test(killing_pid_1_ends_everything),
		cmocka_unit_test(nothing_runs_before_the_release),
		cmocka_unit_test(enter_runs_from_a_sealed_copy_where_its_file_is_the_servers_users),
		cmocka_unit_test(enter_runs_from_its_own_file_where_only_root_can_change_it),
		cmocka_unit_test(killing_the_supervisor_ends_everything),
	};

	return cmocka_run_group_tests_name("enter", tests, NULL, NULL);
}
